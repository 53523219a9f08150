//! Detached signatures against openssl: it takes ours, we take its own and refuse what we don't read, and neither takes one
//! in which an octet was changed.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tashika::asn1::{
    CertificateFields, CmsError, CmsProfile, CmsSigned, certificates_in, pem_blocks, verifies, verify_detached,
};
use tashika::keys::{Signer, software};
use tashika::model::Time;

/// One CA for each kind of key.
const CAS: [&str; 3] = ["phone-auth-p256", "card-auth-p384", "phone-sign-rsa2048"];

const CONTENT: &[u8] = b"{\"version\":1,\"number\":\"7\"}\r\n";

fn data(name: &str) -> String {
    format!("{}/certs-testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn certificate(ca: &str, name: &str) -> Vec<u8> {
    certificates_in(&fs::read(data(&format!("{ca}/{name}.pem"))).unwrap()).unwrap().remove(0)
}

fn time() -> Time {
    "2026-11-20T12:34:56+09:00".parse().unwrap()
}

/// The signer's key. Read by hand: files in a checkout may be read by everybody, which a key in use may not.
fn key(ca: &str) -> Box<dyn Signer> {
    let pem = fs::read_to_string(data(&format!("{ca}/leaf.key"))).unwrap();
    software::of_der(&pem_blocks(&pem).unwrap()[0].der).unwrap()
}

/// The content, signed with a key of that CA.
fn signed(ca: &str) -> Vec<u8> {
    let key = key(ca);
    let certificate = certificate(ca, "leaf-good");
    let profile = CmsProfile { content: CONTENT, certificate: &certificate, signing_time: time() };
    let unsigned = profile.unsigned().unwrap();
    unsigned.assemble(&key.sign(unsigned.to_be_signed()).unwrap())
}

/// Whether it is taken from this CA's signer: the signature fits, and so does the certificate.
fn is_taken(ca: &str, cms: &[u8], content: &[u8]) -> bool {
    let issuer = CertificateFields::from_der(&certificate(ca, "issuer")).unwrap();
    verify_detached(cms, content).is_ok_and(|signed| {
        let (signer, algorithm) = (&signed.signer, signed.signer.signature_algorithm);
        let of_ca = |algorithm| verifies(&issuer.public_key, algorithm, signer.tbs_der(), &signer.signature);
        signer.issuer == issuer.subject && algorithm.is_some_and(of_ca)
    })
}

/// Calls `openssl cms` in a folder in which the content and the signature lie; what it printed, if it went well.
fn openssl(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("openssl");
    command.env_remove("OPENSSL_CONF").env("LC_ALL", "C").stdin(Stdio::null()).current_dir(folder);
    let output = command.arg("cms").args(arguments).output().expect("`cargo xtask setup` installs openssl");
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn openssl_takes(ca: &str, cms: &[u8], content: &[u8]) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("content"), content).unwrap();
    fs::write(folder.path().join("cms"), cms).unwrap();
    let anchors = [data("root.pem"), data(&format!("{ca}/issuer.pem"))].map(|file| fs::read(file).unwrap());
    fs::write(folder.path().join("anchors"), anchors.concat()).unwrap();
    let common = ["-verify", "-binary", "-inform", "DER", "-in", "cms", "-content", "content", "-purpose", "any"];
    let at = time().unix().to_string();
    openssl(folder.path(), &[&common[..], &["-CAfile", "anchors", "-attime", &at]].concat())
}

fn openssl_signs(ca: &str, more: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("content"), CONTENT).unwrap();
    let (signer, key) = (data(&format!("{ca}/leaf-good.pem")), data(&format!("{ca}/leaf.key")));
    let common = ["-sign", "-binary", "-outform", "DER", "-in", "content", "-signer", &signer, "-inkey", &key];
    openssl(folder.path(), &[&common[..], more].concat()).unwrap()
}

fn hash(ca: &str) -> [&'static str; 2] {
    ["-md", if ca.ends_with("p384") { "sha384" } else { "sha256" }]
}

