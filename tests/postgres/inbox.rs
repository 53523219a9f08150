//! The inbox: what a CA writes in its own transaction, when the sequencer sees it, and what the CA is told.

use tashika::ledger::{InboxCommand, InboxItem, InboxResult, Ledger, LedgerError};
use tashika::model::{Body, Event, IssuerNo, Reason, Role};

use crate::fixture::{Fixture, commit, marker};
use crate::nation;

#[test]
fn a_ca_submits_and_reads_what_came_of_it() {
    let fixture = Fixture::furnished();
    let ca = fixture.ca(1);
    let register = r#"SELECT tashika.submit_registration('{"serial": "0A", "type": "AUTH", "holder":
        "000102030405060708090a0b0c0d0e0f", "not_before": "2026-01-01T00:00:00Z", "not_after": "2031-01-01T00:00:00Z",
        "medium": {"kind": "CARD", "id": "ffffffffffffffffffffffffffffffff"}, "scope": "scope-1.crl"}')"#;
    assert_eq!(fixture.as_role(&ca, register), Ok("1".into()));
    let revoke = "SELECT tashika.submit_revocation('02', 'keyCompromise', '2026-11-20T00:00:00Z')";
    assert_eq!(fixture.as_role(&ca, revoke), Ok("2".into()));
    assert_eq!(fixture.as_role(&ca, "SELECT tashika.submit_acknowledgement('06')"), Ok("3".into()));
    let items = fixture.ledger.inbox(10).unwrap();
    let (_, book) = fixture.ledger.book().unwrap();
    let commands: Vec<_> = items
        .iter()
        .map(|item| InboxCommand::parse(&item.command, item.issuer, &book, nation::at(0)).unwrap())
        .collect();
    assert!(matches!(&commands[0], InboxCommand::Register(records) if records.len() == 1));
    let lost_at = Some("2026-11-20T00:00:00Z".parse().unwrap());
    let serial = nation::key(1, 2).serial;
    assert_eq!(commands[1], InboxCommand::Revoke { serial, reason: Reason::KeyCompromise, lost_at });
    assert_eq!(commands[2], InboxCommand::Acknowledge(nation::key(1, 6).serial));
    assert!(items.iter().all(|item| item.issuer == IssuerNo(1)));

    assert_eq!(fixture.as_role(&ca, "SELECT * FROM tashika.submission(2)"), Ok("waiting|||".into()));
    let batch = commit(&fixture.ledger, &[], |_, batch| {
        let at = batch.record(marker("done", nation::at(5))).0;
        batch.inbox.push((1, InboxResult::Done { first: at, last: at }));
        let body = Body::InboxRefused { inbox: 2, why: "no such certificate".into() };
        let refusal = Event { time: nation::at(5), actor: nation::actor(Role::System), cause: None, body };
        let (at, why) = (batch.record(refusal).0, "no such certificate".to_owned());
        batch.inbox.push((2, InboxResult::Refused { at, why }));
    });
    let (done, refused) = (batch.next.position.0 - 1, batch.next.position.0);
    assert_eq!(fixture.as_role(&ca, "SELECT * FROM tashika.submission(1)"), Ok(format!("done|{done}|{done}|")));
    let said = fixture.as_role(&ca, "SELECT * FROM tashika.submission(2)");
    assert_eq!(said, Ok(format!("refused|{refused}|{refused}|no such certificate")));
    assert_eq!(fixture.ledger.inbox(10).unwrap(), items[2..]);

    // Each is decided once.
    let mut again = tashika::ledger::Batch::on(fixture.ledger.head().unwrap());
    let at = again.record(marker("again", nation::at(5))).0;
    again.inbox.push((1, InboxResult::Done { first: at, last: at }));
    assert!(matches!(fixture.ledger.append(&again), Err(LedgerError::Refused(_))));
}

#[test]
fn a_ca_sees_its_own_submissions_only() {
    let fixture = Fixture::furnished();
    let (one, two) = (fixture.ca(1), fixture.ca(2));
    fixture.as_role(&one, "SELECT tashika.submit_acknowledgement('01')").unwrap();
    let said = fixture.as_role(&two, "SELECT * FROM tashika.submission(1)").unwrap_err();
    assert!(said.contains("no submission 1 of this issuer"), "{said}");
    fixture.as_role(&two, "SELECT tashika.submit_acknowledgement('01')").unwrap();
    let issuers: Vec<_> = fixture.ledger.inbox(10).unwrap().iter().map(|item| item.issuer.0).collect();
    assert_eq!(issuers, [1, 2]);
}

#[test]
fn what_makes_no_sense_is_refused_at_once() {
    let fixture = Fixture::furnished();
    let ca = fixture.ca(1);
    for (sql, why) in [
        ("SELECT tashika.submit_registration('[]')", "1 to 1000"),
        ("SELECT tashika.submit_registration('7')", "1 to 1000"),
        ("SELECT tashika.submit_registration('{')", "invalid input syntax"),
        ("SELECT tashika.submit_registration(jsonb_build_object('serial', repeat('x', 2000000)))", "1 MiB"),
        ("SELECT tashika.submit_registration(to_jsonb(array_fill(1, ARRAY[1001])))", "1 to 1000"),
    ] {
        let said = fixture.as_role(&ca, sql).unwrap_err();
        assert!(said.contains(why), "{sql}: {said}");
    }
    assert!(fixture.ledger.inbox(10).unwrap().is_empty());
}

/// A CA that rolls back leaves nothing; one that stays open stalls nobody; one that commits late is not missed, although
/// its number is lower than those already decided.
#[test]
fn a_transaction_left_open_stalls_nobody_and_is_not_missed() {
    let fixture = Fixture::furnished();
    let ca = fixture.ca(1);
    let session = || {
        let url = fixture.cluster.url(&ca, &fixture.database);
        postgres::Client::connect(&url, postgres::NoTls).unwrap()
    };
    let (mut late, mut undone) = (session(), session());
    late.batch_execute("BEGIN; SELECT tashika.submit_acknowledgement('01')").unwrap();
    undone.batch_execute("BEGIN; SELECT tashika.submit_acknowledgement('02')").unwrap();
    // Meanwhile others submit, and the sequencer decides; nobody waits.
    fixture.as_role(&ca, "SET lock_timeout = '1s'; SELECT tashika.submit_acknowledgement('03')").unwrap();
    let waiting = fixture.ledger.inbox(10).unwrap();
    assert_eq!(numbers(&waiting), [3]);
    let decide = |no: u64| {
        commit(&fixture.ledger, &[], |_, batch| {
            let at = batch.record(marker("decided", nation::at(5))).0;
            batch.inbox.push((no, InboxResult::Done { first: at, last: at }));
        })
    };
    decide(3);
    assert!(fixture.ledger.inbox(10).unwrap().is_empty());
    undone.batch_execute("ROLLBACK").unwrap();
    late.batch_execute("COMMIT").unwrap();
    assert_eq!(numbers(&fixture.ledger.inbox(10).unwrap()), [1]);
    decide(1);
    assert!(fixture.ledger.inbox(10).unwrap().is_empty());
}

fn numbers(items: &[InboxItem]) -> Vec<u64> {
    items.iter().map(|item| item.no).collect()
}
