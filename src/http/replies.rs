//! The table of the public listener: which outcome is which status, with which headers.
//!
//! Caching follows the issuer's profile: minutes and for the caller alone, or as RFC 9919 §7 has it. What may not be given to
//! another, and whatever is unsigned, is never stored.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use hyper::{Response, StatusCode};

use super::dates::{from_http_date, http_date};
use super::sending::Answer;
use crate::asn1::ocsp::ErrorReply;
use crate::model::{Seconds, Time};
use crate::responder::{Profile, Reply, Reuse};
use crate::status::ReadTo;

/// What is refused before OCSP comes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declined {
    /// Both a length and chunks: which of them holds is what smugglers play with (RFC 9112 §6.1).
    Ambiguous,
    /// The body broke off.
    BrokenOff,
    /// Nothing is there.
    NotFound,
    /// Something is there, for other methods.
    OtherMethod,
    /// A body of another type.
    OtherType,
    /// A body that is too long.
    TooLong,
    /// A body that takes too long.
    TooSlow,
}

/// Under which condition a client wants a body at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Always.
    None,
    /// If it is none of these.
    Unlike(Vec<HeaderValue>),
    /// If it was made after this.
    Since(Time),
}

/// Header values that are the same for many replies in a row.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    position: (Option<ReadTo>, String),
    dates: [(Option<Time>, [u8; 29]); 3],
}

/// Which date.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dated {
    /// Of the reply's making.
    Made = 0,
    /// Of its end.
    Ends = 1,
    /// Now.
    Now = 2,
}

impl Condition {
    /// What the headers of a GET ask for. If-None-Match counts alone where both stand (RFC 9110 §13.1.3).
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(IF_NONE_MATCH) {
            return Self::Unlike(headers.get_all(IF_NONE_MATCH).iter().cloned().collect());
        }
        let since = headers.get(IF_MODIFIED_SINCE).and_then(|value| from_http_date(value.as_bytes()));
        since.map_or(Self::None, Self::Since)
    }

    /// Whether the client has that very reply, or one that says the same.
    fn is_met_by(&self, reply: &Reply, tag: &[u8], now: Time) -> bool {
        match self {
            Self::None => false,
            Self::Unlike(tags) => tags.iter().any(|listed| lists(listed.as_bytes(), tag)),
            // A certificate that was never changed can't have been anything else before. One that was may have been
            // changed in the very second that the client's copy was made in.
            Self::Since(since) => {
                reply.changed.is_none() && reply.produced_at <= *since && reply.produced_at + Seconds(2) <= now
            }
        }
    }
}

/// Whether a list of tags has that one; weak ones count, for a reply is the same octet for octet or not at all.
pub(super) fn lists(list: &[u8], tag: &[u8]) -> bool {
    list.split(|octet| *octet == b',')
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed == tag || listed.strip_prefix(b"W/").is_some_and(|listed| listed == tag))
}

/// Where header fields go: to hyper, or straight into octets.
pub(super) trait Fields {
    /// One field more; `name` in lower case.
    fn field(&mut self, name: &'static str, value: &[u8]);
}

/// A status and a body, whose fields are where they were put.
#[derive(Debug)]
pub(super) struct Ready {
    pub status: StatusCode,
    pub body: Body,
    pub after: After,
}

/// What a response carries.
#[derive(Debug)]
pub(super) enum Body {
    Made(Vec<u8>),
    Constant(&'static [u8]),
    /// Not even a length: the client has it already.
    None,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It is kept, if the client wants it.
    Keep,
    /// What follows on it may be anything.
    Close,
}

impl Body {
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Made(octets) => octets,
            Self::Constant(octets) => octets,
            Self::None => &[],
        }
    }
}

/// A signed reply.
pub(super) fn signed(
    reply: Reply,
    condition: &Condition,
    now: Time,
    stamps: &mut Stamps,
    fields: &mut impl Fields,
) -> Ready {
    fields.field(POSITION, stamps.position(reply.read_to));
    let left = u32::try_from(reply.next_update.unix() - now.unix()).unwrap_or(0);
    let fresh = match reply.reuse {
        Reuse::By(profile) => {
            let tag = tag_of(&reply);
            fields.field("last-modified", stamps.date(Dated::Made, reply.produced_at));
            fields.field("expires", stamps.date(Dated::Ends, reply.next_update));
            fields.field("etag", &tag);
            match profile {
                Profile::National if left >= NATIONAL_MAX_AGE => fields.field("cache-control", b"max-age=60, private"),
                Profile::National => fields.field("cache-control", format!("max-age={left}, private").as_bytes()),
                Profile::Web => {
                    let text = format!("max-age={left}, public, no-transform, must-revalidate");
                    fields.field("cache-control", text.as_bytes());
                }
            }
            !condition.is_met_by(&reply, &tag, now)
        }
        Reuse::Never => {
            fields.field("cache-control", NO_STORE);
            true
        }
    };
    if !fresh {
        return Ready { status: StatusCode::NOT_MODIFIED, body: Body::None, after: After::Keep };
    }
    fields.field("content-type", OCSP_RESPONSE);
    Ready { status: StatusCode::OK, body: Body::Made(reply.der), after: After::Keep }
}

