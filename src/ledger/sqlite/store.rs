//! Connections to the database file: one that writes, several that read, one that checkpoints. Every other file of the
//! adapter reads and writes through [`Store::read`] and [`Store::write`].

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::ledger::LedgerError;

use super::failure::{at_commit, of_file};
use super::file::DRAFT;

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// Whoever holds it is the only writer of this process; SQLite's own lock keeps other processes out.
    writer: Mutex<Connection>,
    /// How many threads wait for the writer and are in a hurry. Those that aren't let them go first.
    hurrying: AtomicU32,
    /// Idle connections; a busy one belongs to the thread that took it.
    readers: Mutex<Vec<Connection>>,
    /// Moves the log into the file, beside writers and readers.
    checkpointer: Mutex<Connection>,
    /// Pages in the log after this process's last commit. Written by the writer's hook, read by whoever checkpoints.
    log_pages: Arc<AtomicU32>,
}

impl Store {
    /// Opens an existing file. Takes no lock and writes nothing.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let mut writer = connect(path, WRITER_CACHE_KIB).map_err(|error| of_file(path, error))?;
        let log_pages = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&log_pages);
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            count.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            hurrying: AtomicU32::new(0),
            readers: Mutex::new(Vec::new()),
            checkpointer: Mutex::new(connect(path, CHECKPOINTER_CACHE_KIB)?),
            log_pages,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads at one position: everything that `read` sees belongs to the same commit.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.with_reader(|connection| at_one_position(connection, read))
    }

    /// The same, for short reads before a write: through the writer's connection if it is free. SQLite empties the cache
    /// of every other connection at each commit, and a decision shouldn't have to begin with a cold one.
    pub fn read_warm<T>(&self, read: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        match self.writer.try_lock() {
            Ok(connection) if self.hurrying.load(Ordering::Relaxed) == 0 => {
                at_one_position(&connection, read).map_err(|error| of_file(&self.path, error))
            }
            _ => self.read(read),
        }
    }

    /// Lends a connection that reads, outside any transaction.
    pub fn with_reader<T>(&self, f: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, READER_CACHE_KIB).map_err(|error| of_file(&self.path, error))?,
        };
        let outcome = f(&connection).map_err(|error| of_file(&self.path, error));
        let mut idle = lock(&self.readers);
        if connection.is_autocommit() && idle.len() < READERS_IDLE_MAX {
            idle.push(connection);
        }
        outcome
    }

    /// Writes all or nothing. `Ok` is durable.
    pub fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.hurrying.fetch_add(1, Ordering::Relaxed);
        let connection = lock(&self.writer);
        self.hurrying.fetch_sub(1, Ordering::Relaxed);
        commit(&connection, write).map_err(|error| of_file(&self.path, error))
    }

    /// The same, for one of many long writes: leaves a gap first, so that others can write in between, be they threads of
    /// this process or other processes, which look for a gap every [`BUSY_STEP`].
    pub fn write_patiently<T>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        for _ in 0..GAPS_MAX {
            std::thread::sleep(GAP);
            if self.hurrying.load(Ordering::Relaxed) == 0 {
                break;
            }
        }
        commit(&lock(&self.writer), write).map_err(|error| of_file(&self.path, error))
    }

    /// Lets the file grow to so many pages at most: beyond it appends end in [`LedgerError::Full`].
    pub fn limit_pages(&self, pages: u32) -> Result<(), LedgerError> {
        let _: u32 = lock(&self.writer).pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0))?;
        Ok(())
    }

    /// From now on every write through this value is refused.
    pub fn forbid_writing(&self) -> Result<(), LedgerError> {
        lock(&self.writer).pragma_update(None, "query_only", true)?;
        Ok(())
    }

    /// Moves the log into the file once it is longer than `pages`. Beside other work: only the last bit of a log that
    /// never finds a pause is moved while writers wait.
    pub fn checkpoint_beyond(&self, pages: u32) -> Result<(), LedgerError> {
        if self.log_pages.load(Ordering::Relaxed) <= pages {
            return Ok(());
        }
        let connection = match self.checkpointer.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody is at it.
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let mut left = checkpoint(&connection, "PASSIVE")?;
        if left > 0 && self.log_pages.load(Ordering::Relaxed) > LOG_PAGES_MAX {
            let _writer = lock(&self.writer);
            left = checkpoint(&connection, "PASSIVE")?;
        }
        if left == 0 {
            self.log_pages.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Moves the whole log into the file, so that the file alone is the ledger.
    pub fn fold(&self) -> Result<(), LedgerError> {
        checkpoint(&lock(&self.checkpointer), "TRUNCATE").map(drop)
    }
}

fn at_one_position<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    execute(connection, "BEGIN")?;
    let _open = OpenTransaction(connection);
    read(connection)
}

fn commit<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let _open = OpenTransaction(connection);
    let value = write(connection)?;
    connection.prepare_cached("COMMIT")?.execute([]).map_err(at_commit)?;
    Ok(value)
}

/// Rolls back what was not committed when it goes out of scope, also when unwinding.
struct OpenTransaction<'c>(&'c Connection);

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        // SQLite has already rolled back after some errors; then there is nothing left to do.
        if !self.0.is_autocommit() {
            let _ = execute(self.0, "ROLLBACK");
        }
    }
}

/// Opens a connection with the settings that all of them need.
pub(super) fn connect(path: &Path, cache_kib: u32) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // Bounded, and in steps short enough to find the gap between two chunks of another process.
    connection.busy_handler(Some(|count: i32| {
        std::thread::sleep(BUSY_STEP);
        count < BUSY_STEPS_MAX
    }))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {LOG_BYTES_KEPT};
         PRAGMA cache_size = -{cache_kib};
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;"
    ))?;
    Ok(connection)
}

/// Runs a statement without parameters and results.
pub(super) fn execute(connection: &Connection, sql: &str) -> Result<(), LedgerError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// A path as messages name it: a draft by the name that it is to have.
pub(super) fn place(path: &Path) -> String {
    let name = path.display().to_string();
    let draft = name.rsplit_once(DRAFT).filter(|(_, process)| process.bytes().all(|digit| digit.is_ascii_digit()));
    format!("'{}'", draft.map_or(&name[..], |(whole, _)| whole))
}

/// Says how many pages of the log are still not in the file.
fn checkpoint(connection: &Connection, mode: &str) -> Result<i64, LedgerError> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    Ok(connection.query_row(&sql, [], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))?)
}

/// What a mutex guards here is a connection or a list of them, sound even where a thread panicked: its transaction was
/// rolled back while unwinding.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const WRITER_CACHE_KIB: u32 = 64 * 1024;
const READER_CACHE_KIB: u32 = 16 * 1024;
const CHECKPOINTER_CACHE_KIB: u32 = 1024;
/// More than threads usually call at once; what is above is closed again.
const READERS_IDLE_MAX: usize = 8;
/// All statements of the adapter.
const STATEMENTS: usize = 64;
const BUSY_STEP: Duration = Duration::from_micros(200);
/// Ten seconds: two hundred times the longest that a chunk may hold the lock.
const BUSY_STEPS_MAX: i32 = 50_000;
/// Longer than a step of whoever waits in another process.
const GAP: Duration = Duration::from_micros(300);
/// However many are in a hurry, a long write has its turn after 15 ms.
const GAPS_MAX: u32 = 50;
/// 256 MiB of log: from here on, writers wait until it is short again.
const LOG_PAGES_MAX: u32 = 64 * 1024;
/// What the log file may keep on the disk once it has been moved.
const LOG_BYTES_KEPT: u32 = 64 * 1024 * 1024;
