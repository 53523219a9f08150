//! One follower: its table, where it stands, and the step that brings it further.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::ledger::{
    BrokenLink, Head, Heartbeat, Ledger, LedgerError, RowDigest, Sealed, decode_certificate, decode_event,
};
use crate::model::{Body, Book, Certificate, CertificateNo, Event, Position, SetEvent, SetTarget, Time};
use crate::status::{
    Capture, Changed, Freshness, HashKey, ReadTo, Registers, RevokedError, SnapshotError, StatusError, Table,
};

use super::bootstrap::{belongs, fill};
use super::snapshot::{Opened, SnapshotRefused, Taken};

/// Keeps a table in step with a ledger.
pub struct Follower {
    table: Arc<Table>,
    head: Head,
    registers: Registers,
    freshness: Freshness,
    frozen: Option<Frozen>,
}

/// What a step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// Events taken in.
    pub events: usize,
    /// Whether there are probably more.
    pub more: bool,
    /// The certificates that were changed one by one, in order.
    pub changed: Vec<CertificateNo>,
    /// Set events among them.
    pub sets: usize,
    /// Issuers that were added.
    pub issuers: usize,
}

/// Why a follower takes in nothing more: what the ledger shows isn't the history that it holds. What either calls not good
/// stays not good, and a person reconciles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Frozen {
    /// Its events don't continue what is held.
    #[error("the ledger's history forked: {0}")]
    Forked(BrokenLink),
    /// It ends before what is held.
    #[error(
        "the ledger ends at {found}, and events up to {held} were read from it: it was rolled back, or another took its place"
    )]
    RolledBack {
        /// What is held.
        held: Position,
        /// Where it ends.
        found: Position,
    },
    /// It stands where this follower stands, with another history behind it.
    #[error("the ledger has another history up to {0} than the one that was read from it")]
    Rewritten(Position),
    /// A registration's rows are not those that its event counted and hashed.
    #[error("the certificates that event {0} registered are not those that it counted and hashed")]
    RowsDiffer(Position),
    /// A list's members are not those that the event which names it counted and hashed.
    #[error("the certificates of the list that event {0} names are not those that it counted and hashed")]
    MembersDiffer(Position),
    /// The lists of CRLs refuse what the history says.
    #[error("the history contradicts itself: {0}")]
    Lists(RevokedError),
    /// The table refuses what the history says.
    #[error("the history contradicts itself: {0}")]
    Contradiction(StatusError),
}

/// Why a step wasn't made.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The ledger couldn't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It takes in nothing more.
    #[error(transparent)]
    Frozen(#[from] Frozen),
}

impl From<RevokedError> for Frozen {
    fn from(error: RevokedError) -> Self {
        Self::Lists(error)
    }
}

impl From<StatusError> for FollowError {
    fn from(error: StatusError) -> Self {
        Frozen::Contradiction(error).into()
    }
}

impl Follower {
    /// Reads everything at one position. Readers find nothing before it is done.
    pub fn bootstrap(ledger: &dyn Ledger, key: &HashKey) -> Result<Self, FollowError> {
        let (table, head, registers) = fill(ledger, key)?;
        Ok(Self { table: Arc::new(table), head, registers, freshness: Freshness::default(), frozen: None })
    }

    /// Begins where a snapshot stands, if the ledger's history goes through it; `threads` share the reading. On a refusal
    /// the caller reads everything from the ledger instead.
    pub fn from_snapshot(ledger: &dyn Ledger, opened: Opened, threads: NonZeroUsize) -> Result<Self, SnapshotRefused> {
        opened.is_of(ledger)?;
        let registers = match opened.registers()? {
            Some(registers) => registers,
            None => {
                // Perhaps later ones than the snapshot's: events that they know already say the same again.
                let book = ledger.book()?.1;
                Registers { issuers: book.issuers, scopes: book.scopes }
            }
        };
        Self::with(opened, registers, threads)
    }

