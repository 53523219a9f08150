//! The runs as rows of the database and, for those that answer look-ups, in memory with their filters.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::LedgerError;

use super::page::{self, Entry, FILTER_BLOCK_OCTETS, Layout};

/// A run's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunRow {
    pub id: i64,
    pub state: RunState,
    pub entries: u64,
    pub layout: Layout,
    /// The id of its first page; the others follow.
    pub base: i64,
    /// The run that it's being merged into.
    pub target: Option<i64>,
}

/// What a run is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunState {
    /// Being written by a merge: the pages before this one are there. No look-up sees it.
    Growing(u32),
    /// Answers look-ups.
    Live,
    /// Merged into another: the pages before this one are deleted already. No look-up sees it.
    Dead(u32),
}

/// The live runs as of one generation.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub generation: i64,
    live: BTreeMap<i64, Arc<LiveRun>>,
}

/// A live run: immutable, so what was read of it stays true as long as it lives.
#[derive(Debug)]
struct LiveRun {
    layout: Layout,
    base: i64,
    /// Its filter in parts, each read when it is first needed; `None` if all filters together would be too large.
    filter: Option<Vec<OnceLock<Box<[u8]>>>>,
}

impl Runs {
    /// The live runs of the transaction, with what is known of them from before.
    pub fn load(connection: &Connection, generation: i64, before: &Self) -> Result<Self, LedgerError> {
        let mut rows = all(connection)?;
        rows.retain(|row| row.state == RunState::Live);
        // Small runs first: they are the many, so their filters save most for their size.
        rows.sort_by_key(|row| row.entries);
        let mut octets = 0;
        let live = rows.iter().map(|row| {
            octets += row.layout.pages as usize * FILTER_BLOCK_OCTETS;
            let parts = row.layout.pages.div_ceil(FILTER_PART_PAGES) as usize;
            let fresh = || {
                let filter = (octets <= FILTER_OCTETS_MAX).then(|| (0..parts).map(|_| OnceLock::new()).collect());
                Arc::new(LiveRun { layout: row.layout, base: row.base, filter })
            };
            (row.id, before.live.get(&row.id).cloned().unwrap_or_else(fresh))
        });
        Ok(Self { generation, live: live.collect() })
    }

    /// All entries of these hashes.
    pub fn search(&self, connection: &Connection, hashes: &[u64], found: &mut Vec<Entry>) -> Result<(), LedgerError> {
        let mut page = connection.prepare_cached("SELECT entries FROM page WHERE id = ?1")?;
        for run in self.live.values() {
            for hash in hashes {
                let at = run.layout.page_of(*hash);
                if !run.may_have(connection, at, *hash)? {
                    continue;
                }
                let mut rows = page.query([run.base + i64::from(at)])?;
                let row = rows.next()?.ok_or_else(missing_page)?;
                page::search(blob(row, 0)?, *hash, found)?;
            }
        }
        Ok(())
    }
}

impl LiveRun {
    fn may_have(&self, connection: &Connection, page: u32, hash: u64) -> Result<bool, LedgerError> {
        let Some(parts) = &self.filter else { return Ok(true) };
        let (part, block) = (page / FILTER_PART_PAGES, (page % FILTER_PART_PAGES) as usize * FILTER_BLOCK_OCTETS);
        let slot = &parts[part as usize];
        let bits = match slot.get() {
            Some(bits) => bits,
            None => {
                let bits = self.read_filter(connection, part)?;
                slot.get_or_init(|| bits)
            }
        };
        let block = bits.get(block..block + FILTER_BLOCK_OCTETS).ok_or_else(missing_page)?;
        Ok(page::may_have(block, hash))
    }

    fn read_filter(&self, connection: &Connection, part: u32) -> Result<Box<[u8]>, LedgerError> {
        let mut statement = connection.prepare_cached("SELECT bits FROM filter WHERE id = ?1")?;
        let id = self.base + i64::from(part * FILTER_PART_PAGES);
        let bits: Option<Vec<u8>> = statement.query_row([id], |row| row.get(0)).optional()?;
        bits.map(Vec::into_boxed_slice).ok_or_else(missing_page)
    }
}

