//! Bad input: one line that says what to do, a documented exit code, nothing changed.

use std::fs;

use crate::installation::{Installation, run_in, testdata};

const SHOW: [&str; 4] = ["cert", "show", "--issuer", "phone-auth"];

#[test]
fn an_unknown_key_in_the_configuration() {
    let house = Installation::new();
    house.configure("ledgr = 1");
    house.refused_in_one_line(
        &["issuer", "list"],
        2,
        "tashika.toml: line 1: this is no setting of tashika's, or not its form: correct it (unknown field `ledgr`",
    );
    house.refused_in_one_line(&["config", "check"], 2, "unknown field `ledgr`");
}

#[test]
fn everything_that_is_wrong_with_a_configuration() {
    let house = Installation::new();
    house.configure("desk.confirm_after_days = 0\ndesk.releasable = ['SIM']");
    house.refused_in_one_line(&["issuer", "list"], 2, "desk.confirm_after_days: must be 1 to 36,500 days");
    house.refused(&["config", "check"], 2, "2 settings can't be used");
    let told = house.run(&["config", "check"]).stderr;
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].contains("desk.confirm_after_days: ") && lines[1].contains("desk.releasable: "), "{told}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_serial_that_is_none() {
    let house = Installation::with_phones();
    for (serial, says) in [
        ("-5", "a serial number is positive"),
        ("010203040506070809101112131415161718192021", "at most 20 octets"),
        ("0", "a serial number is not zero"),
        ("xyz", "'x' is not a hexadecimal digit"),
        ("", "at least one digit"),
    ] {
        house.refused_in_one_line(&[&SHOW[..], &["--serial", serial]].concat(), 2, says);
        let revoke = ["cert", "revoke", "--issuer", "phone-auth", "--serial", serial];
        house.refused_in_one_line(&revoke, 2, says);
    }
}

#[test]
fn a_certificate_that_is_not_registered() {
    let house = Installation::with_phones();
    house.refused_in_one_line(&[&SHOW[..], &["--serial", "0BAD"]].concat(), 3, "no such certificate is registered");
    let revoke = ["cert", "revoke", "--issuer", "phone-auth", "--serial", "0BAD"];
    house.refused_in_one_line(&revoke, 3, "no such certificate is registered");
}

#[test]
fn a_certificate_of_an_unknown_issuer() {
    let house = Installation::with_phones();
    let show = ["cert", "show", "--issuer", "phone-sign", "--serial", "0A01"];
    house.refused_in_one_line(&show, 3, "there is no issuer 'phone-sign': see 'tashika issuer list'");
    let leaf = testdata("card-sign-g2-p256/leaf-good.pem");
    house.refused_in_one_line(&["import", "certificates", "--issuer", "card-sign", &leaf], 3, "there is no issuer");
    // A certificate of another CA than the one that is named.
    let import = ["import", "certificates", "--issuer", "phone-auth", &leaf];
    house.refused(&import, 7, "nothing was written");
    assert!(house.run(&import).stderr.contains("line 1: issued by another issuer"));
}

#[test]
fn a_scope_that_contradicts_the_certificate() {
    let house = Installation::new();
    let issuer = testdata("card-sign-g2-p256/issuer.pem");
    let (here, there) = ("leaf-good.pem", "leaf-of-another-municipality.pem");
    let leaf = |name: &str| testdata(&format!("card-sign-g2-p256/{name}"));
    house.ok(&["issuer", "add", "--name", "card-sign", "--cert", &issuer, "--no-scope"]);
    for (path, from) in [("here", here), ("there", there)] {
        let point = format!("@{}", leaf(from));
        house.ok(&["scope", "add", "--issuer", "card-sign", "--cdp", &point, "--path", path]);
    }
    let (here, import) = (leaf(here), ["import", "certificates", "--issuer", "card-sign"]);
    let wrong = [&import[..], &[&here, "--scope", "there"]].concat();
    house.refused(&wrong, 7, "nothing was written");
    let told = house.run(&wrong).stderr;
    assert!(told.contains("its distribution point names another scope than the one asked for"), "{told}");
    house.refused_in_one_line(&[&import[..], &[&here, "--scope", "nowhere"]].concat(), 3, "no CRL scope 'nowhere'");
    house.ok(&[&import[..], &[&here, "--scope", "here"]].concat());
    // One that names no scope of the issuer at all.
    let kanji = leaf("leaf-of-a-kanji-municipality.pem");
    house.refused(&[&import[..], &[&kanji]].concat(), 7, "nothing was written");
}

