//! The certificates that `up` makes lead to their responder: clients that are told no address follow them.

use std::path::Path;

use crate::bank::Login;
use crate::house::serial;
use crate::jdk::java;
use crate::program::{Program, run};
use crate::{nginx, tool};

#[test]
fn clients_follow_the_address_in_the_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let mut up = Program::up(dir.path(), &["--certificates", "0"]);
    up.ready();
    let file = |name: &str| dir.path().join("demo").join(name).to_str().unwrap().to_owned();
    let config = dir.path().join("tashika.toml").to_str().unwrap().to_owned();
    let (mut input, mut wanted) = (String::new(), Vec::new());
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        let serial = serial(&file(&format!("{issuer}/revoked.pem")));
        let show = ["cert", "show", "--json", "--config", &config, "--issuer", issuer, "--serial", &serial];
        let shown: serde_json::Value = serde_json::from_str(&run(&show).1).unwrap();
        let reason = format!("REVOKED {}", in_java(shown["revocation"]["reason"].as_str().unwrap()));
        for (leaf, status, jdk) in [
            ("good", "good", "GOOD"),
            ("revoked", "revoked", reason.as_str()),
            ("held", "revoked", "REVOKED CERTIFICATE_HOLD"),
            ("unissued", "unknown", "REFUSED UNDETERMINED_REVOCATION_STATUS"),
            ("expired", "good", "REFUSED EXPIRED"),
        ] {
            let (ca, path) = (file(&format!("{issuer}/issuer.pem")), file(&format!("{issuer}/{leaf}.pem")));
            input += &format!("{}\t{ca}\t{path}\t\n", file("root.pem"));
            wanted.push((format!("{issuer}/{leaf}"), jdk.to_owned()));
            let ask = ["--ask", "--nonce", "--load-cert", &path, "--load-issuer", &ca, "--load-trust", &ca];
            let text = tool::call(Path::new("ocsptool"), &ask, b"").text();
            assert!(text.contains("Verifying OCSP Response: Success."), "{path}: {text}");
            assert!(text.contains(&format!("Certificate Status: {status}\n")), "{path}: {text}");
        }
    }
    let said = java(&[], "java/Jdk.java", &input);
    assert_eq!(said.len(), wanted.len());
    for ((leaf, wanted), said) in wanted.iter().zip(&said) {
        assert!(said.starts_with(wanted.as_str()), "{leaf}: {said}");
    }
    let known = ["card-sign/issuer.pem", "card-auth/issuer.pem", "phone-auth/issuer.pem", "root.pem"].map(&file);
    let bank = nginx::bank(&known, "");
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        for leaf in ["good", "revoked", "held", "unissued", "expired"] {
            let expected = if leaf == "good" { Login::Admitted } else { Login::Refused };
            assert_eq!(
                bank.login(&file(&format!("{issuer}/{leaf}.pem"))),
                expected,
                "{issuer}/{leaf}: {}",
                bank.told()
            );
        }
    }
}

/// `keyCompromise` as Java has it: `KEY_COMPROMISE`.
fn in_java(reason: &str) -> String {
    let word =
        |letter: char| if letter.is_uppercase() { format!("_{letter}") } else { letter.to_uppercase().collect() };
    reason.chars().map(word).collect()
}
