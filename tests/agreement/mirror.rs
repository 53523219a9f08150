//! Two ledgers as one: whatever is asked of it is asked of both, and must be answered alike.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};
use tashika::model::{Book, CertificateKey, CertificateNo, Entry, ListNo, Millis, NodeId, Position, Status, Time};

use crate::memory_ledger::MemoryLedger;

/// The two.
pub struct Mirror {
    /// Policed, and asked first.
    pub memory: MemoryLedger,
    pub postgres: PostgresLedger,
    /// How many lists PostgreSQL has been given.
    lists: Mutex<u32>,
}

impl Mirror {
    pub fn new(memory: MemoryLedger, postgres: PostgresLedger) -> Self {
        Self { memory, postgres, lists: Mutex::new(0) }
    }

    /// The workload makes its lists in memory.
    fn copy_lists(&self) {
        let lists = self.memory.state().lists.clone();
        let mut copied = self.lists.lock().unwrap();
        for (list, members) in lists.iter().filter(|(list, _)| list.0 > *copied) {
            assert_eq!(self.postgres.new_list().unwrap(), *list);
            let members: Vec<_> = members.iter().copied().collect();
            self.postgres.add_to_list(*list, &members).unwrap();
        }
        *copied = lists.keys().last().map_or(*copied, |list| list.0);
    }

    fn appended(&self, batch: &Batch, in_memory: Result<(), LedgerError>) -> Result<(), LedgerError> {
        self.copy_lists();
        match (in_memory, self.postgres.append(batch)) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(error @ LedgerError::Moved { .. }), Err(LedgerError::Moved { .. })) => Err(error),
            (memory, postgres) => panic!("memory says {memory:?}, PostgreSQL {postgres:?} to {batch:#?}"),
        }
    }
}

/// An entry without what each ledger may put differently: since when an untouched certificate is as it is.
pub fn comparable(entry: Entry) -> Entry {
    let status = Status { as_of: Position(0), ..entry.status };
    Entry { status, ..entry }
}

impl Ledger for Mirror {
    fn head(&self) -> Result<Head, LedgerError> {
        let head = self.memory.head()?;
        assert_eq!(self.postgres.head()?, head);
        Ok(head)
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        let book = self.memory.book()?;
        assert_eq!(self.postgres.book()?, book);
        Ok(book)
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        self.copy_lists();
        let (mut theirs, mut ours) = (self.memory.find(wanted)?, self.postgres.find(wanted)?);
        for found in [&mut theirs, &mut ours] {
            found.answers.sort_by_key(|(key, _)| *key);
            found.budgets.sort_by_key(|(key, _)| key.clone());
            found.budgets.retain(|(_, used)| *used != tashika::model::BudgetUse::default());
        }
        let entries = |found: &Found| found.entries.iter().cloned().map(comparable).collect::<Vec<_>>();
        assert_eq!(ours.head, theirs.head);
        assert_eq!(entries(&ours), entries(&theirs), "{wanted:?}");
        assert_eq!((&ours.answers, &ours.budgets), (&theirs.answers, &theirs.budgets), "{wanted:?}");
        Ok(ours)
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        let numbers = self.memory.registered(keys)?;
        assert_eq!(self.postgres.registered(keys)?, numbers);
        Ok(numbers)
    }

    fn append(&self, batch: &Batch) -> Result<(), LedgerError> {
        self.appended(batch, self.memory.append(batch))
    }

    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        let batch = self.memory.append_in_turn(build)?;
        if !batch.is_empty() {
            self.appended(&batch, Ok(()))?;
        }
        Ok(batch)
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        let events = self.memory.events_after(after, limit)?;
        assert_eq!(self.postgres.events_after(after, limit)?, events);
        Ok(events)
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        let rows = self.memory.rows_from(first, limit)?;
        assert_eq!(self.postgres.rows_from(first, limit)?, rows);
        Ok(rows)
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        self.postgres.scan(visit)
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        let due = self.memory.due(now, limit)?;
        assert_eq!(self.postgres.due(now, limit)?, due);
        Ok(due)
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        let queue = self.memory.queue()?;
        assert_eq!(self.postgres.queue()?, queue);
        Ok(queue)
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        self.memory.new_list()
    }

    fn add_to_list(&self, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
        self.memory.add_to_list(list, members)
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        self.copy_lists();
        let members = self.memory.list_members(list, after, limit)?;
        assert_eq!(self.postgres.list_members(list, after, limit)?, members);
        Ok(members)
    }

    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        self.postgres.inbox(limit)
    }

    fn beat(&self, now: Time) -> Result<Heartbeat, LedgerError> {
        let beat = self.memory.beat(now)?;
        assert_eq!(self.postgres.beat(now)?, beat);
        Ok(beat)
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        self.postgres.heartbeat()
    }

    fn lease(&self, name: &str, node: NodeId, now: Millis, term_ms: u32) -> Result<Lease, LedgerError> {
        let lease = self.memory.lease(name, node, now, term_ms)?;
        assert_eq!(self.postgres.lease(name, node, now, term_ms)?, lease);
        Ok(lease)
    }

    fn release_lease(&self, name: &str, node: NodeId) -> Result<(), LedgerError> {
        self.memory.release_lease(name, node)?;
        self.postgres.release_lease(name, node)
    }

    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        self.postgres.wait(after, at_most)
    }

    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        self.postgres.wait_inbox(at_most)
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        self.postgres.strays()
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        self.postgres.upkeep()
    }
}
