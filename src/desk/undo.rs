//! Undoing a false campaign: every hold that followed from its cause is lifted, whatever the release policy says.
//!
//! Two people order it (the command waits, another approves); then it is done in slices, beside other work. It waits in
//! the queue until the last slice, so that an undo that was broken off is approved again and goes on where it stood.
//! Called by whoever approves: the command line and the admin API. A revocation is never undone.

use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{Actor, Body, Change, Event, Outcome, Position, Verdict};

use super::campaign::{Campaign, event_at};
use super::task::{DeskError, Done, Task};

/// What an undo did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Certificates from which holds were lifted.
    pub certificates: u64,
    /// Holds of single certificates that were lifted.
    pub holds: u64,
    /// Commands of the campaign that still waited and were rejected.
    pub rejected: u64,
    /// Sets from which a hold was lifted.
    pub sets: u64,
}

/// If `approved` is the outcome of approving an undo, carries the undo out. `submit` does one task.
pub fn carry_out(
    ledger: &dyn Ledger,
    submit: &mut dyn FnMut(Task) -> Done,
    approver: &Actor,
    queued: Position,
    approved: Outcome,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Undone>, DeskError> {
    let Outcome::Done { first: order, .. } = approved else { return Ok(None) };
    let Some(Event { body: Body::UndoOrdered(scope), .. }) = event_at(ledger, order)? else { return Ok(None) };
    let campaign = Campaign::find(ledger, &scope, order)?;
    let mut undone = Undone::default();
    for (target, hold) in campaign.sets {
        let lifted = submit(Task::LiftSet { actor: *approver, order, target, hold })?;
        undone.sets += events_of(lifted);
    }
    let total = campaign.holds.len() as u64;
    let (mut holds, mut done) = (campaign.holds.into_iter(), 0);
    loop {
        let slice: Vec<_> = holds.by_ref().take(LIFTS_PER_SLICE).collect();
        if slice.is_empty() {
            break;
        }
        done += slice.len() as u64;
        let lifted = submit(Task::Lift { actor: *approver, order, holds: slice })?;
        undone.count(ledger, lifted)?;
        progress(done, total);
    }
    // What the campaign left waiting is rejected, so that nobody approves it by mistake.
    let theirs: Vec<_> = campaign.queued.into_iter().filter(|theirs| *theirs != queued).collect();
    for theirs in theirs.chunks(CLOSES_PER_SLICE) {
        let (queued, verdict) = (theirs.to_vec(), Verdict::Rejected);
        undone.rejected += events_of(submit(Task::Close { actor: *approver, order, queued, verdict })?);
    }
    submit(Task::Close { actor: *approver, order, queued: vec![queued], verdict: Verdict::Approved })?;
    Ok(Some(undone))
}

impl Undone {
    /// Counts what a slice lifted by the events that it left: holds may have been lifted by others meanwhile.
    fn count(&mut self, ledger: &dyn Ledger, slice: Outcome) -> Result<(), LedgerError> {
        let Outcome::Done { first, .. } = slice else { return Ok(()) };
        let (mut after, mut left) = (Position(first.0 - 1), events_of(slice) as usize);
        while left > 0 {
            let page = ledger.events_after(after, left)?;
            let Some(last) = page.last() else { break };
            (after, left) = (last.position, left - page.len());
            for sealed in &page {
                if let Body::Changed { change: Change::Released { holds }, .. } = decode_event(&sealed.bytes)?.body {
                    self.certificates += 1;
                    self.holds += holds.len() as u64;
                }
            }
        }
        Ok(())
    }
}

fn events_of(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Done { first, last } => last.0 - first.0 + 1,
        Outcome::AlreadySo | Outcome::Queued { .. } => 0,
    }
}

/// So many releases are written within a few tens of milliseconds.
const LIFTS_PER_SLICE: usize = 1_000;
const CLOSES_PER_SLICE: usize = 2_000;
