//! The plain request: what nearly every client sends, recognised on one page and answered without hyper.
//!
//! One complete request of HTTP/1, by GET or POST, of moderate size, without anything that changes how it is to be read.
//! Everything else, and whatever is not quite certain, goes to hyper, with the octets as they came; what is answered is the
//! same in either case (tests compare them, and what is read of the same octets: `differential`). It exists because hyper's price for a request is half of an answer's, and
//! for a connection more than the system's own. Used by `edge`.

#[cfg(any(test, fuzzing))]
pub mod differential;

use httparse::{EMPTY_HEADER, Request, Status};

use super::headers::is_ocsp_request;
use super::replies::{After, Body, Dated, Fields, Ready, Stamps};
use crate::model::Time;

/// What octets are, as far as this page can tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain<'b> {
    /// A whole plain request, and how many octets it has.
    Request(PlainRequest<'b>, usize),
    /// The beginning of one, perhaps.
    Begun,
    /// One whose body isn't whole yet.
    Awaited,
    /// Something for hyper.
    Other,
}

/// A plain request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlainRequest<'b> {
    pub path: &'b str,
    /// None: a GET.
    pub body: Option<&'b [u8]>,
    pub version: Version,
    pub after: After,
}

/// Which HTTP the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http10,
    Http11,
}

/// Header fields as octets.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

/// What `octets` begin with.
pub(super) fn recognise(octets: &[u8]) -> Plain<'_> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = Request::new(&mut headers);
    let head = match request.parse(octets) {
        Ok(Status::Complete(head)) => head,
        Ok(Status::Partial) if octets.len() < OCTETS_MAX => return Plain::Begun,
        Ok(Status::Partial) | Err(_) => return Plain::Other,
    };
    let (Some(method), Some(path), Some(version)) = (request.method, request.path, request.version) else {
        return Plain::Other;
    };
    let version = if version == 0 { Version::Http10 } else { Version::Http11 };
    let Some(said) = Said::of(request.headers, version) else { return Plain::Other };
    if !path.starts_with('/') || !path.bytes().all(|octet| IN_PATHS[usize::from(octet)]) {
        return Plain::Other;
    }
    let (body, length) = match (method, said.length) {
        ("GET", None) => (None, head),
        ("POST", Some(length)) if said.typed && length <= OCTETS_MAX => match octets.get(head..head + length) {
            Some(body) => (Some(body), head + length),
            None => return Plain::Awaited,
        },
        _ => return Plain::Other,
    };
    Plain::Request(PlainRequest { path, body, version, after: said.after }, length)
}

/// What a plain request's fields say.
struct Said {
    length: Option<usize>,
    typed: bool,
    after: After,
}

impl Said {
    /// None: something that changes how the request is to be read, or answered.
    fn of(headers: &[httparse::Header<'_>], version: Version) -> Option<Self> {
        let after = if version == Version::Http10 { After::Close } else { After::Keep };
        let mut said = Self { length: None, typed: false, after };
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            match header.name.len() {
                12 if is("content-type") => said.typed = is_ocsp_request(header.value),
                14 if is("content-length") => {
                    if said.length.is_some() {
                        return None;
                    }
                    said.length = Some(length(header.value)?);
                }
                10 if is("connection") => match (version, header.value) {
                    (_, value) if value.eq_ignore_ascii_case(b"close") => said.after = After::Close,
                    (Version::Http11, value) if value.eq_ignore_ascii_case(b"keep-alive") => {}
                    _ => return None,
                },
                2 if is("te") => return None,
                6 if is("expect") => return None,
                7 if is("upgrade") || is("trailer") => return None,
                13 if is("if-none-match") => return None,
                17 if is("if-modified-since") || is("transfer-encoding") => return None,
                _ => {}
            }
        }
        Some(said)
    }
}

/// A length in digits and nothing else.
fn length(text: &[u8]) -> Option<usize> {
    let digits = (1..=7).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
}

