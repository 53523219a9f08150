//! Listed sets: serials from a file, one event.

use aws_lc_rs::digest::{SHA256, digest};
use tashika::desk::bulk::{BulkError, ListPlan, Notice, OnBad};
use tashika::ledger::import::Format;
use tashika::model::{Body, IssuerNo, Reason, Role, SetChange, SetTarget};

use crate::town::Town;

fn town_of(certificates: u64) -> Town {
    let town = Town::new();
    let lines: String =
        (1..=certificates).map(|serial| format!("V\t310101000000Z\t\t{serial:06X}\tunknown\t/CN=x\n")).collect();
    town.import(lines, Format::OpensslIndex).unwrap();
    town
}

fn plan(town: &Town, text: &[u8], on_bad: OnBad) -> (Result<ListPlan, BulkError>, Vec<(u64, String)>) {
    let mut bad = Vec::new();
    let mut note = |notice: Notice<'_>| {
        if let Notice::Bad { place, fault, .. } = notice {
            bad.push((place, fault.to_string()));
        }
    };
    (town.bulk().plan_list(&text, Some(IssuerNo(1)), on_bad, &mut note), bad)
}

#[test]
fn a_listed_set_is_revoked_by_one_event() {
    let town = town_of(20_000);
    let text: String = (1..=10_000_u64).rev().map(|n| format!("{:X}\n", n * 2)).chain(["2\n".into()]).collect();
    let (planned, bad) = plan(&town, text.as_bytes(), OnBad::Refuse);
    let planned = planned.unwrap();
    assert_eq!((planned.entries, planned.certificates, bad.len()), (10_001, 10_000, 0));
    assert!(planned.to_string().contains("1 named more than once"), "{planned}");
    let target = town.bulk().write_list(&text.as_bytes(), Some(IssuerNo(1)), &planned, &mut |_| {}).unwrap();
    let SetTarget::Listed { list, count, digest: stated } = target.clone() else { panic!("{target:?}") };
    let numbers: Vec<u8> = (1..=10_000_u64).flat_map(|n| (n * 2).to_be_bytes()).collect();
    assert_eq!((count, &stated[..]), (10_000, digest(&SHA256, &numbers).as_ref()));
    assert_eq!(town.ledger.list_members(list, Default::default(), 3).unwrap().len(), 3);

    let change = SetChange::Revoked { reason: Reason::KeyCompromise };
    town.record(Role::Ca(IssuerNo(1)), Body::SetChanged { target, change });
    assert!(town.entry("02").unwrap().status.revocation().is_some());
    assert!(town.entry("4E20").unwrap().status.revocation().is_some());
    assert!(town.entry("03").unwrap().status.is_good());
}

#[test]
fn every_line_must_name_a_registered_certificate() {
    let town = town_of(3);
    let text = b"01\n# comment\n\n99\n0x00:03\nxyz\nissuer-2/01\nnobody/01\n";
    let (refused, bad) = plan(&town, text, OnBad::Refuse);
    assert!(matches!(refused, Err(BulkError::Bad { bad: 4, entries: 6 })), "{refused:?}");
    let expected = [
        (4, "issuer 'issuer-1' has no certificate 99 registered"),
        (6, "serial number: 'x' is not a hexadecimal digit"),
        (7, "issuer 'issuer-2' has no certificate 01 registered"),
        (8, "no issuer 'nobody' is registered: see 'tashika issuer list'"),
    ];
    assert_eq!(bad, expected.map(|(place, why)| (place, why.to_owned())));
    let (planned, _) = plan(&town, text, OnBad::Skip);
    let planned = planned.unwrap();
    assert_eq!((planned.certificates, planned.skipped()), (2, 4));
    let target = town.bulk().write_list(&&text[..], Some(IssuerNo(1)), &planned, &mut |_| {}).unwrap();
    assert!(matches!(target, SetTarget::Listed { count: 2, .. }), "{target:?}");
}

#[test]
fn a_list_that_changed_after_it_was_checked_is_refused() {
    let town = town_of(3);
    let (planned, _) = plan(&town, b"01\n02\n", OnBad::Refuse);
    let planned = planned.unwrap();
    let shorter = town.bulk().write_list(&&b"01\n"[..], Some(IssuerNo(1)), &planned, &mut |_| {});
    assert!(matches!(shorter, Err(BulkError::List { expected: 2, found: 1, .. })), "{shorter:?}");
    let other = town.bulk().write_list(&&b"01\n77\n"[..], Some(IssuerNo(1)), &planned, &mut |_| {});
    assert!(matches!(other, Err(BulkError::Changed { place: 2, .. })), "{other:?}");
}
