//! A file on its way: slices of its memory, one at a time, so that a download of megabytes holds up nobody beside it. Made
//! by `files`, sent by hyper.
//!
//! Between two slices the thread looks after everybody else. Nothing is copied but into the socket, and nothing is allocated
//! that grows with the file; who has begun one reads it to its end, whatever is published meanwhile.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future as _;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::Version;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::file_counts::{FileOutcome, Row};
use super::watch::{Ticks, Watch};
use crate::model::Share;
use crate::publisher::File;

/// The body of a response.
pub(super) enum Answer {
    /// In one piece.
    Whole(Full<Bytes>),
    /// A file, slice by slice.
    File(Box<Slices>),
}

/// What is left of a file.
pub(super) struct Slices {
    left: Bytes,
    slice: usize,
    turn_max: usize,
    /// How many octets may still go before others have their turn.
    turn: usize,
    sending: Sending,
}

/// One file on its way, as far as others must know of it.
pub(super) struct Sending {
    pub row: Arc<Row>,
    pub watch: Arc<Watch>,
    pub ticks: Arc<Ticks>,
    /// Given back with this.
    pub _place: Place,
    /// What it is counted as, unless it is broken off.
    pub outcome: FileOutcome,
}

/// One thread's places for long files.
pub(super) struct Places {
    /// Used by this thread alone: nobody waits.
    taken: Arc<Mutex<Taken>>,
    max: usize,
    for_strangers: usize,
    for_address: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    strangers: usize,
    by_strangers: HashMap<Share, usize>,
}

/// A place that is taken until this goes; none: a short file needs none.
pub(super) struct Place(Option<(Asker, Arc<Mutex<Taken>>)>);

/// Whose address asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A relying party's.
    Party,
    /// Nobody's in particular.
    Stranger(Share),
}

impl Places {
    /// So many. Strangers leave some to relying parties, where there are any, and most of them to each other.
    pub fn new(max: usize, are_there_parties: bool) -> Self {
        let max = max.max(1);
        let for_strangers = if are_there_parties { (max * 3 / 4).max(1) } else { max };
        Self { taken: Arc::default(), max, for_strangers, for_address: (max / 4).max(1) }
    }

    /// One for a file of this length; none: too many are taken.
    pub fn take(&self, length: usize, asker: Asker) -> Option<Place> {
        if length <= SHORT_OCTETS_MAX {
            return Some(Place(None));
        }
        let mut taken = locked(&self.taken);
        if taken.all >= self.max {
            return None;
        }
        if let Asker::Stranger(share) = asker {
            if taken.strangers >= self.for_strangers {
                return None;
            }
            let own = taken.by_strangers.entry(share).or_default();
            if *own >= self.for_address {
                return None;
            }
            *own += 1;
            taken.strangers += 1;
        }
        taken.all += 1;
        Some(Place(Some((asker, self.taken.clone()))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((asker, taken)) = &self.0 else { return };
        let mut taken = locked(taken);
        taken.all -= 1;
        if let Asker::Stranger(share) = asker {
            taken.strangers -= 1;
            if let Some(own) = taken.by_strangers.get_mut(share) {
                *own -= 1;
                if *own == 0 {
                    taken.by_strangers.remove(share);
                }
            }
        }
    }
}

fn locked(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answer {
    /// These octets of a file.
    pub fn of(file: Arc<File>, octets: Range<usize>, version: Version, sending: Sending) -> Self {
        let left = Bytes::from_owner(Octets(file)).slice(octets);
        sending.row.begins();
        sending.watch.begins_to_send(&sending.ticks);
        let (slice, turn_max) = if version >= Version::HTTP_2 { (HTTP2_SLICE, HTTP2_TURN) } else { (SLICE, SLICE) };
        Self::File(Box::new(Slices { left, slice, turn_max, turn: turn_max, sending }))
    }
}

impl From<Full<Bytes>> for Answer {
    fn from(whole: Full<Bytes>) -> Self {
        Self::Whole(whole)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context),
            Self::File(slices) => slices.poll(context).map(|slice| slice.map(|slice| Ok(Frame::data(slice)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::File(slices) => slices.left.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::File(slices) => SizeHint::with_exact(slices.left.len() as u64),
        }
    }
}

impl Slices {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if self.turn == 0 {
            self.turn = self.turn_max;
            // Woken again when the thread has looked at every socket and timer, not only at what was ready before.
            let _ = pin!(tokio::task::yield_now()).poll(context);
            return Poll::Pending;
        }
        let slice = self.left.split_to(self.left.len().min(self.slice));
        self.turn = self.turn.saturating_sub(self.slice);
        self.sending.watch.sends_on(&self.sending.ticks);
        self.sending.row.sent(slice.len());
        Poll::Ready(Some(slice))
    }
}

impl Drop for Slices {
    fn drop(&mut self) {
        let Sending { row, watch, ticks, outcome, .. } = &self.sending;
        row.ends();
        row.count(if self.left.is_empty() { *outcome } else { FileOutcome::BrokenOff });
        watch.ends_to_send(ticks);
    }
}

/// Keeps a file as long as a slice of it is on its way.
struct Octets(Arc<File>);

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        &self.0.octets
    }
}

/// What is written at once, at most: a long one costs less, for who reads is woken less often; it is copied in some hundred
/// microseconds, for which answers on its thread wait.
const SLICE: usize = 512 * 1_024;
/// HTTP/2 takes the next one when one has gone into its frames,
const HTTP2_SLICE: usize = 16 * 1_024;
/// and so many of them make a turn.
const HTTP2_TURN: usize = 128 * 1_024;
/// A file up to this length goes into a socket at once, nearly, and is answered like a reply.
const SHORT_OCTETS_MAX: usize = 128 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = SHORT_OCTETS_MAX + 1;

    fn stranger(address: u64) -> Asker {
        Asker::Stranger(Share::Address(address))
    }

    #[test]
    fn strangers_leave_places_to_parties_and_to_each_other() {
        let places = Places::new(8, true);
        let take = |asker| places.take(LONG, asker);
        let greedy: Vec<_> = (0..2).map(|_| take(stranger(1)).expect("a place")).collect();
        assert!(take(stranger(1)).is_none(), "a quarter for one address");
        let others: Vec<_> = (2..6).map(|address| take(stranger(address)).expect("a place")).collect();
        assert!(take(stranger(6)).is_none(), "three quarters for all strangers");
        let parties = [take(Asker::Party), take(Asker::Party)];
        assert!(parties.iter().all(Option::is_some) && take(Asker::Party).is_none());
        assert!(places.take(SHORT_OCTETS_MAX, stranger(6)).is_some(), "a short file needs none");
        drop(greedy);
        assert!(take(stranger(1)).is_some(), "and who goes leaves its place");
        drop((others, parties));
        let taken = locked(&places.taken);
        assert!(taken.all == 0 && taken.strangers == 0 && taken.by_strangers.is_empty());
    }

    #[test]
    fn where_there_are_no_parties_strangers_have_all_places() {
        let places = Places::new(8, false);
        let all: Vec<_> = (0..9).map(|address| places.take(LONG, stranger(address))).collect();
        assert_eq!(all.iter().filter(|place| place.is_some()).count(), 8);
        assert!(Places::new(0, true).take(LONG, stranger(1)).is_some(), "fewer places than threads");
    }
}
