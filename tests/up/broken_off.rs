//! `kill -9` while `up` makes things, at one moment after the other: the next `up` completes what is there.

use std::time::Duration;

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Ledger, decode_event};
use tashika::model::{Body, Position};

use crate::program::{Program, until};

#[test]
fn nothing_stays_half_done() {
    let dir = tempfile::tempdir().unwrap();
    // One folder that is never allowed to be finished before the end, and fresh ones for the early moments.
    for round in 0..12 {
        let demo = dir.path().join(format!("demo-{round}"));
        let moment = Duration::from_millis(4 + 6 * round);
        for attempt in 1..=3 {
            let up = Program::up(&demo, &["--certificates", COUNT]);
            std::thread::sleep(moment * attempt);
            up.kill();
        }
        complete(&demo);
    }
}

#[test]
fn a_long_registration_goes_on_where_it_stood() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let registered = || {
        // There may be no ledger yet.
        SqliteLedger::open(&demo.join("ledger.db")).map_or(0, |ledger| ledger.head().unwrap().certificates)
    };
    let mut last = 0;
    for round in 1..=4 {
        let up = Program::up(&demo, &["--certificates", "60000"]);
        until("it goes on", || registered() > last);
        up.kill();
        last = registered();
        assert!(round > 1 || last < 60_000, "it was broken off before it had done");
        if last == 12 + 60_000 {
            break;
        }
    }
    let mut up = Program::up(&demo, &["--certificates", "60000"]);
    up.ready();
    up.end("TERM");
    let ledger = SqliteLedger::open(&demo.join("ledger.db")).unwrap();
    assert_eq!(ledger.head().unwrap().certificates, 12 + 60_000);
    assert_eq!(changes(&ledger), 1_200 + 600 + OF_LEAVES);
}

#[test]
fn a_hundred_thousand_certificates_take_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut up = Program::up(&dir.path().join("demo"), &["--certificates", "100000"]);
    up.ready();
    let peak = up.memory_peak_kib();
    assert!(peak < MEMORY_MAX_KIB, "{peak} KiB");
    assert!(up.end("TERM").success());
}

/// Finishes a demonstration, and checks that it is as one that was never broken off.
fn complete(demo: &std::path::Path) {
    let mut up = Program::up(demo, &["--certificates", COUNT]);
    up.ready();
    assert!(up.end("TERM").success());
    let ledger = SqliteLedger::open(&demo.join("ledger.db")).unwrap();
    let head = ledger.head().unwrap();
    assert_eq!(head.certificates, 12 + 500);
    assert_eq!(changes(&ledger), 10 + 5 + OF_LEAVES);
    let book = ledger.book().unwrap().1;
    assert_eq!((book.issuers.len(), book.scopes.len()), (3, 6 + 6 + 4));
    let mut drafts = walk(demo);
    drafts.retain(|name| name.contains(".draft") || name.contains(".new-"));
    assert_eq!(drafts, Vec::<String>::new());
}

/// How many changes of status are recorded: doing one twice would show.
fn changes(ledger: &SqliteLedger) -> usize {
    let (mut after, mut changes) = (Position(0), 0);
    loop {
        let page = ledger.events_after(after, 4_096).unwrap();
        let Some(last) = page.last() else { return changes };
        after = last.position;
        let events = page.iter().map(|sealed| decode_event(&sealed.bytes).unwrap());
        changes += events.filter(|event| matches!(event.body, Body::Changed { .. })).count();
    }
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(walk(&path));
        }
        names.push(path.to_str().unwrap().to_owned());
    }
    names
}

const COUNT: &str = "500";
/// Revoked: card SIGN, card AUTH and the phone's; held: the same three.
const OF_LEAVES: usize = 6;
/// Measured: 40 MiB without optimisation, whatever the count.
const MEMORY_MAX_KIB: u64 = 128 * 1024;
