//! An installation in a folder of its own, and the binary run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tashika::app::clock;
use tashika::ledger::sqlite::SqliteLedger;
use tashika::ledger::{Head, Ledger as _};
use tashika::model::{Seconds, Time};

/// A folder with an installation; gone when the test ends.
pub struct Installation {
    dir: tempfile::TempDir,
}

/// What a run of the binary left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Installation {
    /// As `init` leaves it.
    pub fn new() -> Self {
        Self::on("sqlite:ledger.db")
    }

    /// As `init` leaves it, with its ledger elsewhere.
    pub fn on(ledger: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = run_in(dir.path(), &["init", "--dir", "house", "--ledger", ledger]);
        assert_eq!(made.code, 0, "{made:?}");
        Self { dir }
    }

    /// With an issuer `phone-auth` and two phone certificates: 0A01 of mno-1, 0A02 of mno-2 and chip batch 7.
    pub fn with_phones() -> Self {
        let house = Self::new();
        house.add_phones();
        house
    }

    /// Adds these.
    pub fn add_phones(&self) {
        let issuer = testdata("phone-auth-p256/issuer.pem");
        self.ok(&["issuer", "add", "--name", "phone-auth", "--cert", &issuer]);
        self.write("phones.ndjson", PHONES);
        self.ok(&["import", "certificates", "--issuer", "phone-auth", "phones.ndjson"]);
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("house")
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, contents: &str) {
        fs::write(self.path().join(name), contents).unwrap();
    }

    /// Adds a line to its configuration.
    pub fn configure(&self, line: &str) {
        let file = self.path().join("tashika.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{line}\n{text}")).unwrap();
    }

    /// Runs the binary in it.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run_in(&self.path(), arguments)
    }

    /// Runs it, and it must go well.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        assert_eq!(ran.stderr, "", "{arguments:?}");
        ran.stdout
    }

    /// The JSON of a run that must go well.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Runs it, and it must be refused: with that code, in one line that says this, and without a change.
    pub fn refused(&self, arguments: &[&str], code: i32, says: &str) {
        let before = self.head();
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("tashika: ") && last.contains(says), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.ends_with('\n'));
        assert_eq!(self.head(), before, "{arguments:?} changed something");
    }

    /// As [`refused`](Self::refused), with nothing on stderr but that line.
    pub fn refused_in_one_line(&self, arguments: &[&str], code: i32, says: &str) {
        self.refused(arguments, code, says);
        assert_eq!(self.run(arguments).stderr.lines().count(), 1);
    }

    /// Where its ledger stands.
    pub fn head(&self) -> Head {
        SqliteLedger::open(&self.path().join("ledger.db")).unwrap().head().unwrap()
    }

    /// The status of one of its phone certificates.
    pub fn status(&self, serial: &str) -> String {
        let shown = self.json(&["cert", "show", "--issuer", "phone-auth", "--serial", serial]);
        shown["status"].as_str().unwrap().to_owned()
    }
}

/// Runs the binary somewhere.
pub fn run_in(dir: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tashika")).current_dir(dir).args(arguments).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of the test data.
pub fn testdata(name: &str) -> String {
    format!("{}/certs-testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What differs from run to run, replaced: times of the present, and names of 32 digits.
pub fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let time = rest.get(..20).filter(|time| is_present_time(time));
        let name = rest.get(..32).filter(|name| name.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')));
        let (shown, length) = match (time, name) {
            (Some(_), _) => ("TIME----------------", 20),
            (_, Some(_)) => ("NAME----------------------------", 32),
            _ => (&rest[..first.len_utf8()], first.len_utf8()),
        };
        steady.push_str(shown);
        rest = &rest[length..];
    }
    steady
}

/// A time that the run itself took from the clock, or counted from it: not one that a test states.
fn is_present_time(text: &str) -> bool {
    let now = clock::now();
    text.parse::<Time>().is_ok_and(|time| (now - Seconds::days(1)..now + Seconds::days(60)).contains(&time))
}

const PHONES: &str = r#"{"serial":"0A01","not_before":"2026-01-01T00:00:00Z","not_after":"2036-01-01T00:00:00Z","type":"AUTH","medium":{"kind":"SIM","id":"sim-1"},"holder":"h-1","operator":"mno-1","sim":"8981","applet":"a-1"}
{"serial":"0A02","not_before":"2026-01-01T00:00:00Z","not_after":"2036-01-01T00:00:00Z","type":"AUTH","medium":{"kind":"SIM","id":"sim-2"},"holder":"h-2","operator":"mno-2","sim":"8982","applet":"a-2","batch":7}
"#;
