//! A false campaign: what it did, as far as that can be undone, and what undoing it would come to.
//!
//! Read by `undo.rs`, which carries an undo out, by the desk before it lets one be ordered, and by the command line for
//! a dry run and for the second person. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::ledger::{Ledger, LedgerError, Wanted, decode_event};
use crate::model::{
    Actor, Body, Book, CertificateNo, Change, Event, HoldId, Position, Refusal, SetChange, SetTarget, Time, UndoScope,
};

/// What an undo would come to as the ledger stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Certificates from which holds would be lifted.
    pub certificates: u64,
    /// Holds of single certificates that would be lifted.
    pub holds: u64,
    /// Certificates that the campaign held and that have been revoked since: they stay revoked.
    pub revoked: u64,
    /// Sets from which the campaign's hold would be lifted.
    pub sets: u64,
    /// Commands of the campaign that still wait and would be rejected.
    pub waiting: u64,
}

impl Preview {
    /// What an undo ordered now would come to.
    pub fn of(ledger: &dyn Ledger, scope: &UndoScope) -> Result<Self, LedgerError> {
        let campaign = Campaign::find(ledger, scope, ledger.head()?.position.next())?;
        let mut preview = Self::default();
        preview.add(ledger, &campaign)?;
        Ok(preview)
    }

    /// Whether there would be nothing to do.
    pub fn is_empty(&self) -> bool {
        self.holds + self.sets + self.waiting == 0
    }

    fn add(&mut self, ledger: &dyn Ledger, campaign: &Campaign) -> Result<(), LedgerError> {
        let numbers: Vec<_> = campaign.holds.keys().copied().collect();
        for some in numbers.chunks(LOOKED_UP_AT_ONCE) {
            let wanted = Wanted { numbers: some.to_vec(), ..Wanted::default() };
            for entry in ledger.find(&wanted)?.entries {
                let theirs = &campaign.holds[&entry.no];
                let open = theirs.iter().filter(|id| entry.status.hold(**id).is_some()).count() as u64;
                self.certificates += u64::from(open > 0);
                self.holds += open;
                self.revoked += u64::from(entry.status.revocation().is_some());
            }
        }
        if !campaign.sets.is_empty() {
            let book = ledger.book()?.1;
            self.sets += campaign.sets.iter().filter(|(_, hold)| is_open(&book, *hold)).count() as u64;
        }
        if !campaign.queued.is_empty() {
            let waiting: BTreeSet<_> = ledger.queue()?.into_iter().collect();
            self.waiting += campaign.queued.iter().filter(|queued| waiting.contains(queued)).count() as u64;
        }
        Ok(())
    }
}

/// Whether a set's hold was not yet lifted from the set as a whole.
pub(super) fn is_open(book: &Book, hold: HoldId) -> bool {
    !book.sets.iter().any(|set| set.change == SetChange::Released { hold })
}

/// Why an undo is not worth a second person's time. Looks until it finds something, and no further than what can be read
/// while others wait for the desk: an undo of more than that is let through unseen.
pub(super) fn nothing_to_undo(ledger: &dyn Ledger, scope: &UndoScope) -> Result<Option<Refusal>, LedgerError> {
    let head = ledger.head()?.position;
    if let UndoScope::Cause(cause) = scope
        && (*cause == Position(0) || *cause > head)
    {
        return Ok(Some(Refusal::UnknownCause(*cause)));
    }
    let (mut preview, mut pages) = (Preview::default(), 0);
    search(ledger, scope, head.next(), &mut |page| {
        preview.add(ledger, &page)?;
        pages += 1;
        Ok(if preview.is_empty() && pages < PAGES_BEFORE_AN_ORDER { ControlFlow::Continue(()) } else { BREAK })
    })?;
    let seen_all = pages < PAGES_BEFORE_AN_ORDER;
    Ok((preview.is_empty() && seen_all).then_some(Refusal::NothingToUndo { revoked: preview.revoked }))
}

/// What a campaign did.
#[derive(Debug, Default)]
pub(super) struct Campaign {
    /// Holds that it opened, whether or not they still are.
    pub holds: BTreeMap<CertificateNo, Vec<HoldId>>,
    /// Sets that it held.
    pub sets: Vec<(SetTarget, HoldId)>,
    /// Commands of it that waited, whether or not they still do.
    pub queued: Vec<Position>,
}

