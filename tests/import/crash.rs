//! kill -9 in the middle of an import, again and again: doing it again goes on, and nothing is there twice.

use std::collections::HashSet;
use std::env;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tashika::ledger::import::Format;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Ledger, decode_event};
use tashika::model::{Body, Life, Position};

use crate::nation;
use crate::town::Town;

const ENTRIES: u64 = 20_000;

/// Every seventh is revoked.
fn index() -> String {
    (1..=ENTRIES)
        .map(|serial| {
            let (flag, revocation) =
                if serial.is_multiple_of(7) { ("R", "260101000000Z,superseded") } else { ("V", "") };
            format!("{flag}\t310101000000Z\t{revocation}\t{serial:06X}\tunknown\t/CN=x\n")
        })
        .collect()
}

fn create(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::create(path, &nation::genesis(1)).unwrap();
    let mut batch = Batch::on(ledger.head().unwrap());
    nation::add_issuers(&mut batch, 2);
    ledger.append(&batch).unwrap();
    ledger
}

/// The part of the process that is killed; on its own it imports into a ledger that nobody kills.
#[test]
fn an_import_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = match env::var_os(LEDGER) {
        Some(path) => SqliteLedger::open(&PathBuf::from(path)).unwrap(),
        None => create(&folder.path().join("ledger")),
    };
    let before = ledger.head().unwrap().certificates;
    let imported = Town::on(Box::new(ledger)).import(index(), Format::OpensslIndex).unwrap();
    assert_eq!((imported.counts.registered, imported.counts.unchanged), (ENTRIES - before, before));
}

#[test]
fn killed_in_the_middle_and_done_again_it_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = create(&path);
    let mut kills = 0;
    for enough in [1, 4_000, 9_000, 14_000] {
        let mut child = import_in_child(&path);
        while ledger.head().unwrap().certificates < enough && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        kills += u64::from(!child.wait().unwrap().success());
        // Whatever was written is whole: registered, and revoked where the line says so.
        check(&ledger, &mut 0);
    }
    assert!(kills >= 2, "the import was over before it could be killed");
    assert!(import_in_child(&path).wait().unwrap().success());
    let mut certificates = 0;
    check(&ledger, &mut certificates);
    assert_eq!(certificates, ENTRIES);
}

fn import_in_child(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::an_import_into_a_file", "--test-threads=1"])
        .env(LEDGER, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Each serial once, each with the status of its line, and the events link and count up to the head.
fn check(ledger: &SqliteLedger, certificates: &mut u64) {
    let mut serials = HashSet::new();
    let at = ledger
        .scan(&mut |entry| {
            let serial = entry.certificate.key.serial;
            let number = serial.as_octets().iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
            assert!(serials.insert(serial), "{serial} is there twice");
            assert_eq!(matches!(entry.status.life, Life::Revoked(_)), number.is_multiple_of(7), "{serial}");
            ControlFlow::Continue(())
        })
        .unwrap();
    let (mut registered, mut position) = (0, Position(0));
    while position < at.position {
        for sealed in ledger.events_after(position, 10_000).unwrap() {
            position = sealed.position;
            if let Body::Registered { count, .. } = decode_event(&sealed.bytes).unwrap().body {
                registered += u64::from(count);
            }
            if position == at.position {
                break;
            }
        }
    }
    assert_eq!((registered, serials.len() as u64), (at.certificates, at.certificates));
    *certificates = at.certificates;
}

const LEDGER: &str = "TASHIKA_IMPORT_LEDGER";
