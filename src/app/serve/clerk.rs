//! What the admin listener has done: figures, events, certificates and their changes. Changes go to the desk by the same
//! writer as the sequencer's, and count as whoever the request names. Asked by `http` on threads of its own.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use super::answering::Found;
use super::demands::{Answer, Demands, Summary};
use super::metrics;
use super::sequence::{Opened, Writing};
use super::vitals::{LedgerSign, Stopping, Vitals};
use crate::app::config::Config;
use crate::app::crls::{self, Demand};
use crate::app::describe::{Line, body_name, channel_name, issuer_name, role_name};
use crate::app::fingerprint;
use crate::app::pseudonym::{Named, Pseudonyms};
use crate::app::sheet::{Sheet, SheetError};
use crate::app::who::Who;
use crate::app::{Writer, clock};
use crate::desk::Task;
use crate::http::{Asked, AskedChange, AskedCrls, Clerk, ClerkError, Connections, FileCounts, Health as _, Refusals};
use crate::ledger::{Ledger, LedgerError, Sealed, Wanted, decode_event};
use crate::model::{
    Action, Actor, Body, Book, CertificateKey, Channel, Command, IdempotencyKey, Outcome, PersonId, Position, Refusal,
    Request, Serial, may,
};
use crate::parties::Counters;
use crate::publisher::Shelf;

/// What the clerk works with.
pub(super) struct Counter {
    pub config: Config,
    pub opened: Opened,
    pub writing: Writing,
    pub vitals: Arc<Vitals>,
    pub found: Found,
    pub counters: Counters,
    pub demands: Arc<Demands>,
    pub refusals: Refusals,
    pub shelf: Arc<Shelf>,
    pub files: FileCounts,
    pub connections: Option<Connections>,
    /// Opened when a request first needs it.
    pub names: OnceLock<Pseudonyms>,
}

impl Clerk for Counter {
    fn metrics(&self) -> String {
        let figures = self.found.get().map(|responder| (responder.figures(), responder.table().read_to()));
        metrics::exposition(&metrics::Seen {
            now: clock::now(),
            signs: self.vitals.signs(),
            ready: self.vitals.readiness(),
            figures,
            answers: self.counters.sums().collect(),
            refusals: self.refusals.sums(),
            files: &self.files,
            connections: self.connections.as_ref().map_or(0, Connections::open),
        })
    }

    fn events(&self, after: Position, limit: usize) -> Result<Value, ClerkError> {
        let ledger = self.ledger()?;
        let (at, book) = ledger.book()?;
        let stored = ledger.events_after(after, limit)?;
        let last = stored.last().map(|last| last.position);
        let (head, next) = (last.map_or(at, |last| last.max(at)), last.unwrap_or(after));
        if after > head {
            return Err(ClerkError::NoEvent { after, head });
        }
        let events = stored.iter().map(|sealed| event(&book, sealed)).collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "events": events, "next": next.to_string(), "head": head.to_string() }))
    }

    fn certificate(&self, issuer: &str, serial: Serial) -> Result<Value, ClerkError> {
        let ledger = self.ledger()?;
        let book = ledger.book()?.1;
        let key = key_of(&book, issuer, serial)?;
        let found = ledger.find(&Wanted { keys: vec![key], ..Wanted::default() })?;
        let entry = found.entries.first().ok_or(ClerkError::Desk(Refusal::UnknownCertificate.into()))?;
        let sheet = Sheet::of(ledger, &self.config, &book, entry, clock::now()).map_err(|error| match error {
            SheetError::Ledger(error) => error.into(),
            SheetError::Promises(error) => ClerkError::State(error.to_string()),
        })?;
        let mut json = sheet.json();
        json["position"] = json!(found.head.position.to_string());
        Ok(json)
    }

    fn crls(&self) -> Result<Value, ClerkError> {
        let signs = self.vitals.signs().crls;
        let text = self.shelf.file("crl/index.json");
        let index = text.map(|file| serde_json::from_slice::<Value>(&file.octets));
        let index = index.transpose().map_err(|error| ClerkError::State(error.to_string()))?;
        let pairs = |list: &[(String, String)]| -> Vec<Value> {
            list.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect()
        };
        Ok(json!({
            "publishes": signs.leads, "trouble": signs.trouble, "refused": pairs(&signs.refused),
            "without": pairs(&signs.without), "index": index,
        }))
    }

    fn publish(&self, asked: &AskedCrls) -> Result<Value, ClerkError> {
        self.writer()?;
        let ledger = self.ledger()?;
        let book = ledger.book()?.1;
        let actor = actor(&book, self.names(ledger)?, asked.sender.as_deref().unwrap_or(USUAL_PUBLISHER))?;
        may(actor.role, Action::NumberCrls).map_err(|refusal| ClerkError::Desk(refusal.into()))?;
        let at = asked.path.clone().map_or(crls::Wanted::Everywhere, crls::Wanted::Path);
        match self.demands.ask(Demand { at, issuing: asked.issuing }, actor, PUBLISH_TIME_MAX) {
            Answer::Away(why) => Err(ClerkError::Away(why)),
            Answer::NoPlace(path) => Err(ClerkError::NoPlace(path)),
            Answer::Published(Summary { number, crls, entries, octets, refused }) => {
                let refused: Vec<Value> =
                    refused.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect();
                Ok(json!({
                    "number": number, "crls": crls, "entries": entries, "octets": octets, "refused": refused,
                }))
            }
        }
    }

    fn change(&self, issuer: &str, serial: Serial, asked: &Asked) -> Result<(Outcome, Value), ClerkError> {
        let writer = self.writer()?;
        let ledger = self.ledger()?;
        let book = ledger.book()?.1;
        let key = key_of(&book, issuer, serial)?;
        let names = self.names(ledger)?;
        let actor = actor(&book, names, asked.sender.as_deref().unwrap_or(USUAL_SENDER))?;
        let command = match &asked.change {
            AskedChange::Hold { lost_at } => Command::Hold { key, lost_at: *lost_at },
            AskedChange::Release { holds } => Command::Release { key, holds: holds.clone() },
            AskedChange::Revoke { reason, lost_at } => Command::Revoke { key, reason: *reason, lost_at: *lost_at },
        };
        let idempotency = asked.idempotency_key.as_ref().map(|key| IdempotencyKey(names.of(Named::Command, key)));
        let outcome = writer.submit(Task::Request(Request { actor, command, idempotency }))?;
        // It is done: what can't be read of it now is no failure of it.
        let events = match outcome {
            Outcome::Done { first, last } => events_of(ledger, first, last).unwrap_or_default(),
            Outcome::AlreadySo | Outcome::Queued { .. } => Vec::new(),
        };
        Ok((outcome, events.iter().map(|line| line.json(&book)).collect()))
    }
}

