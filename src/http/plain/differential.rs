//! The recogniser of plain requests against hyper: whatever it reads, hyper reads of the same octets, and goes on reading
//! where it ended. Called by the test beside it and by the fuzz target `plain_request`; in no other build.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

use super::{Plain, PlainRequest, Version, recognise};
use crate::http::connection::{HEADER_OCTETS_MAX, HEADERS_MAX};
use crate::http::replies::After;

/// A request as either of them reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    method: String,
    target: String,
    version: Version,
    body: Vec<u8>,
}

/// Panics unless both agree about these octets.
pub fn agree(octets: &[u8]) {
    let whole = read_by_hyper(octets);
    match recognise(octets) {
        Plain::Other => {}
        // Not whole yet: neither is it to hyper.
        Plain::Begun | Plain::Awaited => assert_eq!(whole, [], "{}", shown(octets)),
        Plain::Request(plain, length) => {
            let first = Reading::of(&plain);
            assert_eq!(whole.first(), Some(&first), "{}", shown(octets));
            // One more behind it, so that it shows where hyper goes on, and whether.
            let behind = [&octets[length..], NEXT].concat();
            let expected = match plain.after {
                After::Close => vec![first],
                After::Keep => [vec![first], read_by_hyper(&behind)].concat(),
            };
            assert_eq!(read_by_hyper(&[octets, NEXT].concat()), expected, "{}", shown(octets));
        }
    }
}

impl Reading {
    fn of(plain: &PlainRequest<'_>) -> Self {
        let method = if plain.body.is_some() { "POST" } else { "GET" };
        Self {
            method: method.to_owned(),
            target: plain.path.to_owned(),
            version: plain.version,
            body: plain.body.unwrap_or_default().to_vec(),
        }
    }
}

/// The whole requests that hyper reads, until it waits for more or gives up.
fn read_by_hyper(octets: &[u8]) -> Vec<Reading> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let kept = read.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let kept = kept.clone();
        async move {
            let (head, body) = request.into_parts();
            if let Ok(body) = body.collect().await {
                let version = if head.version == hyper::Version::HTTP_10 { Version::Http10 } else { Version::Http11 };
                let (method, target) = (head.method.to_string(), head.uri.to_string());
                let reading = Reading { method, target, version, body: body.to_bytes().to_vec() };
                kept.lock().expect("nobody panics with it").push(reading);
            }
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }
    });
    let connection = http1::Builder::new()
        .max_buf_size(HEADER_OCTETS_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(Octets(octets.to_vec()), service);
    let mut connection = pin!(connection);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    // As long as it wakes itself; the other side says nothing more.
    while connection.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        && bell.rung.swap(false, Ordering::Relaxed)
    {}
    let read = read.lock().expect("nobody panics with it");
    read.clone()
}

/// A caller who has sent these, and waits.
struct Octets(Vec<u8>);

impl Read for Octets {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut to: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        let count = self.0.len().min(to.remaining());
        to.put_slice(&self.0[..count]);
        self.0.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl Write for Octets {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Whether it was woken.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Relaxed);
    }
}

