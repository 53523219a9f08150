//! The walk over all events: links, tree, checkpoints, rows, and the small registers as the events alone make them.

use std::collections::BTreeSet;
use std::sync::mpsc::sync_channel;

use crate::ledger::seal::link;
use crate::ledger::{BrokenLink, Head, Heartbeat, Ledger, LedgerError, Sealed, decode_event, leaf};
use crate::model::{Body, Book, Event, Position, SetEvent, Time};

use super::evidence::Evidence;
use super::report::{Finding, Findings};
use super::rows::Rows;

/// Where the walk has come, and what the events so far amount to.
pub(super) struct Walk<'a> {
    ledger: &'a dyn Ledger,
    pub head: Head,
    pub events: u64,
    pub book: Book,
    pub queue: BTreeSet<Position>,
    pub rows: Rows<'a>,
    pub evidence: Evidence,
    heartbeat: Option<Heartbeat>,
    crl_number: Option<u64>,
}

impl<'a> Walk<'a> {
    /// Before the first event.
    pub(super) fn new(ledger: &'a dyn Ledger, head: Head, evidence: Evidence, heartbeat: Option<Heartbeat>) -> Self {
        let (book, queue, rows) = (Book::default(), BTreeSet::new(), Rows::new(ledger));
        Self { ledger, head, events: 0, book, queue, rows, evidence, heartbeat, crl_number: None }
    }

    /// Walks up to a position, handing each readable event on. Says whether it got there.
    ///
    /// A second thread reads ahead, so that the database and the hashing don't wait for one another.
    pub(super) fn to(
        &mut self,
        stop: Position,
        findings: &mut Findings,
        visit: &mut dyn FnMut(Position, &Event),
    ) -> Result<Arrival, LedgerError> {
        let mut arrival = Arrival::Reached;
        let start = self.head.position;
        self.evidence.at(&self.head, findings);
        self.pass_heartbeat(findings);
        ahead(self.ledger, start, stop, &mut |page| {
            page.iter().try_for_each(|sealed| self.take(sealed, findings, visit))
        })?;
        if self.head.position < stop {
            arrival = Arrival::EndsAt(self.head.position);
        }
        Ok(arrival)
    }

    fn take(
        &mut self,
        sealed: &Sealed,
        findings: &mut Findings,
        visit: &mut dyn FnMut(Position, &Event),
    ) -> Result<(), LedgerError> {
        let (position, after) = (sealed.position, self.head.position);
        let leaf = leaf(&sealed.bytes);
        if position != after.next() {
            findings.add(Finding::Broken(BrokenLink::Gap { after, found: position }));
        } else if link(&self.head.link, &leaf) != sealed.link {
            findings.add(Finding::Broken(BrokenLink::Forked(position)));
        }
        // After a break the walk goes on from what is stored, so that what lies behind it is judged by itself.
        self.head.position = position;
        self.head.link = sealed.link;
        self.head.tree.push(leaf);
        self.events += 1;
        match decode_event(&sealed.bytes) {
            Ok(event) => {
                if event.time < self.head.time {
                    findings.add(Finding::Broken(BrokenLink::TimeWentBack(position)));
                }
                self.head.time = event.time;
                self.apply(position, &event, findings)?;
                visit(position, &event);
            }
            Err(source) => findings.add(Finding::Broken(BrokenLink::Unreadable { position, source })),
        }
        self.evidence.at(&self.head, findings);
        self.pass_heartbeat(findings);
        Ok(())
    }

