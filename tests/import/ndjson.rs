//! NDJSON into the ledger: links within the file and beyond, repeats, contradictions, closed sets, what is left out.

use tashika::desk::bulk::{Job, OnBad};
use tashika::ledger::import::Format;
use tashika::model::{Batch as ChipBatch, Body, Delivery, IssuerNo, Life, Reason, Role, SetChange, SetTarget};

use crate::nation;
use crate::town::{Imported, Refused, Town};

/// A certificate on a card with more fields.
fn card(serial: &str, more: &str) -> String {
    format!(
        "{{\"serial\":\"{serial}\",\"not_before\":\"2026-01-01T00:00:00Z\",\"not_after\":\"2031-01-01T00:00:00Z\",\
         \"type\":\"SIGN\",\"medium\":{{\"kind\":\"CARD\",\"id\":\"card {serial}\"}},\"holder\":\"taro\"{more}}}\n"
    )
}

fn import(town: &Town, lines: &[String]) -> Result<Imported, Refused> {
    town.import(lines.concat(), Format::Ndjson)
}

fn import_skipping(town: &Town, lines: &[String]) -> Imported {
    let text = lines.concat().into_bytes();
    let job = Job { on_bad: OnBad::Skip, ..town.job(&text, Format::Ndjson) };
    town.import_job(&job).unwrap()
}

