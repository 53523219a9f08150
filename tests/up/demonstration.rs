//! What `up` makes, and that it makes it once.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tashika::ledger::Ledger;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::model::MediumKind;

use crate::program::{Program, ask, run};

#[test]
fn it_leaves_what_it_promises_and_nobody_else_may_read_the_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &[]);
    let at = up.ready();
    assert_eq!(ask(&at.admin, "GET", "/healthz").0, 200);
    assert!(up.end("TERM").success());

    let mut expected = vec![
        "tashika.toml".to_owned(),
        "admin.token".to_owned(),
        "demo/root.pem".to_owned(),
        "demo/combined/issuer.pem".to_owned(),
    ];
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        expected.push(format!("demo/{issuer}/issuer.pem"));
        expected.extend(["key", "pem"].map(|ending| format!("signers/{issuer}/ocsp.{ending}")));
        for leaf in ["good", "revoked", "held", "unissued", "expired"] {
            expected.extend([format!("demo/{issuer}/{leaf}.pem"), format!("demo/{issuer}/{leaf}.key")]);
        }
    }
    let files = files(&demo);
    for name in expected {
        assert!(files.contains_key(&name), "{name} is missing");
    }
    for (name, mode) in &files {
        // The ledger and what proves it are nobody else's either.
        let secret = [".key", ".token", ".lock"].iter().any(|ending| name.ends_with(ending))
            || name.starts_with("ledger.db")
            || name.starts_with("state/snapshot-")
            || name == "checkpoints.txt";
        assert_eq!(*mode, if secret { 0o600 } else { 0o644 }, "{name}");
        assert!(!name.ends_with(".draft"), "{name}");
    }
    assert_eq!(mode(&demo), 0o700);
    let token = fs::read_to_string(demo.join("admin.token")).unwrap();
    assert_eq!(token.trim().len(), 43, "32 octets in base64url");
}

#[test]
fn the_ledger_holds_the_mix_and_the_leaves_in_their_states() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "2000"]);
    up.ready();
    assert!(up.end("INT").success());

    let ledger = SqliteLedger::open(&demo.join("ledger.db")).unwrap();
    let (mut card, mut revoked, mut held, mut all) = (0, 0, 0, 0);
    let mut of_leaves = Vec::new();
    ledger
        .scan(&mut |entry| {
            let is_sample = entry.certificate.key.serial.as_octets().len() < 16;
            let state = match (entry.status.revocation(), entry.status.holds.len()) {
                (Some(_), _) => "revoked",
                (None, 0) => "good",
                (None, _) => "held",
            };
            if is_sample {
                all += 1;
                card += u32::from(entry.certificate.medium.kind == MediumKind::Card);
                revoked += u32::from(state == "revoked");
                held += u32::from(state == "held");
            } else {
                of_leaves.push((entry.certificate.key, state));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((all, card, revoked, held), (2_000, 1_400, 40, 20));
    assert_eq!(of_leaves.len(), 3 * 4, "'unissued' is no certificate of the ledger");
    let book = ledger.book().unwrap().1;
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        let no = book.issuer_named(issuer).unwrap().no;
        for (leaf, state) in [("good", "good"), ("revoked", "revoked"), ("held", "held"), ("expired", "good")] {
            let serial = serial(&demo.join(format!("demo/{issuer}/{leaf}.pem")));
            let found = of_leaves.iter().find(|(key, _)| key.issuer == no && key.serial == serial);
            assert_eq!(found.map(|(_, state)| *state), Some(state), "{issuer}/{leaf}");
        }
        let unissued = serial(&demo.join(format!("demo/{issuer}/unissued.pem")));
        assert!(of_leaves.iter().all(|(key, _)| key.serial != unissued));
    }
}

#[test]
fn a_demonstration_without_signers_is_completed_and_then_nothing_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "0"]);
    up.ready();
    assert!(up.end("TERM").success());
    let config = demo.join("tashika.toml");
    let check = || run(&["config", "check", "--json", "--config", config.to_str().unwrap()]);
    let leaf = fs::read(demo.join("demo/card-auth/good.pem")).unwrap();
    fs::remove_dir_all(demo.join("signers")).unwrap();
    let (code, _, told) = check();
    assert!(code == 7 && told.contains("3 things that it leads to can't be used"), "{told}");

    let mut up = Program::up(&demo, &["--certificates", "0"]);
    up.ready();
    assert!(
        up.said().iter().any(|line| line.ends_with("root, CAs and their certificates completed")),
        "{:?}",
        up.said()
    );
    assert!(up.end("TERM").success());
    let (code, told, errors) = check();
    assert_eq!((code, errors.as_str()), (0, ""), "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    for issuer in ["card-sign", "card-auth", "phone-auth"] {
        assert!(told["signers"][issuer]["until"].is_string(), "{told}");
    }
    assert_eq!(fs::read(demo.join("demo/card-auth/good.pem")).unwrap(), leaf);
}

