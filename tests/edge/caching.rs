//! What caches may keep: headers of both profiles, conditional requests, and what is never stored.

use tashika::model::{Change, Millis, Reason};
use tashika::responder::{Policy, Profile, Refusal};

use crate::bureau::{Ca, KeyNo};
use crate::client::{Client, Response, alone, base64, get, get_with, post};
use crate::house::{Clock, House, Plan};
use crate::ocsp::{Form, Said, TRY_LATER, cert_id, request};

const NOON: &str = "Fri, 20 Nov 2026 03:00:00 GMT";

fn with(profile: Profile, now: fn() -> Millis) -> House {
    let ca = Ca::p256().with(|policy| *policy = Policy { presign: policy.presign, ..Policy::of(profile) });
    House::of(Plan { cas: vec![ca], now, ..Plan::default() })
}

fn path(house: &House) -> String {
    format!("/{}", base64(&house.request()))
}

fn caching(response: &Response) -> [Option<&str>; 4] {
    ["cache-control", "last-modified", "expires", "pragma"].map(|name| response.header(name))
}

#[test]
fn h5_h6_the_national_profile_keeps_an_answer_for_a_minute_and_for_its_caller() {
    static CLOCK: Clock = Clock::new();
    let house = with(Profile::National, || CLOCK.now());
    let expires = Some("Fri, 20 Nov 2026 03:10:00 GMT");
    let first = alone(house.at, &get(&path(&house)));
    assert_eq!(caching(&first), [Some("max-age=60, private"), Some(NOON), expires, None]);
    let tag = first.header("etag").unwrap();
    assert!(tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
    // No longer than the answer itself. What is known is heard again meanwhile.
    CLOCK.pass(560);
    house.hear(CLOCK.now());
    let last = alone(house.at, &get(&path(&house)));
    assert_eq!(caching(&last), [Some("max-age=40, private"), Some(NOON), expires, None]);
    assert_eq!((last.body, last.headers.iter().any(|(name, _)| name == "age")), (first.body.clone(), false));
    CLOCK.pass(40);
    house.hear(CLOCK.now());
    let next = alone(house.at, &get(&path(&house)));
    assert!(next.body != first.body && next.header("etag") != first.header("etag"));
}

#[test]
fn h5_h6_the_web_profile_is_for_everybody_s_caches() {
    let house = with(Profile::Web, crate::house::noon);
    let response = alone(house.at, &get(&path(&house)));
    let control = format!("max-age={}, public, no-transform, must-revalidate", 4 * 86_400);
    let expires = Some("Tue, 24 Nov 2026 03:00:00 GMT");
    assert_eq!(caching(&response), [Some(&control[..]), Some(NOON), expires, None]);
}

#[test]
fn every_answer_says_how_far_the_ledger_was_read() {
    let mut house = House::usual();
    let position = |house: &House, asked: &[u8]| alone(house.at, asked).header("tashika-position").unwrap().to_owned();
    let asked = house.request();
    assert_eq!(position(&house, &post("/", &asked)), "1.1");
    let good = house.good;
    house.bureau.change(good, &Change::Revoked { reason: Reason::KeyCompromise, at: house.bureau.time, lost_at: None });
    for asked in [post("/", &asked), post("/", b"x"), get("/nowhere"), get("/"), get("/p/bank/login/MEUw")] {
        assert_eq!(position(&house, &asked), "1.2", "{}", String::from_utf8_lossy(&asked));
    }
}

#[test]
fn h7_who_has_the_answer_already_gets_no_body() {
    let house = with(Profile::Web, crate::house::noon);
    let first = alone(house.at, &get(&path(&house)));
    let tag = first.header("etag").unwrap();
    let asking =
        |condition: &str| alone(house.at, &get_with(&path(&house), &format!("If-None-Match: {condition}\r\n")));
    for condition in
        [tag.to_owned(), format!("\"x\", {tag}"), format!("W/{tag}"), "*".into(), format!("\"x\",{tag},\"y\"")]
    {
        let response = asking(&condition);
        assert_eq!(response.status, 304, "{condition}");
        for name in ["etag", "cache-control", "expires", "tashika-position"] {
            assert_eq!(response.header(name), first.header(name), "{condition}: {name}");
        }
        assert_eq!((response.header("content-type"), response.header("content-length")), (None, None), "{condition}");
    }
    for condition in ["\"x\"", "x", "", "\"\"", "W/\"x\"", &tag[..20], "\u{7f}"] {
        let response = asking(condition);
        assert!(response.status == 200 && response.body == first.body || response.status == 400, "{condition}");
    }
    // On one connection a body that isn't sent must not be waited for.
    let mut client = Client::of(house.at);
    for _ in 0..3 {
        client.send(&get_with(&path(&house), &format!("If-None-Match: {tag}\r\n")));
        assert_eq!(client.next().unwrap().status, 304);
        assert_eq!(client.ask(&get(&path(&house))).body, first.body);
    }
    // A POST is no cache's business.
    let with_tag =
        String::from_utf8_lossy(&post("/", b"")).replace("Host: x", &format!("Host: x\r\nIf-None-Match: {tag}"));
    let body = house.request();
    let head = with_tag.replace("Content-Length: 0", &format!("Content-Length: {}", body.len()));
    assert_eq!(alone(house.at, &[head.as_bytes(), &body].concat()).status, 200);
}

#[test]
fn h7_a_date_counts_only_when_nothing_can_have_happened_since() {
    static CLOCK: Clock = Clock::new();
    let mut house = with(Profile::National, || CLOCK.now());
    let since = |house: &House, date: &str, more: &str| {
        alone(house.at, &get_with(&path(house), &format!("If-Modified-Since: {date}\r\n{more}")))
    };
    assert_eq!(since(&house, NOON, "").status, 200, "signed this very second");
    CLOCK.pass(1);
    assert_eq!(since(&house, NOON, "").status, 200);
    CLOCK.pass(1);
    house.hear(CLOCK.now());
    assert_eq!(since(&house, NOON, "").status, 304);
    assert_eq!(since(&house, "Fri, 20 Nov 2026 02:59:59 GMT", "").status, 200);
    assert_eq!(since(&house, NOON, "If-None-Match: \"x\"\r\n").status, 200, "tags count alone");
    for garbage in ["yesterday", "", "Fri, 99 Nov 2026 03:00:00 GMT", "Friday, 20-Nov-26 03:00:00 GMT"] {
        assert_eq!(since(&house, garbage, "").status, 200, "{garbage}");
    }
    // Revoked in the second in which the client's copy was made.
    let good = house.good;
    house.bureau.change(good, &Change::Revoked { reason: Reason::KeyCompromise, at: house.bureau.time, lost_at: None });
    for _ in 0..3 {
        let response = since(&house, "Fri, 20 Nov 2026 03:00:02 GMT", "");
        assert_eq!(response.status, 200, "a loss is never hidden by a date");
        assert!(matches!(house.seen(&response.body).said(), Said::Revoked(_, Some(1))));
        CLOCK.pass(5);
        house.hear(CLOCK.now());
    }
}

#[test]
fn h9_a_request_that_wants_no_cache_is_answered_all_the_same() {
    let house = House::usual();
    let response =
        alone(house.at, &get_with(&path(&house), "Cache-Control: no-cache, no-store\r\nPragma: no-cache\r\n"));
    assert_eq!((response.status, response.header("cache-control")), (200, Some("max-age=60, private")));
}

#[test]
fn what_says_unknown_repeats_a_nonce_or_isn_t_signed_is_never_stored() {
    let house = House::usual();
    let id = cert_id(&house.bureau.cas[0].certificate(), house.good.1.serial.as_octets(), Form::Sha1Null);
    let unknown = house.bureau.usual(0, &house.bureau.key(0, 77));
    for asked in [request(&[id], Some(&[1; 16])), unknown] {
        for sent in [post("/", &asked), get(&format!("/{}", base64(&asked)))] {
            let response = alone(house.at, &sent);
            assert_eq!(response.status, 200);
            assert_eq!(caching(&response), [Some("no-store"), None, None, None]);
            assert_eq!(response.header("etag"), None);
        }
    }
    let house = House::of(Plan { cas: vec![Ca { key: KeyNo::None, ..Ca::p256() }], ..Plan::default() });
    let response = alone(house.at, &post("/", &house.request()));
    assert_eq!((response.status, house.seen(&response.body).status), (200, TRY_LATER), "r15");
    assert_eq!((caching(&response)[0], response.body.len()), (Some("no-store"), 5));
    assert_eq!(Refusal::NoSigner.reply().der()[..], response.body);
}

#[test]
fn h8_the_same_question_gets_the_same_octets() {
    let house = with(Profile::Web, crate::house::noon);
    let answers: Vec<_> = (0..4).map(|_| alone(house.at, &get(&path(&house)))).collect();
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    assert_eq!(alone(house.at, &post("/", &house.request())).body, answers[0].body);
}
