//! Proves a ledger: that its events are linked and unaltered, that checkpoints kept elsewhere were signed for just this
//! history, and that every stored row, status, list and register is what the events lead to.
//!
//! Called by `tashika ledger verify`, and by whoever restores a backup. How the proof works, and what it can't show,
//! stands in `docs/EVENTS.md`. Never changes anything, never stops at the first finding, never trusts a stored value
//! that it can compute.

mod evidence;
mod replay;
mod report;
mod rows;
mod statuses;
mod timers;
mod walk;

use crate::model::{CertificateNo, Position};

use super::{Head, Ledger, LedgerError, Note, Stray, VerifierKey};
use evidence::Evidence;
use replay::Changes;
use report::Findings;
use statuses::{Pass, Passed, check_lists};
use walk::{Arrival, Walk};

pub use report::{Evidenced, Finding, InWords, Report};

/// What stands outside the database.
#[derive(Clone, Copy, Debug, Default)]
pub struct Witnesses<'a> {
    /// Checkpoints, in any order.
    pub notes: &'a [Note],
    /// The keys of those whose word counts. They come from the settings, never from beside the notes.
    pub keys: &'a [VerifierKey],
}

/// How much memory a verification may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Changes of status kept at once, at about 130 octets. With more, the statuses take several passes over the
    /// events: 8 million (1 GiB) is a pass for each month of the design case's 98 million changes a year.
    pub changes_max: usize,
    /// Members of listed sets kept at once, at 8 octets.
    pub members_max: usize,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being proved.
    pub stage: Stage,
    /// How much of it is done.
    pub done: u64,
    /// Of how much.
    pub total: u64,
}

/// The stages, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Events, and with them checkpoints and certificate rows.
    Events,
    /// Members of listed sets.
    Lists,
    /// Statuses, counted in certificates.
    Statuses,
}

impl Default for Limits {
    fn default() -> Self {
        Self { changes_max: 8_000_000, members_max: 32_000_000 }
    }
}