    /// Begins where a snapshot stands, without having asked any ledger: because none can be reached. It is as fresh as it
    /// was when it was written, so an old one answers nobody. The first step that reaches a ledger follows it link by link
    /// from here, and freezes if it is another.
    pub fn from_snapshot_alone(opened: Opened, threads: NonZeroUsize) -> Result<Self, SnapshotRefused> {
        let registers = opened.registers()?.ok_or(SnapshotRefused::WithoutIssuers)?;
        Self::with(opened, registers, threads)
    }

    fn with(opened: Opened, registers: Registers, threads: NonZeroUsize) -> Result<Self, SnapshotRefused> {
        let (table, head, freshness) = opened.load(threads)?;
        table.hear(freshness);
        Ok(Self { table: Arc::new(table), head, registers, freshness, frozen: None })
    }

    /// Holds on to what it knows now, to be written down while it steps on. Only one at a time, and not after a
    /// step that was broken off half-way, until another has made it whole.
    pub fn snapshot(&self) -> Result<Taken, SnapshotError> {
        let capture = Capture::begin(&self.table)?;
        let (published, taken) = (capture.read_to().position, self.head.position);
        if published != taken {
            return Err(SnapshotError::BetweenPositions { published, taken });
        }
        Ok(Taken::new(capture, self.head.clone(), self.registers.clone(), self.freshness))
    }

    /// What readers ask.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Where it stands.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Issuers, scopes and set events there.
    pub fn book(&self) -> Book {
        let Registers { issuers, scopes } = self.registers.clone();
        Book { issuers, scopes, sets: self.table.set_events() }
    }

    /// How fresh what it knows is.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Takes in the next events, at most one page of them.
    pub fn step(&mut self, ledger: &dyn Ledger) -> Result<Stepped, FollowError> {
        if let Some(frozen) = &self.frozen {
            return Err(frozen.clone().into());
        }
        let stepped = self.advance(ledger);
        if let Err(FollowError::Frozen(frozen)) = &stepped {
            self.frozen = Some(frozen.clone());
        }
        stepped
    }

    fn advance(&mut self, ledger: &dyn Ledger) -> Result<Stepped, FollowError> {
        // The heartbeat first: what is read after it is at least as new.
        let heartbeat = ledger.heartbeat()?;
        let page = ledger.events_after(self.head.position, PAGE)?;
        if page.is_empty() {
            still_there(ledger, &self.head)?;
        }
        let mut stepped = Stepped { events: page.len(), more: page.len() == PAGE, ..Stepped::default() };
        for (taken, sealed) in page.iter().enumerate() {
            if taken > 0 && names_a_list(sealed) {
                (stepped.events, stepped.more) = (taken, true);
                break;
            }
            match self.take(ledger, sealed, &mut stepped) {
                // What was taken in before is told; the next step begins with this event, and meets the fault if it lasts.
                Err(FollowError::Ledger(_)) if taken > 0 => {
                    (stepped.events, stepped.more) = (taken, true);
                    break;
                }
                took => took?,
            }
        }
        self.table.publish(ReadTo { epoch: self.head.epoch, position: self.head.position })?;
        if let Some(heartbeat) = heartbeat {
            self.hear(&heartbeat)?;
        }
        Ok(stepped)
    }

    /// All of an event or, where the ledger fails to show what belongs to it, nothing: the head moves last.
    fn take(&mut self, ledger: &dyn Ledger, sealed: &Sealed, stepped: &mut Stepped) -> Result<(), FollowError> {
        let mut head = self.head.clone();
        let event = head.follow(sealed).map_err(Frozen::Forked)?;
        let position = sealed.position;
        match &event.body {
            Body::Registered { first, count, digest } => {
                let certificates = registered(ledger, position, *first, *count, digest)?;
                self.table.register(position, *first, &certificates)?;
                head.certificates += u64::from(*count);
            }
            Body::Changed { no, key, change } => {
                let cause = event.cause.unwrap_or(position);
                self.table.change(&Changed { position, time: event.time, cause, no: *no, key: *key, change })?;
                stepped.changed.push(*no);
            }
            Body::SetChanged { .. } => {
                self.take_set(ledger, position, &event)?;
                head.book = position;
                stepped.sets += 1;
            }
            Body::EpochAdopted { epoch, .. } => head.epoch = *epoch,
            Body::IssuerAdded(issuer) => {
                let known = &mut self.registers.issuers;
                if usize::from(issuer.no.0) > known.len() {
                    known.push(issuer.clone());
                }
                head.book = position;
                stepped.issuers += 1;
            }
            Body::ScopeAdded(scope) => {
                let known = &mut self.registers.scopes;
                if scope.no.0 as usize > known.len() {
                    known.push(scope.clone());
                }
                head.book = position;
            }
            Body::CrlsNumbered { .. }
            | Body::InboxRefused { .. }
            | Body::LedgerCreated { .. }
            | Body::QueueDecided { .. }
            | Body::Queued { .. }
            | Body::Reported(_)
            | Body::UndoOrdered(_) => {}
        }
        self.head = head;
        Ok(())
    }

