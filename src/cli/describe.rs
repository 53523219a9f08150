//! Commands, events and outcomes in words and in JSON. Holders, media and SIMs are never shown, pseudonyms or not.

use serde_json::{Value, json};

use crate::app::words::counted;
use crate::ledger::{Ledger, decode_event};
use crate::model::{
    Actor, Body, Book, CertificateKey, Change, Command, Event, HoldId, HoldKind, Outcome, Position, Report, Request,
    Role, SetChange, SetTarget, Subject, UndoScope, WhyQueued,
};

use super::error::{CliError, Exit};
use super::reply::Reply;
use super::table::table;

/// An event as a line.
pub struct Line {
    /// Its position.
    pub position: Position,
    /// What it says.
    pub event: Event,
}

/// What came of a command, with the events that it left.
pub fn outcome(ledger: &dyn Ledger, book: &Book, outcome: Outcome) -> Result<Reply, CliError> {
    Ok(match outcome {
        Outcome::AlreadySo => {
            Reply::done("it was so already: nothing was recorded", json!({ "outcome": "already-so" }))
        }
        Outcome::Queued { queued } => waits(ledger, book, queued)?,
        Outcome::Done { first, last } => {
            let lines = lines(ledger, first, last)?;
            let count = last.0 - first.0 + 1;
            let events = if count == 1 { format!("event {first}") } else { format!("events {first} to {last}") };
            let mut text = format!("done: {events}\n{}", listing(book, &lines));
            if count > lines.len() as u64 {
                text.push_str(&format!("and {} more\n", count - lines.len() as u64));
            }
            let events: Vec<Value> = lines.iter().map(|line| line.json(book)).collect();
            let json = json!({
                "outcome": "done", "first": first.to_string(), "last": last.to_string(), "events": events
            });
            Reply::done(text, json)
        }
    })
}

/// A command that waits, with what was done of it at once: a loss takes effect undated until its date is approved.
fn waits(ledger: &dyn Ledger, book: &Book, queued: Position) -> Result<Reply, CliError> {
    let line = event_at(ledger, queued)?;
    let (why, at_once) = match &line {
        Some(Line { event: Event { body: Body::Queued { request, why }, .. }, .. }) => {
            (why_queued(*why), done_at_once(ledger, queued, request, *why)?)
        }
        _ => ("see 'tashika queue list'", Vec::new()),
    };
    let mut text =
        format!("waits for a second person under {queued} ({why}): 'tashika queue approve {queued} --as ORG/PERSON'\n");
    if !at_once.is_empty() {
        text.push_str(&format!("done at once:\n{}", listing(book, &at_once)));
    }
    let at_once: Vec<Value> = at_once.iter().map(|line| line.json(book)).collect();
    let json = json!({ "outcome": "queued", "queued": queued.to_string(), "why": why, "at_once": at_once });
    Ok(Reply::done(text, json).with_exit(Exit::Waits))
}

/// The events that the desk recorded just before a backdated loss was queued: the same command without its date.
fn done_at_once(
    ledger: &dyn Ledger,
    queued: Position,
    request: &Request,
    why: WhyQueued,
) -> Result<Vec<Line>, CliError> {
    if why != WhyQueued::BackdatedLoss {
        return Ok(Vec::new());
    }
    let first = Position(queued.0.saturating_sub(EVENTS_SHOWN_MAX as u64).max(1));
    let mut before = lines(ledger, first, Position(queued.0 - 1))?;
    let begins = |line: &Line| {
        line.event.actor == request.actor
            && match (&request.command, &line.event.body) {
                (Command::Report(asked), Body::Reported(done)) => *done == Report { lost_at: None, ..asked.clone() },
                (Command::Hold { key: asked, .. } | Command::Revoke { key: asked, .. }, Body::Changed { key, .. }) => {
                    asked == key && line.event.cause.is_none()
                }
                _ => false,
            }
    };
    let Some(root) = before.iter().rposition(begins) else { return Ok(Vec::new()) };
    let mut done = before.split_off(root);
    let cause = done[0].position;
    let follows = done.iter().skip(1).all(|line| line.event.cause == Some(cause));
    // Whatever lies between belongs to somebody else, and then so does what only looks like the beginning.
    if !follows {
        done.clear();
    }
    Ok(done)
}

fn listing(book: &Book, lines: &[Line]) -> String {
    let rows: Vec<_> = lines.iter().map(|line| vec![line.position.to_string(), line.text(book)]).collect();
    table(&["event", "what"], &rows, "")
}

/// When what a rehearsal says came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// In earnest, earlier: the command's key was used for it, or it waits already.
    Before,
    /// In the rehearsal.
    Now,
}

