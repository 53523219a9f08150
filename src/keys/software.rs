//! Keys in files, as PEM that only its owner may read.
//!
//! Made and opened by composition and by the command line; [`open`] takes whatever `openssl` writes. What signs replies
//! and CRLs is ECDSA or RSA; checkpoints are signed with Ed25519. Never keeps a passphrase.

mod ecdsa;
mod ed25519;
mod file;
mod rsa;

use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfo;
use zeroize::Zeroizing;

use super::pem::Armour;
use super::{KeyError, Signer};

pub use ecdsa::EcdsaKey;
pub use ed25519::Ed25519Key;
pub use rsa::RsaKey;

/// What opens an encrypted key.
pub type Passphrase = Zeroizing<String>;

/// Opens a key that signs replies and CRLs: P-256, P-384, RSA of 2048, 3072 or 4096 bits, in PKCS#8 (plain or encrypted), SEC1
/// or PKCS#1. A passphrase that isn't needed is not used.
pub fn open(path: &Path, passphrase: Option<&Passphrase>) -> Result<Box<dyn Signer>, KeyError> {
    let (armour, der) = file::read(path)?;
    let der = match armour {
        Armour::EncryptedPkcs8 => decrypted(path, &der, passphrase)?,
        Armour::Pkcs1 | Armour::Pkcs8 | Armour::Sec1 => der,
    };
    of_der(&der).ok_or_else(|| KeyError::Form {
        path: path.to_owned(),
        what: "no key for replies and CRLs: P-256, P-384, or RSA of 2048, 3072 or 4096 bits",
    })
}

/// The key in these octets, if it is one that [`open`] would take.
pub fn of_der(der: &[u8]) -> Option<Box<dyn Signer>> {
    EcdsaKey::from_der(der)
        .map(|key| Box::new(key) as Box<dyn Signer>)
        .or_else(|| RsaKey::from_der(der).map(|key| Box::new(key) as Box<dyn Signer>))
}

/// Reads a passphrase from a file that only its owner may read; the line's end is not part of it.
pub fn passphrase(path: &Path) -> Result<Passphrase, KeyError> {
    let text = file::text(path)?;
    let passphrase = text.strip_suffix('\n').unwrap_or(&text);
    let passphrase = passphrase.strip_suffix('\r').unwrap_or(passphrase);
    if passphrase.is_empty() {
        return Err(KeyError::Form { path: path.to_owned(), what: "no passphrase in it" });
    }
    Ok(Zeroizing::new(passphrase.to_owned()))
}

/// Whether [`copy`] would do so: `to` is absent, or holds the same key.
pub fn may_copy(from: &Path, to: &Path) -> Result<(), KeyError> {
    file::may_copy(from, to).map(drop)
}

/// Copies a key's file to `to`, as it is and only for its owner. Another key is never overwritten; the same one is fine, so
/// that whatever was broken off can be done again.
pub fn copy(from: &Path, to: &Path) -> Result<(), KeyError> {
    file::copy(from, to)
}

fn decrypted(path: &Path, der: &[u8], passphrase: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let form = |what| KeyError::Form { path: path.to_owned(), what };
    let passphrase = passphrase.ok_or_else(|| KeyError::Locked(path.to_owned()))?;
    let info = EncryptedPrivateKeyInfo::try_from(der)
        .map_err(|_| form("its encryption is none of PKCS#5 v2 (PBKDF2 or scrypt, with AES)"))?;
    let opened = info.decrypt(passphrase.as_bytes()).map_err(|_| KeyError::WrongPassphrase(path.to_owned()))?;
    // The document wipes itself.
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests;
