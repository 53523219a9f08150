//! The same on PostgreSQL: one life from `init` to undo, and what is wrong with a server or a schema.

use crate::installation::{Installation, Ran, run_in};
use crate::postgres::Cluster;

#[test]
fn a_life_from_init_to_undo() {
    let (url, _) = Cluster::shared().new_database();
    let house = Installation::on(&url);
    house.add_phones();
    let report = house.json(&["report", "phone-lost", "--medium", "sim-1", "--as", "call-centre/stolen"]);
    assert_eq!(house.status("0A01"), "held");
    house.write("list.txt", "0A02\n");
    let list = ["cert", "revoke", "--issuer", "phone-auth", "--list", "list.txt", "--as", "ca:phone-auth/x"];
    house.ok(&list);
    assert_eq!(house.status("0A02"), "revoked");
    assert_eq!(house.run(&["undo", "--cause", report["first"].as_str().unwrap(), "--by", "ops/suzuki"]).code, 4);
    let waiting = house.json(&["queue", "list"]);
    house.ok(&["queue", "approve", waiting["waiting"][0]["id"].as_str().unwrap(), "--as", "ops/tanaka"]);
    assert_eq!(house.status("0A01"), "good");
    house.ok(&["ledger", "checkpoint"]);
    let proof = house.json(&["ledger", "verify"]);
    assert_eq!((&proof["sound"], &proof["vouched_until"]), (&true.into(), &proof["position"]));
    let history = house.ok(&["cert", "show", "--issuer", "phone-auth", "--serial", "0A02", "--history"]);
    assert!(history.contains("revoke 1 certificate of list"), "{history}");
}

#[test]
fn a_database_that_does_not_exist_is_not_found() {
    let (url, database) = Cluster::shared().new_database();
    let dir = tempfile::tempdir().unwrap();
    let ran = run_in(dir.path(), &["init", "--dir", "house", "--ledger", &url.replace(&database, "nosuch")]);
    assert!(ran.code == 3 && ran.stderr.contains("there is no database at"), "{ran:?}");
    assert!(!dir.path().join("house").exists(), "what a failed init made is gone again");
}

#[test]
fn bad_input_changes_nothing() {
    let (url, database) = Cluster::shared().new_database();
    let house = Installation::on(&url);
    house.add_phones();
    let events = || Cluster::shared().must("postgres", &database, "SELECT count(*) FROM tashika.event");
    let before = events();
    for (code, arguments) in [
        (1, &["report", "phone-lost", "--sim", "8981", "--operator", "mno-1", "--as", "carrier:mno-2/x"][..]),
        (1, &["report", "phone-lost", "--medium", "sim-1", "--as", "ops/x"]),
        (3, &["cert", "revoke", "--issuer", "phone-auth", "--serial", "0BAD"]),
        (2, &["cert", "revoke", "--issuer", "phone-auth", "--serial", "-1"]),
        (2, &["ledger", "backup", "copy.db"]),
    ] {
        one_line(&house.run(arguments), code, "");
    }
    assert_eq!(events(), before);
}

#[test]
fn a_ledger_that_is_there_already_or_nowhere() {
    let (url, _) = Cluster::shared().new_database();
    let house = Installation::on(&url);
    let parent = house.path().parent().unwrap().to_owned();
    one_line(&run_in(&parent, &["init", "--dir", "other", "--ledger", &url]), 1, "there is already a ledger at");
    assert!(!parent.join("other").exists());
    let (empty, _) = Cluster::shared().new_database();
    for (wrong, code, says) in [
        (empty.as_str(), 3, "bring it back from a backup"),
        (
            "postgres://postgres@127.0.0.1:1/nothing",
            5,
            "can't be reached, or is too busy: postgres://127.0.0.1:1/nothing (",
        ),
    ] {
        house.write("tashika.toml", &format!("ledger.url = '{wrong}'\n"));
        one_line(&house.run(&["issuer", "list"]), code, says);
    }
}

#[test]
fn a_schema_newer_than_the_program() {
    let (url, database) = Cluster::shared().new_database();
    let house = Installation::on(&url);
    Cluster::shared().must("postgres", &database, "INSERT INTO tashika.schema_version (version) VALUES (1000)");
    one_line(&house.run(&["issuer", "list"]), 6, "the ledger has schema 1000, and this program knows schemas up to");
}

fn one_line(ran: &Ran, code: i32, says: &str) {
    let fits = ran.code == code && ran.stdout.is_empty() && ran.stderr.lines().count() == 1;
    assert!(fits && ran.stderr.starts_with("tashika: ") && ran.stderr.contains(says), "{code} {says}: {ran:?}");
}