impl Counter {
    fn ledger(&self) -> Result<&dyn Ledger, ClerkError> {
        let ledger = self.opened.get().ok_or_else(|| ClerkError::Away("the ledger is not open yet".to_owned()))?;
        Ok(&**ledger)
    }

    /// The writer, unless this process may not write any more.
    fn writer(&self) -> Result<&Writer, ClerkError> {
        let signs = self.vitals.signs();
        let away = |why: &str| Err(ClerkError::Away(why.to_owned()));
        if signs.disagree() {
            return away("ledger and checkpoints disagree, and a person must look");
        }
        match (&signs.ledger, signs.stopping) {
            (LedgerSign::Frozen(why), _) => return away(why),
            (_, Stopping::Yes) => return away("this process is stopping"),
            _ => {}
        }
        let why = "this process only follows, or has not compared the ledger with its checkpoints yet";
        self.writing.get().ok_or_else(|| ClerkError::Away(why.to_owned()))
    }

    fn names(&self, ledger: &dyn Ledger) -> Result<&Pseudonyms, ClerkError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let id = ledger.head()?.ledger;
        let opened = fingerprint::open_for(&self.config.pseudonym_key, id);
        // A fingerprint that was missing is kept by whoever comes first; the command line says so.
        let (names, _kept) = opened.map_err(|error| ClerkError::State(error.to_string()))?;
        Ok(self.names.get_or_init(|| names))
    }
}

fn key_of(book: &Book, issuer: &str, serial: Serial) -> Result<CertificateKey, ClerkError> {
    let issuer = book.issuer_named(issuer).ok_or_else(|| ClerkError::NoIssuer(issuer.to_owned()))?.no;
    Ok(CertificateKey { issuer, serial })
}

fn actor(book: &Book, names: &Pseudonyms, sender: &str) -> Result<Actor, ClerkError> {
    let who: Who = sender.parse().map_err(ClerkError::Sender)?;
    let role = who.org.role(book).map_err(ClerkError::NoIssuer)?;
    let Some(person) = who.person else {
        return Err(ClerkError::Sender(format!("say who: {sender}/PERSON")));
    };
    let person = PersonId(names.of(Named::Person, &person));
    Ok(Actor { role, person, channel: Channel::Api })
}

/// The first events of a span, as many as anybody reads.
fn events_of(ledger: &dyn Ledger, first: Position, last: Position) -> Result<Vec<Line>, LedgerError> {
    let count = (last.0 - first.0 + 1).min(EVENTS_SHOWN_MAX);
    let stored = ledger.events_after(Position(first.0.saturating_sub(1)), count as usize)?;
    let line = |sealed: &Sealed| Ok(Line { position: sealed.position, event: decode_event(&sealed.bytes)? });
    stored.iter().map(line).collect()
}

/// An event as `/v1/events` has it. Holders, media and SIMs stay out; a person is the pseudonym that the ledger has.
fn event(book: &Book, sealed: &Sealed) -> Result<Value, LedgerError> {
    let line = Line { position: sealed.position, event: decode_event(&sealed.bytes)? };
    let mut json = json!({
        "position": line.position.to_string(),
        "time": line.event.time.to_string(),
        "kind": body_name(&line.event.body),
        "actor": {
            "role": role_name(book, line.event.actor.role),
            "person": line.event.actor.person.to_string(),
            "channel": channel_name(line.event.actor.channel),
        },
        "cause": line.event.cause.map(|cause| cause.to_string()),
        "what": line.text(book),
    });
    if let Body::Changed { key, change, .. } = &line.event.body {
        json["certificate"] = json!({ "issuer": issuer_name(book, key), "serial": key.serial.to_string() });
        json["change"] = json!(change.name());
    }
    Ok(json)
}

/// Who acts where a request names nobody.
const USUAL_SENDER: &str = "window/admin.token";
const USUAL_PUBLISHER: &str = "ops/admin";
/// A round of a nation takes half a minute.
const PUBLISH_TIME_MAX: Duration = Duration::from_secs(120);
/// More than one certificate's change ever leaves.
const EVENTS_SHOWN_MAX: u64 = 50;
