//! What a request to `/v1` asks for: its path, its query, its body, within their limits. Called by `admin`.

use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;
use serde::Deserialize;

use super::clerk::{Asked, AskedChange, AskedCrls};
use super::problems::Problem;
use crate::model::{HoldId, Position, Reason, Serial, Time};
use crate::publisher::Issuing;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// What is known of a certificate.
    Certificate { issuer: String, serial: Serial },
    /// A change of its status.
    Change { issuer: String, serial: Serial, asked: Asked },
    /// What is published.
    Crls,
    /// CRLs, at once.
    Publish(AskedCrls),
    /// Events after a position.
    Events { after: Position, limit: usize },
}

/// A path below `/v1`, before anything in it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path<'p> {
    Certificate { issuer: &'p str, serial: &'p str },
    Change { issuer: &'p str, serial: &'p str, verb: Verb },
    Crls,
    Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Hold,
    Release,
    Revoke,
}

/// The body of a change.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
struct RawChange {
    #[serde(rename = "as")]
    sender: Option<String>,
    holds: Option<Vec<String>>,
    idempotency_key: Option<String>,
    lost_at: Option<String>,
    reason: Option<String>,
}

/// The body that asks for CRLs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object")]
struct RawCrls {
    #[serde(rename = "as")]
    sender: Option<String>,
    full: bool,
    path: Option<String>,
}

/// Reads a request whose sender may ask.
pub(super) async fn read(head: Parts, body: Incoming) -> Result<Ask, Problem> {
    let path = path_of(head.uri.path()).ok_or_else(|| Problem::NotFound("no such path".to_owned()))?;
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    match path {
        Path::Events if reads => events(head.uri.query().unwrap_or_default()),
        Path::Certificate { issuer, serial } if reads => {
            no_query(&head)?;
            Ok(Ask::Certificate { issuer: decoded(issuer)?, serial: serial_of(serial)? })
        }
        Path::Crls if reads => {
            no_query(&head)?;
            Ok(Ask::Crls)
        }
        Path::Crls if head.method == Method::POST => {
            no_query(&head)?;
            Ok(Ask::Publish(crls(&whole(&head.headers, body).await?)?))
        }
        Path::Crls => Err(Problem::NotAllowed("GET, HEAD, POST")),
        Path::Events | Path::Certificate { .. } => Err(Problem::NotAllowed("GET, HEAD")),
        Path::Change { issuer, serial, verb } if head.method == Method::POST => {
            no_query(&head)?;
            let (issuer, serial) = (decoded(issuer)?, serial_of(serial)?);
            let asked = change(verb, &whole(&head.headers, body).await?)?;
            Ok(Ask::Change { issuer, serial, asked })
        }
        Path::Change { .. } => Err(Problem::NotAllowed("POST")),
    }
}

fn path_of(path: &str) -> Option<Path<'_>> {
    let mut parts = path.strip_prefix("/v1/")?.split('/');
    let first = parts.next()?;
    match (first, parts.next(), parts.next(), parts.next(), parts.next()) {
        ("events", None, ..) => Some(Path::Events),
        ("crls", None, ..) => Some(Path::Crls),
        ("certificates", Some(issuer), Some(serial), None, _) => Some(Path::Certificate { issuer, serial }),
        ("certificates", Some(issuer), Some(serial), Some(verb), None) => {
            let verb = match verb {
                "hold" => Verb::Hold,
                "release" => Verb::Release,
                "revoke" => Verb::Revoke,
                _ => return None,
            };
            Some(Path::Change { issuer, serial, verb })
        }
        _ => None,
    }
}

