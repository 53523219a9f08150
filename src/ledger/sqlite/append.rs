//! Appending: one batch, one transaction, if the ledger still stands where the batch was decided.

use rusqlite::Connection;

use crate::ledger::{Batch, Head, LedgerError, NewStatus, QueueChange, decode_event, encode_status};
use crate::model::{BUDGET_DAYS, Body, BudgetKey, CertificateKey, Life, Outcome, SetTarget};

use super::find::registered;
use super::head::{read_head, write_head};
use super::lookup::{Addition, Lookup};

/// Writes the batch within the caller's transaction.
pub(super) fn append(
    connection: &Connection,
    lookup: &Lookup,
    batch: &Batch,
    addition: &Addition,
) -> Result<(), LedgerError> {
    let head = read_head(connection)?;
    stands_at(&head, &batch.at)?;
    continues(batch)?;
    insert_events(connection, batch)?;
    insert_certificates(connection, lookup, batch, addition)?;
    write_head(connection, &batch.next)?;
    batch.statuses.iter().try_for_each(|status| write_status(connection, status))?;
    write_book(connection, batch)?;
    write_timers(connection, batch)?;
    write_answers(connection, batch)?;
    batch.budgets.iter().try_for_each(|(key, hour, used)| use_budget(connection, key, *hour, *used))?;
    write_queue(connection, batch)
}

/// The comparison of the compare-and-swap.
fn stands_at(now: &Head, at: &Head) -> Result<(), LedgerError> {
    if now.ledger != at.ledger {
        return Err(LedgerError::Foreign { found: now.ledger, expected: at.ledger });
    }
    // A heartbeat since then moved the head's time, and nothing may be dated before it.
    if (now.epoch, now.position, now.link, now.time) != (at.epoch, at.position, at.link, at.time) {
        return Err(LedgerError::Moved { now: now.position });
    }
    Ok(())
}

/// A batch that contradicts itself is a fault of its maker; it must not become history.
fn continues(batch: &Batch) -> Result<(), LedgerError> {
    let (at, next) = (&batch.at, &batch.next);
    let position = batch.events.last().map_or(at.position, |event| event.position);
    let link = batch.events.last().map_or(at.link, |event| event.link);
    let events = (next.position, next.tree.size(), next.link) == (position, position.0, link)
        && batch.events.iter().zip(at.position.0 + 1..).all(|(event, expected)| event.position.0 == expected)
        && batch.events.len() as u64 == next.position.0 - at.position.0;
    let rows = batch.rows.iter().zip(at.certificates + 1..).all(|(row, expected)| row.no.0 == expected)
        && next.certificates == at.certificates + batch.rows.len() as u64;
    if !events || !rows {
        return Err(LedgerError::Refused("the batch does not continue the head that it names".into()));
    }
    if !batch.inbox.is_empty() {
        return Err(LedgerError::Refused("an embedded ledger has no inbox".into()));
    }
    Ok(())
}

fn insert_events(connection: &Connection, batch: &Batch) -> Result<(), LedgerError> {
    let mut insert = connection.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3)")?;
    for event in &batch.events {
        insert.execute((event.position.0, &event.bytes[..], &event.link[..]))?;
    }
    Ok(())
}

fn insert_certificates(
    connection: &Connection,
    lookup: &Lookup,
    batch: &Batch,
    addition: &Addition,
) -> Result<(), LedgerError> {
    if batch.rows.is_empty() {
        return Ok(());
    }
    let mut keys: Vec<CertificateKey> = batch.rows.iter().map(|row| row.certificate.key).collect();
    let known = registered(connection, lookup, &keys)?;
    keys.sort_unstable();
    if known.iter().any(Option::is_some) || keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(LedgerError::Refused("a certificate of the batch is registered already".into()));
    }
    let mut insert = connection.prepare_cached("INSERT INTO certificate VALUES (?1, ?2)")?;
    for row in &batch.rows {
        insert.execute((row.no.0, &row.bytes[..]))?;
    }
    addition.store(connection)
}