    fn take_set(&self, ledger: &dyn Ledger, position: Position, event: &Event) -> Result<(), FollowError> {
        let Body::SetChanged { target, change } = &event.body else { return Ok(()) };
        let (time, cause) = (event.time, event.cause.unwrap_or(position));
        let set = SetEvent { position, time, cause, target: target.clone(), change: *change };
        self.table.change_set(&set, belongs(ledger, &set)?)?;
        Ok(())
    }

    /// A heartbeat counts once everything that it saw is in the table.
    fn hear(&mut self, heartbeat: &Heartbeat) -> Result<(), FollowError> {
        if let Some(newest) = heard(heartbeat, &self.head)? {
            self.freshness.known_at = Some(self.freshness.known_at.map_or(newest, |known| known.max(newest)));
        }
        Ok(())
    }
}

/// A ledger without news must at least be the one that was read.
pub(super) fn still_there(ledger: &dyn Ledger, held: &Head) -> Result<(), FollowError> {
    let stored = ledger.head()?;
    if stored.position < held.position {
        return Err(Frozen::RolledBack { held: held.position, found: stored.position }.into());
    }
    // Further on: an event came in between, and the next step reads it.
    if stored.position == held.position && (stored.epoch, stored.link) != (held.epoch, held.link) {
        return Err(Frozen::Rewritten(held.position).into());
    }
    Ok(())
}

/// The newest ledger time that a heartbeat proves, to whoever holds everything up to that head; none: it saw more.
pub(super) fn heard(heartbeat: &Heartbeat, held: &Head) -> Result<Option<Time>, FollowError> {
    if heartbeat.position > held.position {
        return Ok(None);
    }
    if heartbeat.position == held.position && (heartbeat.epoch, heartbeat.link) != (held.epoch, held.link) {
        return Err(Frozen::Rewritten(held.position).into());
    }
    Ok(Some(heartbeat.time.max(held.time)))
}

/// Its list may take seconds to be read: what stands before it doesn't wait for that, and has a step of its own.
fn names_a_list(sealed: &Sealed) -> bool {
    decode_event(&sealed.bytes)
        .is_ok_and(|event| matches!(event.body, Body::SetChanged { target: SetTarget::Listed { .. }, .. }))
}

/// The certificates that an event registered, which must be the very ones.
pub(super) fn registered(
    ledger: &dyn Ledger,
    position: Position,
    first: CertificateNo,
    count: u32,
    digest: &[u8; 32],
) -> Result<Vec<Certificate>, FollowError> {
    let rows = ledger.rows_from(first, count as usize)?;
    let mut sum = RowDigest::default();
    rows.iter().for_each(|(_, row)| sum.add(row));
    let numbered = rows.iter().zip(first.0..).all(|((no, _), expected)| no.0 == expected);
    if rows.len() != count as usize || !numbered || sum.finish() != *digest {
        return Err(Frozen::RowsDiffer(position).into());
    }
    let decoded = rows.iter().map(|(_, row)| decode_certificate(row));
    Ok(decoded.collect::<Result<_, _>>().map_err(|_| Frozen::RowsDiffer(position))?)
}

/// Events taken in by one step.
const PAGE: usize = 1_000;
