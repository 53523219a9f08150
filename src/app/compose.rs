//! The choice of adapters: the one file outside their rooms and the tests that names them.
//!
//! Called by the command line and by `serve`; everybody else sees the traits.

use std::sync::Arc;

use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Batch, Ledger, LedgerError};

use super::config::LedgerPlace;

/// Opens the ledger at that place.
pub fn open_ledger(place: &LedgerPlace) -> Result<Arc<dyn Ledger>, LedgerError> {
    match place {
        LedgerPlace::Postgres(_) => Err(no_postgres()),
        LedgerPlace::Sqlite(file) => Ok(Arc::new(SqliteLedger::open(file)?)),
    }
}

/// Makes a ledger at that place, which must have none.
pub fn create_ledger(place: &LedgerPlace, genesis: &Batch) -> Result<Arc<dyn Ledger>, LedgerError> {
    match place {
        LedgerPlace::Postgres(_) => Err(no_postgres()),
        LedgerPlace::Sqlite(file) => Ok(Arc::new(SqliteLedger::create(file, genesis)?)),
    }
}

fn no_postgres() -> LedgerError {
    LedgerError::Settings("this build keeps its ledger in SQLite only: use sqlite:FILE".into())
}
