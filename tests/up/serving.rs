//! `serve`: probes, limits, checkpoints, signals.

use std::fs;
use std::path::{Path, PathBuf};

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{CheckpointFile, Ledger, decode_event};
use tashika::model::Position;

use crate::program::{Program, ask, readiness, run, send, until};

/// A small demonstration that nobody serves at the moment; its configuration.
pub fn demonstration(dir: &Path) -> PathBuf {
    let demo = dir.join("demo");
    let mut up = Program::up(&demo, &["--certificates", "100", "--public-url", "http://status.example"]);
    up.ready();
    assert!(up.end("TERM").success());
    let config = demo.join("tashika.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("every_seconds = 60", "every_seconds = 1")).unwrap();
    config
}

#[test]
fn the_probes_answer_and_everything_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut serve = Program::serve(&demonstration(dir.path()), &[]);
    let at = serve.ready();
    assert_eq!(ask(&at.admin, "GET", "/healthz"), (200, "alive\n".to_owned()));
    assert_eq!(ask(&at.admin, "HEAD", "/healthz"), (200, String::new()));
    let (status, body) = readiness(&at.admin);
    assert_eq!((status, &body["ready"], &body["leads"]), (200, &true.into(), &true.into()), "{body}");
    assert!(body["position"].as_str().unwrap().parse::<u64>().unwrap() > 20);
    for (method, path, status) in [
        ("POST", "/readyz", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/metrics", 401),
        ("GET", "/", 401),
        ("GET", "/readyz/", 401),
    ] {
        assert_eq!(ask(&at.admin, method, path).0, status, "{method} {path}");
    }
    assert_eq!(ask(&at.public, "POST", "/ocsp"), (200, "0\u{3}\n\u{1}\u{1}".to_owned()), "no request: malformed");
    for (method, path) in [("GET", "/healthz"), ("GET", "/readyz"), ("POST", "/readyz"), ("GET", "/crl/no.crl")] {
        assert_eq!(ask(&at.public, method, path).0, 404, "{method} {path}");
    }
    // More header than a probe could ever have, more headers, and what isn't HTTP.
    let long = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024));
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));
    for request in [long, many, "\0\0\0\0\r\n\r\n".to_owned()] {
        let answer = send(&at.admin, request.as_bytes());
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    assert_eq!(ask(&at.admin, "GET", "/healthz").0, 200, "and it still answers");
}

/// As the README says: what is served is proved while it is served, and its copy is a ledger.
#[test]
fn a_served_ledger_is_proved_and_its_copy_restored() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let file = config.with_file_name("ledger.db");
    let mut serve = Program::serve(&config, &[]);
    serve.ready();
    let last = SqliteLedger::open(&file).unwrap().events_after(Position(0), usize::MAX).unwrap().pop().unwrap();
    let last = decode_event(&last.bytes).unwrap().time;
    let beaten = || SqliteLedger::open(&file).unwrap().heartbeat().unwrap().is_some_and(|beat| beat.time > last);
    until("the heart beats after the last event", beaten);
    let tashika = |verb: &[&str]| run(&[&["ledger"], verb, &["--config", config.to_str().unwrap()]].concat());
    let (code, text, error) = tashika(&["verify"]);
    assert!(code == 0 && text.contains("nothing is wrong"), "{text}{error}");
    let copy = dir.path().join("copy.db");
    let (code, _, error) = tashika(&["backup", copy.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    assert!(serve.end("TERM").success());
    fs::remove_file(&file).unwrap();
    let (code, _, error) = tashika(&["restore", copy.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(tashika(&["verify"]).0, 0);
}

#[test]
fn a_signal_ends_it_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    for signal in ["TERM", "INT"] {
        let mut serve = Program::serve(&config, &[]);
        serve.ready();
        let report = ["report", "phone-found", "--config", config.to_str().unwrap(), "--holder", "demo-held"];
        let lost = ["report", "phone-lost", "--config", config.to_str().unwrap(), "--holder", "demo-good"];
        let (code, _, error) = run(if signal == "TERM" { &lost } else { &report });
        assert!(matches!(code, 0 | 1), "{error}");
        assert_eq!(serve.end(signal).code(), Some(0));
        let ledger = SqliteLedger::open(&config.with_file_name("ledger.db")).unwrap();
        let last = CheckpointFile::at(config.with_file_name("checkpoints.txt")).latest().unwrap().unwrap();
        assert_eq!(last.checkpoint.position, ledger.head().unwrap().position, "the last checkpoint is of the end");
    }
}

/// Whoever asks the probes hears that it stops, as long as the public listener still answers.
#[test]
fn while_it_drains_it_answers_and_says_that_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[keys]", "drain_grace_seconds = 3\ndrain_max_seconds = 600\n\n[keys]")).unwrap();
    let mut serve = Program::serve(&config, &[]);
    let at = serve.ready();
    serve.signal("TERM");
    until("it says so", || {
        // Each of these is an arrival, after which it waits anew.
        assert_eq!(ask(&at.public, "POST", "/ocsp").0, 200);
        let (status, body) = readiness(&at.admin);
        status == 503 && body["obstacles"].to_string().contains("stopping")
    });
    for _ in 0..3 {
        assert_eq!(ask(&at.public, "POST", "/ocsp").0, 200);
        assert_eq!(readiness(&at.admin).0, 503);
        assert_eq!(ask(&at.admin, "GET", "/healthz").0, 200);
    }
    assert!(serve.ended().success());
}

#[test]
fn a_ledger_that_lost_what_a_checkpoint_proves_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let file = config.with_file_name("ledger.db");
    let backup = dir.path().join("backup.db");
    SqliteLedger::open(&file).unwrap().backup(&backup).unwrap();
    let mut serve = Program::serve(&config, &[]);
    serve.ready();
    let lost = ["report", "phone-lost", "--config", config.to_str().unwrap(), "--holder", "demo-good"];
    let (code, _, error) = run(&lost);
    assert_eq!(code, 0, "{error}");
    assert!(serve.end("TERM").success());
    // Somebody restores yesterday's copy and hopes that nobody notices.
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(config.with_file_name(format!("ledger.db{ending}")));
    }
    fs::copy(&backup, &file).unwrap();
    let kept = fs::read(config.with_file_name("checkpoints.txt")).unwrap();
    let (folder, name) = (config.parent().unwrap().to_str().unwrap(), config.to_str().unwrap());
    let ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let serve = [&["serve", "--config", name][..], &ports].concat();
    for arguments in [&serve[..], &lost, &["up", "--dir", folder, "--admin", "127.0.0.1:0"]] {
        let (code, out, error) = run(arguments);
        assert_eq!(code, 6, "{arguments:?}: {error}");
        assert!(error.contains("ledger adopt") && !out.contains("ready"), "{arguments:?}: {out}{error}");
    }
    assert_eq!(fs::read(config.with_file_name("checkpoints.txt")).unwrap(), kept, "nothing more was signed");
}

