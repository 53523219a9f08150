//! What outside CAs write by SQL, decided by the sequencer.

use tashika::desk::{Sequencer, Task};
use tashika::ledger::{InboxResult, Ledger};
use tashika::model::{Body, Channel, IssuerNo, Millis, NodeId, Outcome, Reason};

use crate::office::{Office, key_of};

/// Puts commands in and lets the sequencer step once; says what the CA reads.
fn submit(office: &mut Office, commands: &[(u16, &str)]) -> Vec<InboxResult> {
    let ledger = office.ledger.clone();
    let numbers: Vec<_> =
        commands.iter().map(|(issuer, command)| ledger.put_in_inbox(IssuerNo(*issuer), command)).collect();
    let now = office.now;
    let mut sequencer = Sequencer::new(NodeId([1; 16]));
    let stepped = sequencer.step(&ledger, &mut |task| office.desk.one(&task, now), Millis(now.unix() * 1000)).unwrap();
    assert!(stepped.failures.is_empty(), "{:?}", stepped.failures);
    assert!(Ledger::inbox(&ledger, 10).unwrap().is_empty(), "nothing is left undecided");
    let state = ledger.state();
    numbers.iter().map(|no| state.inbox[no].1.clone().unwrap()).collect()
}

fn register(serial: &str, more: &str) -> String {
    format!(
        r#"{{"register": [{{"serial": "{serial}", "type": "SIGN", "holder": "ff0102030405060708090a0b0c0d0e0f",
            "not_before": "2026-11-20T00:00:00Z", "not_after": "2031-11-20T00:00:00Z",
            "medium": {{"kind": "CARD", "id": "000102030405060708090a0b0c0d0e0f"}}{more}}}]}}"#
    )
}

#[test]
fn a_ca_registers_and_revokes_its_own_and_reads_what_came_of_it() {
    let mut office = Office::open();
    let results = submit(
        &mut office,
        &[
            (1, &register("64", r#", "pending": true"#)),
            (1, r#"{"revoke": {"serial": "02", "reason": "superseded"}}"#),
            (1, r#"{"acknowledge": {"serial": "64"}}"#),
        ],
    );
    for result in &results {
        assert!(matches!(result, InboxResult::Done { .. }), "{result:?}");
    }
    assert!(office.status(10).is_good(), "registered as pending, then acknowledged");
    assert_eq!(office.status(2).revocation().unwrap().reason, Reason::Superseded);
    let InboxResult::Done { first, .. } = &results[1] else { panic!() };
    let event = office.event(*first);
    assert_eq!(event.actor.channel, Channel::Sql);
    assert!(matches!(event.body, Body::Changed { key, .. } if key == key_of(2)));
}

#[test]
fn a_ca_reaches_nothing_of_anothers_and_is_told_why() {
    let mut office = Office::open();
    let results = submit(
        &mut office,
        &[
            (2, r#"{"revoke": {"serial": "01", "reason": "superseded"}}"#),
            (1, r#"{"revoke": {"serial": "4D", "reason": "superseded"}}"#),
            (1, &register("01", "")),
            (1, &register("65", r#", "succeeds": "63""#)),
            (1, "rubbish"),
        ],
    );
    let says = ["no such certificate", "no such certificate", "registered already", "not registered", "not a command"];
    for (result, says) in results.iter().zip(says) {
        let InboxResult::Refused { at, why } = result else { panic!("{result:?}") };
        assert!(why.contains(says), "{why}");
        assert!(matches!(office.event(*at).body, Body::InboxRefused { .. }), "the refusal is on record");
    }
    assert!((1..=9).all(|no| office.status(no).is_good()));
    // What is linked within one command counts as registered before.
    let both = format!(
        "{},{}",
        register("66", "").trim_end_matches("]}"),
        register("67", r#", "succeeds": "66""#).trim_start_matches(r#"{"register": ["#)
    );
    let done = submit(&mut office, &[(1, &both)]);
    assert!(matches!(done[0], InboxResult::Done { .. }), "{done:?}");
}

#[test]
fn what_is_so_already_is_answered_with_an_event_of_its_own() {
    let mut office = Office::open();
    let revoke = r#"{"revoke": {"serial": "02", "reason": "superseded"}}"#;
    let first = submit(&mut office, &[(1, revoke)]).remove(0);
    let InboxResult::Done { first: revoked, .. } = first else { panic!("{first:?}") };
    for (command, by) in [(revoke, Some(revoked)), (r#"{"acknowledge": {"serial": "01"}}"#, None)] {
        let head = office.position();
        let again = submit(&mut office, &[(1, command)]).remove(0);
        let InboxResult::Refused { at, why } = &again else { panic!("{again:?}") };
        assert_eq!(*at, head.next(), "not with another's event");
        assert!(why.contains("so already"), "{why}");
        assert!(by.is_none_or(|by| why.contains(&format!("event {by}"))), "{why}");
    }
}

#[test]
fn what_another_sequencer_decided_is_not_decided_again() {
    let mut office = Office::open();
    let ledger = office.ledger.clone();
    let revoke = |serial: u32| format!(r#"{{"revoke": {{"serial": "{serial:02X}", "reason": "superseded"}}}}"#);
    for serial in [1, 2, 4] {
        ledger.put_in_inbox(IssuerNo(1), &revoke(serial));
    }
    // This one listed them, and then was slow.
    let listed = Ledger::inbox(&ledger, 10).unwrap();
    submit(&mut office, &[]);
    let head = office.position();
    for item in listed {
        assert_eq!(office.desk.one(&Task::Inbox(item), office.now).unwrap(), Outcome::AlreadySo);
    }
    assert_eq!(office.position(), head);
    // One that comes later under a lower number is decided all the same, beside one that waits under a higher one.
    let [late, last] = [5, 7].map(|serial| ledger.put_in_inbox(IssuerNo(1), &revoke(serial)));
    let items = Ledger::inbox(&ledger, 10).unwrap();
    for (item, no) in items.into_iter().rev().zip([last, late]) {
        assert_eq!(item.no, no);
        assert!(matches!(office.desk.one(&Task::Inbox(item), office.now), Ok(Outcome::Done { .. })));
    }
}

#[test]
fn a_phone_enrolled_under_a_card_in_doubt_is_refused_and_the_ca_reads_why() {
    let mut office = Office::open();
    office.hold(crate::nation::actor(tashika::model::Role::CallCentre), key_of(1));
    office.wait(600);
    let enrolled = crate::nation::at(61);
    let phone = register("64", r#", "issued_under": "01""#)
        .replace("SIGN", "AUTH")
        .replace("CARD", "SE_APPLE")
        .replace("2026-11-20T00:00:00Z", &enrolled.to_string());
    let results = submit(&mut office, &[(1, &phone)]);
    let InboxResult::Refused { why, .. } = &results[0] else { panic!("{results:?}") };
    assert!(why.contains("enrolled under certificate 01 after that was lost, held or revoked"), "{why}");
}
