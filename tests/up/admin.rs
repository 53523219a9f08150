//! The admin listener as an operator's tools meet it: the token, one certificate and its changes, events, problems.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::exposition::{Exposition, documented};
use crate::program::{Addresses, Program, ask, send, until};

/// A served demonstration, and what its admin listener is asked with.
pub struct Served {
    pub demo: PathBuf,
    pub program: Program,
    pub at: Addresses,
    token: String,
    _dir: tempfile::TempDir,
}

/// An answer of the admin listener.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Served {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let demo = dir.path().join("demo");
        let mut program = Program::up(&demo, &["--certificates", "10"]);
        let at = program.ready();
        let token = fs::read_to_string(demo.join("admin.token")).unwrap().trim().to_owned();
        Self { demo, program, at, token, _dir: dir }
    }

    /// A request with the token.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let kind = "content-type: application/json\r\n";
        request(&self.at.admin, method, path, &format!("authorization: Bearer {}\r\n{kind}", self.token), body)
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// A change of a demonstration's certificate.
    pub fn change(&self, leaf: &str, verb: &str, body: &Value) -> Answer {
        self.ask("POST", &format!("{}/{verb}", self.path(leaf)), &body.to_string())
    }

    /// `ISSUER/LEAF` as the API names it.
    pub fn path(&self, leaf: &str) -> String {
        let issuer = leaf.split('/').next().unwrap();
        let file = self.demo.join(format!("demo/{leaf}.pem"));
        let (_, text) = openssl(&["x509", "-noout", "-serial", "-in", file.to_str().unwrap()]);
        format!("/v1/certificates/{issuer}/{}", text.trim().strip_prefix("serial=").unwrap())
    }

    /// What openssl makes of the answer about a certificate.
    pub fn ocsp(&self, leaf: &str) -> String {
        let issuer = leaf.split('/').next().unwrap();
        let file = |name: &str| self.demo.join(format!("demo/{name}.pem")).to_str().unwrap().to_owned();
        let (ca, root, leaf) = (file(&format!("{issuer}/issuer")), file("root"), file(leaf));
        let url = format!("http://{}/ocsp", self.at.public);
        let (ok, text) =
            openssl(&["ocsp", "-issuer", &ca, "-cert", &leaf, "-url", &url, "-CAfile", &root, "-verify_other", &ca]);
        assert!(ok && text.contains("Response verify OK"), "{text}");
        text
    }

    pub fn metrics(&self) -> Exposition {
        let answer = self.ask("GET", "/metrics", "");
        assert!(answer.head.contains("text/plain; version=0.0.4"), "{answer:?}");
        Exposition::parse(&answer.body)
    }
}

#[test]
fn nothing_but_the_probes_is_answered_without_the_token() {
    let served = Served::new();
    assert_eq!(served.token.len(), 43, "32 octets in base64url");
    assert_eq!(ask(&served.at.admin, "GET", "/healthz").0, 200);
    assert_eq!(ask(&served.at.admin, "GET", "/readyz").0, 200);
    let revoke = format!("{}/revoke", served.path("card-auth/good"));
    let wrong = format!("{}x", &served.token[..42]);
    for (method, path) in [("GET", "/metrics"), ("GET", "/v1/events"), ("POST", revoke.as_str()), ("GET", "/nowhere")] {
        for brought in [String::new(), format!("Bearer {wrong}"), format!("Basic {}", served.token)] {
            let header = format!("authorization: {brought}\r\n");
            let answer = request(&served.at.admin, method, path, &header, "");
            assert_eq!(answer.status, 401, "{method} {path} {brought}");
            assert!(answer.head.to_lowercase().contains("www-authenticate: bearer"), "{}", answer.head);
            assert_eq!(problem(&answer)["kind"], "no-token");
        }
    }
    assert!(served.ocsp("card-auth/good").contains(": good"));
    served.get("/v1/events");
    assert!(served.program.said().iter().all(|line| !line.contains(&served.token)));
}

