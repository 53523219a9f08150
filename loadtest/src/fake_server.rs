//! For tests: a tiny HTTP server that answers as a script says, truthfully or not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fake::{Ca, Recipe, now};

/// What becomes of one request.
pub enum Reply {
    /// Sent as it stands; the connection is kept unless the request was HTTP/1.0.
    Send(Vec<u8>),
    /// Sent, then the connection is closed.
    Cut(Vec<u8>),
    /// Reset without a word.
    Reset,
    Silence,
}

/// Given the OCSP request and its number on this server, from 0.
pub type Script = Box<dyn Fn(&Ca, &[u8], u64) -> Reply + Send + Sync>;

/// Serves on loopback until the test's process ends.
pub fn serve(ca: Ca, script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::new((ca, script, AtomicU64::new(0)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let shared = shared.clone();
            std::thread::spawn(move || talk(stream.unwrap(), &shared.0, &shared.1, &shared.2));
        }
    });
    address
}

fn talk(mut stream: TcpStream, ca: &Ca, script: &Script, count: &AtomicU64) {
    stream.set_nodelay(true).unwrap();
    while let Some((request, keep)) = request(&mut stream) {
        let gone = match script(ca, &request, count.fetch_add(1, Ordering::Relaxed)) {
            Reply::Send(bytes) => stream.write_all(&bytes).is_err() || !keep,
            Reply::Cut(bytes) => {
                let _ = stream.write_all(&bytes);
                true
            }
            Reply::Reset => {
                rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
                true
            }
            Reply::Silence => false,
        };
        if gone {
            return;
        }
    }
}

/// The OCSP request and whether the connection is kept; none at the end.
fn request(stream: &mut TcpStream) -> Option<(Vec<u8>, bool)> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let keep = head.lines().next().unwrap().ends_with("HTTP/1.1");
        if let Some(path) = head.strip_prefix("GET /ocsp/") {
            let path = path.split(' ').next().unwrap();
            let plain = path.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
            return Some((STANDARD.decode(plain).unwrap(), keep));
        }
        let length = head.split("Content-Length: ").nth(1).unwrap().lines().next().unwrap();
        let length: usize = length.parse().unwrap();
        if bytes.len() >= end + 4 + length {
            assert_eq!(bytes.len(), end + 4 + length, "one request at a time");
            return Some((bytes[end + 4..].to_vec(), keep));
        }
    }
}

/// An OCSP answer in HTTP, with what stands in `headers` (each with its line end).
pub fn http(body: &[u8], headers: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Answers every request by one recipe.
pub fn always(recipe: Recipe) -> Script {
    Box::new(move |ca, request, _| Reply::Send(http(&ca.answer(request, &recipe, now()), "")))
}
