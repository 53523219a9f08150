//! What is known of one certificate, for `cert show` and for the admin listener: status, holds, times, scope, links. Never
//! its holder.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::config::Config;
use super::describe::{hold_name, issuer_name, lifted_by, point_text};
use super::promises::{Promises, PromisesError};
use crate::ledger::{Ledger, LedgerError, Wanted, decode_event};
use crate::model::{Book, CertificateNo, Delivery, Entry, Hold, LastHold, Life, Policy, Position, Time};
use crate::responder::{Promise, SKEWS, residual_good};

/// A certificate with what belongs beside it.
pub struct Sheet<'a> {
    /// The registers.
    pub book: &'a Book,
    /// The certificate.
    pub entry: &'a Entry,
    /// Certificates that it is linked to, and how.
    pub links: Vec<(&'static str, Entry)>,
    /// The desk's settings.
    pub policy: &'a Policy,
    /// Until when a good answer that was given before is valid; none: it is good, or never was.
    pub residual_good: Option<Time>,
    /// The present.
    pub now: Time,
}

/// Why it can't be said.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What was promised can't be read.
    #[error(transparent)]
    Promises(#[from] PromisesError),
}

impl<'a> Sheet<'a> {
    /// A certificate's, with all that must be looked up for it.
    pub fn of(
        ledger: &dyn Ledger,
        config: &'a Config,
        book: &'a Book,
        entry: &'a Entry,
        now: Time,
    ) -> Result<Self, SheetError> {
        let links = linked(ledger, book, entry)?;
        let residual_good = residual_good_of(ledger, config, book, entry)?;
        Ok(Self { book, entry, links, policy: &config.policy, residual_good, now })
    }

    /// The end of residual-good answers, by itself and with what verifiers add, while any of it lies ahead.
    pub fn residual_good(&self) -> Option<(Time, [(&'static str, Time); 2])> {
        let until = self.residual_good?;
        let skewed = SKEWS.map(|(verifier, skew)| (verifier, until + skew));
        skewed.iter().any(|(_, until)| *until >= self.now).then_some((until, skewed))
    }

    /// Its present status in a word.
    pub fn status(&self) -> &'static str {
        status_name(self.entry)
    }

    /// Its revocation, in words and in JSON.
    pub fn revocation(&self) -> (String, Value) {
        let Some(revocation) = self.entry.status.revocation() else { return (String::new(), Value::Null) };
        let lost = revocation.lost_at.map(|lost| lost.to_string());
        let lost_text = lost.as_ref().map_or_else(String::new, |lost| format!(", lost at {lost}"));
        let text = format!("{} as of {}{lost_text}, by event {}", revocation.reason, revocation.at, revocation.by);
        let json = json!({
            "reason": revocation.reason.name(), "at": revocation.at.to_string(), "lost_at": lost,
            "by": revocation.by.to_string(),
        });
        (text, json)
    }

    /// Its CRL scope, by path, and in JSON.
    pub fn scope(&self) -> (String, Value) {
        let scope = self.book.scope(self.entry.certificate.scope);
        let path = scope.map_or_else(|| self.entry.certificate.scope.to_string(), |scope| scope.path.clone());
        let point = scope.and_then(|scope| point_text(&scope.distribution_point));
        (path.clone(), json!({ "path": path, "distribution_point": point }))
    }

    /// All of it.
    pub fn json(&self) -> Value {
        let certificate = &self.entry.certificate;
        let status = &self.entry.status;
        let code = |code: u32| (code != 0).then_some(code);
        let links: serde_json::Map<_, _> =
            self.links.iter().map(|(name, other)| (name.replace(' ', "_"), key_json(self.book, other))).collect();
        let mut json = key_json(self.book, self.entry);
        let facts = json!({
            "status": self.status(),
            "expired": certificate.is_expired(self.now),
            "revocation": self.revocation().1,
            "holds": status.holds.iter().map(hold_json).collect::<Vec<_>>(),
            "last_hold": match self.policy.last_hold(certificate) {
                LastHold::MayBeLifted => "may-be-lifted",
                LastHold::Stays => "stays",
            },
            "type": certificate.usage.name(),
            "medium": certificate.medium.kind.name(),
            "operator": certificate.sim.map(|sim| sim.operator.to_string()),
            "batch": code(certificate.batch.0),
            "not_before": certificate.not_before.to_string(),
            "not_after": certificate.not_after.to_string(),
            "scope": self.scope().1,
            "municipality": code(certificate.municipality.0),
            "handed_to": status.handed_to.map(|town| town.0),
            "delivery": match certificate.delivery {
                Delivery::Awaited => "awaited",
                Delivery::Delivered => "delivered",
            },
            "links": links,
            "as_of": status.as_of.to_string(),
            "residual_good": self.residual_good().map(|(until, skewed)| json!({
                "until": until.to_string(),
                "with_skew": skewed.map(|(verifier, until)| (verifier, until.to_string())).into_iter().collect::<BTreeMap<_, _>>(),
            })),
        });
        if let (Some(json), Value::Object(facts)) = (json.as_object_mut(), facts) {
            json.extend(facts);
        }
        json
    }
}

/// A certificate's present status in a word.
pub fn status_name(entry: &Entry) -> &'static str {
    match (&entry.status.life, entry.status.holds.is_empty()) {
        (Life::Revoked(_), _) => "revoked",
        (_, false) => "held",
        (Life::Pending, true) => "pending",
        (Life::Active, true) => "good",
    }
}

