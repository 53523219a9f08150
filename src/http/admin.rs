//! The admin listener's paths: who may ask which, and what is asked. Called by `listener` for each request.
//!
//! The probes and the metrics never wait; everything else is done on threads of its own, so many at once, so that a slow
//! ledger keeps no probe waiting.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::asks::{self, Ask};
use super::clerk::{Clerk, ClerkError};
use super::probes::{self, Probe, Readiness};
use super::problems::Problem;
use super::token::Token;
use crate::model::Outcome;

/// Something that knows whether the program is ready.
///
/// - **Threads.** Asked by any connection at any time; must not wait.
pub trait Health: Send + Sync {
    /// Whether it is, and if not, why.
    fn readiness(&self) -> Readiness;
}

/// Who may read the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsFor {
    /// Whoever reaches the listener.
    Everybody,
    /// Whoever brings the token.
    #[default]
    TokenBearers,
}

/// What the admin listener answers from.
#[derive(Clone)]
pub struct Admin {
    health: Arc<dyn Health>,
    clerk: Arc<dyn Clerk>,
    /// None: nobody may ask for more than the probes.
    token: Option<Token>,
    metrics_for: MetricsFor,
    places: Arc<Semaphore>,
}

impl Admin {
    /// Answers with what these know.
    pub fn new(health: Arc<dyn Health>, clerk: Arc<dyn Clerk>, token: Option<Token>, metrics_for: MetricsFor) -> Self {
        Self { health, clerk, token, metrics_for, places: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        let path = head.uri.path();
        match path {
            "/healthz" | "/readyz" if !reads => return probes::not_allowed(),
            "/healthz" => return Probe::Alive.response(),
            "/readyz" => return Probe::Ready(self.health.readiness()).response(),
            _ => {}
        }
        let open = path == "/metrics" && self.metrics_for == MetricsFor::Everybody;
        if !open && !self.token.as_ref().is_some_and(|token| token.is_brought_by(&head.headers)) {
            return Problem::NoToken.response();
        }
        match path {
            "/metrics" if reads => probes::answer(StatusCode::OK, EXPOSITION, self.clerk.metrics()),
            "/metrics" => Problem::NotAllowed("GET, HEAD").response(),
            _ => match asks::read(head, body).await {
                Ok(ask) => self.done(ask).await.unwrap_or_else(|problem| problem.response()),
                Err(problem) => problem.response(),
            },
        }
    }

    /// Has it done, where waiting keeps nobody else waiting.
    async fn done(&self, ask: Ask) -> Result<Response<Full<Bytes>>, Problem> {
        let busy = || Problem::Unavailable("too many requests are being worked on".to_owned());
        let place = tokio::time::timeout(PLACE_TIME_MAX, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| busy())?.expect("the semaphore is never closed");
        let clerk = self.clerk.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = carry_out(&*clerk, &ask);
            drop(place);
            done
        });
        let (status, body) = done.await.map_err(|_| Problem::Damaged("the program failed at it".to_owned()))??;
        Ok(probes::answer(status, "application/json", format!("{body}\n")))
    }
}

fn carry_out(clerk: &dyn Clerk, ask: &Ask) -> Result<(StatusCode, Value), ClerkError> {
    match ask {
        Ask::Events { after, limit } => Ok((StatusCode::OK, clerk.events(*after, *limit)?)),
        Ask::Crls => Ok((StatusCode::OK, clerk.crls()?)),
        Ask::Publish(asked) => Ok((StatusCode::OK, clerk.publish(asked)?)),
        Ask::Certificate { issuer, serial } => Ok((StatusCode::OK, clerk.certificate(issuer, *serial)?)),
        Ask::Change { issuer, serial, asked } => {
            let (outcome, events) = clerk.change(issuer, *serial, asked)?;
            Ok(match outcome {
                Outcome::AlreadySo => (StatusCode::OK, json!({ "outcome": "already-so" })),
                Outcome::Done { first, last } => {
                    let span = json!({
                        "outcome": "done", "first": first.to_string(), "last": last.to_string(), "events": events,
                    });
                    (StatusCode::OK, span)
                }
                Outcome::Queued { queued } => {
                    (StatusCode::ACCEPTED, json!({ "outcome": "queued", "queued": queued.to_string() }))
                }
            })
        }
    }
}

/// As many as the desk puts into a few rounds; each may hold a connection to the database.
const AT_ONCE_MAX: usize = 16;
/// Whoever has waited so long is told to come again.
const PLACE_TIME_MAX: Duration = Duration::from_secs(10);
/// The text format, version 0.0.4.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
