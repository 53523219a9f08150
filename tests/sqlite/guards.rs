//! What the database itself refuses, whoever asks: history is only added to, REVOKED is final.

use rusqlite::{Connection, ErrorCode};
use tashika::ledger::{Batch, Ledger, LedgerError};
use tashika::model::{Life, Reason, Role, Wish};
use tempfile::TempDir;

use crate::{nation, work};

/// What is wrong with a batch, and how it gets so.
type Wrong<'a> = (&'a str, &'a dyn Fn(&mut Batch));

/// A ledger with 3 cards of which 1 is revoked and 2 held, and a connection that goes round the program.
fn somebody_with_sql() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = work::new_ledger(&path);
    work::register(&ledger, 3);
    work::decide(&ledger, 1, &Wish::Revoke { reason: Reason::Superseded, lost_at: None });
    work::hold(&ledger, 2);
    let list = ledger.new_list().unwrap();
    ledger.add_to_list(list, &[tashika::model::CertificateNo(1)]).unwrap();
    (folder, Connection::open(path).unwrap())
}

#[test]
fn history_is_only_added_to() {
    let (_folder, sql) = somebody_with_sql();
    let dump = |sql: &Connection| -> Vec<String> {
        ["event", "certificate", "status", "head", "list_member"]
            .map(|table| {
                let mut rows = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
                let columns = rows.column_count();
                let rows = rows.query_map([], |row| {
                    (0..columns)
                        .map(|column| row.get::<_, rusqlite::types::Value>(column))
                        .collect::<Result<Vec<_>, _>>()
                });
                format!("{:?}", rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap())
            })
            .to_vec()
    };
    let before = dump(&sql);
    for attempt in [
        "UPDATE event SET bytes = x'00'",
        "UPDATE event SET position = 100 WHERE position = 3",
        "DELETE FROM event WHERE position = (SELECT max(position) FROM event)",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event VALUES (2, x'00', zeroblob(32))",
        "REPLACE INTO event SELECT * FROM event WHERE position = 1",
        "INSERT INTO event VALUES (100, x'00', zeroblob(32))",
        "INSERT INTO event VALUES (0, x'00', zeroblob(32))",
        "INSERT INTO event SELECT max(position) + 1, x'00', x'01' FROM event",
        "UPDATE certificate SET row = x'00' WHERE no = 1",
        "UPDATE certificate SET no = 9 WHERE no = 1",
        "DELETE FROM certificate WHERE no = 3",
        "INSERT OR REPLACE INTO certificate VALUES (3, x'00')",
        "INSERT INTO certificate VALUES (0, x'00')",
        "DELETE FROM status WHERE no = 2",
        "UPDATE status SET no = 3 WHERE no = 2",
        "UPDATE status SET life = 1, reason = NULL WHERE no = 1",
        "UPDATE status SET life = 0, reason = NULL WHERE no = 1",
        "UPDATE status SET reason = NULL WHERE no = 1",
        "UPDATE status SET reason = 6 WHERE no = 1",
        "UPDATE status SET life = 3 WHERE no = 2",
        "UPDATE status SET state = 'text' WHERE no = 2",
        "INSERT OR REPLACE INTO status VALUES (1, 1, NULL, x'00')",
        "INSERT INTO status VALUES (1, 1, NULL, x'00') ON CONFLICT DO UPDATE SET life = 1, reason = NULL",
        "INSERT INTO status VALUES (99, 1, NULL, x'00')",
        "UPDATE head SET position = position - 1",
        "UPDATE head SET certificates = 0",
        "UPDATE head SET time = time - 1",
        "UPDATE head SET ledger = zeroblob(16)",
        "DELETE FROM head",
        "REPLACE INTO head SELECT 1, ledger, epoch, 1, link, peaks, time, book, certificates FROM head",
        "UPDATE list_member SET no = 2",
        "DELETE FROM list_member",
    ] {
        let error = sql.execute(attempt, []).expect_err(attempt);
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ConstraintViolation), "{attempt}: {error}");
        assert_eq!(dump(&sql), before, "{attempt}");
    }
}

#[test]
fn a_reason_gives_way_only_to_one_that_outweighs_it() {
    for from in Reason::ALL {
        for to in Reason::ALL {
            let (_folder, sql) = somebody_with_sql();
            sql.execute("UPDATE status SET life = 2, reason = ?1 WHERE no = 2", [from.code()]).unwrap();
            let changed = sql.execute("UPDATE status SET reason = ?1 WHERE no = 2", [to.code()]);
            assert_eq!(changed.is_ok(), from == to || to.outweighs(from), "{from} to {to}");
        }
    }
}

/// The same through the program: a batch that breaks the rules is refused whole.
#[test]
fn a_batch_that_goes_against_the_rules_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = work::new_ledger(&folder.path().join("ledger.db"));
    work::register(&ledger, 3);
    work::decide(&ledger, 1, &Wish::Revoke { reason: Reason::KeyCompromise, lost_at: None });
    let head = ledger.head().unwrap();
    let batch = |fill: &dyn Fn(&mut Batch)| {
        let mut batch = Batch::on(head.clone());
        fill(&mut batch);
        batch
    };
    let register = |batch: &mut Batch, numbers: &[u64]| {
        let certificates = numbers.iter().map(|number| work::card(*number)).collect();
        batch.register(nation::actor(Role::Ops), nation::at(5), certificates);
    };
    let resurrect = |batch: &mut Batch| {
        let wanted = tashika::ledger::Wanted { keys: vec![nation::key(1, 1)], ..Default::default() };
        let mut status = ledger.find(&wanted).unwrap().entries[0].status.clone();
        status.life = Life::Active;
        register(batch, &[4]);
        batch.statuses.push(tashika::ledger::NewStatus { no: tashika::model::CertificateNo(1), status });
    };
    let wrong: [Wrong<'_>; 7] = [
        ("a certificate again", &|batch| register(batch, &[4, 2])),
        ("a certificate twice", &|batch| register(batch, &[4, 5, 4])),
        ("many, one of them again", &|batch| register(batch, &(4..700).chain([3]).collect::<Vec<_>>())),
        ("a revoked certificate made good", &resurrect),
        ("a gap in the numbers", &|batch| {
            register(batch, &[4, 5]);
            drop(batch.rows.remove(0));
        }),
        ("a gap in the positions", &|batch| {
            register(batch, &[4]);
            register(batch, &[5]);
            drop(batch.events.remove(0));
        }),
        ("another head than its events lead to", &|batch| {
            register(batch, &[4]);
            batch.next.tree.push([0; 32]);
        }),
    ];
    for (what, fill) in wrong {
        let error = ledger.append(&batch(fill)).expect_err(what);
        assert!(matches!(error, LedgerError::Refused(_)), "{what}: {error}");
        assert_eq!(ledger.head().unwrap(), head, "{what}");
    }
    assert_eq!(ledger.registered(&[nation::key(1, 4)]).unwrap(), [None]);
    assert_eq!(work::register(&ledger, 2), 5, "what was refused is in nobody's way");
}
