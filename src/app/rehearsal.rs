//! A ledger for trying: everything is read from the real one, and what is appended is kept aside and goes nowhere.
//!
//! For `--dry-run`: the same desk decides by the same rules, and what it would have recorded can be read back. Never
//! writes to the real ledger, takes no lease and beats no heart in it.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ledger::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};
use crate::model::{Book, CertificateKey, CertificateNo, Entry, ListNo, Millis, NodeId, Position, Time};

/// A rehearsal of one command on a ledger.
pub struct Rehearsal {
    real: Arc<dyn Ledger>,
    aside: Mutex<Aside>,
}

/// What was not written.
#[derive(Default)]
struct Aside {
    /// Where the real ledger stood before, and where it would stand now.
    heads: Option<(Head, Head)>,
    events: Vec<Sealed>,
    /// The members of the one list that a command makes.
    members: Vec<CertificateNo>,
    sorted: bool,
}

impl Rehearsal {
    /// On that ledger.
    pub fn on(real: Arc<dyn Ledger>) -> Self {
        Self { real, aside: Mutex::default() }
    }

    /// Whether the command would have left an event: what was answered before, or is so already, leaves none.
    pub fn has_events(&self) -> bool {
        !self.aside().events.is_empty()
    }

    fn aside(&self) -> MutexGuard<'_, Aside> {
        // A list of events is sound wherever a thread stopped adding to it.
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for Rehearsal {
    fn head(&self) -> Result<Head, LedgerError> {
        let kept = self.aside().heads.as_ref().map(|(_, next)| next.clone());
        kept.map_or_else(|| self.real.head(), Ok)
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        self.real.book()
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        self.real.find(wanted)
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        self.real.registered(keys)
    }

    fn append(&self, batch: &Batch) -> Result<(), LedgerError> {
        let now = self.head()?;
        if (now.position, now.link) != (batch.at.position, batch.at.link) {
            return Err(LedgerError::Moved { now: now.position });
        }
        let mut aside = self.aside();
        let before = aside.heads.take().map_or(now, |(before, _)| before);
        aside.heads = Some((before, batch.next.clone()));
        aside.events.extend(batch.events.iter().cloned());
        Ok(())
    }

    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        let batch = build(&self.head()?)?;
        self.append(&batch)?;
        Ok(batch)
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        let mut events = self.real.events_after(after, limit)?;
        let aside = self.aside();
        if let Some((before, _)) = &aside.heads {
            // Whatever others have written there meanwhile, this is about what would have been written.
            events.retain(|event| event.position <= before.position);
            let more = aside.events.iter().filter(|event| event.position > after);
            events.extend(more.take(limit - events.len()).cloned());
        }
        Ok(events)
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        self.real.rows_from(first, limit)
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        self.real.scan(visit)
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        self.real.due(now, limit)
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        self.real.queue()
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        *self.aside() = Aside::default();
        Ok(LIST)
    }

    fn add_to_list(&self, _: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
        let mut aside = self.aside();
        aside.members.extend_from_slice(members);
        aside.sorted = false;
        Ok(())
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        if list != LIST {
            return self.real.list_members(list, after, limit);
        }
        let mut aside = self.aside();
        if !aside.sorted {
            aside.members.sort_unstable();
            aside.members.dedup();
            aside.sorted = true;
        }
        let from = aside.members.partition_point(|no| *no <= after);
        Ok(aside.members[from..].iter().take(limit).copied().collect())
    }

    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        self.real.inbox(limit)
    }

    fn beat(&self, _: Time) -> Result<Heartbeat, LedgerError> {
        Err(only_tried())
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        self.real.heartbeat()
    }

    fn lease(&self, _: &str, _: NodeId, _: Millis, _: u32) -> Result<Lease, LedgerError> {
        Err(only_tried())
    }

    fn release_lease(&self, _: &str, _: NodeId) -> Result<(), LedgerError> {
        Err(only_tried())
    }

    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        self.real.wait(after, at_most)
    }

    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        self.real.wait_inbox(at_most)
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        self.real.strays()
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        Ok(Upkeep::Idle)
    }
}

fn only_tried() -> LedgerError {
    LedgerError::Refused("nobody leads in a rehearsal".into())
}

/// A number that no ledger gives out before it has made as many lists.
const LIST: ListNo = ListNo(u32::MAX);
