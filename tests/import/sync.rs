//! Later imports of an OpenSSL index: what the ledger has × what the file says.

use tashika::ledger::import::Format;
use tashika::model::{Change, HoldKind, Life, Reason, Status, Time};

use crate::town::Town;

const UNTIL: &str = "310101000000Z";

fn line(flag: &str, revocation: &str) -> String {
    format!("{flag}\t{UNTIL}\t{revocation}\t0A1B\tunknown\t/CN=x\n")
}

/// What a line makes of what an earlier line made: the shape of the status, or the cause of the refusal.
fn after(first: (&str, &str), second: (&str, &str)) -> Result<String, String> {
    let town = Town::new();
    town.import(line(first.0, first.1), Format::OpensslIndex).map_err(|refused| format!("{refused:?}"))?;
    let positions = town.ledger.head().unwrap().position;
    let outcome = town.import(line(second.0, second.1), Format::OpensslIndex);
    let written = town.ledger.head().unwrap().position.0 - positions.0;
    match outcome {
        Ok(_) => Ok(format!("{} +{written}", shape(&town.entry("0A1B").unwrap().status))),
        Err(refused) => Err(refused.only().1.to_owned()),
    }
}

fn shape(status: &Status) -> String {
    let holds: Vec<_> = status.holds.iter().map(|hold| hold.kind.name()).collect();
    match &status.life {
        Life::Active if holds.is_empty() => "active".into(),
        Life::Active => format!("held by {}", holds.join(", ")),
        Life::Pending => "pending".into(),
        Life::Revoked(revocation) => format!("revoked {} at {}", revocation.reason, revocation.at),
    }
}

