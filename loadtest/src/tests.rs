//! Whole loads against servers that tell the truth, lie in each way, or stall: what is caught, counted and measured.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use rasn_pkix::CrlReason;

use crate::engine;
use crate::fake::{Ca, Echo, Recipe, Truth, now};
use crate::fake_server::{Reply, Script, always, http, serve};
use crate::load::{Arrivals, LoadArgs, NonceUse, SampleText, Span};
use crate::probe::{self, Patience, ProbeError};
use crate::report::LoadReport;
use crate::request::{HashName, Method};
use crate::serials::Expected;
use crate::tally::Tally;
use crate::verify::Sample;

/// What one way of asking changes.
type Change = fn(&mut LoadArgs);

const CA: &str = "card-sign-g2-p256";

#[test]
fn true_answers_are_right_by_every_algorithm_and_way_of_asking() {
    let ways: [(&str, Change); 6] = [
        (CA, |_| {}),
        ("card-sign-g3-p384", |args| args.nonce = Some(NonceUse::Random)),
        ("card-sign-g1-rsa2048", |args| args.hash = Some(HashName::Sha256)),
        (CA, |args| args.method = Some(Method::Get)),
        (CA, |args| (args.close, args.source_address) = (true, Some("127.0.0.5".parse().unwrap()))),
        (CA, |args| (args.per_request, args.method, args.nonce) = (Some(7), Some(Method::Get), Some(NonceUse::Random))),
    ];
    for (index, (folder, change)) in ways.into_iter().enumerate() {
        let at = serve(Ca::in_folder(folder), always(Recipe::good()));
        let mut args = closed(folder, at);
        args.cert.push(folder_of(folder).join("leaf-serial-of-20-octets-top-bit.pem"));
        change(&mut args);
        let (report, tally) = run(args);
        assert!(report.wrong.is_empty() && report.errors.is_empty(), "way {index}: {report}");
        assert!(report.right > 0 && report.right == report.answers, "way {index}: {report}");
        assert_eq!(report.signatures_checked, tally.right, "way {index}: {report}");
        assert_eq!(tally.latency.len(), tally.sent, "way {index}: {report}");
    }
}

#[test]
fn a_server_may_end_each_connection_if_it_says_so() {
    let ends: Vec<Script> = vec![
        Box::new(|ca, request, _| {
            Reply::Cut(http(&ca.answer(request, &Recipe::good(), now()), "Connection: close\r\n"))
        }),
        Box::new(|ca, request, _| {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n";
            Reply::Cut([&head[..], &ca.answer(request, &Recipe::good(), now())].concat())
        }),
    ];
    for script in ends {
        let (report, _) = run(closed(CA, serve(Ca::p256(), script)));
        assert!(report.right > 0 && report.right == report.sent && report.errors.is_empty(), "{report}");
    }
}

