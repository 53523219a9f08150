//! How a question may come: methods, encodings, lengths; and what is refused.

use tashika::model::Serial;
use tashika::parties::Outcome;

use crate::bureau::Bureau;
use crate::client::{Client, alone, base64, get, post};
use crate::house::House;
use crate::ocsp::{Form, MALFORMED, Said, cert_id, request};

fn is_good(house: &House, response: &crate::client::Response) -> bool {
    response.status == 200 && house.seen(&response.body).said() == Said::Good
}

#[test]
fn a_post_is_answered_with_its_type_and_exact_length() {
    let house = House::usual();
    for path in ["/", "/ocsp", "/ocsp/"] {
        let response = alone(house.at, &post(path, &house.request()));
        assert!(is_good(&house, &response), "{path}");
        assert_eq!(response.header("content-type"), Some("application/ocsp-response"));
        assert_eq!(response.header("content-length"), Some(&response.body.len().to_string()[..]));
        assert_eq!(response.header("content-encoding"), None);
    }
    assert_eq!(house.counted(Outcome::Good), 3);
}

#[test]
fn h2_h3_every_legal_way_to_write_a_get_is_read() {
    let mut house = House::usual();
    // A serial whose request has `//` and `++` in base64.
    let key = (1..4).map(|prefix| {
        let octets = [&[0x11; 3][..prefix], &[0xff; 6], &[0xfb, 0xef, 0xbe].repeat(2)].concat();
        tashika::model::CertificateKey { serial: Serial::from_unsigned(&octets).unwrap(), ..house.good.1 }
    });
    let written = |key| base64(&house.bureau.usual(0, &key));
    let odd = key.into_iter().find(|key| written(*key).contains("++") && written(*key).contains("//"));
    let odd = odd.expect("one of three alignments");
    house.bureau.register_as(0, |one| one.key = odd);
    for key in [house.good.1, odd] {
        let plain = base64(&house.bureau.usual(0, &key));
        let escaped = plain.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
        let each: String = plain.bytes().map(|octet| format!("%{octet:02X}")).collect();
        let ways = [
            get(&format!("/{escaped}")),
            get(&format!("/{plain}")),
            get(&format!("/{}", escaped.to_lowercase_hex())),
            get(&format!("/{each}")),
            get(&format!("//{escaped}")),
            get(&format!("/ocsp/{plain}")),
            get(&format!("http://status.example/{escaped}")),
            get(&format!("/{}", plain.replace('+', "%20"))),
            format!("GET /{escaped} HTTP/1.0\r\n\r\n").into_bytes(),
        ];
        for way in ways {
            let response = alone(house.at, &way);
            assert!(is_good(&house, &response), "{}", String::from_utf8_lossy(&way));
        }
    }
}

trait LowercaseHex {
    fn to_lowercase_hex(&self) -> String;
}

impl LowercaseHex for String {
    fn to_lowercase_hex(&self) -> String {
        self.replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d")
    }
}

#[test]
fn h3_odd_paths_are_answered_or_refused_and_never_break_anything() {
    let house = House::usual();
    let plain = base64(&house.request());
    let bare = plain.trim_end_matches('=').to_owned();
    for path in [
        format!("/{bare}"),
        format!("/{}", plain.replace('/', "_").replace('+', "-")),
        format!("/{plain}%0A"),
        format!("/{plain}%zz"),
        format!("/{plain}%"),
        format!("/{plain}%00"),
        format!("/M{}", "A".repeat(5_000)),
        format!("/{plain}/../{plain}"),
        format!("/../{plain}"),
        "/M".into(),
        "/%4D%".into(),
        "/MDAwMA==".into(),
        "/p/demo/login/M".into(),
        "/p//".into(),
        "/p/".into(),
        format!("/{plain}?x=y"),
    ] {
        let response = alone(house.at, &get(&path));
        assert!(response.status == 200 || (400..500).contains(&response.status), "{path}: {}", response.status);
    }
    assert!(is_good(&house, &alone(house.at, &get(&format!("/{plain}")))));
}