#[test]
fn a_second_run_goes_on_with_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "130"]);
    let first = up.ready();
    assert!(up.end("TERM").success());
    let contents = |demo: &Path| -> BTreeMap<String, Vec<u8>> {
        // What each run writes anew: how far it came.
        let anew = ["ledger", "checkp", "state/snapshot-", "state/answered-until", "state/validities"];
        let names = files(demo).into_keys().filter(|name| !anew.iter().any(|begins| name.starts_with(begins)));
        names.map(|name| (name.clone(), fs::read(demo.join(name)).unwrap())).collect()
    };
    let before = (contents(&demo), events(&demo));

    let mut up = Program::up(&demo, &["--certificates", "130"]);
    assert_eq!(up.ready().public, first.public, "the certificates lead there");
    assert!(up.end("TERM").success());
    assert_eq!((contents(&demo), events(&demo)), before);

    // More certificates than before are added to those that are there; the first hundreds are not made twice.
    let mut up = Program::up(&demo, &["--certificates", "8130"]);
    up.ready();
    assert!(up.end("TERM").success());
    let ledger = SqliteLedger::open(&demo.join("ledger.db")).unwrap();
    assert_eq!(ledger.head().unwrap().certificates, 12 + 8_130);
    assert_eq!(contents(&demo), before.0);
}

#[test]
fn another_address_than_the_certificates_name_is_not_served_silently() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--public-url", "http://status.example"]);
    up.ready();
    up.end("TERM");
    let before = files(&demo);
    let name = demo.to_str().unwrap();
    let ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let other = [&["up", "--dir", name, "--public-url", "http://other.example"][..], &ports].concat();
    let (code, _, error) = run(&other);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("http://status.example") && error.contains("http://other.example"), "{error}");
    assert!(error.contains("--renew-demo") && error.lines().count() == 1, "{error}");
    assert_eq!(files(&demo), before, "nothing was changed");

    let mut up = Program::start(&[&other[..], &["--renew-demo"]].concat());
    up.ready();
    up.end("TERM");
    let text = fs::read_to_string(demo.join("tashika.toml")).unwrap();
    assert!(text.contains("http://other.example"));
    let aside: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("demo.before-"))
        .collect();
    let [aside] = &aside[..] else { panic!("{aside:?}") };
    assert_eq!(files(&dir.path().join(aside)), before, "the old one is whole");
}

#[test]
fn nobody_else_s_folder_and_no_bad_address_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = dir.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("tashika.toml"), "ledger.url = 'sqlite:real.db'\n").unwrap();
    let new = dir.path().join("new");
    let cases: [(&Path, &[&str], i32, &str); 5] = [
        (&theirs, &[], 1, "--dir"),
        (&new, &["--listen", "0.0.0.0:0"], 2, "--public-url"),
        (&new, &["--public-url", "status.example"], 2, "serve.public_url"),
        (&new, &["--admin", "0.0.0.0:0"], 2, "loopback"),
        (&new, &["--certificates", "99999999999"], 2, "--certificates"),
    ];
    for (folder, arguments, code, says) in cases {
        let mut all = vec!["up", "--dir", folder.to_str().unwrap()];
        for (flag, usual) in [("--listen", "127.0.0.1:0"), ("--admin", "127.0.0.1:0")] {
            if !arguments.contains(&flag) {
                all.extend([flag, usual]);
            }
        }
        all.extend(arguments);
        let (exit, out, error) = run(&all);
        assert_eq!(exit, code, "{arguments:?}: {out}{error}");
        assert!(error.contains(says) && error.lines().count() == 1, "{arguments:?}: {error}");
    }
    assert_eq!(files(&theirs).into_keys().collect::<Vec<_>>(), ["tashika.toml"]);
    assert!(!new.exists(), "nothing is left behind");
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(run(&["up", "--dir", empty.to_str().unwrap(), "--listen", "0.0.0.0:0"]).0, 2);
    assert!(empty.exists() && files(&empty).is_empty(), "an empty folder of somebody's stays, empty");
}