#[test]
fn the_floors_serve_what_was_captured() {
    let folder = tempfile::tempdir().unwrap();
    let sources = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/floor"));
    let built = Command::new(sources.join("build.sh")).arg(folder.path()).status().unwrap();
    assert!(built.success(), "the C compiler that the program itself needs");
    let load = asking("127.0.0.1:1".parse().unwrap());
    let mut request = Vec::new();
    load.writer.write_der(load.keys.iter(), None, &mut request);
    let reply = folder.path().join("reply.http");
    std::fs::write(&reply, http(&Ca::p256().answer(&request, &Recipe::good(), now()), "")).unwrap();
    for (program, close) in [("floor", false), ("floor_close", true)] {
        let at = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let command = Command::new(folder.path().join(program)).arg(at.port().to_string()).arg(&reply).spawn();
        let _ended_with_the_test = Ended(command.unwrap());
        let patience = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(at).is_err() {
            assert!(Instant::now() < patience, "{program} listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        let (report, _) = run(LoadArgs { close, ..closed(CA, at) });
        assert!(report.right > 0 && report.right == report.sent, "{program}: {report}");
    }
}

/// A process that is ended when a test is done with it, also when it fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_lie_in_an_answer_is_caught_and_counted_as_what_it_is() {
    let good = Recipe::good;
    let lies: [(&str, Recipe); 17] = [
        ("status-not-as-expected", Recipe::revoked(CrlReason::KeyCompromise)),
        ("status-not-as-expected", Recipe::revoked(CrlReason::CertificateHold)),
        ("status-not-as-expected", Recipe { status: rasn_ocsp::CertStatus::Unknown(()), ..good() }),
        ("certid-not-echoed", Recipe { cert_ids: Echo::Other, ..good() }),
        ("certid-not-echoed", Recipe { cert_ids: Echo::Twice, ..good() }),
        ("certid-not-echoed", Recipe { cert_ids: Echo::Missing, ..good() }),
        ("nonce-other", Recipe { nonce: Echo::Other, ..good() }),
        ("nonce-missing", Recipe { nonce: Echo::Missing, ..good() }),
        ("undecodable", Recipe { nonce: Echo::Twice, ..good() }),
        ("signature-wrong", Recipe { signature: Truth::Wrong, ..good() }),
        ("signer-not-delegated", Recipe { signer: "ocsp-without-eku.pem", ..good() }),
        ("signer-not-delegated", Recipe { signer: "ocsp-of-wrong-ca.pem", ..good() }),
        ("signer-not-delegated", Recipe { signer: "ocsp-expired.pem", ..good() }),
        ("stale", Recipe { this_update: -100, next_update: Some(-10), ..good() }),
        ("from-the-future", Recipe { produced_at: 60, ..good() }),
        ("times-out-of-order", Recipe { this_update: 1, ..good() }),
        ("no-next-update", Recipe { next_update: None, ..good() }),
    ];
    for (kind, recipe) in lies {
        let mut args = closed(CA, serve(Ca::p256(), always(recipe)));
        args.nonce = Some(NonceUse::Random);
        let (report, _) = run(args);
        assert!(report.answers > 0 && report.wrong[kind] == report.answers, "{kind}: {report}");
        assert!(report.right == 0 && report.wrong.len() == 1 && report.errors.is_empty(), "{kind}: {report}");
    }
}

#[test]
fn every_failure_of_http_is_counted_as_what_it_is() {
    let body = |ca: &Ca, request: &[u8]| ca.answer(request, &Recipe::good(), now());
    let failures: Vec<(&str, Script)> = vec![
        (
            "closed-before-answered",
            Box::new(move |ca, request, _| {
                let whole = http(&body(ca, request), "");
                Reply::Cut(whole[..whole.len() - 1].to_vec())
            }),
        ),
        ("closed-before-answered", Box::new(|_, _, _| Reply::Cut(Vec::new()))),
        ("reset", Box::new(|_, _, _| Reply::Reset)),
        ("timeout", Box::new(|_, _, _| Reply::Silence)),
        ("http-503", Box::new(|_, _, _| Reply::Send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_vec()))),
        (
            "not-http",
            Box::new(|_, _, _| Reply::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec())),
        ),
        ("not-http", Box::new(|_, _, _| Reply::Cut(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()))),
        ("not-http", Box::new(move |ca, request, _| Reply::Send([http(&body(ca, request), ""), vec![0]].concat()))),
        ("tryLater", Box::new(|_, _, _| Reply::Send(http(&[0x30, 3, 10, 1, 3], "")))),
        ("unauthorized", Box::new(|_, _, _| Reply::Send(http(&[0x30, 3, 10, 1, 6], "")))),
    ];
    for (kind, script) in failures {
        let mut args = closed(CA, serve(Ca::p256(), script));
        if kind == "timeout" {
            args.timeout = Some(Span(Duration::from_millis(60)));
        }
        let (report, tally) = run(args);
        assert!(report.errors.get(kind).is_some_and(|count| *count > 0), "{kind}: {report}");
        assert!(report.right == 0 && report.errors.len() == 1 && report.wrong.is_empty(), "{kind}: {report}");
        assert_eq!(tally.latency.len(), tally.sent, "{kind}: {report}");
    }
    let mut args = closed(CA, "127.0.0.1:9".parse().unwrap());
    args.close = true;
    let (report, _) = run(args);
    assert!(report.errors["connect-failed"] > 0 && report.answers == 0, "{report}");
}

