//! `cert show`: status, holds, times, scope, links and history of one certificate. Never its holder.

use clap::Args;
use serde_json::{Value, json};

use crate::app::clock;
use crate::ledger::Wanted;
use crate::model::{
    Book, CertificateNo, Delivery, Entry, Hold, LastHold, Life, Medium, Municipality, Policy, Refusal, Time,
};

use super::cert::One;
use super::describe::{hold_name, key_name, lifted_by};
use super::error::CliError;
use super::history;
use super::house::House;
use super::reply::Reply;
use super::scope::point_text;
use super::table::{facts, table};

/// `cert show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    one: One,
    /// Also list every event that touched it; this reads the whole ledger.
    #[arg(long)]
    history: bool,
}

impl Show {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        let key = self.one.key(house)?;
        let found = house.ledger().find(&Wanted { keys: vec![key], ..Wanted::default() })?;
        let entry = found.entries.into_iter().next().ok_or(Refusal::UnknownCertificate)?;
        let book = house.book()?;
        let links = linked(house, &book, &entry)?;
        let sheet = Sheet { book: &book, entry: &entry, links, policy: &house.config().policy, now: clock::now() };
        let mut text = sheet.text();
        let mut json = sheet.json();
        json["position"] = json!(found.head.position.to_string());
        if self.history {
            let lines = history::of(house.ledger(), &book, &entry)?;
            text.push_str("\nhistory\n");
            text.push_str(&history::text(&book, &lines));
            json["history"] = history::json(&book, &lines);
        }
        Ok(Reply::done(text, json))
    }
}

/// A certificate with what belongs beside it.
struct Sheet<'a> {
    book: &'a Book,
    entry: &'a Entry,
    links: Vec<(&'static str, Entry)>,
    policy: &'a Policy,
    now: Time,
}

impl Sheet<'_> {
    fn status(&self) -> &'static str {
        status_name(self.entry)
    }

    fn revocation(&self) -> (String, Value) {
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

    fn last_hold(&self) -> &'static str {
        match self.policy.last_hold(&self.entry.certificate) {
            LastHold::MayBeLifted => "may be lifted",
            LastHold::Stays => "stays: revoke and reissue",
        }
    }

    fn scope(&self) -> (String, Value) {
        let scope = self.book.scope(self.entry.certificate.scope);
        let path = scope.map_or_else(|| self.entry.certificate.scope.to_string(), |scope| scope.path.clone());
        let point = scope.and_then(|scope| point_text(&scope.distribution_point));
        (path.clone(), json!({ "path": path, "distribution_point": point }))
    }

    fn text(&self) -> String {
        let certificate = &self.entry.certificate;
        let status = &self.entry.status;
        let expired = if certificate.is_expired(self.now) { ", expired" } else { "" };
        let town = |town: Municipality| if town.0 == 0 { String::new() } else { town.to_string() };
        let link = |(name, other): &(&str, Entry)| format!("{name} {}", key_name(self.book, &other.certificate.key));
        let links = self.links.iter().map(link).collect::<Vec<_>>().join(", ");
        let held = if status.holds.is_empty() { "" } else { self.last_hold() };
        let mut text = facts(&[
            ("certificate", key_name(self.book, &certificate.key)),
            ("status", format!("{}{expired}", self.status())),
            ("revocation", self.revocation().0),
            ("last hold", held.into()),
            ("type", certificate.usage.name().into()),
            ("medium", medium(&certificate.medium)),
            ("operator", certificate.sim.map_or_else(String::new, |sim| sim.operator.to_string())),
            ("chip batch", if certificate.batch.0 == 0 { String::new() } else { certificate.batch.to_string() }),
            ("valid", format!("{} to {}", certificate.not_before, certificate.not_after)),
            ("CRL scope", self.scope().0),
            ("registered in", town(certificate.municipality)),
            ("handed over to", status.handed_to.map_or_else(String::new, town)),
            ("links", links),
            ("last event", if status.as_of.0 == 0 { String::new() } else { status.as_of.to_string() }),
        ]);
        if !status.holds.is_empty() {
            text.push('\n');
            let rows: Vec<_> = status.holds.iter().map(hold_row).collect();
            text.push_str(&table(&["hold", "of", "since", "cause", "lost at", "becomes", "lifted by"], &rows, ""));
        }
        text
    }

    fn json(&self) -> Value {
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

fn linked(house: &House, book: &Book, entry: &Entry) -> Result<Vec<(&'static str, Entry)>, CliError> {
    let links = &entry.certificate.links;
    let named =
        [("issued under", links.issued_under), ("parallel of", links.parallel_of), ("succeeds", links.succeeds)];
    let named: Vec<(&str, CertificateNo)> = named.into_iter().filter_map(|(name, no)| Some((name, no?))).collect();
    if named.is_empty() || book.issuers.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = named.iter().map(|(_, no)| *no).collect();
    let found = house.ledger().find(&Wanted { numbers, ..Wanted::default() })?.entries;
    let other = |no| found.iter().find(|other| other.no == no).cloned();
    Ok(named.into_iter().filter_map(|(name, no)| Some((name, other(no)?))).collect())
}

fn key_json(book: &Book, entry: &Entry) -> Value {
    let key = &entry.certificate.key;
    json!({ "issuer": super::describe::issuer_name(book, key), "serial": key.serial.to_string() })
}

fn hold_row(hold: &Hold) -> Vec<String> {
    vec![
        hold.id.to_string(),
        hold_name(hold.kind),
        hold.since.to_string(),
        hold.cause.to_string(),
        hold.lost_at.map_or_else(|| "-".into(), |lost| lost.to_string()),
        hold.becomes.map_or_else(|| "-".into(), |end| format!("{} on {}", end.reason, end.due)),
        lifted_by(hold.kind),
    ]
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

fn medium(medium: &Medium) -> String {
    medium.kind.name().into()
}
