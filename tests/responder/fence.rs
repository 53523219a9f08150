//! Issued a moment ago: a serial that the table doesn't have is unknown only once the ledger has been asked.

use tashika::model::{CertificateNo, Epoch, Position, Usage};
use tashika::responder::Refusal;
use tashika::status::ReadTo;

use crate::bureau::{Bureau, Ca, Got, party, stranger, told};
use crate::nation;
use crate::ocsp::{Form, Said, cert_id, request};

/// Registers the certificate with that number in the ledger; the table hears of it when the test applies it.
fn issued(bureau: &Bureau, number: u64) -> impl FnOnce(&Bureau) {
    let key = bureau.key(0, number);
    let position = bureau.at.next();
    move |bureau| {
        let certificate = nation::on_card(key, number, Usage::Auth);
        bureau.table.register(position, CertificateNo(number), [&certificate]).unwrap();
        bureau.table.publish(ReadTo { epoch: Epoch(1), position }).unwrap();
    }
}

#[test]
fn what_is_missing_waits_for_the_ledger_s_head_and_has_its_real_status() {
    for form in Form::ALL {
        let mut bureau = Bureau::new(vec![Ca::p256()]);
        bureau.register(0);
        let apply = issued(&bureau, 7);
        let waiting = bureau.ask(stranger(1), &bureau.asking(0, &bureau.key(0, 7), form)).waits();
        bureau.work();
        assert!(told(&waiting).is_none(), "nobody says unknown yet");
        let crowd = bureau.responder.crowd().expect("it waits at the fence");
        let head = ReadTo { epoch: Epoch(1), position: bureau.at.next() };
        let crowd = bureau.responder.pass(crowd, head, bureau.now.wall).expect("the table hasn't read so far");
        bureau.work();
        assert!(told(&waiting).is_none(), "nor now");
        apply(&bureau);
        assert!(bureau.responder.pass(crowd, head, bureau.now.wall).is_none());
        bureau.work();
        assert_eq!(bureau.read(0, &told(&waiting).expect("told")).said(), Said::Good, "{form:?}");
    }
}

#[test]
fn all_who_wait_share_one_question_and_what_was_never_issued_is_unknown() {
    let bureau = Bureau::new(vec![Ca::p256()]);
    let all: Vec<_> = (0..200)
        .map(|number| bureau.ask(stranger(number), &bureau.usual(0, &bureau.key(0, 1_000 + number))).waits())
        .collect();
    let crowd = bureau.responder.crowd().expect("they wait");
    assert!(bureau.responder.crowd().is_none(), "all of them in one");
    assert!(bureau.responder.pass(crowd, bureau.read_to(), bureau.now.wall).is_none());
    bureau.work();
    for waiting in all {
        assert_eq!(bureau.read(0, &told(&waiting).expect("told")).said(), Said::Unknown);
    }
}

#[test]
fn without_the_ledger_nobody_is_told_unknown() {
    let bureau = Bureau::new(vec![Ca::p256()]);
    let waiting = bureau.ask(stranger(1), &bureau.usual(0, &bureau.key(0, 7))).waits();
    bureau.responder.turn_back(bureau.responder.crowd().expect("it waits"));
    assert_eq!(told(&waiting).expect("told").unwrap_err(), Refusal::NoFence);
    // Nor is it remembered as denied.
    bureau.ask(stranger(1), &bureau.usual(0, &bureau.key(0, 7))).waits();
    assert!(bureau.responder.crowd().is_some());
}

#[test]
fn a_table_that_stays_behind_turns_back_who_has_waited_for_too_long() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let early = bureau.ask(stranger(1), &bureau.usual(0, &bureau.key(0, 7))).waits();
    bureau.pass(1);
    let late = bureau.ask(stranger(1), &bureau.usual(0, &bureau.key(0, 8))).waits();
    bureau.pass(1);
    let crowd = bureau.responder.crowd().expect("both");
    let ahead = ReadTo { epoch: Epoch(1), position: Position(99) };
    bureau.now.wall.0 += 1;
    let crowd = bureau.responder.pass(crowd, ahead, bureau.now.wall).expect("one has time left");
    assert_eq!(told(&early).expect("told").unwrap_err(), Refusal::NoFence);
    assert!(told(&late).is_none());
    bureau.pass(1);
    assert!(bureau.responder.pass(crowd, ahead, bureau.now.wall).is_none());
    assert_eq!(told(&late).expect("told").unwrap_err(), Refusal::NoFence);
}

