//! Finding certificates by issuer and serial, holder, medium or SIM, among hundreds of millions, with cheap registration.
//!
//! Such names are random, and an ordinary index would dirty one page of the file for each: 10 KB of log a row. Here their
//! hashes are kept in sorted runs that are never changed: a bulk registration writes one, small ones collect in the
//! table `recent` until that is worth a run, and runs of one size are merged by eights into a larger one (`merge`). A
//! look-up asks `recent` and every live run; a filter in memory spares it all but the page that has the answer.
//! Hashes say nothing for certain: callers compare the certificates.

mod hash;
mod merge;
mod page;
mod runs;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use crate::ledger::{LedgerError, NewRow};
use crate::model::CertificateNo;

pub(super) use hash::{of_all, of_holder, of_key, of_medium, of_sim};
pub(super) use merge::{Step, step};

use page::{Entry, Layout, NUMBER_MAX};
use runs::{RunState, Runs};

/// What this process knows of the runs.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// Replaced as a whole when the database names another generation.
    runs: Mutex<Arc<Runs>>,
}

/// The entries of a registration, made ready before any lock is taken.
#[derive(Debug)]
pub(super) enum Addition {
    /// A run of their own.
    Bulk { entries: u64, pages: Vec<Vec<u8>> },
    /// To be collected.
    Few(Vec<Entry>),
}

impl Lookup {
    /// The numbers of certificates that probably have one of these hashes, as of the transaction, with the hash.
    pub fn search(&self, connection: &Connection, mut hashes: Vec<u64>) -> Result<Vec<Entry>, LedgerError> {
        hashes.sort_unstable();
        hashes.dedup();
        let mut found = Vec::with_capacity(hashes.len());
        if hashes.is_empty() {
            return Ok(found);
        }
        let mut state = connection.prepare_cached("SELECT generation, recent FROM lookup")?;
        let (generation, recent): (i64, u64) = state.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        search_recent(connection, &hashes, recent, &mut found)?;
        self.runs(connection, generation)?.search(connection, &hashes, &mut found)?;
        Ok(found)
    }

    fn runs(&self, connection: &Connection, generation: i64) -> Result<Arc<Runs>, LedgerError> {
        let known = Arc::clone(&self.runs.lock().unwrap_or_else(PoisonError::into_inner));
        if known.generation == generation {
            return Ok(known);
        }
        let fresh = Arc::new(Runs::load(connection, generation, &known)?);
        let mut slot = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        // A transaction that began earlier must not take the newer runs away from others.
        if slot.generation < generation {
            *slot = Arc::clone(&fresh);
        }
        Ok(fresh)
    }
}

impl Addition {
    /// Makes ready what the look-ups need of new certificates.
    pub fn of(rows: &[NewRow]) -> Result<Self, LedgerError> {
        let mut entries = Vec::with_capacity(rows.len() * 4);
        for row in rows {
            if row.no.0 > NUMBER_MAX {
                return Err(LedgerError::Full(format!("certificate {} is beyond the look-ups", row.no)));
            }
            entries.extend(of_all(&row.certificate).map(|hash| (hash, row.no.0)));
        }
        Ok(if rows.len() < BULK_ROWS { Self::Few(entries) } else { Self::bulk(entries) })
    }

    fn bulk(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        let count = entries.len() as u64;
        let layout = Layout::of(count);
        Self::Bulk { entries: count, pages: page::fill(layout, 0, layout.pages, &entries) }
    }

    /// Stores it, within the caller's transaction.
    pub fn store(&self, connection: &Connection) -> Result<(), LedgerError> {
        match self {
            Self::Bulk { entries, pages } => insert_run(connection, *entries, pages),
            Self::Few(entries) if entries.is_empty() => Ok(()),
            Self::Few(entries) => {
                let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO recent VALUES (?1, ?2)")?;
                for (hash, no) in entries {
                    insert.execute((*hash as i64, no))?;
                }
                let mut count = connection.prepare_cached("UPDATE lookup SET recent = recent + ?1")?;
                count.execute([entries.len() as u64])?;
                Ok(())
            }
        }
    }

    /// How many entries of merging are due in return, so that a load without upkeep doesn't slow down: each entry is
    /// moved once for each class of runs.
    pub fn debt(&self) -> u64 {
        match self {
            Self::Bulk { entries, .. } => entries * MOVES_PER_ENTRY,
            Self::Few(_) => 0,
        }
    }
}

/// Certificate numbers of hits, each once, ascending.
pub(super) fn numbers(found: &[Entry]) -> Vec<CertificateNo> {
    let mut numbers: Vec<_> = found.iter().map(|entry| CertificateNo(entry.1)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn search_recent(
    connection: &Connection,
    hashes: &[u64],
    recent: u64,
    found: &mut Vec<Entry>,
) -> Result<(), LedgerError> {
    if recent == 0 {
        return Ok(());
    }
    // Many probes cost more than reading it all.
    if hashes.len() as u64 * 4 > recent {
        let all = recent_entries(connection)?.into_iter();
        found.extend(all.filter(|entry| hashes.binary_search(&entry.0).is_ok()));
        return Ok(());
    }
    let mut select = connection.prepare_cached("SELECT no FROM recent WHERE hash = ?1")?;
    for hash in hashes {
        let mut rows = select.query([*hash as i64])?;
        while let Some(row) = rows.next()? {
            found.push((*hash, row.get(0)?));
        }
    }
    Ok(())
}

fn recent(connection: &Connection) -> Result<u64, LedgerError> {
    Ok(connection.prepare_cached("SELECT recent FROM lookup")?.query_row([], |row| row.get(0))?)
}

fn recent_entries(connection: &Connection) -> Result<Vec<Entry>, LedgerError> {
    let mut select = connection.prepare_cached("SELECT hash, no FROM recent")?;
    let entries = select.query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?;
    Ok(entries.collect::<Result<_, _>>()?)
}

fn insert_run(connection: &Connection, entries: u64, pages: &[Vec<u8>]) -> Result<(), LedgerError> {
    runs::insert(connection, RunState::Live, entries)?.write_pages(connection, 0, pages)?;
    runs::next_generation(connection)
}

/// A registration of so many certificates writes a run of its own: it would dirty nearly all of `recent`.
const BULK_ROWS: usize = 512;
/// Entries in `recent` that are worth a run: few enough that small registrations dirty few pages.
const RECENT_MAX: u64 = 16_384;
/// The classes up to a billion entries.
const MOVES_PER_ENTRY: u64 = 6;