/// An unsigned reply: OCSP's own errors, which are answers as far as HTTP is concerned.
pub(super) fn unsigned(reply: ErrorReply, read_to: ReadTo, stamps: &mut Stamps, fields: &mut impl Fields) -> Ready {
    fields.field("content-type", OCSP_RESPONSE);
    fields.field("cache-control", NO_STORE);
    fields.field(POSITION, stamps.position(read_to));
    Ready { status: StatusCode::OK, body: Body::Constant(reply.der()), after: After::Keep }
}

/// What is refused before OCSP comes into it.
pub(super) fn declined(declined: Declined, read_to: ReadTo, stamps: &mut Stamps, fields: &mut impl Fields) -> Ready {
    let (status, text) = match declined {
        Declined::Ambiguous => (StatusCode::BAD_REQUEST, "a body has a Content-Length or chunks, not both\n"),
        Declined::BrokenOff => (StatusCode::BAD_REQUEST, "the body broke off\n"),
        Declined::NotFound => (StatusCode::NOT_FOUND, "not found\n"),
        Declined::OtherMethod => (StatusCode::METHOD_NOT_ALLOWED, "POST an OCSP request here, or GET it in base64\n"),
        Declined::OtherType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/ocsp-request\n"),
        Declined::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "the request is too long\n"),
        Declined::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body took too long\n"),
    };
    fields.field("content-type", b"text/plain; charset=utf-8");
    fields.field("cache-control", NO_STORE);
    fields.field(POSITION, stamps.position(read_to));
    let after = match declined {
        Declined::Ambiguous | Declined::BrokenOff | Declined::TooLong | Declined::TooSlow => After::Close,
        Declined::NotFound | Declined::OtherMethod | Declined::OtherType => After::Keep,
    };
    if declined == Declined::OtherMethod {
        fields.field("allow", b"GET, HEAD, POST");
    }
    Ready { status, body: Body::Constant(text.as_bytes()), after }
}

impl Stamps {
    fn position(&mut self, read_to: ReadTo) -> &[u8] {
        let text = &mut self.position;
        if text.0 != Some(read_to) {
            *text = (Some(read_to), format!("{}.{}", read_to.epoch.0, read_to.position.0));
        }
        text.1.as_bytes()
    }

    /// A date in HTTP's form.
    pub fn date(&mut self, which: Dated, time: Time) -> &[u8] {
        let kept = &mut self.dates[which as usize];
        if kept.0 != Some(time) {
            *kept = (Some(time), http_date(time));
        }
        &kept.1
    }
}

impl Fields for HeaderMap {
    fn field(&mut self, name: &'static str, value: &[u8]) {
        let value = HeaderValue::from_bytes(value).expect("the fields of this table are digits, letters and signs");
        self.insert(HeaderName::from_static(name), value);
    }
}

/// As hyper takes it.
pub(super) fn response(ready: Ready, mut headers: HeaderMap) -> Response<Answer> {
    if ready.after == After::Close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let body = match ready.body {
        Body::Made(octets) => Full::from(octets),
        Body::Constant(octets) => Full::from(Bytes::from_static(octets)),
        Body::None => Full::default(),
    };
    let mut response = Response::new(Answer::Whole(body));
    *response.status_mut() = ready.status;
    *response.headers_mut() = headers;
    response
}

/// Strong: the signature fixes all of the body.
fn tag_of(reply: &Reply) -> [u8; 34] {
    let mut text = [b'"'; 34];
    for (pair, octet) in text[1..33].as_chunks_mut::<2>().0.iter_mut().zip(reply.tag) {
        *pair = [HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]];
    }
    text
}

/// How far the ledger had been read, as `epoch.position`.
pub(super) const POSITION: &str = "tashika-position";
const OCSP_RESPONSE: &[u8] = b"application/ocsp-response";
pub(super) const NO_STORE: &[u8] = b"no-store";
/// A loss that is reported now is in the answer that is fetched in a minute.
const NATIONAL_MAX_AGE: u32 = 60;
/// Those of a reply, with hyper's own.
pub(super) const FIELDS: usize = 10;
pub(super) const HEX: &[u8; 16] = b"0123456789abcdef";
