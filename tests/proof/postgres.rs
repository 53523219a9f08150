//! The ledger in PostgreSQL, for intruders: the database's owner and a superuser, whom no role and no function stops.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use postgres::types::ToSql;
use postgres::{Client, NoTls};
use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Head, Heartbeat, Ledger, Sealed, encode_status};
use tashika::model::{CertificateNo, Life, ListNo, Position, Status};

use crate::nation;
use crate::postgres_server::Cluster;
use crate::world::{Alteration, World};

pub struct Postgres {
    url: String,
    ledger: Arc<PostgresLedger>,
}

impl Postgres {
    pub fn new() -> Self {
        let (url, _) = Cluster::shared().new_database();
        let ledger = Arc::new(PostgresLedger::create(&url, &nation::genesis(1)).unwrap());
        Self { url, ledger }
    }

    /// The intruder's connection: no trigger and no foreign key stands in the way.
    fn intrude(&self) -> Client {
        let mut client = Client::connect(&self.url, NoTls).unwrap();
        client.batch_execute("SET session_replication_role = replica; SET search_path = tashika").unwrap();
        client
    }

    fn one(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) {
        assert_eq!(self.intrude().execute(sql, values).unwrap(), 1, "{sql}");
    }

    fn alter(&self, table: &str, column: &str, key: &str, at: u64, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        let at = stored(at);
        let select = format!("SELECT {column} FROM {table} WHERE {key} = $1");
        let mut bytes: Vec<u8> = self.intrude().query_one(&select, &[&at]).unwrap().get(0);
        alter(&mut bytes);
        self.one(&format!("UPDATE {table} SET {column} = $2 WHERE {key} = $1"), &[&at, &bytes]);
    }
}

