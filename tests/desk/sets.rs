//! Set events: one event, every member, and what individual commands do afterwards.

use tashika::ledger::{Ledger, sha256};
use tashika::model::{
    Batch, CertificateNo, Command, IssuerNo, Outcome, Policy, Reason, Role, SetChange, SetRule, SetTarget,
};

use crate::nation::{actor, person};
use crate::office::{Office, key_of, refusal};

fn one_person() -> Office {
    Office::with(Policy { sets: SetRule::OnePerson, ..Policy::default() })
}

fn listed(office: &Office, members: &[u64]) -> SetTarget {
    let list = office.ledger.new_list().unwrap();
    let members: Vec<_> = members.iter().copied().map(CertificateNo).collect();
    office.ledger.add_to_list(list, &members).unwrap();
    let octets: Vec<u8> = members.iter().flat_map(|no| no.0.to_be_bytes()).collect();
    SetTarget::Listed { list, count: members.len() as u64, digest: sha256(&[&octets]) }
}

#[test]
fn one_event_revokes_every_member_and_keeps_earlier_dates() {
    let mut office = one_person();
    office.hold(actor(Role::CallCentre), key_of(1));
    let held_since = office.now;
    office.wait(600);
    let before = office.position();
    let target = listed(&office, &[1, 5, 9]);
    let change = SetChange::Revoked { reason: Reason::KeyCompromise };
    office.command(actor(Role::Ops), Command::Set { target, change }).unwrap();
    assert_eq!(office.position(), before.next(), "one event");
    for no in 1..=9 {
        assert_eq!(office.status(no).revocation().is_some(), [1, 5, 9].contains(&no), "{no}");
    }
    assert_eq!(office.status(1).revocation().unwrap().at, held_since);
    assert_eq!(office.status(5).revocation().unwrap().at, office.now);
}

#[test]
fn operations_alone_change_no_set() {
    let mut office = Office::open();
    let target = SetTarget::Batch(Batch(1));
    let set = Command::Set { target, change: SetChange::Revoked { reason: Reason::Superseded } };
    let Ok(Outcome::Queued { queued }) = office.command(actor(Role::Ops), set) else { panic!() };
    assert!(office.status(1).is_good());
    let verdict = tashika::model::Verdict::Approved;
    office.command(person(Role::Ops, 2), Command::DecideQueued { queued, verdict }).unwrap();
    assert!(office.status(1).revocation().is_some());
}

#[test]
fn a_list_must_be_what_the_command_says() {
    let mut office = one_person();
    let target = listed(&office, &[1, 2]);
    let SetTarget::Listed { list, .. } = target else { panic!() };
    office.ledger.add_to_list(list, &[CertificateNo(9)]).unwrap();
    let set = Command::Set { target, change: SetChange::Held };
    assert!(refusal(office.command(actor(Role::Ops), set)).contains("does not hold"));
}

#[test]
fn a_ca_reaches_no_other_cas_certificates() {
    let mut office = one_person();
    let ca = actor(Role::Ca(IssuerNo(1)));
    let change = SetChange::Revoked { reason: Reason::CaCompromise };
    for target in [SetTarget::Issuer(IssuerNo(2)), SetTarget::Batch(Batch(1)), listed(&office, &[1, 3])] {
        let said = refusal(office.command(ca, Command::Set { target, change }));
        assert!(said.contains("not competent"), "{said}");
    }
    let own = listed(&office, &[1, 2]);
    office.command(ca, Command::Set { target: own, change }).unwrap();
}

#[test]
fn a_member_can_be_released_or_revoked_by_itself_afterwards() {
    let mut office = one_person();
    let target = SetTarget::Batch(Batch(1));
    let done = office.command(actor(Role::Ops), Command::Set { target: target.clone(), change: SetChange::Held });
    let Ok(Outcome::Done { first, .. }) = done else { panic!() };
    let hold = tashika::model::HoldId(first);
    // The hold of a set is lifted by two people.
    let release = Command::Release { key: key_of(3), holds: vec![hold] };
    let Ok(Outcome::Queued { queued }) = office.command(actor(Role::Ops), release) else { panic!() };
    let verdict = tashika::model::Verdict::Approved;
    office.command(person(Role::Ops, 2), Command::DecideQueued { queued, verdict }).unwrap();
    assert!(office.status(3).is_good());
    let reason = Reason::Superseded;
    office.command(actor(Role::Window(None)), Command::Revoke { key: key_of(1), reason, lost_at: None }).unwrap();
    // Lifting the set's hold frees who is left, and nobody else.
    let lift = Command::Set { target, change: SetChange::Released { hold } };
    office.command(actor(Role::Ops), lift).unwrap();
    assert!(office.status(2).is_good() && office.status(3).is_good());
    assert!(office.status(1).revocation().is_some());
}

#[test]
fn what_would_touch_nothing_is_not_recorded() {
    let mut office = one_person();
    let ops = actor(Role::Ops);
    let target = SetTarget::Batch(Batch(1));
    let set = |change| Command::Set { target: target.clone(), change };
    let Ok(Outcome::Done { first, .. }) = office.command(ops, set(SetChange::Held)) else { panic!() };
    let lift = set(SetChange::Released { hold: tashika::model::HoldId(first) });
    office.command(ops, lift.clone()).unwrap();
    assert!(refusal(office.command(ops, lift)).contains("lifted from this set already"));
    let revoke = |reason| set(SetChange::Revoked { reason });
    office.command(ops, revoke(Reason::Superseded)).unwrap();
    let head = office.position();
    for again in [set(SetChange::Held), revoke(Reason::Superseded), revoke(Reason::CessationOfOperation)] {
        assert_eq!(office.command(ops, again).unwrap(), Outcome::AlreadySo);
    }
    let empty = listed(&office, &[]);
    let said = refusal(office.command(ops, Command::Set { target: empty, change: SetChange::Held }));
    assert!(said.contains("names no certificate"), "{said}");
    assert_eq!(office.position(), head);
    office.command(ops, revoke(Reason::KeyCompromise)).unwrap();
    assert_eq!(office.position(), head.next(), "a worse reason is news");
}

#[test]
fn what_is_so_already_does_not_wait_for_a_second_person() {
    let mut office = Office::open();
    let target = SetTarget::Issuer(IssuerNo(1));
    let set = || Command::Set { target: target.clone(), change: SetChange::Revoked { reason: Reason::CaCompromise } };
    office.command(actor(Role::Ca(IssuerNo(1))), set()).unwrap();
    assert_eq!(office.command(actor(Role::Ops), set()).unwrap(), Outcome::AlreadySo);
}
