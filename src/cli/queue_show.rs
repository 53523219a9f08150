//! What a second person needs to know of a waiting command: who asked, and what it would do to which certificates. For
//! `queue`.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use crate::app::clock;
use crate::desk::{Foreseen, Foresight, Preview, Waiting, waiting};
use crate::ledger::Wanted;
use crate::model::{
    Book, CertificateNo, Change, Command, Entry, Position, Refusal, Request, SetChange, SetTarget, Time,
};

use super::cert_show::status_name;
use super::describe::{command_text, issuer_name, role_name, why_queued};
use super::error::CliError;
use super::house::House;
use super::reply::Reply;
use super::table::{facts, table};
use super::undo::{in_json, in_words};

/// What an approval would come to now.
pub enum Effect {
    /// Certificates, as many as anybody reads, and how many there are.
    Certificates { some: Vec<Touched>, count: u64 },
    /// One event that names no certificate, with those that it changes.
    Event { some: Vec<Touched>, count: u64 },
    /// It would be refused.
    Refused(Refusal),
    /// An undo.
    Undo(Preview),
}

/// A certificate with what would become of it, in words.
pub struct Touched {
    entry: Entry,
    becomes: String,
}

/// How many certificates a command would change now; `None` if only a scan of the whole ledger could tell.
pub fn count_of(foresight: &Foresight<'_>, request: &Request) -> Result<Option<u64>, CliError> {
    Ok(match &request.command {
        Command::Set { target: SetTarget::Listed { count, .. }, .. } => Some(*count),
        Command::Set { .. } | Command::Undo(_) => None,
        _ => match foresight.of(request)? {
            Foreseen::Certificates(changes) => Some(changes.len() as u64),
            Foreseen::Event | Foreseen::Refused(_) => Some(0),
        },
    })
}

/// What is needed to look ahead from now on.
pub fn foresight(house: &House) -> Result<Foresight<'_>, CliError> {
    Ok(Foresight::open(house.ledger(), &house.config().policy, clock::now())?)
}

/// The first digits of the sender's pseudonym: enough to tell two people apart.
pub fn short_person(item: &Waiting) -> String {
    item.request.actor.person.to_string().chars().take(PERSON_DIGITS).collect()
}

/// A span of time, roughly.
pub fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A waiting command for machines.
pub fn item_json(book: &Book, item: &Waiting, now: Time, touched: Option<u64>) -> Value {
    json!({
        "id": item.queued.to_string(),
        "since": item.since.to_string(),
        "waiting_seconds": now.since(item.since),
        "org": role_name(book, item.request.actor.role),
        "person": item.request.actor.person.to_string(),
        "certificates": touched,
        "why": why_queued(item.why),
        "what": command_text(book, &item.request.command),
    })
}

/// `queue show`.
pub fn show(house: &House, id: Position) -> Result<Reply, CliError> {
    let book = house.book()?;
    let now = clock::now();
    let item = waiting(house.ledger())?.into_iter().find(|item| item.queued == id).ok_or(Refusal::NotQueued(id))?;
    let effect = effect(house, &item.request)?;
    let (count, note) = match &effect {
        Effect::Certificates { count: 0, .. } => (Some(0), "it is so already: nothing would change".into()),
        Effect::Certificates { count, .. } => (Some(*count), String::new()),
        Effect::Event { count, .. } => (Some(*count), event_in_words(&item.request.command, *count)),
        Effect::Refused(refusal) => (Some(0), format!("it would be refused: {refusal}")),
        Effect::Undo(preview) => (None, format!("it would lift {}", in_words(preview))),
    };
    let mut text = facts(&[
        ("id", id.to_string()),
        ("what", command_text(&book, &item.request.command)),
        ("why it waits", why_queued(item.why).into()),
        ("asked by", format!("{}/{}", role_name(&book, item.request.actor.role), item.request.actor.person)),
        ("since", format!("{} ({})", item.since, ago(now.since(item.since)))),
        ("certificates", count.map_or_else(String::new, |count| count.to_string())),
        ("if approved now", note),
    ]);
    let mut json = item_json(&book, &item, now, count);
    match effect {
        Effect::Certificates { some, count } | Effect::Event { some, count } => {
            text.push_str(&listing(&book, &some, count));
            json["touches"] = some.iter().map(|touched| touched.json(&book)).collect();
        }
        Effect::Refused(refusal) => json["refused"] = json!(refusal.to_string()),
        Effect::Undo(preview) => json["lifts"] = in_json(&preview),
    }
    Ok(Reply::done(text, json))
}

