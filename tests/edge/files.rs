//! Files of the shelf over HTTP: what is said of them, conditions, ranges, downloads that are slow, stalled or too many, and
//! that answers go on beside them.

use std::collections::HashMap;
use std::io::Read as _;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tashika::ledger::sha256;
use tashika::model::{Epoch, Position, Seconds};
use tashika::publisher::{File, Media, Publication};
use tashika::status::ReadTo;

use crate::client::{Client, Response, alone, get, get_with, post, until};
use crate::house::{House, Plan, noon};
use crate::ocsp::Said;

/// So long that no socket takes all of it.
pub const LONG: usize = 24 << 20;

/// No two stretches of it are alike.
pub fn octets(length: usize, seed: u64) -> Vec<u8> {
    let word = |at: u64| {
        (at ^ seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    (0..length as u64 / 8 + 1).flat_map(|at| word(at).to_le_bytes()).take(length).collect()
}

/// A CRL of an hour ago, for a day.
pub fn crl(octets: Vec<u8>) -> File {
    let made = noon().time() - Seconds::hours(1);
    File {
        media: Media::Crl,
        sha256: sha256(&[&octets]),
        octets: Arc::new(octets),
        made,
        ends: Some(made + Seconds::days(1)),
        reflects: Some(ReadTo { epoch: Epoch(2), position: Position(345) }),
    }
}

pub fn publish(house: &House, files: Vec<(&str, File)>) {
    let files: HashMap<_, _> = files.into_iter().map(|(path, file)| (path.to_owned(), Arc::new(file))).collect();
    house.shelf.put(Publication { number: None, files });
}

fn with(files: Vec<(&str, File)>) -> House {
    let house = House::usual();
    publish(&house, files);
    house
}

fn tag_of(octets: &[u8]) -> String {
    let hex: String = sha256(&[octets]).iter().map(|octet| format!("{octet:02x}")).collect();
    format!("\"{hex}\"")
}

fn outcome(house: &House, name: &str) -> u64 {
    house.files.sums().into_iter().find(|(of, _)| *of == name).expect("an outcome").1
}

fn still_answers(house: &House) {
    let response = alone(house.at, &post("/ocsp", &house.request()));
    assert_eq!(house.seen(&response.body).said(), Said::Good);
}

fn begin(at: SocketAddr, request: &[u8]) -> (Client, Response) {
    let mut client = Client::of(at);
    client.send(request);
    let head = client.head().expect("a response");
    (client, head)
}

fn rest(client: &mut Client, head: &Response) -> Vec<u8> {
    let mut body = vec![0; head.header("content-length").unwrap().parse().unwrap()];
    client.0.read_exact(&mut body).unwrap();
    body
}

#[test]
fn c25_a_crl_comes_with_everything_that_a_cache_must_know() {
    let octets = octets(1_000, 1);
    let house = with(vec![("crl/a.crl", crl(octets.clone()))]);
    let mut client = Client::of(house.at);
    let response = client.ask(&get("/crl/a.crl"));
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| name != "date");
    headers.sort();
    let expected = [
        ("accept-ranges", "bytes"),
        ("cache-control", "public, max-age=82800, no-transform"),
        ("content-length", "1000"),
        ("content-type", "application/pkix-crl"),
        ("etag", &tag_of(&octets)),
        ("expires", "Sat, 21 Nov 2026 02:00:00 GMT"),
        ("last-modified", "Fri, 20 Nov 2026 02:00:00 GMT"),
        ("tashika-position", "2.345"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((response.status, &response.body), (200, &octets));
    client.send(b"HEAD /crl/a.crl HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, zstd\r\nRange: bytes=0-1\r\n\r\n");
    let mut head = client.next_to("HEAD").unwrap();
    head.headers.retain(|(name, _)| name != "date");
    head.headers.sort();
    assert_eq!((head.status, head.headers), (200, headers));
    assert_eq!(client.ask(&get("/crl/a.crl?x=y")).body, octets, "the connection goes on, and a query says nothing");
    assert_eq!([outcome(&house, "whole"), outcome(&house, "head"), house.files.octets()], [2, 1, 2_000]);
}

#[test]
fn each_kind_has_its_type_and_what_may_change_is_asked_for_again() {
    let kinds = [
        ("crl/bundle.tar.zst", Media::Bundle, "application/zstd"),
        ("crl/index.json", Media::Json, "application/json"),
        ("crl/index.json.p7s", Media::Signature, "application/pkcs7-signature"),
        ("Old_Place/x.crl", Media::Crl, "application/pkix-crl"),
    ];
    let file = |media, octets: &[u8]| File { media, ends: None, reflects: None, ..crl(octets.to_vec()) };
    let house = House::usual();
    publish(&house, kinds.iter().map(|(path, media, _)| (*path, file(*media, path.as_bytes()))).collect());
    house.shelf.lay("ca/a.cer", &Arc::new(file(Media::Certificate, b"a")));
    house.shelf.lay("checkpoint", &Arc::new(file(Media::Text, b"a")));
    let singles = [("ca/a.cer", "application/pkix-cert"), ("checkpoint", "text/plain; charset=utf-8")];
    for (path, kind) in kinds.iter().map(|(path, _, kind)| (*path, *kind)).chain(singles) {
        let response = alone(house.at, &get(&format!("/{path}")));
        assert_eq!(response.header("content-type"), Some(kind), "{path}");
        assert_eq!(response.header("cache-control"), Some("public, no-cache, no-transform"));
        assert_eq!([response.header("expires"), response.header("tashika-position")], [None; 2]);
    }
}

#[test]
fn what_has_ended_is_stale_at_once() {
    let ended = File { ends: Some(noon().time() - Seconds(1)), ..crl(octets(10, 1)) };
    let house = with(vec![("crl/a.crl", ended)]);
    let response = alone(house.at, &get("/crl/a.crl"));
    assert_eq!(response.header("cache-control"), Some("public, max-age=0, no-transform"));
}

#[test]
fn a_client_that_has_it_is_told_so() {
    let octets = octets(1_000, 1);
    let house = with(vec![("crl/a.crl", crl(octets.clone()))]);
    let tag = tag_of(&octets);
    let mut client = Client::of(house.at);
    let (made, before, after) =
        ("Fri, 20 Nov 2026 02:00:00 GMT", "Fri, 20 Nov 2026 01:59:59 GMT", "Fri, 20 Nov 2026 02:00:01 GMT");
    for (condition, status) in [
        (format!("If-None-Match: {tag}"), 304),
        (format!("If-None-Match: \"x\", W/{tag}"), 304),
        ("If-None-Match: *".into(), 304),
        ("If-None-Match: \"x\"".into(), 200),
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {after}"), 200),
        (format!("If-Modified-Since: {made}"), 304),
        (format!("If-Modified-Since: {after}"), 304),
        (format!("If-Modified-Since: {before}"), 200),
        ("If-Modified-Since: yesterday".into(), 200),
        (format!("If-Match: {tag}"), 200),
        ("If-Match: *".into(), 200),
        (format!("If-Match: W/{tag}"), 412),
        ("If-Match: \"x\"".into(), 412),
        (format!("If-Unmodified-Since: {made}"), 200),
        (format!("If-Unmodified-Since: {before}"), 412),
        (format!("If-None-Match: {tag}\r\nRange: bytes=0-1"), 304),
    ] {
        let response = client.ask(&get_with("/crl/a.crl", &format!("{condition}\r\n")));
        assert_eq!(response.status, status, "{condition}");
        if status == 304 {
            assert_eq!(response.header("etag"), Some(&*tag));
            assert_eq!(response.header("cache-control"), Some("public, max-age=82800, no-transform"));
            assert!(response.header("expires").is_some() && response.header("last-modified").is_some());
        }
    }
}

/// Two deltas may be issued within a second; who has the first must get the second.
#[test]
fn a_date_that_two_crls_had_makes_nobody_keep_the_first() {
    let house = with(vec![("crl/a.crl", crl(octets(1_000, 1)))]);
    let first = alone(house.at, &get("/crl/a.crl"));
    publish(&house, vec![("crl/a.crl", crl(octets(1_000, 2)))]);
    let date = first.header("last-modified").unwrap();
    let second = alone(house.at, &get_with("/crl/a.crl", &format!("If-Modified-Since: {date}\r\n")));
    assert_eq!((second.status, second.body), (200, octets(1_000, 2)));
    assert_eq!(alone(house.at, &get_with("/crl/a.crl", &format!("If-Unmodified-Since: {date}\r\n"))).status, 412);
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_stopped() {
    let octets = octets(300_000, 1);
    let house = with(vec![("crl/a.crl", crl(octets.clone()))]);
    let tag = tag_of(&octets);
    let mut client = Client::of(house.at);
    for (headers, range) in [
        (format!("Range: bytes=200000-\r\nIf-Range: {tag}\r\n"), 200_000..300_000),
        ("Range: bytes=0-0\r\n".into(), 0..1),
        ("Range: bytes=131071-131073\r\n".into(), 131_071..131_074),
        ("Range: bytes=-7\r\n".into(), 299_993..300_000),
    ] {
        let response = client.ask(&get_with("/crl/a.crl", &headers));
        let expected = format!("bytes {}-{}/300000", range.start, range.end - 1);
        assert_eq!((response.status, response.header("content-range")), (206, Some(&*expected)));
        assert_eq!(response.header("etag"), Some(&*tag));
        assert_eq!(response.body, octets[range]);
    }
    for headers in ["Range: bytes=0-1\r\nIf-Range: \"x\"\r\n", "Range: bytes=0-1,5-6\r\n", "Range: octets=0-1\r\n"] {
        let response = client.ask(&get_with("/crl/a.crl", headers));
        assert_eq!((response.status, response.body == octets), (200, true), "{headers}");
    }
    let response = client.ask(&get_with("/crl/a.crl", "Range: bytes=300000-\r\n"));
    assert_eq!((response.status, response.header("content-range")), (416, Some("bytes */300000")));
    assert_eq!([outcome(&house, "part"), outcome(&house, "unsatisfiable")], [4, 1]);
}

#[test]
fn what_isn_t_there_is_404_and_no_path_is_an_error_of_ours() {
    let house = with(vec![("crl/a.crl", crl(octets(10, 1)))]);
    let mut client = Client::of(house.at);
    for path in [
        "/crl/b.crl",
        "/crl/",
        "/crl",
        "/crl//a.crl",
        "/crl/../crl/a.crl",
        "/crl/a.crl/",
        "/crl/%61.crl",
        "/crl/%",
        "/crl/%00",
        "/ca/x.cer",
        "/checkpoint",
        "//crl/a.crl",
        "/p/demo/login/crl/a.crl",
    ] {
        assert_eq!(client.ask(&get(path)).status, 404, "{path}");
    }
    for path in ["/crl/\u{e9}.crl", &format!("/crl/{}", "a".repeat(60_000)), "crl/a.crl", "*"] {
        let status = alone(house.at, &get(path)).status;
        assert!((400..500).contains(&status), "{path:.20}: {status}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let asked = format!("{method} /crl/a.crl HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
        let response = alone(house.at, asked.as_bytes());
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let plain = alone(house.at, &post("/crl/a.crl", b"0"));
    assert_eq!((plain.status, plain.header("allow")), (405, Some("GET, HEAD")));
    assert_eq!(outcome(&house, "other-method"), 6);
}

#[test]
fn who_speaks_http_1_0_or_says_no_more_gets_all_of_it_and_then_the_end() {
    let octets = octets(LONG, 1);
    let house = with(vec![("crl/a.crl", crl(octets.clone()))]);
    let (mut old, head) = begin(house.at, b"GET /crl/a.crl HTTP/1.0\r\n\r\n");
    assert!(rest(&mut old, &head) == octets && old.ends());
    let mut half = Client::of(house.at);
    half.send(&get("/crl/a.crl"));
    half.0.get_ref().shutdown(Shutdown::Write).unwrap();
    let head = half.head().unwrap();
    assert!(rest(&mut half, &head) == octets && half.ends());
    let (mut last, head) = begin(house.at, &get_with("/crl/a.crl", "Connection: close\r\n"));
    assert!(rest(&mut last, &head) == octets && last.ends());
}

#[test]
fn files_and_answers_follow_each_other_over_one_connection() {
    let octets = octets(1 << 20, 1);
    let house = with(vec![("crl/a.crl", crl(octets.clone()))]);
    let (asked, file) = (post("/", &house.request()), get("/crl/a.crl"));
    let mut client = Client::of(house.at);
    client.send(&[&asked[..], &file, &asked, &get("/crl/none"), &file, &asked].concat());
    for expected in [200, 200, 200, 404, 200, 200] {
        let response = client.next().unwrap();
        assert_eq!(response.status, expected);
        match response.header("content-type") {
            Some("application/pkix-crl") => assert!(response.body == octets),
            Some("application/ocsp-response") => assert_eq!(house.seen(&response.body).said(), Said::Good),
            _ => assert_eq!(response.status, 404),
        }
    }
}

/// Old or new, never a mixture, never cut short.
#[test]
fn c21_who_has_begun_a_download_gets_what_was_there_then() {
    let (old, new) = (octets(LONG, 1), octets(LONG - 77, 2));
    let house = with(vec![("crl/a.crl", crl(old.clone()))]);
    let (mut client, head) = begin(house.at, &get("/crl/a.crl"));
    publish(&house, vec![("crl/a.crl", crl(new.clone()))]);
    let (mut next, next_head) = begin(house.at, &get("/crl/a.crl"));
    publish(&house, vec![]);
    assert!(rest(&mut client, &head) == old && head.header("etag") == Some(&*tag_of(&old)));
    assert!(rest(&mut next, &next_head) == new && next_head.header("etag") == Some(&*tag_of(&new)));
    assert_eq!(client.ask(&get("/crl/a.crl")).status, 404);
}

fn impatient() -> House {
    let mut plan = Plan::default();
    plan.limits.times.idle = Duration::from_millis(400);
    House::of(plan)
}

#[test]
fn a_download_that_stalls_is_ended_and_a_slow_one_is_not() {
    let house = impatient();
    let octets = octets(LONG, 1);
    publish(&house, vec![("crl/a.crl", crl(octets.clone()))]);
    let (_stalled, _) = begin(house.at, &get("/crl/a.crl"));
    let (mut slow, head) = begin(house.at, &get("/crl/a.crl"));
    let mut taken = Vec::new();
    while taken.len() < LONG {
        let mut piece = vec![0; (LONG - taken.len()).min(LONG / 40)];
        slow.0.read_exact(&mut piece).unwrap();
        taken.extend(piece);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(taken == octets && head.status == 200);
    until("who has stalled is ended", || outcome(&house, "broken-off") == 1);
    assert_eq!(house.files.sending(), 0);
    still_answers(&house);
}

#[test]
fn downloads_beyond_their_places_are_told_to_come_again_and_everything_else_goes_on() {
    let mut plan = Plan::default();
    plan.limits.downloads_max = 2;
    let house = House::of(plan);
    publish(&house, vec![("crl/long.crl", crl(octets(LONG, 1))), ("crl/short.crl", crl(octets(100_000, 2)))]);
    let counted = || house.counters.sums().map(|(_, _, count)| count).sum::<u64>();
    let before = counted();
    let mut running: Vec<_> = (0..2).map(|_| begin(house.at, &get("/crl/long.crl"))).collect();
    let refused = alone(house.at, &get("/crl/long.crl"));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert_eq!(alone(house.at, &get_with("/crl/long.crl", "Range: bytes=-2000\r\n")).status, 206);
    assert_eq!(alone(house.at, &get("/crl/short.crl")).body, octets(100_000, 2));
    assert_eq!([house.files.sending(), counted()], [2, before], "an account of answers is none of files");
    (0..20).for_each(|_| still_answers(&house));
    let (mut client, head) = running.remove(0);
    assert!(rest(&mut client, &head) == octets(LONG, 1));
    running.clear();
    until("the places are free", || house.files.sending() == 0);
    assert_eq!(client.ask(&get("/crl/long.crl")).status, 200);
    assert_eq!([outcome(&house, "busy"), outcome(&house, "broken-off")], [1, 1]);
}

#[test]
fn a_stop_waits_for_downloads_that_are_under_way() {
    let mut house = with(vec![("crl/a.crl", crl(octets(LONG, 1)))]);
    let (mut client, head) = begin(house.at, &get("/crl/a.crl"));
    house.stop();
    // Longer than the grace in which nothing has arrived.
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(!house.has_ended());
    assert!(rest(&mut client, &head) == octets(LONG, 1));
    until("and no longer", || house.has_ended());
}
