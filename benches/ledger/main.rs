//! The ledger's figures: `cargo bench --bench ledger` prints the table of `docs/PERFORMANCE.md`.
//!
//! Wall-clock by nature, so it informs and never gates. `-- --quick` fills a tenth of the rows, to see that it runs; `-- sqlite` or
//! `-- postgres` measures one of the two, and the name of a figure (see [`FIGURES`]) that figure alone.
//! Every database is made anew in a temporary folder on the disk named by `TMPDIR`.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(missing_docs)]

mod bare;
mod beside;
mod campaign;
mod changes;
mod lone;
mod population;
mod table;
mod volume;

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests, which use other parts")]
mod postgres_server;

use std::sync::Arc;

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Ledger};
use tashika::model::{Actor, Channel, LedgerId, PersonId, Role, Time};

use table::Table;

/// How much is done.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Certificates behind single changes and the scan.
    pub million: usize,
    /// Certificates before the last million.
    pub ten_million: usize,
    /// Seconds of single changes.
    pub seconds: u64,
    /// False holds.
    pub holds: usize,
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let quick = given.iter().any(|argument| argument == "--quick");
    let named = given.iter().any(|argument| argument == "sqlite" || argument == "postgres");
    let wants = |ledger: &str| !named || given.iter().any(|argument| argument == ledger);
    let chosen: Vec<&str> =
        FIGURES.into_iter().filter(|figure| given.iter().any(|argument| argument == figure)).collect();
    let figures = if chosen.is_empty() { FIGURES.to_vec() } else { chosen };
    let scale = if quick {
        Scale { million: 100_000, ten_million: 1_000_000, seconds: 2, holds: 10_000 }
    } else {
        Scale { million: 1_000_000, ten_million: 10_000_000, seconds: 8, holds: 100_000 }
    };
    let mut table = Table::new(quick);
    let dir = tempfile::tempdir().expect("a temporary folder");

    if wants("sqlite") {
        let sqlite = |name: &str| -> Arc<dyn Ledger> {
            Arc::new(SqliteLedger::create(&dir.path().join(name), &genesis()).expect("a SQLite ledger"))
        };
        run("SQLite", &sqlite, &bare::sqlite(&dir.path().join("bare.db")), scale, &figures, &mut table);
    }

    if wants("postgres") {
        // As an operator would set it on a machine of this size; flushes stay on.
        let cluster = postgres_server::Cluster::start(&[("shared_buffers", "4GB"), ("max_wal_size", "8GB")]);
        let postgres = |_: &str| -> Arc<dyn Ledger> {
            let (url, _) = cluster.new_database();
            Arc::new(PostgresLedger::create(&url, &genesis()).expect("a PostgreSQL ledger"))
        };
        run("PostgreSQL", &postgres, &bare::postgres(&cluster.new_database().0), scale, &figures, &mut table);
    }
    table.print();
}

fn run(
    name: &str,
    make: &dyn Fn(&str) -> Arc<dyn Ledger>,
    bare: &bare::Bare,
    scale: Scale,
    figures: &[&str],
    table: &mut Table,
) {
    let wants = |figure| figures.contains(&figure);
    if ["register", "scan", "lone", "crowd"].into_iter().any(wants) {
        let ledger = make("million");
        volume::register(name, "empty", &ledger, scale.million, table);
        if wants("scan") {
            volume::scan(name, &ledger, table);
        }
        if wants("lone") {
            lone::lone(name, &ledger, bare, scale, table);
        }
        if wants("crowd") {
            changes::crowd(name, &ledger, scale, table);
        }
    }
    if wants("campaign") {
        campaign::false_holds(name, &make("campaign"), scale, table);
    }
    if wants("beside") {
        beside::bulk(name, &make("beside"), scale, table);
    }
    if wants("grown") {
        let ledger = make("volume");
        population::fill(&ledger, scale.ten_million);
        volume::register(name, "grown", &ledger, scale.million, table);
    }
}

/// What can be asked for by name.
const FIGURES: [&str; 7] = ["register", "scan", "lone", "crowd", "campaign", "beside", "grown"];

/// The first batch of a ledger for a benchmark.
pub fn genesis() -> Batch {
    Batch::genesis(LedgerId(*b"a benchmark only"), ops(1), start())
}

pub fn ops(person: u8) -> Actor {
    Actor { role: Role::Ops, person: PersonId([person; 16]), channel: Channel::Cli }
}

/// Ledger time at the beginning of every benchmark.
pub fn start() -> Time {
    Time::from_unix(1_800_000_000).expect("a time within range")
}
