//! Keeping the look-ups fast: what was added in bits is merged into ever larger runs, slice by slice.
//!
//! Every slice is a short transaction of its own. A merge keeps no state but the number of pages that it has written, so
//! any process can go on with it, and one that was killed leaves nothing to clean up. Called by `upkeep` and, in
//! proportion to what was added, after a bulk append.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::ledger::LedgerError;

use super::super::store::Store;
use super::page::{self, Entry, Layout};
use super::runs::{self, FILTER_PART_PAGES, RunRow, RunState};
use super::{RECENT_MAX, insert_run};

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger::sqlite) enum Step {
    /// There is nothing to do.
    Idle,
    /// A slice of so many entries.
    Moved(u64),
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Delete pages of a run that was merged.
    Bury(RunRow),
    /// Turn what was added lately into a run.
    Flush,
    /// Write the next pages of a merge.
    Grow { into: RunRow, from: Vec<RunRow> },
    /// Nothing.
    Idle,
    /// Begin a merge.
    Start(Vec<RunRow>),
}

/// Does the next slice of work, if there is any.
pub(in crate::ledger::sqlite) fn step(store: &Store) -> Result<Step, LedgerError> {
    let plan = store.read_warm(|connection| Ok(Plan::of(super::recent(connection)?, &runs::all(connection)?)))?;
    match plan {
        Plan::Idle => Ok(Step::Idle),
        Plan::Flush => store.write_patiently(flush),
        Plan::Bury(run) => store.write(|connection| bury(connection, &run)),
        Plan::Start(from) => store.write(|connection| start(connection, &from)),
        Plan::Grow { into, from } => grow(store, &into, &from),
    }
}

impl Plan {
    /// Small merges come before large ones, so that a large one never lets small runs pile up.
    fn of(recent: u64, runs: &[RunRow]) -> Self {
        if recent >= RECENT_MAX {
            return Self::Flush;
        }
        if let Some(dead) = runs.iter().find(|run| matches!(run.state, RunState::Dead(_))) {
            return Self::Bury(*dead);
        }
        let mut free = BTreeMap::<u32, Vec<RunRow>>::new();
        for run in runs.iter().filter(|run| run.state == RunState::Live && run.target.is_none()) {
            free.entry(class(run.entries)).or_default().push(*run);
        }
        let start = free.into_iter().find(|(_, runs)| runs.len() >= FAN_OUT);
        let growing = runs.iter().filter(|run| matches!(run.state, RunState::Growing(_))).min_by_key(|run| run.entries);
        match (start, growing) {
            (None, None) => Self::Idle,
            (Some((class_of_start, mut from)), growing)
                if growing.is_none_or(|run| class_of_start + 1 < class(run.entries)) =>
            {
                from.truncate(FAN_OUT);
                Self::Start(from)
            }
            (_, Some(into)) => {
                let from = runs.iter().filter(|run| run.target == Some(into.id)).copied().collect();
                Self::Grow { into: *into, from }
            }
            (Some((_, mut from)), None) => {
                from.truncate(FAN_OUT);
                Self::Start(from)
            }
        }
    }
}

/// Turns `recent` into a run.
fn flush(connection: &Connection) -> Result<Step, LedgerError> {
    let mut entries = super::recent_entries(connection)?;
    if (entries.len() as u64) < RECENT_MAX {
        return Ok(Step::Moved(0));
    }
    entries.sort_unstable();
    let layout = Layout::of(entries.len() as u64);
    insert_run(connection, entries.len() as u64, &page::fill(layout, 0, layout.pages, &entries))?;
    connection.prepare_cached("DELETE FROM recent")?.execute([])?;
    connection.prepare_cached("UPDATE lookup SET recent = 0")?.execute([])?;
    Ok(Step::Moved(entries.len() as u64))
}

fn start(connection: &Connection, from: &[RunRow]) -> Result<Step, LedgerError> {
    let now = runs::all(connection)?;
    // Another process may have been faster.
    if from.iter().all(|run| now.contains(run)) {
        let into = runs::insert(connection, RunState::Growing(0), from.iter().map(|run| run.entries).sum())?;
        let mut update = connection.prepare_cached("UPDATE run SET target = ?2 WHERE id = ?1")?;
        for run in from {
            update.execute((run.id, into.id))?;
        }
    }
    Ok(Step::Moved(0))
}

/// Reads and sorts without a lock, for all that is read is immutable; then writes, if nobody else has.
fn grow(store: &Store, into: &RunRow, from: &[RunRow]) -> Result<Step, LedgerError> {
    let RunState::Growing(first) = into.state else { return Ok(Step::Moved(0)) };
    let end = (first + SLICE_PAGES).min(into.layout.pages);
    let entries = store.read(|connection| {
        let mut entries = Vec::<Entry>::new();
        for run in from {
            run.read(connection, into.layout.first_hash(first), into.layout.last_hash(end), &mut entries)?;
        }
        Ok(entries)
    });
    let mut entries = entries?;
    // Stable sorting merges what is sorted in stretches, which is what was just read.
    entries.sort();
    let pages = page::fill(into.layout, first, end, &entries);
    store.write_patiently(|connection| {
        if !runs::all(connection)?.contains(into) {
            return Ok(Step::Moved(0));
        }
        into.write_pages(connection, first, &pages)?;
        if end < into.layout.pages {
            into.set_state(connection, RunState::Growing(end))?;
        } else {
            into.set_state(connection, RunState::Live)?;
            for run in from {
                run.set_state(connection, RunState::Dead(0))?;
            }
            runs::next_generation(connection)?;
        }
        Ok(Step::Moved(entries.len() as u64))
    })
}

fn bury(connection: &Connection, run: &RunRow) -> Result<Step, LedgerError> {
    let RunState::Dead(first) = run.state else { return Ok(Step::Moved(0)) };
    if !runs::all(connection)?.contains(run) {
        return Ok(Step::Moved(0));
    }
    let end = (first + BURY_PAGES).min(run.layout.pages);
    let ids = (run.base + i64::from(first), run.base + i64::from(end));
    connection.prepare_cached("DELETE FROM page WHERE id >= ?1 AND id < ?2")?.execute(ids)?;
    connection.prepare_cached("DELETE FROM filter WHERE id >= ?1 AND id < ?2")?.execute(ids)?;
    if end < run.layout.pages {
        run.set_state(connection, RunState::Dead(end))?;
    } else {
        connection.prepare_cached("DELETE FROM run WHERE id = ?1")?.execute([run.id])?;
    }
    Ok(Step::Moved(u64::from(end - first)))
}

/// Runs of about one size are merged together.
fn class(entries: u64) -> u32 {
    (entries / SMALLEST).max(1).ilog(FAN_OUT as u64)
}

/// Runs of one class that are merged into one of the next: look-ups ask at most so many in each class.
const FAN_OUT: usize = 8;
/// Runs below eight times this are all of the lowest class.
const SMALLEST: u64 = 1024;
/// Whole parts of the filter; about 115,000 entries, 10 ms of writing.
const SLICE_PAGES: u32 = 4 * FILTER_PART_PAGES;
const BURY_PAGES: u32 = 16 * FILTER_PART_PAGES;
