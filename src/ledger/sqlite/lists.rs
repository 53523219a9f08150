//! Lists of listed sets: open while they are written, closed by the event that names them (see `append`).

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::LedgerError;
use crate::model::{CertificateNo, ListNo};

use super::scan::bound;

/// A new, empty list.
pub(super) fn new_list(connection: &Connection) -> Result<ListNo, LedgerError> {
    let mut insert = connection.prepare_cached("INSERT INTO list (named_by) VALUES (NULL) RETURNING no")?;
    Ok(ListNo(insert.query_row([], |row| row.get(0))?))
}

/// Adds members to an open list.
pub(super) fn add(connection: &Connection, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
    let mut named = connection.prepare_cached("SELECT named_by FROM list WHERE no = ?1")?;
    match named.query_row([list.0], |row| row.get::<_, Option<u64>>(0)).optional()? {
        Some(None) => {}
        Some(Some(event)) => {
            return Err(LedgerError::Refused(format!("list {list} is closed: event {event} names it")));
        }
        None => return Err(LedgerError::Refused(format!("there is no list {list}"))),
    }
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO list_member VALUES (?1, ?2)")?;
    for no in members {
        insert.execute((list.0, no.0))?;
    }
    Ok(())
}

/// Up to `limit` members after a number.
pub(super) fn members(
    connection: &Connection,
    list: ListNo,
    after: CertificateNo,
    limit: usize,
) -> Result<Vec<CertificateNo>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT no FROM list_member WHERE list = ?1 AND no > ?2 ORDER BY no LIMIT ?3")?;
    let members = select.query_map((list.0, after.0, bound(limit)), |row| Ok(CertificateNo(row.get(0)?)))?;
    Ok(members.collect::<Result<_, _>>()?)
}
