//! Undoing a false campaign: every hold that followed from its cause is lifted, whatever the release policy says.
//!
//! Two people order it (the command waits, another approves); then it is done in slices, beside other work. It waits in
//! the queue until the last slice, so that an undo that was broken off is approved again and goes on where it stood.
//! Called by whoever approves: the command line and the admin API. A revocation is never undone.

use std::collections::BTreeMap;

use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{
    Actor, Body, CertificateNo, Change, Event, HoldId, Outcome, Position, SetChange, SetTarget, Time, UndoScope,
    Verdict,
};

use super::queue::waiting;
use super::task::{DeskError, Done, Task};

/// What an undo did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Certificates that had holds of the campaign, lifted or no longer open.
    pub certificates: u64,
    /// Commands of the campaign that still waited and were rejected.
    pub rejected: u64,
    /// Set events whose hold was lifted.
    pub sets: u64,
}

/// What a campaign did, as far as it can be undone.
#[derive(Debug, Default)]
struct Campaign {
    holds: BTreeMap<CertificateNo, Vec<HoldId>>,
    sets: Vec<(SetTarget, HoldId)>,
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
        submit(Task::LiftSet { actor: *approver, order, target, hold })?;
        undone.sets += 1;
    }
    let total = campaign.holds.len() as u64;
    let mut holds = campaign.holds.into_iter();
    loop {
        let slice: Vec<_> = holds.by_ref().take(LIFTS_PER_SLICE).collect();
        if slice.is_empty() {
            break;
        }
        undone.certificates += slice.len() as u64;
        submit(Task::Lift { actor: *approver, order, holds: slice })?;
        progress(undone.certificates, total);
    }
    undone.rejected = reject_waiting(ledger, submit, approver, order, &scope)?;
    submit(Task::Close { actor: *approver, order, queued: vec![queued], verdict: Verdict::Approved })?;
    Ok(Some(undone))
}

/// What the campaign left waiting is rejected, so that nobody approves it by mistake.
fn reject_waiting(
    ledger: &dyn Ledger,
    submit: &mut dyn FnMut(Task) -> Done,
    approver: &Actor,
    order: Position,
    scope: &UndoScope,
) -> Result<u64, DeskError> {
    let UndoScope::ByActor { actor, since, until } = scope else { return Ok(0) };
    let theirs: Vec<_> = waiting(ledger)?
        .into_iter()
        .filter(|w| same_sender(&w.request.actor, actor) && (*since..=*until).contains(&w.since) && w.queued < order)
        .map(|w| w.queued)
        .collect();
    for queued in theirs.chunks(CLOSES_PER_SLICE) {
        let verdict = Verdict::Rejected;
        submit(Task::Close { actor: *approver, order, queued: queued.to_vec(), verdict })?;
    }
    Ok(theirs.len() as u64)
}

impl Campaign {
    fn find(ledger: &dyn Ledger, scope: &UndoScope, order: Position) -> Result<Self, LedgerError> {
        let mut campaign = Self::default();
        match scope {
            UndoScope::Cause(cause) => {
                let mut root = None;
                each_event(ledger, Position(cause.0.saturating_sub(1)), |position, event| {
                    // A decision's events stand together: the first that belongs to another ends it.
                    let belongs = position == *cause || (event.cause.is_some() && event.cause == root);
                    root = root.or(Some(*cause));
                    if belongs {
                        campaign.add(position, event);
                    }
                    belongs
                })?;
            }
            UndoScope::ByActor { actor, since, until } => {
                each_event(ledger, before_time(ledger, *since)?, |position, event| {
                    // What was done after the order is not what two people looked at.
                    let within = event.time <= *until && position < order;
                    if within && same_sender(&event.actor, actor) {
                        campaign.add(position, event);
                    }
                    within
                })?;
            }
        }
        Ok(campaign)
    }

    fn add(&mut self, position: Position, event: Event) {
        match event.body {
            Body::Changed { no, change: Change::Held { .. }, .. } => {
                self.holds.entry(no).or_default().push(HoldId(position));
            }
            Body::SetChanged { target, change: SetChange::Held } => self.sets.push((target, HoldId(position))),
            _ => {}
        }
    }
}

fn same_sender(a: &Actor, b: &Actor) -> bool {
    a.role == b.role && a.person == b.person
}

fn event_at(ledger: &dyn Ledger, position: Position) -> Result<Option<Event>, LedgerError> {
    let stored = ledger.events_after(Position(position.0.saturating_sub(1)), 1)?;
    stored.first().map(|sealed| decode_event(&sealed.bytes).map_err(LedgerError::from)).transpose()
}

/// Reads events after a position until `more` says no.
fn each_event(
    ledger: &dyn Ledger,
    mut after: Position,
    mut more: impl FnMut(Position, Event) -> bool,
) -> Result<(), LedgerError> {
    loop {
        let page = ledger.events_after(after, EVENTS_PER_PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        for sealed in &page {
            if !more(sealed.position, decode_event(&sealed.bytes)?) {
                return Ok(());
            }
        }
    }
}

/// The last position before a time. Times never decrease along positions, so halving finds it.
fn before_time(ledger: &dyn Ledger, time: Time) -> Result<Position, LedgerError> {
    let (mut low, mut high) = (0, ledger.head()?.position.0);
    while low < high {
        let middle = low + (high - low) / 2;
        match event_at(ledger, Position(middle + 1))? {
            Some(event) if event.time < time => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(Position(low))
}

/// So many releases are written within a few tens of milliseconds.
const LIFTS_PER_SLICE: usize = 1_000;
const CLOSES_PER_SLICE: usize = 2_000;
const EVENTS_PER_PAGE: usize = 2_048;
