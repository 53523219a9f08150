//! Writing a batch: one round trip to `tashika.append`, which checks and stores everything or nothing.

use std::collections::HashMap;

use postgres::error::Error;

use crate::ledger::{Answer, Batch, Head, InboxResult, LedgerError, Sealed, decode_event, encode_status};
use crate::model::{Body, Event, Outcome, Position};

use super::errors::{Purpose, answered_meanwhile, failed, other};
use super::read::{self, stored};
use super::session::{Fate, Parameters, Session};

/// Writes a batch if the ledger still stands at `batch.at`.
pub(super) fn append(session: &mut Session, batch: &Batch) -> Result<(), LedgerError> {
    send(batch, Purpose::Append, |sql, parameters| {
        let rows = session.query(sql, parameters)?;
        rows.first().map_or(Ok(None), |row| row.try_get(0))
    })
}

/// Takes the writer's turn, lets `build` decide on the head, writes.
pub(super) fn in_turn(
    session: &mut Session,
    build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>,
) -> Result<Batch, LedgerError> {
    // Should anything go wrong, closing the session is what surely gives the turn back.
    session.fate = Fate::Close;
    session.client.batch_execute("BEGIN").map_err(other)?;
    session.query("SELECT tashika.take_turn()", &[]).map_err(other)?;
    let head = read::head(session)?;
    let built = build(&head).and_then(|batch| {
        if !batch.is_empty() {
            // Nothing is committed by this: a connection that breaks here leaves nothing behind.
            send(&batch, Purpose::Other, |sql, parameters| {
                let rows = session.query(sql, parameters)?;
                rows.first().map_or(Ok(None), |row| row.try_get(0))
            })?;
        }
        Ok(batch)
    });
    let end = if built.is_ok() { "COMMIT" } else { "ROLLBACK" };
    match (session.client.batch_execute(end), built) {
        (Ok(()), built) => {
            session.fate = Fate::Keep;
            built
        }
        (Err(error), Ok(_)) => Err(failed(&error, Purpose::Append)),
        (Err(_), Err(error)) => Err(error),
    }
}

/// The same by way of `run`, which sends the statement and hands back the one value of its one row.
pub(super) fn send(
    batch: &Batch,
    purpose: Purpose,
    run: impl FnOnce(&'static str, &Parameters<'_>) -> Result<Option<i64>, Error>,
) -> Result<(), LedgerError> {
    let (at, next) = (&batch.at, &batch.next);
    let events: Vec<_> = batch.events.iter().map(|event| &event.bytes[..]).collect();
    let links: Vec<_> = batch.events.iter().map(|event| &event.link[..]).collect();
    let rows: Vec<_> = batch.rows.iter().map(|row| &row.bytes[..]).collect();
    let status_nos: Vec<_> = batch.statuses.iter().map(|status| stored(status.no.0)).collect();
    let states: Vec<_> = batch.statuses.iter().map(|status| encode_status(&status.status)).collect();
    let changed = changed(batch);
    let (timer_at, timer_nos): (Vec<_>, Vec<_>) = batch.timers.iter().map(|(at, no)| (at.unix(), stored(no.0))).unzip();
    let (done_at, done_nos): (Vec<_>, Vec<_>) =
        batch.timers_done.iter().map(|(at, no)| (at.unix(), stored(no.0))).unzip();
    let answers = Answers::of(batch);
    let budget_keys: Vec<_> = batch.budgets.iter().map(|(key, _, _)| &key.0[..]).collect();
    let budget_hours: Vec<_> = batch.budgets.iter().map(|(_, hour, _)| *hour).collect();
    let budget_used: Vec<_> = batch.budgets.iter().map(|(_, _, used)| i64::from(*used)).collect();
    let inbox = Decisions::of(batch);
    let tree: Vec<u8> = next.tree.peaks().concat();
    let now = run(
        APPEND,
        &[
            &i64::from(at.epoch.0),
            &stored(at.position.0),
            &&at.link[..],
            &at.time.unix(),
            &stored(at.book.0),
            &stored(at.certificates),
            &i64::from(next.epoch.0),
            &stored(next.position.0),
            &&next.link[..],
            &tree,
            &next.time.unix(),
            &stored(next.book.0),
            &stored(next.certificates),
            &events,
            &links,
            &rows,
            &status_nos,
            &states,
            &changed,
            &timer_at,
            &timer_nos,
            &done_at,
            &done_nos,
            &answers.keys,
            &answers.commands,
            &answers.outcomes,
            &answers.firsts,
            &answers.lasts,
            &budget_keys,
            &budget_hours,
            &budget_used,
            &inbox.nos,
            &inbox.firsts,
            &inbox.lasts,
            &inbox.whys,
        ],
    );
    let now = match now {
        Err(error) if answered_meanwhile(&error) => Some(stored(at.position.0)),
        now => now.map_err(|error| failed(&error, purpose))?,
    };
    match now {
        None => Ok(()),
        Some(now) => {
            let now = u64::try_from(now).map_err(|_| LedgerError::Damaged("the head's position".to_owned()))?;
            Err(LedgerError::Moved { now: Position(now) })
        }
    }
}