#[test]
fn h4_a_long_get_is_served_as_well() {
    let house = House::usual();
    let id = cert_id(&house.bureau.cas[0].certificate(), house.good.1.serial.as_octets(), Form::Sha256Null);
    let asked = request(&[id.clone(), id.clone(), id], Some(&[5; 128]));
    let path = format!("/{}", base64(&asked));
    assert!(path.len() > 255);
    let response = alone(house.at, &get(&path));
    assert_eq!((response.status, house.seen(&response.body).nonce.map(|nonce| nonce.len())), (200, Some(128)));
    assert_eq!((response.header("cache-control"), response.header("etag")), (Some("no-store"), None), "n6");
}

#[test]
fn h12_other_methods_are_405_with_what_is_allowed() {
    let house = House::usual();
    for (method, path) in
        [("PUT", "/"), ("DELETE", "/ocsp"), ("OPTIONS", "/"), ("PATCH", "/MEUw"), ("GET", "/"), ("GET", "/ocsp")]
    {
        let asked = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let response = alone(house.at, asked.as_bytes());
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD, POST")), "{method} {path}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    assert_eq!(alone(house.at, &get("/favicon.ico")).status, 404);
    assert_eq!(house.counted(Outcome::Refused), 7);
}

#[test]
fn h1_another_type_is_415_and_none_is_taken_for_the_right_one() {
    let house = House::usual();
    let body = house.request();
    let with = |kind: &str| {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{kind}Content-Length: {}\r\n\r\n", body.len());
        alone(house.at, &[head.as_bytes(), &body].concat())
    };
    for kind in ["", "Content-Type: application/ocsp-request\r\n", "Content-type: Application/OCSP-Request; x=y\r\n"] {
        assert!(is_good(&house, &with(kind)), "{kind}");
    }
    for kind in ["text/plain", "application/ocsp-response", "application/x-www-form-urlencoded", ""] {
        assert_eq!(with(&format!("Content-Type: {kind}\r\n")).status, 415, "{kind}");
    }
}

#[test]
fn q1_what_is_no_request_is_malformed_and_not_cached() {
    let house = House::usual();
    let good = house.request();
    for body in [&b""[..], b"x", &good[..good.len() - 1], &[&good[..], b"\0"].concat()] {
        let response = alone(house.at, &post("/", body));
        assert_eq!((response.status, house.seen(&response.body).status), (200, MALFORMED));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!((response.header("etag"), response.header("expires")), (None, None));
    }
    assert_eq!(house.counted(Outcome::Malformed), 4);
}

#[test]
fn a_body_that_is_too_long_is_413_however_its_length_is_told() {
    let house = House::usual();
    let (strangers, known) = ("/", "/p/demo/login/");
    for (path, most) in [(strangers, 8 * 1_024), (known, 128 * 1_024)] {
        let fits = alone(house.at, &post(path, &vec![0; most]));
        assert_eq!(house.seen(&fits.body).status, MALFORMED, "{path}: read, and no request");
        let too_long = vec![0; most + 1];
        let chunked = [
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", most + 1)
                .as_bytes(),
            &too_long,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        for asked in [post(path, &too_long), chunked] {
            let mut client = Client::of(house.at);
            assert_eq!(client.ask(&asked).status, 413, "{path}");
            assert!(client.ends());
        }
    }
    // Refused before it is sent.
    let mut client = Client::of(house.at);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
    assert_eq!(client.next().unwrap().status, 413);
}

#[test]
fn h10_chunks_are_put_together_and_the_connection_ends() {
    let house = House::usual();
    let body = house.request();
    let mut asked =
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for piece in body.chunks(7) {
        asked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        asked.extend_from_slice(piece);
        asked.extend_from_slice(b"\r\n");
    }
    asked.extend_from_slice(b"0\r\n\r\n");
    let mut client = Client::of(house.at);
    let response = client.ask(&asked);
    assert!(is_good(&house, &response));
    assert_eq!(response.header("connection"), Some("close"));
    assert!(client.ends());
}

/// What one server takes for a body, another takes for the next request.
#[test]
fn h11_a_length_beside_chunks_gets_one_answer_at_most() {
    let house = House::usual();
    let smuggled = String::from_utf8(get(&format!("/{}", base64(&house.request())))).unwrap();
    let (length, chunks) = (format!("Content-Length: {}\r\n", 5 + smuggled.len()), "Transfer-Encoding: chunked\r\n");
    for headers in [format!("{length}{chunks}"), format!("{chunks}{length}"), format!("{chunks}{chunks}{length}")] {
        let mut client = Client::of(house.at);
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n{smuggled}").as_bytes());
        let response = client.next().expect("one answer");
        assert!(response.status == 400 || house.seen(&response.body).status == MALFORMED, "{headers}");
        assert!(client.ends(), "{headers}: what follows is nobody's request");
    }
    let two = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd";
    assert_eq!(alone(house.at, two.as_bytes()).status, 400);
}

#[test]
fn h10_a_client_that_waits_to_be_told_to_go_on_is_told() {
    let house = House::usual();
    let body = house.request();
    let mut client = Client::of(house.at);
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.len());
    client.send(head.as_bytes());
    assert_eq!(client.head().unwrap().status, 100);
    assert!(is_good(&house, &client.ask(&body)));
    // Who may not send that much is not told to.
    let mut client = Client::of(house.at);
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    assert_eq!(client.next().unwrap().status, 413);
}

#[test]
fn h8_head_has_the_headers_of_get_and_no_body() {
    let house = House::usual();
    let path = format!("/{}", base64(&house.request()));
    let whole = alone(house.at, &get(&path));
    let mut client = Client::of(house.at);
    client.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let head = client.next_to("HEAD").unwrap();
    let without_date = |headers: &[(String, String)]| {
        let mut kept: Vec<_> = headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        kept.sort();
        kept
    };
    assert_eq!((head.status, without_date(&head.headers)), (200, without_date(&whole.headers)));
    assert_eq!(client.ask(&get(&path)).body, whole.body, "and the next answer begins where it should");
}

#[test]
fn ours_alone() {
    // The house has one CA; another's question is refused as OCSP refuses.
    let house = House::usual();
    let foreign = Bureau::new(vec![crate::bureau::Ca::p384()]);
    let response = alone(house.at, &post("/", &foreign.usual(0, &house.good.1)));
    assert_eq!((response.status, house.seen(&response.body).status), (200, crate::ocsp::UNAUTHORIZED));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(house.counted(Outcome::Unauthorized), 1);
}

/// Most requests are answered without hyper; a field that means nothing here sends the same ones through it.
#[test]
fn a_plain_request_is_answered_as_hyper_would_have_it() {
    let house = House::usual();
    let good = house.request();
    let encoded = base64(&good);
    let requests = [
        post("/ocsp", &good),
        post("/", &good),
        post("/p/demo/login/", &good),
        post("/p/nobody/login/", &good),
        post("/ocsp", b"no request"),
        post("/elsewhere", &good),
        get(&format!("/{encoded}")),
        get(&format!("/ocsp/{encoded}")),
        get(&format!("/p/demo/login/{encoded}")),
        get("/Mno-base64"),
        get("/"),
        get("/elsewhere"),
    ];
    // Kept from now on: whoever asks gets the same octets.
    alone(house.at, &requests[0]);
    let met = |response: crate::client::Response| {
        let mut headers = response.headers.clone();
        headers.retain(|(name, _)| name != "date");
        headers.sort();
        (response.status, headers, response.body)
    };
    for plain in requests {
        let end = plain.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
        let odd = [&plain[..end], b"TE: trailers\r\n", &plain[end..]].concat();
        let text = String::from_utf8_lossy(&plain).into_owned();
        assert_eq!(met(alone(house.at, &plain)), met(alone(house.at, &odd)), "{text}");
    }
}
