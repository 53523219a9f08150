//! A request for a file of the shelf: CRLs, their index, certificates, checkpoints; with the conditions of RFC 9110. Asked
//! by `ocsp` for what is no OCSP.
//!
//! What is said of a file follows from the file alone: its tag is the hash of its octets, so that nodes that publish the same
//! say the same. No content coding, ever: verifiers hash and parse what they get, and some can't undo one.

use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::dates::{from_http_date, http_date};
use super::file_counts::{FileCounts, FileOutcome, Row};
use super::ocsp::Guest;
use super::ranges::Part;
use super::replies::{Fields as _, HEX, NO_STORE, POSITION, lists};
use super::sending::{Answer, Asker, Places, Sending};
use super::watch::Ticks;
use crate::model::Time;
use crate::publisher::{Date, File, Found, Media, Shelf};

/// One thread's part in serving files.
pub(super) struct Files {
    shelf: Arc<Shelf>,
    row: Arc<Row>,
    places: Places,
}

/// What the conditions of a request come to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Failed,
    NotModified,
    Wanted(Part),
}

impl Files {
    pub fn new(shelf: Arc<Shelf>, counts: &FileCounts, places: Places) -> Self {
        Self { shelf, row: counts.row(), places }
    }

    /// Whether something lies at a request's path.
    pub fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// How many files are on their way, on this thread.
    pub fn sending(&self) -> usize {
        self.row.sending()
    }

    /// The answer to a request; none: nothing lies there.
    pub fn answer(
        &self,
        head: &Parts,
        guest: &Guest,
        asker: Asker,
        ticks: &Arc<Ticks>,
        now: Time,
    ) -> Option<Response<Answer>> {
        let found = self.find(head.uri.path())?;
        let file = &found.file;
        if !matches!(head.method, Method::GET | Method::HEAD) {
            let mut response = self.refusal(FileOutcome::OtherMethod);
            response.headers_mut().field("allow", b"GET, HEAD");
            return Some(response);
        }
        let tag = tag(file);
        let part = match judge(&head.headers, &head.method, &found, &tag) {
            Verdict::Failed => return Some(self.refusal(FileOutcome::PreconditionFailed)),
            Verdict::NotModified => return Some(self.bodiless(FileOutcome::NotModified, told(&found, &tag, now))),
            Verdict::Wanted(part) => part,
        };
        let length = file.octets.len();
        let (status, octets, outcome) = match part {
            Part::Whole => (StatusCode::OK, 0..length, FileOutcome::Whole),
            Part::Octets(octets) => (StatusCode::PARTIAL_CONTENT, octets, FileOutcome::Part),
            Part::Unsatisfiable => {
                let mut response = self.refusal(FileOutcome::Unsatisfiable);
                response.headers_mut().field("content-range", format!("bytes */{length}").as_bytes());
                return Some(response);
            }
        };
        let mut fields = told(&found, &tag, now);
        fields.field("accept-ranges", b"bytes");
        fields.field("content-type", media_type(file.media));
        fields.field("content-length", octets.len().to_string().as_bytes());
        if head.method == Method::HEAD {
            return Some(self.bodiless(FileOutcome::Head, fields));
        }
        if status == StatusCode::PARTIAL_CONTENT {
            let range = format!("bytes {}-{}/{length}", octets.start, octets.end - 1);
            fields.field("content-range", range.as_bytes());
        }
        let Some(place) = self.places.take(octets.len(), asker) else {
            let mut response = self.refusal(FileOutcome::Busy);
            response.headers_mut().field("retry-after", RETRY_AFTER_SECONDS);
            return Some(response);
        };
        let (row, watch, ticks) = (self.row.clone(), guest.watch.clone(), ticks.clone());
        let sending = Sending { row, watch, ticks, _place: place, outcome };
        let mut response = Response::new(Answer::of(file.clone(), octets, head.version, sending));
        (*response.status_mut(), *response.headers_mut()) = (status, fields);
        Some(response)
    }

    fn find(&self, path: &str) -> Option<Found> {
        self.shelf.find(path.strip_prefix('/')?)
    }

