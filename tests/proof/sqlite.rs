//! The ledger in a file, for intruders: they open it with a connection of their own and take the triggers away first.

use std::sync::Arc;

use rusqlite::{Connection, params};
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Head, Heartbeat, Ledger, Sealed, encode_status};
use tashika::model::{CertificateNo, Life, ListNo, Position, Status};
use tempfile::TempDir;

use crate::nation;
use crate::world::{Alteration, World};

pub struct Sqlite {
    folder: TempDir,
    ledger: Arc<SqliteLedger>,
}

impl Sqlite {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(SqliteLedger::create(&folder.path().join("ledger.db"), &nation::genesis(1)).unwrap());
        Self { folder, ledger }
    }

    /// The intruder's connection: no trigger, no constraint that stands in the way, until it is dropped.
    fn intrude(&self) -> Intruder {
        let connection = self.bare();
        let triggers: Vec<(String, String)> = {
            let mut select = connection.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        for (name, _) in &triggers {
            connection.execute(&format!("DROP TRIGGER {name}"), []).unwrap();
        }
        Intruder { connection, triggers }
    }

    /// A connection with everything in its place.
    fn bare(&self) -> Connection {
        Connection::open(self.folder.path().join("ledger.db")).unwrap()
    }

    fn one(&self, sql: &str, values: impl rusqlite::Params) {
        assert_eq!(self.intrude().execute(sql, values).unwrap(), 1, "{sql}");
    }

    fn alter(&self, table: &str, column: &str, key: &str, at: u64, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        let connection = self.intrude();
        let select = format!("SELECT {column} FROM {table} WHERE {key} = ?1");
        let mut bytes = connection.query_row(&select, [at], |row| row.get(0)).unwrap();
        drop(connection);
        alter(&mut bytes);
        self.one(&format!("UPDATE {table} SET {column} = ?2 WHERE {key} = ?1"), params![at, bytes]);
    }
}

/// Who takes the triggers away, and puts them back to leave no trace.
struct Intruder {
    connection: Connection,
    triggers: Vec<(String, String)>,
}

impl std::ops::Deref for Intruder {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        for (_, sql) in &self.triggers {
            self.connection.execute_batch(sql).unwrap();
        }
    }
}

impl World for Sqlite {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::<SqliteLedger>::clone(&self.ledger)
    }

    fn alter_event(&self, position: Position, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        self.alter("event", "bytes", "position", position.0, alter);
    }

    fn remove_event(&self, position: Position) {
        self.one("DELETE FROM event WHERE position = ?1", [position.0]);
    }

    fn push_event(&self, sealed: Sealed, head: Head) {
        let values = params![sealed.position.0, sealed.bytes, sealed.link];
        self.one("INSERT INTO event VALUES (?1, ?2, ?3)", values);
        let peaks = head.tree.peaks().concat();
        let values = params![head.position.0, head.link, peaks, head.time.unix()];
        self.one("UPDATE head SET position = ?1, link = ?2, peaks = ?3, time = ?4", values);
    }

    fn restore(&self, backup: &dyn World) {
        let backup = backup.as_any().downcast_ref::<Self>().unwrap();
        let connection = self.intrude();
        let from = backup.folder.path().join("ledger.db");
        connection.execute("ATTACH ?1 AS other", [from.to_str().unwrap()]).unwrap();
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(tables.len() > 10);
        let copies: String = tables
            .iter()
            .map(|t| format!("DELETE FROM main.{t}; INSERT INTO main.{t} SELECT * FROM other.{t};"))
            .collect();
        connection.execute_batch(&format!("BEGIN; {copies} COMMIT")).unwrap();
    }

    fn alter_row(&self, no: CertificateNo, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        self.alter("certificate", "row", "no", no.0, alter);
    }

    fn remove_row(&self, no: CertificateNo) {
        self.one("DELETE FROM certificate WHERE no = ?1", [no.0]);
    }

    fn add_row(&self, no: CertificateNo, copy_of: CertificateNo) {
        self.one("INSERT INTO certificate SELECT ?1, row FROM certificate WHERE no = ?2", [no.0, copy_of.0]);
    }

    fn hide(&self) {
        assert!(self.intrude().execute("DELETE FROM recent", []).unwrap() > 0);
    }

    fn set_status(&self, no: CertificateNo, status: Option<Status>) {
        let Some(status) = status else { return self.one("DELETE FROM status WHERE no = ?1", [no.0]) };
        let (life, reason) = match status.life {
            Life::Pending => (0, None),
            Life::Active => (1, None),
            Life::Revoked(revocation) => (2, Some(revocation.reason.code())),
        };
        let values = params![no.0, life, reason, encode_status(&status)];
        self.one("INSERT OR REPLACE INTO status VALUES (?1, ?2, ?3, ?4)", values);
    }

    fn move_list_member(&self, list: ListNo, from: CertificateNo, to: CertificateNo) {
        self.one("UPDATE list_member SET no = ?3 WHERE list = ?1 AND no = ?2", params![list.0, from.0, to.0]);
    }

    fn drop_from_queue(&self, position: Position) {
        self.one("DELETE FROM queue WHERE position = ?1", [position.0]);
    }

    fn drop_timers(&self) {
        assert!(self.intrude().execute("DELETE FROM timer", []).unwrap() > 0);
    }

    fn alter_beside(&self) -> Vec<Alteration<'_>> {
        let batch = |sql: &'static str| Box::new(move || self.bare().execute_batch(sql).unwrap()) as Box<dyn Fn()>;
        vec![
            ("trigger status_is_final is not", batch("DROP TRIGGER status_is_final")),
            (
                "its columns",
                batch("DROP TRIGGER status_is_final; UPDATE status SET life = 0, reason = NULL WHERE life = 2"),
            ),
            ("each of its names", batch("DELETE FROM recent WHERE hash = (SELECT max(hash) FROM recent)")),
            (
                "trigger event_is_final is not",
                batch(
                    "DROP TRIGGER event_is_final; CREATE TRIGGER event_is_final BEFORE UPDATE ON event BEGIN SELECT 1; END",
                ),
            ),
            ("table mine is not", batch("CREATE TABLE mine (x)")),
        ]
    }

    fn set_heartbeat(&self, heartbeat: Heartbeat) {
        let values = params![heartbeat.epoch.0, heartbeat.position.0, heartbeat.link, heartbeat.time.unix()];
        self.one("UPDATE heartbeat SET epoch = ?1, position = ?2, link = ?3, time = ?4", values);
    }

    fn another(&self) -> Box<dyn World> {
        Box::new(Self::new())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
