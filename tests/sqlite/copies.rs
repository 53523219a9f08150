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
    assert!(matches!(&error, LedgerError::Denied(why) if why.contains("nowhere/copy.db' can't be made")), "{error}");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains(".new-")), "{names:?}");
}

#[test]
fn a_backup_is_only_read_and_its_log_belongs_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let ledger = work::new_ledger(&path("ledger.db"));
    work::register(&ledger, 5);
    // As somebody copies the files of a machine that has died: what was committed last stands in the log.
    let lost = ledger.head().unwrap();
    for end in ["", "-wal"] {
        std::fs::copy(path(&format!("ledger.db{end}")), path(&format!("copy.db{end}"))).unwrap();
    }
    let before = ["copy.db", "copy.db-wal"].map(|name| std::fs::read(path(name)).unwrap());
    assert!(!before[1].is_empty());
    let restored = SqliteLedger::restore(&path("copy.db"), &path("new.db"), |copy| {
        assert_eq!(copy.head()?, lost);
        Ok::<_, LedgerError>(())
    });
    assert_eq!(restored.unwrap(), lost);
    assert!(["copy.db", "copy.db-wal"].map(|name| std::fs::read(path(name)).unwrap()) == before);
    assert!(!path("copy.db-shm").exists());
    work::check(&SqliteLedger::open(&path("new.db")).unwrap());
}

#[test]
fn what_is_not_taken_for_good_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    drop(work::new_ledger(&path("copy.db")));
    let restored = SqliteLedger::restore(&path("copy.db"), &path("new.db"), |_| {
        Err::<(), _>(LedgerError::Damaged("not as it was signed for".into()))
    });
    assert!(matches!(restored, Err(LedgerError::Damaged(_))));
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name != "copy.db");
    assert!(names.is_empty(), "{names:?}");
}
