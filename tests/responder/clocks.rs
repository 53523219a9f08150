//! Times: true of what was known, never before what is told, never going back, never beyond the signer's own; and clocks
//! that can't be trusted.

use tashika::model::{Millis, Reason, Seconds};
use tashika::responder::{ClockFault, Refusal};
use tashika::status::Changed;

use crate::bureau::{Bureau, Ca, Got, VALIDITY, signers_end, stranger};
use crate::content::revoked;
use crate::ocsp::{Form, Said, cert_id, request};

#[test]
fn this_update_is_when_the_ledger_was_last_heard_however_late_it_is() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let heard = bureau.time;
    bureau.pass(200);
    let seen = bureau.seen(&bureau.usual(0, &one.1));
    assert_eq!(seen.single().this_update, heard.unix());
    assert_eq!(seen.produced_at, heard.unix() + 200);
    assert_eq!(seen.single().next_update, (heard + VALIDITY).unix(), "signing again prolongs nothing");
}

#[test]
fn this_update_is_not_before_a_revocation_that_it_tells() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let [one, other] = [bureau.register(0), bureau.register(0)];
    // The event came a second after the last heartbeat, and is applied already.
    bureau.pass(1);
    let (time, position) = (bureau.time + Seconds(1), bureau.at.next());
    let change = revoked(Reason::KeyCompromise, time);
    let changed = Changed { position, time, cause: position, no: one.0, key: one.1, change: &change };
    bureau.table.change(&changed).unwrap();
    bureau.at = position;
    bureau.publish();
    let seen = bureau.seen(&bureau.usual(0, &one.1));
    assert_eq!((seen.said(), seen.single().this_update), (Said::Revoked(time.unix(), Some(1)), time.unix()));
    // What is signed later says nothing earlier, of whichever certificate.
    assert_eq!(bureau.seen(&bureau.usual(0, &other.1)).single().this_update, time.unix());
}

#[test]
fn next_update_is_never_beyond_the_signer_s_own_end() {
    let end = signers_end();
    let begins = tashika::model::Time::from_unix(end.unix() - 300).unwrap();
    let mut bureau = Bureau::at(vec![Ca { signer: "ocsp-expired.pem", ..Ca::p256() }], begins);
    let one = bureau.register_as(0, |one| one.not_before = begins);
    for form in Form::ALL {
        let seen = bureau.seen(&bureau.asking(0, &one.1, form));
        assert_eq!(seen.single().next_update, end.unix(), "{form:?}");
    }
    let id = cert_id(&bureau.cas[0].certificate(), one.1.serial.as_octets(), Form::Sha1Null);
    let with_nonce = request(&[id], Some(&[1; 16]));
    assert_eq!(bureau.seen(&with_nonce).single().next_update, end.unix());
    bureau.pass_and_hear(299);
    bureau.ask(stranger(1), &bureau.usual(0, &one.1)).kept();
    bureau.pass_and_hear(1);
    for asked in [with_nonce, bureau.usual(0, &one.1), bureau.asking(0, &one.1, Form::Sha256Null)] {
        assert_eq!(bureau.answer(&asked).unwrap_err(), Refusal::NoSigner, "its certificate has ended");
    }
}

#[test]
fn past_the_bound_even_what_is_kept_is_not_served() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let asked = bureau.usual(0, &one.1);
    bureau.answer(&asked).unwrap();
    bureau.pass(300);
    bureau.ask(stranger(1), &asked).kept();
    let waits = bureau.ask(stranger(1), &bureau.asking(0, &one.1, Form::Sha1Absent)).waits();
    bureau.pass(1);
    assert!(matches!(bureau.ask(stranger(1), &asked), Got::Refused(Refusal::TooOld)));
    bureau.work();
    assert_eq!(waits.recv().unwrap().unwrap_err(), Refusal::TooOld, "also who waited for it");
    bureau.hear();
    bureau.ask(stranger(1), &asked).kept();
}

#[test]
fn who_has_heard_nothing_of_the_ledger_says_nothing() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    bureau.responder.hear(tashika::status::Freshness::default(), bureau.now);
    assert_eq!(bureau.answer(&bureau.usual(0, &one.1)).unwrap_err(), Refusal::TooOld);
}

#[test]
fn a_clock_that_was_moved_or_is_behind_signs_nothing_while_kept_replies_go_on() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let [one, other] = [bureau.register(0), bureau.register(0)];
    let kept = bureau.answer(&bureau.usual(0, &one.1)).unwrap().der;
    let right = bureau.now;
    for (moved, fault) in [(30_000, ClockFault::Moved(30_000)), (-2_001, ClockFault::Behind(2_001))] {
        bureau.now.wall = Millis(right.wall.0 + moved);
        assert_eq!(bureau.responder.clock_fault(bureau.now), Some(fault));
        assert_eq!(bureau.answer(&bureau.usual(0, &other.1)).unwrap_err(), Refusal::Clock, "{fault}");
        assert_eq!(bureau.ask(stranger(1), &bureau.usual(0, &one.1)).kept().der, kept, "{fault}");
        bureau.now = right;
    }
    // Behind the ledger's, without having been moved.
    bureau.responder.hear(tashika::status::Freshness { known_at: Some(bureau.time + Seconds(3)) }, bureau.now);
    assert_eq!(bureau.answer(&bureau.usual(0, &other.1)).unwrap_err(), Refusal::Clock);
    assert_eq!(bureau.hand.signed(), 1);
    bureau.pass_and_hear(3);
    assert_eq!(bureau.seen(&bureau.usual(0, &other.1)).said(), Said::Good);
}

/// What is heard may seem to go back, when a replica takes the place of another: no signature follows it.
#[test]
fn this_update_never_goes_back() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    bureau.pass_and_hear(60);
    let id = cert_id(&bureau.cas[0].certificate(), one.1.serial.as_octets(), Form::Sha1Null);
    let asked = request(&[id], Some(&[1; 16]));
    let latest = bureau.seen(&asked).single().this_update;
    let earlier = tashika::model::Time::from_unix(latest - 30).unwrap();
    bureau.responder.hear(tashika::status::Freshness { known_at: Some(earlier) }, bureau.now);
    assert_eq!(bureau.seen(&asked).single().this_update, latest);
    assert_eq!(bureau.seen(&bureau.usual(0, &one.1)).single().this_update, latest);
}
