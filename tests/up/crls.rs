//! The CRLs that `up` publishes, as verifiers meet them: fetched from where the certificates say, judged by openssl, and changed
//! by what happens in the ledger.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::admin::{Served, openssl};
use crate::files::fetch;
use crate::program::{run, until};

/// What was fetched, and where it was put for openssl.
struct Verifier<'s> {
    served: &'s Served,
    folder: tempfile::TempDir,
}

impl<'s> Verifier<'s> {
    fn of(served: &'s Served) -> Self {
        until("everything is published", || fetch(&served.at.public, "/crl/index.json").0.contains(" 200 ok"));
        Self { served, folder: tempfile::tempdir().unwrap() }
    }

    fn index(&self) -> Value {
        serde_json::from_slice(&fetch(&self.served.at.public, "/crl/index.json").1).unwrap()
    }

    /// The path at which a leaf's own CRL is: all leaves lie in their issuer's first scope.
    fn path(issuer: &str) -> &'static str {
        match issuer {
            "card-sign" => "card-sign-91101",
            "card-auth" => "card-auth-91101",
            _ => "phone-auth-0",
        }
    }

    /// A CRL in PEM, in a file.
    fn pem(&self, name: &str) -> PathBuf {
        let (head, der) = fetch(&self.served.at.public, &format!("/crl/{name}"));
        assert!(head.contains(" 200 ok") && head.contains("content-type: application/pkix-crl"), "{name}: {head}");
        let (from, to) = (self.folder.path().join("fetched.der"), self.folder.path().join("fetched.pem"));
        fs::write(&from, der).unwrap();
        let (from, file) = (from.to_str().unwrap(), to.to_str().unwrap());
        let (ok, text) = openssl(&["crl", "-inform", "DER", "-in", from, "-out", file]);
        assert!(ok, "{name}: {text}");
        to
    }

    /// What openssl makes of a leaf with these CRLs: whether it takes it, and why not.
    fn verify(&self, leaf: &str, crls: &[&str], how: &[&str]) -> (bool, String) {
        let all: String = crls.iter().map(|name| fs::read_to_string(self.pem(name)).unwrap()).collect();
        let list = self.folder.path().join("crls.pem");
        fs::write(&list, all).unwrap();
        let demo = |name: &str| self.served.demo.join(format!("demo/{name}.pem")).display().to_string();
        let issuer = leaf.split('/').next().unwrap();
        let (root, ca, combined, leaf) =
            (demo("root"), demo(&format!("{issuer}/issuer")), demo("combined/issuer"), demo(leaf));
        let mut arguments = vec!["verify", "-CAfile", &root, "-untrusted", &ca, "-untrusted", &combined];
        arguments.extend(["-CRLfile", list.to_str().unwrap()]);
        arguments.extend(how);
        arguments.push(&leaf);
        openssl(&arguments)
    }

    /// Has one path published at once, and waits until it is served.
    fn publish(&self, path: &str) -> Value {
        let answer = self.served.ask("POST", "/v1/crls", &json!({ "path": path }).to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&told["crls"], &told["refused"]), (&json!(1), &json!([])), "{told}");
        assert_eq!(self.index()["number"], told["number"], "what is answered is served");
        told
    }
}

#[test]
fn every_list_admits_the_good_and_refuses_the_revoked_and_the_held() {
    let served = Served::new();
    let verifier = Verifier::of(&served);
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        let own = format!("{}.crl", Verifier::path(issuer));
        let complete = format!("{issuer}.crl");
        for (leaf, is_good) in [("good", true), ("revoked", false), ("held", false)] {
            let leaf = format!("{issuer}/{leaf}");
            for (crls, how) in [
                (vec![own.as_str()], vec!["-crl_check"]),
                (vec![complete.as_str()], vec!["-crl_check"]),
                (vec![own.as_str(), "root.crl"], vec!["-crl_check_all"]),
                (vec!["combined.crl"], vec!["-crl_check", "-extended_crl"]),
            ] {
                let (ok, text) = verifier.verify(&leaf, &crls, &how);
                assert_eq!(ok, is_good, "{leaf} by {crls:?}: {text}");
                assert!(is_good || text.contains("certificate revoked"), "{leaf} by {crls:?}: {text}");
            }
        }
        let other = if issuer == "phone-auth" { "phone-auth-1.crl" } else { &format!("{issuer}-91102.crl") };
        let (ok, text) = verifier.verify(&format!("{issuer}/good"), &[other], &["-crl_check"]);
        assert!(
            !ok && text.to_lowercase().contains("different crl scope"),
            "another scope's list says nothing: {text}"
        );
    }
}

