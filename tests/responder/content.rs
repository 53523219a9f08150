//! What is said: every status, the form of the question, several questions in one request.

use tashika::model::{Change, Delivery, HoldKind, Millis, Reason, Seconds, Time};
use tashika::responder::{NotIssued, Refusal, Says};

use crate::bureau::{Bureau, Ca, KeyNo, VALIDITY, party, stranger};
use crate::nation;
use crate::ocsp::{Form, Said, UNAUTHORIZED, cert_id, request};

pub fn revoked(reason: Reason, at: Time) -> Change {
    Change::Revoked { reason, at, lost_at: None }
}

pub fn held(lost_at: Option<Time>) -> Change {
    Change::Held { kind: HoldKind::Window, lost_at, becomes: None }
}

#[test]
fn every_key_answers_good_and_what_it_signs_verifies() {
    let mut bureau = Bureau::new(vec![Ca::p256(), Ca::p384(), Ca::rsa()]);
    for ca in 0..3 {
        let (_, key) = bureau.register(ca);
        let answer = bureau.answer(&bureau.usual(ca, &key));
        let seen = bureau.read(ca, &answer);
        let single = seen.single();
        assert_eq!(single.status, Said::Good);
        let times = (single.this_update, seen.produced_at, single.next_update);
        let known = bureau.time;
        assert_eq!(times, (known.unix(), known.unix(), (known + VALIDITY).unix()));
        assert_eq!(
            (single.archive_cutoff, single.invalidity_date, seen.nonce, seen.extended_revoke),
            (None, None, None, false)
        );
        assert_eq!(answer.unwrap().says.of(Says::Good), 1);
    }
}

#[test]
fn each_reason_is_told_and_unspecified_is_left_out() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    for reason in Reason::ALL {
        let one = bureau.register(0);
        assert_eq!(bureau.seen(&bureau.usual(0, &one.1)).said(), Said::Good);
        let at = nation::at(-40);
        bureau.change(one, &revoked(reason, at));
        let told = (reason != Reason::Unspecified).then(|| reason.code());
        for form in Form::ALL {
            let answer = bureau.answer(&bureau.asking(0, &one.1, form));
            assert_eq!(bureau.read(0, &answer).said(), Said::Revoked(at.unix(), told), "{reason:?} {form:?}");
            let reply = answer.unwrap();
            assert_eq!((reply.says.of(Says::Revoked), reply.changed), (1, Some(bureau.at)));
        }
    }
}

#[test]
fn a_hold_is_told_as_one_with_its_time_of_loss_and_a_release_ends_it() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let lost_at = nation::at(-3_600);
    let hold = bureau.change(one, &held(Some(lost_at)));
    let seen = bureau.seen(&bureau.usual(0, &one.1));
    assert_eq!(seen.said(), Said::held(bureau.time.unix()));
    assert_eq!(seen.single().invalidity_date, Some(lost_at.unix()));
    bureau.change(one, &Change::Released { holds: vec![tashika::model::HoldId(hold)] });
    let seen = bureau.seen(&bureau.usual(0, &one.1));
    assert_eq!((seen.said(), seen.single().invalidity_date), (Said::Good, None));
}

#[test]
fn what_waits_for_its_acknowledgement_is_held_since_its_validity_began() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register_as(0, |one| one.delivery = Delivery::Awaited);
    assert_eq!(bureau.seen(&bureau.usual(0, &one.1)).said(), Said::held(nation::at(-86_400 * 30).unix()));
    bureau.change(one, &Change::Acknowledged);
    assert_eq!(bureau.seen(&bureau.usual(0, &one.1)).said(), Said::Good);
}

/// A validity may begin tomorrow; an answer may not, and neither may any other after it.
#[test]
fn a_validity_that_lies_ahead_dates_no_answer() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let tomorrow = bureau.time + Seconds::days(1);
    let one = bureau.register_as(0, |one| (one.delivery, one.not_before) = (Delivery::Awaited, tomorrow));
    let other = bureau.register(0);
    for _ in 0..2 {
        // Signed now, then kept: both say the same.
        let seen = bureau.seen(&bureau.usual(0, &one.1));
        assert_eq!((seen.said(), seen.single().this_update), (Said::held(bureau.time.unix()), bureau.time.unix()));
    }
    assert_eq!(bureau.seen(&bureau.usual(0, &other.1)).single().this_update, bureau.time.unix());
}

