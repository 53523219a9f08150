//! What may lie where a ledger should: nothing, something else, something that may not be read. Said in one line, and
//! left as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Batch, Ledger, LedgerError, Severity};
use tashika::model::{Body, Epoch, Event, Role};

use crate::{nation, work};

/// What it is, and how it comes to lie there.
type Maker<'a> = (&'a str, &'a dyn Fn(&Path));

fn refusal(path: &Path) -> LedgerError {
    let error = SqliteLedger::open(path).expect_err("it is no ledger");
    assert_eq!(error.to_string().lines().count(), 1, "one line: {error}");
    // Whoever made another ledger where one is damaged would have lost it for good.
    let expected = if matches!(error, LedgerError::Strange(_)) { Severity::Fatal } else { Severity::Reject };
    assert_eq!(error.severity(), expected, "{error}");
    error
}

#[test]
fn what_is_no_ledger_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let database = |path: &Path| {
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("CREATE TABLE event (position INTEGER); PRAGMA user_version = 1").unwrap();
    };
    let makers: [Maker<'_>; 4] = [
        ("an empty file", &|path| fs::write(path, "").unwrap()),
        ("a short text", &|path| fs::write(path, "hello\n").unwrap()),
        ("a long text", &|path| fs::write(path, "hello\n".repeat(10_000)).unwrap()),
        ("another program's database", &database),
    ];
    for (what, make) in makers {
        make(&path);
        let before = fs::read(&path).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, LedgerError::Strange(_)), "{what}: {error}");
        assert!(error.to_string().contains("ledger restore"), "{what}: {error}");
        assert!(!error.to_string().contains("tashika init"), "{what}: {error}");
        let again = SqliteLedger::create(&path, &nation::genesis(1)).expect_err("there is something");
        assert!(matches!(again, LedgerError::Exists(_)), "{what}: {again}");
        assert!(fs::read(&path).unwrap() == before, "{what} was changed");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{what}: something was left beside it");
        fs::remove_file(&path).unwrap();
    }
    let error = refusal(folder.path());
    assert!(matches!(&error, LedgerError::Denied(why) if why.contains("Is a directory")), "{error}");
    assert!(matches!(refusal(&path), LedgerError::Missing(_)));
    assert!(matches!(refusal(&path.join("below")), LedgerError::Missing(_)));
    let error = SqliteLedger::create(&path.join("below"), &nation::genesis(1)).expect_err("no such folder");
    assert!(matches!(error, LedgerError::Denied(_)), "{error}");
}

/// SQLite would replay a log that another database has left under this name.
#[test]
fn a_ledger_is_not_made_beside_anothers_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::write(folder.path().join("ledger.db-wal"), "left over").unwrap();
    let error = SqliteLedger::create(&path, &nation::genesis(1)).expect_err("its log is there");
    assert!(matches!(&error, LedgerError::Exists(what) if what.contains("ledger.db-wal")), "{error}");
    assert!(!path.exists());
}

#[test]
fn what_may_not_be_read_is_said_to_be_so() {
    if let Some(path) = std::env::var_os(UNREADABLE) {
        println!("{UNREADABLE} {}", refusal(Path::new(&path)));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(work::new_ledger(&path));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // The file itself, and its folder: there the log is kept.
    for mode in [0o000, 0o444, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        // Permissions don't bind root, so the attempt is another process's, as nobody.
        let program = folder.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut attempt = Command::new(&program);
        attempt.args(["--exact", "files::what_may_not_be_read_is_said_to_be_so", "--nocapture"]);
        attempt.env(UNREADABLE, &path).current_dir("/");
        if fs::metadata(&path).unwrap().uid() == 0 {
            attempt.uid(NOBODY).gid(NOBODY);
        }
        let output = attempt.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let line = said.lines().find_map(|line| line.split_once(UNREADABLE)).expect("a refusal").1;
        assert!(line.contains("ledger.db' ") && line.contains("run tashika as"), "{mode:o}: {line}");
        assert!(mode == 0o666 || line.contains("Permission denied"), "{mode:o}: {line}");
    }
}

#[test]
fn a_head_that_names_another_event_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    work::register(&work::new_ledger(&path), 2);
    let intruder = rusqlite::Connection::open(&path).unwrap();
    intruder.execute_batch("DROP TRIGGER head_goes_on; UPDATE head SET link = zeroblob(32)").unwrap();
    assert!(matches!(SqliteLedger::open(&path), Err(LedgerError::Damaged(_))));
    let ledger = SqliteLedger::open_to_verify(&path).expect("whoever proves it may look");
    assert!(ledger.beat(ledger.head().unwrap().time).is_err(), "but nobody may write");
    intruder.execute_batch("DROP TRIGGER head_stays; DELETE FROM head").unwrap();
    assert!(matches!(SqliteLedger::open(&path), Err(LedgerError::Damaged(_))));
}

/// Torn pages, not altered rows: SQLite itself notices.
#[test]
fn a_torn_file_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    work::register(&work::new_ledger(&path), 600);
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let read = || SqliteLedger::open(&path)?.scan(&mut |_| std::ops::ControlFlow::Continue(()));
    let error = read().expect_err("half of it is rubbish");
    assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
}

const UNREADABLE: &str = "TASHIKA_TEST_UNREADABLE";
const NOBODY: u32 = 65_534;

#[test]
fn what_a_killed_maker_left_is_swept_and_what_a_living_one_makes_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    // The first process of a system always lives; no process has the highest number there is.
    let (kept, swept) = ("ledger.db.new-1".to_owned(), format!("ledger.db.new-{}", u32::MAX));
    for name in [&kept, &swept, &format!("{swept}-journal")] {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    SqliteLedger::create(&path, &nation::genesis(1)).unwrap();
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.contains(&kept) && !left.iter().any(|name| name.starts_with(&swept)), "{left:?}");
}

#[test]
fn a_full_disk_is_said_to_be_full_and_which_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = work::new_ledger(&folder.path().join("ledger.db"));
    // SQLite takes the present size for the least that it can be limited to.
    ledger.limit_pages(1).unwrap();
    let filling = (0..).find_map(|number| {
        let mut batch = Batch::on(ledger.head().unwrap());
        let note = format!("{number} {}", "filler ".repeat(500));
        let body = Body::EpochAdopted { epoch: Epoch(number + 1), note };
        batch.record(Event { time: nation::at(2), actor: nation::actor(Role::Ops), cause: None, body });
        ledger.append(&batch).err()
    });
    let error = filling.unwrap();
    assert!(matches!(&error, LedgerError::Full(place) if place.contains("ledger.db'")), "{error}");
    assert!(error.to_string().starts_with("the disk is full"), "{error}");
}
