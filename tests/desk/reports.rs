//! Reports whose reach is easily mistaken.

use tashika::desk::Task;
use tashika::model::{CertificateNo, IssuerNo, Links, Outcome, Reason, ReportKind, Role, Usage};

use crate::nation::{actor, card, in_sim, key, on_card, operator, phone};
use crate::office::{Office, all_of, card_of, phone_of, refusal};

#[test]
fn renewing_a_card_ends_the_old_one_and_its_phone_and_not_the_new_one() {
    let mut office = Office::open();
    let renewed = |serial, usage, old| {
        let mut certificate = on_card(key(1, serial), 1, usage);
        certificate.medium.id = card(51);
        certificate.links = Links { succeeds: Some(CertificateNo(old)), ..Links::default() };
        certificate
    };
    let certificates = vec![renewed(100, Usage::Sign, 1), renewed(101, Usage::Auth, 2)];
    let task = Task::Register { actor: actor(Role::Ca(IssuerNo(1))), certificates };
    office.desk.one(&task, office.now).unwrap();
    office.report(actor(Role::Window(None)), ReportKind::Renewed, all_of(1)).unwrap();
    for no in 1..=3 {
        assert_eq!(office.status(no).revocation().unwrap().reason, Reason::Superseded, "{no}");
    }
    assert!(office.status(10).is_good() && office.status(11).is_good(), "the new card");
    let new_card = tashika::model::Subject::Medium(card(51));
    assert!(refusal(office.report(actor(Role::Window(None)), ReportKind::Renewed, new_card)).contains("succeeds"));
}

#[test]
fn a_carrier_that_names_a_holder_reaches_its_own_sims_and_learns_of_no_others() {
    let mut office = Office::open();
    let mut second = in_sim(key(2, 100), 1, operator("mno-2"), CertificateNo(1));
    second.medium.id = phone(51);
    let task = Task::Register { actor: actor(Role::Ca(IssuerNo(2))), certificates: vec![second] };
    office.desk.one(&task, office.now).unwrap();
    office.report(actor(Role::Carrier(operator("mno-2"))), ReportKind::PhoneLost, all_of(1)).unwrap();
    assert!(office.status(3).is_good(), "another carrier's");
    assert!(!office.status(10).is_good());
    let stranger = actor(Role::Carrier(operator("mno-3")));
    assert!(refusal(office.report(stranger, ReportKind::PhoneLost, all_of(1))).contains("nothing registered"));
}

#[test]
fn a_carriers_worse_report_is_not_swallowed_by_a_milder_one() {
    let mut office = Office::open();
    let carrier = actor(Role::Carrier(operator("mno-1")));
    office.report(carrier, ReportKind::ContractEnded, phone_of(1)).unwrap();
    office.wait(86_400);
    office.report(carrier, ReportKind::PhoneLost, phone_of(1)).unwrap();
    assert_eq!(office.status(3).holds.len(), 2);
    // The other way round it is no news.
    office.report(carrier, ReportKind::ContractEnded, phone_of(1)).unwrap();
    assert_eq!(office.status(3).holds.len(), 2);
    office.wait(86_400 * 29 + 1);
    let task = tashika::desk::due_task(&office.ledger, office.now).unwrap().unwrap();
    office.desk.one(&task, office.now).unwrap();
    assert_eq!(office.status(3).revocation().unwrap().reason, Reason::KeyCompromise);
}

/// What makes a hold final is said, and comes true, though its sender holds the certificate already without a term.
#[test]
fn a_report_that_ends_a_hold_is_not_swallowed_by_one_without_an_end() {
    let (window, registry) = (Role::Window(None), Role::Registry);
    let carrier = Role::Carrier(operator("mno-1"));
    let dead = (ReportKind::Died, Reason::AffiliationChanged);
    let disposed = (ReportKind::SimDisposed, Reason::CessationOfOperation);
    for (role, (kind, reason), no) in [(window, dead, 1), (registry, dead, 1), (carrier, disposed, 3)] {
        let mut office = Office::open();
        match role {
            Role::Window(_) => _ = office.report(actor(role), ReportKind::CardLost, card_of(1)).unwrap(),
            _ => _ = office.hold(actor(role), crate::office::key_of(no)),
        }
        let lost = office.now;
        office.wait(3600);
        let subject = if no == 3 { phone_of(1) } else { card_of(1) };
        office.report(actor(role), kind, subject).unwrap();
        assert_eq!(office.status(no).holds.len(), 2, "{role} {kind}");
        assert_eq!(office.report(actor(role), kind, subject).unwrap(), Outcome::AlreadySo, "said twice");
        office.wait(86_400 * 30 + 1);
        while let Some(task) = tashika::desk::due_task(&office.ledger, office.now).unwrap() {
            office.desk.one(&task, office.now).unwrap();
        }
        let ended = *office.status(no).revocation().unwrap();
        assert_eq!((ended.reason, ended.at), (reason, lost), "{role} {kind}: from its first hold on");
    }
}

#[test]
fn rule_x_holds_what_was_enrolled_after_the_loss_without_dating_its_own() {
    let mut office = Office::open();
    let mut report = office.report_of(ReportKind::CardLost, card_of(1));
    let mut enrolled = in_sim(key(2, 100), 1, operator("mno-1"), CertificateNo(1));
    enrolled.not_before = crate::nation::at(-3600);
    let task = Task::Register { actor: actor(Role::Ca(IssuerNo(2))), certificates: vec![enrolled] };
    office.desk.one(&task, office.now).unwrap();
    report.lost_at = Some(crate::nation::at(-7200));
    office.command(actor(Role::CallCentre), tashika::model::Command::Report(report)).unwrap();
    let status = office.status(10);
    assert_eq!((status.holds[0].kind, status.lost_at()), (tashika::model::HoldKind::RuleX, None));
    assert!(office.status(3).is_good(), "enrolled before the loss");
}
