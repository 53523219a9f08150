//! A table held at one position while it is written down: slices under the writer's turn, each certificate as it was.

use std::sync::Arc;

use super::super::entries::{ENTRY_WORDS, State, pack_state};
use super::super::own::OWN_WORDS;
use super::super::reply::{self, ReplyRef, WIDTHS};
use super::super::sets::Sets;
use super::super::sync::Ordering;
use super::super::table::Table;
use super::super::view::ReadTo;
use super::super::writer::Writer;
use super::error::SnapshotError;
use super::layout::FRAME_RECORDS;
use super::octets::Put;
use super::recording::{Before, Recording, own_words};
use super::small::put_holds;
use crate::model::{Hold, Time};

/// A table at one position, to be written by [`write`](Self::write), on any thread, while the table moves on. Only
/// one at a time; dropped, it is given up.
pub struct Capture {
    pub(super) table: Arc<Table>,
    pub(super) read_to: ReadTo,
    pub(super) sets: Arc<Sets>,
    /// The highest number that belongs to it.
    pub(super) last: u32,
    /// How many groups there were: those that it names.
    pub(super) groups: u32,
    pub(super) count: u64,
}

/// What is gathered and not yet in the file: words of records one after the other, numbered anew from zero.
pub struct Image {
    pub entries: Vec<u64>,
    pub long: Vec<u64>,
    pub details: Vec<u64>,
    pub replies: [Vec<u64>; WIDTHS.len()],
    pub holds: Put,
    pub details_count: u32,
    pub replies_count: [u32; WIDTHS.len()],
    /// Replies are kept that were signed for no later position, and are valid after this time.
    reflects: ReadTo,
    valid_after: Time,
}

impl Capture {
    /// Holds on to what the table says now, which must be between two batches: what was taken in has been published.
    pub fn begin(table: &Arc<Table>) -> Result<Self, SnapshotError> {
        let mut turn = table.turn();
        if turn.recording.is_some() {
            return Err(SnapshotError::Busy);
        }
        let read_to = table.read_to();
        if read_to.position != turn.at {
            return Err(SnapshotError::BetweenPositions { published: read_to.position, taken: turn.at });
        }
        let last = turn.newest.0 as u32;
        let (before, late) = Default::default();
        turn.recording = Some(Recording { last, next: 1, before, late });
        let (sets, groups, count) = (table.sets.get(), turn.groups.len() as u32, turn.count);
        drop(turn);
        Ok(Self { table: Arc::clone(table), read_to, sets, last, groups, count })
    }

    /// The position that it holds on to.
    pub fn read_to(&self) -> ReadTo {
        self.read_to
    }

    pub(super) fn image(&self, valid_after: Time) -> Image {
        Image {
            // Certificates are numbered from 1; what lies at 0 is nobody's.
            entries: vec![0; ENTRY_WORDS],
            long: vec![0],
            details: Vec::new(),
            replies: Default::default(),
            holds: Put::default(),
            details_count: 0,
            replies_count: [0; WIDTHS.len()],
            reflects: self.read_to,
            valid_after,
        }
    }

    /// Takes the next certificates into the image, in one turn; the number after the last of them.
    pub(super) fn slice(&self, image: &mut Image) -> u32 {
        let mut turn = self.table.turn();
        let mut recording = turn.recording.take().expect("it is there until this is dropped");
        let from = recording.next;
        let to = (from / SLICE + 1).saturating_mul(SLICE).min(self.last.saturating_add(1));
        for number in from..to {
            if recording.late.contains(&number) {
                image.nobody(number);
            } else {
                image.take(&self.table, &turn, number, recording.before.remove(&number).as_ref());
            }
        }
        recording.next = to;
        turn.recording = Some(recording);
        to
    }

    /// The slots of one shard of the index, in one turn.
    pub(super) fn shard(&self, shard: usize, slots: &mut Vec<u64>) {
        let turn = self.table.turn();
        let late = &turn.recording.as_ref().expect("it is there until this is dropped").late;
        self.table.entries.index.slots_of(shard, |slot| {
            let number = slot as u32;
            if number <= self.last && !late.contains(&number) {
                slots.push(slot);
            }
        });
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // A writer that panicked has left nothing to give up.
        if let Ok(mut turn) = self.table.writer.lock() {
            turn.recording = None;
        }
    }
}

impl Image {
    fn take(&mut self, table: &Table, turn: &Writer, number: u32, before: Option<&Before>) {
        let entries = &table.entries;
        let Some((state, group)) = entries.state(number).zip(entries.group_no(number)) else {
            return self.nobody(number);
        };
        let serial = entries.words.get(number as usize).expect("its state was read there");
        let serial = [serial[0].load(Ordering::Relaxed), serial[1].load(Ordering::Relaxed)];
        let (own, reply) = match before {
            Some(before) => {
                self.hold(number, &before.holds);
                (before.own, None)
            }
            None => {
                self.hold(number, turn.held.get(&number).map_or(&[], Vec::as_slice));
                (own_words(entries, state), self.reply(table, state))
            }
        };
        let state = match own {
            None => State::Untouched { reply },
            Some(own) => {
                let head = reply.map_or(0, |reply| u64::from(reply.bits()));
                self.details.push(head);
                self.details.extend(own);
                self.details_count += 1;
                State::Detailed { slot: self.details_count - 1 }
            }
        };
        self.entries.extend([serial[0], serial[1], pack_state(group, state)]);
        self.put_long(number, entries.top(number));
    }

    fn nobody(&mut self, number: u32) {
        self.entries.extend([0; ENTRY_WORDS]);
        self.put_long(number, 0);
    }

    fn put_long(&mut self, number: u32, top: u32) {
        if number.is_multiple_of(2) {
            self.long.push(0);
        }
        let pair = self.long.last_mut().expect("the pair began with its even number");
        *pair |= u64::from(top) << (number % 2 * 32);
    }

    fn hold(&mut self, number: u32, holds: &[Hold]) {
        if !holds.is_empty() {
            put_holds(&mut self.holds, number, holds);
        }
    }

    /// Takes a certificate's reply, if it has one worth keeping.
    fn reply(&mut self, table: &Table, state: State) -> Option<ReplyRef> {
        let reply = match state {
            State::Untouched { reply } => reply,
            State::Detailed { slot } => ReplyRef::from_bits(table.entries.details.head(slot) as u32),
        }?;
        let width = reply.width();
        let (head, body) = table.entries.replies[width].record(reply.slot())?;
        let (signed, _) = reply::unpack(width, head, body[0].load(Ordering::Relaxed));
        if signed.next_update <= self.valid_after || signed.reflects > self.reflects.position {
            return None;
        }
        let next = ReplyRef::new(width, self.replies_count[width])?;
        self.replies_count[width] += 1;
        self.replies[width].push(head);
        self.replies[width].extend(body.iter().map(|word| word.load(Ordering::Relaxed)));
        Some(next)
    }
}

/// Words of a record of details.
pub const DETAILS_WORDS: usize = 1 + OWN_WORDS;

/// Words of a reply's record.
pub fn reply_words(width: usize) -> usize {
    2 + WIDTHS[width] / 8
}

/// Certificates in one turn of the writer: some 30 µs, the time of two signatures.
const SLICE: u32 = 256;
const _: () = assert!(FRAME_RECORDS.is_multiple_of(SLICE as usize), "a slice never spans two frames of entries");