#[test]
fn a_serial_never_issued_is_answered_as_the_setting_says_and_never_good() {
    let with = |not_issued| Bureau::new(vec![Ca::p256().with(|policy| policy.not_issued = not_issued)]);
    let request_for = |bureau: &Bureau| bureau.usual(0, &bureau.key(0, 99));
    let bureau = with(NotIssued::Unknown);
    let seen = bureau.seen(&request_for(&bureau));
    assert_eq!((seen.said(), seen.extended_revoke), (Said::Unknown, false));
    let bureau = with(NotIssued::Revoked);
    let seen = bureau.seen(&request_for(&bureau));
    assert_eq!((seen.said(), seen.extended_revoke), (Said::held(0), true));
    let bureau = with(NotIssued::Unauthorized);
    assert_eq!(bureau.seen(&request_for(&bureau)).status, UNAUTHORIZED);
    assert_eq!(bureau.answer(&request_for(&bureau)).unwrap_err(), Refusal::NotIssued);
}

#[test]
fn an_expired_certificate_keeps_its_status_and_says_how_far_back_that_goes() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register_as(0, |one| one.not_after = nation::at(-86_400 * 3));
    let since: Time = "2009-12-31T15:00:00Z".parse().unwrap();
    let seen = bureau.seen(&bureau.usual(0, &one.1));
    assert_eq!((seen.said(), seen.single().archive_cutoff), (Said::Good, Some(since.unix())));
    bureau.change(one, &revoked(Reason::KeyCompromise, bureau.time));
    let seen = bureau.seen(&bureau.usual(0, &one.1));
    assert_eq!(seen.said(), Said::Revoked(bureau.time.unix(), Some(1)));
    assert_eq!(seen.single().archive_cutoff, Some(since.unix()));
}

/// A kept signature is written out anew for each who asks: on the day after, it must still be what was signed.
#[test]
fn a_kept_reply_outlives_the_last_day_of_its_certificate() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let midnight: Time = "2026-11-21T00:00:00Z".parse().unwrap();
    let one = bureau.register_as(0, |one| one.not_after = "2026-11-20T12:00:00Z".parse().unwrap());
    bureau.pass_and_hear(midnight.unix() - 10 - bureau.time.unix());
    let asked = bureau.usual(0, &one.1);
    let before = bureau.answer(&asked).unwrap().der;
    bureau.pass_and_hear(20);
    assert_eq!(bureau.ask(stranger(1), &asked).kept().der, before);
    assert_eq!(bureau.seen(&asked).single().archive_cutoff, None);
}

#[test]
fn the_cert_id_comes_back_octet_for_octet_in_the_hash_that_was_asked() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    for form in Form::ALL {
        let id = rasn::der::encode(&cert_id(&bureau.cas[0].certificate(), one.1.serial.as_octets(), form)).unwrap();
        let asked = bureau.asking(0, &one.1, form);
        let first = bureau.answer(&asked);
        assert_eq!(bureau.read(0, &first).single().cert_id, id, "{form:?}");
        assert_eq!(
            bureau.ask(stranger(1), &asked).kept().der,
            first.unwrap().der,
            "{form:?}: kept, and the same again"
        );
    }
    assert_eq!(bureau.hand.signed(), 4, "one signature for each form");
}

