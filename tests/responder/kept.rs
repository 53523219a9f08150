//! Kept replies: the same octets again, until something changes; then never again, whatever the clock says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tashika::model::{Batch, Change, IssuerNo, ListNo, Reason, SetChange, SetTarget};
use tashika::responder::{Refusal, Says};
use tashika::status::{Changed, ReadTo};

use crate::bureau::{Bureau, Ca, Got, KeyNo, VALIDITY, party, stranger, told};
use crate::content::{held, revoked};
use crate::ocsp::{Form, Said};

#[test]
fn a_kept_reply_is_served_octet_for_octet_until_its_time_is_over() {
    for ca in [Ca::p256(), Ca::p384(), Ca::rsa()] {
        let mut bureau = Bureau::new(vec![ca]);
        let one = bureau.register(0);
        for form in Form::ALL {
            let asked = bureau.asking(0, &one.1, form);
            let first = bureau.answer(&asked).unwrap().der;
            for (caller, seconds) in [(stranger(1), 0), (party(1), 1), (stranger(2), 290)] {
                bureau.pass_and_hear(seconds);
                assert_eq!(bureau.ask(caller, &asked).kept().der, first, "{form:?}");
            }
            bureau.pass_and_hear(i64::from(VALIDITY.0) - 291 - 1);
            assert_eq!(bureau.ask(stranger(1), &asked).kept().der, first, "its last second");
            bureau.pass_and_hear(1);
            assert!(matches!(bureau.ask(stranger(1), &asked), Got::Waits(_)), "{form:?}: over");
            bureau.work();
            let next = bureau.ask(stranger(1), &asked).kept();
            assert_eq!((next.this_update, next.next_update), (bureau.time, bureau.time + VALIDITY));
        }
    }
}

/// Every step within one second: only positions say what is older.
#[test]
fn a_change_takes_the_kept_reply_with_it_within_the_same_second() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    for form in Form::ALL {
        assert_eq!(bureau.seen(&bureau.asking(0, &one.1, form)).said(), Said::Good);
    }
    let hold = bureau.change(one, &held(None));
    let all_say = |bureau: &Bureau, said: Said| {
        for form in Form::ALL {
            let asked = bureau.asking(0, &one.1, form);
            assert!(matches!(bureau.ask(stranger(1), &asked), Got::Waits(_)), "{form:?}: nothing old is served");
            bureau.work();
            let kept = bureau.ask(stranger(1), &asked).kept();
            assert_eq!(bureau.read(0, &Ok(kept)).said(), said, "{form:?}");
        }
    };
    all_say(&bureau, Said::held(bureau.time.unix()));
    bureau.change(one, &Change::Released { holds: vec![tashika::model::HoldId(hold)] });
    all_say(&bureau, Said::Good);
    bureau.change(one, &revoked(Reason::KeyCompromise, bureau.time));
    all_say(&bureau, Said::Revoked(bureau.time.unix(), Some(1)));
}

#[test]
fn a_set_event_takes_the_kept_replies_of_its_members_and_no_others() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let all: Vec<_> = (0..6).map(|_| bureau.register(0)).collect();
    let numbers: Vec<_> = all.iter().map(|one| one.0).collect();
    let list = SetTarget::Listed { list: ListNo(1), count: 2, digest: [0; 32] };
    let targets = [
        (list, vec![0, 3]),
        // Numbers from 1 on, by threes.
        (SetTarget::Batch(Batch(1)), vec![0, 3]),
        (SetTarget::Issuer(IssuerNo(1)), vec![0, 1, 2, 3, 4, 5]),
    ];
    for (target, members) in targets {
        let ask = |bureau: &Bureau, at: usize| bureau.seen(&bureau.usual(0, &all[at].1)).said();
        (0..6).for_each(|at| assert_eq!(ask(&bureau, at), Said::Good));
        let listed: Vec<_> = members.iter().map(|at| numbers[*at]).collect();
        let hold = bureau.set(target.clone(), SetChange::Held, &listed);
        for (at, one) in all.iter().enumerate() {
            let kept = matches!(bureau.ask(stranger(1), &bureau.usual(0, &one.1)), Got::Kept(_));
            assert_eq!(kept, !members.contains(&at), "{target:?} {at}");
            let wanted = if kept { Said::Good } else { Said::held(bureau.time.unix()) };
            bureau.work();
            assert_eq!(ask(&bureau, at), wanted, "{target:?} {at}");
        }
        bureau.set(target, SetChange::Released { hold: tashika::model::HoldId(hold) }, &listed);
    }
}

