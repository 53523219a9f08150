//! A restart under load: a successor takes the listeners over, and nobody is reset.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::program::{Program, readiness, until};
use crate::serving::demonstration;

/// What openssl asks about the demonstration's good card.
fn question(config: &Path) -> Vec<u8> {
    let demo = config.parent().unwrap();
    let (card, question) = (demo.join("demo/card-auth"), demo.join("question.der"));
    let mut openssl = Command::new("openssl");
    openssl.env("OPENSSL_CONF", "/dev/null").args(["ocsp", "-no_nonce", "-issuer"]).arg(card.join("issuer.pem"));
    openssl.arg("-cert").arg(card.join("good.pem")).arg("-reqout").arg(&question);
    assert!(
        openssl
            .output()
            .expect("the openssl command line is missing: `cargo xtask setup` installs it")
            .status
            .success()
    );
    fs::read(question).unwrap()
}

fn asks(version: &str, question: &[u8]) -> Vec<u8> {
    let head = format!("Host: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}", question.len());
    [format!("POST /ocsp HTTP/{version}\r\n{head}\r\n\r\n").as_bytes(), question].concat()
}

/// Asks over one connection, and is told something of the certificate; gives it back unless it was told that this was the
/// last time.
fn ask_on(mut stream: TcpStream, asks: &[u8]) -> Option<TcpStream> {
    stream.write_all(asks).unwrap();
    let mut answer = BufReader::new(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert!(answer.read_until(b'\n', &mut head).expect("no reset") > 0, "closed without a word");
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.contains(" 200 OK\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    answer.read_exact(&mut body).expect("no reset");
    assert!(length > 100, "refused: {body:?} after {head}");
    (!head.contains("connection: close")).then(|| answer.into_inner())
}

#[test]
fn who_asks_notices_no_restart_by_one_connection_each_or_over_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    // Long: on a busy machine, who asks over and over again is idle for a while, too.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[keys]", "drain_grace_seconds = 60\ndrain_max_seconds = 60\n\n[keys]")).unwrap();
    let mut serves = Program::serve(&config, &[]);
    let public = serves.ready().public;
    let question = question(&config);
    let (once, again) = (asks("1.0", &question), asks("1.1", &question));
    let (over, answered, moved) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    ask_on(TcpStream::connect(&public).unwrap(), &once);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut open = None;
                while !over.load(Ordering::Relaxed) {
                    open = ask_on(open.unwrap_or_else(|| TcpStream::connect(&public).unwrap()), &again);
                    moved.fetch_add(usize::from(open.is_none()), Ordering::Relaxed);
                }
            });
        }
        for _ in 0..2 {
            let before = answered.load(Ordering::Relaxed);
            let mut successor = Program::serve(&config, &["--take-over"]);
            assert_eq!(successor.ready().public, public, "on the same sockets");
            assert!(std::mem::replace(&mut serves, successor).ended().success(), "the one before ends by itself");
            assert!(answered.load(Ordering::Relaxed) > before);
        }
        assert_eq!(moved.load(Ordering::Relaxed), 4, "two callers, two restarts");
        over.store(true, Ordering::Relaxed);
    });
    serves.kill();
}

#[test]
fn without_a_predecessor_it_binds() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let mut alone = Program::serve(&config, &["--take-over"]);
    alone.ready();
    assert!(alone.end("TERM").success());
}

/// Whoever can't answer keeps nobody from being answered; once there is nobody else, it says itself what is wrong with it.
#[test]
fn a_successor_that_can_t_answer_lets_nobody_in_until_it_is_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let mut serves = Program::serve(&config, &[]);
    let at = serves.ready();
    let question = asks("1.0", &question(&config));
    let ask = || ask_on(TcpStream::connect(&at.public).unwrap(), &question);
    let (signers, away) = (config.with_file_name("signers"), config.with_file_name("away"));
    fs::rename(&signers, &away).unwrap();
    for _ in 0..2 {
        let mut stopped = Program::serve(&config, &["--take-over"]);
        stopped.addresses("waiting");
        (0..50).for_each(|_| drop(ask()));
        assert_eq!(readiness(&at.admin).0, 200, "who asks the probes is answered by the one that is ready, too");
        assert!(stopped.end("TERM").success(), "and the next may try");
    }
    let mut alone = Program::serve(&config, &["--take-over"]);
    alone.addresses("waiting");
    serves.kill();
    assert_eq!(alone.addresses("listening").public, at.public);
    until("it says what is wrong", || readiness(&at.admin).1["obstacles"].to_string().contains("no-signer"));
    fs::rename(&away, &signers).unwrap();
    let mut next = Program::serve(&config, &["--take-over"]);
    assert_eq!(next.ready().public, at.public);
    assert!(alone.ended().success());
    ask();
}
