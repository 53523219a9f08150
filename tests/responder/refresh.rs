//! Signing in advance: for whom, when, and in which order.

use std::sync::atomic::Ordering;

use tashika::model::{Batch, CertificateKey, CertificateNo, Reason, SetChange, SetTarget};
use tashika::responder::{Forms, HOT_FOR, Presign, Worked};
use tashika::status::{Signature, View};

use crate::bureau::{Bureau, Ca, KeyNo, VALIDITY, stranger};
use crate::content::revoked;
use crate::nation;
use crate::ocsp::{Form, Said};

type One = (CertificateNo, CertificateKey);

fn bureau(presign: Presign, certificates: usize) -> (Bureau, Vec<One>) {
    let mut bureau = Bureau::new(vec![Ca::p256().with(|policy| policy.presign = presign)]);
    let all = (0..certificates).map(|_| bureau.register(0)).collect();
    (bureau, all)
}

fn view(bureau: &Bureau, one: &One) -> View {
    bureau.table.look_up(&one.1, &mut Signature::default()).unwrap()
}

fn kept(bureau: &Bureau, one: &One) -> bool {
    view(bureau, one).reply.is_some()
}

#[test]
fn all_is_every_certificate_that_is_valid() {
    let (mut bureau, all) = bureau(Presign::All, 200);
    let over = bureau.register_as(0, |one| one.not_after = nation::at(-86_400 * 2));
    bureau.work();
    assert!(all.iter().all(|one| kept(&bureau, one)));
    assert!(!kept(&bureau, &over), "who asks for it nevertheless gets an answer signed then");
    assert_eq!(bureau.hand.signed(), 200);
    for one in &all[..3] {
        let reply = bureau.ask(stranger(1), &bureau.usual(0, &one.1)).kept();
        assert_eq!(bureau.read(0, &Ok(reply)).said(), Said::Good, "what was signed is what is written out");
    }
    bureau.work();
    assert_eq!(bureau.hand.signed(), 200, "once is enough");
}

#[test]
fn hot_is_who_was_asked_for_lately_and_off_is_nobody() {
    let (mut hot, all) = bureau(Presign::Hot(HOT_FOR), 100);
    hot.work();
    assert_eq!(hot.hand.signed(), 0, "nobody has asked yet");
    hot.answer(&hot.usual(0, &all[3].1)).unwrap();
    for _ in 0..60 {
        hot.pass_and_hear(20);
        hot.work();
        assert_eq!(all.iter().filter(|one| kept(&hot, one)).count(), 1);
        assert!(kept(&hot, &all[3]));
    }
    assert!((4..=10).contains(&hot.hand.signed()), "{}", hot.hand.signed());
    // Forgotten after at most twice the time.
    for _ in 0..400 {
        hot.pass_and_hear(20);
        hot.work();
    }
    let before = hot.hand.signed();
    hot.pass_and_hear(1_000);
    hot.work();
    assert_eq!(hot.hand.signed(), before);

    let (mut off, all) = bureau(Presign::Off, 100);
    off.answer(&off.usual(0, &all[3].1)).unwrap();
    off.responder.changed([all[3].0]);
    off.responder.changed_sets();
    for _ in 0..60 {
        off.pass_and_hear(20);
        off.work();
    }
    assert_eq!(off.hand.signed(), 1);
}

/// A clock that was an hour ahead, and was set right.
#[test]
fn a_clock_that_goes_back_keeps_no_sweep_waiting() {
    let (mut bureau, all) = bureau(Presign::All, 10);
    bureau.now.wall = tashika::model::Millis(bureau.now.wall.0 + 3_600_000);
    bureau.work();
    assert_eq!(bureau.hand.signed(), 0, "what is known is too old for that");
    bureau.now.wall = tashika::model::Millis(bureau.now.wall.0 - 3_600_000);
    bureau.work();
    assert!(all.iter().all(|one| kept(&bureau, one)));
}

/// Where nothing is signed in advance, too, what was kept beside the table goes when its time is over.
#[test]
fn what_is_kept_beside_the_table_is_tidied_up_whatever_is_signed_in_advance() {
    for presign in [Presign::All, Presign::Hot(HOT_FOR), Presign::Off] {
        let (mut bureau, all) = bureau(presign, 10);
        for one in &all {
            bureau.answer(&bureau.asking(0, &one.1, Form::Sha256Null)).unwrap();
        }
        assert_eq!(bureau.responder.figures().beside, 10);
        bureau.pass_and_hear(i64::from(VALIDITY.0) + 1);
        bureau.work();
        assert_eq!(bureau.responder.figures().beside, 0, "{presign}");
    }
}

#[test]
fn replies_are_signed_again_before_half_of_their_validity_and_not_all_at_once() {
    let (mut bureau, all) = bureau(Presign::All, 300);
    bureau.work();
    let (mut before, mut most) = (bureau.hand.signed(), 0);
    for second in 1..=1_500 {
        bureau.pass_and_hear(1);
        bureau.work();
        most = most.max(bureau.hand.signed() - before);
        before = bureau.hand.signed();
        for one in &all {
            let age = bureau.time.since(view(&bureau, one).reply.expect("always one").this_update);
            assert!(age <= u64::from(VALIDITY.0) / 2, "{} is {age} s old in second {second}", one.0);
        }
    }
    // Four sweeps find what was signed at once; later it is spread over all of them.
    assert!(most <= 300 * 2 / 5, "{most} in one second");
    // Each lives between a quarter and half of its validity.
    assert!((300 * 6..=300 * 11).contains(&bureau.hand.signed()), "{}", bureau.hand.signed());
}