/// What would have come of a command that was only tried.
pub fn rehearsed(mut reply: Reply, outcome: Outcome, tried: Tried) -> Reply {
    let (head, events) = reply.text.split_once('\n').unwrap_or_default();
    reply.text = match (outcome, tried) {
        (Outcome::AlreadySo, _) => "it is so already: nothing would be recorded\n".to_owned(),
        (Outcome::Done { .. }, Tried::Now) => reply.text.replacen("done:", "would be done:", 1),
        (Outcome::Done { .. }, Tried::Before) => {
            reply.json["outcome"] = json!("already-so");
            let done = head.replacen("done:", "it is so already, done under this key:", 1);
            format!("{done}\n{events}nothing more would be recorded\n")
        }
        (Outcome::Queued { queued }, Tried::Before) => {
            format!("waits already for a second person under {queued}: nothing more would be recorded\n{events}")
        }
        (Outcome::Queued { .. }, Tried::Now) => {
            let why = reply.json["why"].as_str().unwrap_or_default();
            format!(
                "would wait for a second person ({why})\n{}",
                events.replacen("done at once:", "would be done at once:", 1)
            )
        }
    };
    reply.text.push_str("nothing was written (--dry-run)\n");
    reply.json["dry_run"] = json!(true);
    reply.with_exit(Exit::Done)
}

/// One event.
pub fn event_at(ledger: &dyn Ledger, position: Position) -> Result<Option<Line>, CliError> {
    Ok(lines(ledger, position, position)?.pop())
}

/// The first events of a span, as many as anybody reads.
fn lines(ledger: &dyn Ledger, first: Position, last: Position) -> Result<Vec<Line>, CliError> {
    let span = last.0.saturating_sub(first.0) as usize + 1;
    let before = Position(first.0.saturating_sub(1));
    let stored = ledger.events_after(before, span.min(EVENTS_SHOWN_MAX))?;
    let stored = stored.into_iter().filter(|sealed| (first..=last).contains(&sealed.position));
    stored
        .map(|sealed| {
            let event = decode_event(&sealed.bytes).map_err(crate::ledger::LedgerError::from)?;
            Ok(Line { position: sealed.position, event })
        })
        .collect()
}

impl Line {
    /// In words.
    pub fn text(&self, book: &Book) -> String {
        match &self.event.body {
            Body::Changed { key, change, .. } => {
                format!("{}: {}", key_name(book, key), change_text(change, self.position))
            }
            body => body_text(book, body),
        }
    }

    /// In JSON.
    pub fn json(&self, book: &Book) -> Value {
        let mut json = json!({
            "position": self.position.to_string(),
            "time": self.event.time.to_string(),
            "org": role_name(book, self.event.actor.role),
            "person": self.event.actor.person.to_string(),
            "cause": self.event.cause.map(|cause| cause.to_string()),
            "what": self.text(book),
        });
        if let Body::Changed { key, change, .. } = &self.event.body {
            json["issuer"] = json!(issuer_name(book, key));
            json["serial"] = json!(key.serial.to_string());
            json["change"] = json!(change.name());
        }
        json
    }
}

/// An organisation by its names: a CA by its issuer's.
pub fn role_name(book: &Book, role: Role) -> String {
    match role {
        Role::Ca(no) => format!("ca:{}", book.issuer(no).map_or_else(|| no.to_string(), |issuer| issuer.name.clone())),
        role => role.to_string(),
    }
}

/// Issuer and serial.
pub fn key_name(book: &Book, key: &CertificateKey) -> String {
    format!("{} {}", issuer_name(book, key), key.serial)
}

/// The issuer's name.
pub fn issuer_name(book: &Book, key: &CertificateKey) -> String {
    book.issuer(key.issuer).map_or_else(|| format!("issuer {}", key.issuer), |issuer| issuer.name.clone())
}

/// Why a command waits.
pub fn why_queued(why: WhyQueued) -> &'static str {
    match why {
        WhyQueued::BackdatedLoss => "the stated loss lies far back",
        WhyQueued::OverBudget => "over the sender's budget",
        WhyQueued::TwoPeople => "always takes two people",
    }
}

/// Who may lift a hold.
pub fn lifted_by(kind: HoldKind) -> String {
    match kind {
        HoldKind::Carrier(operator) => format!("carrier {operator} or its host, the holder with the card"),
        HoldKind::CallCentre | HoldKind::Holder | HoldKind::Imported | HoldKind::Window => {
            "the window, the holder with the card".into()
        }
        HoldKind::Registry => "the registry".into(),
        HoldKind::Review | HoldKind::RuleX | HoldKind::Set => "two people of the window or of operations".into(),
    }
}

/// Whose hold it is, with the operator's name for a carrier's.
pub fn hold_name(kind: HoldKind) -> String {
    match kind {
        HoldKind::Carrier(operator) => format!("carrier {operator}"),
        kind => kind.name().into(),
    }
}

