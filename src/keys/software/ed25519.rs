//! An Ed25519 key in a file, for checkpoints: unencrypted PKCS#8 in PEM that only its owner may read.
//!
//! Made and opened by composition and by the command line. `openssl pkey` reads the same files.

use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::super::pem::Armour;
use super::super::{Algorithm, KeyError, Signer};
use super::file;

/// An Ed25519 key. The cryptographic library holds the secret and wipes it when the key is dropped.
pub struct Ed25519Key {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl Ed25519Key {
    /// Makes a key of 32 octets of fresh entropy and writes its file, which must not exist yet.
    pub fn create(path: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let key = Self::from_seed(entropy).ok_or(KeyError::Failed)?;
        let mut der = Zeroizing::new(Vec::with_capacity(PKCS8_ED25519.len() + entropy.len()));
        der.extend(PKCS8_ED25519);
        der.extend(entropy.iter());
        file::write(path, &der)?;
        Ok(key)
    }

    /// Opens a key's file. One that others may read is refused: it is no secret any more.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let form = |what| KeyError::Form { path: path.to_owned(), what };
        let (Armour::Pkcs8, der) = file::read(path)? else {
            return Err(form("not one unencrypted PKCS#8 key in PEM ('-----BEGIN PRIVATE KEY-----')"));
        };
        // With or without the public key beside the secret one; if it is there it must fit.
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| form("not an Ed25519 key in PKCS#8"))?;
        Ok(Self::of(pair))
    }

    fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(&seed[..]).ok().map(Self::of)
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        let public = pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 octets");
        Self { pair, public }
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }
}

impl Signer for Ed25519Key {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair.try_sign(octets).map(|signature| signature.as_ref().to_vec()).map_err(|_| KeyError::Failed)
    }

    fn sign_digest(&self, _: &Digest) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Digest(Algorithm::Ed25519))
    }
}

impl fmt::Debug for Ed25519Key {
    /// Says that there is a key, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519Key")
    }
}

/// The DER of RFC 8410 §7 before the 32 octets of the secret: version 0, Ed25519, an OCTET STRING in an OCTET STRING.
const PKCS8_ED25519: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    /// The example of RFC 8410 §10.3, without and with its public key.
    const EXAMPLE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    /// The public key of RFC 8410 §10.1, behind the twelve octets of its SubjectPublicKeyInfo.
    const PUBLIC: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    fn write(folder: &tempfile::TempDir, text: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.path().join("checkpoint.key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn reads_the_example_of_the_rfc() {
        let folder = tempfile::tempdir().unwrap();
        let key = Ed25519Key::open(&write(&folder, EXAMPLE, 0o600)).unwrap();
        assert_eq!(key.public_key(), &STANDARD.decode(PUBLIC).unwrap()[12..]);
    }

    #[test]
    fn signs_as_the_first_vector_of_rfc_8032_says() {
        let hex = |text: &str| -> Vec<u8> {
            let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(digit).collect()
        };
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = Ed25519Key::from_seed(&Zeroizing::new(seed.try_into().unwrap())).unwrap();
        assert_eq!(key.public_key(), hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
        let signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
                         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(key.sign(b"").unwrap(), hex(signature));
    }

    #[test]
    fn a_made_key_is_the_key_that_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.key");
        let entropy = Zeroizing::new([0x42; 32]);
        let made = Ed25519Key::create(&path, &entropy).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let opened = Ed25519Key::open(&path).unwrap();
        assert_eq!((made.public(), made.algorithm()), (opened.public(), Algorithm::Ed25519));
        let signature = opened.sign(b"a checkpoint").unwrap();
        let public = UnparsedPublicKey::new(&ED25519, made.public_key());
        assert!(public.verify(b"a checkpoint", &signature).is_ok());
        assert!(public.verify(b"another", &signature).is_err());
        assert!(matches!(Ed25519Key::create(&path, &Zeroizing::new([1; 32])), Err(KeyError::Exists(_))));
        assert_eq!(Ed25519Key::open(&path).unwrap().public(), made.public(), "and it is still the first");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o604, 0o660, 0o620] {
            let opened = Ed25519Key::open(&write(&folder, EXAMPLE, mode));
            assert!(matches!(opened, Err(KeyError::Exposed { mode: told, .. }) if told == mode), "{mode:o}");
        }
        assert!(Ed25519Key::open(&write(&folder, EXAMPLE, 0o400)).is_ok());
    }

    #[test]
    fn what_is_no_such_key_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let damaged = EXAMPLE.replace("MC4C", "MC4D");
        let encrypted = EXAMPLE.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let not_base64 = EXAMPLE.replace("MC4C", "M=4C");
        let two = format!("{EXAMPLE}{EXAMPLE}");
        for text in ["", "no key", &damaged, &encrypted, &not_base64, &two, &"A".repeat(20_000)] {
            let error = Ed25519Key::open(&write(&folder, text, 0o600)).unwrap_err();
            assert!(matches!(error, KeyError::Form { .. }), "{error}");
            assert!(!error.to_string().contains("INTuctv5"));
        }
        let missing = Ed25519Key::open(Path::new("/nowhere/at/all"));
        assert!(matches!(missing, Err(KeyError::Io { .. })));
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let key = Ed25519Key::from_seed(&Zeroizing::new([7; 32])).unwrap();
        assert_eq!(format!("{key:?}"), "Ed25519Key");
    }
}
