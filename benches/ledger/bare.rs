//! The bare durable commit that a lone caller is compared with: one row into a table, nothing else.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

/// Commits one row durably.
pub struct Bare(Mutex<Box<dyn FnMut() + Send>>);

impl Bare {
    /// Microseconds for one commit.
    pub fn one(&self) -> f64 {
        let mut commit = self.0.lock().expect("no commit panics");
        let begun = Instant::now();
        commit();
        begun.elapsed().as_secs_f64() * 1e6
    }
}

pub fn sqlite(path: &Path) -> Bare {
    let connection = rusqlite::Connection::open(path).expect("a SQLite file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)",
        )
        .expect("a table");
    Bare(Mutex::new(Box::new(move || {
        connection.prepare_cached("INSERT INTO t (b) VALUES (zeroblob(160))").expect("SQL").execute([]).expect("a row");
    })))
}

pub fn postgres(url: &str) -> Bare {
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("a connection");
    client.batch_execute("CREATE TABLE t (id bigserial PRIMARY KEY, b bytea)").expect("a table");
    let insert = client.prepare("INSERT INTO t (b) VALUES ($1)").expect("SQL");
    let row = vec![0u8; 160];
    Bare(Mutex::new(Box::new(move || {
        client.execute(&insert, &[&row]).expect("a row");
    })))
}
