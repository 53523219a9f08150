//! Schemas: made whole or not at all, and every released one readable for ever.
//!
//! `released/N.sql` is a dump of a ledger as version N made it, with something of everything in it. A new version adds a
//! dump (`GOLDEN=add cargo test --test postgres`) and never touches an old one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Batch, Ledger, LedgerError, Wanted};
use tashika::model::{BudgetKey, CertificateNo, HoldKind, IdempotencyKey, Outcome, Position, Reason, Role, Wish};

use crate::fixture::{Fixture, commit, history, mark_surely, wish};
use crate::nation::{self, at};
use crate::postgres_server::Cluster;

/// Version 1 is the present one; a later one goes on from here.
const VERSION: u32 = 2;

#[test]
fn every_released_schema_is_brought_up_to_date_and_read() {
    let cluster = Cluster::shared();
    for version in 1..=VERSION {
        let dump = released(version);
        if !dump.exists() && version == VERSION && std::env::var_os("GOLDEN").is_some_and(|value| value == "add") {
            make(&dump);
        }
        let (url, database) = cluster.new_database();
        // Roles belong to the cluster, not to the dump.
        drop(Fixture::empty());
        let output = cluster.psql_file("postgres", &database, &dump);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ledger = PostgresLedger::open(&url).unwrap();
        assert_eq!(history(&ledger).len(), EVENTS, "version {version}");
        let key = BudgetKey("call-centre hold".into());
        let wanted = Wanted {
            holders: vec![nation::holder(1), nation::holder(2)],
            answers: vec![IdempotencyKey([3; 16])],
            budgets: vec![key],
            hour: at(0).japan_hour(),
            ..Wanted::default()
        };
        let found = ledger.find(&wanted).unwrap();
        let held: Vec<_> = found.entries.iter().map(|entry| entry.status.holds.len()).collect();
        assert_eq!(held, [1, 0]);
        assert!(found.entries[1].status.revocation().is_some());
        assert_eq!(found.answers[0].1.outcome, Outcome::Done { first: Position(9), last: Position(10) });
        assert_eq!(found.budgets[0].1.this_hour, 3);
        assert_eq!(ledger.due(at(1_000), 10).unwrap(), [(at(500), CertificateNo(1))]);
        assert_eq!(ledger.heartbeat().unwrap().unwrap().time, at(200));
        assert!(mark_surely(&ledger, "goes on"));
        assert_eq!(
            definition(cluster, &database),
            definition(cluster, &Fixture::empty().database),
            "version {version}"
        );
    }
}

/// Everything that a schema consists of.
fn definition(cluster: &Cluster, database: &str) -> String {
    let sql = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
        SELECT 'function ' || p.oid::regprocedure || ' ' || md5(p.prosrc) || p.prosecdef || coalesce(p.proconfig::text, '')
            || coalesce((SELECT string_agg(a.grantee::regrole::text || a.privilege_type, ',' ORDER BY 1)
                         FROM aclexplode(p.proacl) a), '') AS line
        FROM pg_proc p WHERE p.pronamespace = 'tashika'::regnamespace
        UNION ALL SELECT 'column ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || a.attnotnull || coalesce(c.reloptions::text, '')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'tashika'::regnamespace AND c.relkind = 'r'
        UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'tashika'::regnamespace
        UNION ALL SELECT 'constraint ' || pg_get_constraintdef(c.oid) FROM pg_constraint c
        WHERE c.connamespace = 'tashika'::regnamespace
        UNION ALL SELECT 'rule ' || r::text FROM tashika.rule r) lines";
    cluster.must("postgres", database, sql)
}

fn released(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/postgres/released/{version}.sql"))
}

/// Events 1 to 10.
const EVENTS: usize = 10;

