//! What is taken from the folder, what isn't, and that putting papers into it can be broken off anywhere.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(name)
}

fn issuer(name: &str, ca: &str) -> Issuer {
    let certificate = first_certificate(&testdata(&format!("{ca}/issuer.pem"))).unwrap();
    let hashes = CertificateFields::from_der(&certificate).unwrap().issuer_hashes();
    Issuer {
        no: IssuerNo(1),
        name: name.to_owned(),
        certificate,
        name_sha1: hashes.name_sha1,
        key_sha1: hashes.key_sha1,
        name_sha256: hashes.name_sha256,
        key_sha256: hashes.key_sha256,
    }
}

fn now() -> Time {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

/// The test data's keys are public, and so are their files.
fn key(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name.replace('/', "-"));
    fs::copy(testdata(name), &path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

fn papers(dir: &Path, ca: &str, certificate: &str) -> Papers {
    Papers {
        ocsp: Some(OcspPapers {
            certificate: testdata(&format!("{ca}/{certificate}")),
            key: key(dir, &format!("{ca}/ocsp.key")),
        }),
        crl_key: Some(key(dir, &format!("{ca}/issuer.key"))),
    }
}

#[test]
fn what_is_installed_signs_and_each_step_may_be_the_last_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("signers");
    let folder = SignerFolder { folder: &place, passphrase_file: None };
    let issuer = issuer("card", "card-sign-g2-p256");
    let papers = papers(dir.path(), "card-sign-g2-p256", "ocsp-good.pem");
    assert!(matches!(folder.signer(&issuer, now()), Err(NoSigner::Missing(_))));
    assert!(folder.crl_key(&issuer).unwrap().is_none());
    let until = folder.check(&papers, &issuer, now()).unwrap().install().unwrap().unwrap();
    let files = [KEY, CERTIFICATE, CRL_KEY].map(|name| place.join("card").join(name));
    let whole = files.each_ref().map(|file| fs::read(file).unwrap());
    for at in 0..3 {
        // As a crash leaves it: some of the files are there, and half of the next one under another name.
        files[at..].iter().for_each(|file| fs::remove_file(file).unwrap());
        let draft = if at == 1 { "pem.draft" } else { "draft" };
        fs::write(files[at].with_extension(draft), "half").unwrap();
        folder.check(&papers, &issuer, now()).unwrap().install().unwrap();
        assert_eq!(files.each_ref().map(|file| fs::read(file).unwrap()), whole);
    }
    assert_eq!(folder.signer(&issuer, now()).unwrap().not_after(), until);
    assert!(folder.crl_key(&issuer).unwrap().is_some());
    let modes = files.each_ref().map(|file| fs::metadata(file).unwrap().permissions().mode() & 0o777);
    assert_eq!((modes[0], modes[2]), (0o600, 0o600));
}

#[test]
fn one_issuer_without_a_signer_is_no_harm_to_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("signers");
    let folder = SignerFolder { folder: &place, passphrase_file: None };
    let (good, bad) = (issuer("good", "card-sign-g2-p256"), issuer("bad", "phone-auth-p256"));
    let papers = papers(dir.path(), "card-sign-g2-p256", "ocsp-good.pem");
    folder.check(&papers, &good, now()).unwrap().install().unwrap();
    // Somebody copied the first one's papers to the second one.
    fs::create_dir(place.join("bad")).unwrap();
    for name in [CERTIFICATE, KEY] {
        fs::copy(place.join("good").join(name), place.join("bad").join(name)).unwrap();
    }
    let book = Book { issuers: vec![bad, good, issuer("none", "card-auth-p384")], ..Book::default() };
    let all = folder.all(&book, now());
    assert_eq!(all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["bad", "good", "none"]);
    assert!(matches!(all[0].signer, Err(NoSigner::Unfit { source: Unfit::OtherIssuer, .. })));
    assert!(all[1].signer.is_ok());
    assert!(matches!(&all[2].signer, Err(NoSigner::Missing(at)) if at.ends_with("signers/none")));
    let later = folder.all(&book, "2099-01-01T00:00:00Z".parse().unwrap());
    assert!(matches!(later[1].signer, Err(NoSigner::Unfit { source: Unfit::NotValid { .. }, .. })));
    fs::remove_file(place.join("good").join(KEY)).unwrap();
    assert!(matches!(folder.signer(&book.issuers[1], now()), Err(NoSigner::Key(KeyError::Io { .. }))));
}

