//! The surroundings of the embedded ledger: a file in a folder of its own, and what can happen to a file.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Ledger, LedgerError};

use crate::nation;
use crate::processes::{Address, Kind};
use crate::world::{Corruption, World};

/// A ledger in a file.
pub struct Embedded {
    folder: tempfile::TempDir,
}

impl Embedded {
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        SqliteLedger::create(&world.path(), &nation::genesis(1)).expect("an empty folder");
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// As somebody would who may write to the file, without the ledger.
    fn intrude(&self, sql: &str) {
        let connection = Connection::open(self.path()).expect("the file");
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

pub fn open(path: &Path) -> Result<Box<dyn Ledger>, LedgerError> {
    SqliteLedger::open(path).map(|ledger| Box::new(ledger) as Box<dyn Ledger>)
}

impl World for Embedded {
    fn open(&self) -> Box<dyn Ledger> {
        open(&self.path()).expect("the ledger that was made")
    }

    fn put_in_inbox(&self, _command: &str) -> Option<u64> {
        None
    }

    fn address(&self) -> Option<Address> {
        Some(Address { kind: Kind::Sqlite, place: self.path().display().to_string() })
    }

    fn filling_up(&self) -> Option<Box<dyn Ledger>> {
        let ledger = SqliteLedger::open(&self.path()).expect("the ledger that was made");
        let pages: u32 = Connection::open(self.path())
            .and_then(|connection| connection.pragma_query_value(None, "page_count", |row| row.get(0)))
            .expect("the size of the file");
        ledger.limit_pages(pages + ROOM_PAGES).expect("more than there are");
        Some(Box::new(ledger))
    }

    fn corrupt(&self, what: Corruption) -> Option<()> {
        self.intrude(match what {
            Corruption::Event => {
                "DROP TRIGGER event_is_final;
                 UPDATE event SET bytes = cast(substr(bytes, 1, length(bytes) - 1) || x'ff' AS BLOB) WHERE position = 2;"
            }
            Corruption::Row => {
                "DROP TRIGGER certificate_is_final;
                 UPDATE certificate SET row = substr(row, 1, length(row) - 1) WHERE no = 1;"
            }
            Corruption::Status => "UPDATE status SET state = substr(state, 1, length(state) - 1) WHERE no = 1;",
        });
        Some(())
    }

    fn fork(&self) -> Option<Box<dyn Ledger>> {
        let copy = self.folder.path().join("copy.db");
        let ledger = SqliteLedger::open(&self.path()).expect("the ledger that was made");
        ledger.backup(&copy).expect("room for a copy");
        Some(open(&copy).expect("the copy"))
    }

    fn open_from_the_future(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        self.intrude("PRAGMA user_version = 1000");
        Some(open(&self.path()))
    }

    fn open_rubbish(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        let path = self.folder.path().join("rubbish.db");
        std::fs::write(&path, "no ledger at all, nor a database of any kind; longer than any magic number\n").ok()?;
        Some(open(&path))
    }

    fn open_nothing(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        Some(open(&self.folder.path().join("nothing.db")))
    }

    fn create_again(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        let made = SqliteLedger::create(&self.path(), &nation::genesis(2));
        Some(made.map(|ledger| Box::new(ledger) as Box<dyn Ledger>))
    }
}

/// Room for some appends, not for many.
const ROOM_PAGES: u32 = 40;