/// A command in words.
pub fn command_text(book: &Book, command: &Command) -> String {
    match command {
        Command::Activate(key) => format!("activate {}", key_name(book, key)),
        Command::AdoptEpoch { epoch, note } => format!("adopt epoch {epoch} ({note})"),
        Command::DecideQueued { queued, verdict } => format!("{} {queued}", verdict.name()),
        Command::Hold { key, lost_at } => format!("hold {}{}", key_name(book, key), lost(lost_at.as_ref())),
        Command::Release { key, holds } => format!("release {} from {}", key_name(book, key), hold_ids(holds)),
        Command::Report(report) => report_text(report),
        Command::Revoke { key, reason, lost_at } => {
            format!("revoke {} ({reason}){}", key_name(book, key), lost(lost_at.as_ref()))
        }
        Command::Set { target, change } => set_text(book, target, *change),
        Command::Undo(scope) => undo_text(book, scope),
    }
}

fn body_text(book: &Book, body: &Body) -> String {
    match body {
        Body::Changed { key, change, .. } => format!("{}: {}", key_name(book, key), change.name()),
        Body::EpochAdopted { epoch, note } => format!("epoch {epoch} adopted: {note}"),
        Body::InboxRefused { inbox, why } => format!("inbox {inbox} refused: {why}"),
        Body::IssuerAdded(issuer) => format!("issuer {} added", issuer.name),
        Body::LedgerCreated { ledger } => format!("ledger {ledger} created"),
        Body::Queued { request, why } => {
            format!("waits ({}): {}", why_queued(*why), command_text(book, &request.command))
        }
        Body::QueueDecided { queued, verdict } => format!("{queued} {}", verdict.name()),
        Body::Registered { count, .. } => format!("{} registered", counted(u64::from(*count), "certificate")),
        Body::Reported(report) => report_text(report),
        Body::ScopeAdded(scope) => format!("CRL scope {} added", scope.path),
        Body::SetChanged { target, change } => set_text(book, target, *change),
        Body::UndoOrdered(scope) => undo_text(book, scope),
    }
}

fn change_text(change: &Change, position: Position) -> String {
    match change {
        Change::Acknowledged => "acknowledged, in use".into(),
        Change::HandedOver { to } => format!("handed over to municipality {to}"),
        Change::Held { kind, lost_at, becomes } => {
            let becomes = becomes.map_or_else(String::new, |end| format!(", final on {} ({})", end.due, end.reason));
            format!("held by {} (hold {position}){}{becomes}", hold_name(*kind), lost(lost_at.as_ref()))
        }
        Change::LossDated { lost_at } => format!("loss dated to {lost_at}"),
        Change::ReasonChanged { reason } => format!("reason changed to {reason}"),
        Change::Released { holds } => format!("released from {}", hold_ids(holds)),
        Change::Revoked { reason, at, lost_at } => {
            format!("revoked ({reason}) as of {at}{}", lost(lost_at.as_ref()))
        }
    }
}

fn report_text(report: &Report) -> String {
    let of = match report.subject {
        Subject::Holder(_) => "a holder".to_owned(),
        Subject::Medium(_) => "a medium".to_owned(),
        Subject::Sim { operator, .. } => format!("a SIM of {operator}"),
    };
    let to = report.moved_to.map_or_else(String::new, |to| format!(" to {to}"));
    let evidence = report.evidence.as_ref().map_or_else(String::new, |papers| format!(", evidence {papers}"));
    format!("report {} of {of}{to}{}{evidence}", report.kind, lost(report.lost_at.as_ref()))
}

fn set_text(book: &Book, target: &SetTarget, change: SetChange) -> String {
    let which = match target {
        SetTarget::Batch(batch) => format!("chip batch {batch}"),
        SetTarget::Issuer(no) => match book.issuer(*no) {
            Some(issuer) => format!("all certificates of {}", issuer.name),
            None => format!("all certificates of issuer {no}"),
        },
        SetTarget::Listed { list, count, .. } => format!("{} of list {list}", counted(*count, "certificate")),
    };
    match change {
        SetChange::Held => format!("hold {which}"),
        SetChange::Released { hold } => format!("release {which} from hold {hold}"),
        SetChange::Revoked { reason } => format!("revoke {which} ({reason})"),
    }
}

fn undo_text(book: &Book, scope: &UndoScope) -> String {
    match scope {
        UndoScope::ByActor { actor: Actor { role, person, .. }, since, until } => {
            format!("undo what {}/{person} did from {since} until {until}", role_name(book, *role))
        }
        UndoScope::Cause(cause) => format!("undo what followed from event {cause}"),
    }
}

fn hold_ids(holds: &[HoldId]) -> String {
    match holds {
        [] => "no hold".into(),
        [one] => format!("hold {one}"),
        several => format!("holds {}", several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn lost(at: Option<&crate::model::Time>) -> String {
    at.map_or_else(String::new, |at| format!(", lost at {at}"))
}

/// More lines than this nobody reads; what is needed of a longer outcome is its first and last position.
const EVENTS_SHOWN_MAX: usize = 50;
