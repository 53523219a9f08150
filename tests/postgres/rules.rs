//! The database's table of authority and its weights of reasons, held against the program's own.

use std::collections::BTreeMap;

use tashika::model::{Action, HoldKind, IssuerNo, Reason, ReportKind, Role, may};

use crate::fixture::{Fixture, operator};

/// Roles by the tag that events have for them.
fn roles() -> [(u8, Role); 10] {
    [
        (1, Role::Auditor),
        (2, Role::Ca(IssuerNo(1))),
        (3, Role::CallCentre),
        (4, Role::Carrier(operator())),
        (5, Role::Holder { presented: None }),
        (6, Role::Ops),
        (7, Role::Registry),
        (8, Role::SpTsm),
        (9, Role::System),
        (10, Role::Window(None)),
    ]
}

/// Reports by their tag, from 1.
const REPORTS: [ReportKind; 17] = [
    ReportKind::CardLost,
    ReportKind::CardFound,
    ReportKind::CardNotFound,
    ReportKind::PhoneLost,
    ReportKind::PhoneFound,
    ReportKind::PhoneNotFound,
    ReportKind::SimSwapped,
    ReportKind::SimDisposed,
    ReportKind::ContractEnded,
    ReportKind::Moved,
    ReportKind::Renamed,
    ReportKind::Died,
    ReportKind::Renewed,
    ReportKind::Returned,
    ReportKind::HolderApplies,
    ReportKind::Delivered,
    ReportKind::NotDelivered,
];

/// Kind, role and detail, and on what condition.
type Rules = BTreeMap<(u8, u8, u16), String>;

fn rules() -> Rules {
    let text = Fixture::empty().owner("SELECT kind, role, detail, only_if FROM tashika.rule");
    let rule = |line: &str| {
        let parts: Vec<_> = line.split('|').collect();
        let number = |at: usize| parts[at].parse::<u16>().unwrap();
        ((number(0) as u8, number(1) as u8, number(2)), parts[3].to_owned())
    };
    text.lines().map(rule).collect()
}

#[test]
fn who_may_write_which_event_is_what_the_program_says() {
    let rules = rules();
    let always = |kind, role, detail| rules.get(&(kind, role, detail)).is_some_and(String::is_empty);
    for (tag, role) in roles() {
        let allowed = |action| may(role, action).is_ok();
        for (kind, report) in (1..).zip(REPORTS) {
            assert_eq!(always(7, tag, kind), allowed(Action::Report(report)), "{role} {report}");
        }
        for (kind, action) in [
            (2, Action::Configure),
            (3, Action::Configure),
            (4, Action::Register),
            (9, Action::DecideQueued),
            (10, Action::Undo),
            (12, Action::AdoptEpoch),
        ] {
            assert_eq!(always(kind, tag, 0), allowed(action), "{role} {}", action.name());
        }
        for change in 1..=3 {
            assert_eq!(always(6, tag, change), allowed(Action::Set), "{role} set {change}");
        }
        assert_eq!(always(5, tag, 16), allowed(Action::Activate), "{role} acknowledges");
        assert_eq!(always(5, tag, 3 * 16), allowed(Action::Release), "{role} releases");
        assert_eq!(always(5, tag, 4 * 16), allowed(Action::Revoke), "{role} revokes");
        if !allowed(Action::Revoke) {
            let may_worsen = rules.get(&(5, tag, 5 * 16));
            assert!(may_worsen.is_none_or(|only_if| only_if == "affiliation"), "{role} worsens reasons");
        }
    }
    assert!(!rules.keys().any(|(kind, role, _)| *role == 1 || *role == 6 && *kind == 7), "auditors write, ops report");
    let carrier_revokes =
        rules.keys().any(|(kind, role, detail)| (*kind, *role) == (5, 4) && (64..=80).contains(detail));
    assert!(!carrier_revokes);
}

#[test]
fn each_role_holds_in_its_own_name() {
    let rules = rules();
    let kinds = [
        (1, HoldKind::CallCentre),
        (2, HoldKind::Carrier(operator())),
        (3, HoldKind::Holder),
        (5, HoldKind::Registry),
        (6, HoldKind::Review),
        (9, HoldKind::Window),
    ];
    for (tag, role) in roles() {
        for (kind, hold) in kinds {
            let listed = rules.contains_key(&(5, tag, 2 * 16 + kind));
            assert_eq!(listed, role.hold_kind() == Some(hold), "{role} holds as {}", hold.name());
        }
        // Rule X follows from a lost card, so whoever may report that may cause it, and only so.
        let rule_x = rules.get(&(5, tag, 2 * 16 + 7)).map(String::as_str);
        let reports = may(role, Action::Report(ReportKind::CardLost)).is_ok();
        assert_eq!(rule_x, reports.then_some("report"), "{role} and rule X");
        assert!(!rules.contains_key(&(5, tag, 2 * 16 + 8)), "a set's hold is a set event's");
    }
}

#[test]
fn reasons_weigh_what_they_weigh_in_the_program() {
    let fixture = Fixture::empty();
    for worse in Reason::ALL {
        for other in Reason::ALL {
            let sql = format!("SELECT tashika.weight({}) > tashika.weight({})", worse.code(), other.code());
            let expected = if worse.outweighs(other) { "t" } else { "f" };
            assert_eq!(fixture.owner(&sql), expected, "{worse} and {other}");
        }
    }
    assert_eq!(
        fixture.owner("SELECT count(*) FROM generate_series(0, 255) r WHERE tashika.weight(r) IS NOT NULL"),
        "8"
    );
}
