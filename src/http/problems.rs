//! What can be wrong with a request to the admin listener, and the one table from that to status and body (RFC 9457).

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::clerk::ClerkError;
use super::probes::answer;
use crate::desk::DeskError;
use crate::ledger::{LedgerError, Severity};
use crate::model::Refusal;

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The ledger is damaged, or another than expected.
    Damaged(String),
    /// What is so already contradicts it.
    Conflict(String),
    /// The sender may not.
    Forbidden(String),
    /// It makes no sense as it is written.
    Malformed(String),
    /// No such path, certificate or issuer.
    NotFound(String),
    /// The path is there, for these methods.
    NotAllowed(&'static str),
    /// A body of another type than JSON.
    OtherType,
    /// A body over the limit.
    TooLarge,
    /// A body that doesn't come.
    TooSlow,
    /// No token, or a wrong one.
    NoToken,
    /// Not now: the same may work later.
    Unavailable(String),
    /// Written well, and yet it can't be done so.
    Unfit(String),
}

impl Problem {
    /// The table: status, the name that never changes, and what is said.
    fn row(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Self::Damaged(detail) => (StatusCode::INTERNAL_SERVER_ERROR, "damaged", detail),
            Self::Conflict(detail) => (StatusCode::CONFLICT, "conflict", detail),
            Self::Forbidden(detail) => (StatusCode::FORBIDDEN, "forbidden", detail),
            Self::Malformed(detail) => (StatusCode::BAD_REQUEST, "malformed", detail),
            Self::NotFound(detail) => (StatusCode::NOT_FOUND, "not-found", detail),
            Self::NotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "not-allowed", "this path takes other methods"),
            Self::OtherType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "other-type", "send application/json"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "a body has 64 KiB at most"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "the body did not come in time"),
            Self::NoToken => {
                (StatusCode::UNAUTHORIZED, "no-token", "send the token of admin.token: Authorization: Bearer TOKEN")
            }
            Self::Unavailable(detail) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail),
            Self::Unfit(detail) => (StatusCode::UNPROCESSABLE_ENTITY, "unfit", detail),
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NotAllowed(methods) => Some((ALLOW, HeaderValue::from_static(methods))),
            Self::NoToken => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::Unavailable(_) => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        }
    }

    /// As an answer.
    pub fn response(&self) -> Response<Full<Bytes>> {
        let (status, kind, detail) = self.row();
        let body = json!({
            "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail,
            "kind": kind,
        });
        let mut response = answer(status, "application/problem+json", format!("{body}\n"));
        response.headers_mut().extend(self.header());
        response
    }
}

impl From<ClerkError> for Problem {
    fn from(error: ClerkError) -> Self {
        let detail = error.to_string();
        match error {
            ClerkError::Away(_) | ClerkError::State(_) | ClerkError::Desk(DeskError::Overtaken(_)) => {
                Self::Unavailable(detail)
            }
            ClerkError::NoIssuer(_) | ClerkError::NoEvent { .. } | ClerkError::NoPlace(_) => Self::NotFound(detail),
            ClerkError::Sender(_) => Self::Malformed(detail),
            ClerkError::Desk(DeskError::Refused(refusal)) => of_refusal(&refusal, detail),
            ClerkError::Desk(DeskError::Ledger(error)) => of_ledger(&error, detail),
        }
    }
}

fn of_refusal(refusal: &Refusal, detail: String) -> Problem {
    match refusal {
        Refusal::NotQueued(_)
        | Refusal::UnknownCause(_)
        | Refusal::UnknownCertificate
        | Refusal::UnknownSet(_)
        | Refusal::UnknownSubject(_) => Problem::NotFound(detail),
        Refusal::BackdatedLoss { .. }
        | Refusal::NotAllowed { .. }
        | Refusal::NotCompetent { .. }
        | Refusal::NotLiftable { .. }
        | Refusal::SamePerson
        | Refusal::WindowClosed => Problem::Forbidden(detail),
        Refusal::AlreadyRegistered(_)
        | Refusal::Decided { .. }
        | Refusal::EnrolledInDoubt { .. }
        | Refusal::EpochNotHigher { .. }
        | Refusal::KeyReused
        | Refusal::NothingToUndo { .. }
        | Refusal::Status(_)
        | Refusal::SuccessorMissing(_)
        | Refusal::Taken(_) => Problem::Conflict(detail),
        Refusal::FutureTime(_)
        | Refusal::NoLossTime(_)
        | Refusal::NotApplicable { .. }
        | Refusal::Unfit { .. }
        | Refusal::WhichHold { .. } => Problem::Unfit(detail),
    }
}

fn of_ledger(error: &LedgerError, detail: String) -> Problem {
    match error.severity() {
        Severity::Fatal => Problem::Damaged(detail),
        // What only a person can settle doesn't make the request wrong.
        Severity::Reject | Severity::Retry => Problem::Unavailable(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Serial;
    use hyper::header::CONTENT_TYPE;

    #[test]
    fn each_problem_has_its_status_and_says_so() {
        let text = String::new;
        for (problem, status) in [
            (Problem::Malformed(text()), 400),
            (Problem::NoToken, 401),
            (Problem::Forbidden(text()), 403),
            (Problem::NotFound(text()), 404),
            (Problem::NotAllowed("POST"), 405),
            (Problem::TooSlow, 408),
            (Problem::Conflict(text()), 409),
            (Problem::TooLarge, 413),
            (Problem::OtherType, 415),
            (Problem::Unfit(text()), 422),
            (Problem::Damaged(text()), 500),
            (Problem::Unavailable(text()), 503),
        ] {
            let response = problem.response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(response.headers().get(ALLOW).is_some(), status == 405);
            assert_eq!(response.headers().get(WWW_AUTHENTICATE).is_some(), status == 401);
            assert_eq!(response.headers().get(RETRY_AFTER).is_some(), status == 503);
        }
    }

    #[test]
    fn what_the_desk_says_has_its_status() {
        let serial: Serial = "0A".parse().unwrap();
        for (error, status) in [
            (ClerkError::Desk(Refusal::UnknownCertificate.into()), 404),
            (ClerkError::Desk(Refusal::SamePerson.into()), 403),
            (ClerkError::Desk(Refusal::AlreadyRegistered(serial).into()), 409),
            (ClerkError::Desk(Refusal::WhichHold { open: 2 }.into()), 422),
            (ClerkError::Desk(DeskError::Overtaken(3)), 503),
            (LedgerError::Unreachable("x".into()).into(), 503),
            (LedgerError::Damaged("x".into()).into(), 500),
            (ClerkError::Sender("x".into()), 400),
            (ClerkError::NoIssuer("x".into()), 404),
        ] {
            assert_eq!(Problem::from(error).response().status().as_u16(), status);
        }
    }
}