    /// What the event does to the registers.
    fn apply(&mut self, position: Position, event: &Event, findings: &mut Findings) -> Result<(), LedgerError> {
        let numbering = |what| Finding::Numbering { position, what };
        if event.cause.is_some_and(|cause| cause >= position) {
            findings.add(Finding::Unlawful { position, what: "a cause that lies later" });
        }
        match &event.body {
            Body::Changed { no, .. } if no.0 == 0 || no.0 > self.head.certificates => {
                findings.add(Finding::Unlawful { position, what: "a change of a certificate not yet registered" });
            }
            Body::CrlsNumbered { number }
                if self.crl_number.replace(*number).is_some_and(|before| *number <= before) =>
            {
                findings.add(numbering("a round of CRLs"));
            }
            Body::EpochAdopted { epoch, .. } => {
                if *epoch <= self.head.epoch {
                    findings.add(numbering("an epoch"));
                }
                self.head.epoch = *epoch;
            }
            Body::IssuerAdded(issuer) => {
                self.book.issuers.push(issuer.clone());
                if usize::from(issuer.no.0) != self.book.issuers.len() {
                    findings.add(numbering("an issuer"));
                }
            }
            Body::LedgerCreated { ledger } if position != Position(1) || *ledger != self.head.ledger => {
                findings.add(Finding::Unlawful { position, what: "a ledger created within a ledger" });
            }
            Body::Queued { .. } => _ = self.queue.insert(position),
            Body::QueueDecided { queued, .. } if !self.queue.remove(queued) => {
                findings.add(Finding::Unlawful { position, what: "a decision about what does not wait" });
            }
            Body::Registered { first, count, digest } => {
                if first.0 != self.head.certificates + 1 {
                    findings.add(numbering("certificates"));
                }
                self.rows.registered(position, *first, *count, digest, findings)?;
                self.head.certificates = first.0.saturating_add((*count).into()).saturating_sub(1);
            }
            Body::ScopeAdded(scope) => {
                self.book.scopes.push(scope.clone());
                if scope.no.0 as usize != self.book.scopes.len() {
                    findings.add(numbering("a scope"));
                }
            }
            Body::SetChanged { target, change } => self.book.sets.push(SetEvent {
                position,
                time: event.time,
                cause: event.cause.unwrap_or(position),
                target: target.clone(),
                change: *change,
            }),
            _ => {}
        }
        if matches!(event.body, Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. }) {
            self.head.book = position;
        }
        Ok(())
    }

    /// The heartbeat must have seen exactly this history.
    fn pass_heartbeat(&mut self, findings: &mut Findings) {
        let Some(heartbeat) = self.heartbeat.take_if(|heartbeat| heartbeat.position == self.head.position) else {
            return;
        };
        if (heartbeat.epoch, heartbeat.link) != (self.head.epoch, self.head.link) {
            findings.add(Finding::Heartbeat("saw another history at its position"));
        }
        if heartbeat.time < self.head.time {
            findings.add(Finding::Heartbeat("is dated earlier than the event that it saw"));
        }
    }

    /// A heartbeat that was never passed is of events that there are not.
    pub(super) fn end_heartbeat(&mut self, findings: &mut Findings) {
        if self.heartbeat.take().is_some() {
            findings.add(Finding::Heartbeat("saw an event that is not there: the history's end was cut off"));
        }
    }

    /// Compares the head row with the events, at the same position. `beats` are the times of the heartbeats read before and
    /// after it: its own time is that of the last event or the last heartbeat.
    pub(super) fn compare_head(&self, stored: &Head, beats: [Option<Time>; 2], findings: &mut Findings) {
        let here = &self.head;
        let [before, after] = beats.map(|beat| beat.map_or(here.time, |beat| beat.max(here.time)));
        if stored.time < before && here.time < before {
            findings.add(Finding::Heartbeat("is dated later than the ledger's head"));
        }
        for (same, what) in [
            (stored.ledger == here.ledger, "ledger id"),
            (stored.epoch == here.epoch, "epoch"),
            (stored.position == here.position, "position"),
            (stored.link == here.link, "link"),
            (stored.tree == here.tree, "hash tree"),
            (here.time <= stored.time && stored.time <= after, "time"),
            (stored.book == here.book, "mark of the last change of the registers"),
            (stored.certificates == here.certificates, "count of certificates"),
        ] {
            if !same {
                findings.add(Finding::Head(what));
            }
        }
    }

    /// Compares the stored registers with those of the events, at the same position.
    pub(super) fn compare_book(&self, stored: &Book, findings: &mut Findings) {
        for (same, what) in [
            (stored.issuers == self.book.issuers, "issuers"),
            (stored.scopes == self.book.scopes, "CRL scopes"),
            (stored.sets == self.book.sets, "set events"),
        ] {
            if !same {
                findings.add(Finding::Book(what));
            }
        }
    }
}

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Where it was to go.
    Reached,
    /// Here, where the events end.
    EndsAt(Position),
}

/// Reads the events after a position up to another, page by page, while `take` works on the page before.
pub(super) fn ahead(
    ledger: &dyn Ledger,
    after: Position,
    stop: Position,
    take: &mut dyn FnMut(Vec<Sealed>) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let (send, receive) = sync_channel(PAGES_AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut after = after;
            while after < stop {
                let page = ledger.events_after(after, PAGE).map(|mut page| {
                    page.truncate(page.partition_point(|sealed| sealed.position <= stop));
                    page
                });
                match page.as_ref().map(|page| page.last().map(|sealed| sealed.position)) {
                    // A page that doesn't lead on would be read for ever.
                    Ok(Some(last)) if last > after => after = last,
                    Ok(_) => break,
                    Err(_) => after = stop,
                }
                // The receiver is gone when it met an error: nobody wants more.
                if send.send(page).is_err() {
                    break;
                }
            }
        });
        receive.into_iter().try_for_each(|page| take(page?))
    })
}

const PAGE: usize = 4096;
/// Pages in flight; events are a few hundred octets.
const PAGES_AHEAD: usize = 8;
