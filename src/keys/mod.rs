//! Signing keys: what can sign, and where its secret lies.
//!
//! [`Signer`] is what everybody else sees; [`software`] keeps keys in files. Composition chooses one and hands it to
//! whoever signs: checkpoints today, replies and CRLs when their rooms are built. Never decides what is signed, never
//! gives a secret out, never prints one, never draws entropy by itself.

mod ocsp_signer;
mod pem;
pub mod software;

use std::fmt;
use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest::Digest;

pub use ocsp_signer::{OcspSigner, Unfit};

/// Something that signs. The secret stays inside.
///
/// - **Threads.** Any number may sign at once; a call blocks for as long as a signature takes (a device may be slow).
/// - **Retry.** [`KeyError::Failed`] may pass; the caller decides whether to ask again. Nothing is half done.
/// - **Not to be trusted.** Whoever publishes what was signed verifies it first.
pub trait Signer: Send + Sync {
    /// What sort of signature it makes.
    fn algorithm(&self) -> Algorithm;

    /// The public key, as the algorithm writes it.
    fn public_key(&self) -> &[u8];

    /// Signs these octets, hashing included.
    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Signs octets that were hashed already, with the hash of its algorithm: a CRL is hashed while it is written.
    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, KeyError>;
}

/// Sorts of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: the public key as SubjectPublicKeyInfo, the signature in its ASN.1 form.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384, likewise.
    EcdsaP384,
    /// Ed25519 (RFC 8032): 32 octets of public key, 64 of signature. For checkpoints; the field's verifiers of replies
    /// and CRLs don't know it.
    Ed25519,
    /// RSA with PKCS#1 v1.5 and SHA-256: the public key as SubjectPublicKeyInfo.
    RsaSha256,
}

/// What can go wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Such keys sign whole octets, or another hash than this.
    #[error("{0} keys don't sign this hash")]
    Digest(Algorithm),
    /// A key file exists already; keys are never overwritten.
    #[error("{}: there is already a key: nothing was changed", .0.display())]
    Exists(PathBuf),
    /// Others than its owner may read the file.
    #[error("{}: others may read this key (mode {mode:03o}): make it 'chmod 600', and replace the key if they did", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key could not sign.
    #[error("the key did not sign: try again, or check the key")]
    Failed,
    /// The file holds no key that this program can use.
    #[error("{}: {what}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The file can't be read or written.
    #[error(
        "{}: this key can't be read or written ({source}): bring it back, and see that this user may have it",
        path.display()
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key is encrypted, and no passphrase was given.
    #[error(
        "{}: this key is encrypted, and must be opened without asking anybody: name a file with its passphrase \
         (keys.passphrase_file), or decrypt it with 'openssl pkey'",
        .0.display()
    )]
    Locked(PathBuf),
    /// The passphrase doesn't open it.
    #[error("{}: the passphrase does not open this key", .0.display())]
    WrongPassphrase(PathBuf),
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::RsaSha256 => f.write_str("RSA"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}
