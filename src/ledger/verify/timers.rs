//! Timers against holds: one that is to turn final needs a timer, or nobody would ever see to it.
//!
//! A timer stands for whatever of a certificate is due first when it is set, and is set anew when it has run and something
//! later is left. So a certificate needs one no later than its first final, not one for each. Those of certificates that
//! wait for delivery follow from settings that the ledger doesn't hold: they are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Families, Ledger, LedgerError, Wanted, decode_event};
use crate::model::{Body, CertificateNo, Position, Status, Time};

use super::report::{Finding, Findings};

/// The certificates of a pass that have a hold with a final.
#[derive(Default)]
pub(super) struct Awaiting(Vec<(CertificateNo, Time)>);

impl Awaiting {
    /// Takes in a certificate with the status that its events lead to.
    pub(super) fn note(&mut self, no: CertificateNo, status: &Status) {
        self.0.extend(first_final(status).map(|due| (no, due)));
    }
}

/// Reports holds without a timer. Looks again, at what others haven't changed meanwhile, before it does.
pub(super) fn check_timers(
    ledger: &dyn Ledger,
    awaiting: Awaiting,
    findings: &mut Findings,
) -> Result<(), LedgerError> {
    if awaiting.0.is_empty() {
        return Ok(());
    }
    let timers = first_timers(ledger)?;
    let suspects = awaiting.0.into_iter().filter(|(no, due)| is_missing(&timers, *no, *due)).map(|(no, _)| no);
    let suspects: Vec<_> = suspects.take(SUSPECTS_MAX).collect();
    drop(timers);
    if suspects.is_empty() {
        return Ok(());
    }
    let mut wanted = Wanted { numbers: suspects, families: Families::No, ..Wanted::default() };
    for _ in 0..TRIES {
        let found = ledger.find(&wanted)?;
        let timers = first_timers(ledger)?;
        // What was changed between the two is looked at once more. A batch that only resets timers leaves the head, but
        // every certificate with the timer it needs.
        let touched = touched_since(ledger, found.head.position)?;
        wanted.numbers.clear();
        for entry in found.entries {
            let missing = first_final(&entry.status).filter(|due| is_missing(&timers, entry.no, *due));
            match (missing, &touched) {
                (Some(due), Touched::Some(touched)) if !touched.contains(&entry.no) => {
                    findings.add(Finding::TimerMissing { no: entry.no, due });
                }
                (Some(_), _) => wanted.numbers.push(entry.no),
                (None, _) => {}
            }
        }
        if wanted.numbers.is_empty() {
            return Ok(());
        }
    }
    findings.add(Finding::Unsettled("timers"));
    Ok(())
}

/// What events changed.
enum Touched {
    Some(BTreeSet<CertificateNo>),
    /// Sets, and so whatever belongs to them.
    Many,
}

fn touched_since(ledger: &dyn Ledger, mut position: Position) -> Result<Touched, LedgerError> {
    let mut touched = BTreeSet::new();
    loop {
        let events = ledger.events_after(position, EVENTS)?;
        position = events.last().map_or(position, |last| last.position);
        for event in &events {
            match decode_event(&event.bytes)?.body {
                Body::Changed { no, .. } => _ = touched.insert(no),
                Body::SetChanged { .. } => return Ok(Touched::Many),
                _ => {}
            }
        }
        if events.len() < EVENTS {
            return Ok(Touched::Some(touched));
        }
    }
}

/// A revoked certificate has no open hold.
fn first_final(status: &Status) -> Option<Time> {
    status.holds.iter().filter_map(|hold| hold.becomes).map(|end| end.due).min()
}

fn is_missing(timers: &BTreeMap<CertificateNo, Time>, no: CertificateNo, due: Time) -> bool {
    timers.get(&no).is_none_or(|first| *first > due)
}

/// The first timer of each certificate that has any.
fn first_timers(ledger: &dyn Ledger) -> Result<BTreeMap<CertificateNo, Time>, LedgerError> {
    let end_of_time = Time::from_unix(YEAR_9999_ENDS).map_err(|error| LedgerError::Damaged(error.to_string()))?;
    let mut first = BTreeMap::new();
    for (due, no) in ledger.due(end_of_time, usize::MAX)? {
        // They come with the earliest first.
        first.entry(no).or_insert(due);
    }
    Ok(first)
}

const YEAR_9999_ENDS: i64 = 253_402_300_799;
/// With more than this nobody reads the list.
const SUSPECTS_MAX: usize = 500;
const TRIES: usize = 20;
const EVENTS: usize = 1_000;
