//! `check`: a certificate against responders and CRLs, good, bad and lying.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tashika::model::{Listed, Seconds};

use crate::press::{CARDS, LOST, Made, PHONES, Press, serial, tashika, testdata, text};
use crate::server::Answer;

/// openssl as a responder: independent of everything here.
struct Responder {
    child: Child,
    at: String,
    /// It goes on writing, and reads its index when it likes.
    _kept: (BufReader<ChildStdout>, tempfile::TempDir),
}

impl Responder {
    /// With certificates 1 (good), 2 (revoked) and 3 (held), signed by that signer of the phones' CA.
    fn start(signer: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lines = [("V", "", 1), ("R", "261101000000Z,keyCompromise", 2), ("R", "261102000000Z,certificateHold", 3)];
        let index = lines
            .map(|(state, when, last)| format!("{state}\t491231235959Z\t{when}\t{}\tunknown\t/CN=x\n", serial(last)));
        let index_file = dir.path().join("index");
        fs::write(&index_file, index.concat()).unwrap();
        let authority = testdata(PHONES);
        let mut child = Command::new("openssl")
            .args(["ocsp", "-port", "0", "-nmin", "9", "-index", text(&index_file)])
            .args(["-CA", text(&authority.join("issuer.pem")), "-rkey", text(&authority.join("ocsp.key"))])
            .args(["-rsigner", text(&authority.join(signer))])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        let port = first.split(':').next_back().unwrap().split_whitespace().next().unwrap();
        Self { child, at: format!("http://127.0.0.1:{port}"), _kept: (out, dir) }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CAs are trusted themselves: where the status of their own certificates is nobody here says.
fn check(leaf: &std::path::Path, more: &[&str]) -> (i32, Value) {
    let [phones, cards] = [PHONES, CARDS].map(|folder| testdata(folder).join("issuer.pem"));
    let common = ["check", text(leaf), "--trust", text(&phones), "--trust", text(&cards), "--json"];
    let ran = tashika(&[&common, more].concat());
    let json = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    (ran.code, json)
}

#[test]
fn openssl_as_a_responder_is_understood_and_wrong_signers_are_not() {
    let (press, dir) = (Press::new(), tempfile::tempdir().unwrap());
    let phones = press.phones(1, &[]);
    let good = Responder::start("ocsp-good.pem");
    for (last, code, status) in [(1, 0, "good"), (2, 1, "revoked"), (3, 1, "held"), (4, 8, "unknown")] {
        let leaf = press.leaf(&phones, last, Some(&good.at), dir.path());
        let (found, json) = check(&leaf, &["--no-crl"]);
        let said = &json["certificates"][0]["said"][0];
        assert_eq!((found, said["status"].as_str()), (code, Some(status)), "{json:#}");
        assert!(said["because"].as_str().unwrap().contains("made for this question"), "{said}");
    }
    for (signer, why) in [
        ("ocsp-without-eku.pem", "not for OCSP signing"),
        ("ocsp-without-nocheck.pem", "ocsp-nocheck"),
        ("ocsp-expired.pem", "expired"),
        ("ocsp-of-wrong-ca.pem", "nobody whom"),
    ] {
        let responder = Responder::start(signer);
        let leaf = press.leaf(&phones, 1, Some(&responder.at), dir.path());
        let (code, json) = check(&leaf, &["--no-crl"]);
        let reason = json["certificates"][0]["not_used"][0].as_str().unwrap_or_default();
        assert!(code == 8 && reason.contains(why), "{signer}: {json:#}");
    }
}

#[test]
fn crl_and_delta_are_found_where_the_certificate_says() {
    let (mut press, dir) = (Press::new(), tempfile::tempdir().unwrap());
    let phones = press.phones(1, &[(1, LOST), (2, Listed::Held)]);
    press.publish(&phones);
    press.publish(&phones.delta(2, &[(2, Listed::Removed), (3, Listed::Held)]));
    let cards = press.cards(1, &[(5, LOST)]);
    press.publish(&cards);
    press.index();
    for (last, code, says) in [
        (1, 1, "listed on the full CRL"),
        (2, 0, "the delta lifts it"),
        (3, 1, "listed on the delta"),
        (4, 0, "not listed"),
    ] {
        let (found, json) = check(&press.leaf(&phones, last, None, dir.path()), &[]);
        let because = json["certificates"][0]["said"][0]["because"].as_str().unwrap_or_default();
        assert!(found == code && because.contains(says), "{last}: {json:#}");
        assert!(because.contains("full CRL 1 of") && because.contains("delta 2"), "{because}");
    }
    // The cards' point is a directory name, which the index knows.
    let (revoked, good) = (press.leaf(&cards, 5, None, dir.path()), press.leaf(&cards, 6, None, dir.path()));
    let (code, json) = check(&revoked, &[]);
    assert!(code == 8 && json.to_string().contains("--index URL"), "{json:#}");
    assert_eq!(check(&revoked, &["--index", &press.server.at]).0, 1);
    assert_eq!(check(&good, &["--index", &press.server.at]).0, 0);

    // The same from a folder into which they were pulled, without the network.
    let to = dir.path().join("crls");
    let pulled =
        tashika(&["crl", "pull", "--url", &press.server.at, "--to", text(&to), "--trust", text(&testdata("root.pem"))]);
    assert_eq!(pulled.code, 0, "{pulled:?}");
    press.server.asked();
    for (last, code) in [(1, 1), (2, 0), (3, 1), (4, 0)] {
        let leaf = press.leaf(&phones, last, None, dir.path());
        let (found, json) = check(&leaf, &["--crl-dir", text(&to), "--no-ocsp"]);
        assert_eq!(found, code, "{json:#}");
    }
    assert_eq!(press.server.asked(), [""; 0]);

    // Trusted is the root: then the CA's own status matters, and its certificate names a place that nobody reaches.
    let leaf = press.leaf(&phones, 4, None, dir.path());
    let ran = tashika(&["check", text(&leaf), "--trust", text(&testdata("root.pem")), "--json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, json["chain"].as_array().unwrap().len()), (8, 3), "its issuer was fetched");
    assert_eq!(json["certificates"][0]["verdict"], "good");
    assert!(json["certificates"][1]["not_used"].to_string().contains("/crl/root.crl"), "{json:#}");
}

#[test]
fn what_does_not_count_is_named_and_decides_nothing() {
    let (mut press, dir) = (Press::new(), tempfile::tempdir().unwrap());
    let phones = press.phones(1, &[]);
    let leaf = press.leaf(&phones, 4, None, dir.path());
    let place = "/crl/phone-auth-07.crl";
    let why = |code: i32, more: &[&str]| {
        let (found, json) = check(&leaf, more);
        assert_eq!(found, code, "{json:#}");
        json["certificates"][0]["not_used"].to_string()
    };
    assert!(why(8, &[]).contains("404"));
    let other_point = Made { point: press.cards(1, &[]).point, ..phones.clone() };
    let at = |this_update, valid| Made { this_update, valid, ..phones.clone() };
    for (made, says) in [
        (at(press.now - Seconds(99), Seconds(90)), "expired"),
        (at(press.now + Seconds(999), Seconds(9_999)), "lies ahead"),
        (other_point, "another distribution point"),
        (Made { folder: CARDS, ..phones.clone() }, "it lists the certificates of"),
    ] {
        press.server.put(place, Answer::Octets(press.der(&made)));
        let found = why(8, &[]);
        assert!(found.contains(says), "{says}: {found}");
    }
    let mut forged = press.der(&phones);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    press.server.put(place, Answer::Octets(forged));
    assert!(why(8, &[]).contains("its signature is not that of"));
    press.server.put(place, Answer::Octets(b"<html>".to_vec()));
    assert!(why(8, &[]).contains("no CRL found"));
    press.server.put(place, Answer::Redirect(place.into()));
    assert!(why(8, &[]).contains("redirected too often"));
    // A delta that doesn't count is left out, and said; the full CRL counts by itself.
    press.publish(&phones);
    press.server.put(
        "/crl/phone-auth-07.delta.crl",
        Answer::Octets(press.der(&Made { base: Some(9), ..phones.delta(11, &[(4, LOST)]) })),
    );
    assert!(why(0, &[]).contains("the numbers differ"));
}

#[test]
fn a_chain_that_does_not_hold_is_undecided_before_anybody_is_asked() {
    let folder = testdata(PHONES);
    let issuer = folder.join("issuer.pem");
    for (leaf, why) in [
        ("leaf-expired.pem", "expired on"),
        ("leaf-not-yet-valid.pem", "not valid before"),
        ("leaf-signature-broken.pem", "did not sign"),
    ] {
        let (code, json) = check(&folder.join(leaf), &["--issuer", text(&issuer)]);
        assert!(code == 8 && json["why"].as_str().unwrap().contains(why), "{leaf}: {json}");
    }
    let ran =
        tashika(&["check", text(&folder.join("leaf-good.pem")), "--trust", text(&testdata(CARDS).join("issuer.pem"))]);
    assert!(ran.code == 8 && ran.out.contains("is missing"), "{ran:?}");
    assert_eq!(tashika(&["check", text(&folder.join("leaf-good.pem"))]).code, 2);
    assert_eq!(tashika(&["check", "/nowhere", "--trust", text(&issuer)]).code, 7);
}

#[test]
fn another_generations_list_says_nothing_of_a_certificate() {
    let (press, dir) = (Press::new(), tempfile::tempdir().unwrap());
    let [first, second] = ["card-sign-g1-rsa2048", "card-sign-g2-p256"];
    let made = |folder, entries: &[(u8, Listed)]| Made { folder, point: None, ..press.phones(1, entries) };
    let leaf = press.leaf(&made(first, &[]), 1, None, dir.path());
    let crls = dir.path().join("crls");
    fs::create_dir(&crls).unwrap();
    let trust = [first, second].map(|folder| testdata(folder).join("issuer.pem"));
    let check = || {
        let trusted = ["--trust", text(&trust[0]), "--trust", text(&trust[1])];
        tashika(&[&["check", text(&leaf), "--crl-dir", text(&crls), "--no-ocsp"], &trusted[..]].concat())
    };
    fs::write(crls.join("second.crl"), press.der(&made(second, &[]))).unwrap();
    let ran = check();
    assert!(ran.code == 8 && ran.out.contains("its signature is not that of"), "{ran:?}");
    fs::write(crls.join("first.crl"), press.der(&made(first, &[(1, LOST)]))).unwrap();
    assert_eq!(check().code, 1);
}