fn make(dump: &Path) {
    let fixture = Fixture::furnished();
    let batch = commit(&fixture.ledger, &[1, 2], |found, batch| {
        let first = wish(
            batch,
            found,
            1,
            Role::CallCentre,
            &Wish::Hold { kind: HoldKind::CallCentre, lost_at: Some(at(5)), becomes: None },
        );
        let last =
            wish(batch, found, 2, Role::Window(None), &Wish::Revoke { reason: Reason::Superseded, lost_at: None });
        batch.timers.push((at(500), CertificateNo(1)));
        batch.budgets.push((BudgetKey("call-centre hold".into()), at(0).japan_hour(), 3));
        let outcome = Outcome::Done { first, last };
        batch.answers.push((IdempotencyKey([3; 16]), tashika::ledger::Answer { command: [4; 32], outcome }));
    });
    assert_eq!(batch.next.position.0 as usize, EVENTS);
    fixture.ledger.beat(at(200)).unwrap();
    fs::create_dir_all(dump.parent().unwrap()).unwrap();
    let output = Command::new(fixture.cluster.program("pg_dump"))
        .args(["--no-owner", "--schema=tashika", "--dbname"])
        .arg(fixture.cluster.url("postgres", &fixture.database))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(dump, output.stdout).unwrap();
}

#[test]
fn a_ledger_that_can_not_be_made_leaves_nothing() {
    let cluster = Cluster::shared();
    let (url, database) = cluster.new_database();
    let mut wrong = nation::genesis(1);
    wrong.events[0].link[0] ^= 1;
    assert!(matches!(PostgresLedger::create(&url, &wrong), Err(LedgerError::Refused(_))));
    assert_eq!(cluster.must("postgres", &database, "SELECT count(*) FROM pg_namespace WHERE nspname = 'tashika'"), "0");
    assert!(matches!(PostgresLedger::open(&url), Err(LedgerError::Missing(_))));
    PostgresLedger::create(&url, &nation::genesis(1)).unwrap();
}

#[test]
fn of_two_who_make_one_at_once_one_does() {
    let (url, _) = Cluster::shared().new_database();
    let made: Vec<_> = thread::scope(|scope| {
        let make = |number| {
            let url = &url;
            move || PostgresLedger::create(url, &nation::genesis(number)).map(|ledger| ledger.head().unwrap())
        };
        let makers: Vec<_> = (1..=3).map(|number| scope.spawn(make(number))).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(made.iter().filter_map(|made| made.as_ref().err()).all(|error| matches!(error, LedgerError::Exists(_))));
}

#[test]
fn who_may_not_see_a_ledger_is_told_so() {
    let fixture = Fixture::empty();
    let stranger = fixture.login("stranger", "");
    let error = PostgresLedger::open(&fixture.cluster.url(&stranger, &fixture.database)).err().unwrap();
    assert!(matches!(&error, LedgerError::Settings(why) if why.contains("tashika_server")), "{error}");
    let error = PostgresLedger::create(&fixture.cluster.url(&stranger, &fixture.database), &nation::genesis(1));
    assert!(matches!(error.err().unwrap(), LedgerError::Exists(_)));
    // An older schema is the owner's to bring up to date.
    fixture
        .owner("DELETE FROM tashika.schema_version WHERE version > 1; UPDATE tashika.schema_version SET version = 0");
    let server = fixture.cluster.url(&fixture.server, &fixture.database);
    let error = PostgresLedger::open(&server).err().unwrap();
    assert!(matches!(&error, LedgerError::Settings(why) if why.contains("as its owner")), "{error}");
}

/// The owner of a real installation is no superuser.
#[test]
fn an_owner_needs_to_be_no_superuser() {
    let cluster = Cluster::shared();
    drop(Fixture::empty());
    let (_, database) = cluster.new_database();
    let owner = format!("owner_of_{database}");
    cluster.must("postgres", "postgres", &format!("CREATE ROLE {owner} LOGIN"));
    cluster.must("postgres", "postgres", &format!("ALTER DATABASE {database} OWNER TO {owner}"));
    let ledger = PostgresLedger::create(&cluster.url(&owner, &database), &nation::genesis(1)).unwrap();
    assert!(mark_surely(&ledger, "by the owner"));
    let server = format!("server_of_{database}");
    cluster.must("postgres", &database, &format!("CREATE ROLE {server} LOGIN IN ROLE tashika_server"));
    let ledger = PostgresLedger::open(&cluster.url(&server, &database)).unwrap();
    let mut batch = Batch::on(ledger.head().unwrap());
    batch.record(crate::fixture::marker("by a server", at(9)));
    ledger.append(&batch).unwrap();
}