#[test]
fn what_has_just_changed_comes_before_the_sweep() {
    let (mut bureau, all) = bureau(Presign::All, 1_000);
    bureau.change(all[900], &revoked(Reason::KeyCompromise, bureau.time));
    bureau.responder.changed([all[900].0]);
    assert_eq!(bureau.responder.work(bureau.now), Worked::Done);
    assert!(kept(&bureau, &all[900]));
    assert_eq!(bureau.hand.signed(), 1);
    let reply = bureau.ask(stranger(1), &bureau.usual(0, &all[900].1)).kept();
    assert_eq!(bureau.read(0, &Ok(reply)).said(), Said::Revoked(bureau.time.unix(), Some(1)));
}

#[test]
fn after_a_set_event_what_isn_t_good_comes_first_even_before_a_sweep_under_way() {
    let (mut bureau, all) = bureau(Presign::All, 900);
    // A sweep is under way: one slice of it is done.
    assert_eq!(bureau.responder.work(bureau.now), Worked::Done);
    let begun = bureau.hand.signed();
    assert!((1..200).contains(&begun));
    // Numbers from 1 on, by threes.
    let members: Vec<_> = all.iter().filter(|one| one.0.0 % 3 == 1).collect();
    bureau.set(SetTarget::Batch(Batch(1)), SetChange::Held, &[]);
    bureau.responder.changed_sets();
    while members.iter().any(|one| !kept(&bureau, one)) {
        assert_eq!(bureau.responder.work(bureau.now), Worked::Done);
    }
    assert_eq!(bureau.hand.signed() - begun, 300, "only those of the set so far");
    bureau.work();
    assert!(all.iter().all(|one| kept(&bureau, one)));
    assert!((900..=900 + begun).contains(&bureau.hand.signed()), "and then the rest, none twice but the members");
}

#[test]
fn another_key_signs_everything_anew() {
    let (mut bureau, all) = bureau(Presign::All, 100);
    bureau.work();
    bureau.become_these(vec![Ca { key: KeyNo::No(2), ..bureau.cas[0].clone() }]);
    bureau.pass_and_hear(31);
    bureau.work();
    assert!(all.iter().all(|one| view(&bureau, one).reply.unwrap().signer == 2));
    assert_eq!(bureau.hand.signed(), 100);
}

#[test]
fn a_key_that_fails_takes_nothing_away() {
    let (mut bureau, all) = bureau(Presign::All, 100);
    bureau.work();
    let der = bureau.ask(stranger(1), &bureau.usual(0, &all[0].1)).kept().der;
    bureau.hand.fails.store(true, Ordering::Relaxed);
    for _ in 0..29 {
        bureau.pass_and_hear(20);
        bureau.work();
    }
    assert_eq!(bureau.ask(stranger(1), &bureau.usual(0, &all[0].1)).kept().der, der);
    assert!(bureau.responder.figures().signer_failed > 100, "and it is tried in each sweep");
    bureau.hand.fails.store(false, Ordering::Relaxed);
    bureau.pass_and_hear(31);
    bureau.work();
    assert!(all.iter().all(|one| view(&bureau, one).reply.unwrap().this_update == bureau.time));
}

#[test]
fn a_clock_that_can_t_be_trusted_signs_nothing_in_advance() {
    let (mut bureau, all) = bureau(Presign::All, 100);
    bureau.now.wall.0 += 10_000;
    bureau.work();
    assert_eq!(bureau.hand.signed(), 0);
    bureau.now.wall.0 -= 10_000;
    bureau.pass_and_hear(60);
    bureau.work();
    assert!(all.iter().all(|one| kept(&bureau, one)));
}

#[test]
fn both_forms_are_signed_where_both_are_wanted() {
    let ca = Ca::p256().with(|policy| (policy.presign, policy.forms) = (Presign::All, Forms::Both));
    let mut bureau = Bureau::new(vec![ca]);
    let one = bureau.register(0);
    bureau.work();
    for form in [Form::Sha1Null, Form::Sha256Null] {
        let kept = bureau.ask(stranger(1), &bureau.asking(0, &one.1, form)).kept();
        assert_eq!(bureau.read(0, &Ok(kept)).said(), Said::Good, "{form:?}");
    }
    assert_eq!((bureau.hand.signed(), bureau.responder.figures().beside), (2, 1));
    let ca = Ca::p256().with(|policy| (policy.presign, policy.forms) = (Presign::All, Forms::Sha256));
    let mut bureau = Bureau::new(vec![ca]);
    let one = bureau.register(0);
    bureau.work();
    let kept = bureau.ask(stranger(1), &bureau.asking(0, &one.1, Form::Sha256Null)).kept();
    assert_eq!(bureau.read(0, &Ok(kept)).said(), Said::Good);
    assert_eq!(bureau.hand.signed(), 1);
}

#[test]
fn signing_in_advance_yields_to_who_waits() {
    let (mut bureau, all) = bureau(Presign::All, 3_000);
    let known = crate::bureau::party(1);
    bureau.pass_and_hear(1);
    let _ = bureau.responder.work(bureau.now);
    let asked = bureau.usual(0, &all[2_999].1);
    let waits = bureau.ask(known, &asked).waits();
    let before = bureau.hand.signed();
    let _ = bureau.responder.work(bureau.now);
    assert!(waits.try_recv().is_ok(), "in the next turn");
    assert_eq!(bureau.hand.signed() - before, 1);
}
