//! What stands in the file beside the bytes that are proved, and must agree with them: columns that triggers decide by,
//! look-ups by every name, the triggers themselves. Asked by `verify`.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;

use crate::ledger::{LedgerError, Stray, decode_certificate, decode_status};
use crate::model::{CertificateNo, Life};

use super::lookup::{self, Lookup};
use super::store::Store;
use super::{scan, schema};

/// What doesn't agree; the first of each kind.
pub(super) fn strays(store: &Store, lookup: &Lookup) -> Result<Vec<Stray>, LedgerError> {
    let mut strays = store.read(altered_schema)?;
    strays.extend(store.read(altered_statuses)?);
    let mut hidden = 0;
    let mut next = CertificateNo(1);
    while hidden < STRAYS_MAX {
        // One chunk at a time: a reader that stays for minutes would keep the log from beginning anew.
        let (after, some) = store.read(|connection| hidden_certificates(connection, lookup, next))?;
        hidden += some.len();
        strays.extend(some);
        match after {
            Some(after) => next = after,
            None => break,
        }
    }
    Ok(strays)
}

/// Tables and triggers that aren't those of this schema.
fn altered_schema(connection: &Connection) -> Result<Vec<Stray>, LedgerError> {
    let fresh = Connection::open_in_memory()?;
    schema::make(&fresh)?;
    let (fresh, stored) = (definitions(&fresh)?, definitions(connection)?);
    let differ = |name: &&String| fresh.get(*name) != stored.get(*name);
    let names: HashSet<_> = fresh.keys().chain(stored.keys()).filter(differ).collect();
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|name| Stray::Fact(format!("{name} is not as this program makes it"))).collect())
}

fn definitions(connection: &Connection) -> Result<BTreeMap<String, String>, LedgerError> {
    // What SQLite keeps for itself, statistics for instance, follows from use.
    let sql = "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'";
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The triggers' columns against the status that readers see.
fn altered_statuses(connection: &Connection) -> Result<Vec<Stray>, LedgerError> {
    let mut select = connection.prepare("SELECT no, life, reason, state FROM status")?;
    let mut rows = select.query([])?;
    let mut strays = Vec::new();
    while let Some(row) = rows.next()?
        && strays.len() < STRAYS_MAX
    {
        let no: u64 = row.get(0)?;
        let state = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        // What can't be read is found when statuses are compared.
        let Ok(status) = decode_status(state) else { continue };
        let columns: (u8, Option<u8>) = (row.get(1)?, row.get(2)?);
        let own = match &status.life {
            Life::Pending => (0, None),
            Life::Active => (1, None),
            Life::Revoked(revocation) => (2, Some(revocation.reason.code())),
        };
        if columns != own {
            strays.push(Stray::Fact(format!("the status of certificate {no} says something else in its columns")));
        }
    }
    Ok(strays)
}

/// Certificates from a number on that a search by one of their names doesn't find, and where to go on.
fn hidden_certificates(
    connection: &Connection,
    lookup: &Lookup,
    first: CertificateNo,
) -> Result<(Option<CertificateNo>, Vec<Stray>), LedgerError> {
    let rows = scan::rows_from(connection, first, CHUNK)?;
    let Some((last, _)) = rows.last() else { return Ok((None, Vec::new())) };
    let after = last.plus(1);
    let mut names = Vec::with_capacity(rows.len() * 4);
    for (no, row) in &rows {
        if let Ok(certificate) = decode_certificate(row) {
            names.extend(lookup::of_all(&certificate).map(|hash| (hash, *no)));
        }
    }
    let found: HashSet<(u64, u64)> =
        lookup.search(connection, names.iter().map(|(hash, _)| *hash).collect())?.into_iter().collect();
    let mut hidden: Vec<_> =
        names.into_iter().filter(|(hash, no)| !found.contains(&(*hash, no.0))).map(|(_, no)| no).collect();
    hidden.dedup();
    let stray = |no| Stray::Fact(format!("certificate {no} is not found by each of its names"));
    Ok((Some(after), hidden.into_iter().take(STRAYS_MAX).map(stray).collect()))
}

/// With more than this nobody reads the list.
const STRAYS_MAX: usize = 20;
const CHUNK: usize = 4_096;
