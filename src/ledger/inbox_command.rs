//! What an outside CA's SQL functions wrote into the inbox, read into model types.
//!
//! One JSON object: `{"register": [certificate, …]}`, `{"revoke": {"serial", "reason", "lost_at"}}` or
//! `{"acknowledge": {"serial"}}`; a certificate has the fields of an NDJSON import. Identifiers arrive as pseudonyms, for
//! a database never sees the key. Read by the desk's inbox; described for CAs in `docs/INTEGRATING.md`.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;

use super::import::{Context, Defaults, Fault, Kind, Record, record_from_json};
use super::json_object::Object;
use crate::model::{Book, IssuerNo, Reason, ReasonError, Serial, SerialError, Time, TimeError};

/// A command from the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxCommand {
    /// A certificate was acknowledged by its medium or handed over.
    Acknowledge(Serial),
    /// Certificates were made.
    Register(Vec<Record>),
    /// A certificate is to be revoked.
    Revoke {
        /// Which.
        serial: Serial,
        /// Why.
        reason: Reason,
        /// Time of loss, as stated.
        lost_at: Option<Time>,
    },
}

/// Why a command can't be read; said to the CA in one line.
#[derive(Debug, thiserror::Error)]
pub enum InboxFault {
    /// A certificate can't be used.
    #[error("certificate {index}: {fault}")]
    Certificate {
        /// Which, from 1.
        index: usize,
        /// Why.
        fault: Fault,
    },
    /// Not a command.
    #[error("not a command: {0}")]
    Json(String),
    /// An identifier is no pseudonym.
    #[error("certificate {0}: holder, medium, sim and applet are pseudonyms of 32 hexadecimal digits")]
    NotPseudonym(usize),
    /// Not a reason.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// Not a serial.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// Not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Raw {
    Acknowledge(Object<RawAcknowledge>),
    Register(Vec<serde_json::Value>),
    Revoke(Object<RawRevoke>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAcknowledge {
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRevoke {
    serial: String,
    reason: String,
    lost_at: Option<String>,
}

impl InboxCommand {
    /// Reads a command of an issuer.
    pub fn parse(command: &str, issuer: IssuerNo, book: &Book, now: Time) -> Result<Self, InboxFault> {
        let raw = serde_json::from_str(command).map_err(|error| InboxFault::Json(error.to_string()))?;
        Ok(match raw {
            Raw::Acknowledge(Object(RawAcknowledge { serial })) => Self::Acknowledge(serial.parse()?),
            Raw::Register(objects) => Self::Register(read_certificates(&objects, issuer, book, now)?),
            Raw::Revoke(Object(RawRevoke { serial, reason, lost_at })) => Self::Revoke {
                serial: serial.parse()?,
                reason: reason.parse()?,
                lost_at: lost_at.map(|time| time.parse()).transpose()?,
            },
        })
    }
}

fn read_certificates(
    objects: &[serde_json::Value],
    issuer: IssuerNo,
    book: &Book,
    now: Time,
) -> Result<Vec<Record>, InboxFault> {
    // The reader turns whatever is no pseudonym into one; here there is no key to do that with.
    let plain = AtomicBool::new(false);
    let pseudonym = |_: Kind, _: &str| {
        plain.store(true, Ordering::Relaxed);
        [0; 16]
    };
    let defaults =
        Defaults { usage: None, medium: None, batch: None, municipality: None, scope: None, known_from: now };
    let context = Context { issuer, book, defaults, pseudonym: &pseudonym };
    let mut records = Vec::with_capacity(objects.len());
    for (object, index) in objects.iter().zip(1..) {
        let record = record_from_json(&object.to_string(), &context)
            .map_err(|fault| InboxFault::Certificate { index, fault })?
            .ok_or_else(|| InboxFault::Json(format!("certificate {index} is empty")))?;
        if plain.load(Ordering::Relaxed) {
            return Err(InboxFault::NotPseudonym(index));
        }
        records.push(record);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Scope, ScopeNo};

    fn parse(command: &str) -> Result<InboxCommand, String> {
        let scope = Scope { no: ScopeNo(1), issuer: IssuerNo(1), distribution_point: vec![], path: "ca".into() };
        let book = Book { scopes: vec![scope], ..Book::default() };
        let now = Time::from_unix(1_800_000_000).unwrap();
        InboxCommand::parse(command, IssuerNo(1), &book, now).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_is_no_command_is_refused_in_the_words_of_the_format() {
        for (text, says) in [
            (r#"{"acknowledge": ["0A"]}"#, "expected an object in braces"),
            (r#"{"revoke": ["0A", "superseded", null]}"#, "expected an object in braces"),
            ("7", "not a command"),
            ("[]", "not a command"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says) && !error.contains("Raw"), "{text}: {error}");
        }
    }

    fn certificate(holder: &str) -> String {
        format!(
            r#"{{"register": [{{"serial": "0A", "type": "AUTH", "holder": "{holder}",
                "not_before": "2026-11-20T00:00:00Z", "not_after": "2031-11-20T00:00:00Z",
                "medium": {{"kind": "CARD", "id": "000102030405060708090a0b0c0d0e0f"}}}}]}}"#
        )
    }

    #[test]
    fn the_three_commands_are_read() {
        let InboxCommand::Register(records) = parse(&certificate("ff0102030405060708090a0b0c0d0e0f")).unwrap() else {
            panic!("a registration")
        };
        assert_eq!(records[0].certificate.holder.0[0], 0xff);
        let revoke = r#"{"revoke": {"serial": "0a", "reason": "keyCompromise", "lost_at": null}}"#;
        assert!(matches!(parse(revoke), Ok(InboxCommand::Revoke { reason: Reason::KeyCompromise, .. })));
        let acknowledge = r#"{"acknowledge": {"serial": "0a"}}"#;
        assert!(matches!(parse(acknowledge), Ok(InboxCommand::Acknowledge(_))));
    }

    #[test]
    fn what_is_no_command_is_refused_in_one_line() {
        for (command, says) in [
            ("{", "not a command"),
            (r#"{"hold": {"serial": "0a"}}"#, "not a command"),
            (r#"{"revoke": {"serial": "-1", "reason": "superseded"}}"#, "positive"),
            (r#"{"revoke": {"serial": "0a", "reason": "certificateHold"}}"#, "hold"),
            (r#"{"revoke": {"serial": "0a", "reason": "superseded", "at": 1}}"#, "not a command"),
            (&certificate("Hanako"), "pseudonyms"),
        ] {
            let said = parse(command).unwrap_err();
            assert!(said.contains(says) && !said.contains('\n'), "{command}: {said}");
        }
    }
}