#[test]
fn a_carrier_that_touches_the_sim_of_another() {
    let house = Installation::with_phones();
    let report = ["report", "phone-lost", "--sim", "8981", "--operator", "mno-1", "--as", "carrier:mno-2/shop-1"];
    house.refused_in_one_line(&report, 1, "carrier:mno-2 is not competent for this certificate: another carrier");
    let hold = ["cert", "hold", "--issuer", "phone-auth", "--serial", "0A01", "--as", "carrier:mno-2/shop-1"];
    house.refused_in_one_line(&hold, 1, "another carrier operates the SIM");
    assert_eq!(house.status("0A01"), "good");
}

#[test]
fn a_backdated_loss() {
    let house = Installation::with_phones();
    let lost = ["--lost-at", "2026-01-01T09:30:00+09:00"];
    let report = ["report", "phone-lost", "--medium", "sim-1", "--as", "call-centre/desk-7"];
    let says = "too long ago to be taken from call-centre: report without --lost-at";
    house.refused_in_one_line(&[&report[..], &lost].concat(), 1, says);
    house.refused_in_one_line(&[&report[..], &["--lost-at", "2999-01-01T00:00:00Z"]].concat(), 1, "lies in the future");
    house.refused_in_one_line(
        &[&report[..], &["--lost-at", "yesterday"]].concat(),
        2,
        "'yesterday' is not a time such as",
    );
    // The window's word holds at once; it is the date that waits for a second person.
    let ran = house.run(&[&["report", "phone-lost", "--medium", "sim-1", "--as", "window/a"][..], &lost].concat());
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(house.status("0A01"), "held");
}

#[test]
fn an_unreadable_database() {
    let house = Installation::with_phones();
    let file = house.path().join("ledger.db");
    let whole = fs::read(&file).unwrap();
    let fails = |code: i32, says: &str| {
        let ran = house.run(&["issuer", "list"]);
        assert!(ran.code == code && ran.stderr.contains(says) && ran.stderr.lines().count() == 1, "{says}: {ran:?}");
    };
    let mut torn = whole.clone();
    torn[100..].fill(0xa5);
    fs::write(&file, &torn).unwrap();
    fails(6, "the ledger is damaged");
    assert_eq!(fs::read(&file).unwrap(), torn, "nothing was changed");
    fs::write(&file, "not a database, but a text that is long enough to be read as the header of one if nobody looks")
        .unwrap();
    let strange = "isn't a tashika ledger, or is damaged beyond recognition: move it away, then bring a backup back";
    fails(6, strange);
    // What a full disk leaves.
    fs::write(&file, "").unwrap();
    fails(6, strange);
    fs::remove_file(&file).unwrap();
    fails(3, "bring it back from a backup (see 'tashika ledger restore --help'), or make a new installation");
    assert!(!file.exists(), "nothing was made");
    fs::create_dir(&file).unwrap();
    fails(7, "ledger.db' can't be opened: Is a directory");
}

#[test]
fn a_schema_newer_than_the_program() {
    let house = Installation::with_phones();
    let file = house.path().join("ledger.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database.pragma_update(None, "user_version", 1_000).unwrap();
    drop(database);
    let ran = house.run(&["issuer", "list"]);
    let says = "the ledger has schema 1000, and this program knows schemas up to 1: upgrade tashika";
    assert!(ran.code == 6 && ran.stderr.contains(says) && ran.stderr.lines().count() == 1, "{ran:?}");
}

#[test]
fn a_line_of_an_import_that_is_wrong() {
    let house = Installation::with_phones();
    let good = r#"{"serial":"0B","not_before":"2026-01-01T00:00:00Z","not_after":"2036-01-01T00:00:00Z","type":"AUTH","medium":{"kind":"CARD","id":"c"},"holder":"h"}"#;
    let bad = good.replace("0B", "-1");
    house.write("more.ndjson", &format!("{good}\n{bad}\nnonsense\n"));
    let import = ["import", "certificates", "--issuer", "phone-auth", "more.ndjson"];
    house.refused(&import, 7, "2 of 3 entries can't be used: nothing was written");
    let told = house.run(&import).stderr;
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "more.ndjson: line 2: serial number: a serial number is positive");
    assert!(lines[1].starts_with("more.ndjson: line 3: "), "{told}");
    let ran = house.run(&[&import[..], &["--skip-bad"]].concat());
    assert!(ran.code == 0 && ran.stdout.contains("1 registered"), "{ran:?}");
    assert!(ran.stdout.contains(" 1 certificate to register\n"), "{ran:?}");
}