fn write_status(connection: &Connection, new: &NewStatus) -> Result<(), LedgerError> {
    let (life, reason) = match &new.status.life {
        Life::Pending => (0, None),
        Life::Active => (1, None),
        Life::Revoked(revocation) => (2, Some(revocation.reason.code())),
    };
    let state = encode_status(&new.status);
    let values = (new.no.0, life, reason, &state[..]);
    // Not an upsert: its insert half would have to be let past the trigger that keeps INSERT OR REPLACE out. And looked
    // for first: an UPDATE of a table with triggers opens a table of its own, which costs more than all the rest here.
    let stored = connection.prepare_cached("SELECT 1 FROM status WHERE no = ?1")?.exists([new.no.0])?;
    let sql = if stored {
        "UPDATE status SET life = ?2, reason = ?3, state = ?4 WHERE no = ?1"
    } else {
        "INSERT INTO status VALUES (?1, ?2, ?3, ?4)"
    };
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Keeps the positions of the events that make up the book, and closes the lists that sets name.
fn write_book(connection: &Connection, batch: &Batch) -> Result<(), LedgerError> {
    if batch.issuers.is_empty() && batch.scopes.is_empty() && batch.sets.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached("INSERT INTO book VALUES (?1)")?;
    for event in &batch.events {
        let body = decode_event(&event.bytes)?.body;
        if matches!(body, Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. }) {
            insert.execute([event.position.0])?;
        }
    }
    let mut close = connection.prepare_cached("UPDATE list SET named_by = coalesce(named_by, ?2) WHERE no = ?1")?;
    for set in &batch.sets {
        if let SetTarget::Listed { list, .. } = &set.target
            && close.execute((list.0, set.position.0))? == 0
        {
            return Err(LedgerError::Refused(format!("there is no list {list}")));
        }
    }
    Ok(())
}

fn write_timers(connection: &Connection, batch: &Batch) -> Result<(), LedgerError> {
    let mut delete = connection.prepare_cached("DELETE FROM timer WHERE due = ?1 AND no = ?2")?;
    for (due, no) in &batch.timers_done {
        delete.execute((due.unix(), no.0))?;
    }
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO timer VALUES (?1, ?2)")?;
    for (due, no) in &batch.timers {
        insert.execute((due.unix(), no.0))?;
    }
    Ok(())
}

fn write_answers(connection: &Connection, batch: &Batch) -> Result<(), LedgerError> {
    let mut insert =
        connection.prepare_cached("INSERT INTO answer VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")?;
    for (key, answer) in &batch.answers {
        let (outcome, first, last) = match answer.outcome {
            Outcome::AlreadySo => (ALREADY_SO, 0, 0),
            Outcome::Done { first, last } => (DONE, first.0, last.0),
            Outcome::Queued { queued } => (QUEUED, queued.0, queued.0),
        };
        // An answer without an event leaves the head as it is, so here is where a second writer is noticed.
        if insert.execute((&key.0[..], &answer.command[..], outcome, first, last))? == 0 {
            return Err(LedgerError::Moved { now: batch.at.position });
        }
    }
    Ok(())
}

fn use_budget(connection: &Connection, key: &BudgetKey, hour: i64, used: u32) -> Result<(), LedgerError> {
    let (day, hour_of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
    let mut add = connection.prepare_cached(
        "INSERT INTO budget VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET used = used + excluded.used RETURNING used",
    )?;
    let now: u64 = add.query_row((&key.0, hour_of_day, day, used), |row| row.get(0))?;
    // The first use within an hour clears away what no decision will look at again, whichever clock was wrong.
    if now == u64::from(used) {
        let mut old =
            connection.prepare_cached("DELETE FROM budget WHERE key = ?1 AND hour_of_day = ?2 AND day < ?3")?;
        old.execute((&key.0, hour_of_day, day - 2 * BUDGET_DAYS))?;
    }
    Ok(())
}

fn write_queue(connection: &Connection, batch: &Batch) -> Result<(), LedgerError> {
    for change in &batch.queue {
        let (sql, position) = match change {
            QueueChange::Decided(position) => ("DELETE FROM queue WHERE position = ?1", position),
            QueueChange::Waits(position) => ("INSERT INTO queue VALUES (?1)", position),
        };
        if connection.prepare_cached(sql)?.execute([position.0])? != 1 {
            return Err(LedgerError::Refused(format!("no command waits at {position}")));
        }
    }
    Ok(())
}

/// Outcomes as `answer.outcome` has them.
pub(super) const ALREADY_SO: u8 = 0;
pub(super) const DONE: u8 = 1;
pub(super) const QUEUED: u8 = 2;