fn shown(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n";

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Whole requests that are plain, or nearly.
    const SEEDS: &[&str] = &[
        "GET /MEUw HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
        "GET /ocsp/MFEwTzBN%2F/+= HTTP/1.0\r\nHost: x\r\n\r\n",
        "GET /p/demo/login/MEUw HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n",
        "GET /M HTTP/1.1\r\nhost: x\r\nConnection: close\r\n\r\n",
        "POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.0\r\nContent-Type: application/ocsp-request; x=y\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ];
    /// What is put in somewhere: octets that mean something, and fields that change how a request is to be read.
    const PIECES: &[&str] = &[
        "\r\n",
        "\n",
        "\r",
        "\0",
        " ",
        "\t",
        ":",
        ",",
        "/",
        "//",
        "?",
        "#",
        "%",
        "%2",
        "%00",
        "<",
        ">",
        "\"",
        "\\",
        "^",
        "`",
        "{",
        "|",
        "}",
        "\x7f",
        "é",
        "HTTP/1.1",
        "HTTP/2.0",
        "http/1.1",
        "GET ",
        "POST ",
        "HEAD ",
        "http://x/",
        "*",
        "Content-Length: 1\r\n",
        "content-length: 03\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length:\r\n",
        "Content-Length : 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding:\r\n",
        "Transfer-Encoding: identity\r\n",
        "Connection: close\r\n",
        "Connection: Keep-Alive\r\n",
        "Connection: x, close\r\n",
        "Connection:\r\n",
        "connection: upgrade\r\n",
        "Upgrade: h2c\r\n",
        "Expect: 100-continue\r\n",
        "TE: trailers\r\n",
        "Trailer: x\r\n",
        "Proxy-Connection: close\r\n",
        " folded\r\n",
        "x\r\n",
        ": y\r\n",
        "Content-Type:\r\n",
        "Content-Type: application/ocsp-request\r\n",
        "\u{1}: y\r\n",
        "x: \u{1}\r\n",
        "x: é\r\n",
    ];

    #[derive(Clone, Debug)]
    enum Edit {
        Insert(&'static str),
        Replace(u8),
        Remove(usize),
    }

    fn edit() -> impl Strategy<Value = (usize, Edit)> {
        let what = prop_oneof![
            4 => select(PIECES).prop_map(Edit::Insert),
            1 => any::<u8>().prop_map(Edit::Replace),
            1 => (1..9_usize).prop_map(Edit::Remove),
        ];
        (any::<usize>(), what)
    }

    fn edited(mut octets: Vec<u8>, edits: &[(usize, Edit)]) -> Vec<u8> {
        for (place, edit) in edits {
            // Fields go where fields stand, now and then: behind the end of a line.
            let ends: Vec<_> =
                octets.windows(2).enumerate().filter(|(_, two)| two == b"\r\n").map(|(at, _)| at + 2).collect();
            let anywhere = place % (octets.len() + 1);
            match edit {
                Edit::Insert(piece) => {
                    let at = match ends.get(place % (ends.len() + 1)) {
                        Some(end) if piece.ends_with('\n') => *end,
                        Some(_) | None => anywhere,
                    };
                    octets.splice(at..at, piece.bytes());
                }
                Edit::Replace(octet) => {
                    octets.get_mut(anywhere).into_iter().for_each(|at| *at = *octet);
                }
                Edit::Remove(count) => {
                    octets.drain(anywhere..(anywhere + count).min(octets.len()));
                }
            }
        }
        octets
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn what_is_recognised_is_what_hyper_reads(
            seeds in vec(select(SEEDS), 1..3),
            edits in vec(edit(), 0..5),
        ) {
            agree(&edited(seeds.concat().into_bytes(), &edits));
        }
    }

    #[test]
    fn every_octet_in_every_place_and_every_end() {
        for seed in SEEDS {
            let seed = seed.as_bytes();
            (0..=seed.len()).for_each(|end| agree(&seed[..end]));
            for at in 0..seed.len() {
                for octet in 0..=u8::MAX {
                    let mut octets = seed.to_vec();
                    octets[at] = octet;
                    agree(&octets);
                }
            }
        }
    }

    #[test]
    fn hyper_reads_here_what_it_reads_elsewhere() {
        let of = |method: &str, target: &str, version, body: &str| Reading {
            method: method.into(),
            target: target.into(),
            version,
            body: body.as_bytes().to_vec(),
        };
        let octets = [SEEDS[4], SEEDS[6], SEEDS[3], SEEDS[0]].concat();
        let expected = [of("POST", "/ocsp", Version::Http11, "abc"), of("POST", "/", Version::Http11, "abc")];
        assert_eq!(read_by_hyper(octets.as_bytes())[..2], expected);
        let octets = [SEEDS[0], SEEDS[3], SEEDS[0]].concat();
        assert_eq!(read_by_hyper(octets.as_bytes()).len(), 2, "nothing is read after the last");
        assert_eq!(read_by_hyper(&SEEDS[4].as_bytes()[..SEEDS[4].len() - 1]), []);
    }
}
