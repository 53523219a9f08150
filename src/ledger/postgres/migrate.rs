//! The schema: made, recognised, brought up to date.

use postgres::error::{Error, SqlState};

use crate::ledger::{Batch, LedgerError};

use super::append;
use super::errors::{Purpose, failed, other};
use super::read::{stored, value};
use super::session::Session;

/// Makes the schema and writes the first batch, in one transaction.
pub(super) fn create(session: &mut Session, genesis: &Batch, name: &str) -> Result<(), LedgerError> {
    let mut transaction = session.client.transaction().map_err(other)?;
    // Two at once would both find nothing; the second waits here and then finds the first one's.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).map_err(other)?;
    let found = transaction.query("SELECT 1 FROM pg_namespace WHERE nspname = 'tashika'", &[]).map_err(other)?;
    if !found.is_empty() {
        return Err(LedgerError::Exists(name.to_owned()));
    }
    for migration in MIGRATIONS {
        apply(&mut transaction, migration)?;
    }
    let at = &genesis.at;
    transaction
        .execute(
            "INSERT INTO tashika.head VALUES ($1, $2, $3, $4, '', $5, 0, 0)",
            &[&stored(at.position.0), &&at.ledger.0[..], &i64::from(at.epoch.0), &&at.link[..], &at.time.unix()],
        )
        .map_err(other)?;
    append::send(genesis, Purpose::Other, |sql, parameters| transaction.query_one(sql, parameters)?.try_get(0))?;
    transaction.commit().map_err(|error| failed(&error, Purpose::Append))
}

/// Recognises the schema; brings an older one up to date if this session may.
pub(super) fn open(session: &mut Session, name: &str) -> Result<(), LedgerError> {
    let found = session.client.query("SELECT to_regclass('tashika.schema_version') IS NOT NULL", &[]);
    let found = found.map_err(|error| unseen(&error, name))?;
    if !found.iter().any(|row| row.try_get(0).unwrap_or(false)) {
        return Err(LedgerError::Missing(name.to_owned()));
    }
    match missing(version(session, name)?)? {
        [] => Ok(()),
        migrations => migrate(session, migrations, name),
    }
}

fn migrate(session: &mut Session, migrations: &[Migration], name: &str) -> Result<(), LedgerError> {
    let owner: bool = {
        let row = session
            .client
            .query_one("SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'tashika'", &[])
            .map_err(other)?;
        value(&row, 0)?
    };
    if !owner {
        return Err(LedgerError::Settings(format!(
            "{name} has an older schema: open it once as its owner, for instance with 'tashika ledger verify'"
        )));
    }
    let mut transaction = session.client.transaction().map_err(other)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).map_err(other)?;
    for migration in migrations {
        // Another process may have been faster.
        let done = transaction
            .query("SELECT 1 FROM tashika.schema_version WHERE version = $1", &[&migration.version])
            .map_err(other)?;
        if done.is_empty() {
            apply(&mut transaction, migration)?;
        }
    }
    transaction.commit().map_err(other)
}

fn apply(transaction: &mut postgres::Transaction<'_>, migration: &Migration) -> Result<(), LedgerError> {
    for part in migration.parts {
        transaction.batch_execute(part).map_err(other)?;
    }
    transaction
        .execute("INSERT INTO tashika.schema_version (version) VALUES ($1)", &[&migration.version])
        .map_err(other)?;
    Ok(())
}

fn version(session: &mut Session, name: &str) -> Result<i32, LedgerError> {
    let rows = session.client.query("SELECT max(version) FROM tashika.schema_version", &[]);
    let rows = rows.map_err(|error| unseen(&error, name))?;
    let version: Option<i32> = rows.first().map(|row| value(row, 0)).transpose()?.flatten();
    version.ok_or_else(|| LedgerError::Damaged("the schema's version is missing".to_owned()))
}

fn unseen(error: &Error, name: &str) -> LedgerError {
    match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => LedgerError::Settings(format!(
            "{name}: this user may not read the ledger: grant it tashika_server (or tashika_reader)"
        )),
        _ => failed(error, Purpose::Other),
    }
}

/// The migrations that a schema of this version still needs.
fn missing(found: i32) -> Result<&'static [Migration], LedgerError> {
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if found > known {
        let number = |version: i32| u32::try_from(version).unwrap_or_default();
        return Err(LedgerError::SchemaNewer { found: number(found), known: number(known) });
    }
    let first = MIGRATIONS.partition_point(|migration| migration.version <= found);
    Ok(&MIGRATIONS[first..])
}

/// A step from one version of the schema to the next.
struct Migration {
    version: i32,
    /// Run in this order.
    parts: &'static [&'static str],
}

/// Once released, a migration is never changed: what it made exists somewhere.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        parts: &[
            include_str!("migrations/0001_tables.sql"),
            include_str!("migrations/0001_bytes.sql"),
            include_str!("migrations/0001_checks.sql"),
            include_str!("migrations/0001_statuses.sql"),
            include_str!("migrations/0001_append.sql"),
            include_str!("migrations/0001_rules.sql"),
            include_str!("migrations/0001_read.sql"),
            include_str!("migrations/0001_running.sql"),
            include_str!("migrations/0001_inbox.sql"),
            include_str!("migrations/0001_roles.sql"),
        ],
    },
    Migration { version: 2, parts: &[include_str!("migrations/0002_crls.sql")] },
];

/// An advisory lock's name: "tashika" in ASCII.
const MIGRATION_LOCK: i64 = 0x0074_6173_6869_6b61;
