//! A beginning from a snapshot instead of a scan: whose it is, whether the ledger's history goes through it, and what
//! to write so that the next process can begin there.

use std::num::NonZeroUsize;
use std::path::Path;

use crate::ledger::{Frontier, Hash, Head, Ledger, LedgerError};
use crate::model::{LedgerId, Position, Time};
use crate::status::{About, Capture, Freshness, Registers, Salt, Snapshot, SnapshotError, SnapshotKey, Table, Written};

use super::follower::Frozen;

/// A snapshot's file that was opened: where it stands is certain; what is in it is looked at when it is loaded.
pub struct Opened {
    snapshot: Snapshot,
    head: Head,
    freshness: Freshness,
}

/// A follower as it stands between two steps, to be written down on any thread while the follower steps on.
pub struct Taken {
    capture: Capture,
    head: Head,
    registers: Registers,
    freshness: Freshness,
}

/// Why nobody begins from a snapshot. All but [`Ledger`](Self::Ledger) mean: scan the ledger instead.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotRefused {
    /// The file isn't what was written, or can't be read.
    #[error(transparent)]
    File(#[from] SnapshotError),
    /// It was made of another ledger.
    #[error("the snapshot is of ledger {snapshot}, and this is ledger {ledger}")]
    Foreign {
        /// Which ledger this is.
        ledger: LedgerId,
        /// Which the snapshot was made of.
        snapshot: LedgerId,
    },
    /// It doesn't say which issuers there are: without the ledger nobody could answer for them.
    #[error("the snapshot is of the first version, which leaves it to the ledger which issuers there are")]
    WithoutIssuers,
    /// The ledger couldn't be asked: ask again, or begin without it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger's history doesn't go through where the snapshot stands.
    #[error("the snapshot is of another history: {0}")]
    OtherHistory(Frozen),
}

impl Opened {
    /// Opens a snapshot's file: header and directory, not yet what is in it.
    pub fn open(path: &Path, key: &SnapshotKey) -> Result<Self, SnapshotRefused> {
        let snapshot = Snapshot::open(path, key)?;
        let (head, freshness) = decode(&snapshot).ok_or(SnapshotError::Malformed("the follower's context"))?;
        Ok(Self { snapshot, head, freshness })
    }

    /// Where it stands.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The issuers and scopes there, if it says so.
    pub(super) fn registers(&self) -> Result<Option<Registers>, SnapshotRefused> {
        Ok(self.snapshot.registers()?)
    }

    /// How fresh it was when it was written.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Whether the ledger is the one, and its history goes through position and link of the snapshot.
    ///
    /// The link covers every event before it, so one comparison settles all of them. What comes after is followed
    /// link by link, as always. A ledger that was told to forget old events can't show the link any more: such a
    /// snapshot is refused too, and the scan costs what a scan costs.
    pub fn is_of(&self, ledger: &dyn Ledger) -> Result<(), SnapshotRefused> {
        let (stored, held) = (ledger.head()?, &self.head);
        if stored.ledger != held.ledger {
            return Err(SnapshotRefused::Foreign { ledger: stored.ledger, snapshot: held.ledger });
        }
        if stored.position < held.position {
            let (held, found) = (held.position, stored.position);
            return Err(SnapshotRefused::OtherHistory(Frozen::RolledBack { held, found }));
        }
        let epoch_fits =
            if stored.position == held.position { stored.epoch == held.epoch } else { stored.epoch >= held.epoch };
        let link = match held.position.0.checked_sub(1) {
            None => Some(Head::before_first(stored.ledger).link),
            Some(before) => {
                let there = ledger.events_after(Position(before), 1)?;
                there.first().filter(|event| event.position == held.position).map(|event| event.link)
            }
        };
        if !epoch_fits || link != Some(held.link) {
            return Err(SnapshotRefused::OtherHistory(Frozen::Rewritten(held.position)));
        }
        Ok(())
    }

    /// The table that is in it.
    pub(super) fn load(self, threads: NonZeroUsize) -> Result<(Table, Head, Freshness), SnapshotRefused> {
        Ok((self.snapshot.load(threads)?, self.head, self.freshness))
    }
}

impl Taken {
    pub(super) fn new(capture: Capture, head: Head, registers: Registers, freshness: Freshness) -> Self {
        Self { capture, head, registers, freshness }
    }

    /// Where it stands.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Writes it. What had that name before stays until the new one is whole and on the disk. Replies whose validity
    /// has ended at `now` stay out.
    pub fn write(self, path: &Path, key: &SnapshotKey, salt: Salt, now: Time) -> Result<Written, SnapshotError> {
        let context = encode(&self.head, self.freshness);
        let about = About { ledger: self.head.ledger, context, registers: self.registers };
        self.capture.write(path, &about, key, salt, now)
    }
}

/// What a head says besides ledger, epoch and position, which the snapshot has by itself; and when it was known to be
/// true.
fn encode(head: &Head, freshness: Freshness) -> Vec<u8> {
    let mut octets = Vec::with_capacity(1_024);
    octets.extend(head.link);
    octets.extend(head.tree.size().to_be_bytes());
    head.tree.peaks().iter().for_each(|peak| octets.extend(peak));
    octets.extend(head.time.unix().to_be_bytes());
    octets.extend(head.book.0.to_be_bytes());
    octets.extend(head.certificates.to_be_bytes());
    if let Some(known_at) = freshness.known_at {
        octets.extend(known_at.unix().to_be_bytes());
    }
    octets
}

fn decode(snapshot: &Snapshot) -> Option<(Head, Freshness)> {
    let mut rest = snapshot.context();
    let link: Hash = *take(&mut rest)?;
    let size = u64::from_be_bytes(*take(&mut rest)?);
    let peaks = (0..size.count_ones()).map(|_| take(&mut rest).copied()).collect::<Option<_>>()?;
    let tree = Frontier::from_parts(size, peaks)?;
    let time = take_time(&mut rest)?;
    let book = Position(u64::from_be_bytes(*take(&mut rest)?));
    let certificates = u64::from_be_bytes(*take(&mut rest)?);
    let known_at = if rest.is_empty() { None } else { Some(take_time(&mut rest)?) };
    let (ledger, read_to) = (snapshot.ledger(), snapshot.read_to());
    let head = Head { ledger, epoch: read_to.epoch, position: read_to.position, link, tree, time, book, certificates };
    rest.is_empty().then_some((head, Freshness { known_at }))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(first)
}

fn take_time(rest: &mut &[u8]) -> Option<Time> {
    Time::from_unix(i64::from_be_bytes(*take(rest)?)).ok()
}
