//! The schema of an embedded ledger: made whole by `create`, brought up to date by `open`.
//!
//! `application_id` says that a file is a ledger, `user_version` which schema it has. A version that was released is
//! never edited; what changes is a further script.

use rusqlite::Connection;

use crate::ledger::LedgerError;

use super::store::{Store, place};

/// The newest schema that this program knows.
pub(super) const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// Makes every table in an empty database, within the caller's transaction.
pub(super) fn make(connection: &Connection) -> Result<(), LedgerError> {
    connection.pragma_update(None, "application_id", APPLICATION)?;
    migrate(connection, 0)
}

/// Makes sure that a file is a ledger, of a schema that this program can write.
pub(super) fn bring_up_to_date(store: &Store) -> Result<(), LedgerError> {
    let (application, version) = store.read(|connection| {
        let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        Ok((application, version_of(connection)?))
    })?;
    if application != APPLICATION {
        return Err(LedgerError::Strange(place(store.path())));
    }
    if version < SCHEMA {
        return store.write(|connection| {
            // Another process may have been faster, so it is read again under the lock.
            let version = version_of(connection)?;
            migrate(connection, version)
        });
    }
    if version > SCHEMA { Err(LedgerError::SchemaNewer { found: version, known: SCHEMA }) } else { Ok(()) }
}

fn version_of(connection: &Connection) -> Result<u32, LedgerError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn migrate(connection: &Connection, from: u32) -> Result<(), LedgerError> {
    for script in MIGRATIONS.iter().skip(from as usize) {
        connection.execute_batch(script)?;
    }
    connection.pragma_update(None, "user_version", SCHEMA.max(from))?;
    Ok(())
}

/// Script *n* leads from version *n* to the next.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];
/// "taSH" in ASCII.
const APPLICATION: i32 = 0x7461_5348;
