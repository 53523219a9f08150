//! Keys as openssl writes them, opened; what they sign, verified by openssl and by implementations that share nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, SHA384, digest as hashed};

use super::*;
use crate::keys::Algorithm;

/// Runs openssl in a folder.
fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn private(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

fn passphrase(text: &str) -> Passphrase {
    Zeroizing::new(text.to_owned())
}

/// Every kind of key in every form that openssl writes.
#[test]
fn what_openssl_writes_is_opened_and_what_it_signs_openssl_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let kinds = [
        ("p256", "EC -pkeyopt ec_paramgen_curve:P-256", Algorithm::EcdsaP256, "sha256"),
        ("p384", "EC -pkeyopt ec_paramgen_curve:P-384", Algorithm::EcdsaP384, "sha384"),
        ("rsa2048", "RSA -pkeyopt rsa_keygen_bits:2048", Algorithm::RsaSha256, "sha256"),
        ("rsa3072", "RSA -pkeyopt rsa_keygen_bits:3072", Algorithm::RsaSha256, "sha256"),
        ("rsa4096", "RSA -pkeyopt rsa_keygen_bits:4096", Algorithm::RsaSha256, "sha256"),
    ];
    for (name, how, algorithm, digest) in kinds {
        openssl(dir, &format!("genpkey -algorithm {how} -out {name}"));
        openssl(dir, &format!("pkey -in {name} -traditional -out {name}.traditional"));
        openssl(dir, &format!("pkcs8 -topk8 -in {name} -passout pass:kagi -out {name}.pbkdf2"));
        openssl(dir, &format!("pkcs8 -topk8 -in {name} -scrypt -scrypt_N 1024 -passout pass:kagi -out {name}.scrypt"));
        openssl(dir, &format!("pkey -in {name} -pubout -out {name}.pub"));
        for form in ["", ".traditional", ".pbkdf2", ".scrypt"] {
            let file = private(dir, &format!("{name}{form}"));
            let key = open(&file, Some(&passphrase("kagi"))).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(key.algorithm(), algorithm, "{name}{form}");
            fs::write(dir.join("tbs"), b"a reply").unwrap();
            fs::write(dir.join("sig"), key.sign(b"a reply").unwrap()).unwrap();
            openssl(dir, &format!("dgst -{digest} -verify {name}.pub -signature sig tbs"));
            let (hash, other) = if digest == "sha256" { (&SHA256, &SHA384) } else { (&SHA384, &SHA256) };
            fs::write(dir.join("sig"), key.sign_digest(&hashed(hash, b"a reply")).unwrap()).unwrap();
            openssl(dir, &format!("dgst -{digest} -verify {name}.pub -signature sig tbs"));
            let refused = key.sign_digest(&hashed(other, b"a reply"));
            assert!(matches!(refused, Err(KeyError::Digest(kind)) if kind == algorithm), "{name}");
            fs::write(dir.join("spki"), key.public_key()).unwrap();
            openssl(dir, "pkey -pubin -inform DER -in spki -out spki.pem");
            assert_eq!(fs::read(dir.join("spki.pem")).unwrap(), fs::read(dir.join(format!("{name}.pub"))).unwrap());
        }
    }
}

#[test]
fn parameters_before_the_key_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    openssl(folder.path(), "ecparam -name prime256v1 -genkey -out key");
    assert!(open(&private(folder.path(), "key"), None).is_ok());
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    openssl(dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -pass pass:kagi -out key");
    let key = private(dir, "key");
    assert!(matches!(open(&key, None), Err(KeyError::Locked(_))));
    assert!(matches!(open(&key, Some(&passphrase("kagl"))), Err(KeyError::WrongPassphrase(_))));
    assert!(open(&key, Some(&passphrase("kagi"))).is_ok());
}

#[test]
fn what_verifiers_do_not_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let weak = [
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out key",
        "genpkey -algorithm ED25519 -out key",
    ];
    for how in weak {
        openssl(dir, how);
        let opened = open(&private(dir, "key"), None);
        assert!(matches!(opened, Err(KeyError::Form { .. })), "{how}");
    }
}

/// Implementations that share nothing with the one that signs.
#[test]
fn independent_implementations_verify_what_is_signed() {
    use ::p256::ecdsa::signature::Verifier as _;
    use ::p256::pkcs8::DecodePublicKey as _;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    openssl(dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256");
    openssl(dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384");
    openssl(dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa");
    let signed = |name: &str| {
        let key = open(&private(dir, name), None).unwrap();
        (key.public_key().to_vec(), key.sign(b"a reply").unwrap())
    };
    let (public, signature) = signed("p256");
    let verifier = ::p256::ecdsa::VerifyingKey::from_public_key_der(&public).unwrap();
    let signature = ::p256::ecdsa::DerSignature::from_bytes(&signature).unwrap();
    assert!(verifier.verify(b"a reply", &signature).is_ok() && verifier.verify(b"another", &signature).is_err());
    let (public, signature) = signed("p384");
    let verifier = ::p384::ecdsa::VerifyingKey::from_public_key_der(&public).unwrap();
    let signature = ::p384::ecdsa::DerSignature::from_bytes(&signature).unwrap();
    assert!(verifier.verify(b"a reply", &signature).is_ok() && verifier.verify(b"another", &signature).is_err());
    let (public, signature) = signed("rsa");
    let verifier = ::rsa::pkcs1v15::VerifyingKey::<::rsa::sha2::Sha256>::new(
        ::rsa::RsaPublicKey::from_public_key_der(&public).unwrap(),
    );
    let signature = ::rsa::pkcs1v15::Signature::try_from(&signature[..]).unwrap();
    assert!(verifier.verify(b"a reply", &signature).is_ok() && verifier.verify(b"another", &signature).is_err());
}

#[test]
fn a_passphrase_is_the_line_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for (text, meant) in [("kagi", "kagi"), ("kagi\n", "kagi"), ("ka gi \r\n", "ka gi "), ("kagi\n\n", "kagi\n")] {
        fs::write(folder.path().join("word"), text).unwrap();
        assert_eq!(*super::passphrase(&private(folder.path(), "word")).unwrap(), meant);
    }
    fs::write(folder.path().join("word"), "\n").unwrap();
    assert!(matches!(super::passphrase(&private(folder.path(), "word")), Err(KeyError::Form { .. })));
    fs::set_permissions(folder.path().join("word"), Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(super::passphrase(&folder.path().join("word")), Err(KeyError::Exposed { mode: 0o640, .. })));
}

#[test]
fn a_copy_is_whole_private_and_never_over_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for name in ["a", "b"] {
        openssl(dir, &format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}"));
        private(dir, name);
    }
    let (a, b, to) = (dir.join("a"), dir.join("b"), dir.join("to.key"));
    fs::write(dir.join("to.draft"), "half a key").unwrap();
    may_copy(&a, &to).unwrap();
    assert!(!to.exists(), "looking copies nothing");
    for _ in 0..2 {
        copy(&a, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), fs::read(&a).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!dir.join("to.draft").exists());
    }
    for refused in [may_copy(&b, &to), copy(&b, &to)] {
        assert!(matches!(refused, Err(KeyError::Exists(path)) if path == to));
    }
    assert_eq!(fs::read(&to).unwrap(), fs::read(&a).unwrap());
    // A link that leads nowhere is something, too.
    std::os::unix::fs::symlink(dir.join("nowhere"), dir.join("link")).unwrap();
    assert!(copy(&a, &dir.join("link")).is_err());
}