/// For each event that changes a certificate, which of the batch's statuses is its: counted from 1, as the database counts.
fn changed(batch: &Batch) -> Vec<Option<i32>> {
    let status_of: HashMap<_, _> = batch.statuses.iter().map(|status| status.no).zip(1..).collect();
    let status_of = |event: &Sealed| match decode_event(&event.bytes) {
        Ok(Event { body: Body::Changed { no, .. }, .. }) => status_of.get(&no).copied(),
        // What can't be read is the database's to refuse.
        Ok(_) | Err(_) => None,
    };
    batch.events.iter().map(status_of).collect()
}

#[derive(Default)]
struct Answers<'a> {
    keys: Vec<&'a [u8]>,
    commands: Vec<&'a [u8]>,
    outcomes: Vec<i16>,
    firsts: Vec<i64>,
    lasts: Vec<i64>,
}

impl<'a> Answers<'a> {
    fn of(batch: &'a Batch) -> Self {
        let mut answers = Self::default();
        for (key, Answer { command, outcome }) in &batch.answers {
            let (tag, first, last) = match outcome {
                Outcome::AlreadySo => (ALREADY_SO, Position(0), Position(0)),
                Outcome::Done { first, last } => (DONE, *first, *last),
                Outcome::Queued { queued } => (QUEUED, *queued, *queued),
            };
            answers.keys.push(&key.0);
            answers.commands.push(command);
            answers.outcomes.push(tag);
            answers.firsts.push(stored(first.0));
            answers.lasts.push(stored(last.0));
        }
        answers
    }
}

#[derive(Default)]
struct Decisions<'a> {
    nos: Vec<i64>,
    firsts: Vec<i64>,
    lasts: Vec<i64>,
    whys: Vec<Option<&'a str>>,
}

impl<'a> Decisions<'a> {
    fn of(batch: &'a Batch) -> Self {
        let mut decisions = Self::default();
        for (no, result) in &batch.inbox {
            let (first, last, why) = match result {
                InboxResult::Done { first, last } => (*first, *last, None),
                InboxResult::Refused { at, why } => (*at, *at, Some(why.as_str())),
            };
            decisions.nos.push(stored(*no));
            decisions.firsts.push(stored(first.0));
            decisions.lasts.push(stored(last.0));
            decisions.whys.push(why);
        }
        decisions
    }
}

/// What came of a command, as `outcome` of an answer holds it.
pub(super) fn outcome(tag: i64, first: Position, last: Position) -> Result<Outcome, LedgerError> {
    match i16::try_from(tag) {
        Ok(ALREADY_SO) => Ok(Outcome::AlreadySo),
        Ok(DONE) => Ok(Outcome::Done { first, last }),
        Ok(QUEUED) => Ok(Outcome::Queued { queued: first }),
        _ => Err(LedgerError::Damaged(format!("an answer of kind {tag}"))),
    }
}

const ALREADY_SO: i16 = 0;
const DONE: i16 = 1;
const QUEUED: i16 = 2;

const APPEND: &str = "SELECT tashika.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
    $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)";
