//! HTTP/2 by prior knowledge (RFC 9113 §3.4): frames written here octet by octet.

use std::io::{BufRead as _, Read as _};

use crate::client::{Client, get, until};
use crate::files::{LONG, crl, octets, publish};
use crate::house::{House, Plan};
use crate::ocsp::Said;

const WINDOW_UPDATE: u8 = 8;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header without compression: literal, never indexed, both parts plain.
fn literal(name: &str, value: &str) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    [&[0x10, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

/// The head of a POST.
fn begun(stream: u32) -> Vec<u8> {
    let headers = [
        literal(":method", "POST"),
        literal(":scheme", "http"),
        literal(":authority", "x"),
        literal(":path", "/"),
        literal("content-type", "application/ocsp-request"),
    ];
    frame(HEADERS, END_HEADERS, stream, &headers.concat())
}

fn post(stream: u32, body: &[u8]) -> Vec<u8> {
    [begun(stream), frame(DATA, END_STREAM, stream, body)].concat()
}

/// A request without a body for a file.
fn file(method: &str, stream: u32) -> Vec<u8> {
    let headers = [
        literal(":method", method),
        literal(":scheme", "http"),
        literal(":authority", "x"),
        literal(":path", "/crl/a.crl"),
    ];
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers.concat())
}

/// The other side may send so many octets more on a stream, or on all of them together.
fn room(stream: u32, octets: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &octets.to_be_bytes())
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// The next frame; None: the connection has ended.
fn next(client: &mut Client) -> Option<Frame> {
    let mut head = [0; 9];
    if client.0.fill_buf().unwrap().is_empty() {
        return None;
    }
    client.0.read_exact(&mut head).unwrap();
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; length];
    client.0.read_exact(&mut payload).unwrap();
    Some(Frame { kind: head[3], flags: head[4], stream, payload })
}

/// Who speaks HTTP/2 is told to go elsewhere at once, may still ask until it has heard of it, and is answered.
#[test]
fn a_connection_that_is_to_leave_is_told_by_a_goaway() {
    let mut plan = Plan::default();
    plan.limits.drain_grace = plan.limits.drain_max;
    let mut house = House::of(plan);
    let mut client = Client::of(house.at);
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send(&frame(SETTINGS, 0, 0, &[]));
    client.send(&post(1, &house.request()));
    while !next(&mut client).is_some_and(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0) {}
    house.succeed();
    let mut last_streams = Vec::new();
    let mut answered = Vec::new();
    while let Some(Frame { kind, flags, stream, payload }) = next(&mut client) {
        match (kind, stream) {
            (GOAWAY, 0) => {
                assert_eq!(payload[4..8], [0; 4], "no error");
                last_streams.push(u32::from_be_bytes(payload[..4].try_into().unwrap()));
            }
            (PING, 0) if flags & ACK == 0 => {
                client.send(&post(3, &house.request()));
                client.send(&frame(PING, ACK, 0, &payload));
            }
            (DATA, 3) => answered.extend(payload),
            _ => {}
        }
    }
    assert_eq!(last_streams, [i32::MAX as u32, 3], "first that it goes, then which request was the last");
    assert_eq!(house.seen(&answered).said(), Said::Good);
    drop(client);
    until("nobody is left", || house.has_ended());
}

#[test]
fn several_streams_over_one_connection_are_answered() {
    let mut house = House::usual();
    let keys: Vec<_> = (0..8).map(|_| house.bureau.register(0).1).collect();
    let mut client = Client::of(house.at);
    // In two pieces, as it may come.
    client.send(b"PRI * HTTP/2.0\r\n");
    std::thread::sleep(std::time::Duration::from_millis(20));
    client.send(b"\r\nSM\r\n\r\n");
    client.send(&frame(SETTINGS, 0, 0, &[]));
    for (at, key) in keys.iter().enumerate() {
        client.send(&post(at as u32 * 2 + 1, &house.bureau.usual(0, key)));
    }
    let mut bodies = vec![Vec::new(); keys.len()];
    let mut open = keys.len();
    while open > 0 {
        let Frame { kind, flags, stream, payload } = next(&mut client).unwrap();
        match (kind, stream) {
            // `:status 200` is the eighth of the static table.
            (HEADERS, 1..) => assert_eq!(payload[0], 0x88),
            (DATA, 1..) => bodies[stream as usize / 2].extend(payload),
            _ => {}
        }
        open -= usize::from(stream > 0 && flags & END_STREAM != 0);
    }
    for (body, key) in bodies.iter().zip(&keys) {
        let id = crate::ocsp::cert_id(
            &house.bureau.cas[0].certificate(),
            key.serial.as_octets(),
            crate::ocsp::Form::Sha1Null,
        );
        let seen = house.seen(body);
        assert_eq!((seen.said(), &seen.single().cert_id), (Said::Good, &rasn::der::encode(&id).unwrap()));
    }
}

