//! Sealing: an event's place in history. Each event is linked to all before it, and is a leaf of the tree.
//!
//! The link lets a follower check every batch against the one hash it holds; the tree lets a checkpoint of one line
//! speak for the whole history. Used by whoever appends and whoever reads.

use crate::model::{Epoch, Event, LedgerId, Position, Time};

use super::bytes::Malformed;
use super::event_bytes::decode_event;
use super::tree::{Frontier, Hash, leaf, sha256};

/// Where a ledger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which ledger.
    pub ledger: LedgerId,
    /// Which history of it.
    pub epoch: Epoch,
    /// The last event; zero if there is none.
    pub position: Position,
    /// The link of the last event.
    pub link: Hash,
    /// The hash tree over all events.
    pub tree: Frontier,
    /// Ledger time: of the last event or the last heartbeat, whichever is later. The next event is dated no earlier.
    pub time: Time,
    /// The last event that changed the book (issuers, scopes, sets): who holds a book read there or later needs no new one.
    pub book: Position,
    /// How many certificates are registered; the next one gets the number after.
    pub certificates: u64,
}

/// An event as it is stored and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its place.
    pub position: Position,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The hash over it and all before.
    pub link: Hash,
}

/// Why a sealed event doesn't continue what is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLink {
    /// Not the next position.
    #[error("event {found} follows event {after}: there is a gap or a repeat")]
    Gap {
        /// The last one known.
        after: Position,
        /// The one that came.
        found: Position,
    },
    /// Its link doesn't follow from the link before: histories differ, or bytes were altered.
    #[error("event {0} does not continue the history before it")]
    Forked(Position),
    /// Its bytes can't be read by this program.
    #[error("event {position}: {source}")]
    Unreadable {
        /// Which.
        position: Position,
        /// Why.
        source: Malformed,
    },
    /// Its time is earlier than that of the event before.
    #[error("event {0} is dated earlier than the one before it")]
    TimeWentBack(Position),
}

impl Head {
    /// A ledger before its first event.
    pub fn before_first(ledger: LedgerId) -> Self {
        let link = sha256(&[b"tashika ledger\n", &ledger.0]);
        Self {
            ledger,
            epoch: Epoch(0),
            position: Position(0),
            link,
            tree: Frontier::default(),
            time: Time::default(),
            book: Position(0),
            certificates: 0,
        }
    }

    /// Puts the next event's bytes in their place.
    pub fn seal(&mut self, bytes: Vec<u8>, time: Time) -> Sealed {
        let leaf = leaf(&bytes);
        self.position = self.position.next();
        self.link = link(&self.link, &leaf);
        self.tree.push(leaf);
        self.time = self.time.max(time);
        Sealed { position: self.position, bytes, link: self.link }
    }

    /// Follows a stored event: checks that it continues this head, moves on, and hands out what it says.
    ///
    /// What the event does to `epoch`, `book` and `certificates` is the caller's, who knows its meaning.
    pub fn follow(&mut self, sealed: &Sealed) -> Result<Event, BrokenLink> {
        if sealed.position != self.position.next() {
            return Err(BrokenLink::Gap { after: self.position, found: sealed.position });
        }
        let leaf = leaf(&sealed.bytes);
        if link(&self.link, &leaf) != sealed.link {
            return Err(BrokenLink::Forked(sealed.position));
        }
        let event = decode_event(&sealed.bytes)
            .map_err(|source| BrokenLink::Unreadable { position: sealed.position, source })?;
        if event.time < self.time {
            return Err(BrokenLink::TimeWentBack(sealed.position));
        }
        self.position = sealed.position;
        self.link = sealed.link;
        self.tree.push(leaf);
        self.time = event.time;
        Ok(event)
    }
}

/// The link of an event: over the link before it and its leaf.
pub(super) fn link(before: &Hash, leaf: &Hash) -> Hash {
    sha256(&[&[2], before, leaf])
}
