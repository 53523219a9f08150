//! A file on its way: slices of its memory, one at a time, so that a download of megabytes holds up nobody beside it. Made
//! by `files`, sent by hyper.
//!
//! Between two slices the thread looks after everybody else. Nothing is copied but into the socket, and nothing is allocated
//! that grows with the file; who has begun one reads it to its end, whatever is published meanwhile.

use std::convert::Infallible;
use std::future::Future as _;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::Version;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::file_counts::{FileOutcome, Row};
use super::watch::{Ticks, Watch};
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
    taken: Arc<AtomicUsize>,
    max: usize,
    for_strangers: usize,
}

/// A place that is taken until this goes; none: a short file needs none.
pub(super) struct Place(Option<Arc<AtomicUsize>>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(taken) = &self.0 {
            taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whose address asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A relying party's.
    Party,
    /// Nobody's in particular.
    Stranger,
}

impl Places {
    /// So many. Strangers leave some to relying parties.
    pub fn new(max: usize) -> Self {
        let max = max.max(1);
        Self { taken: Arc::default(), max, for_strangers: (max * 3 / 4).max(1) }
    }

    /// One for a file of this length; none: too many are taken.
    pub fn take(&self, length: usize, asker: Asker) -> Option<Place> {
        if length <= SLICE {
            return Some(Place(None));
        }
        let max = if asker == Asker::Party { self.max } else { self.for_strangers };
        // Only this thread takes any.
        if self.taken.load(Ordering::Relaxed) >= max {
            return None;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(Place(Some(self.taken.clone())))
    }
}

impl Answer {
    /// These octets of a file.
    pub fn of(file: Arc<File>, octets: Range<usize>, version: Version, sending: Sending) -> Self {
        let left = Bytes::from_owner(Octets(file)).slice(octets);
        sending.row.begins();
        sending.watch.begins_to_send(&sending.ticks);
        let slice = if version >= Version::HTTP_2 { HTTP2_SLICE } else { SLICE };
        Self::File(Box::new(Slices { left, slice, turn: SLICE, sending }))
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
            self.turn = SLICE;
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

/// What is written at once: long enough that calls to the system cost little beside copying (measured: half as long costs a
/// quarter more), and copied in some tens of microseconds. A file that fits into one is answered like a reply.
pub(super) const SLICE: usize = 128 * 1_024;
/// What HTTP/2 puts into one frame; it takes the next one when that has gone.
const HTTP2_SLICE: usize = 16 * 1_024;
const _: () = assert!(SLICE.is_multiple_of(HTTP2_SLICE));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_leave_places_to_parties_and_short_files_need_none() {
        let places = Places::new(4);
        let take = |asker| places.take(SLICE + 1, asker);
        let strangers: Vec<_> = (0..3).map(|_| take(Asker::Stranger).expect("a place")).collect();
        assert!(take(Asker::Stranger).is_none());
        let party = take(Asker::Party);
        assert!(party.is_some() && take(Asker::Party).is_none());
        assert!(places.take(SLICE, Asker::Stranger).is_some());
        drop(strangers);
        assert!(take(Asker::Stranger).is_some(), "and who goes leaves its place");
        assert!(Places::new(0).take(SLICE + 1, Asker::Stranger).is_some(), "fewer places than threads");
    }
}