/// A download whose reader takes no more holds up neither answers on the same connection nor itself for good.
#[test]
fn a_file_waits_for_its_reader_and_answers_don_t_wait_for_the_file() {
    let house = House::usual();
    let content = octets(LONG, 1);
    publish(&house, vec![("crl/a.crl", crl(content.clone()))]);
    let mut client = Client::of(house.at);
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send(&[frame(SETTINGS, 0, 0, &[]), room(0, 1 << 30), file("GET", 1)].concat());
    let (mut taken, mut answered) = (Vec::new(), Vec::new());
    while taken.len() < 65_535 {
        let Frame { kind, stream, payload, .. } = next(&mut client).unwrap();
        if (kind, stream) == (DATA, 1) {
            taken.extend(payload);
        }
    }
    assert_eq!(house.files.sending(), 1);
    client.send(&post(3, &house.request()));
    client.send(&file("HEAD", 5));
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let Frame { kind, flags, stream, payload } = next(&mut client).unwrap();
        match (kind, stream) {
            (DATA, 3) => answered.extend(payload),
            (DATA, other) => panic!("octets of stream {other}, which may send none"),
            _ => {}
        }
        if stream > 0 && flags & END_STREAM != 0 {
            ended.push(stream);
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, [3, 5]);
    assert_eq!(house.seen(&answered).said(), Said::Good);
    client.send(&room(1, LONG as u32));
    while taken.len() < LONG {
        let Frame { kind, stream, payload, .. } = next(&mut client).unwrap();
        if (kind, stream) == (DATA, 1) {
            taken.extend(payload);
        }
    }
    assert!(taken == content);
    until("it was whole", || house.files.sums().contains(&("whole", 1)));
}

#[test]
fn a_file_that_nobody_takes_is_ended_whatever_else_the_client_says() {
    let mut plan = Plan::default();
    plan.limits.times.idle = std::time::Duration::from_millis(400);
    let house = House::of(plan);
    publish(&house, vec![("crl/a.crl", crl(octets(LONG, 1)))]);
    let mut client = Client::of(house.at);
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send(&[frame(SETTINGS, 0, 0, &[]), file("GET", 1)].concat());
    until("it is ended", || {
        client.send(&frame(PING, 0, 0, &[7; 8]));
        house.files.sums().contains(&("broken-off", 1))
    });
    assert_eq!(house.files.sending(), 0);
}

#[test]
fn what_only_begins_like_it_is_no_request() {
    let house = House::usual();
    for octets in [&b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"[..], b"PRX / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut client = Client::of(house.at);
        client.send(octets);
        if let Some(response) = client.next() {
            assert!((400..506).contains(&response.status), "{}", response.status);
        }
    }
    assert_eq!(crate::client::alone(house.at, &get("/nowhere")).status, 404);
}

/// However much else goes over its connection: each body has its own time.
#[test]
fn a_body_that_never_ends_is_refused_and_the_others_are_answered() {
    let mut plan = Plan::default();
    plan.limits.times.body = std::time::Duration::from_millis(600);
    let house = House::of(plan);
    let mut client = Client::of(house.at);
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send(&frame(SETTINGS, 0, 0, &[]));
    client.send(&begun(1));
    let (mut refused, mut answered, mut asked) = (false, 0, 1);
    while !refused {
        asked += 2;
        client.send(&frame(DATA, 0, 1, b"0"));
        client.send(&post(asked, &house.request()));
        loop {
            let Frame { kind, flags, stream, payload } = next(&mut client).expect("the connection stays");
            match (kind, stream) {
                (HEADERS, 1) => assert_ne!(payload[0], 0x88, "200"),
                (DATA, 1) => refused = payload == b"the body took too long\n",
                (DATA, _) if stream == asked => answered += usize::from(flags & END_STREAM != 0),
                _ => {}
            }
            if stream == asked && flags & END_STREAM != 0 && kind <= HEADERS {
                break;
            }
        }
        // More than fit into the window of a client that never widens it.
        assert!(asked < 100, "a body without end");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(answered > 5, "{answered}");
}