/// The bound for a certificate that isn't good, from the event by which it stopped being good at the latest.
fn residual_good_of(
    ledger: &dyn Ledger,
    config: &Config,
    book: &Book,
    entry: &Entry,
) -> Result<Option<Time>, SheetError> {
    // Not the revocation's own date: one that was imported may be older than the event by which it was learnt here.
    let since = match entry.status.revocation() {
        Some(revocation) => Some(revocation.by),
        None => entry.status.holds.first().map(|hold| hold.id.0),
    };
    let Some(since) = since else { return Ok(None) };
    let stored = ledger.events_after(Position(since.0.saturating_sub(1)), 1)?;
    let Some(sealed) = stored.first().filter(|sealed| sealed.position == since) else { return Ok(None) };
    let change = decode_event(&sealed.bytes).map_err(LedgerError::from)?.time;
    let name = issuer_name(book, &entry.certificate.key);
    let mut promises = Promises::read(&config.state)?.of(&name).to_vec();
    // Other nodes may sign by this configuration already, or this one before it has written that down.
    promises.push(Promise { validity: config.ocsp.policy_of(&name).validity, until: None });
    Ok(residual_good(change, &promises))
}

/// The certificates that one is linked to.
fn linked(ledger: &dyn Ledger, book: &Book, entry: &Entry) -> Result<Vec<(&'static str, Entry)>, LedgerError> {
    let links = &entry.certificate.links;
    let named =
        [("issued under", links.issued_under), ("parallel of", links.parallel_of), ("succeeds", links.succeeds)];
    let named: Vec<(&str, CertificateNo)> = named.into_iter().filter_map(|(name, no)| Some((name, no?))).collect();
    if named.is_empty() || book.issuers.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = named.iter().map(|(_, no)| *no).collect();
    let found = ledger.find(&Wanted { numbers, ..Wanted::default() })?.entries;
    let other = |no| found.iter().find(|other| other.no == no).cloned();
    Ok(named.into_iter().filter_map(|(name, no)| Some((name, other(no)?))).collect())
}

fn key_json(book: &Book, entry: &Entry) -> Value {
    let key = &entry.certificate.key;
    json!({ "issuer": issuer_name(book, key), "serial": key.serial.to_string() })
}

fn hold_json(hold: &Hold) -> Value {
    json!({
        "id": hold.id.to_string(),
        "kind": hold.kind.name(),
        "of": hold_name(hold.kind),
        "since": hold.since.to_string(),
        "cause": hold.cause.to_string(),
        "lost_at": hold.lost_at.map(|lost| lost.to_string()),
        "becomes": hold.becomes.map(|end| json!({ "reason": end.reason.name(), "due": end.due.to_string() })),
        "lifted_by": lifted_by(hold.kind),
    })
}
