//! A listener before the responder that passes everything on and keeps what clients said: in which way a client asked
//! is the client's to prove, not its settings' to promise. Also requests of our own, sent by hand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where a client asks instead of at the responder.
pub struct Tap {
    address: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// One HTTP request that came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub method: String,
    /// The OCSP request, whichever way it came.
    pub request: Vec<u8>,
}

impl Heard {
    pub fn has_nonce(&self) -> bool {
        self.request.windows(NONCE.len()).any(|window| window == NONCE)
    }
}

impl Tap {
    /// Before the responder at that `host:port`.
    pub fn before(responder: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (responder, kept) = (responder.to_owned(), Arc::clone(&heard));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (responder, kept) = (TcpStream::connect(&responder).unwrap(), Arc::clone(&kept));
                let (answers, asker) = (responder.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(answers, asker, |_| {}));
                thread::spawn(move || pass(client, responder, |octets| kept.lock().unwrap().extend_from_slice(octets)));
            }
        });
        Self { address, heard }
    }

    /// Where the client is to ask, under that path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What has come by. Of a client that asks one thing at a time: requests that come together mix.
    pub fn heard(&self) -> Vec<Heard> {
        let octets = self.heard.lock().unwrap().clone();
        let (mut rest, mut requests) = (&octets[..], Vec::new());
        while !rest.is_empty() {
            let head_end = rest.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
            let head = std::str::from_utf8(&rest[..head_end]).unwrap();
            let mut words = head.split(' ');
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            let body_end = head_end + length.unwrap_or(0);
            let request = match method {
                "GET" => unescaped(path.rsplit_once('/').unwrap().1),
                _ => rest[head_end..body_end].to_vec(),
            };
            requests.push(Heard { method: method.to_owned(), request });
            rest = &rest[body_end..];
        }
        requests
    }
}

/// Sends a request by POST; says the body of the answer, which must be 200.
pub fn post(address: &str, request: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nhost: x\r\ncontent-type: application/ocsp-request\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        request.len()
    );
    exchange(address, &[head.as_bytes(), request].concat())
}

/// The file at a path, if there is one.
pub fn file(address: &str, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    answer.starts_with(b"HTTP/1.0 200").then(|| answer.split_off(head + 4))
}

/// Sends a request by GET, with every octet escaped that may be.
pub fn get(address: &str, request: &[u8]) -> Vec<u8> {
    let path = STANDARD.encode(request).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    exchange(address, format!("GET /ocsp/{path} HTTP/1.0\r\n\r\n").as_bytes())
}

fn exchange(address: &str, octets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(octets).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..at].to_vec()).unwrap().to_ascii_lowercase();
    assert!(head.split(' ').nth(1) == Some("200"), "{head}");
    assert!(head.contains("content-type: application/ocsp-response"), "{head}");
    answer.split_off(at + 4)
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut each: impl FnMut(&[u8])) {
    let mut octets = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut octets) {
        // Kept before it is passed on: whoever has an answer finds its question here.
        each(&octets[..count]);
        if to.write_all(&octets[..count]).is_err() {
            break;
        }
    }
    // The other side may have gone first.
    let _ = to.shutdown(Shutdown::Write);
}

/// Base64 in a path.
fn unescaped(path: &str) -> Vec<u8> {
    let text = ["%2B+", "%2F/", "%3D=", "%2b+", "%2f/", "%3d="].iter().fold(path.to_owned(), |text, pair| {
        let (escaped, plain) = pair.split_at(3);
        text.replace(escaped, plain)
    });
    STANDARD.decode(text).unwrap()
}

/// id-pkix-ocsp-nonce (RFC 9654, 2.1).
const NONCE: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
