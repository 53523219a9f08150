//! The surroundings of the embedded ledger: a file of its own in a temporary folder, and what can be done to files.

use std::path::PathBuf;

use rusqlite::Connection;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Ledger, LedgerError};
use tempfile::TempDir;

use crate::nation;
use crate::world::{Corruption, World};

/// One ledger file.
pub struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        SqliteLedger::create(&folder.path().join("ledger.db"), &nation::genesis(1)).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// Somebody who may write to the file, and takes the triggers away first.
    fn intruder(&self) -> Connection {
        let intruder = Connection::open(self.path()).unwrap();
        intruder.execute_batch("DROP TRIGGER event_is_final; DROP TRIGGER certificate_is_final").unwrap();
        intruder
    }
}

impl World for Sqlite {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(SqliteLedger::open(&self.path()).unwrap())
    }

    fn put_in_inbox(&self, _command: &str) -> Option<u64> {
        None
    }

    fn filling_up(&self) -> Option<Box<dyn Ledger>> {
        let ledger = SqliteLedger::open(&self.path()).unwrap();
        ledger.limit_pages(200).unwrap();
        Some(Box::new(ledger))
    }

    fn corrupt(&self, what: Corruption) -> Option<()> {
        let sql = match what {
            Corruption::Event => {
                "UPDATE event SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'fe' AS BLOB) WHERE position = 2"
            }
            Corruption::Row => {
                "UPDATE certificate SET row = CAST(substr(row, 1, length(row) - 1) AS BLOB) WHERE no = 1"
            }
            Corruption::Status => {
                "UPDATE status SET state = CAST(substr(state, 1, length(state) - 1) AS BLOB) WHERE no = 1"
            }
        };
        assert_eq!(self.intruder().execute(sql, []).unwrap(), 1);
        Some(())
    }

    fn fork(&self) -> Option<Box<dyn Ledger>> {
        let copy = self.folder.path().join("copy.db");
        SqliteLedger::open(&self.path()).unwrap().backup(&copy).unwrap();
        Some(Box::new(SqliteLedger::open(&copy).unwrap()))
    }

    fn open_from_the_future(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        Connection::open(self.path()).unwrap().pragma_update(None, "user_version", 1000).unwrap();
        Some(SqliteLedger::open(&self.path()).map(|ledger| Box::new(ledger) as _))
    }

    fn open_rubbish(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        let rubbish = self.folder.path().join("rubbish");
        std::fs::write(&rubbish, [b'x'; 9000]).unwrap();
        Some(SqliteLedger::open(&rubbish).map(|ledger| Box::new(ledger) as _))
    }

    fn open_nothing(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        let nothing = self.folder.path().join("nothing.db");
        Some(SqliteLedger::open(&nothing).map(|ledger| Box::new(ledger) as _))
    }

    fn create_again(&self) -> Option<Result<Box<dyn Ledger>, LedgerError>> {
        Some(SqliteLedger::create(&self.path(), &nation::genesis(1)).map(|ledger| Box::new(ledger) as _))
    }
}
