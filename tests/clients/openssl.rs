//! `openssl ocsp`: each state of each CA, with and without a nonce, both hashes, several certificates at once, by GET, and
//! a revocation in the next answer.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::house::{self, CAS, House, Leaf, Reason, Said, data};
use crate::program::until;
use crate::tap;
use crate::tool::{self, Call};

fn openssl(arguments: &[&str]) -> Call {
    tool::call(Path::new("openssl"), arguments, b"")
}

/// Asks for these certificates at once.
pub fn ask(ca: &str, leaves: &[&str], url: &str, more: &[&str]) -> Call {
    let (issuer, root) = (house::issuer(ca), data("root.pem"));
    let mut arguments = vec!["ocsp", "-url", url, "-CAfile", &root, "-verify_other", &issuer, "-issuer", &issuer];
    arguments.extend(more);
    arguments.extend(leaves.iter().flat_map(|leaf| ["-cert", *leaf]));
    openssl(&arguments)
}

/// What openssl prints of it, after the name of the certificate.
fn printed(house: &House, ca: &'static str, leaf: Leaf) -> Vec<String> {
    let revoked = |reason: Option<&str>| {
        let reason = reason.map(|reason| format!("\tReason: {reason}"));
        let time = format!("\tRevocation Time: {}", in_words(house.time(ca, leaf)));
        ["revoked".to_owned()].into_iter().chain(reason).chain([time]).collect()
    };
    match leaf.said() {
        Said::Good => vec!["good".to_owned()],
        Said::Held => revoked(Some("certificateHold")),
        Said::Revoked(Some(Reason::KeyCompromise)) => revoked(Some("keyCompromise")),
        Said::Revoked(None) => revoked(None),
        Said::Unknown => vec!["unknown".to_owned()],
    }
}

/// `2026-11-20T18:26:31Z` as openssl has it: `Nov 20 18:26:31 2026 GMT`.
fn in_words(time: &str) -> String {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |range: std::ops::Range<usize>| time[range].parse::<usize>().unwrap();
    format!("{} {:>2} {} {} GMT", months[number(5..7) - 1], number(8..10), &time[11..19], &time[..4])
}

/// The answers, each led by its certificate's file, without the times of the answer itself.
pub fn answers(call: &Call, leaves: &[String]) -> Vec<Vec<String>> {
    let mut answers: Vec<Vec<String>> = Vec::new();
    for line in call.lines() {
        if let Some(said) = leaves.iter().find_map(|leaf| line.strip_prefix(&format!("{leaf}: "))) {
            answers.push(vec![said.to_owned()]);
        } else if !line.contains(" Update: ") {
            answers.last_mut().unwrap_or_else(|| panic!("{line} before any answer")).push(line);
        }
    }
    answers
}

#[test]
fn every_state_in_both_hashes_with_and_without_a_nonce() {
    let house = House::open();
    for ca in CAS {
        for leaf in Leaf::ALL {
            for hash in ["-sha1", "-sha256"] {
                for nonce in ["-nonce", "-no_nonce"] {
                    let path = leaf.path(ca);
                    // The hash counts for the certificates after it.
                    let call = ask(ca, &[&path], &house.url(), &[nonce, hash]);
                    let told = format!("{ca} {leaf:?} {hash} {nonce}: {}", call.text());
                    assert!(call.stderr.contains("Response verify OK") && !call.stderr.contains("WARN"), "{told}");
                    assert_eq!(answers(&call, &[path]), [printed(house, ca, leaf)], "{told}");
                }
            }
        }
    }
}