#[test]
fn who_was_denied_is_remembered_until_an_event_outvotes_it() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    bureau.register(0);
    let asked = bureau.usual(0, &bureau.key(0, 2));
    let denied = |bureau: &Bureau| {
        let waiting = bureau.ask(stranger(1), &asked).waits();
        assert!(bureau.responder.crowd().is_none(), "the ledger isn't asked again");
        bureau.work();
        bureau.read(0, &told(&waiting).expect("told")).said()
    };
    assert_eq!(bureau.seen(&asked).said(), Said::Unknown);
    assert_eq!(denied(&bureau), Said::Unknown);
    bureau.pass_and_hear(61);
    // A generation that is over is remembered until the next one is.
    bureau.seen(&bureau.usual(0, &bureau.key(0, 3)));
    assert_eq!(denied(&bureau), Said::Unknown);
    issued(&bureau, 2)(&bureau);
    assert_eq!(denied(&bureau), Said::Good, "an event always outvotes what was remembered");
    bureau.at = bureau.at.next();
    bureau.pass_and_hear(61);
    bureau.seen(&bureau.usual(0, &bureau.key(0, 4)));
    bureau.pass_and_hear(61);
    bureau.seen(&bureau.usual(0, &bureau.key(0, 5)));
    bureau.ask(stranger(1), &bureau.usual(0, &bureau.key(0, 3))).waits();
    assert!(bureau.responder.crowd().is_some(), "after two generations the ledger is asked again");
}

#[test]
fn what_was_denied_counts_only_while_what_is_known_is_fresh() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let asked = bureau.usual(0, &bureau.key(0, 2));
    assert_eq!(bureau.seen(&asked).said(), Said::Unknown);
    bureau.pass(60);
    bureau.ask(stranger(1), &asked).waits();
    assert!(bureau.responder.crowd().is_some(), "it may have been issued since, by a ledger that isn't heard");
}

#[test]
fn a_nonce_or_several_questions_wait_as_well() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let ca = bureau.cas[0].certificate();
    let id = |number| cert_id(&ca, bureau.key(0, number).serial.as_octets(), Form::Sha1Null);
    for asked in [request(&[id(2)], Some(&[1; 16])), request(&[id(1), id(2)], None)] {
        let waiting = bureau.ask(party(1), &asked).waits();
        bureau.work();
        assert!(told(&waiting).is_none());
        bureau.fence();
        bureau.work();
        let seen = bureau.read(0, &told(&waiting).expect("told"));
        assert_eq!(seen.singles.last().unwrap().status, Said::Unknown);
    }
    // What is known needs no fence.
    bureau.ask(party(1), &request(&[cert_id(&ca, one.1.serial.as_octets(), Form::Sha1Null)], Some(&[1; 16]))).waits();
    assert!(bureau.responder.crowd().is_none());
}

#[test]
fn the_crowd_is_bounded_and_strangers_leave_places_for_the_accredited() {
    let bureau = Bureau::new(vec![Ca::p256()]);
    let asked = |number: u64| bureau.usual(0, &bureau.key(0, 1_000 + number));
    let crowd = |caller, numbers: std::ops::Range<u64>| -> Vec<_> {
        numbers.map(|number| bureau.ask(caller, &asked(number)).waits()).collect()
    };
    let full = |caller| {
        let answer = told(&bureau.ask(caller, &asked(20_000)).waits());
        answer.is_some_and(|answer| answer.unwrap_err() == Refusal::Full)
    };
    let strangers = crowd(stranger(1), 0..4_096);
    assert!(full(stranger(2)));
    let known = crowd(party(1), 5_000..5_000 + 4_096);
    assert!(full(party(1)) && full(stranger(2)));
    bureau.responder.turn_back(bureau.responder.crowd().expect("all others"));
    assert!(strangers.iter().chain(&known).all(|one| matches!(told(one), Some(Err(Refusal::NoFence)))));
}

/// Numbers that no certificate can have are nobody's, without asking anybody.
#[test]
fn impossible_serials_ask_nobody() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    bureau.register(0);
    let ca = bureau.cas[0].certificate();
    for number in [rasn::types::Integer::from(0), rasn::types::Integer::from(-5)] {
        let id = rasn_ocsp::CertId { serial_number: number, ..cert_id(&ca, &[1], Form::Sha1Null) };
        match bureau.ask(stranger(1), &request(&[id], None)) {
            Got::Waits(waiting) => {
                assert!(bureau.responder.crowd().is_none());
                bureau.work();
                assert_eq!(bureau.read(0, &told(&waiting).expect("told")).said(), Said::Unknown);
            }
            Got::Refused(refusal) => assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal:?}"),
            Got::Kept(_) => panic!("nothing is kept of nobody"),
        }
    }
}
