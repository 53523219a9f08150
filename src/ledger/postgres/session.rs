//! One session with the database: made with its settings checked, its statements prepared once.

use std::collections::HashMap;

use postgres::types::ToSql;
use postgres::{Client, Error, NoTls, Row, Statement};

use crate::ledger::LedgerError;

use super::errors::{connecting, other, unreadable};
use super::tls;
use super::url::{Address, Wire};

/// A session.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) backend: Backend,
    /// Whether it is to be kept after use.
    pub(super) fate: Fate,
    prepared: HashMap<&'static str, Statement>,
}

/// What becomes of a session after use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Something may be left on the wire: it is closed.
    Close,
    /// It is kept.
    Keep,
}

/// The server's process behind a session, and when it began: the numbers of processes come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    process: i32,
    began_us: i64,
}

/// Parameters of a statement.
pub(super) type Parameters<'a> = [&'a (dyn ToSql + Sync)];

impl Session {
    /// Connects, and refuses a server that would lose what it acknowledges.
    pub(super) fn connect(address: &Address) -> Result<Self, LedgerError> {
        let config = postgres::Config::from(address.config.clone());
        let client = match &address.wire {
            Wire::Plain => config.connect(NoTls),
            Wire::Verified { roots } => config.connect(tls::connector(roots.as_deref())?),
        };
        let mut client = client.map_err(|error| connecting(&error, &address.name))?;
        let row = client.query_one(ABOUT, &[]).map_err(other)?;
        let text = |column: &str| row.try_get::<_, String>(column).map_err(unreadable);
        let wrong = |what: &str| Err(LedgerError::Settings(format!("{}: {what}", address.name)));
        if row.try_get::<_, i32>("version").map_err(unreadable)? < SERVER_VERSION_MIN {
            return wrong("PostgreSQL 14 or later is needed");
        }
        if text("encoding")? != "UTF8" {
            return wrong("the database's encoding must be UTF8");
        }
        if text("fsync")? != "on" || text("full_page_writes")? != "on" {
            return wrong("fsync and full_page_writes must be on: a ledger doesn't lose what it acknowledged");
        }
        if text("synchronous_commit")? == "off" {
            client.batch_execute("SET synchronous_commit = on").map_err(other)?;
        }
        let backend = Backend {
            process: row.try_get("process").map_err(unreadable)?,
            began_us: row.try_get("began_us").map_err(unreadable)?,
        };
        Ok(Self { client, backend, fate: Fate::Keep, prepared: HashMap::new() })
    }

    /// Runs a statement that is prepared the first time and sent in one round trip afterwards.
    pub(super) fn query(&mut self, sql: &'static str, parameters: &Parameters<'_>) -> Result<Vec<Row>, Error> {
        let statement = match self.prepared.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(sql)?;
                self.prepared.insert(sql, statement.clone());
                statement
            }
        };
        self.client.query(&statement, parameters)
    }

    /// The same for what returns one row.
    pub(super) fn query_one(&mut self, sql: &'static str, parameters: &Parameters<'_>) -> Result<Row, LedgerError> {
        let mut rows = self.query(sql, parameters).map_err(other)?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            _ => Err(LedgerError::Damaged("a register of one row has none, or several".to_owned())),
        }
    }

    /// Ends another session of ours and returns once what it did is settled, and durable wherever commits must be.
    pub(super) fn end(&mut self, lost: Backend) -> Result<(), LedgerError> {
        let rows = self.client.query(END_SESSION, &[&lost.process, &lost.began_us, &ENDED_WITHIN_MS]).map_err(other)?;
        let ended = rows.iter().all(|row| row.try_get(0).unwrap_or(false));
        if !ended {
            return Err(LedgerError::Unreachable(format!("session {} does not end", lost.process)));
        }
        // Ending a session that waits for a replica makes its commit visible before it is durable there. A commit
        // of our own waits for everything before it.
        self.client.execute("SELECT pg_logical_emit_message(true, 'tashika', '')", &[]).map_err(other)?;
        Ok(())
    }
}

const ABOUT: &str = "SELECT current_setting('server_version_num')::int AS version,
    current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    pid AS process, (extract(epoch FROM backend_start) * 1000000)::bigint AS began_us
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// Says nothing of a session that is gone already.
const END_SESSION: &str = "SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity
    WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2";

const ENDED_WITHIN_MS: i64 = 5_000;
/// `pg_terminate_backend` with a time limit came with it.
const SERVER_VERSION_MIN: i32 = 140_000;
