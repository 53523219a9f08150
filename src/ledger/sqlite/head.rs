//! The head row and the heartbeat row, read and written.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::ledger::{Frontier, Hash, Head, Heartbeat, LedgerError};
use crate::model::{Epoch, LedgerId, Position, Time};

/// The head, as of the transaction.
pub(super) fn read_head(connection: &Connection) -> Result<Head, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT ledger, epoch, position, link, peaks, time, book, certificates FROM head WHERE one = 1",
    )?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or_else(|| LedgerError::Damaged("it has no head".into()))?;
    head_of(row)
}

/// Sets the head; the row exists.
pub(super) fn write_head(connection: &Connection, head: &Head) -> Result<(), LedgerError> {
    let peaks = head.tree.peaks().concat();
    let mut statement = connection.prepare_cached(
        "UPDATE head SET epoch = ?1, position = ?2, link = ?3, peaks = ?4, time = ?5, book = ?6, certificates = ?7",
    )?;
    statement.execute((
        head.epoch.0,
        head.position.0,
        &head.link[..],
        &peaks[..],
        head.time.unix(),
        head.book.0,
        head.certificates,
    ))?;
    Ok(())
}

/// The first head, before the first event.
pub(super) fn insert_head(connection: &Connection, head: &Head) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO head VALUES (1, ?1, ?2, 0, ?3, x'', ?4, 0, 0)",
        (&head.ledger.0[..], head.epoch.0, &head.link[..], head.time.unix()),
    )?;
    Ok(())
}

/// Overwrites the heartbeat, dated no earlier than the head, which knows the one before.
pub(super) fn beat(connection: &Connection, now: Time) -> Result<Heartbeat, LedgerError> {
    let head = read_head(connection)?;
    let time = now.max(head.time);
    // So that no event that follows is dated before what was said here.
    connection.prepare_cached("UPDATE head SET time = ?1")?.execute([time.unix()])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO heartbeat VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT (one) DO UPDATE
         SET epoch = excluded.epoch, position = excluded.position, link = excluded.link, time = excluded.time",
    )?;
    statement.execute((head.epoch.0, head.position.0, &head.link[..], time.unix()))?;
    Ok(Heartbeat { epoch: head.epoch, position: head.position, link: head.link, time })
}

/// The last heartbeat.
pub(super) fn read_heartbeat(connection: &Connection) -> Result<Option<Heartbeat>, LedgerError> {
    let mut statement = connection.prepare_cached("SELECT epoch, position, link, time FROM heartbeat WHERE one = 1")?;
    let row = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
    row.map(|(epoch, position, link, time)| {
        Ok(Heartbeat { epoch: Epoch(epoch), position: Position(position), link, time: time_of(time)? })
    })
    .transpose()
}

/// A stored time.
pub(super) fn time_of(seconds: i64) -> Result<Time, LedgerError> {
    Time::from_unix(seconds).map_err(|error| LedgerError::Damaged(error.to_string()))
}

fn head_of(row: &Row<'_>) -> Result<Head, LedgerError> {
    let position = row.get(2)?;
    let (peaks, rest) = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?.as_chunks::<32>();
    let tree = Frontier::from_parts(position, peaks.to_vec()).filter(|_| rest.is_empty());
    Ok(Head {
        ledger: LedgerId(row.get(0)?),
        epoch: Epoch(row.get(1)?),
        position: Position(position),
        link: row.get::<_, Hash>(3)?,
        tree: tree.ok_or_else(|| LedgerError::Damaged("the head's hash tree does not fit its position".into()))?,
        time: time_of(row.get(5)?)?,
        book: Position(row.get(6)?),
        certificates: row.get(7)?,
    })
}