fn events(query: &str) -> Result<Ask, Problem> {
    let (mut after, mut limit) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match name {
            "after" => &mut after,
            "limit" => &mut limit,
            _ => return Err(malformed(format!("there is no parameter '{name}': only after and limit"))),
        };
        let number = value.parse::<u64>().map_err(|_| malformed(format!("{name}: '{value}' is no number")))?;
        if place.replace(number).is_some() {
            return Err(malformed(format!("{name} is there twice")));
        }
    }
    let limit = limit.unwrap_or(EVENTS_USUAL);
    if !(1..=EVENTS_MAX).contains(&limit) {
        return Err(malformed(format!("limit: must be 1 to {EVENTS_MAX}")));
    }
    Ok(Ask::Events { after: Position(after.unwrap_or_default()), limit: limit as usize })
}

fn no_query(head: &Parts) -> Result<(), Problem> {
    match head.uri.query() {
        None | Some("") => Ok(()),
        Some(_) => Err(malformed("this path takes no parameters".to_owned())),
    }
}

/// The whole body, within its limits of length, type and time.
async fn whole(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_OCTETS_MAX).collect()).await;
    let body = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Problem::TooLarge),
        Ok(Err(_)) => return Err(malformed("the body was broken off".to_owned())),
        Err(_) => return Err(Problem::TooSlow),
    };
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    match kind {
        Some(kind) if !is_json(kind) => Err(Problem::OtherType),
        None if !body.is_empty() => Err(Problem::OtherType),
        Some(_) | None => Ok(body),
    }
}

fn crls(body: &[u8]) -> Result<AskedCrls, Problem> {
    let RawCrls { sender, full, path } = object(body)?;
    Ok(AskedCrls { path, issuing: if full { Issuing::Full } else { Issuing::Delta }, sender })
}

/// An object, or nothing at all.
fn object<T: Default + for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Problem> {
    match body.trim_ascii() {
        [] => Ok(T::default()),
        // A list would be taken for the fields in their order.
        [b'[', ..] => Err(malformed("the body: an object is expected".to_owned())),
        body => serde_json::from_slice(body).map_err(|error| malformed(format!("the body: {error}"))),
    }
}

fn change(verb: Verb, body: &[u8]) -> Result<Asked, Problem> {
    let raw: RawChange = object(body)?;
    let unused = |name: &str, there: bool| match there {
        true => Err(malformed(format!("{name} has no meaning here"))),
        false => Ok(()),
    };
    let lost_at = raw.lost_at.as_deref().map(str::parse::<Time>).transpose();
    let lost_at = lost_at.map_err(|error| malformed(format!("lost_at: {error}")))?;
    let change = match verb {
        Verb::Hold => {
            unused("reason", raw.reason.is_some())?;
            unused("holds", raw.holds.is_some())?;
            AskedChange::Hold { lost_at }
        }
        Verb::Release => {
            unused("reason", raw.reason.is_some())?;
            unused("lost_at", lost_at.is_some())?;
            let holds = raw.holds.unwrap_or_default();
            if holds.len() > HOLDS_MAX {
                return Err(malformed(format!("holds: at most {HOLDS_MAX}")));
            }
            let id = |text: &String| {
                text.parse().map(|id| HoldId(Position(id))).map_err(|_| malformed(format!("holds: '{text}' is no id")))
            };
            AskedChange::Release { holds: holds.iter().map(id).collect::<Result<_, _>>()? }
        }
        Verb::Revoke => {
            unused("holds", raw.holds.is_some())?;
            let reason = raw.reason.as_deref().map_or(Ok(Reason::Unspecified), str::parse);
            let reason = reason.map_err(|error| malformed(format!("reason: {error}")))?;
            AskedChange::Revoke { reason, lost_at }
        }
    };
    Ok(Asked { change, sender: raw.sender, idempotency_key: raw.idempotency_key })
}

/// A part of a path without its escapes (RFC 3986 §2.1).
fn decoded(part: &str) -> Result<String, Problem> {
    let wrong = || malformed(format!("'{part}' has a broken escape"));
    let mut octets = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(wrong);
                (digit()? << 4 | digit()?) as u8
            }
            octet => octet,
        });
    }
    String::from_utf8(octets).map_err(|_| wrong())
}