#[test]
fn papers_that_are_not_in_order_are_refused_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("signers");
    let folder = SignerFolder { folder: &place, passphrase_file: None };
    let ca = "card-sign-g2-p256";
    let issuer = issuer("card", ca);
    let refused = |papers: &Papers| folder.check(papers, &issuer, now()).unwrap_err();
    for name in ["ocsp-expired.pem", "ocsp-of-wrong-ca.pem", "ocsp-without-eku.pem", "ocsp-without-nocheck.pem"] {
        assert!(matches!(refused(&papers(dir.path(), ca, name)), NoSigner::Unfit { .. }), "{name}");
    }
    let good = papers(dir.path(), ca, "ocsp-good.pem");
    let others = Papers { crl_key: Some(key(dir.path(), "phone-auth-p256/issuer.key")), ..good.clone() };
    assert!(matches!(refused(&others), NoSigner::NotTheCas(_)));
    assert!(!place.exists());
    // What lies there already stays.
    folder.check(&good, &issuer, now()).unwrap().install().unwrap();
    let replace = |name: &str, with: &str| fs::write(place.join("card").join(name), fs::read(testdata(with)).unwrap());
    replace(KEY, "card-sign-g2-p256/leaf.key").unwrap();
    assert!(matches!(refused(&good), NoSigner::Key(KeyError::Exists(_))));
    replace(KEY, "card-sign-g2-p256/ocsp.key").unwrap();
    replace(CERTIFICATE, "card-sign-g2-p256/ocsp-expired.pem").unwrap();
    assert!(matches!(refused(&good), NoSigner::OtherCertificate(_)));
    for name in ["..", ".", "a/b", "/etc", "a/", ""] {
        let stranger = Issuer { name: name.to_owned(), ..issuer.clone() };
        assert!(matches!(folder.signer(&stranger, now()), Err(NoSigner::Name(_))), "{name}");
    }
}

#[test]
fn an_encrypted_key_is_opened_by_the_passphrase_in_its_file_and_stays_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("signers");
    let ca = "card-sign-g2-p256";
    let issuer = issuer("card", ca);
    let mut papers = Papers { crl_key: None, ..papers(dir.path(), ca, "ocsp-good.pem") };
    let plain = papers.ocsp.as_ref().unwrap().key.clone();
    let (locked, word) = (dir.path().join("locked.key"), dir.path().join("word"));
    let output = Command::new("openssl")
        .args(["pkcs8", "-topk8", "-passout", "pass:kagi", "-in"])
        .args([&plain, Path::new("-out"), &locked])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(&word, "kagi\n").unwrap();
    for file in [&locked, &word] {
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }
    papers.ocsp.as_mut().unwrap().key = locked.clone();
    let without = SignerFolder { folder: &place, passphrase_file: None };
    assert!(matches!(without.check(&papers, &issuer, now()), Err(NoSigner::Key(KeyError::Locked(_)))));
    let with = SignerFolder { passphrase_file: Some(&word), ..without };
    with.check(&papers, &issuer, now()).unwrap().install().unwrap();
    assert_eq!(fs::read(place.join("card").join(KEY)).unwrap(), fs::read(&locked).unwrap());
    assert!(with.signer(&issuer, now()).is_ok());
    assert!(matches!(without.signer(&issuer, now()), Err(NoSigner::Key(KeyError::Locked(_)))));
    fs::write(&word, "kagu").unwrap();
    assert!(matches!(with.signer(&issuer, now()), Err(NoSigner::Key(KeyError::WrongPassphrase(_)))));
    fs::remove_file(&word).unwrap();
    assert!(matches!(with.signer(&issuer, now()), Err(NoSigner::Key(KeyError::Io { path, .. })) if path == word));
}
