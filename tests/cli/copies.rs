//! `ledger verify`, `checkpoint`, `backup`, `restore`, `adopt`.

use std::fs;
use std::path::Path;

use crate::installation::Installation;

#[test]
fn what_was_signed_for_is_proved() {
    let house = Installation::with_phones();
    let before = house.ok(&["ledger", "verify"]);
    assert!(
        before.contains("none that vouches for this history") && before.ends_with("nothing is wrong\n"),
        "{before}"
    );
    let note = house.ok(&["ledger", "checkpoint"]);
    assert!(note.starts_with("tashika/"), "{note}");
    let proof = house.json(&["ledger", "verify"]);
    assert_eq!((&proof["sound"], &proof["checkpoints"]), (&true.into(), &1.into()));
    assert_eq!(proof["vouched_until"], proof["position"]);
    house.ok(&["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"]);
    let proof = house.ok(&["ledger", "verify", "--checkpoints", "checkpoints.txt"]);
    assert!(proof.contains("nothing outside the database vouches for the 2 events since"), "{proof}");
}

#[test]
fn an_altered_row_is_found() {
    let house = Installation::with_phones();
    house.ok(&["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"]);
    house.ok(&["ledger", "checkpoint"]);
    forget_statuses(&house.path().join("ledger.db"));
    let ran = house.run(&["ledger", "verify"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.stdout.contains("the status was altered"), "{ran:?}");
}

/// Whatever is wrong, `verify` says what, and doesn't advise to run itself.
fn found(house: &Installation, what: &str) {
    let ran = house.run(&["ledger", "verify"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.stdout.contains(what) && ran.stdout.contains("wrong:"), "{ran:?}");
    assert!(!ran.stdout.contains("ledger verify") && !ran.stderr.contains("ledger verify"), "{ran:?}");
}

fn intrude(house: &Installation, sql: &str) {
    rusqlite::Connection::open(house.path().join("ledger.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_removed_end_is_found() {
    let house = Installation::with_phones();
    house.ok(&["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"]);
    intrude(&house, "DROP TRIGGER event_stays; DELETE FROM event WHERE position = (SELECT max(position) FROM event)");
    let ran = house.run(&["report", "phone-lost", "--medium", "sim-2", "--as", "window/x"]);
    assert!(ran.code == 6 && ran.stderr.contains("run 'tashika ledger verify'"), "writers stay out: {ran:?}");
    found(&house, "but the last event is");
}

#[test]
fn removed_look_ups_are_found_and_the_rest_is_proved() {
    let house = Installation::with_phones();
    house.ok(&["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"]);
    // A run that has lost its pages, and a status.
    intrude(
        &house,
        "INSERT INTO run VALUES (900, 2, 4, 1, 900, 0, NULL); UPDATE lookup SET generation = generation + 1",
    );
    forget_statuses(&house.path().join("ledger.db"));
    found(&house, "look-ups of serials can't be read");
    found(&house, "the status was altered");
}

#[test]
fn a_truncated_file_is_found() {
    let house = Installation::with_phones();
    intrude(&house, "PRAGMA wal_checkpoint(TRUNCATE)");
    let file = fs::OpenOptions::new().write(true).open(house.path().join("ledger.db")).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2 / 4096 * 4096).unwrap();
    found(&house, "can't be read");
}

#[test]
fn a_backup_is_restored_and_its_loss_is_told() {
    let house = Installation::with_phones();
    house.ok(&["ledger", "checkpoint"]);
    house.ok(&["ledger", "backup", "copy.db"]);
    house.refused_in_one_line(&["ledger", "backup", "copy.db"], 1, "there is already a ledger at");
    house.refused_in_one_line(&["ledger", "restore", "copy.db"], 1, "there is already a ledger at");
    house.refused_in_one_line(&["ledger", "backup", "/nowhere/copy.db"], 7, "'/nowhere/copy.db' can't be made");
    let held = house.head();
    house.ok(&["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"]);
    house.ok(&["ledger", "checkpoint"]);
    let lost = house.head();
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(house.path().join(file));
    }
    let told = house.ok(&["ledger", "restore", "copy.db"]);
    let gap = format!("events {} to {} at least are lost", held.position.next(), lost.position);
    assert!(told.contains(&gap) && told.contains("ledger adopt"), "{told}");
    assert_eq!(house.head(), held);
    assert_eq!(house.run(&["ledger", "verify"]).code, 6, "not sound until a person has named the new history");
    house.refused_in_one_line(&["ledger", "adopt", "--note", "x", "--epoch", "0"], 1, "must be higher");
    house.refused_in_one_line(&["ledger", "adopt", "--note", "x", "--as", "window/x"], 1, "window may not adopt");
    house.ok(&["ledger", "adopt", "--note", "the disk burnt", "--as", "ops/suzuki"]);
    let proof = house.json(&["ledger", "verify"]);
    assert_eq!((&proof["sound"], &proof["epoch"]), (&true.into(), &1.into()), "{proof}");
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let house = Installation::with_phones();
    house.ok(&["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"]);
    house.ok(&["ledger", "backup", "copy.db"]);
    forget_statuses(&house.path().join("copy.db"));
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(house.path().join(file));
    }
    let before = fs::read(house.path().join("copy.db")).unwrap();
    assert_eq!(house.run(&["ledger", "restore", "copy.db"]).code, 6);
    house.write("text.db", "not a backup, but long enough to be taken for the head of one");
    for (backup, code, says) in [("text.db", 6, "it is no backup of a ledger"), ("none.db", 7, "none.db")] {
        let ran = house.run(&["ledger", "restore", backup]);
        assert!(ran.code == code && ran.stderr.contains(says) && ran.stderr.lines().count() == 1, "{ran:?}");
    }
    assert!(fs::read(house.path().join("copy.db")).unwrap() == before, "the backup was only read");
    let left = fs::read_dir(house.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = left.filter(|name| name.starts_with("ledger.db") || name.starts_with("copy.db-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What the file's owner can do to it: take the guards away, and then the hold of a stolen phone.
fn forget_statuses(file: &Path) {
    let database = rusqlite::Connection::open(file).unwrap();
    let guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'status'";
    let guards: Vec<String> =
        database.prepare(guards).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert!(!guards.is_empty());
    for guard in guards {
        database.execute_batch(&format!("DROP TRIGGER \"{guard}\"")).unwrap();
    }
    assert_eq!(database.execute("DELETE FROM status", []).unwrap(), 1);
}

#[test]
fn what_holds_the_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = Installation::with_phones();
    house.ok(&["ledger", "checkpoint"]);
    house.ok(&["ledger", "backup", "copy.db"]);
    // While it is open, its log and its index are there too.
    let _open = tashika::ledger::sqlite::SqliteLedger::open(&house.path().join("ledger.db")).unwrap();
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "checkpoints.txt", "copy.db"] {
        let mode = fs::metadata(house.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}: {mode:o}");
    }
}
