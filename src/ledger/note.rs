//! Signed notes (C2SP signed-note): a text, and below it one line for each signature. And the keys that check them.
//!
//! Checkpoints are such notes (`checkpoint.rs`). Signing is the caller's: it gets the octets to sign and gives back the
//! signature. Used by whoever writes checkpoints, follows them or verifies a ledger.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::Time;

use super::tree::sha256;

/// A public key with the name it signs under; as text `name+key id+base64(kind || key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: [u8; 32],
}

/// What a key's signatures say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// The ledger's writer: "this is my history".
    Writer,
    /// A follower, with the time: "my own copy has this history, and it is the longest that I have seen".
    Follower,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Whose, by name.
    pub name: String,
    /// Whose, by hash.
    pub key_id: [u8; 4],
    /// What the key signed with, as its kind writes it.
    pub octets: Vec<u8>,
}

/// A signature that was checked and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// The writer's.
    Writer {
        /// Its name.
        name: String,
    },
    /// A follower's.
    Follower {
        /// Its name.
        name: String,
        /// When it looked.
        time: Time,
    },
}

/// Why a note, or a key, is not one, or is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A signature of a key that is known doesn't fit the text: text or signature was altered.
    #[error("the signature of {name} does not fit the note")]
    BadSignature {
        /// Whose it claims to be.
        name: String,
    },
    /// Its form is wrong.
    #[error("not a signed note: {0}")]
    Form(&'static str),
    /// A verifier key that can't be read.
    #[error("'{0}' is not a verifier key (name+key id+base64)")]
    Key(String),
    /// The text is no checkpoint of a ledger.
    #[error("not a checkpoint of a ledger: {0}")]
    NotCheckpoint(&'static str),
    /// None of the known keys signed.
    #[error("none of the known keys has signed it")]
    Unsigned,
}

impl VerifierKey {
    /// A key under a name: not empty, without spaces, plus signs and control characters.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, NoteError> {
        if is_name(name) {
            Ok(Self { name: name.to_owned(), kind, public })
        } else {
            Err(NoteError::Form("a key's name has no spaces and no '+', and is not empty"))
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its signatures say.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The first four octets of a hash over name, kind and key: enough to find the key, not to trust it.
    pub fn key_id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[self.kind.tag()], &self.public]);
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Makes a writer's signature line over a note's text.
    pub fn sign<E>(&self, text: &str, sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>) -> Result<NoteSignature, E> {
        Ok(self.line(sign(text.as_bytes())?))
    }

    /// Makes a follower's signature line over a note's text.
    pub fn cosign<E>(
        &self,
        text: &str,
        time: Time,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<NoteSignature, E> {
        let seconds = time.unix().max(0) as u64;
        let mut octets = seconds.to_be_bytes().to_vec();
        octets.extend(sign(&cosigned(text, seconds))?);
        Ok(self.line(octets))
    }

    /// Checks a line that names this key.
    pub fn check(&self, text: &str, line: &NoteSignature) -> Result<Vouched, NoteError> {
        let bad = || NoteError::BadSignature { name: self.name.clone() };
        let verify = |message: &[u8], signature: &[u8]| {
            UnparsedPublicKey::new(&ED25519, self.public).verify(message, signature).map_err(|_| bad())
        };
        match self.kind {
            KeyKind::Writer => {
                verify(text.as_bytes(), &line.octets)?;
                Ok(Vouched::Writer { name: self.name.clone() })
            }
            KeyKind::Follower => {
                let (seconds, signature) = line.octets.split_first_chunk().ok_or_else(bad)?;
                let seconds = u64::from_be_bytes(*seconds);
                let time = i64::try_from(seconds).ok().and_then(|seconds| Time::from_unix(seconds).ok());
                let time = time.ok_or_else(bad)?;
                verify(&cosigned(text, seconds), signature)?;
                Ok(Vouched::Follower { name: self.name.clone(), time })
            }
        }
    }

    fn line(&self, octets: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.name.clone(), key_id: self.key_id(), octets }
    }
}

