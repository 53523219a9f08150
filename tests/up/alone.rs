//! `serve` while the ledger is away from the first moment: it answers from its snapshot, as old as that is, or not at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use tashika::model::Time;

use crate::postgres::Cluster;
use crate::program::{Program, readiness, run, until};

const CA: &str = "card-sign-g2-p256";
const GOOD: &str = "leaf-good";
const REVOKED: &str = "leaf-of-another-municipality";
const UNISSUED: &str = "leaf-without-points";

/// An installation on a database that can be taken away.
struct House {
    cluster: Cluster,
    database: String,
    config: PathBuf,
    _dir: tempfile::TempDir,
}

/// What openssl makes of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Is { word: String, this_update: Time },
    TryLater,
}

impl House {
    /// With a CA, two of its certificates in the ledger, one of them revoked, and more settings of `[ocsp]`.
    fn new(settings: &str) -> Self {
        let (cluster, dir) = (Cluster::start(&[]), tempfile::tempdir().unwrap());
        let (url, database) = cluster.new_database();
        let folder = dir.path().join("installation");
        let (code, out, error) = run(&["init", "--dir", folder.to_str().unwrap(), "--ledger", &url]);
        assert_eq!(code, 0, "{out}{error}");
        let config = folder.join("tashika.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("{settings}\n{text}")).unwrap();
        let house = Self { cluster, database, config, _dir: dir };
        let key = folder.join("ocsp.key");
        fs::copy(data("ocsp.key"), &key).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let (key, signer) = (key.to_str().unwrap(), data("ocsp-good.pem"));
        house.run(&[
            "issuer",
            "add",
            "--name",
            CA,
            "--cert",
            &data("issuer.pem"),
            "--ocsp-cert",
            &signer,
            "--ocsp-key",
            key,
        ]);
        for leaf in [GOOD, REVOKED] {
            house.run(&["import", "certificates", "--issuer", CA, &data(&format!("{leaf}.pem"))]);
        }
        house.revoke(REVOKED);
        house
    }

    fn run(&self, arguments: &[&str]) {
        let (code, out, error) = run(&[arguments, &["--config", self.config.to_str().unwrap()]].concat());
        assert_eq!(code, 0, "{arguments:?}: {out}{error}");
    }

    fn revoke(&self, leaf: &str) {
        let der = tashika::asn1::certificates_in(&fs::read(data(&format!("{leaf}.pem"))).unwrap()).unwrap().remove(0);
        let serial = tashika::asn1::CertificateFields::from_der(&der).unwrap().serial.to_string();
        self.run(&["cert", "revoke", "--issuer", CA, "--serial", &serial, "--as", &format!("ca:{CA}/hsm")]);
    }

    /// Has been served until everything in it was answered, and is without its ledger now; says since when.
    fn bereft(&self) -> Time {
        let mut serve = Program::serve(&self.config, &[]);
        let at = serve.ready();
        for (leaf, word) in [(GOOD, "good"), (REVOKED, "revoked")] {
            until("it is answered", || said(&at.public, leaf, &[]).is(word));
        }
        self.cluster.kill();
        let away = now();
        // It knows that before it ends.
        until("it is told", || !kinds(&at.admin).is_empty());
        assert!(serve.end("TERM").success());
        away
    }
}

impl Said {
    fn is(&self, expected: &str) -> bool {
        matches!(self, Said::Is { word, .. } if word == expected)
    }

