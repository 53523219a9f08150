//! What can come of a request, and the one table from that to status, headers and body.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::model::Position;

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The process runs.
    Alive,
    /// No such path.
    NotFound,
    /// The path is there, for other methods.
    NotAllowed,
    /// Whether it is ready, and why not.
    Probed(Readiness),
}

/// Whether the program should be asked at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Not now.
    NotReady {
        /// Why; never empty.
        obstacles: Vec<Obstacle>,
    },
    /// It is up to date and works.
    Ready {
        /// How far it has come.
        position: Position,
        /// Seconds since the last sign of life of the ledger's writer.
        heartbeat_age: u64,
        /// Whether this process is the ledger's writer.
        leads: bool,
        /// For how many seconds what is answered has been getting old; none: it is fresh.
        degraded: Option<u32>,
        /// Issuers that nobody signs for, and why: theirs is the only answer that is wanting.
        without_signer: Vec<(String, String)>,
    },
}

/// One reason why the program isn't ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// For machines: a short name that never changes.
    pub kind: &'static str,
    /// For people: one line.
    pub detail: String,
}

/// The table.
pub(super) fn respond(outcome: &Outcome) -> Response<Full<Bytes>> {
    match outcome {
        Outcome::Alive => text(StatusCode::OK, "alive\n"),
        Outcome::NotFound => text(StatusCode::NOT_FOUND, "not found\n"),
        Outcome::NotAllowed => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        Outcome::Probed(readiness @ Readiness::Ready { .. }) => json_body(StatusCode::OK, &describe(readiness)),
        Outcome::Probed(readiness @ Readiness::NotReady { .. }) => {
            json_body(StatusCode::SERVICE_UNAVAILABLE, &describe(readiness))
        }
    }
}

fn describe(readiness: &Readiness) -> Value {
    match readiness {
        Readiness::Ready { position, heartbeat_age, leads, degraded, without_signer } => json!({
            "ready": true,
            // A position may not fit the numbers of JSON's readers.
            "position": position.to_string(),
            "heartbeat_age_seconds": heartbeat_age,
            "leads": leads,
            "degraded_seconds": degraded,
            "without_signer": without_signer.iter().map(|(name, why)| json!({ "issuer": name, "detail": why })).collect::<Vec<_>>(),
        }),
        Readiness::NotReady { obstacles } => {
            let obstacles: Vec<_> =
                obstacles.iter().map(|obstacle| json!({ "kind": obstacle.kind, "detail": obstacle.detail })).collect();
            json!({ "ready": false, "obstacles": obstacles })
        }
    }
}

fn json_body(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    answer(status, "application/json", format!("{value}\n"))
}

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", text.to_owned())
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
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

    #[test]
    fn each_outcome_has_its_status() {
        let ready = Readiness::Ready {
            position: Position(7),
            heartbeat_age: 0,
            leads: true,
            degraded: None,
            without_signer: vec![],
        };
        let not = Readiness::NotReady { obstacles: vec![Obstacle { kind: "x", detail: "y".into() }] };
        for (outcome, status) in [
            (Outcome::Alive, 200),
            (Outcome::NotFound, 404),
            (Outcome::NotAllowed, 405),
            (Outcome::Probed(ready), 200),
            (Outcome::Probed(not), 503),
        ] {
            let response = respond(&outcome);
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get(ALLOW).is_some(), status == 405);
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        }
    }

    #[test]
    fn positions_are_strings_and_obstacles_have_names() {
        let ready = Readiness::Ready {
            position: Position(u64::MAX),
            heartbeat_age: 1,
            leads: false,
            degraded: None,
            without_signer: vec![],
        };
        assert_eq!(describe(&ready)["position"], u64::MAX.to_string());
        let not = Readiness::NotReady { obstacles: vec![Obstacle { kind: "ledger", detail: "gone \"away\"".into() }] };
        let text = r#"{"obstacles":[{"detail":"gone \"away\"","kind":"ledger"}],"ready":false}"#;
        assert_eq!(describe(&not).to_string(), text);
    }
}
