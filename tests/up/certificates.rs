//! The demonstration's certificates before an independent judge: openssl.

use std::path::Path;
use std::process::Command;

use crate::program::Program;

#[test]
fn openssl_verifies_each_and_finds_the_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "0"]);
    let url = format!("http://{}", up.ready().public);
    up.end("TERM");
    let root = demo.join("demo/root.pem");
    let (ok, text) = verify(&root, None, &root);
    assert!(ok, "{text}");
    let combined = demo.join("demo/combined/issuer.pem");
    let (ok, text) = verify(&root, None, &combined);
    assert!(ok, "{text}");
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        let ca = demo.join(format!("demo/{issuer}/issuer.pem"));
        let signer = demo.join(format!("signers/{issuer}/ocsp.pem"));
        let (ok, text) = verify(&root, Some(&ca), &signer);
        assert!(ok, "{text}");
        let text = shown(&signer);
        assert!(text.contains("OCSP Signing") && text.contains("OCSP No Check"), "{text}");
        assert_eq!(
            public_key(&["pkey", "-pubout", "-in"], &signer.with_extension("key")),
            public_key(&["x509", "-pubkey", "-noout", "-in"], &signer)
        );
        for leaf in ["good", "revoked", "held", "unissued", "expired"] {
            let certificate = demo.join(format!("demo/{issuer}/{leaf}.pem"));
            let (ok, text) = verify(&root, Some(&ca), &certificate);
            assert_eq!(ok, leaf != "expired", "{issuer}/{leaf}: {text}");
            assert!(ok || text.contains("certificate has expired"), "{text}");
            let text = shown(&certificate);
            let own = match issuer {
                "phone-auth" => format!("URI:{url}/crl/phone-auth-0.crl"),
                _ => "DirName:".to_owned(),
            };
            for part in [
                format!("OCSP - URI:{url}/ocsp"),
                format!("CA Issuers - URI:{url}/ca/{issuer}.cer"),
                format!("URI:{url}/crl/combined.crl"),
                "CRL Issuer:".to_owned(),
                own,
            ] {
                assert!(text.contains(&part), "{issuer}/{leaf} lacks '{part}': {text}");
            }
            let key = demo.join(format!("demo/{issuer}/{leaf}.key"));
            assert_eq!(
                public_key(&["pkey", "-pubout", "-in"], &key),
                public_key(&["x509", "-pubkey", "-noout", "-in"], &certificate)
            );
        }
    }
}

#[test]
fn no_two_certificates_share_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "0"]);
    up.ready();
    up.end("TERM");
    let mut keys = Vec::new();
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        for file in ["issuer", "good", "revoked", "held", "unissued", "expired"] {
            keys.push(std::fs::read(demo.join(format!("demo/{issuer}/{file}.key"))).unwrap());
        }
        keys.push(std::fs::read(demo.join(format!("signers/{issuer}/ocsp.key"))).unwrap());
    }
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

fn verify(root: &Path, issuer: Option<&Path>, certificate: &Path) -> (bool, String) {
    let mut arguments = vec!["verify", "-x509_strict", "-CAfile", root.to_str().unwrap()];
    if let Some(issuer) = issuer {
        arguments.extend(["-untrusted", issuer.to_str().unwrap()]);
    }
    arguments.push(certificate.to_str().unwrap());
    openssl(&arguments)
}

fn shown(certificate: &Path) -> String {
    let (ok, text) = openssl(&["x509", "-noout", "-text", "-in", certificate.to_str().unwrap()]);
    assert!(ok, "{text}");
    text
}

fn public_key(arguments: &[&str], path: &Path) -> String {
    let (ok, text) = openssl(&[arguments, &[path.to_str().unwrap()]].concat());
    assert!(ok && text.contains("BEGIN PUBLIC KEY"), "{text}");
    text
}

fn openssl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").env("OPENSSL_CONF", "/dev/null").args(arguments).output();
    let output = output.expect("the openssl command line is missing: `cargo xtask setup` installs it");
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}