    fn this_update(&self) -> Time {
        let Said::Is { this_update, .. } = self else { panic!("{self:?}") };
        *this_update
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Time::from_unix(since.as_secs() as i64).unwrap()
}

fn data(name: &str) -> String {
    format!("{}/certs-testdata/{CA}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What the public listener says of a certificate, asked without a nonce unless that is among `how`.
fn said(public: &str, leaf: &str, how: &[&str]) -> Said {
    let how = if how.is_empty() { &["-no_nonce"][..] } else { how };
    let leaf = data(&format!("{leaf}.pem"));
    let output = Command::new("openssl")
        .env("OPENSSL_CONF", "/dev/null")
        .args(["ocsp", "-url", &format!("http://{public}/ocsp"), "-noverify", "-issuer", &data("issuer.pem")])
        .args(how)
        .args(["-cert", &leaf])
        .output()
        .expect("the openssl command line is missing: `cargo xtask setup` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if text.contains("trylater") {
        return Said::TryLater;
    }
    let after = |begins: &str| {
        let found = text.lines().find_map(|line| line.trim().strip_prefix(begins));
        found.unwrap_or_else(|| panic!("no '{begins}' in {text}")).trim().to_owned()
    };
    Said::Is { word: after(&format!("{leaf}:")), this_update: time(&after("This Update:")) }
}

/// As openssl prints it: `Nov 20 20:11:59 2026 GMT`.
fn time(text: &str) -> Time {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<_> = text.split_whitespace().collect();
    let [month, day, clock, year, "GMT"] = words[..] else { panic!("{text}") };
    let month = MONTHS.iter().position(|known| *known == month).unwrap() + 1;
    format!("{year}-{month:02}-{day:0>2}T{clock}Z").parse().unwrap()
}

/// What keeps it from being ready.
fn kinds(admin: &str) -> Vec<String> {
    let (_, body) = readiness(admin);
    let obstacles = body["obstacles"].as_array().cloned().unwrap_or_default();
    obstacles.iter().map(|obstacle| obstacle["kind"].as_str().unwrap().to_owned()).collect()
}

fn has(admin: &str, kind: &str) -> bool {
    kinds(admin).iter().any(|known| known == kind)
}

#[test]
fn a_young_snapshot_answers_as_of_when_it_was_true_and_joins_the_ledger_when_it_is_back() {
    let house = House::new("");
    let away = house.bereft();
    let mut serve = Program::serve(&house.config, &[]);
    let at = serve.addresses("listening ");
    until("it answers without its ledger", || said(&at.public, GOOD, &[]).is("good"));
    // What was kept, what is signed now, and in another form: all as of when the ledger last said that it is so.
    for how in [&[][..], &["-nonce"], &["-no_nonce", "-sha256"]] {
        for (leaf, word) in [(GOOD, "good"), (REVOKED, "revoked")] {
            let said = said(&at.public, leaf, how);
            assert!(said.is(word) && said.this_update() <= away, "{said:?} {how:?}, away since {away}");
        }
    }
    assert_eq!(said(&at.public, UNISSUED, &[]), Said::TryLater, "whether it was issued a moment ago, nobody can say");
    assert!(has(&at.admin, "ledger-unreachable"));
    assert!(!has(&at.admin, "answers-too-old") && !has(&at.admin, "reading"), "{:?}", kinds(&at.admin));
    house.cluster.restart();
    assert_eq!(serve.ready(), at);
    until("it answers afresh", || said(&at.public, GOOD, &["-nonce"]).this_update() > away);
    assert!(said(&at.public, UNISSUED, &[]).is("unknown"));
    house.revoke(GOOD);
    until("what happens from now on is answered", || said(&at.public, GOOD, &[]).is("revoked"));
    assert!(serve.end("TERM").success());
}

#[test]
fn an_old_snapshot_answers_nobody_until_the_ledger_is_back() {
    let house = House::new("ocsp.answer_until_seconds = 2\nocsp.fresh_for_seconds = 2");
    house.bereft();
    let mut serve = Program::serve(&house.config, &[]);
    let at = serve.addresses("listening ");
    until("it is too old", || has(&at.admin, "answers-too-old"));
    for how in [&[][..], &["-nonce"]] {
        for leaf in [GOOD, REVOKED, UNISSUED] {
            assert_eq!(said(&at.public, leaf, how), Said::TryLater, "{leaf} {how:?}");
        }
    }
    assert!(has(&at.admin, "ledger-unreachable"));
    house.cluster.restart();
    assert_eq!(serve.ready(), at);
    until("it answers again", || said(&at.public, GOOD, &[]).is("good"));
    assert!(serve.end("TERM").success());
}

/// A process that is killed has said more than its last snapshot knows: what it called revoked might be good there.
#[test]
fn a_snapshot_from_before_the_last_answers_answers_nobody() {
    let house = House::new("");
    let away = house.bereft();
    let mark = house.config.with_file_name("state").join("answered-until");
    let later = Time::from_unix(away.unix() + 1).unwrap();
    fs::write(&mark, format!("{later}\n")).unwrap();
    let mut serve = Program::serve(&house.config, &[]);
    let at = serve.addresses("listening ");
    until("it says why", || has(&at.admin, "mark-failing"));
    for leaf in [GOOD, REVOKED] {
        assert_eq!(said(&at.public, leaf, &[]), Said::TryLater);
    }
    house.cluster.restart();
    assert_eq!(serve.ready(), at);
    until("it answers again", || said(&at.public, GOOD, &[]).is("good"));
    assert!(said(&at.public, GOOD, &["-nonce"]).this_update() >= later);
    assert!(serve.end("TERM").success());
}

/// Whoever brings a database back from a backup brings another history: what the snapshot knows isn't forgotten for it.
#[test]
fn a_ledger_that_comes_back_as_another_freezes_it() {
    let house = House::new("");
    let sql = |sql: &str| house.cluster.must("postgres", "postgres", sql);
    sql(&format!("CREATE DATABASE backup TEMPLATE {}", house.database));
    house.revoke(GOOD);
    let mut serve = Program::serve(&house.config, &[]);
    let at = serve.ready();
    until("it is answered", || said(&at.public, GOOD, &[]).is("revoked"));
    assert!(serve.end("TERM").success());
    sql(&format!("DROP DATABASE {}", house.database));
    sql(&format!("ALTER DATABASE backup RENAME TO {}", house.database));
    house.cluster.kill();
    let mut serve = Program::serve(&house.config, &[]);
    let at = serve.addresses("listening ");
    until("it answers without its ledger", || said(&at.public, GOOD, &[]).is("revoked"));
    house.cluster.restart();
    until("it freezes", || has(&at.admin, "answers-frozen"));
    for how in [&[][..], &["-nonce"]] {
        assert!(!said(&at.public, GOOD, how).is("good"), "what was revoked stays so, whatever the ledger says now");
    }
    assert!(serve.end("TERM").success());
}
