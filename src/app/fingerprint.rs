//! The fingerprint of the pseudonym key, in a file beside it: with another key everything would silently find nothing.
//!
//! One line, the ledger's id and 32 hexadecimal digits that only the key can make for it. Written by `init` and `up` with
//! the ledger, compared by everybody who opens the key; whoever finds none writes it and says so. Neither the key nor an
//! identifier can be told from it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::model::LedgerId;

use super::pseudonym::{PseudonymError, Pseudonyms};

/// What there was beside the key.
#[derive(Debug)]
#[must_use = "a fingerprint that was missing is worth a warning"]
pub enum Kept {
    /// The key's own fingerprint.
    Before,
    /// None; it is there now.
    Now(PathBuf),
    /// None, and it can't be written.
    NotNow {
        /// Where it would be.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Where the fingerprint of a key is.
pub fn fingerprint_of(key: &Path) -> PathBuf {
    key.with_extension("fingerprint")
}

/// Opens the key, if it is the one of before. No ledger is needed for that.
pub fn open(key: &Path) -> Result<Pseudonyms, PseudonymError> {
    let names = Pseudonyms::open(key)?;
    if let Some((ledger, digits)) = read(key)? {
        compare(&names, key, &ledger, &digits)?;
    }
    Ok(names)
}

/// Opens the key, if it is the one that made the names of this ledger; keeps its fingerprint if there is none.
pub fn open_for(key: &Path, ledger: LedgerId) -> Result<(Pseudonyms, Kept), PseudonymError> {
    let names = Pseudonyms::open(key)?;
    let id = ledger.to_string();
    let kept = match read(key)? {
        Some(found) => {
            same(&names, key, &id, &found)?;
            Kept::Before
        }
        None => match write(key, &format!("{id} {}\n", names.fingerprint(&id))) {
            Ok(()) => Kept::Now(fingerprint_of(key)),
            // Somebody else was as quick.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let found = read(key)?.ok_or_else(|| unreadable(key))?;
                same(&names, key, &id, &found)?;
                Kept::Before
            }
            Err(source) => Kept::NotNow { file: fingerprint_of(key), source },
        },
    };
    Ok((names, kept))
}

fn same(names: &Pseudonyms, key: &Path, id: &str, (ledger, digits): &(String, String)) -> Result<(), PseudonymError> {
    compare(names, key, ledger, digits)?;
    if ledger == id {
        return Ok(());
    }
    Err(PseudonymError::OtherLedger { file: fingerprint_of(key), keyed: ledger.clone(), found: id.to_owned() })
}

fn compare(names: &Pseudonyms, key: &Path, ledger: &str, digits: &str) -> Result<(), PseudonymError> {
    if names.fingerprint(ledger) == digits {
        Ok(())
    } else {
        Err(PseudonymError::OtherKey { key: key.to_owned(), file: fingerprint_of(key) })
    }
}

/// The ledger's id and the digits.
fn read(key: &Path) -> Result<Option<(String, String)>, PseudonymError> {
    let path = fingerprint_of(key);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(PseudonymError::File { path: path.display().to_string(), source }),
    };
    let hexadecimal = |word: &&str| word.len() == 32 && word.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let words: Vec<_> = text.split_whitespace().filter(hexadecimal).collect();
    match words[..] {
        [ledger, digits] => Ok(Some((ledger.to_owned(), digits.to_owned()))),
        _ => Err(unreadable(key)),
    }
}

/// Whole or not at all, and never over another.
fn write(key: &Path, line: &str) -> std::io::Result<()> {
    let path = fingerprint_of(key);
    let draft = path.with_extension(format!("fingerprint.{}", std::process::id()));
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&draft);
    let written = written.and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_all()));
    let named = written.and_then(|()| fs::hard_link(&draft, &path));
    // Only tidying up: the fingerprint is there under its name, or the error says why not.
    let _ = fs::remove_file(&draft);
    named
}

fn unreadable(key: &Path) -> PseudonymError {
    PseudonymError::NoFingerprint(fingerprint_of(key))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::app::pseudonym::Named;

    const HERE: LedgerId = LedgerId([1; 16]);
    const ELSEWHERE: LedgerId = LedgerId([2; 16]);

    fn key(dir: &Path, name: &str, octet: u8) -> PathBuf {
        let path = dir.join(name);
        Pseudonyms::create(&path, &Zeroizing::new([octet; 32])).unwrap();
        path
    }

    #[test]
    fn only_the_key_of_before_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = key(dir.path(), "pseudonym.key", 7);
        let (names, kept) = open_for(&path, HERE).unwrap();
        assert!(matches!(kept, Kept::Now(file) if file.ends_with("pseudonym.fingerprint")));
        assert!(matches!(open_for(&path, HERE), Ok((_, Kept::Before))));
        assert!(matches!(open_for(&path, ELSEWHERE), Err(PseudonymError::OtherLedger { .. })));
        let other = key(dir.path(), "other.key", 8);
        fs::rename(&other, &path).unwrap();
        assert!(matches!(open_for(&path, HERE), Err(PseudonymError::OtherKey { .. })));
        assert!(matches!(open(&path), Err(PseudonymError::OtherKey { .. })));
        assert_ne!(
            open(&key(dir.path(), "third.key", 9)).unwrap().of(Named::Holder, "h"),
            names.of(Named::Holder, "h")
        );
        fs::write(fingerprint_of(&path), "something else").unwrap();
        assert!(matches!(open(&path), Err(PseudonymError::NoFingerprint(_))));
    }

    #[test]
    fn a_fingerprint_says_nothing_of_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let names = Pseudonyms::open(&key(dir.path(), "pseudonym.key", 7)).unwrap();
        let digits = names.fingerprint("h-1");
        for kind in [Named::Applet, Named::Command, Named::Holder, Named::Medium, Named::Person, Named::Sim] {
            let name: String = names.of(kind, "h-1").iter().map(|octet| format!("{octet:02x}")).collect();
            assert_ne!(name, digits);
        }
    }
}