impl RunRow {
    /// Stores the next pages of a run, which begin at a whole part of the filter.
    pub fn write_pages(&self, connection: &Connection, first: u32, pages: &[Vec<u8>]) -> Result<(), LedgerError> {
        let mut insert = connection.prepare_cached("INSERT INTO page VALUES (?1, ?2)")?;
        for (id, page) in (self.base + i64::from(first)..).zip(pages) {
            insert.execute((id, &page[..]))?;
        }
        let mut insert = connection.prepare_cached("INSERT INTO filter VALUES (?1, ?2)")?;
        let ids = (self.base + i64::from(first)..).step_by(FILTER_PART_PAGES as usize);
        for (id, part) in ids.zip(pages.chunks(FILTER_PART_PAGES as usize)) {
            insert.execute((id, page::filter(part)))?;
        }
        Ok(())
    }

    /// All entries within a range of hashes.
    pub fn read(
        &self,
        connection: &Connection,
        first: u64,
        last: u64,
        into: &mut Vec<Entry>,
    ) -> Result<(), LedgerError> {
        let mut select =
            connection.prepare_cached("SELECT entries FROM page WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
        let id = |hash| self.base + i64::from(self.layout.page_of(hash));
        let mut rows = select.query((id(first), id(last)))?;
        while let Some(row) = rows.next()? {
            page::within(blob(row, 0)?, first, last, into)?;
        }
        Ok(())
    }

    /// Changes what the run is good for.
    pub fn set_state(&self, connection: &Connection, state: RunState) -> Result<(), LedgerError> {
        let (state, done) = numbers(state);
        let mut update = connection.prepare_cached("UPDATE run SET state = ?2, done = ?3 WHERE id = ?1")?;
        update.execute((self.id, state, done))?;
        Ok(())
    }
}

/// Makes a run without pages, and reserves their ids.
pub(super) fn insert(connection: &Connection, state: RunState, entries: u64) -> Result<RunRow, LedgerError> {
    let layout = Layout::of(entries);
    let mut reserve =
        connection.prepare_cached("UPDATE lookup SET next_page = next_page + ?1 RETURNING next_page - ?1")?;
    let base = reserve.query_row([layout.pages], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO run (state, entries, pages, base, done) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
    )?;
    let (number, done) = numbers(state);
    let id = insert.query_row((number, entries, layout.pages, base, done), |row| row.get(0))?;
    Ok(RunRow { id, state, entries, layout, base, target: None })
}

/// Every run.
pub(super) fn all(connection: &Connection) -> Result<Vec<RunRow>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT id, state, entries, pages, base, done, target FROM run ORDER BY id")?;
    let rows = select.query_map([], |row| {
        let done = row.get(5)?;
        let state = match row.get(1)? {
            GROWING => RunState::Growing(done),
            LIVE => RunState::Live,
            _ => RunState::Dead(done),
        };
        Ok(RunRow {
            id: row.get(0)?,
            state,
            entries: row.get(2)?,
            layout: Layout { pages: row.get(3)? },
            base: row.get(4)?,
            target: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Says that the live runs are others than before.
pub(super) fn next_generation(connection: &Connection) -> Result<(), LedgerError> {
    connection.prepare_cached("UPDATE lookup SET generation = generation + 1")?.execute([])?;
    Ok(())
}

fn numbers(state: RunState) -> (i64, u32) {
    match state {
        RunState::Growing(done) => (GROWING, done),
        RunState::Live => (LIVE, 0),
        RunState::Dead(done) => (DEAD, done),
    }
}

fn blob<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r [u8], LedgerError> {
    Ok(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}

fn missing_page() -> LedgerError {
    LedgerError::Damaged("a page of the look-ups is missing".into())
}

/// Pages that share one row of `filter`: 32 KiB.
pub(super) const FILTER_PART_PAGES: u32 = 512;
/// Of all filters in memory. Enough for 70 million certificates; beyond, the largest runs are read without.
const FILTER_OCTETS_MAX: usize = 256 << 20;
const GROWING: i64 = 1;
const LIVE: i64 = 2;
const DEAD: i64 = 3;
