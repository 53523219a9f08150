//! Many requests over one connection, and many connections over few threads.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tashika::http;
use tashika::model::Millis;

use crate::client::{Client, alone, base64, get, post};
use crate::house::{EDGE, House, Plan, noon};
use crate::ocsp::Said;

#[test]
fn h10_pipelined_requests_are_answered_in_order() {
    let mut house = House::usual();
    let keys: Vec<_> = (0..40).map(|_| house.bureau.register(0).1).collect();
    // Kept ones between those that must be signed first: order is the client's, not the signer's.
    alone(house.at, &post("/", &house.bureau.usual(0, &keys[7])));
    let mut client = Client::of(house.at);
    let asked: Vec<u8> = keys
        .iter()
        .enumerate()
        .flat_map(|(at, key)| {
            let request = house.bureau.usual(0, key);
            if at % 2 == 0 { post("/", &request) } else { get(&format!("/{}", base64(&request))) }
        })
        .collect();
    client.send(&asked);
    for key in &keys {
        let response = client.next().expect("an answer to each");
        let seen = house.seen(&response.body);
        let id = crate::ocsp::cert_id(
            &house.bureau.cas[0].certificate(),
            key.serial.as_octets(),
            crate::ocsp::Form::Sha1Null,
        );
        assert_eq!(seen.single().cert_id, rasn::der::encode(&id).unwrap());
    }
}

#[test]
fn h10_http_1_0_ends_after_the_answer_unless_asked_to_stay() {
    let house = House::usual();
    let body = house.request();
    let old = |more: &str| {
        let head = format!(
            "POST / HTTP/1.0\r\n{more}Content-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), &body].concat()
    };
    let mut client = Client::of(house.at);
    let response = client.ask(&old(""));
    assert_eq!(house.seen(&response.body).said(), Said::Good);
    assert!(client.ends());
    let mut client = Client::of(house.at);
    for _ in 0..3 {
        assert_eq!(client.ask(&old("Connection: keep-alive\r\n")).status, 200);
    }
    let mut client = Client::of(house.at);
    assert_eq!(client.ask(&get(&format!("/{}", base64(&body)))).status, 200);
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(client.next().unwrap().header("connection"), Some("close"));
    assert!(client.ends());
}

/// Which threads have read the clock for a request, each as often as it did.
static SERVED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn counting() -> Millis {
    let thread = std::thread::current();
    if thread.name() == Some(EDGE) {
        *SERVED.lock().unwrap().entry(format!("{:?}", thread.id())).or_default() += 1;
    }
    noon()
}

/// Long connections are few, and a hash of their addresses is unkind to few: they are counted, not timed.
#[test]
fn eight_long_connections_lie_evenly_on_two_threads() {
    for shared in [false, true, false, true, false, true] {
        let plan = Plan { threads: 2, now: counting, ..Plan::default() };
        // One that was given, and whose queue both threads share; or one for each.
        let given = || vec![std::net::TcpListener::bind(plan.at).unwrap()];
        let sockets = if shared { http::spread(&given(), 2) } else { http::listen(plan.at, 2) };
        let house = House::on(sockets.unwrap(), plan);
        let asked = post("/", &house.request());
        let mut clients = Vec::new();
        for _ in 0..8 {
            let mut client = Client::of(house.at);
            assert_eq!(client.ask(&asked).status, 200);
            clients.push(client);
        }
        SERVED.lock().unwrap().clear();
        clients.iter_mut().for_each(|client| assert_eq!(client.ask(&asked).status, 200));
        let served: Vec<_> = SERVED.lock().unwrap().values().copied().collect();
        assert_eq!(served.len(), 2, "both threads serve");
        assert_eq!(served[0], served[1]);
    }
}

/// A client is answered whatever else is open.
#[test]
fn a_thousand_idle_connections_disturb_nobody() {
    let house = House::of(Plan { threads: 2, ..Plan::default() });
    let idle: Vec<_> = (0..1_000).map(|_| Client::of(house.at)).collect();
    let asked = post("/", &house.request());
    let mut client = Client::of(house.at);
    (0..50).for_each(|_| assert_eq!(client.ask(&asked).status, 200));
    (0..20).for_each(|_| assert_eq!(alone(house.at, &asked).status, 200));
    drop(idle);
}

/// With all places taken, who was idle for longest leaves, some at a time; who is at work stays.
#[test]
fn when_places_are_short_idle_connections_leave_and_busy_ones_stay() {
    let mut plan = Plan::default();
    plan.limits.connections_max = 100;
    let house = House::of(plan);
    let asked = post("/", &house.request());
    let mut first = Client::of(house.at);
    assert_eq!(first.ask(&asked).status, 200);
    let mut half = Client::of(house.at);
    half.send(&asked[..asked.len() - 1]);
    let mut idle: Vec<_> = (0..98).map(|_| Client::of(house.at)).collect();
    for _ in 0..20 {
        let mut more = Client::of(house.at);
        assert_eq!(more.ask(&asked).status, 200);
        idle.push(more);
    }
    half.send(&asked[asked.len() - 1..]);
    assert_eq!(half.next().expect("its request was on its way").status, 200);
    // Who is gone has been told so; the rest is still served.
    let mut served = 0;
    for client in &mut idle {
        client.send(&asked);
        served += usize::from(client.next().is_some());
    }
    assert!((70..=100).contains(&served), "{served} of 118 for 100 places");
}