/// Every file below a folder, with its mode. What is published is for everybody, and changes by itself: it is left out.
fn files(folder: &Path) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path == folder.join("crl") {
                assert_eq!(mode(&path), 0o755);
            } else if path.is_dir() {
                assert_eq!(mode(&path), 0o700, "{}", path.display());
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), mode(&path));
            }
        }
    }
    // Beside an open SQLite file, and gone with it.
    found.retain(|name, _| !name.ends_with("-wal") && !name.ends_with("-shm"));
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn events(demo: &Path) -> u64 {
    SqliteLedger::open(&demo.join("ledger.db")).unwrap().head().unwrap().position.0
}

fn serial(path: &Path) -> tashika::model::Serial {
    tashika::asn1::CertificateFields::from_file(&fs::read(path).unwrap()).unwrap().serial
}

#[test]
fn it_says_what_it_has_made_and_what_it_has_found() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let said = |more: &[&str]| {
        let mut up = Program::up(&demo, more);
        up.ready();
        let lines = up.said().to_vec();
        assert!(up.end("TERM").success());
        lines.into_iter().map(|line| line.replace(demo.to_str().unwrap(), "DEMO")).collect::<Vec<_>>()
    };
    let first = said(&["--certificates", "130"]);
    assert_eq!(
        first[..4],
        [
            "DEMO: settings, keys and tokens made",
            "DEMO/demo: root, CAs and their certificates made",
            "DEMO/ledger.db: the ledger made",
            "DEMO/ledger.db: 142 certificates; 130 samples registered just now",
        ]
    );
    // Fewer than there are: what is said is what there is.
    fs::remove_file(demo.join("demo/card-sign/held.pem")).unwrap();
    fs::remove_file(demo.join("demo/card-sign/held.key")).unwrap();
    let broken = said(&["--certificates", "5"]);
    assert_eq!(broken[1], "DEMO/demo: root, CAs and their certificates completed");
    let second = said(&["--certificates", "5"]);
    assert_eq!(second[0], "DEMO: settings, keys and tokens found");
    assert_eq!(second[1], "DEMO/demo: root, CAs and their certificates found");
    assert_eq!(second[2], "DEMO/ledger.db: the ledger found");
    assert!(second[3].ends_with(" certificates, nothing to add"), "{second:?}");
    let third = said(&["--certificates", "5", "--json"]);
    let values: Vec<serde_json::Value> =
        third.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert_eq!(values[2], serde_json::json!({ "part": "the ledger", "was": "found" }));
    assert_eq!(values.last().unwrap()["event"], "ready");
}

#[test]
fn a_lost_ledger_is_not_made_anew_under_the_old_keys() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "5"]);
    up.ready();
    up.end("TERM");
    for name in ["ledger.db", "checkpoints.txt"] {
        fs::remove_file(demo.join(name)).unwrap();
    }
    let before = files(&demo);
    let again = ["up", "--dir", demo.to_str().unwrap(), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let (code, out, error) = run(&again);
    assert_eq!((code, out.as_str()), (7, ""), "{error}");
    assert!(error.contains("pseudonym.fingerprint: it speaks of a ledger that is missing"), "{error}");
    assert!(error.contains("ledger restore") && error.contains("--renew-demo"), "{error}");
    assert_eq!(files(&demo), before);
}

#[test]
fn another_pseudonym_key_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "5"]);
    up.ready();
    up.end("TERM");
    fs::write(demo.join("pseudonym.key"), format!("{}\n", "ab".repeat(32))).unwrap();
    let before = events(&demo);
    let again = ["up", "--dir", demo.to_str().unwrap(), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let (code, _, error) = run(&again);
    assert!(code == 7 && error.contains("is not the key that made the names"), "{error}");
    assert_eq!(events(&demo), before);
}
