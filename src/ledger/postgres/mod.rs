//! The ledger in PostgreSQL: one database for a fleet, with roles that can't rewrite what is recorded.
//!
//! An append is one round trip to a function that checks everything again and writes everything (`migrations/`); so is a
//! `find`. The role of a running server may execute these functions and write nothing by itself. Connections are to the
//! server itself (or a replica, for reading), not to a pooler that shares sessions. Used by the composition and by tests.
//!
//! Never decides, never keeps a transaction open between calls, never starts a thread.

mod append;
mod beside;
mod copy;
mod errors;
mod find;
mod hints;
mod migrate;
mod pool;
mod read;
mod running;
mod scan;
mod session;
mod tls;
mod url;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::{Book, CertificateKey, CertificateNo, Entry, ListNo, Millis, NodeId, Position, Time};

use super::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};

use find::Peaks;
use hints::Hints;
use pool::Pool;
use url::Address;

/// A ledger in a PostgreSQL database.
pub struct PostgresLedger {
    pool: Pool,
    hints: Hints,
    /// The book as it was last read. Whoever finds a head with a later one reads it again and swaps it in whole.
    book: Mutex<Arc<KeptBook>>,
    peaks: Peaks,
}

#[derive(Default)]
struct KeptBook {
    read_at: Position,
    book: Book,
}

impl PostgresLedger {
    /// Makes a ledger in an existing, UTF-8 database that has none, with `genesis` as its first batch; all or nothing.
    ///
    /// Whoever the URL names becomes the owner: the one who may migrate and purge, and who grants the role
    /// `tashika_server` to the login that servers use (`docs/INTEGRATING.md`).
    pub fn create(url: &str, genesis: &Batch) -> Result<Self, LedgerError> {
        let ledger = Self::at(url)?;
        ledger.pool.once(|session| migrate::create(session, genesis, ledger.pool.name())).map_err(create_first)?;
        Ok(ledger)
    }

    /// Opens a ledger. An older schema is brought up to date if the URL names the owner; a newer one is refused.
    pub fn open(url: &str) -> Result<Self, LedgerError> {
        let ledger = Self::at(url)?;
        ledger.pool.once(|session| migrate::open(session, ledger.pool.name()))?;
        Ok(ledger)
    }

    fn at(url: &str) -> Result<Self, LedgerError> {
        let pool = Pool::new(Address::parse(url)?);
        Ok(Self { pool, hints: Hints::default(), book: Mutex::default(), peaks: Peaks::default() })
    }

    /// A book that is current for `head`, without set events later than it.
    fn book_for(&self, head: &Head) -> Result<Arc<KeptBook>, LedgerError> {
        let kept = Arc::clone(&self.book.lock().unwrap_or_else(PoisonError::into_inner));
        let kept = if kept.read_at < head.book || kept.read_at == Position(0) { self.read_book()? } else { kept };
        if kept.book.sets.last().is_none_or(|set| set.position <= head.position) {
            return Ok(kept);
        }
        let mut book = kept.book.clone();
        book.sets.retain(|set| set.position <= head.position);
        Ok(Arc::new(KeptBook { read_at: head.position, book }))
    }

    fn read_book(&self) -> Result<Arc<KeptBook>, LedgerError> {
        let (read_at, book) = self.pool.read(read::book)?;
        let kept = Arc::new(KeptBook { read_at, book });
        *self.book.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&kept);
        Ok(kept)
    }
}

impl Ledger for PostgresLedger {
    fn head(&self) -> Result<Head, LedgerError> {
        self.pool.read(read::head)
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        let kept = self.read_book()?;
        Ok((kept.read_at, kept.book.clone()))
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        let raw = self.pool.read(|session| find::find(session, &self.peaks, wanted))?;
        let kept = self.book_for(&raw.head)?;
        Ok(raw.overlaid(&kept.book))
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        self.pool.read(|session| read::registered(session, keys))
    }

    fn append(&self, batch: &Batch) -> Result<(), LedgerError> {
        self.pool.append(|session| append::append(session, batch))
    }

    /// The turn is a lock on the head's row; `build` reads in other sessions, which are never among those that wait for it.
    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        self.pool.append(|session| append::in_turn(session, build))
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        self.pool.read(|session| read::events_after(session, after, limit))
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        self.pool.read(|session| read::rows_from(session, first, limit))
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        self.pool.settled()?;
        scan::scan(self.pool.address(), visit)
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        self.pool.read(|session| read::due(session, now, limit))
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        self.pool.read(read::queue)
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        self.pool.once(running::new_list)
    }

    fn add_to_list(&self, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
        // Adding twice changes nothing, so a lost connection is answered by trying again.
        self.pool.write(|session| running::add_to_list(session, list, members))
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        self.pool.read(|session| read::list_members(session, list, after, limit))
    }

    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        self.pool.read(|session| read::inbox(session, limit))
    }

    fn beat(&self, now: Time) -> Result<Heartbeat, LedgerError> {
        self.pool.write(|session| running::beat(session, now))
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        self.hints.grow_old();
        self.pool.read(read::heartbeat)
    }

    fn lease(&self, name: &str, node: NodeId, now: Millis, term_ms: u32) -> Result<Lease, LedgerError> {
        self.pool.write(|session| running::lease(session, name, node, now, term_ms))
    }

    fn release_lease(&self, name: &str, node: NodeId) -> Result<(), LedgerError> {
        self.pool.read(|session| running::release_lease(session, name, node))
    }

    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        self.hints.wait(&self.pool, after, at_most)
    }

    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        self.hints.wait_inbox(&self.pool, at_most)
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        self.pool.read(beside::strays)
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        self.pool.read(running::upkeep)
    }
}

fn create_first(error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Missing(name) => LedgerError::NoDatabase(name),
        other => other,
    }
}
