//! The word to stop: who was let in is answered, nobody is reset, and a successor on the same address goes on.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tashika::http;

use crate::client::{Client, base64, get, get_with, post, until};
use crate::house::{House, Plan};

/// One request over a connection of its own; an error is a reset, or a refusal.
fn once(at: std::net::SocketAddr, asked: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(at)?;
    stream.write_all(asked)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn closing(body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn what_is_under_way_ends_and_idle_connections_are_let_go() {
    let mut house = House::usual();
    let asked = post("/", &house.request());
    let mut idle = Client::of(house.at);
    assert_eq!(idle.ask(&asked).status, 200);
    let mut half = Client::of(house.at);
    half.send(&asked[..asked.len() - 1]);
    house.stop();
    assert!(idle.ends());
    half.send(&asked[asked.len() - 1..]);
    assert_eq!(half.next().expect("it was under way").status, 200);
    assert!(half.ends());
    until("the threads end", || house.has_ended());
    assert!(TcpStream::connect(house.at).is_err(), "nobody listens any more");
}

#[test]
fn it_waits_until_nothing_arrives_any_more() {
    let mut house = House::usual();
    let asked = closing(&house.request());
    house.stop();
    // New connections, each sooner than the grace after the one before.
    for _ in 0..15 {
        assert!(once(house.at, &asked).unwrap().starts_with(b"HTTP/1.0 200"));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!house.has_ended());
    }
    until("then it ends", || house.has_ended());
}

#[test]
fn it_does_not_wait_for_ever() {
    let mut plan = Plan::default();
    plan.limits.drain_max = Duration::from_millis(600);
    let mut house = House::of(plan);
    let asked = closing(&house.request());
    house.stop();
    let at = house.at;
    until("it ends although more and more arrive", || {
        let _ = once(at, &asked);
        house.has_ended()
    });
}

/// A plan whose connections nobody ends but their callers.
fn patient(threads: usize) -> Plan {
    let mut plan = Plan { threads, ..Plan::default() };
    plan.limits.drain_grace = plan.limits.drain_max;
    plan
}

#[test]
fn who_keeps_a_connection_is_told_that_an_answer_is_the_last() {
    let mut house = House::of(patient(1));
    let path = format!("/{}", base64(&house.request()));
    // One that is recognised as it comes, one that hyper reads.
    for asked in [get(&path), get_with(&path, "If-None-Match: \"x\"\r\n")] {
        let mut client = Client::of(house.at);
        (0..3).for_each(|_| assert_eq!(client.ask(&asked).header("connection"), None));
    }
    let mut plain = Client::of(house.at);
    let mut other = Client::of(house.at);
    assert_eq!(other.ask(&get_with(&path, "If-None-Match: \"x\"\r\n")).status, 200);
    assert_eq!(plain.ask(&get(&path)).status, 200);
    house.succeed();
    for (mut client, headers) in [(plain, ""), (other, "If-None-Match: \"x\"\r\n")] {
        until("it hears of it", || {
            let last = client.ask(&get_with(&path, headers));
            assert_eq!(last.status, 200);
            last.header("connection") == Some("close")
        });
        assert!(client.ends());
    }
    until("everybody has left", || house.has_ended());
}

#[test]
fn who_sends_on_before_hearing_of_it_gets_what_was_answered() {
    let mut house = House::of(patient(1));
    let asked = get(&format!("/{}", base64(&house.request())));
    let mut first = Client::of(house.at);
    assert_eq!(first.ask(&asked).status, 200);
    let mut client = Client::of(house.at);
    assert_eq!(client.ask(&asked).status, 200);
    house.succeed();
    until("it hears of it", || first.ask(&asked).header("connection").is_some());
    // Three at once: the last of those that have come is the last.
    client.send(&[&asked[..], &asked, &asked].concat());
    let said = [(); 3].map(|()| client.next().expect("all were there").header("connection").map(str::to_owned));
    assert_eq!(said, [None, None, Some("close".to_owned())]);
    // What comes now is too late for an answer, and yet takes nothing back of what was answered.
    for _ in 0..20 {
        client.send(&asked);
    }
    assert_eq!(client.0.fill_buf().expect("no reset").len(), 0);
    drop((first, client));
    until("everybody has left", || house.has_ended());
}

/// Connections that are asked over again and again move to the successor without one request lost.
#[test]
fn who_keeps_connections_busy_moves_to_a_successor() {
    let listeners = http::listen("127.0.0.1:0".parse().unwrap(), 2).unwrap();
    let copies = listeners.iter().map(|listener| listener.try_clone().unwrap()).collect();
    let mut before = House::on(listeners, patient(2));
    let (asked, at) = (post("/", &before.request()), before.at);
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Client::of(at);
                while !over.load(Ordering::Relaxed) {
                    client.send(&asked);
                    let answer = client.next().expect("neither closed nor reset unsaid");
                    assert_eq!(answer.status, 200);
                    if answer.header("connection") == Some("close") {
                        client = Client::of(at);
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let some_more = || {
            let than = answered.load(Ordering::Relaxed);
            until("requests go on", || answered.load(Ordering::Relaxed) > than + 100);
        };
        some_more();
        let after = House::on(copies, Plan { threads: 2, ..Plan::default() });
        some_more();
        before.succeed();
        until("the one before ends", || before.has_ended());
        some_more();
        over.store(true, Ordering::Relaxed);
        after
    });
}

/// A successor listens before the one before stops, on sockets of its own: under one connection for each request, nobody
/// is reset or refused.
#[test]
fn a_successor_takes_over_and_nobody_is_reset() {
    let listeners = http::listen("127.0.0.1:0".parse().unwrap(), 2).unwrap();
    let mut listeners = listeners.into_iter();
    let [first, second] = [listeners.next().unwrap(), listeners.next().unwrap()];
    // As when sockets are handed over: the one goes on listening on what the other listened on.
    let copies = [first.try_clone().unwrap(), second.try_clone().unwrap()];
    let mut before = House::on(vec![first, second], Plan { threads: 2, ..Plan::default() });
    let (asked, at) = (closing(&before.request()), before.at);
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (over, answered, asked) = (over.clone(), answered.clone(), asked.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = once(at, &asked).expect("neither reset nor refused");
                    assert!(answer.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&answer));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let some_more = |than: usize| until("requests go on", || answered.load(Ordering::Relaxed) > than + 50);
    some_more(0);
    let after = House::on(copies.into(), Plan { threads: 2, ..Plan::default() });
    some_more(answered.load(Ordering::Relaxed));
    before.stop();
    until("the one before ends", || before.has_ended());
    some_more(answered.load(Ordering::Relaxed));
    over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
    drop(after);
}
