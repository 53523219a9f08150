//! Copies made while others write: each is a whole ledger as of one position.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Ledger, LedgerError, Upkeep};

use crate::work;

#[test]
fn a_copy_is_whole_while_writers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = work::new_ledger(&path);
    work::register(&ledger, 2_000);
    let stop = AtomicBool::new(false);
    let copies = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let ledger = SqliteLedger::open(&path).unwrap();
            for round in 0.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                work::hold(&ledger, 1 + round * 31 % 2_000);
                work::register(&ledger, if round % 20 == 0 { 600 } else { 5 });
                ledger.upkeep().unwrap();
            }
        });
        let copy = |number: u32| {
            let to = folder.path().join(format!("copy-{number}.db"));
            let head = ledger.backup(&to).unwrap();
            (to, head)
        };
        let copies: Vec<_> = (0..5).map(copy).collect();
        stop.store(true, Ordering::SeqCst);
        writer.join().unwrap();
        copies
    });
    for (copy, head) in &copies {
        let copy = SqliteLedger::open(copy).unwrap();
        assert_eq!(work::check(&copy), *head);
    }
    let positions: Vec<_> = copies.iter().map(|(_, head)| head.position).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(positions[4] > positions[0], "nobody wrote meanwhile");
    // A copy is a ledger of its own.
    let copy = SqliteLedger::open(&copies[0].0).unwrap();
    work::register(&copy, 700);
    while copy.upkeep().unwrap() == Upkeep::More {}
    work::check(&copy);
    work::check(&ledger);
}

#[test]
fn a_copy_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = work::new_ledger(&folder.path().join("ledger.db"));
    let to = folder.path().join("copy.db");
    std::fs::write(&to, "precious").unwrap();
    let error = ledger.backup(&to).expect_err("something is there");
    assert!(matches!(error, LedgerError::Exists(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "precious");
    let error = ledger.backup(&folder.path().join("nowhere/copy.db")).expect_err("there is no such folder");
    assert!(matches!(error, LedgerError::Settings(_)), "{error}");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains(".new-")), "{names:?}");
}