fn serial_of(part: &str) -> Result<Serial, Problem> {
    decoded(part)?.parse().map_err(|error| malformed(format!("the serial number: {error}")))
}

fn is_json(kind: &[u8]) -> bool {
    kind.split(|octet| *octet == b';')
        .next()
        .is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

fn malformed(detail: String) -> Problem {
    Problem::Malformed(detail)
}

/// A hundred times what a change has to say.
const BODY_OCTETS_MAX: usize = 64 * 1_024;
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// More holds than a certificate ever had at once.
const HOLDS_MAX: usize = 1_000;
const EVENTS_USUAL: u64 = 100;
/// Half a megabyte of JSON.
const EVENTS_MAX: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_should() {
        let (issuer, serial) = ("a%20b", "0A");
        assert_eq!(path_of("/v1/events"), Some(Path::Events));
        assert_eq!(path_of("/v1/certificates/a%20b/0A"), Some(Path::Certificate { issuer, serial }));
        let verb = Verb::Revoke;
        assert_eq!(path_of("/v1/certificates/a%20b/0A/revoke"), Some(Path::Change { issuer, serial, verb }));
        for nowhere in [
            "/",
            "/v1",
            "/v1/",
            "/v1/events/",
            "/v1/certificates/a",
            "/v1/certificates/a/b/activate",
            "/v1/certificates/a/b/hold/",
            "/v2/events",
        ] {
            assert_eq!(path_of(nowhere), None, "{nowhere}");
        }
        assert_eq!(decoded(issuer).unwrap(), "a b");
        for broken in ["%", "%2", "%2g", "%ff"] {
            assert!(decoded(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_page_of_events_has_a_bound() {
        let asks = |query| events(query).map_err(|problem| problem.response().status().as_u16());
        let page = |after, limit| Ok(Ask::Events { after: Position(after), limit });
        assert_eq!(asks(""), page(0, 100));
        assert_eq!(asks("after=18446744073709551615&limit=1000"), page(u64::MAX, 1_000));
        for wrong in ["limit=0", "limit=1001", "limit=-1", "after=", "after=x", "after=1&after=1", "page=1"] {
            assert_eq!(asks(wrong), Err(400), "{wrong}");
        }
    }

    #[test]
    fn a_body_says_what_its_verb_takes_and_nothing_else() {
        let revoked = change(Verb::Revoke, br#"{"reason": "keyCompromise", "as": "ops/a", "idempotency_key": "k"}"#);
        let asked = AskedChange::Revoke { reason: Reason::KeyCompromise, lost_at: None };
        let (sender, idempotency_key) = (Some("ops/a".into()), Some("k".into()));
        assert_eq!(revoked, Ok(Asked { change: asked, sender, idempotency_key }));
        let usual = change(Verb::Revoke, b" ").unwrap().change;
        assert_eq!(usual, AskedChange::Revoke { reason: Reason::Unspecified, lost_at: None });
        let released = change(Verb::Release, br#"{"holds": ["7"]}"#).unwrap().change;
        assert_eq!(released, AskedChange::Release { holds: vec![HoldId(Position(7))] });
        for (verb, wrong) in [
            (Verb::Hold, r#"{"reason": "keyCompromise"}"#),
            (Verb::Hold, r#"{"holds": []}"#),
            (Verb::Hold, r#"{"lost_at": "yesterday"}"#),
            (Verb::Release, r#"{"lost_at": "2026-01-01T00:00:00Z"}"#),
            (Verb::Release, r#"{"holds": ["x"]}"#),
            (Verb::Release, r#"{"holds": [7]}"#),
            (Verb::Revoke, r#"{"reason": "because"}"#),
            (Verb::Revoke, r#"{"raeson": "keyCompromise"}"#),
            (Verb::Revoke, "[]"),
            (Verb::Revoke, "{"),
        ] {
            assert!(matches!(change(verb, wrong.as_bytes()), Err(Problem::Malformed(_))), "{wrong}");
        }
    }
}
