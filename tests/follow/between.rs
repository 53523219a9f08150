//! A ledger for readers, of which one call is special: the n-th fails, or somebody else writes before it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tashika::ledger::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};
use tashika::model::{Book, CertificateKey, CertificateNo, Entry, ListNo, Millis, NodeId, Position, Time};

use crate::memory_ledger::MemoryLedger;

/// A handle on a ledger.
pub struct Between {
    truth: MemoryLedger,
    /// How many calls come before the special one.
    left: AtomicUsize,
    what: Mutex<What>,
}

/// What happens at the special call.
pub enum What {
    /// It fails; a scan in its middle.
    Fails,
    /// Somebody writes before it.
    Meanwhile(Box<dyn FnOnce() + Send>),
    /// It has been.
    Past,
}

impl Between {
    pub fn new(truth: &MemoryLedger, after: usize, what: What) -> Self {
        Self { truth: truth.clone(), left: AtomicUsize::new(after), what: Mutex::new(what) }
    }

    /// Whether the special call was made.
    pub fn has_been(&self) -> bool {
        matches!(*self.what.lock().unwrap_or_else(PoisonError::into_inner), What::Past)
    }

    fn turn(&self) -> Result<&MemoryLedger, LedgerError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            let what = std::mem::replace(&mut *self.what.lock().unwrap(), What::Past);
            match what {
                What::Fails => return Err(LedgerError::Unreachable("the connection broke".into())),
                What::Meanwhile(does) => does(),
                What::Past => {}
            }
        }
        Ok(&self.truth)
    }
}

impl Ledger for Between {
    fn head(&self) -> Result<Head, LedgerError> {
        self.turn()?.head()
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        self.turn()?.book()
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        self.turn()?.find(wanted)
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        self.turn()?.registered(keys)
    }

    fn append(&self, _: &Batch) -> Result<(), LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn append_in_turn(&self, _: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        self.turn()?.events_after(after, limit)
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        self.turn()?.rows_from(first, limit)
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        if let Err(broken) = self.turn() {
            let mut left = self.truth.head()?.certificates / 2;
            self.truth.scan(&mut |entry| {
                left = left.saturating_sub(1);
                if left == 0 { ControlFlow::Break(()) } else { visit(entry) }
            })?;
            return Err(broken);
        }
        self.truth.scan(visit)
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        self.turn()?.due(now, limit)
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        self.turn()?.queue()
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn add_to_list(&self, _: ListNo, _: &[CertificateNo]) -> Result<(), LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        self.turn()?.list_members(list, after, limit)
    }

    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        self.turn()?.inbox(limit)
    }

    fn beat(&self, _: Time) -> Result<Heartbeat, LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        self.turn()?.heartbeat()
    }

    fn lease(&self, _: &str, _: NodeId, _: Millis, _: u32) -> Result<Lease, LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn release_lease(&self, _: &str, _: NodeId) -> Result<(), LedgerError> {
        unreachable!("a follower writes nothing")
    }

    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        self.turn()?.wait(after, at_most)
    }

    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        self.turn()?.wait_inbox(at_most)
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        self.turn()?.strays()
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        unreachable!("a follower writes nothing")
    }
}