#[test]
fn several_questions_are_answered_in_order_by_one_signature() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let [good, gone] = [bureau.register(0), bureau.register(0)];
    bureau.change(gone, &revoked(Reason::Superseded, bureau.time));
    let ca = bureau.cas[0].certificate();
    let id = |key: &tashika::model::CertificateKey, form| cert_id(&ca, key.serial.as_octets(), form);
    let never = bureau.key(0, 99);
    let ids = [
        id(&gone.1, Form::Sha1Null),
        id(&good.1, Form::Sha256Absent),
        id(&never, Form::Sha1Absent),
        id(&gone.1, Form::Sha1Null),
    ];
    let answer = bureau.answer(&request(&ids, None));
    let seen = bureau.read(0, &answer);
    let ended = Said::Revoked(bureau.time.unix(), Some(4));
    let said: Vec<_> = seen.singles.iter().map(|single| single.status).collect();
    assert_eq!(said, [ended, Said::Good, Said::Unknown, ended]);
    let echoed: Vec<_> = seen.singles.iter().map(|single| single.cert_id.clone()).collect();
    assert_eq!(echoed, ids.map(|id| rasn::der::encode(&id).unwrap()));
    assert_eq!(bureau.hand.signed(), 1);
    let says = answer.unwrap().says;
    assert_eq!(Says::ALL.map(|one| says.of(one)), [1, 0, 2, 1], "each counts as what it is");
}

#[test]
fn a_thousand_questions_for_the_accredited_twenty_for_strangers() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let ca = bureau.cas[0].certificate();
    let id = cert_id(&ca, one.1.serial.as_octets(), Form::Sha1Null);
    let of = |count: usize| request(&vec![id.clone(); count], None);
    for (caller, most) in [(stranger(1), 20), (party(1), 1_000)] {
        let told = bureau.ask(caller, &of(most)).waits();
        bureau.work();
        assert_eq!(bureau.read(0, &told.recv().unwrap()).singles.len(), most);
        let crate::bureau::Got::Refused(refusal) = bureau.ask(caller, &of(most + 1)) else {
            panic!("{} are too many", most + 1)
        };
        assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal:?}");
    }
}

#[test]
fn two_issuers_in_one_request_are_refused_whole() {
    let mut bureau = Bureau::new(vec![Ca::p256(), Ca::p384()]);
    let [one, other] = [bureau.register(0), bureau.register(1)];
    let ids = |bureau: &Bureau, folder_of: [usize; 2]| {
        [(folder_of[0], &one.1), (folder_of[1], &other.1)]
            .map(|(ca, key)| cert_id(&bureau.cas[ca].certificate(), key.serial.as_octets(), Form::Sha1Null))
    };
    let refused = bureau.answer(&request(&ids(&bureau, [0, 1]), None));
    assert_eq!(refused.clone().unwrap_err(), Refusal::TwoIssuers);
    assert_eq!(bureau.read(0, &refused).status, UNAUTHORIZED);
    // The right serial of the wrong CA was never issued by it.
    let seen = bureau.seen(&request(&ids(&bureau, [0, 0])[1..], None));
    assert_eq!(seen.said(), Said::Unknown);
}

#[test]
fn a_foreign_issuer_is_refused_in_every_form_and_beside_ours() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let foreign = Ca::new(9, "card-sign-g3-p384").certificate();
    let serial = one.1.serial;
    for form in Form::ALL {
        let theirs = cert_id(&foreign, serial.as_octets(), form);
        let ours = cert_id(&bureau.cas[0].certificate(), serial.as_octets(), form);
        // The same name, another key generation: only together do the hashes say who is meant.
        let mixed = rasn_ocsp::CertId { issuer_key_hash: theirs.issuer_key_hash.clone(), ..ours.clone() };
        for ids in [vec![theirs.clone()], vec![mixed], vec![ours, theirs]] {
            assert_eq!(bureau.answer(&request(&ids, None)).unwrap_err(), Refusal::OtherIssuer, "{form:?}");
        }
    }
    assert_eq!(bureau.hand.signed(), 0);
}

#[test]
fn an_issuer_without_a_key_comes_later_and_the_others_go_on() {
    let mut bureau = Bureau::new(vec![Ca { key: KeyNo::None, ..Ca::p256() }, Ca::rsa()]);
    let [one, other] = [bureau.register(0), bureau.register(1)];
    for form in Form::ALL {
        assert_eq!(bureau.answer(&bureau.asking(0, &one.1, form)).unwrap_err(), Refusal::NoSigner);
    }
    let answer = bureau.answer(&bureau.usual(1, &other.1));
    assert_eq!(bureau.read(1, &answer).said(), Said::Good);
    assert_eq!(bureau.now.wall, Millis(bureau.time.unix() * 1_000));
}
