//! A restart under load: a successor takes the listeners over, and nobody is reset.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::program::{Program, send};
use crate::serving::demonstration;

/// No request at all: answered by every responder, in five octets.
fn asks(version: &str) -> Vec<u8> {
    let head = "Host: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: 1";
    format!("POST /ocsp HTTP/{version}\r\n{head}\r\n\r\nx").into_bytes()
}

/// Asks over one connection; gives it back unless it was told that this was the last time.
fn ask_on(mut stream: TcpStream) -> Option<TcpStream> {
    stream.write_all(&asks("1.1")).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n0\x03\n\x01\x01") {
        let mut octets = [0; 1_024];
        let count = stream.read(&mut octets).expect("no reset");
        assert!(count > 0, "closed without a word");
        answer.extend_from_slice(&octets[..count]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    (!answer.contains("connection: close")).then_some(stream)
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
    let request = asks("1.0");
    let (over, answered, moved) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let answer = send(&public, &request);
                    assert!(
                        answer.starts_with("HTTP/1.0 200 OK") && answer.ends_with("0\u{3}\n\u{1}\u{1}"),
                        "{answer}"
                    );
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut open = None;
                while !over.load(Ordering::Relaxed) {
                    open = ask_on(open.unwrap_or_else(|| TcpStream::connect(&public).unwrap()));
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
