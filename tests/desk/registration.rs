//! Registration: by the CA, all or none, and never twice.

use tashika::desk::Task;
use tashika::model::{CertificateNo, IssuerNo, Outcome, Position, Role, Scope, ScopeNo, SetChange, SetTarget, Usage};

use crate::nation::{actor, at, in_sim, key, on_card, operator, scope};
use crate::office::{Office, refusal};

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
    let set = tashika::model::Command::Set {
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
    for (issuer, says) in [(crate::nation::issuer(1), "named"), (same_key, "same key")] {
        let said = refusal(office.desk.one(&Task::AddIssuer { actor: ops, issuer, scopes: Vec::new() }, office.now));
        assert!(said.contains(says), "{said}");
    }
    let scope = scope(1);
    assert!(refusal(office.desk.one(&Task::AddScope { actor: ops, scope }, office.now)).contains("path"));
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