#[test]
fn all_of_a_ca_at_once_in_the_order_asked() {
    let house = House::open();
    for ca in CAS {
        for more in [&["-nonce"][..], &["-no_nonce"], &["-sha256", "-nonce"]] {
            let paths = Leaf::ALL.map(|leaf| leaf.path(ca)).to_vec();
            let names: Vec<&str> = paths.iter().map(String::as_str).collect();
            let call = ask(ca, &names, &house.url(), more);
            assert!(call.stderr.contains("Response verify OK"), "{ca}: {}", call.text());
            let expected = Leaf::ALL.map(|leaf| printed(house, ca, leaf));
            assert_eq!(answers(&call, &paths), expected, "{ca} {more:?}: {}", call.text());
        }
    }
}

/// As many as each kind of caller may, and one more; of an accredited one as many as openssl reads, which is 100 KiB.
#[test]
fn many_at_once_as_the_caller_may() {
    let (house, ca) = (House::open(), CAS[2]);
    let (issuer, root) = (house::issuer(ca), data("root.pem"));
    for (path, asked, most) in [("/ocsp", 20, 20), ("/p/bank/login/ocsp", 900, 1_000)] {
        let url = format!("http://{}{path}", house.address);
        let ask = |count: usize| {
            let serials: Vec<String> = (1..=count).map(|serial| format!("0x7E{serial:06X}")).collect();
            let known = ["ocsp", "-url", &url, "-CAfile", &root, "-verify_other", &issuer, "-issuer", &issuer];
            let asked: Vec<&str> = serials.iter().flat_map(|serial| ["-serial", serial.as_str()]).collect();
            openssl(&[&known[..], &asked].concat())
        };
        let call = ask(asked);
        assert!(call.stderr.contains("Response verify OK"), "{path}: {}", call.stderr);
        let unknown = call.lines().iter().filter(|line| line.ends_with(": unknown")).count();
        assert_eq!(unknown, asked, "{path}");
        let call = ask(most + 1);
        assert!(call.text().contains("Responder Error: unauthorized (6)"), "{path}: {}", call.text());
    }
}

/// openssl can't ask by GET: it makes the request, we bring it, and it judges what came back.
#[test]
fn by_get_the_same() {
    let house = House::open();
    let work = tempfile::tempdir().unwrap();
    let file = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    let (request, reply, root) = (file("request.der"), file("reply.der"), data("root.pem"));
    for ca in CAS {
        for leaf in Leaf::ALL {
            for nonce in ["-nonce", "-no_nonce"] {
                let (issuer, path) = (house::issuer(ca), leaf.path(ca));
                openssl(&["ocsp", "-issuer", &issuer, nonce, "-cert", &path, "-reqout", &request]).lines();
                let asked = fs::read(&request).unwrap();
                fs::write(&reply, tap::get(&house.address, &asked)).unwrap();
                let known = ["-respin", &reply, "-no_nonce", "-CAfile", &root, "-verify_other", &issuer];
                // The nonce is judged beside the request that is read, the answer beside the certificate.
                let echoed = openssl(&[&["ocsp", "-reqin", &request][..], &known].concat());
                assert!(echoed.stderr == "Response verify OK\n", "{ca} {leaf:?}: {}", echoed.text());
                let of = ["-issuer", &issuer, "-cert", &path];
                let judged = openssl(&[&["ocsp"][..], &known, &of].concat());
                assert!(judged.stderr.contains("Response verify OK"), "{ca} {leaf:?}: {}", judged.text());
                assert_eq!(answers(&judged, &[path]), [printed(house, ca, leaf)], "{}", judged.text());
            }
        }
    }
}