/// A serial that comes twice, or a link to nothing, is only known at the end of the file.
#[test]
fn bad_lines_are_told_in_their_order() {
    let house = Installation::with_phones();
    let good = r#"{"serial":"0B","not_before":"2026-01-01T00:00:00Z","not_after":"2036-01-01T00:00:00Z","type":"AUTH","medium":{"kind":"CARD","id":"c"},"holder":"h"}"#;
    let again = good.replace("0B", "0b");
    let later = good.replace("0B", "-2");
    house.write("more.ndjson", &format!("{good}\n{again}\nnonsense\n{again}\n{later}\n"));
    let told = house.run(&["import", "certificates", "--issuer", "phone-auth", "more.ndjson"]).stderr;
    let lines: Vec<_> = told.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(lines[..4], ["line 2", "line 3", "line 4", "line 5"], "{told}");
    assert!(told.contains("line 3: this is not a certificate's JSON object: correct it ("), "{told}");
}

#[test]
fn what_an_import_contradicts_shows_nobody_and_names_scopes() {
    let house = Installation::with_phones();
    let point = "http://status.example/crl/other.crl";
    house.ok(&["scope", "add", "--issuer", "phone-auth", "--cdp", point, "--path", "other"]);
    let phones = fs::read_to_string(house.path().join("phones.ndjson")).unwrap();
    let (first, second) = phones.trim().split_once('\n').unwrap();
    let moved = first.replace(r#""serial""#, r#""scope":"other","serial""#);
    house.write("more.ndjson", &format!("{moved}\n{}\n", second.replace("h-2", "h-9")));
    let ran = house.run(&["import", "certificates", "--issuer", "phone-auth", "more.ndjson"]);
    assert!(
        ran.stderr.contains("line 1: contradicts what is registered: scope is 'phone-auth' in the ledger, 'other'"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("line 2: contradicts what is registered: holder is another one in the ledger\n"),
        "{ran:?}"
    );
}

#[test]
fn certificates_that_are_no_persons() {
    let house = Installation::new();
    let file = |name: &str| testdata(&format!("card-sign-g2-p256/{name}.pem"));
    house.ok(&["issuer", "add", "--name", "card-sign", "--cert", &file("issuer")]);
    let pem = |name: &str| fs::read_to_string(file(name)).unwrap();
    house.write("mixed.pem", &[pem("leaf-good"), pem("ocsp-good")].concat());
    let import = ["import", "certificates", "--issuer", "card-sign"];
    house.refused(&[&import[..], &["mixed.pem"]].concat(), 7, "1 of 2 entries can't be used: nothing was written");
    let told = house.run(&[&import[..], &["mixed.pem"]].concat()).stderr;
    let line = pem("leaf-good").lines().count() + 1;
    assert!(told.contains(&format!("line {line}: this is an OCSP signer's certificate")), "{told}");
    // What is a person's may still be of less use than it could be.
    let ran = house.run(&[&import[..], &[&file("leaf-without-combined-point")]].concat());
    let warning = "tashika: warning: 1 certificate without a cRLIssuer";
    assert!(ran.code == 0 && ran.stderr.starts_with(warning) && !ran.stdout.contains("warning"), "{ran:?}");
    // A root signs itself as it signs CAs.
    house.ok(&["issuer", "add", "--name", "root-ca", "--cert", &testdata("root.pem")]);
    let of_root = |name: &str| house.run(&["import", "certificates", "--issuer", "root-ca", &testdata(name)]);
    for name in ["root.pem", "card-sign-g2-p256/issuer.pem"] {
        let ran = of_root(name);
        assert!(ran.code == 7 && ran.stderr.contains("line 1: this is a CA's certificate"), "{ran:?}");
    }
    let ran = of_root("combined/issuer.pem");
    assert!(ran.code == 7 && ran.stderr.contains("line 1: this is a CRL signer's certificate"), "{ran:?}");
}

#[test]
fn refusals_name_a_ca_as_it_is_named() {
    let house = Installation::with_phones();
    let issuer = testdata("card-sign-g2-p256/issuer.pem");
    house.ok(&["issuer", "add", "--name", "card-sign", "--cert", &issuer]);
    let actor = ["--as", "ca:card-sign/x"];
    let revoke = ["cert", "revoke", "--issuer", "phone-auth", "--serial", "0A01"];
    let says = "ca:card-sign is not competent for this certificate: another CA issued it";
    house.refused_in_one_line(&[&revoke[..], &actor].concat(), 1, says);
    let import = ["import", "certificates", "--issuer", "phone-auth", "phones.ndjson"];
    house.refused_in_one_line(&[&import[..], &actor].concat(), 1, "ca:card-sign is not competent");
    house.refused_in_one_line(
        &[&["report", "phone-lost", "--medium", "sim-1"][..], &actor].concat(),
        1,
        "ca:card-sign may not report",
    );
}

#[test]
fn an_installation_where_something_is_already() {
    let house = Installation::with_phones();
    let parent = house.path().parent().unwrap().to_owned();
    let before = house.head();
    let ran = run_in(&parent, &["init", "--dir", "house"]);
    assert!(ran.code == 1 && ran.stderr.contains("there is an installation in house already"), "{ran:?}");
    assert_eq!(house.head(), before);
    for (url, says) in [("mysql://x", "ledger.url"), ("sqlite:", "needs a file")] {
        let ran = run_in(&parent, &["init", "--dir", "other", "--ledger", url]);
        assert!(ran.code == 2 && ran.stderr.contains(says), "{ran:?}");
    }
    let ran = run_in(&parent, &["init", "--dir", "other", "--ledger", "sqlite:../house/ledger.db"]);
    assert!(ran.code == 1 && ran.stderr.contains("there is already a ledger"), "{ran:?}");
    let ran = run_in(&parent, &["init", "--dir", "other", "--config", "house/tashika.toml"]);
    assert!(ran.code == 2 && ran.stderr.contains("leave out --config"), "{ran:?}");
    assert!(!parent.join("other").exists(), "what a failed init made is gone again");
    assert_eq!(house.head(), before);
}

#[test]
fn a_key_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = Installation::with_phones();
    let key = house.path().join("pseudonym.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    house.refused_in_one_line(
        &["report", "phone-lost", "--medium", "sim-1"],
        7,
        "can be read by others: 'chmod 600' it",
    );
}

#[test]
fn direct_changes_that_the_configuration_refuses() {
    let house = Installation::with_phones();
    house.configure("desk.direct_changes = 'refuse'");
    let says = "keeps the command line from changing the ledger";
    for change in [
        &["report", "phone-lost", "--medium", "sim-1"][..],
        &["cert", "revoke", "--issuer", "phone-auth", "--serial", "0A01"],
        &["cert", "hold", "--batch", "7"],
        &["import", "certificates", "--issuer", "phone-auth", "phones.ndjson"],
        &["undo", "--cause", "2"],
        &["queue", "approve", "2"],
        &["scope", "add", "--issuer", "phone-auth", "--cdp", "http://x.example/", "--path", "x"],
        &["issuer", "add", "--name", "x", "--cert", "x.pem"],
        &["ledger", "adopt", "--note", "x"],
    ] {
        house.refused_in_one_line(change, 1, says);
    }
    assert_eq!(house.status("0A01"), "good");
}

#[test]
fn errors_are_json_for_machines() {
    let house = Installation::with_phones();
    let ran = house.run(&["cert", "show", "--issuer", "phone-auth", "--serial", "0BAD", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert_eq!(error["exit"], 3);
    assert_eq!(error["error"], "no such certificate is registered with this issuer");
}

#[test]
fn mistakes_on_the_command_line_are_json_too() {
    let house = Installation::new();
    for (arguments, says) in [
        (&["issuer", "lst", "--json"][..], "unrecognized subcommand 'lst'"),
        (&["--json", "report", "card-lost"], "required arguments were not provided"),
        (&["cert", "show", "--issuer", "x", "--serial", "xyz", "--json"], "not a hexadecimal digit"),
        (&["queue", "--json"], "requires a subcommand"),
        (&["--json", "queue"], "the verb is missing"),
    ] {
        let ran = house.run(arguments);
        let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|_| panic!("{ran:?}"));
        assert_eq!((ran.code, ran.stdout.as_str(), &error["exit"]), (2, "", &2.into()), "{arguments:?}");
        assert!(error["error"].as_str().unwrap().contains(says), "{error}");
        assert_eq!(error.as_object().unwrap().len(), 2);
    }
    // What stands behind '--' is no flag.
    assert!(house.run(&["issuer", "lst", "--", "--json"]).stderr.starts_with("tashika: "));
}

#[test]
fn another_pseudonym_key_than_the_first() {
    let house = Installation::with_phones();
    let path = |name: &str| house.path().join(name);
    let report = ["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"];
    // Of an installation that keeps it as it came.
    let other = Installation::new();
    fs::copy(path("pseudonym.key"), path("first.key")).unwrap();
    fs::copy(other.path().join("pseudonym.key"), path("pseudonym.key")).unwrap();
    let says = "pseudonym.key is not the key that made the names in the ledger";
    house.refused_in_one_line(&report, 7, says);
    house.refused_in_one_line(&["import", "certificates", "--issuer", "phone-auth", "phones.ndjson"], 7, says);
    house.refused_in_one_line(&["config", "check"], 7, says);
    // With its fingerprint it is a key, but of another ledger.
    fs::copy(path("pseudonym.fingerprint"), path("first.fingerprint")).unwrap();
    fs::copy(other.path().join("pseudonym.fingerprint"), path("pseudonym.fingerprint")).unwrap();
    house.refused_in_one_line(&report, 7, "made the names of ledger");
    fs::remove_file(path("pseudonym.key")).unwrap();
    house.refused_in_one_line(&report, 7, "bring back the copy that was kept");
    fs::rename(path("first.key"), path("pseudonym.key")).unwrap();
    fs::rename(path("first.fingerprint"), path("pseudonym.fingerprint")).unwrap();
    house.ok(&report);
    assert_eq!(house.status("0A01"), "held");
}

#[test]
fn an_installation_of_before_gets_a_fingerprint_of_its_key() {
    let house = Installation::with_phones();
    let fingerprint = house.path().join("pseudonym.fingerprint");
    let written = fs::read_to_string(&fingerprint).unwrap();
    fs::remove_file(&fingerprint).unwrap();
    let report = ["report", "phone-lost", "--medium", "sim-1", "--as", "window/x"];
    let ran = house.run(&report);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.starts_with("tashika: warning: the pseudonym key had no fingerprint"), "{ran:?}");
    assert_eq!(fs::read_to_string(&fingerprint).unwrap(), written);
    house.ok(&report);
}

#[test]
fn a_scope_taken_from_another_cas_certificate() {
    let house = Installation::with_phones();
    let point = format!("@{}", testdata("card-sign-g2-p256/leaf-good.pem"));
    let add = ["scope", "add", "--issuer", "phone-auth", "--cdp", &point, "--path", "wrong"];
    house.refused_in_one_line(&add, 7, "it was not issued by phone-auth");
}

#[test]
fn paths_are_shown_as_they_are_meant() {
    let house = Installation::new();
    let parent = house.path().parent().unwrap().canonicalize().unwrap();
    let shown = run_in(&parent, &["config", "show", "--json", "--config", "house/tashika.toml"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let whole = |name: &str| parent.join("house").join(name).display().to_string();
    for (key, name) in [
        ("keys.pseudonym", "pseudonym.key"),
        ("keys.checkpoint", "checkpoint.key"),
        ("checkpoints.file", "checkpoints.txt"),
    ] {
        assert_eq!(shown[key], whole(name), "{shown}");
    }
    assert_eq!(shown["ledger.url"], format!("sqlite:{}", whole("ledger.db")));
}
