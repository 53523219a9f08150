//! Files of every released schema are opened, brought up to date and used on.
//!
//! `released/schema-N.db` was written by a program whose newest schema was N, and is never changed. When a schema is
//! released, its file is made once by running this test with `TASHIKA_MAKE_RELEASED=1`.

use std::fs;
use std::path::{Path, PathBuf};

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Answer, Batch, Ledger, LedgerError, Upkeep, Wanted, sha256};
use tashika::model::{
    Body, BudgetKey, CertificateNo, Command, Event, HoldKind, IdempotencyKey, ListNo, Millis, NodeId, Outcome,
    Position, Reason, Request, Role, SetChange, SetTarget, UndoScope, WhyQueued, Wish,
};

use crate::{nation, work};

#[test]
fn a_file_of_every_released_schema_is_used_on() {
    for schema in 1..=SqliteLedger::SCHEMA {
        let released = released(schema);
        if schema == SqliteLedger::SCHEMA && !released.exists() && std::env::var_os("TASHIKA_MAKE_RELEASED").is_some() {
            make(&released);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        fs::copy(&released, &path).unwrap_or_else(|error| panic!("{}: {error}", released.display()));
        use_on(&path);
        let version =
            rusqlite::Connection::open(&path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0));
        assert_eq!(version, Ok(SqliteLedger::SCHEMA));
    }
}

#[test]
fn a_newer_schema_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(work::new_ledger(&path));
    let newer = SqliteLedger::SCHEMA + 1;
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", newer).unwrap();
    let before = fs::read(&path).unwrap();
    let error = SqliteLedger::open(&path).expect_err("it is newer");
    let expected = (newer, SqliteLedger::SCHEMA);
    assert!(matches!(error, LedgerError::SchemaNewer { found, known } if (found, known) == expected), "{error}");
    assert!(fs::read(&path).unwrap() == before);
}

fn released(schema: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sqlite/released/schema-{schema}.db"))
}

/// A ledger with something in every table, and look-ups in runs and among the recent ones.
fn make(released: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = work::new_ledger(&path);
    work::register(&ledger, CARDS - 3);
    work::register(&ledger, 3);
    work::decide(&ledger, 1, &Wish::Revoke { reason: Reason::Superseded, lost_at: None });
    work::hold(&ledger, 2);
    let list = ledger.new_list().unwrap();
    ledger.add_to_list(list, &[CertificateNo(5), CertificateNo(6)]).unwrap();
    let mut batch = Batch::on(ledger.head().unwrap());
    let record = |batch: &mut Batch, body| {
        let event = Event { time: nation::at(5), actor: nation::actor(Role::Ops), cause: None, body };
        batch.record(event).0
    };
    let digest = sha256(&[&5_u64.to_be_bytes(), &6_u64.to_be_bytes()]);
    let target = SetTarget::Listed { list, count: 2, digest };
    record(&mut batch, Body::SetChanged { target, change: SetChange::Held });
    let command = Command::Undo(UndoScope::Cause(Position(1)));
    let request = Box::new(Request { actor: nation::actor(Role::Ops), command, idempotency: None });
    let queued = record(&mut batch, Body::Queued { request, why: WhyQueued::TwoPeople });
    batch.answers.push((ANSWERED, Answer { command: [1; 32], outcome: Outcome::Queued { queued } }));
    batch.budgets.push((BudgetKey("ops undo".into()), nation::at(5).japan_hour(), 7));
    batch.timers.push((nation::at(50), CertificateNo(2)));
    ledger.append(&batch).unwrap();
    ledger.beat(nation::at(60)).unwrap();
    ledger.lease("sequencer", NodeId([1; 16]), Millis(1_000), 500).unwrap();
    while ledger.upkeep().unwrap() == Upkeep::More {}
    fs::create_dir_all(released.parent().unwrap()).unwrap();
    ledger.backup(released).unwrap();
}

fn use_on(path: &Path) {
    let ledger = SqliteLedger::open(path).unwrap();
    let head = ledger.head().unwrap();
    assert_eq!((head.certificates, head.position), (CARDS, Position(11)));
    let keys: Vec<_> = (1..=CARDS).map(|number| nation::key(1, number)).collect();
    let numbers: Vec<_> = (1..=CARDS).map(|number| Some(CertificateNo(number))).collect();
    assert_eq!(ledger.registered(&keys).unwrap(), numbers);
    let wanted = Wanted {
        holders: [1, 2, 5, CARDS].map(nation::holder).to_vec(),
        answers: vec![ANSWERED],
        budgets: vec![BudgetKey("ops undo".into())],
        hour: nation::at(5).japan_hour(),
        ..Wanted::default()
    };
    let found = ledger.find(&wanted).unwrap();
    let entries: Vec<_> = found.entries.iter().map(|entry| (entry.no.0, entry.certificate.clone())).collect();
    assert_eq!(entries, [1, 2, 5, CARDS].map(|number| (number, work::card(number))));
    assert_eq!(found.entries[0].status.revocation().unwrap().reason, Reason::Superseded);
    assert_eq!(found.entries[1].status.holds[0].kind, HoldKind::Review);
    assert_eq!(found.entries[2].status.holds[0].kind, HoldKind::Set);
    assert!(found.entries[3].status.is_good());
    let queued = Position(11);
    assert_eq!(found.answers, [(ANSWERED, Answer { command: [1; 32], outcome: Outcome::Queued { queued } })]);
    assert_eq!(found.budgets[0].1.this_hour, 7);
    assert_eq!(ledger.queue().unwrap(), [queued]);
    assert_eq!(ledger.due(nation::at(50), 10).unwrap(), [(nation::at(50), CertificateNo(2))]);
    assert_eq!(ledger.heartbeat().unwrap().unwrap().time, nation::at(60));
    let members = ledger.list_members(ListNo(1), CertificateNo(0), 10).unwrap();
    assert_eq!(members, [CertificateNo(5), CertificateNo(6)]);
    work::register(&ledger, 600);
    work::decide(&ledger, 1, &Wish::Revoke { reason: Reason::KeyCompromise, lost_at: None });
    while ledger.upkeep().unwrap() == Upkeep::More {}
    assert_eq!(SqliteLedger::open(path).unwrap().head().unwrap().certificates, CARDS + 600);
}

const CARDS: u64 = 530;
const ANSWERED: IdempotencyKey = IdempotencyKey([5; 16]);
