//! Connections that break around a commit: what the writer is told, and what it finds out.

use std::thread;
use std::time::Duration;

use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Batch, Ledger, LedgerError, Settled, settle};

use crate::fixture::{Fixture, history, marked, occurrences};
use crate::nation;
use crate::postgres_proxy::{Proxy, Trap};

/// A handle by way of a proxy, its statements prepared.
fn through(fixture: &Fixture<'_>, proxy: &Proxy) -> PostgresLedger {
    let url = format!("postgres://{}@127.0.0.1:{}/{}", fixture.server, proxy.port(), fixture.database);
    let ledger = PostgresLedger::open(&url).unwrap();
    let mut head = ledger.head().unwrap();
    head.position.0 += 1_000;
    let mut stray = Batch::on(head);
    stray.record(crate::fixture::marker("stray", nation::at(0)));
    assert!(matches!(ledger.append(&stray), Err(LedgerError::Moved { .. })));
    ledger
}

#[test]
fn a_lost_answer_is_found_out_to_be_written() {
    let fixture = Fixture::empty();
    let proxy = Proxy::to(fixture.cluster.port());
    let ledger = through(&fixture, &proxy);
    let batch = marked(&ledger, "answer lost");
    proxy.arm(Trap::LoseAnswer);
    let error = ledger.append(&batch).unwrap_err();
    assert!(matches!(error, LedgerError::Uncertain(_)), "{error}");
    assert!(proxy.has_sprung());
    assert_eq!(settle(&ledger, &batch).unwrap(), Settled::Written);
    assert!(matches!(ledger.append(&batch), Err(LedgerError::Moved { .. })), "not twice");
    assert_eq!(occurrences(&history(&ledger), "answer lost"), 1);
}

#[test]
fn a_lost_request_is_found_out_not_to_be_written_and_may_be_sent_again() {
    let fixture = Fixture::empty();
    let proxy = Proxy::to(fixture.cluster.port());
    let ledger = through(&fixture, &proxy);
    let batch = marked(&ledger, "request lost");
    proxy.arm(Trap::LoseRequest);
    let error = ledger.append(&batch).unwrap_err();
    assert!(matches!(error, LedgerError::Uncertain(_)), "nobody can know: {error}");
    assert_eq!(settle(&ledger, &batch).unwrap(), Settled::NotWritten);
    ledger.append(&batch).unwrap();
    assert_eq!(occurrences(&history(&ledger), "request lost"), 1);
}

/// The worst case: the client is cut off, and the server, unaware of it, goes on with the append *after* the client has
/// asked what became of it. "Not written" must then stay true.
#[test]
fn what_was_found_not_to_be_written_is_not_written_afterwards() {
    let fixture = Fixture::empty();
    let proxy = Proxy::to(fixture.cluster.port());
    let ledger = through(&fixture, &proxy);
    let batch = marked(&ledger, "ghost");
    // Somebody else has the turn, so that the append waits in the server.
    let other = PostgresLedger::open(&fixture.cluster.url(&fixture.server, &fixture.database)).unwrap();
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    other
        .append_in_turn(&mut |head| {
            proxy.arm(Trap::ForgetClient);
            let error = ledger.append(&batch).unwrap_err();
            assert!(matches!(error, LedgerError::Uncertain(_)), "{error}");
            for _ in 0..500 {
                if fixture.owner(waiting) == "1" {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(fixture.owner(waiting), "1", "the server should still be at it");
            assert_eq!(settle(&ledger, &batch).unwrap(), Settled::NotWritten);
            assert_eq!(fixture.owner(waiting), "0", "and now no longer");
            Ok(Batch::on(head.clone()))
        })
        .unwrap();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(settle(&ledger, &batch).unwrap(), Settled::NotWritten);
    assert_eq!(occurrences(&history(&ledger), "ghost"), 0);
    ledger.append(&batch).unwrap();
    assert_eq!(occurrences(&history(&ledger), "ghost"), 1);
}

/// Restarts of the server, idle sessions ended by an administrator, firewalls: the next call works.
#[test]
fn sessions_that_died_meanwhile_are_replaced_unnoticed_by_readers() {
    let fixture = Fixture::empty();
    let end_all = || {
        fixture.owner(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{}'",
            fixture.server
        ))
    };
    let link = fixture.ledger.head().unwrap().link;
    for _ in 0..3 {
        end_all();
        assert_eq!(fixture.ledger.head().unwrap().link, link);
        end_all();
        fixture.ledger.beat(nation::at(5)).unwrap();
    }
    end_all();
    let batch = marked(&fixture.ledger, "after");
    end_all();
    // Whether it was sent can't be known; that it was not written can.
    match fixture.ledger.append(&batch) {
        Err(LedgerError::Uncertain(_)) => {
            assert_eq!(settle(&fixture.ledger, &batch).unwrap(), Settled::NotWritten);
        }
        other => panic!("{other:?}"),
    }
    fixture.ledger.append(&batch).unwrap();
    end_all();
    fixture.ledger.wait(batch.next.position, Duration::from_millis(5)).unwrap();
    end_all();
    fixture.ledger.wait(batch.next.position, Duration::from_millis(5)).unwrap();
}
