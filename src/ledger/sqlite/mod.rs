//! The embedded ledger: one SQLite file, several processes at once. The default.
//!
//! `store` holds the connections, `schema_1.sql` the tables and the triggers that guard them, `append` and `find` what
//! the desk does, `scan` what followers do, `lookup` the index for random names. The file is in WAL mode with every
//! commit flushed; the log is moved into the file beside other work. Made by `app::compose` and by tests.
//! Never decides, never interprets an event but to find the book, never lets a file be anything but whole.

mod append;
mod beside;
mod book;
mod failure;
mod file;
mod find;
mod head;
mod lease;
mod lists;
mod lookup;
mod scan;
mod schema;
mod store;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};
use crate::model::{Book, CertificateKey, CertificateNo, Entry, ListNo, Millis, NodeId, Position, Time};

use book::BookCache;
use lookup::{Addition, Lookup, Step};
use store::Store;

/// A ledger in a file.
#[derive(Debug)]
pub struct SqliteLedger {
    store: Store,
    book: BookCache,
    lookup: Lookup,
}

impl SqliteLedger {
    /// The newest schema that this program knows; older ones are brought up to it when they are opened.
    pub const SCHEMA: u32 = schema::SCHEMA;

    /// Makes a new ledger with its first batch. There is a whole ledger at `path` afterwards, or what was there before.
    pub fn create(path: &Path, genesis: &Batch) -> Result<Self, LedgerError> {
        file::make(path, |path| {
            file::make_draft(path)?;
            let ledger = Self::on(Store::open(path)?);
            ledger.store.write(|connection| {
                schema::make(connection)?;
                head::insert_head(connection, &Head::before_first(genesis.at.ledger))
            })?;
            ledger.append(genesis)?;
            ledger.store.fold()
        })?;
        Self::open(path)
    }

    /// Opens a ledger, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let ledger = Self::open_unproved(path)?;
        ledger.store.read(|connection| {
            let head = head::read_head(connection)?;
            let last = scan::events_after(connection, Position(head.position.0 - 1), 2)?;
            match &last[..] {
                [event] if (event.position, event.link) == (head.position, head.link) => Ok(()),
                _ => Err(LedgerError::Damaged("its last event is not the one that its head names".into())),
            }
        })?;
        Ok(ledger)
    }

    /// Opens a ledger for whoever proves it: its end may be other than its head says, and nothing can be written.
    pub fn open_to_verify(path: &Path) -> Result<Self, LedgerError> {
        let ledger = Self::open_unproved(path)?;
        ledger.store.forbid_writing()?;
        Ok(ledger)
    }

    /// Copies the ledger as of one position into a new file, while others go on writing.
    pub fn backup(&self, to: &Path) -> Result<Head, LedgerError> {
        file::make(to, |to| file::copy(&self.store, to))?;
        Self::open(to)?.head()
    }

    /// Brings a backup to a place where there is no ledger, once `prove` has taken the copy for good. The backup is only
    /// read; what is proved are the very octets that the ledger will have; there is all of it at `to`, or nothing.
    pub fn restore<E: From<LedgerError>>(
        from: &Path,
        to: &Path,
        prove: impl FnOnce(&dyn Ledger) -> Result<(), E>,
    ) -> Result<Head, E> {
        file::make::<E>(to, |draft| {
            file::copy_backup(from, draft)?;
            let ledger = Self::open_unproved(draft)?;
            prove(&ledger)?;
            Ok(ledger.store.fold()?)
        })?;
        Ok(Self::open(to)?.head()?)
    }

    /// Lets the file grow to so many pages of 4 KiB at most, through this value: beyond, appends end in
    /// [`LedgerError::Full`] and nothing is written.
    pub fn limit_pages(&self, pages: u32) -> Result<(), LedgerError> {
        self.store.limit_pages(pages)
    }

    fn open_unproved(path: &Path) -> Result<Self, LedgerError> {
        file::must_be_openable(path)?;
        let ledger = Self::on(Store::open(path)?);
        schema::bring_up_to_date(&ledger.store)?;
        Ok(ledger)
    }

    fn on(store: Store) -> Self {
        Self { store, book: BookCache::default(), lookup: Lookup::default() }
    }
}

impl Ledger for SqliteLedger {
    fn head(&self) -> Result<Head, LedgerError> {
        self.store.with_reader(head::read_head)
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        self.store.read(|connection| {
            let head = head::read_head(connection)?;
            Ok((head.position, Book::clone(&*self.book.at(connection, &head)?)))
        })
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        self.store.read_warm(|connection| {
            let head = head::read_head(connection)?;
            let book = self.book.at(connection, &head)?;
            find::find(connection, &self.lookup, head, &book, wanted)
        })
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        self.store.read_warm(|connection| find::registered(connection, &self.lookup, keys))
    }