/// The change comes between the look-up and the signature, and again between the signature and its keeping.
#[test]
fn a_certificate_that_changes_while_it_is_signed_is_signed_again() {
    for form in Form::ALL {
        let mut bureau = Bureau::new(vec![Ca::p256()]);
        let one = bureau.register(0);
        let (table, time, at) = (bureau.table.clone(), bureau.time, bureau.at.next());
        bureau.at = at;
        let read_to = bureau.read_to();
        bureau.hand.meanwhile(move || {
            let change = revoked(Reason::KeyCompromise, time);
            table.change(&Changed { position: at, time, cause: at, no: one.0, key: one.1, change: &change }).unwrap();
            table.publish(read_to).unwrap();
        });
        let asked = bureau.asking(0, &one.1, form);
        let answer = bureau.answer(&asked);
        assert_eq!(bureau.read(0, &answer).said(), Said::Revoked(time.unix(), Some(1)), "{form:?}");
        assert_eq!(bureau.hand.signed(), 2, "{form:?}");
        assert_eq!(bureau.ask(stranger(1), &asked).kept().der, answer.unwrap().der, "{form:?}");
    }
}

/// Not published yet: the reply shows the change, but says a position before it, so it isn't kept.
#[test]
fn a_change_that_is_not_published_yet_is_shown_but_nothing_is_kept_over_it() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let position = bureau.at.next();
    let change = revoked(Reason::KeyCompromise, bureau.time);
    let (time, no, key) = (bureau.time, one.0, one.1);
    bureau.table.change(&Changed { position, time, cause: position, no, key, change: &change }).unwrap();
    let asked = bureau.usual(0, &one.1);
    for _ in 0..2 {
        let answer = bureau.answer(&asked);
        assert_eq!(bureau.read(0, &answer).said(), Said::Revoked(time.unix(), Some(1)));
    }
    assert_eq!((bureau.hand.signed(), bureau.responder.figures().overtaken), (2, 2));
    bureau.table.publish(ReadTo { position, ..bureau.read_to() }).unwrap();
    bureau.answer(&asked).unwrap();
    bureau.ask(stranger(1), &asked).kept();
}

/// Whoever asks after a change must not be given what was signed for somebody who asked before it, not even by joining
/// those who wait for that signature.
#[test]
fn who_asks_after_a_change_while_the_signature_is_made_is_told_of_it() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let asked = bureau.usual(0, &one.1);
    let (late, heard) = std::sync::mpsc::channel();
    let (table, time, at) = (bureau.table.clone(), bureau.time, bureau.at.next());
    bureau.at = at;
    let read_to = bureau.read_to();
    let (responder, now, octets) = (bureau.responder.clone(), bureau.now, asked.clone());
    bureau.hand.meanwhile(move || {
        let change = revoked(Reason::KeyCompromise, time);
        table.change(&Changed { position: at, time, cause: at, no: one.0, key: one.1, change: &change }).unwrap();
        table.publish(read_to).unwrap();
        let request = tashika::asn1::ocsp::read(&octets, tashika::model::RequestLimits::ANONYMOUS).unwrap();
        let answer = responder.answer(stranger(2), &request, now.wall.time(), &mut Default::default());
        let tashika::responder::Answer::Sign(order) = answer else { panic!("nothing old is kept: {answer:?}") };
        responder.order(order, now.wall, Box::new(move |answer| late.send(answer).err().and(None)));
    });
    let first = bureau.ask(stranger(1), &asked).waits();
    bureau.work();
    for answer in [first.recv().unwrap(), heard.recv().unwrap()] {
        assert_eq!(bureau.read(0, &answer).said(), Said::Revoked(time.unix(), Some(1)));
    }
}

/// Once what is signed is compared with what is true for the last time, nobody can join those who wait for it.
#[test]
fn who_comes_after_the_last_look_is_signed_for_anew() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let asked = bureau.usual(0, &one.1);
    let (time, at) = (bureau.time, bureau.at.next());
    bureau.at = at;
    let read_to = bureau.read_to();
    let (table, responder, hand, now) =
        (bureau.table.clone(), bureau.responder.clone(), bureau.hand.clone(), bureau.now);
    let (late, heard) = std::sync::mpsc::channel();
    let octets = asked.clone();
    bureau.hand.meanwhile(move || {
        let change = revoked(Reason::KeyCompromise, time);
        table.change(&Changed { position: at, time, cause: at, no: one.0, key: one.1, change: &change }).unwrap();
        table.publish(read_to).unwrap();
        // The look after the first signature finds the change, so there is a second; by then the first has landed.
        hand.meanwhile(move || {
            let request = tashika::asn1::ocsp::read(&octets, tashika::model::RequestLimits::ANONYMOUS).unwrap();
            let answer = responder.answer(stranger(2), &request, now.wall.time(), &mut Default::default());
            let tashika::responder::Answer::Sign(order) = answer else { panic!("nothing is kept yet: {answer:?}") };
            responder.order(order, now.wall, Box::new(move |answer| late.send(answer).err().and(None)));
        });
    });
    let first = bureau.ask(stranger(1), &asked).waits();
    bureau.work();
    for answer in [first.recv().unwrap(), heard.recv().unwrap()] {
        assert_eq!(bureau.read(0, &answer).said(), Said::Revoked(time.unix(), Some(1)));
    }
    assert_eq!(bureau.hand.signed(), 3);
}