#[test]
fn what_happens_is_on_the_delta_that_is_asked_for() {
    let served = Served::new();
    let verifier = Verifier::of(&served);
    let path = Verifier::path("phone-auth");
    let (base, delta) = (format!("{path}.crl"), format!("{path}.delta.crl"));
    let verify =
        || verifier.verify("phone-auth/good", &[&base, &delta], &["-crl_check", "-use_deltas", "-extended_crl"]);
    assert!(verify().0, "{}", verify().1);

    let held = served.change("phone-auth/good", "hold", &json!({}));
    let held: Value = serde_json::from_str(&held.body).unwrap();
    verifier.publish(path);
    let (ok, text) = verify();
    assert!(!ok && text.contains("certificate revoked"), "{text}");
    assert!(verifier.verify("phone-auth/good", &[&base], &["-crl_check"]).0, "the full one is of before");

    let released = served.change("phone-auth/good", "release", &json!({ "holds": [held["first"]] }));
    assert_eq!(released.status, 200, "{released:?}");
    verifier.publish(path);
    assert!(verify().0, "{}", verify().1);
    let (_, text) = openssl(&["crl", "-noout", "-text", "-in", verifier.pem(&delta).to_str().unwrap()]);
    assert!(text.contains("Remove From CRL"), "{text}");

    // By hand beside the server, and at once by the server again: each goes on from the other.
    let config = served.demo.join("tashika.toml").display().to_string();
    for _ in 0..3 {
        let (code, told, errors) = run(&["crl", "publish", "--scope", path, "--config", &config]);
        assert_eq!(code, 0, "{told}{errors}");
        verifier.publish(path);
    }

    let nowhere = served.ask("POST", "/v1/crls", &json!({ "path": "nowhere" }).to_string());
    assert_eq!(nowhere.status, 404, "{nowhere:?}");
    let forbidden = served.ask("POST", "/v1/crls", &json!({ "path": path, "as": "window/sato" }).to_string());
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
}

#[test]
fn the_index_is_signed_and_the_whole_can_be_proved_and_pulled() {
    let served = Served::new();
    let verifier = Verifier::of(&served);
    let at = |name: &str| verifier.folder.path().join(name).display().to_string();
    for name in ["index.json", "index.json.p7s"] {
        fs::write(at(name), fetch(&served.at.public, &format!("/crl/{name}")).1).unwrap();
    }
    let root = served.demo.join("demo/root.pem").display().to_string();
    let arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", &root];
    let signed = |content: &str| {
        openssl(&[&arguments[..], &["-in", &at("index.json.p7s"), "-content", content, "-out", "/dev/null"]].concat())
    };
    let (ok, text) = signed(&at("index.json"));
    assert!(ok, "{text}");
    assert!(!signed(Path::new(&root).to_str().unwrap()).0, "other octets");

    let config = served.demo.join("tashika.toml").display().to_string();
    let (code, told, errors) = run(&["crl", "verify", "--config", &config]);
    assert_eq!(code, 0, "{told}{errors}");
    let url = format!("http://{}", served.at.public);
    let pull = || run(&["crl", "pull", "--url", &url, "--to", &at("pulled"), "--trust", &root]);
    let (code, told, errors) = pull();
    assert_eq!((code, errors.as_str()), (0, ""), "everything is verified up to the root: {told}");
    let (code, told, _) = pull();
    assert!(code == 0 && told.contains("nothing new") || told.is_empty() || told.contains("0 of"), "{told}");
    // A damaged object is found, and named.
    let store = served.demo.join("crl/crl");
    let names = || fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
    let one = names()
        .find(|path| path.to_string_lossy().contains("card-auth-91102") && !path.to_string_lossy().contains("delta"));
    let one = one.unwrap();
    let mut octets = fs::read(&one).unwrap();
    let last = octets.len() - 1;
    octets[last] ^= 1;
    fs::write(&one, octets).unwrap();
    let (code, told, errors) = run(&["crl", "verify", "--config", &config]);
    assert_eq!(code, 6, "{told}{errors}");
    assert!(format!("{told}{errors}").contains("card-auth-91102"), "{told}{errors}");
}