    fn bodiless(&self, outcome: FileOutcome, fields: HeaderMap) -> Response<Answer> {
        self.row.count(outcome);
        let mut response = Response::new(Full::default().into());
        if outcome == FileOutcome::NotModified {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        *response.headers_mut() = fields;
        response
    }

    fn refusal(&self, outcome: FileOutcome) -> Response<Answer> {
        self.row.count(outcome);
        let (status, text) = match outcome {
            FileOutcome::Busy => (StatusCode::SERVICE_UNAVAILABLE, "too many downloads are under way: come again\n"),
            FileOutcome::OtherMethod => (StatusCode::METHOD_NOT_ALLOWED, "a file: GET it\n"),
            FileOutcome::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "it has changed\n"),
            _ => (StatusCode::RANGE_NOT_SATISFIABLE, "it ends before that\n"),
        };
        let mut response = Response::new(Full::from(Bytes::from_static(text.as_bytes())).into());
        *response.status_mut() = status;
        response.headers_mut().field("content-type", b"text/plain; charset=utf-8");
        response.headers_mut().field("cache-control", NO_STORE);
        response
    }
}

/// What the conditions come to, in the order of RFC 9110 §13.2.2.
fn judge(headers: &HeaderMap, method: &Method, found: &Found, tag: &[u8]) -> Verdict {
    let date_of = |name| headers.get(name).and_then(|value| from_http_date(value.as_bytes()));
    let file = &found.file;
    if headers.contains_key(IF_MATCH) {
        let is = |listed: &[u8]| listed == b"*" || listed == tag;
        let mut listed =
            headers.get_all(IF_MATCH).iter().flat_map(|list| list.as_bytes().split(|octet| *octet == b','));
        if !listed.any(|listed| is(listed.trim_ascii())) {
            return Verdict::Failed;
        }
    } else if let Some(since) = date_of(IF_UNMODIFIED_SINCE)
        && (file.made > since || found.date == Date::Shared)
    {
        return Verdict::Failed;
    }
    if headers.contains_key(IF_NONE_MATCH) {
        if headers.get_all(IF_NONE_MATCH).iter().any(|list| lists(list.as_bytes(), tag)) {
            return Verdict::NotModified;
        }
    } else if let Some(since) = date_of(IF_MODIFIED_SINCE)
        && file.made <= since
        && found.date == Date::Telling
    {
        return Verdict::NotModified;
    }
    if *method == Method::HEAD {
        return Verdict::Wanted(Part::Whole);
    }
    Verdict::Wanted(Part::of(headers, file.octets.len(), tag))
}

/// What is said of a file, whether it is sent or not.
fn told(found: &Found, tag: &[u8], now: Time) -> HeaderMap {
    let file = &found.file;
    let mut fields = HeaderMap::with_capacity(FIELDS);
    fields.field("etag", tag);
    fields.field("last-modified", &http_date(file.made));
    match file.ends {
        Some(ends) => {
            let left = (ends.unix() - now.unix()).max(0);
            fields.field("cache-control", format!("public, max-age={left}, no-transform").as_bytes());
            fields.field("expires", &http_date(ends));
        }
        // Kept by whom it pleases, and asked for again each time: most times nothing but this header travels.
        None => fields.field("cache-control", b"public, no-cache, no-transform"),
    }
    if let Some(reflects) = file.reflects {
        fields.field(POSITION, format!("{}.{}", reflects.epoch.0, reflects.position.0).as_bytes());
    }
    fields
}

fn media_type(media: Media) -> &'static [u8] {
    match media {
        Media::Bundle => b"application/zstd",
        Media::Certificate => b"application/pkix-cert",
        Media::Crl => b"application/pkix-crl",
        Media::Json => b"application/json",
        Media::Signature => b"application/pkcs7-signature",
        Media::Text => b"text/plain; charset=utf-8",
    }
}

/// Strong: the hash of the octets.
fn tag(file: &File) -> [u8; 66] {
    let mut text = [b'"'; 66];
    for (pair, octet) in text[1..65].as_chunks_mut::<2>().0.iter_mut().zip(file.sha256) {
        *pair = [HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]];
    }
    text
}

/// A CRL of a megabyte has gone by then, over most lines.
const RETRY_AFTER_SECONDS: &[u8] = b"30";
/// Those of a part, with hyper's own.
const FIELDS: usize = 11;