impl World for Postgres {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::<PostgresLedger>::clone(&self.ledger)
    }

    fn alter_event(&self, position: Position, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        self.alter("event", "bytes", "position", position.0, alter);
    }

    fn remove_event(&self, position: Position) {
        self.one("DELETE FROM event WHERE position = $1", &[&stored(position.0)]);
    }

    fn push_event(&self, sealed: Sealed, head: Head) {
        let values: [&(dyn ToSql + Sync); 3] = [&stored(sealed.position.0), &sealed.bytes, &&sealed.link[..]];
        self.one("INSERT INTO event VALUES ($1, $2, $3)", &values);
        let peaks = head.tree.peaks().concat();
        let values: [&(dyn ToSql + Sync); 4] = [&stored(head.position.0), &&head.link[..], &peaks, &head.time.unix()];
        self.one("UPDATE head SET position = $1, link = $2, tree = $3, \"time\" = $4", &values);
    }

    fn restore(&self, backup: &dyn World) {
        let mut from = backup.as_any().downcast_ref::<Self>().unwrap().intrude();
        let mut to = self.intrude();
        let tables = "SELECT quote_ident(relname) FROM pg_class
                      WHERE relnamespace = 'tashika'::regnamespace AND relkind = 'r'";
        let tables: Vec<String> = from.query(tables, &[]).unwrap().iter().map(|row| row.get(0)).collect();
        assert!(tables.len() > 10);
        let mut copying = to.transaction().unwrap();
        for table in tables {
            let mut rows = Vec::new();
            from.copy_out(&format!("COPY {table} TO STDOUT")).unwrap().read_to_end(&mut rows).unwrap();
            copying.batch_execute(&format!("DELETE FROM {table}")).unwrap();
            let mut into = copying.copy_in(&format!("COPY {table} FROM STDIN")).unwrap();
            into.write_all(&rows).unwrap();
            into.finish().unwrap();
        }
        copying.commit().unwrap();
    }

    fn alter_row(&self, no: CertificateNo, alter: &mut dyn FnMut(&mut Vec<u8>)) {
        self.alter("certificate", "\"row\"", "no", no.0, alter);
    }

    fn remove_row(&self, no: CertificateNo) {
        self.one("DELETE FROM certificate WHERE no = $1", &[&stored(no.0)]);
    }

    fn add_row(&self, no: CertificateNo, copy_of: CertificateNo) {
        self.intrude().batch_execute("DROP INDEX certificate_serial").unwrap();
        let copy = "INSERT INTO certificate
            SELECT $1, issuer, serial, holder, medium, operator, sim, \"row\" FROM certificate WHERE no = $2";
        self.one(copy, &[&stored(no.0), &stored(copy_of.0)]);
    }

    /// The columns that are searched stand beside the row that is proved.
    fn hide(&self) {
        let hidden = "UPDATE certificate SET serial = serial || '\\x00', holder = '', medium = '', sim = NULL";
        assert!(self.intrude().execute(hidden, &[]).unwrap() > 0);
    }

    fn set_status(&self, no: CertificateNo, status: Option<Status>) {
        let no = stored(no.0);
        let Some(status) = status else { return self.one("DELETE FROM status WHERE no = $1", &[&no]) };
        let (life, reason, holds) = match &status.life {
            Life::Pending => (0i16, None, status.holds.len()),
            Life::Active => (1, None, status.holds.len()),
            Life::Revoked(revocation) => (2, Some(i16::from(revocation.reason.code())), 0),
        };
        let values: [&(dyn ToSql + Sync); 5] =
            [&no, &life, &reason, &i16::try_from(holds).unwrap(), &encode_status(&status)];
        let upsert = "INSERT INTO status VALUES ($1, $2, $3, $4, $5) ON CONFLICT (no) DO UPDATE
            SET life = excluded.life, reason = excluded.reason, holds = excluded.holds, state = excluded.state";
        self.one(upsert, &values);
    }

    fn move_list_member(&self, list: ListNo, from: CertificateNo, to: CertificateNo) {
        let values: [&(dyn ToSql + Sync); 3] = [&i64::from(list.0), &stored(from.0), &stored(to.0)];
        self.one("UPDATE list_member SET certificate = $3 WHERE list = $1 AND certificate = $2", &values);
    }

    fn drop_from_queue(&self, position: Position) {
        self.one("DELETE FROM queue WHERE position = $1", &[&stored(position.0)]);
    }

    fn drop_timers(&self) {
        assert!(self.intrude().execute("DELETE FROM timer", &[]).unwrap() > 0);
    }

    fn alter_beside(&self) -> Vec<Alteration<'_>> {
        let batch = |sql: &'static str| Box::new(move || self.intrude().batch_execute(sql).unwrap()) as Box<dyn Fn()>;
        vec![
            ("other names", batch("UPDATE certificate SET holder = decode(repeat('00', 16), 'hex') WHERE no = 4")),
            ("other names", batch("UPDATE certificate SET medium = decode(repeat('00', 16), 'hex') WHERE no = 4")),
            (
                "other names",
                batch("UPDATE certificate SET sim = decode(repeat('00', 16), 'hex'), operator = 'x' WHERE no = 4"),
            ),
            ("its columns", batch("UPDATE status SET life = 0, reason = NULL WHERE life = 2")),
            ("its columns", batch("UPDATE status SET holds = holds + 1")),
            ("certificate_serial is missing", batch("DROP INDEX certificate_serial")),
            ("everybody may update in table event", batch("GRANT UPDATE ON event TO PUBLIC")),
        ]
    }

    fn set_heartbeat(&self, heartbeat: Heartbeat) {
        let values: [&(dyn ToSql + Sync); 4] = [
            &i64::from(heartbeat.epoch.0),
            &stored(heartbeat.position.0),
            &&heartbeat.link[..],
            &heartbeat.time.unix(),
        ];
        self.one("UPDATE heartbeat SET epoch = $1, position = $2, link = $3, \"time\" = $4", &values);
    }

    fn another(&self) -> Box<dyn World> {
        Box::new(Self::new())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap()
}