#[test]
fn other_lies_of_http_are_caught() {
    let lies: Vec<(&str, Script)> = vec![
        (
            "content-type",
            Box::new(|ca, request, _| {
                let text = http(&ca.answer(request, &Recipe::good(), now()), "");
                let at = text.windows(12).position(|word| word == b"Content-Type").unwrap();
                Reply::Send([&text[..at], b"Content-Typo", &text[at + 12..]].concat())
            }),
        ),
        (
            "undecodable",
            Box::new(|ca, request, _| {
                Reply::Send(http(&[ca.answer(request, &Recipe::good(), now()), vec![0]].concat(), ""))
            }),
        ),
        (
            "position-backwards",
            Box::new(|ca, request, number| {
                let position = format!("Tashika-Position: 1.{}\r\n", 1000 - number);
                Reply::Send(http(&ca.answer(request, &Recipe::good(), now()), &position))
            }),
        ),
    ];
    for (kind, script) in lies {
        let mut args = closed(CA, serve(Ca::p256(), script));
        args.connections = Some(1);
        let (report, _) = run(args);
        // The first position of a connection can't be behind any.
        let due = report.answers - u64::from(kind == "position-backwards");
        assert!(due > 0 && report.wrong[kind] == due, "{kind}: {report}");
        assert!(report.wrong.len() == 1 && report.errors.is_empty(), "{kind}: {report}");
    }
}

#[test]
fn a_rising_position_and_expected_revocations_are_right() {
    for (expect, recipe) in [
        (Expected::Revoked, Recipe::revoked(CrlReason::KeyCompromise)),
        (Expected::Held, Recipe::revoked(CrlReason::CertificateHold)),
    ] {
        let script: Script = Box::new(move |ca, request, number| {
            // A new epoch begins at a lower position, and is later all the same.
            let position = format!("Tashika-Position: {}.{}\r\n", 1 + number / 3, number % 3);
            Reply::Send(http(&ca.answer(request, &recipe, now()), &position))
        });
        let mut args = closed(CA, serve(Ca::p256(), script));
        (args.expect, args.connections) = (Some(expect), Some(1));
        let (report, _) = run(args);
        assert!(report.answers > 3 && report.right == report.answers, "{report}");
    }
}

#[test]
fn a_sample_is_what_it_says() {
    let at = serve(Ca::p256(), always(Recipe { signature: Truth::Wrong, ..Recipe::good() }));
    let mut args = closed(CA, at);
    args.verify = Some(SampleText(Sample::Every(3)));
    let (report, tally) = run(args);
    assert_eq!(report.signatures_checked, report.answers.div_ceil(3), "{report}");
    assert_eq!(report.wrong["signature-wrong"], report.signatures_checked, "{report}");
    assert_eq!(tally.right + report.signatures_checked, report.answers, "{report}");
}

#[test]
fn latency_counts_from_when_a_request_was_due() {
    const STALL: Duration = Duration::from_millis(200);
    let stalled = std::sync::Mutex::new(());
    let body = std::sync::OnceLock::new();
    let script: Script = Box::new(move |ca, request, number| {
        // All connections stand still at once, as behind one lock of a server.
        let _guard = stalled.lock().unwrap();
        if number == 100 {
            std::thread::sleep(STALL);
        }
        Reply::Send(http(body.get_or_init(|| ca.answer(request, &Recipe::good(), now())), ""))
    });
    let mut args = closed(CA, serve(Ca::p256(), script));
    (args.closed, args.rate, args.arrivals) = (false, Some(500.0), Some(Arrivals::Constant));
    (args.connections, args.duration) = (Some(2), Some(Span(Duration::from_millis(1000))));
    let (report, tally) = run(args);
    assert!(report.wrong.is_empty() && report.errors.is_empty(), "{report}");
    assert!((480..=500).contains(&(tally.sent + tally.unsent)), "{report}");
    assert!(tally.latency.max() >= STALL.as_nanos() as u64, "{report}");
    // One request was due every 2 ms: of those due in the first half of the stall each waited half of it or more.
    let late = tally.latency.count_between(STALL.as_nanos() as u64 / 2, u64::MAX);
    assert!(late >= 48, "{late}: {report}");
    // Only two of them were ever on their way: a closed loop would have seen two.
    assert!(tally.delay.count_between(STALL.as_nanos() as u64 / 2, u64::MAX) >= 46, "{report}");
}

