//! Clients that are slow, silent, too long, or speak something else: ended within their limits, and nobody else notices.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{Client, alone, get, post};
use crate::house::{House, Plan};
use crate::ocsp::Said;

fn short(which: impl FnOnce(&mut tashika::http::TimeLimits, Duration)) -> House {
    let mut plan = Plan::default();
    which(&mut plan.limits.times, Duration::from_millis(400));
    House::of(plan)
}

fn still_serves(house: &House) {
    let response = alone(house.at, &post("/", &house.request()));
    assert_eq!(house.seen(&response.body).said(), Said::Good);
}

#[test]
fn a_header_that_never_ends_is_ended() {
    let house = short(|times, short| times.header = short);
    let mut silent = Client::of(house.at);
    let mut stuck = Client::of(house.at);
    stuck.send(b"POST / HTTP/1.1\r\nHo");
    let mut dripping = Client::of(house.at);
    dripping.send(b"GET /M");
    let mut drips = dripping.0.get_ref().try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        while drips.write_all(b"A").is_ok() {
            std::thread::sleep(Duration::from_millis(50))
        }
    });
    assert!(stuck.ends());
    assert!(dripping.ends(), "however many octets come");
    drop(dripping);
    drip.join().unwrap();
    still_serves(&house);
    assert_eq!(silent.ask(&post("/", &house.request())).status, 200, "who has sent nothing is only idle");
}

#[test]
fn a_body_that_never_ends_is_ended() {
    let house = short(|times, short| times.body = short);
    let asked = post("/", &house.request());
    let mut stuck = Client::of(house.at);
    stuck.send(&asked[..asked.len() - 1]);
    let mut chunked = Client::of(house.at);
    chunked.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    for client in [&mut stuck, &mut chunked] {
        // Ended, with or without a word of complaint.
        while let Some(response) = client.next() {
            assert!((400..500).contains(&response.status));
        }
    }
    still_serves(&house);
}

#[test]
fn who_is_idle_for_too_long_is_ended_and_who_asks_is_not() {
    let house = short(|times, short| times.idle = short);
    let asked = post("/", &house.request());
    let mut silent = Client::of(house.at);
    let mut once = Client::of(house.at);
    assert_eq!(once.ask(&asked).status, 200);
    let mut busy = Client::of(house.at);
    let ended = std::thread::spawn(move || silent.ends() && once.ends());
    while !ended.is_finished() {
        assert_eq!(busy.ask(&asked).status, 200);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(ended.join().unwrap());
    assert_eq!(busy.ask(&asked).status, 200);
}

#[test]
fn h11_twenty_stalled_posts_block_nobody() {
    let house = House::usual();
    let asked = post("/", &house.request());
    let mut stalled: Vec<_> = (0..20).map(|_| Client::of(house.at)).collect();
    stalled.iter_mut().for_each(|client| client.send(&asked[..asked.len() / 2 + 40]));
    for _ in 0..20 {
        still_serves(&house);
    }
    for client in &mut stalled {
        client.send(&asked[asked.len() / 2 + 40..]);
        assert_eq!(client.next().unwrap().status, 200);
    }
}

#[test]
fn h11_what_is_no_request_is_survived() {
    let house = House::usual();
    let line = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "A".repeat(70_000));
    let headers = format!("GET /M HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let long = format!("GET /M HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n", "y".repeat(70_000));
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0x5a; 500]].concat();
    for octets in [
        line.into_bytes(),
        headers.into_bytes(),
        long.into_bytes(),
        hello,
        vec![0; 300],
        b"\r\n\r\n\r\n?\r\n\r\n".to_vec(),
    ] {
        let mut client = Client::of(house.at);
        client.send(&octets);
        if let Some(response) = client.next() {
            assert!((400..500).contains(&response.status), "{}", response.status);
        }
        assert!(client.ends());
        still_serves(&house);
    }
    // As it is in the standard: nothing after it is a request.
    assert_eq!(alone(house.at, b"GET /M HTTP/1.1\r\n Host: x\r\n\r\n").status, 400);
}

#[test]
fn h11_half_requests_and_connections_that_say_nothing_are_survived() {
    let house = House::usual();
    let asked = post("/", &house.request());
    for at in (0..asked.len()).step_by(3) {
        let mut stream = TcpStream::connect(house.at).unwrap();
        stream.write_all(&asked[..at]).unwrap();
    }
    for _ in 0..200 {
        drop(TcpStream::connect(house.at).unwrap());
    }
    // Gone before the answer, which needs a signature.
    for number in 0..50 {
        let never = house.bureau.usual(0, &house.bureau.key(0, 500 + number));
        TcpStream::connect(house.at).unwrap().write_all(&post("/", &never)).unwrap();
    }
    still_serves(&house);
    assert_eq!(alone(house.at, &get("/nowhere")).status, 404);
}

/// Nobody signs, nobody asks the ledger: whoever waits is told so, and not left alone.
#[test]
fn who_waits_for_a_signature_that_never_comes_is_told_to_come_again() {
    let house = House::of(Plan { signers: 0, ..Plan::default() });
    let missing = house.bureau.usual(0, &house.bureau.key(0, 77));
    for asked in [house.request(), missing] {
        let response = alone(house.at, &post("/", &asked));
        assert_eq!(house.seen(&response.body).status, crate::ocsp::TRY_LATER);
    }
}