#[test]
fn a_revocation_is_in_the_next_answer_and_counts_once() {
    let served = Served::new();
    assert!(served.ocsp("card-auth/good").contains(": good"));
    let body = json!({ "reason": "keyCompromise", "as": "window/tanaka", "idempotency_key": "k-1" });
    let first = served.change("card-auth/good", "revoke", &body);
    assert_eq!(first.status, 200, "{first:?}");
    let done: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!((&done["outcome"], &done["events"][0]["change"]), (&"done".into(), &"revoked".into()));
    until("openssl sees it", || served.ocsp("card-auth/good").contains(": revoked"));
    assert!(served.ocsp("card-auth/good").contains("Reason: keyCompromise"));
    let again = served.change("card-auth/good", "revoke", &body);
    assert_eq!((again.status, &again.body), (200, &first.body), "the same key finds the same answer");
    let other = json!({ "reason": "superseded", "as": "window/tanaka", "idempotency_key": "k-1" });
    let other = served.change("card-auth/good", "revoke", &other);
    assert_eq!((other.status, problem(&other)["kind"].as_str()), (409, Some("conflict")));
    let shown = served.get(&served.path("card-auth/good"));
    assert_eq!((&shown["status"], &shown["revocation"]["reason"]), (&"revoked".into(), &"keyCompromise".into()));
    assert!(shown["residual_good"]["with_skew"]["JDK"].is_string(), "{shown}");
}

#[test]
fn a_hold_is_released_by_its_id_where_that_is_allowed() {
    let served = Served::new();
    let sender = json!({ "as": "window/tanaka" });
    let held = served.change("phone-auth/good", "hold", &sender);
    let held: Value = serde_json::from_str(&held.body).unwrap();
    let id = held["first"].as_str().unwrap().to_owned();
    until("openssl sees the hold", || served.ocsp("phone-auth/good").contains(": revoked"));
    let unnamed = served.change("phone-auth/good", "release", &sender);
    assert_eq!((unnamed.status, problem(&unnamed)["kind"].as_str()), (422, Some("unfit")));
    let released = served.change("phone-auth/good", "release", &json!({ "as": "window/tanaka", "holds": [id] }));
    assert_eq!(released.status, 200, "{released:?}");
    until("openssl sees the release", || served.ocsp("phone-auth/good").contains(": good"));
    // A loss that lies far back is held at once and waits for its date.
    let lost = json!({ "as": "window/tanaka", "lost_at": "2026-01-02T00:00:00Z" });
    let queued = served.change("card-sign/good", "hold", &lost);
    assert_eq!(queued.status, 202, "{queued:?}");
}

