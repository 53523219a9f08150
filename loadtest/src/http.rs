//! The head of an HTTP answer, and where its body ends. Used by `connection` and `client`.

use crate::request::Reuse;

/// What is known once the head has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    pub body_at: usize,
    pub length: Length,
    pub after: Reuse,
    pub is_ocsp: bool,
    pub position: Option<Position>,
}

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Octets(usize),
    UntilClosed,
}

/// Of the ledger, as `Tashika-Position: epoch.position` says it; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub epoch: u64,
    pub position: u64,
}

/// No HTTP answer that an OCSP client could use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an HTTP answer as expected: {0}")]
pub struct NotHttp(pub &'static str);

impl Head {
    /// `None` if the head isn't all there yet.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, NotHttp> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let body_at = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(NotHttp("its head")),
        };
        let after = if response.version == Some(1) { Reuse::Keep } else { Reuse::Close };
        let status = response.code.ok_or(NotHttp("no status"))?;
        let mut head = Self { status, body_at, length: Length::UntilClosed, after, is_ocsp: false, position: None };
        for header in response.headers {
            head.note(header)?;
        }
        if head.length == Length::UntilClosed {
            head.after = Reuse::Close;
        }
        Ok(Some(head))
    }

    fn note(&mut self, header: &httparse::Header<'_>) -> Result<(), NotHttp> {
        let value = header.value;
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        // Most headers are told apart by their length alone.
        match header.name.len() {
            14 if is("content-length") => {
                let length = number(value).filter(|length| *length <= BODY_MAX).ok_or(NotHttp("Content-Length"))?;
                self.length = Length::Octets(length as usize);
            }
            12 if is("content-type") => self.is_ocsp = value.eq_ignore_ascii_case(b"application/ocsp-response"),
            10 if is("connection") => {
                if value.eq_ignore_ascii_case(b"close") {
                    self.after = Reuse::Close;
                } else if value.eq_ignore_ascii_case(b"keep-alive") {
                    self.after = Reuse::Keep;
                }
            }
            16 if is("tashika-position") => {
                self.position = Some(Position::read(value).ok_or(NotHttp("Tashika-Position"))?);
            }
            // RFC 6960 A.2 wants a length; a client may well know no chunks.
            17 if is("transfer-encoding") => return Err(NotHttp("Transfer-Encoding")),
            _ => {}
        }
        Ok(())
    }
}

impl Position {
    fn read(value: &[u8]) -> Option<Self> {
        let dot = value.iter().position(|octet| *octet == b'.')?;
        Some(Self { epoch: number(&value[..dot])?, position: number(&value[dot + 1..])? })
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()))?.parse().ok()
}

const HEADERS_MAX: usize = 32;
/// A thousand statuses with an RSA-4096 signer take 0.2 MB.
pub const BODY_MAX: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_whole_or_not_yet() {
        let text = b"HTTP/1.1 200 OK\r\nContent-type: application/ocsp-response\r\ncontent-length: 5\r\n\
            Tashika-Position: 2.345\r\n\r\nhello";
        let head = Head::read(text).unwrap().unwrap();
        assert_eq!((head.status, head.length, head.after), (200, Length::Octets(5), Reuse::Keep));
        assert_eq!(head.position, Some(Position { epoch: 2, position: 345 }));
        assert!(head.is_ocsp && &text[head.body_at..] == b"hello");
        for cut in 0..head.body_at {
            assert_eq!(Head::read(&text[..cut]), Ok(None), "{cut}");
        }
    }

    #[test]
    fn what_ends_a_connection_is_noticed() {
        let after = |text: &str| Head::read(text.as_bytes()).unwrap().unwrap().after;
        assert_eq!(after("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"), Reuse::Close);
        assert_eq!(after("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"), Reuse::Close);
        assert_eq!(after("HTTP/1.1 200 OK\r\n\r\n"), Reuse::Close);
    }

    #[test]
    fn what_no_ocsp_client_could_use_is_refused() {
        for text in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTashika-Position: 7\r\n\r\n",
        ] {
            assert!(Head::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