impl Campaign {
    /// All that belongs to it before a position: what was done after the order is not what two people looked at.
    pub(super) fn find(ledger: &dyn Ledger, scope: &UndoScope, before: Position) -> Result<Self, LedgerError> {
        let mut campaign = Self::default();
        search(ledger, scope, before, &mut |page| {
            page.holds.into_iter().for_each(|(no, holds)| campaign.holds.entry(no).or_default().extend(holds));
            campaign.sets.extend(page.sets);
            campaign.queued.extend(page.queued);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(campaign)
    }

    fn add(&mut self, position: Position, event: Event) {
        match event.body {
            Body::Changed { no, change: Change::Held { .. }, .. } => {
                self.holds.entry(no).or_default().push(HoldId(position));
            }
            Body::Queued { .. } => self.queued.push(position),
            Body::SetChanged { target, change: SetChange::Held } => self.sets.push((target, HoldId(position))),
            _ => {}
        }
    }
}

/// Goes through a campaign a page of events at a time, until it ends or `visit` has seen enough.
fn search(
    ledger: &dyn Ledger,
    scope: &UndoScope,
    before: Position,
    visit: &mut dyn FnMut(Campaign) -> Result<ControlFlow<()>, LedgerError>,
) -> Result<(), LedgerError> {
    let mut trail = Trail::new(scope, before);
    let mut after = match scope {
        UndoScope::ByActor { since, .. } => before_time(ledger, *since)?,
        UndoScope::Cause(cause) => Position(cause.0.saturating_sub(1)),
    };
    loop {
        let page = ledger.events_after(after, EVENTS_PER_PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        let (mut campaign, mut ends) = (Campaign::default(), false);
        for sealed in &page {
            let event = decode_event(&sealed.bytes)?;
            match trail.follow(sealed.position, &event) {
                Step::Beside => {}
                Step::End => {
                    ends = true;
                    break;
                }
                Step::On => campaign.add(sealed.position, event),
            }
        }
        if visit(campaign)?.is_break() || ends {
            return Ok(());
        }
    }
}

/// Tells what belongs to a campaign, event by event.
struct Trail<'a> {
    scope: &'a UndoScope,
    before: Position,
    /// For a cause: it and all that followed from it so far.
    chain: BTreeSet<Position>,
    /// The cause waited for a second person; what followed from it stands behind that person's word.
    waited: bool,
}

enum Step {
    /// Nothing more of it comes.
    End,
    /// Another's event.
    Beside,
    /// One of the campaign's.
    On,
}

impl<'a> Trail<'a> {
    fn new(scope: &'a UndoScope, before: Position) -> Self {
        Self { scope, before, chain: BTreeSet::new(), waited: false }
    }

    fn follow(&mut self, position: Position, event: &Event) -> Step {
        if position >= self.before {
            return Step::End;
        }
        match self.scope {
            UndoScope::ByActor { until, .. } if event.time > *until => Step::End,
            UndoScope::ByActor { actor, .. } if same_sender(&event.actor, actor) => Step::On,
            UndoScope::ByActor { .. } => Step::Beside,
            UndoScope::Cause(cause) => {
                let follows = event.cause.is_some_and(|cause| self.chain.contains(&cause));
                if position == *cause || follows {
                    self.waited = matches!(event.body, Body::Queued { .. });
                    self.chain.insert(position);
                    Step::On
                } else if self.waited {
                    Step::Beside
                } else {
                    // A decision's events stand together: the first that belongs to another ends it.
                    Step::End
                }
            }
        }
    }
}

fn same_sender(a: &Actor, b: &Actor) -> bool {
    a.role == b.role && a.person == b.person
}

/// The event at a position.
pub(super) fn event_at(ledger: &dyn Ledger, position: Position) -> Result<Option<Event>, LedgerError> {
    let stored = ledger.events_after(Position(position.0.saturating_sub(1)), 1)?;
    stored.first().map(|sealed| decode_event(&sealed.bytes).map_err(LedgerError::from)).transpose()
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

const BREAK: ControlFlow<()> = ControlFlow::Break(());
const EVENTS_PER_PAGE: usize = 2_048;
/// So many pages are read within a few tens of milliseconds.
const PAGES_BEFORE_AN_ORDER: usize = 8;
const LOOKED_UP_AT_ONCE: usize = 1_000;
