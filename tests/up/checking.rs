//! `tashika check` as a verifier of the demonstration: the program asks its own responder over the network.

use crate::program::{Program, run};

#[test]
fn a_verifier_is_told_what_the_ledger_says() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "0"]);
    up.ready();
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        let at = |name: &str| demo.join(format!("demo/{issuer}/{name}.pem")).display().to_string();
        for (leaf, code, status) in
            [("good", 0, "good"), ("revoked", 1, "revoked"), ("held", 1, "held"), ("unissued", 8, "unknown")]
        {
            let (found, told, errors) = run(&["check", &at(leaf), "--trust", &at("issuer"), "--no-crl", "--json"]);
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            let said = &told["certificates"][0]["said"][0];
            assert_eq!((found, said["status"].as_str()), (code, Some(status)), "{issuer}/{leaf}: {told:#} {errors}");
            assert!(said["because"].as_str().unwrap().ends_with("made for this question"), "{said}");
        }
        let (code, told, _) = run(&["check", &at("expired"), "--trust", &at("issuer"), "--no-crl"]);
        assert!(code == 8 && told.contains("expired on"), "{told}");
    }
    assert!(up.end("TERM").success());
}