#[test]
fn a_revocation_is_in_the_next_answer() {
    let house = House::open();
    let (ca, path) = house::of_openssl();
    let said = |more: &[&str]| answers(&ask(ca, &[&path], &house.url(), more), std::slice::from_ref(&path)).remove(0);
    // Each form is asked before, so that there are kept answers to be wrong.
    let forms = [&["-no_nonce"][..], &["-nonce"], &["-no_nonce", "-sha256"], &["-nonce", "-sha256"]];
    for form in forms.iter().chain(&forms) {
        assert_eq!(said(form), ["good"], "{form:?}");
    }
    let (serial, by) = (house::serial(&path), format!("ca:{ca}/hsm"));
    let of = |verb| ["cert", verb, "--issuer", ca, "--serial", &serial];
    house.command(&[&of("revoke")[..], &["--reason", "superseded", "--as", &by]].concat());
    let shown = house.command(&of("show"));
    let time = in_words(shown["revocation"]["at"].as_str().unwrap());
    let expected = ["revoked".to_owned(), "\tReason: superseded".to_owned(), format!("\tRevocation Time: {time}")];
    // Serving follows the ledger within milliseconds; a kept answer from before would stay for minutes.
    let took = until("the revocation is answered", || said(&["-no_nonce"]) != ["good"]);
    assert!(took < Duration::from_secs(5), "{took:?}");
    for form in forms {
        assert_eq!(said(form), expected, "{form:?}");
    }
}

/// A CA's generations share its name: the key in the question tells them apart.
#[test]
fn one_serial_of_two_key_generations() {
    let house = House::open();
    let [(new, good), (old, revoked)] = house::of_generations();
    assert_eq!(house::serial(&good), house::serial(&revoked));
    for more in ["-nonce", "-no_nonce", "-sha256"] {
        for (ca, path, status) in [(new, &good, "good"), (old, &revoked, "revoked")] {
            let call = ask(ca, &[path], &house.url(), &[more]);
            assert!(call.stderr.contains("Response verify OK"), "{ca}: {}", call.text());
            assert_eq!(answers(&call, std::slice::from_ref(path))[0][0], status, "{ca} {more}: {}", call.text());
        }
    }
    // One signer can't answer for both.
    let (issuers, url) = ([house::issuer(new), house::issuer(old)], house.url());
    let both = ["-issuer", &issuers[0], "-cert", &good, "-issuer", &issuers[1], "-cert", &revoked];
    let call = openssl(&[&["ocsp", "-url", &url][..], &both].concat());
    assert!(call.text().contains("Responder Error: unauthorized (6)"), "{}", call.text());
}

/// RFC 6960, 2.3: whether a request is signed, and by whom, makes no difference here.
#[test]
fn a_signed_request_is_answered() {
    let house = House::open();
    for ca in CAS {
        let (path, key) = (Leaf::Good.path(ca), data(&format!("{ca}/leaf.key")));
        let call = ask(ca, &[&path], &house.url(), &["-signer", &path, "-signkey", &key]);
        assert!(call.stderr.contains("Response verify OK"), "{ca}: {}", call.text());
        assert_eq!(answers(&call, &[path]), [["good"]], "{ca}: {}", call.text());
    }
}

#[test]
fn another_ca_s_answer_is_not_taken_and_strangers_are_refused() {
    let house = House::open();
    // The tests above could pass with a client that takes everything: it must refuse an answer under another root.
    let (ca, stranger) = (CAS[0], data("stranger/issuer.pem"));
    let (issuer, path) = (house::issuer(ca), Leaf::Good.path(ca));
    let call = openssl(&["ocsp", "-url", &house.url(), "-CAfile", &stranger, "-issuer", &issuer, "-cert", &path]);
    assert!(call.stderr.contains("Response Verify Failure"), "{}", call.text());
    let leaf = data("stranger/leaf-of-unknown-issuer.pem");
    let call = openssl(&["ocsp", "-url", &house.url(), "-issuer", &stranger, "-cert", &leaf]);
    assert!(call.text().contains("Responder Error: unauthorized (6)"), "{}", call.text());
    // Right name, wrong key: the key decides.
    let leaf = data("stranger/leaf-of-unknown-key-under-known-name.pem");
    let call = openssl(&["ocsp", "-url", &house.url(), "-issuer", &stranger, "-cert", &leaf]);
    assert!(call.text().contains("Responder Error: unauthorized (6)"), "{}", call.text());
}