#[test]
fn events_come_page_by_page_with_pseudonyms_only() {
    let served = Served::new();
    served.change("card-auth/good", "hold", &json!({ "as": "window/tanaka" }));
    let (mut after, mut seen) = ("0".to_owned(), Vec::new());
    loop {
        let page = served.get(&format!("/v1/events?after={after}&limit=3"));
        let events = page["events"].as_array().unwrap().clone();
        assert!(events.len() <= 3);
        if events.is_empty() {
            assert_eq!(page["next"], page["head"]);
            break;
        }
        after = page["next"].as_str().unwrap().to_owned();
        assert_eq!(events.last().unwrap()["position"], page["next"]);
        seen.extend(events);
    }
    let positions: Vec<u64> = seen.iter().map(|event| event["position"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    let last = seen.last().unwrap();
    assert_eq!((&last["kind"], &last["change"]), (&"changed".into(), &"held".into()));
    assert_eq!((&last["actor"]["channel"], &last["certificate"]["issuer"]), (&"api".into(), &"card-auth".into()));
    let person = last["actor"]["person"].as_str().unwrap();
    assert!(person.len() == 32 && !seen.iter().any(|event| event.to_string().contains("tanaka")));
    assert_eq!(served.ask("GET", &format!("/v1/events?after={}", positions.len() + 1), "").status, 404);
}

#[test]
fn each_problem_has_its_status_and_its_words() {
    let served = Served::new();
    let good = served.path("card-auth/good");
    let revoke = format!("{good}/revoke");
    let long = format!("{{\"as\": \"{}\"}}", "x".repeat(65 * 1024));
    for (method, path, body, status, kind) in [
        ("GET", "/v1/nothing", "", 404, "not-found"),
        ("GET", "/v1/certificates/nobody/0A", "", 404, "not-found"),
        ("GET", "/v1/certificates/card-auth/0A", "", 404, "not-found"),
        ("GET", "/v1/certificates/card-auth/xyz", "", 400, "malformed"),
        ("GET", "/v1/events?limit=1001", "", 400, "malformed"),
        ("PUT", "/v1/events", "", 405, "not-allowed"),
        ("GET", revoke.as_str(), "", 405, "not-allowed"),
        ("POST", good.as_str(), "", 405, "not-allowed"),
        ("POST", "/metrics", "", 405, "not-allowed"),
        ("POST", revoke.as_str(), "{", 400, "malformed"),
        ("POST", revoke.as_str(), r#"{"why": "x"}"#, 400, "malformed"),
        ("POST", revoke.as_str(), r#"{"as": "window"}"#, 400, "malformed"),
        ("POST", revoke.as_str(), r#"{"as": "nobody/x"}"#, 400, "malformed"),
        ("POST", revoke.as_str(), r#"{"as": "ca:nobody/x"}"#, 404, "not-found"),
        ("POST", revoke.as_str(), r#"{"as": "auditor/x"}"#, 403, "forbidden"),
        ("POST", revoke.as_str(), long.as_str(), 413, "too-large"),
    ] {
        let answer = served.ask(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {body:.40}: {answer:?}");
        let told = problem(&answer);
        assert_eq!((told["kind"].as_str(), told["status"].as_u64()), (Some(kind), Some(status.into())), "{told}");
    }
    let plain = format!("authorization: Bearer {}\r\ncontent-type: text/plain\r\n", served.token);
    assert_eq!(request(&served.at.admin, "POST", &revoke, &plain, "{}").status, 415);
    assert!(served.ocsp("card-auth/good").contains(": good"), "nothing of all that changed anything");
}

#[test]
fn a_ledger_that_is_slow_keeps_no_probe_waiting() {
    let served = Served::new();
    let ledger = served.demo.join("ledger.db");
    let (revoke, admin) = (format!("{}/hold", served.path("card-auth/good")), served.at.admin.clone());
    let locked = rusqlite::Connection::open(ledger).unwrap();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    let header = format!("authorization: Bearer {}\r\n", served.token);
    let waiting: Vec<_> = (0..24)
        .map(|_| {
            let (admin, revoke, header) = (admin.clone(), revoke.clone(), header.clone());
            std::thread::spawn(move || request(&admin, "POST", &revoke, &header, "").status)
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    for path in ["/healthz", "/readyz", "/metrics"] {
        let began = Instant::now();
        assert!(matches!(request(&admin, "GET", path, &header, "").status, 200 | 503));
        assert!(began.elapsed() < Duration::from_secs(1), "{path} took {:?}", began.elapsed());
    }
    locked.execute_batch("ROLLBACK").unwrap();
    let done: Vec<_> = waiting.into_iter().map(|waiting| waiting.join().unwrap()).collect();
    assert!(done.iter().all(|status| matches!(status, 200 | 503)) && done.contains(&200), "{done:?}");
}

#[test]
fn metrics_are_well_formed_move_and_are_documented() {
    let served = Served::new();
    let strangers = [("party", ""), ("service", ""), ("outcome", "good")];
    let before = served.metrics();
    assert_eq!(before.value("tashika_answers_total", &strangers), 0.0);
    served.ocsp("card-auth/good");
    let after = served.metrics();
    assert_eq!(after.value("tashika_answers_total", &strangers), 1.0);
    assert!(after.value("tashika_signed_now_total", &[]) >= 1.0);
    assert_eq!((after.value("tashika_ready", &[]), after.value("tashika_leads", &[])), (1.0, 1.0));
    assert_eq!(after.value("tashika_tier", &[("tier", "fresh")]), 1.0);
    assert!(after.value("tashika_signer_left_hours", &[("issuer", "card-auth")]) > 1.0);
    // A stranger's questions that can't be read.
    send(&served.at.public, b"POST /ocsp HTTP/1.1\r\nhost: x\r\ncontent-type: application/ocsp-request\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx");
    assert_eq!(served.metrics().value("tashika_refusals_total", &[("cause", "malformed")]), 1.0);
    assert_eq!(after.names(), documented(), "docs/METRICS.md and /metrics name the same");
}

#[test]
fn the_plan_that_is_run_is_told_before_it_is_ready_and_is_that_of_the_ledger() {
    let served = Served::new();
    let said = served.program.said();
    let plans: Vec<_> = said.iter().filter(|line| line.starts_with("plan  ")).collect();
    assert_eq!(plans.len(), 3, "{said:?}");
    assert!(plans[0].contains("card-sign: ") && plans[0].contains("p256, presign hot"), "{plans:?}");
    assert!(said.last().unwrap().starts_with("ready"), "{said:?}");
    let config = served.demo.join("tashika.toml");
    let (code, out, error) = crate::program::run(&["plan", "--json", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    let all: Value = serde_json::from_str(&out).unwrap();
    for (plan, told) in all.as_array().unwrap().iter().zip(plans) {
        let count = format!("{}: {} certificates", plan["issuer"].as_str().unwrap(), plan["certificates"]);
        assert!(told.contains(&count), "{told}: {plan}");
    }
}

#[test]
fn the_bound_of_residual_good_outlives_a_shorter_validity() {
    let mut served = Served::new();
    let issuer = [("issuer", "card-auth")];
    let window = |served: &Served| served.metrics().value("tashika_residual_good_window_seconds", &issuer);
    assert_eq!(window(&served), 600.0);
    let program = std::mem::replace(&mut served.program, Program::start(&["--version"]));
    assert!(program.end("TERM").success());
    let file = served.demo.join("tashika.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("validity_seconds = 600"));
    fs::write(&file, text.replace("validity_seconds = 600", "validity_seconds = 60")).unwrap();
    served.program = Program::serve(&file, &[]);
    served.at = served.program.ready();
    let left = window(&served);
    assert!((61.0..=600.0).contains(&left), "answers of before are valid for so long yet: {left}");
    assert_eq!(served.change("card-auth/good", "revoke", &json!({ "as": "window/a" })).status, 200);
    until("the metric knows of it", || served.metrics().value("tashika_residual_good_ahead_seconds", &issuer) > 60.0);
    let shown = served.get(&served.path("card-auth/good"));
    let (until, at) = (&shown["residual_good"]["until"], &shown["revocation"]["at"]);
    let time = |text: &Value| text.as_str().unwrap().parse::<tashika::model::Time>().unwrap().unix();
    assert!(time(until) - time(at) > 60, "{shown}");
}

/// What a problem says of itself.
fn problem(answer: &Answer) -> Value {
    assert!(answer.head.contains("application/problem+json"), "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

/// A request with these header lines.
pub fn request(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
    let text = send(address, format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes());
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap_or_else(|| panic!("no status in '{head}'")).parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub fn openssl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").env("OPENSSL_CONF", "/dev/null").args(arguments).output();
    let output = output.expect("the openssl command line is missing: `cargo xtask setup` installs it");
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// The repository's own document.
pub fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}