#[test]
fn a_leader_that_disagrees_with_its_checkpoints_writes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let other = demonstration(&other);
    let mut serve = Program::serve(&config, &[]);
    let at = serve.ready();
    fs::copy(other.with_file_name("checkpoints.txt"), config.with_file_name("checkpoints.txt")).unwrap();
    until("it leads no longer, and says why", || {
        let (status, body) = readiness(&at.admin);
        status == 503 && body["obstacles"].to_string().contains("checkpoint-disagrees")
    });
    let ledger = SqliteLedger::open(&config.with_file_name("ledger.db")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(600));
    let last = ledger.heartbeat().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(ledger.heartbeat().unwrap(), last, "the heart of a leader beats every second");
    assert!(serve.end("TERM").success());
}

#[test]
fn nothing_new_is_made_beside_what_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let up = ["up", "--dir", config.parent().unwrap().to_str().unwrap(), "--admin", "127.0.0.1:0"];
    for (gone, says) in
        [("pseudonym.key", "pseudonym.key"), ("checkpoint.key", "checkpoint.key"), ("ledger.db", "ledger restore")]
    {
        let (file, aside) = (config.with_file_name(gone), dir.path().join("aside"));
        fs::rename(&file, &aside).unwrap();
        let (code, _, error) = run(&up);
        assert_eq!(code, 7, "{gone}: {error}");
        assert!(error.contains(says) && !file.exists(), "{gone}: {error}");
        fs::rename(&aside, &file).unwrap();
    }
    let mut serving = Program::start(&up);
    serving.ready();
    let (code, _, error) = run(&[&up[..], &["--renew-demo"]].concat());
    assert!(code == 1 && error.contains("stop it first"), "{error}");
}

#[test]
fn what_can_t_be_served_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let text = fs::read_to_string(&config).unwrap();
    let with = |name: &str, from: &str, to: &str| {
        assert!(text.contains(from));
        let file = config.with_file_name(name);
        fs::write(&file, text.replace(from, to)).unwrap();
        file
    };
    let open = config.with_file_name("open.key");
    fs::write(&open, "x").unwrap();
    for (file, code, says) in [
        (with("a.toml", "ledger.db", "nowhere.db"), 3, "nowhere.db"),
        (with("b.toml", "ledger.db", "admin.token"), 6, "admin.token' isn't a tashika ledger"),
        (with("c.toml", "checkpoint.key", "pseudonym.key"), 7, "pseudonym.key"),
        (with("d.toml", "checkpoint.key", "open.key"), 7, "chmod 600"),
        (with("e.toml", "every_seconds", "every_second"), 2, "every_second"),
    ] {
        let name = file.to_str().unwrap();
        let (exit, _, error) = run(&["serve", "--config", name, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        assert_eq!(exit, code, "{error}");
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    }
    let key = config.with_file_name("pseudonym.key");
    let first = fs::read(&key).unwrap();
    fs::write(&key, "ab".repeat(32)).unwrap();
    let (exit, _, error) = run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(exit == 7 && error.contains("is not the key that made the names"), "{error}");
    fs::write(&key, first).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (exit, _, error) = run(&["serve", "--config", config.to_str().unwrap(), "--listen", &address]);
    assert_eq!(exit, 2, "{error}");
    assert!(error.contains(&address), "{error}");
}