#[test]
fn what_could_not_be_sent_is_told() {
    let script: Script = Box::new(|_, _, _| Reply::Silence);
    let mut args = closed(CA, serve(Ca::p256(), script));
    (args.closed, args.rate, args.arrivals) = (false, Some(1000.0), Some(Arrivals::Constant));
    (args.connections, args.timeout) = (Some(3), Some(Span(Duration::from_millis(300))));
    let (report, tally) = run(args);
    assert_eq!((tally.sent, report.errors["timeout"]), (3, 3), "{report}");
    assert!(tally.unsent >= 90 && report.oldest_unsent_ms > 80.0, "{report}");
}

#[test]
fn a_probe_sees_the_first_answer_that_shows_it() {
    let script: Script = Box::new(|ca, request, number| {
        let recipe = if number < 30 { Recipe::good() } else { Recipe::revoked(CrlReason::KeyCompromise) };
        Reply::Send(http(&ca.answer(request, &recipe, now()), "Tashika-Position: 1.7\r\n"))
    });
    let patience = Patience { interval: Duration::from_micros(200), give_up: Duration::from_secs(20) };
    let load = asking(serve(Ca::p256(), script));
    let seen = probe::run(load, Expected::Revoked, patience).unwrap();
    assert_eq!((seen.asked, seen.failed, seen.position.as_deref()), (31, 0, Some("1.7")));
    assert!(seen.last_other_unix_ns.unwrap() <= seen.asked_unix_ns && seen.asked_unix_ns < seen.at_unix_ns);
    assert!((seen.at_unix_ns / 1_000_000_000) as i64 - now() <= 1 && seen.at.ends_with('Z'), "{seen:?}");

    let forged = Recipe { signature: Truth::Wrong, ..Recipe::revoked(CrlReason::KeyCompromise) };
    let load = asking(serve(Ca::p256(), always(forged)));
    let error = probe::run(load, Expected::Revoked, patience).unwrap_err();
    assert!(matches!(error, ProbeError::Wrong(crate::judge::Fault::Signature)), "{error}");

    let load = asking(serve(Ca::p256(), always(Recipe::good())));
    let patience = Patience { give_up: Duration::from_millis(50), ..patience };
    let error = probe::run(load, Expected::Held, patience).unwrap_err();
    assert!(matches!(error, ProbeError::GaveUp { .. }), "{error}");
}

fn run(args: LoadArgs) -> (LoadReport, Tally) {
    let (load, tally) = engine::run(args.check(1).unwrap(), &Barrier::new(1)).unwrap();
    (LoadReport::new(&load, &tally), tally)
}

/// A short closed loop; every signature is checked, and good is expected.
pub fn closed(folder: &str, at: SocketAddr) -> LoadArgs {
    LoadArgs {
        url: Some(format!("http://{at}/ocsp")),
        issuer: Some(folder_of(folder).join("issuer.pem")),
        cert: vec![folder_of(folder).join("leaf-good.pem")],
        expect: Some(Expected::Good),
        closed: true,
        duration: Some(Span(Duration::from_millis(150))),
        connections: Some(2),
        verify: Some(SampleText(Sample::All)),
        timeout: Some(Span(Duration::from_secs(5))),
        ..LoadArgs::default()
    }
}

/// Any status is right.
fn asking(at: SocketAddr) -> crate::load::Load {
    LoadArgs { expect: None, ..closed(CA, at) }.check(1).unwrap()
}

pub fn folder_of(name: &str) -> std::path::PathBuf {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../certs-testdata")).join(name)
}