/// Verifies a whole ledger, which may be in use meanwhile.
///
/// What is wrong with it stands in the report; an error says only that the ledger could not be read.
pub fn verify(
    ledger: &dyn Ledger,
    witnesses: Witnesses<'_>,
    limits: Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, LedgerError> {
    let mut findings = Findings::default();
    // In this order: the heartbeat is overwritten after the head, so it can't be ahead of a head that is read later.
    let heartbeat = caught("the heartbeat", ledger.heartbeat(), &mut findings)?.flatten();
    let stored = ledger.head()?;
    let later = caught("the heartbeat", ledger.heartbeat(), &mut findings)?.flatten();
    let beats = [&heartbeat, &later].map(|beat| beat.as_ref().map(|beat| beat.time));
    let evidence = Evidence::new(witnesses.notes, witnesses.keys, stored.ledger, &mut findings);
    let strays = caught("what stands beside the proved bytes", ledger.strays(), &mut findings)?.unwrap_or_default();
    let mut walk = Walk::new(ledger, Head::before_first(stored.ledger), evidence, heartbeat);
    if strays.iter().any(|stray| matches!(stray, Stray::Index(_))) {
        walk.rows.search_no_more();
    }
    strays.into_iter().for_each(|stray| findings.add(Finding::Stray(stray)));
    let mut changes = Changes::new(CertificateNo(1), limits.changes_max);
    let walked = walk_events(&mut walk, &stored, &mut changes, &mut findings, progress);
    let mut tally = Tally::default();
    if caught("events", walked, &mut findings)? == Some(Arrival::Reached) {
        walk.compare_head(&stored, beats, &mut findings);
    }
    let listed = check_lists(ledger, &walk, &mut findings, progress);
    tally.members = caught("lists of certificates", listed, &mut findings)?.unwrap_or(0);
    let compared = compare_statuses(ledger, &mut walk, limits, changes, &mut tally, &mut findings, progress);
    caught("statuses", compared, &mut findings)?;
    let ended = compare_end(ledger, &mut walk, &mut findings);
    caught("registers", ended, &mut findings)?;
    walk.end_heartbeat(&mut findings);
    let vouched = walk.evidence.finish(&walk.head, &mut findings);
    Ok(Report {
        events: walk.events,
        rows: walk.rows.agreed,
        statuses: tally.statuses,
        members: tally.members,
        vouched,
        head: walk.head,
        findings: findings.list,
        findings_left_out: findings.left_out,
    })
}

#[derive(Default)]
struct Tally {
    statuses: u64,
    members: u64,
}

/// The first and only hashing pass over all events.
fn walk_events(
    walk: &mut Walk<'_>,
    stored: &Head,
    changes: &mut Changes,
    findings: &mut Findings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Arrival, LedgerError> {
    let total = stored.position.0;
    let arrival = walk.to(stored.position, findings, &mut |position, event| {
        changes.take(position, event);
        if position.0.is_multiple_of(PROGRESS_EACH) {
            progress(Progress { stage: Stage::Events, done: position.0, total });
        }
    })?;
    progress(Progress { stage: Stage::Events, done: walk.head.position.0, total });
    if let Arrival::EndsAt(last) = arrival {
        findings.add(Finding::EventsMissing { last, head: stored.position });
    }
    Ok(arrival)
}

/// Damage that an adapter meets is a finding, and the proof goes on with what can still be read.
fn caught<T>(
    what: &'static str,
    result: Result<T, LedgerError>,
    findings: &mut Findings,
) -> Result<Option<T>, LedgerError> {
    let finding = match result {
        Err(LedgerError::Damaged(why)) => Finding::Damaged { what, why },
        Err(LedgerError::Broken(broken)) => Finding::Broken(broken),
        other => return other.map(Some),
    };
    // Several steps may meet the same damage.
    if !findings.list.contains(&finding) {
        findings.add(finding);
    }
    Ok(None)
}

/// Every status, in passes over ranges of numbers.
fn compare_statuses(
    ledger: &dyn Ledger,
    walk: &mut Walk<'_>,
    limits: Limits,
    changes: Changes,
    tally: &mut Tally,
    findings: &mut Findings,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), LedgerError> {
    let (mut from, mut again, mut first) = (CertificateNo(1), 0, Some(changes));
    // Those registered from now on are the next proof's: a busy ledger would lead this one on for ever.
    let last = walk.head.certificates;
    while from.0 <= last {
        let mut pass = match first.take() {
            Some(changes) => Pass::new(ledger, limits, changes),
            None => {
                let mut pass = Pass::new(ledger, limits, Changes::new(from, limits.changes_max));
                pass.collect(walk)?;
                pass
            }
        };
        match pass.run(walk, from, &mut tally.statuses, findings, progress)? {
            Passed::Until(next) => from = next,
            Passed::Again if again == TRIES => {
                findings.add(Finding::Unsettled("statuses"));
                break;
            }
            Passed::Again => again += 1,
        }
    }
    progress(Progress { stage: Stage::Statuses, done: walk.head.certificates, total: walk.head.certificates });
    Ok(())
}

/// The small registers, and whether anything stands behind the end: at a head that stands still meanwhile.
fn compare_end(ledger: &dyn Ledger, walk: &mut Walk<'_>, findings: &mut Findings) -> Result<(), LedgerError> {
    for _ in 0..TRIES {
        let (position, book) = ledger.book()?;
        let queue = ledger.queue()?;
        let stored = ledger.head()?;
        if stored.position != position {
            continue;
        }
        if position < walk.head.position || walk.to(position, findings, &mut |_, _| {})? != Arrival::Reached {
            // That the head row and the events disagree was found before.
            return Ok(());
        }
        let beyond = ledger.events_after(position, 1)?;
        let mut rows = Findings::default();
        walk.rows.beyond(CertificateNo(walk.head.certificates), &mut rows)?;
        if ledger.head()?.position != position {
            continue;
        }
        if !beyond.is_empty() {
            findings.add(Finding::EventsBeyondHead(position));
        }
        rows.list.into_iter().for_each(|finding| findings.add(finding));
        walk.compare_book(&book, findings);
        let stored_queue = queue.into_iter().collect();
        walk.queue.symmetric_difference(&stored_queue).for_each(|at: &Position| findings.add(Finding::Queue(*at)));
        return Ok(());
    }
    findings.add(Finding::Unsettled("registers"));
    Ok(())
}

/// On a ledger in use: a busy writer appends some thousand times while a few rows are read, but not always.
const TRIES: usize = 20;
const PROGRESS_EACH: u64 = 16_384;
