//! Reading in order: events, rows, timers, the queue, and every certificate with its status at one position.

use std::ops::ControlFlow;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{CachedStatement, Connection, Rows};

use crate::ledger::{LedgerError, Sealed, decode_certificate, decode_status};
use crate::model::{Book, CertificateNo, Entry, ListNo, Position, Status, Time};

use super::find::listed;
use super::head::time_of;

/// Up to `limit` events after a position.
pub(super) fn events_after(connection: &Connection, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
    let mut select = connection
        .prepare_cached("SELECT position, bytes, link FROM event WHERE position > ?1 ORDER BY position LIMIT ?2")?;
    let events = select.query_map((after.0, bound(limit)), |row| {
        Ok(Sealed { position: Position(row.get(0)?), bytes: row.get(1)?, link: row.get(2)? })
    })?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// Up to `limit` rows from a number on.
pub(super) fn rows_from(
    connection: &Connection,
    first: CertificateNo,
    limit: usize,
) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT no, row FROM certificate WHERE no >= ?1 ORDER BY no LIMIT ?2")?;
    let rows = select.query_map((first.0, bound(limit)), |row| Ok((CertificateNo(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The first timers due.
pub(super) fn due(connection: &Connection, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT due, no FROM timer WHERE due <= ?1 ORDER BY due, no LIMIT ?2")?;
    let mut rows = select.query((now.unix(), bound(limit)))?;
    let mut timers = Vec::new();
    while let Some(row) = rows.next()? {
        timers.push((time_of(row.get(0)?)?, CertificateNo(row.get(1)?)));
    }
    Ok(timers)
}

/// The positions of commands that wait.
pub(super) fn queue(connection: &Connection) -> Result<Vec<Position>, LedgerError> {
    let mut select = connection.prepare_cached("SELECT position FROM queue ORDER BY position")?;
    let positions = select.query_map([], |row| Ok(Position(row.get(0)?)))?;
    Ok(positions.collect::<Result<_, _>>()?)
}

/// Visits every certificate with its status, by walking along certificates, statuses and lists together.
pub(super) fn scan(
    connection: &Connection,
    book: &Book,
    certificates: u64,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), LedgerError> {
    let mut select = connection.prepare_cached("SELECT no, row FROM certificate ORDER BY no")?;
    let mut rows = select.query([])?;
    let mut select = connection.prepare_cached("SELECT no, state FROM status ORDER BY no")?;
    let mut statuses = Walk::along(select.query([])?)?;
    let lists = listed(book);
    let mut selects = lists.iter().map(|_| members(connection)).collect::<Result<Vec<_>, _>>()?;
    let mut walks = selects
        .iter_mut()
        .zip(&lists)
        .map(|(select, list)| Ok((*list, Walk::along(select.query([list.0])?)?)))
        .collect::<Result<Vec<_>, LedgerError>>()?;
    let mut expected = 0;
    let mut naming = Vec::<ListNo>::new();
    while let Some(row) = rows.next()? {
        expected += 1;
        let no = row.get(0)?;
        if no != expected {
            return Err(LedgerError::Damaged(format!("certificate {expected} is missing")));
        }
        let certificate = decode_certificate(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)
            .map_err(|error| LedgerError::Damaged(format!("certificate {no}: {error}")))?;
        let mut status = match statuses.at(no)? {
            Some(row) => decode_status(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)
                .map_err(|error| LedgerError::Damaged(format!("status of {no}: {error}")))?,
            None => Status::at_registration(&certificate, Position(0)),
        };
        naming.clear();
        for (list, walk) in &mut walks {
            if walk.at(no)?.is_some() {
                naming.push(*list);
            }
        }
        book.overlay(&certificate, &mut status, &naming);
        if visit(Entry { no: CertificateNo(no), certificate, status }).is_break() {
            return Ok(());
        }
    }
    if expected != certificates {
        return Err(LedgerError::Damaged(format!("certificate {} is missing", expected + 1)));
    }
    Ok(())
}

/// Rows that begin with a certificate's number, ascending, met on the way along all certificates.
struct Walk<'s> {
    rows: Rows<'s>,
    next: Option<u64>,
}

impl<'s> Walk<'s> {
    fn along(rows: Rows<'s>) -> Result<Self, LedgerError> {
        let mut walk = Self { rows, next: None };
        walk.step()?;
        Ok(walk)
    }

    fn step(&mut self) -> Result<(), LedgerError> {
        self.next = self.rows.next()?.map(|row| row.get(0)).transpose()?;
        Ok(())
    }

    /// The row of this certificate, if there is one.
    fn at(&mut self, no: u64) -> Result<Option<&rusqlite::Row<'s>>, LedgerError> {
        while self.next.is_some_and(|next| next < no) {
            self.step()?;
        }
        Ok(self.rows.get().filter(|_| self.next == Some(no)))
    }
}

fn members(connection: &Connection) -> Result<CachedStatement<'_>, LedgerError> {
    Ok(connection.prepare_cached("SELECT no FROM list_member WHERE list = ?1 ORDER BY no")?)
}

/// SQLite counts in signed numbers.
pub(super) fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
