//! An installation as an operator makes it, by the program's own commands, and the program that serves it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tashika::asn1::{CertificateFields, certificates_in};
use tashika::desk::{Desk, Task};
use tashika::ledger::{Ledger, Upkeep};
use tashika::model::{Actor, Certificate, Channel, HolderId, IssuerNo, MediumId, PersonId, Policy, Role};

use crate::load::generator;
use crate::served::{certificate, time};

/// A folder with an installation; gone with this.
pub struct House {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// A process that is killed when this goes.
pub struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl House {
    /// Makes one with its ledger there: one issuer with its signer, and one real certificate to ask for.
    pub fn on(ledger: &str) -> Self {
        let built = Command::new("cargo").args(["build", "--release", "--bin", "tashika"]).status().expect("cargo");
        assert!(built.success(), "the program can't be built");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/tashika");
        let house = Self { folder: tempfile::tempdir().expect("a temporary folder"), program };
        house.run(&["init", "--dir", &text(&house.path()), "--ledger", ledger]);
        house.configure(|text| format!("desk.budget_floor = 1000000000\n{text}"));
        // The test data's keys are public, and so are their files; a key's own file may not be.
        let key = house.folder.path().join("ocsp.key");
        std::fs::copy(testdata("ocsp.key"), &key).expect("a copy");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("its own file");
        let [ca, signer] = ["issuer.pem", "ocsp-good.pem"].map(|name| text(&testdata(name)));
        let config = house.config();
        let named = ["issuer", "add", "--config", &config, "--name", "measured", "--cert", &ca];
        house.run(&[&named[..], &["--ocsp-cert", &signer, "--ocsp-key", &text(&key)]].concat());
        let good = text(&testdata("leaf-good.pem"));
        house.run(&["import", "certificates", "--config", &config, "--issuer", "measured", &good]);
        house
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("house")
    }

    /// Changes its configuration.
    pub fn configure(&self, change: impl FnOnce(&str) -> String) {
        let file = self.path().join("tashika.toml");
        let text = std::fs::read_to_string(&file).expect("its configuration");
        std::fs::write(file, change(&text)).expect("its configuration");
    }

    /// Serves it, and waits until it is ready.
    pub fn serve(&self) -> Killed {
        let mut child = Command::new(&self.program)
            .args(["serve", "--config", &self.config(), "--listen", ADDRESS, "--admin", "127.0.0.1:7087"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.starts_with("ready")), "it isn't ready");
        Killed(child)
    }

    /// Others' questions, about half of what the machine can carry with its generator on it.
    pub fn others(&self, seconds: u64) -> Killed {
        let [ca, good] = ["issuer.pem", "leaf-good.pem"].map(|name| text(&testdata(name)));
        let child = Command::new(generator())
            .args(["run", "--url", &format!("http://{ADDRESS}/ocsp"), "--issuer", &ca, "--cert", &good])
            .args(["--rate", "20000", "--connections", "32", "--verify", "none"])
            .args(["--duration", &format!("{seconds}s")])
            .stdout(Stdio::null())
            .spawn();
        std::thread::sleep(Duration::from_secs(1));
        Killed(child.expect("the load generator"))
    }

    fn config(&self) -> String {
        text(&self.path().join("tashika.toml"))
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new(&self.program).args(arguments).output().expect("the program");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Registers so many certificates, each with a holder and a card of its own.
pub fn furnish(ledger: &Arc<dyn Ledger>, count: u64) {
    let mut desk = Desk::new(ledger.clone(), Policy::default());
    for first in (1..=count).step_by(CHUNK) {
        let last = count.min(first + CHUNK as u64 - 1);
        let certificates = (first..=last).map(of_its_own).collect();
        desk.one(&Task::Register { actor: ca(), certificates }, time()).expect("new certificates");
        while ledger.upkeep().expect("upkeep") == Upkeep::More {}
    }
}

/// The CA's certificate.
pub fn issuer() -> CertificateFields {
    let pem = std::fs::read(testdata("issuer.pem")).expect("test data");
    CertificateFields::from_der(&certificates_in(&pem).expect("a certificate")[0]).expect("a certificate")
}

/// The CA that registers.
pub fn ca() -> Actor {
    Actor { role: Role::Ca(IssuerNo(1)), person: PersonId([9; 16]), channel: Channel::Api }
}

fn of_its_own(number: u64) -> Certificate {
    let mut certificate = certificate(number);
    let name = u128::from(number).to_be_bytes();
    (certificate.holder, certificate.medium.id) = (HolderId(name), MediumId(name));
    certificate
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata/card-sign-g2-p256").join(name)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Where it answers.
pub const ADDRESS: &str = "127.0.0.1:7086";
const CHUNK: usize = 20_000;
