//! Commands, events and outcomes in words and in JSON. Holders, media and SIMs are never shown, pseudonyms or not.

use serde_json::{Value, json};

pub use crate::app::describe::{
    Line, command_text, hold_name, issuer_name, key_name, lifted_by, point_text, role_name, why_queued,
};
use crate::ledger::{Ledger, decode_event};
use crate::model::{Body, Book, Command, Event, Outcome, Position, Report, Request, WhyQueued};

use super::error::{CliError, Exit};
use super::reply::Reply;
use super::table::table;

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

/// More lines than this nobody reads; what is needed of a longer outcome is its first and last position.
const EVENTS_SHOWN_MAX: usize = 50;
