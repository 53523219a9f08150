//! Statuses as they are stored and shown, against what the events lead to: pass after pass over ranges of numbers.
//!
//! A pass keeps the changes of its range and the members of listed sets within it, both bounded; everything else is
//! read past. The ledger may be written to meanwhile: what differs is looked at again when nothing moved in between.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::ledger::{Families, Ledger, LedgerError, MemberDigest, Wanted, decode_event};
use crate::model::{Body, CertificateNo, Entry, Event, ListNo, Position, SetTarget, Status};

use super::replay::{Changes, replay};
use super::report::{Finding, Findings, InWords};
use super::timers::{Awaiting, check_timers};
use super::walk::{Walk, ahead};
use super::{Limits, Progress, Stage, caught};

/// The state of one pass.
pub(super) struct Pass<'a> {
    pub ledger: &'a dyn Ledger,
    pub limits: Limits,
    pub changes: Changes,
    lists: Vec<(ListNo, Vec<CertificateNo>)>,
}

/// What became of a pass.
pub(super) enum Passed {
    /// Everything below this number was compared.
    Until(CertificateNo),
    /// The ledger moved under it in a way that can't be told apart from damage: again.
    Again,
}

impl<'a> Pass<'a> {
    /// A pass from a number on, with the changes collected by the walk.
    pub(super) fn new(ledger: &'a dyn Ledger, limits: Limits, changes: Changes) -> Self {
        Self { ledger, limits, changes, lists: Vec::new() }
    }

    /// Collects the changes of a later range by reading the events again, up to where the walk has come.
    pub(super) fn collect(&mut self, walk: &Walk<'_>) -> Result<(), LedgerError> {
        ahead(self.ledger, Position(0), walk.head.position, &mut |page| {
            // What can't be read was reported by the walk.
            for sealed in page {
                if let Ok(event) = decode_event(&sealed.bytes) {
                    self.changes.take(sealed.position, &event);
                }
            }
            Ok(())
        })
    }