/// The same with threads: the change and the question come at any instant after the signature has begun.
#[test]
fn nobody_who_asks_after_a_change_is_told_what_was_before() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let all: Vec<_> = (0..500).map(|_| bureau.register(0)).collect();
    let over = Arc::new(AtomicBool::new(false));
    let (responder, ends, now) = (bureau.responder.clone(), over.clone(), bureau.now);
    let signer = std::thread::spawn(move || {
        while !ends.load(Ordering::Relaxed) {
            let _ = responder.work(now);
        }
    });
    for (turn, one) in all.iter().enumerate() {
        let asked = bureau.usual(0, &one.1);
        let began = Arc::new(AtomicBool::new(false));
        let begins = began.clone();
        bureau.hand.meanwhile(move || begins.store(true, Ordering::Release));
        let before = bureau.ask(stranger(1), &asked).waits();
        while !began.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        (0..turn * 8).for_each(|_| std::hint::spin_loop());
        bureau.change(*one, &revoked(Reason::KeyCompromise, bureau.time));
        let says = match bureau.ask(stranger(2), &asked) {
            Got::Waits(told) => told.recv().unwrap().map(|reply| reply.says.of(Says::Revoked)),
            Got::Kept(reply) => Ok(reply.says.of(Says::Revoked)),
            Got::Refused(refusal) => Err(refusal),
        };
        assert_eq!(says, Ok(1), "in turn {turn}");
        before.recv().unwrap().unwrap();
    }
    over.store(true, Ordering::Relaxed);
    signer.join().unwrap();
}

#[test]
fn while_the_key_fails_kept_replies_go_on_until_they_end() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let [one, other] = [bureau.register(0), bureau.register(0)];
    let asked = bureau.usual(0, &one.1);
    let kept = bureau.answer(&asked).unwrap().der;
    bureau.hand.fails.store(true, Ordering::Relaxed);
    bureau.pass_and_hear(i64::from(VALIDITY.0) - 1);
    assert_eq!(bureau.ask(stranger(1), &asked).kept().der, kept);
    assert_eq!(bureau.answer(&bureau.usual(0, &other.1)).unwrap_err(), Refusal::SignerFailed);
    bureau.pass_and_hear(1);
    assert_eq!(bureau.answer(&asked).unwrap_err(), Refusal::SignerFailed);
    assert_eq!(bureau.responder.figures().signer_failed, 2);
    bureau.hand.fails.store(false, Ordering::Relaxed);
    assert_eq!(bureau.seen(&asked).said(), Said::Good);
}

#[test]
fn replies_of_a_key_that_is_gone_are_served_no_more() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    for form in Form::ALL {
        let asked = bureau.asking(0, &one.1, form);
        bureau.answer(&asked).unwrap();
        let wanted = bureau.hand.signed();
        bureau.become_these(vec![Ca { key: KeyNo::No(2), ..Ca::p256() }]);
        assert!(matches!(bureau.ask(stranger(1), &asked), Got::Waits(_)), "{form:?}");
        bureau.work();
        bureau.become_these(vec![Ca { key: KeyNo::None, ..Ca::p256() }]);
        assert!(matches!(bureau.ask(stranger(1), &asked), Got::Refused(Refusal::NoSigner)), "{form:?}");
        bureau.become_these(vec![Ca { key: KeyNo::No(1), ..Ca::p256() }]);
        assert!(wanted > 0);
    }
}

#[test]
fn equal_orders_share_a_signature_and_all_are_told_the_same() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let asked = bureau.usual(0, &one.1);
    let waiting: Vec<_> = (0..50).map(|caller| bureau.ask(stranger(caller), &asked).waits()).collect();
    assert!(waiting.iter().all(|one| told(one).is_none()));
    bureau.work();
    let answers: Vec<_> = waiting.iter().map(|one| told(one).expect("told").unwrap().der).collect();
    assert!(answers.iter().all(|der| *der == answers[0]));
    assert_eq!(bureau.hand.signed(), 1);
}
