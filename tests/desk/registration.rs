//! Registration: by the CA, all or none, and never twice.

use tashika::desk::Task;
use tashika::model::{
    CertificateNo, Command, IssuerNo, MediumKind, Outcome, Policy, Position, ReportKind, Role, Scope, ScopeNo,
    SetChange, SetTarget, Usage,
};

use crate::nation::{actor, at, in_sim, key, on_card, operator, scope};
use crate::office::{Office, card_of, key_of, refusal};

fn ca() -> tashika::model::Actor {
    actor(Role::Ca(IssuerNo(1)))
}

#[test]
fn one_bad_certificate_refuses_all_of_them() {
    let good = || on_card(key(1, 100), 9, Usage::Sign);
    let mut wrong_scope = on_card(key(1, 101), 9, Usage::Sign);
    wrong_scope.scope = ScopeNo(2);
    let mut backwards = on_card(key(1, 101), 9, Usage::Sign);
    backwards.not_after = at(-86_400 * 40);
    let mut sim_on_card = on_card(key(1, 101), 9, Usage::Sign);
    sim_on_card.sim = in_sim(key(1, 1), 9, operator("mno-1"), CertificateNo(1)).sim;
    let mut linked_ahead = on_card(key(1, 101), 9, Usage::Sign);
    linked_ahead.links.succeeds = Some(CertificateNo(11));
    let cases = [
        (on_card(key(1, 100), 9, Usage::Auth), "registered already"),
        (on_card(key(1, 1), 9, Usage::Auth), "registered already"),
        (on_card(key(2, 101), 9, Usage::Auth), "another CA"),
        (wrong_scope, "scope"),
        (backwards, "ends before"),
        (sim_on_card, "no SIM"),
        (linked_ahead, "not registered before"),
    ];
    for (bad, says) in cases {
        let mut office = Office::open();
        let before = office.position();
        let task = Task::Register { actor: ca(), certificates: vec![good(), bad] };
        let said = refusal(office.desk.one(&task, office.now));
        assert!(said.contains(says), "{said}");
        assert_eq!(office.position(), before, "nothing changed: {says}");
    }
}

#[test]
fn nobody_but_a_ca_registers() {
    let mut office = Office::open();
    for role in [Role::Window(None), Role::Ops, Role::SpTsm] {
        let task = Task::Register { actor: actor(role), certificates: vec![on_card(key(1, 100), 9, Usage::Sign)] };
        assert!(refusal(office.desk.one(&task, office.now)).contains("may not register"));
    }
}

#[test]
fn nothing_is_registered_into_a_set_that_was_revoked() {
    let mut office = Office::open();
    let set = Command::Set {
        target: SetTarget::Issuer(IssuerNo(1)),
        change: SetChange::Revoked { reason: tashika::model::Reason::CaCompromise },
    };
    office.command(ca(), set).unwrap();
    let task = Task::Register { actor: ca(), certificates: vec![on_card(key(1, 100), 9, Usage::Sign)] };
    assert!(refusal(office.desk.one(&task, office.now)).contains("as a whole"));
}

#[test]
fn an_issuer_or_scope_is_added_once() {
    let mut office = Office::open();
    let ops = actor(Role::Ops);
    let mut same_key = crate::nation::issuer(1);
    same_key.name = "another".into();
    let mut other_key = crate::nation::issuer(1);
    other_key.key_sha256 = [77; 32];
    for (issuer, says) in [(other_key, "named"), (same_key, "same key")] {
        let said = refusal(office.desk.one(&Task::AddIssuer { actor: ops, issuer, scopes: Vec::new() }, office.now));
        assert!(said.contains(says), "{said}");
    }
    let other_point = Scope { distribution_point: vec![0xa0, 77], ..scope(1) };
    assert!(refusal(office.desk.one(&Task::AddScope { actor: ops, scope: other_point }, office.now)).contains("path"));
    // The very same is so already, for whoever may add any.
    let again = |by| {
        let issuer = crate::nation::issuer(1);
        let one = Scope { no: ScopeNo(0), ..scope(1) };
        let add = Task::AddIssuer { actor: actor(by), issuer, scopes: vec![one.clone()] };
        [add, Task::AddScope { actor: actor(by), scope: one }]
    };
    let before = office.position();
    for task in again(Role::Ops) {
        assert_eq!(office.desk.one(&task, office.now).unwrap(), Outcome::AlreadySo);
    }
    for task in again(Role::CallCentre) {
        assert!(refusal(office.desk.one(&task, office.now)).contains("may not"));
    }
    // With a scope that it has not, it isn't the very same.
    let more = Scope { path: "more".into(), ..scope(1) };
    let task = Task::AddIssuer { actor: ops, issuer: crate::nation::issuer(1), scopes: vec![more] };
    assert!(refusal(office.desk.one(&task, office.now)).contains("named"));
    assert_eq!(office.position(), before);
}