    fn append(&self, batch: &Batch) -> Result<(), LedgerError> {
        let addition = Addition::of(&batch.rows)?;
        let write = |connection: &Connection| append::append(connection, &self.lookup, batch, &addition);
        match &addition {
            Addition::Bulk { .. } => self.store.write_patiently(write)?,
            Addition::Few(_) => self.store.write(write)?,
        }
        self.pay(&addition);
        Ok(())
    }

    /// The turn is SQLite's write lock; `build` reads through other connections, which see the head it is given.
    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        let (batch, addition) = self.store.write_patiently(|connection| {
            let batch = build(&head::read_head(connection)?)?;
            let addition = Addition::of(&batch.rows)?;
            if !batch.is_empty() {
                append::append(connection, &self.lookup, &batch, &addition)?;
            }
            Ok((batch, addition))
        })?;
        self.pay(&addition);
        Ok(batch)
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        self.store.with_reader(|connection| scan::events_after(connection, after, limit))
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        self.store.with_reader(|connection| scan::rows_from(connection, first, limit))
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        self.store.read(|connection| {
            let head = head::read_head(connection)?;
            let book = self.book.at(connection, &head)?;
            scan::scan(connection, &book, head.certificates, visit)?;
            Ok(head)
        })
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        self.store.with_reader(|connection| scan::due(connection, now, limit))
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        self.store.with_reader(scan::queue)
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        self.store.write(lists::new_list)
    }

    fn add_to_list(&self, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
        self.store.write_patiently(|connection| lists::add(connection, list, members))?;
        // As after an append.
        let _ = self.store.checkpoint_beyond(LOG_PAGES_BULK);
        Ok(())
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        self.store.with_reader(|connection| lists::members(connection, list, after, limit))
    }

    /// Always empty: who can write into an embedded ledger is the program itself.
    fn inbox(&self, _limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        Ok(Vec::new())
    }

    fn beat(&self, now: Time) -> Result<Heartbeat, LedgerError> {
        self.store.write(|connection| head::beat(connection, now))
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        self.store.with_reader(head::read_heartbeat)
    }

    fn lease(&self, name: &str, node: NodeId, now: Millis, term_ms: u32) -> Result<Lease, LedgerError> {
        self.store.write(|connection| lease::take(connection, name, node, now, term_ms))
    }

    fn release_lease(&self, name: &str, node: NodeId) -> Result<(), LedgerError> {
        self.store.write(|connection| lease::release(connection, name, node))
    }

    /// Asks for `data_version`, which changes with every commit of another connection, and only then for the head.
    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        self.store.with_reader(|connection| {
            let mut seen = None;
            for _ in 0..=at_most.as_micros() / POLL_EVERY.as_micros() {
                let version: i64 = connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
                if seen != Some(version) {
                    seen = Some(version);
                    if head::read_head(connection)?.position > after {
                        return Ok(());
                    }
                }
                std::thread::sleep(POLL_EVERY);
            }
            Ok(())
        })
    }

    /// Nothing ever comes.
    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        std::thread::sleep(at_most);
        Ok(Heard::Nothing)
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        beside::strays(&self.store, &self.lookup)
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        let step = lookup::step(&self.store)?;
        self.store.checkpoint_beyond(LOG_PAGES_CALM)?;
        Ok(match step {
            Step::Idle => Upkeep::Idle,
            Step::Moved(_) => Upkeep::More,
        })
    }
}

impl SqliteLedger {
    /// The upkeep that a registration owes for itself. The batch is acknowledged whatever becomes of this; the next
    /// `upkeep` will say what is wrong.
    fn pay(&self, addition: &Addition) {
        let mut debt = addition.debt();
        while debt > 0 {
            match lookup::step(&self.store) {
                Ok(Step::Moved(entries)) => debt = debt.saturating_sub(entries.max(STEP_COST_MIN)),
                Ok(Step::Idle) | Err(_) => break,
            }
        }
        let pages = if addition.debt() > 0 { LOG_PAGES_CALM } else { LOG_PAGES_BULK };
        let _ = self.store.checkpoint_beyond(pages);
    }
}

/// What the shortest step counts for, in entries.
const STEP_COST_MIN: u64 = 2048;
/// How often a waiting follower looks: 2 µs of work each time.
const POLL_EVERY: Duration = Duration::from_millis(2);
/// 16 MiB of log are moved by upkeep and after bulk work.
const LOG_PAGES_CALM: u32 = 4 * 1024;
/// 128 MiB of log are moved by whoever appends.
const LOG_PAGES_BULK: u32 = 32 * 1024;
