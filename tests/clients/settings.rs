//! Replies under other settings, and after a restart that changes them: kept ones from before are never dressed anew.

use std::fs;
use std::path::Path;

use crate::house::{self, CAS, Leaf, Said, data};
use crate::jdk::java;
use crate::openssl::{answers, ask};
use crate::program::Program;
use crate::tool;

/// One after the other on one installation; all that was asked before is kept, and found again where it still holds.
const SETTINGS: [&str; 5] = [
    "",
    "responder_id = 'name'",
    "precompute_certid = 'sha256'",
    "responder_id = 'name'\nnot_issued = 'revoked'\nprofile = 'web'\npresign = 'all'",
    "not_issued = 'unauthorized'\nprecompute_certid = 'both'",
];

#[test]
fn clients_take_what_each_setting_makes_of_kept_replies() {
    let dir = tempfile::tempdir().unwrap();
    house::furnish(dir.path());
    let config = dir.path().join("tashika.toml");
    let first = fs::read_to_string(&config).unwrap();
    for settings in SETTINGS {
        fs::write(&config, format!("{first}\n[ocsp]\n{settings}\n")).unwrap();
        let mut serve = Program::serve(&config, &[]);
        let url = format!("http://{}/ocsp", serve.ready().public);
        for ca in CAS {
            for leaf in Leaf::ALL {
                of_openssl(ca, leaf, &url, settings);
            }
        }
        of_gnutls(&url, settings);
        of_java(&url, settings);
        assert!(serve.end("TERM").success());
    }
}

#[test]
fn what_happened_while_nobody_served_outvotes_what_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    house::furnish(dir.path());
    let (ca, path) = house::of_nginx();
    let said = || {
        let mut serve = Program::serve(&dir.path().join("tashika.toml"), &[]);
        let url = format!("http://{}/ocsp", serve.ready().public);
        // Asked twice: once it is signed, once it is what was kept.
        let all = [&["-no_nonce"][..], &["-no_nonce"], &["-no_nonce", "-sha256"], &["-nonce"]].map(|more| {
            let call = ask(ca, &[&path], &url, more);
            assert!(call.stderr.contains("Response verify OK"), "{more:?}: {}", call.text());
            answers(&call, std::slice::from_ref(&path))[0][0].clone()
        });
        assert!(serve.end("TERM").success());
        all
    };
    let change = |verb: &str, more: &[&str]| {
        let serial = house::serial(&path);
        let of = ["cert", verb, "--issuer", ca, "--serial", &serial];
        house::command(dir.path(), &[&of[..], more].concat())
    };
    assert_eq!(said(), ["good"; 4]);
    change("hold", &["--as", "window/a"]);
    assert_eq!(said(), ["revoked"; 4]);
    let shown = change("show", &[]);
    let hold = shown["holds"][0]["id"].as_str().unwrap();
    change("release", &["--as", "window/a", "--hold", hold]);
    assert_eq!(said(), ["good"; 4]);
    let by = format!("ca:{ca}/hsm");
    change("revoke", &["--as", &by]);
    assert_eq!(said(), ["revoked"; 4]);
}

/// What is said of a certificate, by the first word that openssl prints.
fn expected(leaf: Leaf, settings: &str) -> &'static str {
    match leaf.said() {
        Said::Good => "good",
        Said::Held | Said::Revoked(_) => "revoked",
        Said::Unknown if settings.contains("'revoked'") => "revoked",
        Said::Unknown if settings.contains("'unauthorized'") => "unauthorized",
        Said::Unknown => "unknown",
    }
}

fn of_openssl(ca: &str, leaf: Leaf, url: &str, settings: &str) {
    let path = leaf.path(ca);
    for more in [&["-no_nonce"][..], &["-nonce"], &["-sha256", "-no_nonce"], &["-no_nonce"]] {
        let call = ask(ca, &[&path], url, more);
        let told = format!("{settings}: {ca} {leaf:?} {more:?}: {}", call.text());
        match expected(leaf, settings) {
            "unauthorized" => assert!(call.text().contains("Responder Error: unauthorized (6)"), "{told}"),
            status => {
                assert!(call.stderr.contains("Response verify OK"), "{told}");
                assert_eq!(answers(&call, std::slice::from_ref(&path))[0][0], status, "{told}");
            }
        }
    }
}

fn of_gnutls(url: &str, settings: &str) {
    let (ask, ca) = (format!("--ask={url}"), CAS[0]);
    let (leaf, issuer) = (Leaf::Revoked.path(ca), house::issuer(ca));
    let known = [&ask, "--load-cert", &leaf, "--load-issuer", &issuer, "--load-trust", &issuer];
    let text = tool::call(Path::new("ocsptool"), &known, b"").text();
    assert!(text.contains("Verifying OCSP Response: Success."), "{settings}: {text}");
    let named = if settings.contains("'name'") { "Responder ID: CN=OCSP signer" } else { "Responder Key ID: " };
    assert!(text.contains(named), "{settings}: {text}");
}

fn of_java(url: &str, settings: &str) {
    let root = data("root.pem");
    let asked = CAS.iter().flat_map(|ca| Leaf::ALL.map(|leaf| (house::issuer(ca), leaf.path(ca))));
    let input: String = asked.map(|(issuer, leaf)| format!("{root}\t{issuer}\t{leaf}\t{url}\n")).collect();
    let said = java(&[], "java/Jdk.java", &input);
    let leaves = CAS.iter().flat_map(|_| Leaf::ALL);
    for (leaf, said) in leaves.zip(&said) {
        let begins = match (leaf, expected(leaf, settings)) {
            (Leaf::Expired, _) => "REFUSED EXPIRED",
            (Leaf::Unissued, "revoked") => "REVOKED CERTIFICATE_HOLD 0",
            (_, "good") => "GOOD",
            (_, "revoked") => "REVOKED ",
            (_, _) => "REFUSED UN",
        };
        assert!(said.starts_with(begins), "{settings}: {leaf:?}: {said}");
    }
    assert_eq!(said.len(), CAS.len() * Leaf::ALL.len(), "{settings}");
}