#[test]
fn an_issuer_comes_with_its_scopes_or_not_at_all() {
    let mut office = Office::open();
    let ops = actor(Role::Ops);
    let head = office.position();
    let scope = |path: &str, point| Scope { distribution_point: vec![point], path: path.into(), ..scope(3) };
    let mut add = |scopes| {
        let task = Task::AddIssuer { actor: ops, issuer: crate::nation::issuer(3), scopes };
        office.desk.one(&task, office.now)
    };
    let taken = crate::nation::scope(1).path;
    for (scopes, says) in [
        (vec![scope("new", 1), scope(&taken, 2)], "path"),
        (vec![scope("new", 1), scope("new", 2)], "path"),
        (vec![scope("new", 1), scope("newer", 1)], "distribution point"),
    ] {
        let said = refusal(add(scopes));
        assert!(said.contains(says), "{said}");
    }
    let done = add(vec![scope("new", 1), scope("newer", 2)]).unwrap();
    assert_eq!(done, Outcome::Done { first: head.next(), last: Position(head.0 + 3) }, "nothing in between");
    let state = office.ledger.state();
    assert_eq!(state.book.issuers[2].no, IssuerNo(3));
    assert!(state.book.scopes[2..].iter().all(|scope| scope.issuer == IssuerNo(3)));
    assert_eq!(state.book.scopes.len(), 4);
    drop(state);
    assert_eq!(office.event(Position(head.0 + 2)).cause, Some(head.next()));
}

/// Rule X for newcomers: what would have been held, had it been registered before the report, is not registered after it.
#[test]
fn nothing_is_registered_that_was_enrolled_under_a_card_in_doubt() {
    let enrolled_at = |seconds| {
        let mut phone = in_sim(key(2, 100), 1, operator("mno-1"), CertificateNo(1));
        phone.not_before = at(seconds);
        Task::Register { actor: actor(Role::Ca(IssuerNo(2))), certificates: vec![phone] }
    };
    type Doubt = fn(&mut Office);
    let lost_before: Doubt = |office| {
        let mut report = office.report_of(ReportKind::CardLost, card_of(1));
        report.lost_at = Some(at(-7200));
        office.command(actor(Role::CallCentre), Command::Report(report)).unwrap();
    };
    let held: Doubt = |office| _ = office.hold(actor(Role::CallCentre), key_of(1));
    let revoked: Doubt =
        |office| _ = office.report(actor(Role::Window(None)), ReportKind::Returned, card_of(1)).unwrap();
    for (doubt, since, what) in [(lost_before, -7200, "lost"), (held, 60, "held"), (revoked, 60, "revoked")] {
        let mut office = Office::open();
        doubt(&mut office);
        office.wait(600);
        let before = office.position();
        let said = refusal(office.desk.one(&enrolled_at(since + 1), office.now));
        assert!(said.contains("serial 64: enrolled under certificate 01"), "{what}: {said}");
        assert_eq!(office.position(), before, "nothing is recorded");
        office.desk.one(&enrolled_at(since), office.now).unwrap();
        assert!(office.status(10).is_good(), "enrolled before it was {what}");
    }
    // A card that was found signs for phones again.
    let policy = Policy { releasable: vec![(MediumKind::Card, Usage::Sign)], ..Policy::default() };
    let mut office = Office::with(policy);
    lost_before(&mut office);
    office.wait(600);
    assert!(refusal(office.desk.one(&enrolled_at(0), office.now)).contains("register it again"));
    let holds = office.status(1).holds.iter().map(|hold| hold.id).collect();
    office.command(actor(Role::Window(None)), Command::Release { key: key_of(1), holds }).unwrap();
    office.desk.one(&enrolled_at(0), office.now).unwrap();
}