fn listing(book: &Book, some: &[Touched], count: u64) -> String {
    if some.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = some.iter().map(|touched| touched.row(book)).collect();
    let mut text = format!("\n{}", table(&["issuer", "serial", "status", "becomes"], &rows, ""));
    if count > some.len() as u64 {
        text.push_str(&format!("and {} more\n", count - some.len() as u64));
    }
    text
}

impl Touched {
    fn row(&self, book: &Book) -> Vec<String> {
        let key = &self.entry.certificate.key;
        let status = status_name(&self.entry).to_owned();
        vec![issuer_name(book, key), key.serial.to_string(), status, self.becomes.clone()]
    }

    fn json(&self, book: &Book) -> Value {
        let key = &self.entry.certificate.key;
        json!({
            "issuer": issuer_name(book, key), "serial": key.serial.to_string(), "status": status_name(&self.entry),
            "becomes": self.becomes,
        })
    }
}

fn effect(house: &House, request: &Request) -> Result<Effect, CliError> {
    if let Command::Undo(scope) = &request.command {
        return Ok(Effect::Undo(Preview::of(house.ledger(), scope)?));
    }
    match (foresight(house)?.of(request)?, &request.command) {
        (Foreseen::Refused(refusal), _) => Ok(Effect::Refused(refusal)),
        (Foreseen::Certificates(changes), _) => {
            let count = changes.len() as u64;
            let some = changes.into_iter().take(SHOWN_MAX).map(|(entry, changes)| {
                let becomes = changes.iter().map(change_in_words).collect::<Vec<_>>().join(", ");
                Touched { entry, becomes }
            });
            Ok(Effect::Certificates { some: some.collect(), count })
        }
        (Foreseen::Event, Command::Set { target, change }) => members(house, target, *change),
        (Foreseen::Event, _) => Ok(Effect::Event { some: Vec::new(), count: 0 }),
    }
}

/// The members of a set that a set event would change, as far as that can be told without reading them all.
fn members(house: &House, target: &SetTarget, change: SetChange) -> Result<Effect, CliError> {
    let becomes = match change {
        SetChange::Held => "held".to_owned(),
        SetChange::Released { hold } => format!("released from hold {hold}"),
        SetChange::Revoked { reason } => format!("revoked ({reason})"),
    };
    let touched = |entry| Touched { entry, becomes: becomes.clone() };
    if let SetTarget::Listed { list, count, .. } = target {
        let numbers = house.ledger().list_members(*list, CertificateNo(0), SHOWN_MAX)?;
        let found = house.ledger().find(&Wanted { numbers, ..Wanted::default() })?;
        return Ok(Effect::Event { some: found.entries.into_iter().map(touched).collect(), count: *count });
    }
    let (mut some, mut count) = (Vec::new(), 0);
    house.ledger().scan(&mut |entry| {
        if target.covers(&entry.certificate, &[]) {
            count += 1;
            if some.len() < SHOWN_MAX {
                some.push(touched(entry));
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(Effect::Event { some, count })
}

/// What an approval records where that is one event, and what follows though no certificate changes.
fn event_in_words(command: &Command, count: u64) -> String {
    match command {
        Command::Set { change: SetChange::Held | SetChange::Revoked { .. }, .. } if count == 0 => {
            "one event is recorded; no certificate of the set is registered, and none can be from then on".into()
        }
        _ if count == 0 => "one event is recorded; it changes no certificate".into(),
        _ => "one event is recorded for all of them".into(),
    }
}

fn change_in_words(change: &Change) -> String {
    match change {
        Change::HandedOver { to } => format!("handed over to {to}"),
        Change::LossDated { lost_at } => format!("lost at {lost_at}"),
        Change::ReasonChanged { reason } | Change::Revoked { reason, .. } => format!("revoked ({reason})"),
        Change::Released { holds } => format!("released from {} hold(s)", holds.len()),
        Change::Acknowledged | Change::Held { .. } => change.name().to_owned(),
    }
}

const PERSON_DIGITS: usize = 8;
const SHOWN_MAX: usize = 1_000;