#[test]
fn links_lead_to_what_came_before_in_the_file_or_the_ledger() {
    let town = Town::new();
    import(&town, &[card("01", "")]).unwrap();
    let lines = [card("02", r#","succeeds":"01""#), card("03", r#","succeeds":"02","parallel_of":"issuer-1/01""#)];
    assert_eq!(import(&town, &lines).unwrap().counts.registered, 2);
    let [first, second, third] = ["01", "02", "03"].map(|serial| town.entry(serial).unwrap());
    assert_eq!(second.certificate.links.succeeds, Some(first.no));
    assert_eq!(third.certificate.links.succeeds, Some(second.no));
    assert_eq!(third.certificate.links.parallel_of, Some(first.no));
    let again = import(&town, &lines).unwrap();
    assert_eq!((again.counts.registered, again.counts.unchanged), (0, 2));
}

#[test]
fn links_to_nothing_or_to_what_comes_later_are_named_by_line() {
    let cases = [
        vec![card("01", r#","succeeds":"09""#)],
        vec![card("01", r#","succeeds":"01""#)],
        vec![card("01", r#","succeeds":"02""#), card("02", "")],
        vec![card("01", r#","issued_under":"issuer-2/05""#)],
    ];
    for lines in cases {
        let town = Town::new();
        let refused = import(&town, &lines).unwrap_err();
        assert_eq!(
            refused.only(),
            (1, "it links to a certificate that is neither registered nor earlier in this file")
        );
    }
}

#[test]
fn one_bad_line_and_nothing_is_imported_unless_it_may_be_left_out() {
    let town = Town::new();
    let lines = [
        card("01", ""),
        "\n".into(),
        card("02", r#","colour":"red""#),
        card("01", ""),
        card("03", r#","succeeds":"02""#),
        card("04", r#","succeeds":"03""#),
        card("05", r#","succeeds":"01""#),
    ];
    let refused = import(&town, &lines).unwrap_err();
    let places: Vec<_> = refused.bad.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [3, 4, 5, 6]);
    assert!(refused.bad[0].1.contains("unknown field `colour`"), "{refused:?}");
    assert_eq!(refused.bad[1].1, "its serial number stands in line 1 already");
    assert_eq!(
        refused.error.to_string(),
        "4 of 6 entries can't be used: nothing was written (correct them, or skip them with --skip-bad)"
    );
    assert!(town.entry("01").is_none());

    let imported = import_skipping(&town, &lines);
    assert_eq!(imported.bad, refused.bad);
    assert_eq!((imported.counts.registered, imported.plan.skipped()), (2, 4));
    assert_eq!(imported.plan.counts, imported.counts);
    assert!(town.entry("05").unwrap().certificate.links.succeeds.is_some());
}

#[test]
fn a_second_import_must_not_contradict_the_first() {
    let town = Town::new();
    import(&town, &[card("01", r#","batch":7"#)]).unwrap();
    let cases = [
        (card("01", r#","batch":8"#), "batch is 7 in the ledger, 8 in the file"),
        (card("01", r#","batch":7"#).replace("2031", "2032"), "not_after"),
        (card("01", r#","batch":7"#).replace("2026-", "2025-"), "not_before"),
        (card("01", r#","batch":7"#).replace("SIGN", "AUTH"), "type is SIGN in the ledger, AUTH in the file"),
        (card("01", r#","batch":7"#).replace("taro", "jiro"), "holder"),
        (card("01", r#","batch":7"#).replace("CARD", "SE_APPLE"), "medium kind"),
        (card("01", r#","batch":7,"pending":true"#), "pending"),
        (card("01", r#","batch":7,"municipality":13101"#), "municipality"),
    ];
    for (line, cause) in cases {
        let refused = import(&town, std::slice::from_ref(&line)).unwrap_err();
        assert!(refused.only().1.contains(cause), "{line}: {refused:?}");
    }
    let more = town.add_scope(vec![0xa0, 9], "more.crl");
    let line = card("01", r#","batch":7,"scope":"more.crl""#);
    assert!(import(&town, &[line]).unwrap_err().only().1.contains(&format!("scope is 1 in the ledger, {more} in")));
    assert_eq!(import(&town, &[card("01", r#","batch":7,"scope":"scope-1.crl""#)]).unwrap().counts.unchanged, 1);
}

#[test]
fn the_scope_must_be_clear() {
    let town = Town::new();
    town.add_scope(vec![0xa0, 9], "more.crl");
    assert!(import(&town, &[card("01", "")]).unwrap_err().only().1.contains("several CRL scopes"));
    assert!(import(&town, &[card("01", r#","scope":"scope-2.crl""#)]).unwrap_err().only().1.contains("no CRL scope"));
    assert_eq!(import(&town, &[card("01", r#","scope":"der:a009""#)]).unwrap().counts.registered, 1);
    let whole = town.add_scope(vec![], "issuer-1");
    import(&town, &[card("02", "")]).unwrap();
    assert_eq!(town.entry("02").unwrap().certificate.scope, whole);
}

#[test]
fn nobody_enters_a_set_that_was_ended_or_is_held() {
    let town = Town::new();
    let batch = SetTarget::Batch(ChipBatch(7));
    town.record(Role::Ops, Body::SetChanged { target: batch, change: SetChange::Held });
    let refused = import(&town, &[card("01", r#","batch":7"#)]).unwrap_err();
    assert!(refused.only().1.contains("with this chip batch any more"), "{refused:?}");
    assert_eq!(import(&town, &[card("01", r#","batch":8"#)]).unwrap().counts.registered, 1);
    let change = SetChange::Revoked { reason: Reason::CaCompromise };
    town.record(Role::Ops, Body::SetChanged { target: SetTarget::Issuer(IssuerNo(1)), change });
    assert!(import(&town, &[card("02", "")]).unwrap_err().only().1.contains("with this issuer any more"));
    // What is registered already is nobody's entrance.
    assert_eq!(import(&town, &[card("01", r#","batch":8"#)]).unwrap().counts.unchanged, 1);
}

#[test]
fn what_is_not_delivered_yet_has_its_timer() {
    let town = Town::new();
    import(&town, &[card("01", ""), card("02", r#","pending":true"#)]).unwrap();
    let pending = town.entry("02").unwrap();
    assert_eq!((pending.certificate.delivery, pending.status.life), (Delivery::Awaited, Life::Pending));
    let due = pending.certificate.not_before + town.policy.delivery_within;
    assert_eq!(town.ledger.due(nation::at(86_400 * 400), 10).unwrap(), [(due, pending.no)]);
}

#[test]
fn lines_that_are_no_lines_are_named() {
    let town = Town::new();
    let mut text = card("01", "").into_bytes();
    text.extend(b"\xff\n");
    text.extend(vec![b' '; 70_000]);
    text.extend(b"\n");
    text.extend(card("02", "").replace('\n', "\r\n").into_bytes());
    text.extend(card("03", "").trim_end().bytes());
    let refused = town.import(&text, Format::Ndjson).unwrap_err();
    assert_eq!(refused.bad, [(2, "not UTF-8".to_owned()), (3, "longer than 65536 octets".to_owned())]);
    let text: Vec<_> =
        text.split(|c| *c == b'\n').filter(|line| line.starts_with(b"{")).collect::<Vec<_>>().join(&b'\n');
    assert_eq!(town.import(text, Format::Ndjson).unwrap().counts.registered, 3);
    assert!(town.import("", Format::Ndjson).unwrap().plan.is_empty());
}

/// Rule X for newcomers: by line, before anything is written.
#[test]
fn a_phone_enrolled_under_a_card_in_doubt_is_named_by_line() {
    let town = Town::new();
    import(&town, &[card("01", "")]).unwrap();
    let index = "R\t310101000000Z\t260301000000Z,certificateHold\t01\tunknown\t/CN=taro\n";
    assert_eq!(town.import(index, Format::OpensslIndex).unwrap().counts.held, 1);
    let held_since = town.entry("01").unwrap().status.held_since().unwrap();
    let phone = |serial: &str, not_before: tashika::model::Time| {
        let line = card(serial, r#","issued_under":"01""#).replace("SIGN", "AUTH").replace("CARD", "SE_APPLE");
        line.replace("2026-01-01T00:00:00Z", &not_before.to_string())
    };
    let later = held_since + tashika::model::Seconds(1);
    let lines = [phone("02", held_since), phone("03", later)];
    let refused = import(&town, &lines).unwrap_err();
    let (line, why) = refused.only();
    assert!(line == 2 && why.starts_with("enrolled under certificate 01 after that was lost"), "{why}");
    let imported = import_skipping(&town, &lines);
    assert_eq!((imported.counts.registered, imported.plan.skipped()), (1, 1));
    assert!(town.entry("03").is_none());
    // What is registered already is not registered again, and a card is enrolled under nothing.
    assert_eq!(import(&town, &lines[..1]).unwrap().counts.unchanged, 1);
    let other = card("04", r#","issued_under":"01""#).replace("2026-01-01T00:00:00Z", &later.to_string());
    assert_eq!(import(&town, &[other]).unwrap().counts.registered, 1);
}
