//! Several processes on one file: they lose nothing, not even when killed, and see each other's commits.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Ledger, Upkeep};
use tashika::model::Position;

use crate::work;

/// Runs one of these tests again as another process, which then plays the child's part.
fn child(test: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("processes::{test}"), "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The ledger that this process is a child for, if it is one.
fn in_child() -> Option<SqliteLedger> {
    let path = PathBuf::from(std::env::var_os(CHILD)?);
    Some(SqliteLedger::open(&path).unwrap())
}

/// What a child says, line by line: lines that begin with a mark, for the test harness also talks.
fn said(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| line.strip_prefix(MARK).map(str::to_owned))
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{MARK}{what}").unwrap();
    out.flush().unwrap();
}

/// Small and bulk registrations, holds and upkeep; acknowledged line by line, until it is killed.
fn work_until_killed(ledger: &SqliteLedger) -> ! {
    let mut certificates = ledger.head().unwrap().certificates;
    for round in 0.. {
        match round % 7 {
            0 => certificates = work::register(ledger, 520),
            1..=3 => certificates = work::register(ledger, 30),
            4 => while ledger.upkeep().unwrap() == Upkeep::More {},
            _ => _ = work::hold(ledger, 1 + (round * 7919) % certificates),
        }
        say(&format!("{} {certificates}", ledger.head().unwrap().position));
    }
    unreachable!("it is killed before it has counted so far")
}

#[test]
fn kill_9_in_the_middle_of_appends_loses_nothing_acknowledged() {
    if let Some(ledger) = in_child() {
        work_until_killed(&ledger);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(work::new_ledger(&path));
    let mut acknowledged = (0, 0);
    for round in 0..8 {
        let mut child = child("kill_9_in_the_middle_of_appends_loses_nothing_acknowledged", &path);
        let mut lines = said(&mut child);
        let last = lines.nth(5 + 4 * round).expect("it works until it is killed");
        // Not right after a line, but somewhere in the work that follows.
        thread::sleep(Duration::from_micros(700 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines.last().unwrap_or(last);
        let (position, certificates) = last.split_once(' ').unwrap();
        let now = (position.parse::<u64>().unwrap(), certificates.parse::<u64>().unwrap());
        assert!(now > acknowledged, "the next process went on where the last was killed");
        acknowledged = now;
        let head = work::check(&SqliteLedger::open(&path).unwrap());
        assert!((head.position.0, head.certificates) >= acknowledged, "acknowledged {acknowledged:?}, found {head:?}");
    }
    let ledger = SqliteLedger::open(&path).unwrap();
    while ledger.upkeep().unwrap() == Upkeep::More {}
    work::check(&ledger);
}

#[test]
fn processes_that_append_at_once_take_turns() {
    if let Some(ledger) = in_child() {
        for _ in 0..APPENDS {
            say(&work::register(&ledger, 3).to_string());
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = work::new_ledger(&path);
    let before = ledger.head().unwrap();
    let mut children: Vec<_> = (0..3).map(|_| child("processes_that_append_at_once_take_turns", &path)).collect();
    // The parent appends as well.
    (0..APPENDS).for_each(|_| _ = work::register(&ledger, 3));
    let mut seen = BTreeSet::new();
    for child in &mut children {
        let said: Vec<u64> = said(child).map(|line| line.parse().unwrap()).collect();
        assert!(child.wait().unwrap().success());
        assert_eq!(said.len(), APPENDS);
        assert!(said.is_sorted_by(|a, b| a < b));
        seen.extend(said);
    }
    assert_eq!(seen.len(), 3 * APPENDS, "each was given numbers of its own");
    let head = work::check(&ledger);
    assert_eq!(head.position, before.position.plus(4 * APPENDS as u64));
    assert_eq!(head.certificates, 12 * APPENDS as u64);
}

#[test]
fn a_wait_ends_with_a_commit_of_another_process() {
    if let Some(ledger) = in_child() {
        say("ready");
        thread::sleep(Duration::from_millis(200));
        work::register(&ledger, 1);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = work::new_ledger(&path);
    let head = ledger.head().unwrap();
    let mut child = child("a_wait_ends_with_a_commit_of_another_process", &path);
    let mut said = said(&mut child);
    assert_eq!(said.next().as_deref(), Some("ready"));
    let begun = Instant::now();
    ledger.wait(head.position, Duration::from_secs(120)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60), "it waited for its bound");
    assert_eq!(ledger.head().unwrap().position, head.position.next());
    // What is there already needs no waiting, and what never comes ends at the bound.
    ledger.wait(head.position, Duration::from_secs(120)).unwrap();
    let begun = Instant::now();
    ledger.wait(Position(1_000_000), Duration::from_millis(50)).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert_eq!(said.next(), None);
    assert!(child.wait().unwrap().success());
}

const CHILD: &str = "TASHIKA_TEST_CHILD_OF";
const MARK: &str = "child> ";
const APPENDS: usize = 40;