impl KeyKind {
    /// The signature types of the format: Ed25519, and Ed25519 with a time.
    fn tag(self) -> u8 {
        match self {
            Self::Writer => 0x01,
            Self::Follower => 0x04,
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+", self.name)?;
        self.key_id().iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        let mut octets = vec![self.kind.tag()];
        octets.extend(self.public);
        write!(f, "+{}", STANDARD.encode(octets))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = || NoteError::Key(text.to_owned());
        // Base64 may hold plus signs, a name may not.
        let (name, rest) = text.trim().split_once('+').ok_or_else(wrong)?;
        let (_, octets) = rest.split_once('+').ok_or_else(wrong)?;
        let octets = STANDARD.decode(octets).map_err(|_| wrong())?;
        let (tag, public) = octets.split_first().ok_or_else(wrong)?;
        let kind = match tag {
            0x01 => KeyKind::Writer,
            0x04 => KeyKind::Follower,
            _ => return Err(wrong()),
        };
        let key = Self::new(name, kind, public.try_into().map_err(|_| wrong())?)?;
        // The key id stands there against slips of the hand: it must be the one that follows from the rest.
        if key.to_string() == text.trim() { Ok(key) } else { Err(wrong()) }
    }
}

impl NoteSignature {
    /// Reads a signature line, without its newline.
    pub(super) fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix(DASH).ok_or(NoteError::Form("a signature line begins with an em dash"))?;
        let (name, octets) = rest.split_once(' ').ok_or(NoteError::Form("a signature line has a name and a value"))?;
        let octets = STANDARD.decode(octets).map_err(|_| NoteError::Form("a signature is base64"))?;
        let (key_id, octets) = octets.split_first_chunk().ok_or(NoteError::Form("a signature has a key id"))?;
        if !is_name(name) || octets.is_empty() {
            return Err(NoteError::Form("a signature line has a name and a value"));
        }
        Ok(Self { name: name.to_owned(), key_id: *key_id, octets: octets.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = [&self.key_id[..], &self.octets].concat();
        write!(f, "{DASH}{} {}", self.name, STANDARD.encode(octets))
    }
}

/// Checks a text's signature lines against the keys that are known.
///
/// As the format wants it: lines of unknown keys say nothing, a line of a known key that doesn't hold spoils the note,
/// and at least one must hold.
pub fn check(text: &str, lines: &[NoteSignature], keys: &[VerifierKey]) -> Result<Vec<Vouched>, NoteError> {
    let mut vouched = Vec::new();
    for line in lines {
        let known = keys.iter().find(|key| key.name == line.name && key.key_id() == line.key_id);
        if let Some(key) = known {
            vouched.push(key.check(text, line)?);
        }
    }
    if vouched.is_empty() { Err(NoteError::Unsigned) } else { Ok(vouched) }
}

/// The message of a follower's signature: a header that no checkpoint can begin with, the time, and the whole text.
fn cosigned(text: &str, seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

const DASH: &str = "\u{2014} ";

#[cfg(test)]
mod tests {
    use super::*;

    /// A real note of the Go module log, signed by others with other code.
    const KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    const TEXT: &str = "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    const LINE: &str = "— sum.golang.org \
        Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=";

    #[test]
    fn a_public_log_s_note_is_understood() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!((key.name(), key.kind(), key.to_string()), ("sum.golang.org", KeyKind::Writer, KEY.to_owned()));
        let line = NoteSignature::parse(LINE).unwrap();
        assert_eq!(line.to_string(), LINE);
        let writer = Vouched::Writer { name: "sum.golang.org".into() };
        assert_eq!(check(TEXT, std::slice::from_ref(&line), std::slice::from_ref(&key)), Ok(vec![writer]));
        let altered = TEXT.replace("20852163", "20852164");
        let bad = NoteError::BadSignature { name: "sum.golang.org".into() };
        assert_eq!(check(&altered, std::slice::from_ref(&line), &[key]), Err(bad));
        assert_eq!(check(TEXT, &[line], &[]), Err(NoteError::Unsigned));
    }

    #[test]
    fn keys_with_a_slip_are_refused() {
        for wrong in [
            "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn9",
            "sum.golang.org+033DE0AE+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "sum.golang.org+033de0ae",
            "+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "sum golang+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "",
        ] {
            assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_out_of_form_are_refused() {
        for wrong in
            ["- name AAAAAAA=", "— name", "—  AAAAAAA=", "— name AAAAAA==", "— na+me AAAAAAA=", "— name AAAAAAB="]
        {
            assert!(NoteSignature::parse(wrong).is_err(), "{wrong}");
        }
    }
}
