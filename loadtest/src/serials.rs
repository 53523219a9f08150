//! The certificates that are asked about, and what the answers should say. Read from a file or from certificates.

use std::fs;
use std::path::{Path, PathBuf};

use crate::answer::Status;

/// A serial as the content of its DER INTEGER, and what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    octets: [u8; 21],
    length: u8,
    pub expected: Expected,
}

/// What the status of a certificate should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    #[default]
    #[serde(skip)]
    #[value(skip)]
    Anything,
    Good,
    Held,
    Revoked,
    Unknown,
}

/// A list that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SerialsError {
    #[error("{}: {source}", file.display())]
    File { file: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {what}", file.display())]
    Line { file: PathBuf, line: usize, what: &'static str },
    #[error("{}: no serial in it", file.display())]
    Empty { file: PathBuf },
}

impl Key {
    /// From the magnitude, big-endian; at most 20 octets, not zero.
    pub fn new(magnitude: &[u8], expected: Expected) -> Option<Self> {
        let start = magnitude.iter().position(|octet| *octet != 0)?;
        let magnitude = &magnitude[start..];
        // A first octet of zero keeps a number with its top bit set from reading as negative.
        let pad = usize::from(magnitude[0] >= 0x80);
        if magnitude.len() > 20 {
            return None;
        }
        let mut octets = [0; 21];
        octets[pad..pad + magnitude.len()].copy_from_slice(magnitude);
        Some(Self { octets, length: (pad + magnitude.len()) as u8, expected })
    }

    /// The content of the INTEGER.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }

    /// Hexadecimal, with colons, `0x` or any case.
    pub fn from_hex(text: &str, expected: Expected) -> Option<Self> {
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits: Option<Vec<u8>> =
            text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        let mut digits = digits?;
        if digits.len() % 2 == 1 {
            digits.insert(0, 0);
        }
        let octets: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        Self::new(&octets, expected)
    }
}

impl Expected {
    /// Whether `status` is what was expected. An unstated expectation is always met.
    pub fn is_met_by(self, status: Status) -> bool {
        match (self, status) {
            (Self::Anything, _) | (Self::Good, Status::Good) | (Self::Unknown, Status::Unknown) => true,
            (Self::Held, Status::Revoked { reason, .. }) => reason == Some(CERTIFICATE_HOLD),
            (Self::Revoked, Status::Revoked { reason, .. }) => reason != Some(CERTIFICATE_HOLD),
            _ => false,
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "good" => Self::Good,
            "held" => Self::Held,
            "revoked" => Self::Revoked,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// One serial a line, optionally followed by `good`, `revoked`, `held` or `unknown`; `#` begins a comment.
pub fn read_list(file: &Path) -> Result<Vec<Key>, SerialsError> {
    let text = fs::read_to_string(file).map_err(|source| SerialsError::File { file: file.into(), source })?;
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = |what| SerialsError::Line { file: file.into(), line: index + 1, what };
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(serial) = words.next() else { continue };
        let expected = words.next().map(|word| Expected::from_word(word).ok_or(wrong(STATUSES))).transpose()?;
        if words.next().is_some() {
            return Err(wrong("more than two columns"));
        }
        keys.push(Key::from_hex(serial, expected.unwrap_or_default()).ok_or(wrong("not a serial of 1 to 20 octets"))?);
    }
    if keys.is_empty() { Err(SerialsError::Empty { file: file.into() }) } else { Ok(keys) }
}

/// CRLReason 6: a certificate on hold is answered as revoked, with this reason.
const CERTIFICATE_HOLD: u8 = 6;
const STATUSES: &str = "the second column is none of good, revoked, held, unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_read_as_people_write_them() {
        let octets = |text: &str| Key::from_hex(text, Expected::Anything).map(|key| key.octets().to_vec());
        assert_eq!(octets("0x7F"), Some(vec![0x7f]));
        assert_eq!(octets("80"), Some(vec![0, 0x80]));
        assert_eq!(octets("00:00:1a:2B"), Some(vec![0x1a, 0x2b]));
        assert_eq!(octets("123"), Some(vec![1, 0x23]));
        assert_eq!(octets(&"ff".repeat(20)).map(|octets| octets.len()), Some(21));
        for text in ["", "0", "00", "xyz", "-1"] {
            assert_eq!(octets(text), None, "{text}");
        }
        assert_eq!(octets(&"ff".repeat(21)), None);
    }

    #[test]
    fn a_list_tells_its_faults_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("serials");
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            read_list(&file)
        };
        let keys = read("# two\n01 good\n\n02:03 held # why\n04\n").unwrap();
        let expected: Vec<_> = keys.iter().map(|key| key.expected).collect();
        assert_eq!(expected, [Expected::Good, Expected::Held, Expected::Anything]);
        assert!(read("01\n02 fine\n").unwrap_err().to_string().contains("line 2: the second column"));
        assert!(read("01 good good\n").unwrap_err().to_string().contains("line 1: more than two"));
        assert!(read("# none\n").unwrap_err().to_string().contains("no serial"));
    }

    #[test]
    fn a_hold_is_not_a_revocation() {
        let revoked = |reason| Status::Revoked { at: 0, reason };
        assert!(Expected::Held.is_met_by(revoked(Some(6))) && !Expected::Held.is_met_by(revoked(Some(1))));
        assert!(Expected::Revoked.is_met_by(revoked(None)) && !Expected::Revoked.is_met_by(revoked(Some(6))));
        assert!(!Expected::Good.is_met_by(Status::Unknown) && !Expected::Unknown.is_met_by(Status::Good));
    }
}