#[test]
fn openssl_takes_ours_and_shows_the_same() {
    for ca in CAS {
        let cms = signed(ca);
        assert_eq!(openssl_takes(ca, &cms, CONTENT).unwrap(), CONTENT, "{ca}");
        openssl_takes(ca, &cms, b"other").unwrap_err();
        let CmsSigned { signer, certificate: of_signer, signing_time } = verify_detached(&cms, CONTENT).unwrap();
        assert_eq!((of_signer, signing_time), (certificate(ca, "leaf-good"), time()));
        assert_eq!(signer, CertificateFields::from_der(&certificate(ca, "leaf-good")).unwrap());
        assert!(is_taken(ca, &cms, CONTENT));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cms"), &cms).unwrap();
        let shown = openssl(folder.path(), &["-cmsout", "-print", "-noout", "-inform", "DER", "-in", "cms"]).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("UTCTIME:Nov 20 03:34:56 2026 GMT"), "{shown}");
    }
}

#[test]
fn we_take_what_openssl_signs() {
    for ca in CAS {
        let [md, hash] = hash(ca);
        for more in [&[][..], &["-nosmimecap"]] {
            let cms = openssl_signs(ca, &[&[md, hash], more].concat());
            assert!(is_taken(ca, &cms, CONTENT), "{ca}: {:?}", verify_detached(&cms, CONTENT).err());
            assert_eq!(verify_detached(&cms, b"other").unwrap_err(), CmsError::OtherContent);
        }
    }
}

#[test]
fn what_we_do_not_read_is_refused() {
    let ca = CAS[0];
    let (other, other_key) = (data("phone-sign-rsa2048/leaf-good.pem"), data("phone-sign-rsa2048/leaf.key"));
    let issuer = data(&format!("{ca}/issuer.pem"));
    for (more, why) in [
        (&["-nodetach"][..], "brings its own content"),
        (&["-nocerts"], "not exactly one certificate"),
        (&["-certfile", &issuer], "not exactly one certificate"),
        (&["-noattr"], "no signed attributes"),
        (&["-keyid"], "another version"),
        (&["-md", "sha384"], "other algorithms"),
        (&["-md", "sha1"], "other algorithms"),
        (&["-signer", &other, "-inkey", &other_key, "-nocerts", "-certfile", &other], "not exactly one signer"),
    ] {
        let cms = openssl_signs(ca, &[&["-md", "sha256"], more].concat());
        let error = verify_detached(&cms, CONTENT).unwrap_err();
        assert!(error.to_string().contains(why), "{more:?}: {error}");
    }
    assert!(matches!(verify_detached(b"", CONTENT), Err(CmsError::Form(_))));
    let envelope = openssl_signs(ca, &["-md", "sha256", "-outform", "PEM"]);
    assert!(matches!(verify_detached(&envelope, CONTENT), Err(CmsError::Form(_))));
}

#[test]
fn a_changed_octet_is_refused_wherever_it_stands() {
    for ca in CAS {
        for cms in [signed(ca), openssl_signs(ca, &hash(ca))] {
            for at in 0..cms.len() {
                for mask in [0x01, 0x20, 0x80, 0xff] {
                    let mut changed = cms.clone();
                    changed[at] ^= mask;
                    assert!(!is_taken(ca, &changed, CONTENT), "{ca}: octet {at} of {}, {mask:02x}", cms.len());
                }
            }
            for at in 0..CONTENT.len() {
                let mut content = CONTENT.to_vec();
                content[at] ^= 1;
                assert_eq!(verify_detached(&cms, &content).unwrap_err(), CmsError::OtherContent);
            }
            assert!(!is_taken(ca, &[&cms[..], &[0]].concat(), CONTENT), "something behind it");
            assert!((0..cms.len()).all(|length| !is_taken(ca, &cms[..length], CONTENT)), "cut off");
        }
    }
}

#[test]
fn a_signature_by_another_key_is_not_the_signers() {
    let of = |ca: &str| {
        let certificate = certificate(ca, "leaf-good");
        CmsProfile { content: CONTENT, certificate: &certificate, signing_time: time() }.unsigned().unwrap()
    };
    let key = key("card-sign-g2-p256");
    let unsigned = of("phone-auth-p256");
    let cms = unsigned.assemble(&key.sign(unsigned.to_be_signed()).unwrap());
    assert_eq!(verify_detached(&cms, CONTENT).unwrap_err(), CmsError::NotTheSigners);
}