#[test]
fn what_the_ledger_has_and_what_the_file_says() {
    let valid = ("V", "");
    let held = ("R", "260101000000Z,certificateHold");
    let superseded = ("R", "260101000000Z,superseded");
    let compromised = ("R", "260201000000Z,keyCompromise");
    let no_reason = ("R", "260101000000Z");
    type Case<'a> = ((&'a str, &'a str), (&'a str, &'a str), Result<&'a str, &'a str>);
    let cases: [Case<'_>; 16] = [
        (valid, valid, Ok("active +0")),
        (valid, held, Ok("held by imported +1")),
        (valid, superseded, Ok("revoked superseded at 2026-01-01T00:00:00Z +1")),
        (valid, no_reason, Ok("revoked unspecified at 2026-01-01T00:00:00Z +1")),
        (valid, ("E", ""), Err("marked expired (E)")),
        (held, held, Ok("held by imported +0")),
        (held, valid, Err("use 'tashika cert release'")),
        (held, superseded, Ok("revoked superseded at 2026-01-01T00:00:00Z +1")),
        (superseded, superseded, Ok("revoked superseded at 2026-01-01T00:00:00Z +0")),
        (superseded, no_reason, Ok("revoked superseded at 2026-01-01T00:00:00Z +0")),
        (superseded, compromised, Ok("revoked keyCompromise at 2026-01-01T00:00:00Z +1")),
        (compromised, superseded, Err("a final reason is never weakened")),
        (superseded, ("R", "260101000000Z,cessationOfOperation"), Err("a final reason is never weakened")),
        (superseded, held, Err("revoked in the ledger (superseded), which is final, but only held in the file")),
        (superseded, valid, Err("revoked in the ledger (superseded), which is final, but valid (V) in the file")),
        (superseded, ("R", "260101000000Z,removeFromCRL"), Err("'removeFromCRL' is not a revocation reason")),
    ];
    for (first, second, expected) in cases {
        let found = after(first, second);
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{first:?} then {second:?}"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{first:?} then {second:?}: {why}"),
            _ => panic!("{first:?} then {second:?}: {found:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn dates_of_revocation_and_of_compromise_are_kept_but_never_lie_ahead() {
    let town = Town::new();
    let now = town.clock.now.get();
    town.import(line("R", "260101000000Z,keyTime,20251224180000Z"), Format::OpensslIndex).unwrap();
    let revocation = *town.entry("0A1B").unwrap().status.revocation().unwrap();
    assert_eq!(revocation.reason, Reason::KeyCompromise);
    assert_eq!(revocation.at.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(revocation.lost_at.unwrap().to_string(), "2025-12-24T18:00:00Z");

    let town = Town::new();
    town.import(line("R", "20400101000000Z,superseded"), Format::OpensslIndex).unwrap();
    assert_eq!(town.entry("0A1B").unwrap().status.revocation().unwrap().at, now);
    let refused = Town::new().import(line("R", "260101000000Z,CAkeyTime,20400101000000Z"), Format::OpensslIndex);
    assert!(refused.unwrap_err().only().1.contains("compromise time 2040-01-01T00:00:00Z lies in the future"));
}

#[test]
fn an_earlier_compromise_is_learnt_later() {
    let town = Town::new();
    for (time, expected) in
        [("20251224180000Z", 1), ("20251225180000Z", 0), ("20251224180000Z", 0), ("20251201000000Z", 1)]
    {
        let before = town.ledger.head().unwrap().position;
        let known = town.entry("0A1B").is_some();
        town.import(line("R", &format!("260101000000Z,keyTime,{time}")), Format::OpensslIndex).unwrap();
        let written = town.ledger.head().unwrap().position.0 - before.0;
        assert_eq!(written, expected + u64::from(!known), "{time}");
    }
    let lost: Time = "2025-12-01T00:00:00Z".parse().unwrap();
    assert_eq!(town.entry("0A1B").unwrap().status.lost_at(), Some(lost));
}

#[test]
fn a_hold_that_is_not_the_files_stays_and_does_not_disturb() {
    let town = Town::new();
    town.import(line("V", ""), Format::OpensslIndex).unwrap();
    hold(&town, HoldKind::Window);
    town.import(line("V", ""), Format::OpensslIndex).unwrap();
    assert_eq!(shape(&town.entry("0A1B").unwrap().status), "held by window");
    town.import(line("R", "260101000000Z,certificateHold"), Format::OpensslIndex).unwrap();
    assert_eq!(shape(&town.entry("0A1B").unwrap().status), "held by window, imported");
    // The first hold began when the window opened it; a later date in the file doesn't move that.
    town.clock.now.set(crate::nation::at(5_000));
    town.import(line("R", "20300101000000Z,superseded"), Format::OpensslIndex).unwrap();
    let at = town.entry("0A1B").unwrap().status.revocation().unwrap().at;
    assert_eq!(at, crate::nation::at(100));
}

#[test]
fn expired_lines_are_registered_and_stay() {
    let town = Town::new();
    let expired = "E\t210101000000Z\t\t0A1B\tunknown\t/CN=x\n";
    let imported = town.import(expired, Format::OpensslIndex).unwrap();
    assert_eq!(imported.counts.registered, 1);
    let again = town.import(expired, Format::OpensslIndex).unwrap();
    assert_eq!((again.counts.registered, again.counts.unchanged), (0, 1));
    let other = expired.replace("210101", "220101");
    assert!(town.import(other, Format::OpensslIndex).unwrap_err().only().1.contains("not_after"));
}

fn hold(town: &Town, kind: HoldKind) {
    use tashika::ledger::{Batch, NewStatus};
    use tashika::model::{Body, Event, Role};
    let entry = town.entry("0A1B").unwrap();
    let change = Change::Held { kind, lost_at: None, becomes: None };
    let mut batch = Batch::on(town.ledger.head().unwrap());
    let body = Body::Changed { no: entry.no, key: entry.certificate.key, change: change.clone() };
    let actor = crate::nation::actor(Role::Window(None));
    let (at, time) = batch.record(Event { time: town.clock.now.get(), actor, cause: None, body });
    let mut status = entry.status;
    status.apply(&change, at, time, at);
    batch.statuses.push(NewStatus { no: entry.no, status });
    town.ledger.append(&batch).unwrap();
}