    /// Compares the range.
    pub(super) fn run(
        &mut self,
        walk: &mut Walk<'_>,
        from: CertificateNo,
        compared: &mut u64,
        findings: &mut Findings,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Passed, LedgerError> {
        self.load_lists(walk, from)?;
        self.changes.sort();
        let total = walk.head.certificates;
        let until = CertificateNo(self.changes.until().0.min(total.saturating_add(1)));
        let mut suspects = Vec::new();
        let (mut cursor, mut next, mut count, mut unlawful) = (0, from, 0, Findings::default());
        let mut cursors = vec![0; self.lists.len()];
        let (mut missing, mut awaiting) = (Vec::new(), Awaiting::default());
        let end = self.ledger.scan(&mut |entry: Entry| {
            if entry.no < from {
                return ControlFlow::Continue(());
            }
            if entry.no >= until || suspects.len() > SUSPECTS_MAX {
                return ControlFlow::Break(());
            }
            if entry.no > next && missing.len() < SUSPECTS_MAX {
                missing.push((next, CertificateNo(entry.no.0 - 1)));
            }
            next = entry.no.plus(1);
            let lists = self.next_lists(&mut cursors, entry.no);
            let changes = self.changes.next_of(&mut cursor, entry.no);
            let expected = replay(&entry.certificate, changes, &walk.book, &lists, &mut unlawful);
            if !is_same(&entry.status, &expected) {
                suspects.push(entry.no);
            }
            awaiting.note(entry.no, &expected);
            count += 1;
            if count % PROGRESS_EACH == 0 {
                progress(Progress { stage: Stage::Statuses, done: from.0 + count, total });
            }
            ControlFlow::Continue(())
        })?;
        if next < until && suspects.len() <= SUSPECTS_MAX {
            missing.push((next, CertificateNo(until.0 - 1)));
        }
        let settled = self.catch_up(walk, end.position, from, until, &mut suspects, findings)?;
        if settled == Settled::Moved {
            return Ok(Passed::Again);
        }
        unlawful.list.into_iter().for_each(|finding| findings.add(finding));
        missing.into_iter().for_each(|(first, last)| findings.add(Finding::NotShown { first, last }));
        self.judge(walk, &suspects, findings)?;
        let timed = check_timers(self.ledger, awaiting, findings);
        caught("timers", timed, findings)?;
        *compared += count;
        Ok(Passed::Until(until))
    }

    /// Follows what was appended while the range was read; certificates that it touched are looked at again.
    fn catch_up(
        &mut self,
        walk: &mut Walk<'_>,
        position: Position,
        from: CertificateNo,
        until: CertificateNo,
        suspects: &mut Vec<CertificateNo>,
        findings: &mut Findings,
    ) -> Result<Settled, LedgerError> {
        let before = walk.head.position;
        let mut touched = BTreeSet::new();
        let mut sets = 0;
        let changes = &mut self.changes;
        walk.to(position, findings, &mut |position, event: &Event| {
            changes.take(position, event);
            match &event.body {
                Body::Changed { no, .. } if (from..until).contains(no) => _ = touched.insert(*no),
                Body::SetChanged { .. } => sets += 1,
                _ => {}
            }
        })?;
        self.changes.sort();
        // A set event may have changed millions that were read before it was; and so may whatever made so many differ.
        let moved = walk.head.position > before;
        if self.changes.until() < until || (moved && (sets > 0 || suspects.len() > SUSPECTS_MAX)) {
            return Ok(Settled::Moved);
        }
        touched.extend(suspects.drain(..));
        suspects.extend(touched);
        Ok(Settled::Still)
    }

    /// Looks at single certificates again, each as of the position that it is read at; the walk goes there, too.
    fn judge(
        &mut self,
        walk: &mut Walk<'_>,
        suspects: &[CertificateNo],
        findings: &mut Findings,
    ) -> Result<(), LedgerError> {
        for some in suspects.chunks(CHUNK) {
            let wanted = Wanted { numbers: some.to_vec(), families: Families::No, ..Wanted::default() };
            let mut entries = None;
            for _ in 0..TRIES {
                let found = self.ledger.find(&wanted)?;
                let (position, changes) = (found.head.position, &mut self.changes);
                walk.to(position, findings, &mut |position, event| changes.take(position, event))?;
                // A list that an event has named only now is not known here.
                if listed(walk).iter().all(|list| self.lists.iter().any(|(known, _)| known == list)) {
                    entries = Some(found.entries);
                    break;
                }
            }
            let Some(entries) = entries else {
                findings.add(Finding::Unsettled("statuses"));
                continue;
            };
            self.changes.sort();
            for entry in entries {
                let lists = self.lists_of(entry.no);
                let changes = self.changes.of(entry.no);
                // What is unlawful was reported when the range was read.
                let replayed = replay(&entry.certificate, changes, &walk.book, &lists, &mut Findings::default());
                if !is_same(&entry.status, &replayed) {
                    let (stored, replayed) = (InWords::of(&entry.status), InWords::of(&replayed));
                    findings.add(Finding::StatusDiffers { no: entry.no, stored, replayed });
                }
            }
        }
        Ok(())
    }

    /// Loads the members of listed sets, as far as memory allows; the range ends where it doesn't.
    fn load_lists(&mut self, walk: &Walk<'_>, from: CertificateNo) -> Result<(), LedgerError> {
        let lists = listed(walk);
        let share = (self.limits.members_max / lists.len().max(1)).max(PAGE);
        for list in lists {
            let mut members = Vec::new();
            let mut after = CertificateNo(from.0 - 1);
            loop {
                let page = self.ledger.list_members(list, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = *last;
                members.extend(page);
                if after >= self.changes.until() {
                    break;
                }
                if members.len() >= share {
                    self.changes.end_at(after.plus(1));
                    break;
                }
            }
            self.lists.push((list, members));
        }
        Ok(())
    }

    /// The lists that name a number, for a walk by number.
    fn next_lists(&self, cursors: &mut [usize], no: CertificateNo) -> Vec<ListNo> {
        let mut named = Vec::new();
        for ((list, members), cursor) in self.lists.iter().zip(cursors) {
            while members.get(*cursor).is_some_and(|member| *member < no) {
                *cursor += 1;
            }
            if members.get(*cursor) == Some(&no) {
                named.push(*list);
            }
        }
        named
    }

    fn lists_of(&self, no: CertificateNo) -> Vec<ListNo> {
        let named = self.lists.iter().filter(|(_, members)| members.binary_search(&no).is_ok());
        named.map(|(list, _)| *list).collect()
    }
}

/// Counts and hashes the members of every listed set. Says how many there are.
pub(super) fn check_lists(
    ledger: &dyn Ledger,
    walk: &Walk<'_>,
    findings: &mut Findings,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, LedgerError> {
    let mut seen = 0;
    let stated = |list: ListNo| {
        walk.book.sets.iter().filter_map(move |set| match &set.target {
            SetTarget::Listed { list: named, count, digest } if *named == list => Some((set.position, *count, *digest)),
            _ => None,
        })
    };
    let total = listed(walk).into_iter().flat_map(|list| stated(list).next()).map(|(_, count, _)| count).sum();
    for list in listed(walk) {
        let (mut after, mut sum, mut read) = (CertificateNo(0), MemberDigest::default(), 0);
        loop {
            let members = ledger.list_members(list, after, PAGE)?;
            let Some(last) = members.last() else { break };
            after = *last;
            sum.add(&members);
            read += members.len() as u64;
            progress(Progress { stage: Stage::Lists, done: seen + read, total });
        }
        let (count, digest) = sum.finish();
        seen += count;
        for (position, _, _) in stated(list).filter(|stated| (stated.1, stated.2) != (count, digest)) {
            findings.add(Finding::ListDiffers { position, list });
        }
    }
    Ok(seen)
}

/// The lists that set events name.
fn listed(walk: &Walk<'_>) -> BTreeSet<ListNo> {
    let list = |target: &SetTarget| match target {
        SetTarget::Listed { list, .. } => Some(*list),
        SetTarget::Batch(_) | SetTarget::Issuer(_) => None,
    };
    walk.book.sets.iter().filter_map(|set| list(&set.target)).collect()
}

/// Whether two statuses say the same. One that no event touched may say the position of its registration.
fn is_same(stored: &Status, replayed: &Status) -> bool {
    let (a, b) = (stored, replayed);
    let same = a.life == b.life && a.holds == b.holds && a.handed_to == b.handed_to;
    same && (a.as_of == b.as_of || b.as_of == Position(0))
}

/// Whether anything happened that spoils a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Moved,
    Still,
}

const PAGE: usize = 4096;
/// Certificates looked up again at once.
const CHUNK: usize = 500;
/// With more that differ than this nobody reads the list.
const SUSPECTS_MAX: usize = 2_000;
const TRIES: usize = 20;
const PROGRESS_EACH: u64 = 65_536;
