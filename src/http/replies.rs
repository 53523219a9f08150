//! The table of the public listener: which outcome is which status, with which headers.
//!
//! Caching follows the issuer's profile: minutes and for the caller alone, or as RFC 9919 §7 has it. What may not be given to
//! another, and whatever is unsigned, is never stored.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, ETAG, EXPIRES, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use hyper::{Response, StatusCode};

use super::dates::{from_http_date, http_date};
use crate::asn1::ocsp::ErrorReply;
use crate::model::Time;
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
    position: Option<(ReadTo, HeaderValue)>,
    dates: [Option<(Time, HeaderValue)>; 2],
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
    fn is_met_by(&self, reply: &Reply, tag: &HeaderValue, now: Time) -> bool {
        match self {
            Self::None => false,
            Self::Unlike(tags) => tags.iter().any(|listed| lists(listed.as_bytes(), tag.as_bytes())),
            // A certificate that was never changed can't have been anything else before. One that was may have been
            // changed in the very second that the client's copy was made in.
            Self::Since(since) => {
                reply.changed.is_none()
                    && reply.produced_at <= *since
                    && reply.produced_at.since(Time::default()) + 2 <= now.since(Time::default())
            }
        }
    }
}

/// Whether a list of tags has that one; weak ones count, for a reply is the same octet for octet or not at all.
fn lists(list: &[u8], tag: &[u8]) -> bool {
    list.split(|octet| *octet == b',')
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed == tag || listed.strip_prefix(b"W/").is_some_and(|listed| listed == tag))
}

/// A signed reply.
pub(super) fn signed(reply: Reply, condition: &Condition, now: Time, stamps: &mut Stamps) -> Response<Full<Bytes>> {
    let tag = tag_of(&reply);
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(POSITION, stamps.position(reply.read_to));
    let left = u32::try_from(reply.next_update.unix() - now.unix()).unwrap_or(0);
    let fresh = match reply.reuse {
        Reuse::By(profile) => {
            headers.insert(LAST_MODIFIED, stamps.date(0, reply.produced_at));
            headers.insert(EXPIRES, stamps.date(1, reply.next_update));
            headers.insert(ETAG, tag.clone());
            headers.insert(CACHE_CONTROL, cache_control(profile, left));
            !condition.is_met_by(&reply, &tag, now)
        }
        Reuse::Never => {
            headers.insert(CACHE_CONTROL, NO_STORE);
            true
        }
    };
    let (status, body) = if fresh {
        headers.insert(CONTENT_TYPE, OCSP_RESPONSE);
        (StatusCode::OK, Full::from(reply.der))
    } else {
        (StatusCode::NOT_MODIFIED, Full::default())
    };
    response(status, headers, body)
}

/// An unsigned reply: OCSP's own errors, which are answers as far as HTTP is concerned.
pub(super) fn unsigned(reply: ErrorReply, read_to: ReadTo, stamps: &mut Stamps) -> Response<Full<Bytes>> {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, OCSP_RESPONSE);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(POSITION, stamps.position(read_to));
    response(StatusCode::OK, headers, Full::from(Bytes::from_static(reply.der())))
}

/// What is refused before OCSP comes into it.
pub(super) fn declined(declined: Declined, read_to: ReadTo, stamps: &mut Stamps) -> Response<Full<Bytes>> {
    let (status, text) = match declined {
        Declined::Ambiguous => (StatusCode::BAD_REQUEST, "a body has a Content-Length or chunks, not both\n"),
        Declined::BrokenOff => (StatusCode::BAD_REQUEST, "the body broke off\n"),
        Declined::NotFound => (StatusCode::NOT_FOUND, "not found\n"),
        Declined::OtherMethod => (StatusCode::METHOD_NOT_ALLOWED, "POST an OCSP request here, or GET it in base64\n"),
        Declined::OtherType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/ocsp-request\n"),
        Declined::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "the request is too long\n"),
    };
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(POSITION, stamps.position(read_to));
    match declined {
        Declined::OtherMethod => {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        // What follows on this connection may be anything.
        Declined::Ambiguous | Declined::BrokenOff | Declined::TooLong => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Declined::NotFound | Declined::OtherType => {}
    }
    response(status, headers, Full::from(Bytes::from_static(text.as_bytes())))
}

impl Stamps {
    fn position(&mut self, read_to: ReadTo) -> HeaderValue {
        match &self.position {
            Some((known, value)) if *known == read_to => value.clone(),
            _ => {
                let text = format!("{}.{}", read_to.epoch.0, read_to.position.0);
                let value = HeaderValue::try_from(text).expect("digits are a header's value");
                self.position = Some((read_to, value.clone()));
                value
            }
        }
    }

    fn date(&mut self, which: usize, time: Time) -> HeaderValue {
        match &self.dates[which] {
            Some((known, value)) if *known == time => value.clone(),
            _ => {
                let value = http_date(time);
                self.dates[which] = Some((time, value.clone()));
                value
            }
        }
    }
}

fn response(status: StatusCode, headers: HeaderMap, body: Full<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Strong: the signature fixes all of the body.
fn tag_of(reply: &Reply) -> HeaderValue {
    let mut text = [b'"'; 34];
    for (pair, octet) in text[1..33].as_chunks_mut::<2>().0.iter_mut().zip(reply.tag) {
        *pair = [HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]];
    }
    HeaderValue::from_bytes(&text).expect("hexadecimal digits are a header's value")
}

fn cache_control(profile: Profile, left: u32) -> HeaderValue {
    match profile {
        Profile::National if left >= NATIONAL_MAX_AGE => HeaderValue::from_static("max-age=60, private"),
        Profile::National => HeaderValue::try_from(format!("max-age={left}, private")).expect("digits and letters"),
        Profile::Web => HeaderValue::try_from(format!("max-age={left}, public, no-transform, must-revalidate"))
            .expect("digits and letters"),
    }
}

/// How far the ledger had been read, as `epoch.position`.
const POSITION: HeaderName = HeaderName::from_static("tashika-position");
const OCSP_RESPONSE: HeaderValue = HeaderValue::from_static("application/ocsp-response");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// A loss that is reported now is in the answer that is fetched in a minute.
const NATIONAL_MAX_AGE: u32 = 60;
/// Those of a reply, with hyper's own.
const HEADERS: usize = 10;
const HEX: &[u8; 16] = b"0123456789abcdef";
