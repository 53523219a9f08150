//! HTTP as the tests send it: octets, so that nothing is put right on the way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use base64::Engine as _;

pub struct Client(pub BufReader<TcpStream>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// In the order of sending, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn of(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// The other side may have gone already.
    pub fn send(&mut self, octets: &[u8]) {
        let _ = self.0.get_mut().write_all(octets);
    }

    /// The next response with its body; None: the connection has ended.
    pub fn next(&mut self) -> Option<Response> {
        self.next_to("GET")
    }

    pub fn next_to(&mut self, method: &str) -> Option<Response> {
        let mut response = self.head()?;
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        assert_eq!(response.header("transfer-encoding"), None, "eleven of eighteen clients fail at chunks");
        if method != "HEAD" && response.status != 304 {
            response.body = vec![0; length];
            self.0.read_exact(&mut response.body).unwrap();
        }
        Some(response)
    }

    pub fn head(&mut self) -> Option<Response> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.0.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), std::io::ErrorKind::ConnectionReset) => return None,
                Err(error) => panic!("{error} after {lines:?}"),
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines[1..].iter().map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Some(Response { status, headers, body: Vec::new() })
    }

    pub fn ask(&mut self, octets: &[u8]) -> Response {
        self.send(octets);
        self.next().expect("an answer")
    }

    /// Whether the other side ends it, without another octet.
    pub fn ends(&mut self) -> bool {
        match self.0.fill_buf() {
            Ok(octets) => octets.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands twice");
        value
    }
}

/// A POST as most clients send it.
pub fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

pub fn get(path: &str) -> Vec<u8> {
    get_with(path, "")
}

/// With more headers, each with its end of line.
pub fn get_with(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").into_bytes()
}

pub fn base64(octets: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// One request on a connection of its own.
pub fn alone(at: SocketAddr, octets: &[u8]) -> Response {
    Client::of(at).ask(octets)
}

/// Waits for an effect, however busy the machine is.
pub fn until(what: &str, mut wanted: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !wanted() {
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub const PATIENCE: Duration = Duration::from_secs(60);
