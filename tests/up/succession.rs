//! A restart under load: a successor takes the listeners over, and nobody is reset.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::program::{Program, send};
use crate::serving::demonstration;

#[test]
fn who_asks_by_one_connection_each_notices_no_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let mut serves = Program::serve(&config, &[]);
    let public = serves.ready().public;
    // No request at all: answered by every responder, in five octets.
    let request = b"POST /ocsp HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: 1\r\n\r\nx";
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let answer = send(&public, request);
                    assert!(
                        answer.starts_with("HTTP/1.0 200 OK") && answer.ends_with("0\u{3}\n\u{1}\u{1}"),
                        "{answer}"
                    );
                    answered.fetch_add(1, Ordering::Relaxed);
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
        over.store(true, Ordering::Relaxed);
    });
    assert!(serves.end("TERM").success());
}

#[test]
fn without_a_predecessor_it_binds() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let mut alone = Program::serve(&config, &["--take-over"]);
    alone.ready();
    assert!(alone.end("TERM").success());
}
