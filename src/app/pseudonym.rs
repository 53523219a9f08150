//! Keyed pseudonyms: holders, media, SIMs and persons enter the ledger only so (HMAC-SHA-256, cut to 128 bits).
//!
//! The key stays beside the configuration. Whoever has it and the ledger can look a known identifier up; whoever has only
//! the ledger can't try identifiers out. Losing it means that nothing can be found by holder any more. Opened through
//! `app::fingerprint`, which notices another key.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::words::refused_file;

/// What an identifier names; the same text means different things in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An applet.
    Applet,
    /// A holder.
    Holder,
    /// A command, by its idempotency key.
    Command,
    /// A medium.
    Medium,
    /// A person or terminal.
    Person,
    /// A SIM.
    Sim,
}

/// Turns identifiers into pseudonyms.
pub struct Pseudonyms(hmac::Key);

/// Why the key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PseudonymError {
    /// The file can't be read or written.
    #[error(
        "{path}: {}: without the key that made its names nothing in the ledger is found by \
             holder, medium or SIM; bring back the copy that was kept, and see that this user may read it",
        refused_file(source)
    )]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("{0} can be read by others: 'chmod 600' it")]
    Mode(String),
    /// Not 64 hexadecimal digits.
    #[error("{0} does not hold a key of 64 hexadecimal digits: bring back the copy that was kept")]
    Malformed(String),
    /// The file of the fingerprint holds something else.
    #[error(
        "{} does not hold the fingerprint of the pseudonym key: bring it back, or take it away if the key is certainly \
         the ledger's own", .0.display()
    )]
    NoFingerprint(PathBuf),
    /// Not the key whose fingerprint was kept.
    #[error(
        "{} is not the key that made the names in the ledger ({} says so), and would find nothing: bring back the \
         copy of the first one", key.display(), file.display()
    )]
    OtherKey {
        /// The key.
        key: PathBuf,
        /// The fingerprint.
        file: PathBuf,
    },
    /// The key of another ledger.
    #[error(
        "the pseudonym key made the names of ledger {keyed} ({} says so), and this is ledger {found}: bring back the \
         key and the fingerprint that belong to it", file.display()
    )]
    OtherLedger {
        /// The fingerprint.
        file: PathBuf,
        /// Whose it is.
        keyed: String,
        /// The ledger at hand.
        found: String,
    },
}

impl Pseudonyms {
    /// Reads the key.
    pub fn open(path: &Path) -> Result<Self, PseudonymError> {
        let name = path.display().to_string();
        let file = |source| PseudonymError::File { path: name.clone(), source };
        if fs::metadata(path).map_err(file)?.permissions().mode() & 0o077 != 0 {
            return Err(PseudonymError::Mode(name));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(file)?);
        let octets = parse_key(text.trim()).ok_or(PseudonymError::Malformed(name))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*octets)))
    }

    /// Writes a new key of the given entropy; an existing file is never overwritten.
    pub fn create(path: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<(), PseudonymError> {
        let file = |source| PseudonymError::File { path: path.display().to_string(), source };
        let mut text = Zeroizing::new(String::with_capacity(65));
        entropy.iter().for_each(|octet| text.push_str(&format!("{octet:02x}")));
        text.push('\n');
        let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
        out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(file)
    }

    /// What only this key can say of a ledger.
    pub(super) fn fingerprint(&self, ledger: &str) -> String {
        let octets = self.tag("fingerprint", ledger);
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// The pseudonym of an identifier. 32 hexadecimal digits are taken to be one already.
    pub fn of(&self, kind: Named, identifier: &str) -> [u8; 16] {
        if let Ok(crate::model::PersonId(octets)) = identifier.parse() {
            return octets;
        }
        self.tag(kind.label(), identifier)
    }

    fn tag(&self, label: &str, identifier: &str) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(label.as_bytes());
        context.update(&[0]);
        context.update(identifier.as_bytes());
        let tag = context.sign();
        let mut octets = [0; 16];
        octets.copy_from_slice(&tag.as_ref()[..16]);
        octets
    }
}

impl Named {
    fn label(self) -> &'static str {
        match self {
            Self::Applet => "applet",
            Self::Command => "command",
            Self::Holder => "holder",
            Self::Medium => "medium",
            Self::Person => "person",
            Self::Sim => "sim",
        }
    }
}

fn parse_key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut octets = Zeroizing::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |c: u8| (c as char).to_digit(16);
        *octet = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_another_name_for_another_kind_or_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pseudonym.key");
        Pseudonyms::create(&path, &Zeroizing::new([7; 32])).unwrap();
        let names = Pseudonyms::open(&path).unwrap();
        assert_eq!(names.of(Named::Holder, "h-1"), names.of(Named::Holder, "h-1"));
        assert_ne!(names.of(Named::Holder, "h-1"), names.of(Named::Medium, "h-1"));
        assert_eq!(names.of(Named::Holder, "000102030405060708090a0b0c0d0e0f")[15], 15);
        assert!(Pseudonyms::create(&path, &Zeroizing::new([8; 32])).is_err(), "never overwritten");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Pseudonyms::open(&path), Err(PseudonymError::Mode(_))));
    }
}