impl Lines {
    /// Room for the next response.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Writes the whole response.
    pub fn write(
        &self,
        ready: &Ready,
        version: Version,
        after: After,
        now: Time,
        stamps: &mut Stamps,
        out: &mut Vec<u8>,
    ) {
        let body = ready.body.octets();
        out.reserve(self.0.len() + body.len() + FRAME_OCTETS);
        out.extend_from_slice(match version {
            Version::Http10 => b"HTTP/1.0 ",
            Version::Http11 => b"HTTP/1.1 ",
        });
        out.extend_from_slice(ready.status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(ready.status.canonical_reason().unwrap_or_default().as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.0);
        if version == Version::Http11 && after == After::Close {
            out.extend_from_slice(b"connection: close\r\n");
        }
        if !matches!(ready.body, Body::None) {
            out.extend_from_slice(b"content-length: ");
            decimal(body.len(), out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(stamps.date(Dated::Now, now));
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(body);
    }
}

impl Fields for Lines {
    fn field(&mut self, name: &'static str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        self.0.extend_from_slice(value);
        self.0.extend_from_slice(b"\r\n");
    }
}

fn decimal(number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// What base64, escaped or not, and names are made of. Whether a path with anything else is one is hyper's to say.
const IN_PATHS: [bool; 256] = {
    let mut allowed = [false; 256];
    let (mut octet, others) = (0, b"%+-./=_~");
    while octet < allowed.len() {
        allowed[octet] = (octet as u8).is_ascii_alphanumeric();
        octet += 1;
    }
    let mut at = 0;
    while at < others.len() {
        allowed[others[at] as usize] = true;
        at += 1;
    }
    allowed
};
/// Of a request, and of its body: what strangers may send, nearly.
const OCTETS_MAX: usize = 4 * 1_024;
/// No client's default has half as many.
const HEADERS_MAX: usize = 32;
/// Status, length and date.
const FRAME_OCTETS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'b>(path: &'b str, body: Option<&'b [u8]>, version: Version, after: After) -> PlainRequest<'b> {
        PlainRequest { path, body, version, after }
    }

    #[test]
    fn what_clients_send_is_plain() {
        let get = b"GET /MEUw HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\nGET /";
        let expected = request("/MEUw", None, Version::Http11, After::Keep);
        assert_eq!(recognise(get), Plain::Request(expected, get.len() - 5));
        let post =
            b"POST /ocsp HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: 3\r\n\r\n0\x03\x0a";
        let expected = request("/ocsp", Some(b"0\x03\x0a"), Version::Http10, After::Close);
        assert_eq!(recognise(post), Plain::Request(expected, post.len()));
        let close = b"GET /M HTTP/1.1\r\nhost: x\r\nconnection: CLOSE\r\n\r\n";
        assert_eq!(recognise(close), Plain::Request(request("/M", None, Version::Http11, After::Close), close.len()));
        let long = b"GET /ocsp/MFEwTzBNMEswSTAJBgUrDgMCGgUABBSJBjCBI6JIl6z2rHpAug/7tzhJgQQU8yA%2BkDn0qCE%3D HTTP/1.1\r\nHost: 127.0.0.1:7080\r\n\r\n";
        assert!(matches!(recognise(long), Plain::Request(..)));
        for cut in [0, 1, 20, post.len() - 4] {
            assert_eq!(recognise(&post[..cut]), Plain::Begun, "{cut}");
        }
        for cut in [post.len() - 3, post.len() - 1] {
            assert_eq!(recognise(&post[..cut]), Plain::Awaited, "{cut}");
        }
    }

    #[test]
    fn whatever_changes_how_a_request_is_read_is_not() {
        for (line, headers) in [
            ("HEAD /M HTTP/1.1", ""),
            ("PUT / HTTP/1.1", ""),
            ("GET http://x/M HTTP/1.1", ""),
            ("GET /M?x HTTP/1.1", ""),
            ("GET * HTTP/1.1", ""),
            ("GET /M HTTP/1.1", "content-length: 1\r\n"),
            ("GET /M HTTP/1.1", "if-none-match: *\r\n"),
            ("GET /M HTTP/1.1", "if-modified-since: x\r\n"),
            ("GET /M HTTP/1.1", "connection: upgrade\r\n"),
            ("GET /M HTTP/1.1", "connection: keep-alive, upgrade\r\n"),
            ("GET /M HTTP/1.0", "connection: keep-alive\r\n"),
            ("GET /M HTTP/1.1", "upgrade: h2c\r\n"),
            ("POST / HTTP/1.1", "content-type: application/ocsp-request\r\ntransfer-encoding: chunked\r\n"),
            ("POST / HTTP/1.1", "content-type: application/ocsp-request\r\n"),
            ("POST / HTTP/1.1", "content-type: text/plain\r\ncontent-length: 1\r\n"),
            ("POST / HTTP/1.1", "content-length: 1\r\n"),
            ("POST / HTTP/1.1", "content-type: application/ocsp-request\r\ncontent-length: +1\r\n"),
            ("POST / HTTP/1.1", "content-type: application/ocsp-request\r\ncontent-length: 1\r\ncontent-length: 1\r\n"),
            (
                "POST / HTTP/1.1",
                "content-type: application/ocsp-request\r\ncontent-length: 1\r\nexpect: 100-continue\r\n",
            ),
            ("POST / HTTP/1.1", "content-type: application/ocsp-request\r\ncontent-length: 99999\r\n"),
            ("GET /M HTTP/1.1", " folded: x\r\n"),
            ("\x16\x03\x01", ""),
        ] {
            let text = format!("{line}\r\n{headers}\r\nx");
            assert_eq!(recognise(text.as_bytes()), Plain::Other, "{text}");
        }
    }
}
