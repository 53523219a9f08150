//! The two probes: what they say, with status, headers and body. Called by `admin`.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::model::Position;

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// The process runs.
    Alive,
    /// Whether it is ready, and why not.
    Ready(Readiness),
}

/// Whether the program should be asked at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Not now.
    NotReady {
        /// Why; never empty.
        obstacles: Vec<Obstacle>,
    },
    /// It answers.
    Ready {
        /// How far the ledger had come when it was last heard of.
        position: Option<Position>,
        /// Seconds since the last sign of life of the ledger's writer.
        heartbeat_age: Option<u64>,
        /// Whether this process is the ledger's writer.
        leads: bool,
        /// For how many seconds what is answered has been getting old; none: it is fresh.
        degraded: Option<u32>,
        /// Issuers that nobody signs for, and why: theirs is the only answer that is wanting.
        without_signer: Vec<(String, String)>,
        /// What a person should look at, though it answers on: most are about what is written to the ledger.
        obstacles: Vec<Obstacle>,
    },
}

/// Something that is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// For machines: a short name that never changes.
    pub kind: &'static str,
    /// For people: one line.
    pub detail: String,
}

impl Probe {
    /// As an answer.
    pub fn response(&self) -> Response<Full<Bytes>> {
        match self {
            Self::Alive => text(StatusCode::OK, "alive\n"),
            Self::Ready(readiness @ Readiness::Ready { .. }) => json_body(StatusCode::OK, &describe(readiness)),
            Self::Ready(readiness @ Readiness::NotReady { .. }) => {
                json_body(StatusCode::SERVICE_UNAVAILABLE, &describe(readiness))
            }
        }
    }
}

/// A probe that is asked by a method that it doesn't know.
pub(super) fn not_allowed() -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn describe(readiness: &Readiness) -> Value {
    match readiness {
        Readiness::Ready { position, heartbeat_age, leads, degraded, without_signer, obstacles } => json!({
            "ready": true,
            // A position may not fit the numbers of JSON's readers.
            "position": position.map(|position| position.to_string()),
            "heartbeat_age_seconds": heartbeat_age,
            "leads": leads,
            "degraded_seconds": degraded,
            "without_signer": without_signer.iter().map(|(name, why)| json!({ "issuer": name, "detail": why })).collect::<Vec<_>>(),
            "obstacles": listed(obstacles),
        }),
        Readiness::NotReady { obstacles } => json!({ "ready": false, "obstacles": listed(obstacles) }),
    }
}

fn listed(obstacles: &[Obstacle]) -> Vec<Value> {
    obstacles.iter().map(|obstacle| json!({ "kind": obstacle.kind, "detail": obstacle.detail })).collect()
}

fn json_body(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    answer(status, "application/json", format!("{value}\n"))
}

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", text.to_owned())
}

/// An answer of the admin listener.
pub(super) fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(position: Position) -> Readiness {
        Readiness::Ready {
            position: Some(position),
            heartbeat_age: Some(1),
            leads: false,
            degraded: None,
            without_signer: vec![],
            obstacles: vec![Obstacle { kind: "x", detail: "y".into() }],
        }
    }

    #[test]
    fn each_probe_has_its_status() {
        let ready = ready(Position(7));
        let not = Readiness::NotReady { obstacles: vec![Obstacle { kind: "x", detail: "y".into() }] };
        for (probe, status) in [(Probe::Alive, 200), (Probe::Ready(ready), 200), (Probe::Ready(not), 503)] {
            let response = probe.response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        }
        assert_eq!(
            (not_allowed().status().as_u16(), &not_allowed().headers()[ALLOW]),
            (405, &"GET, HEAD".parse().unwrap())
        );
    }

    #[test]
    fn positions_are_strings_and_obstacles_have_names() {
        let ready = describe(&ready(Position(u64::MAX)));
        assert_eq!((&ready["position"], &ready["obstacles"][0]["kind"]), (&json!(u64::MAX.to_string()), &json!("x")));
        let not = Readiness::NotReady { obstacles: vec![Obstacle { kind: "ledger", detail: "gone \"away\"".into() }] };
        let text = r#"{"obstacles":[{"detail":"gone \"away\"","kind":"ledger"}],"ready":false}"#;
        assert_eq!(describe(&not).to_string(), text);
    }
}
