//! One installation with four CAs and a certificate in every state, and one `tashika serve` for all tests of this crate.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The running responder and what stands behind it.
pub struct House {
    dir: PathBuf,
    /// Where relying parties ask, as `host:port`.
    pub address: String,
    /// When a certificate was revoked or held, by CA and leaf.
    times: BTreeMap<(&'static str, Leaf), String>,
    /// Closed when the tests end, however they end; the responder then ends, too.
    _alive: ChildStdin,
}

/// The CAs: for signing and for logging in, cards and phones, each algorithm.
pub const CAS: [&str; 4] = ["card-sign-g2-p256", "card-auth-p384", "card-sign-g1-rsa2048", "phone-auth-p256"];

/// A certificate of each CA, named by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leaf {
    Expired,
    Good,
    Held,
    Released,
    /// For keyCompromise; its serial has 20 octets and its top bit set.
    Revoked,
    /// Its serial is in no ledger.
    Unissued,
    /// Revoked, and no reason is known.
    Unspecified,
}

/// What an answer must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Good,
    Held,
    /// With that reason, if one is known.
    Revoked(Option<Reason>),
    Unknown,
}

/// A reason of RFC 5280, 5.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    KeyCompromise,
}

impl Leaf {
    pub const ALL: [Leaf; 7] =
        [Leaf::Expired, Leaf::Good, Leaf::Held, Leaf::Released, Leaf::Revoked, Leaf::Unissued, Leaf::Unspecified];

    fn file(self) -> &'static str {
        match self {
            Leaf::Expired => "leaf-expired.pem",
            Leaf::Good => "leaf-good.pem",
            Leaf::Held => "leaf-serial-of-1-octet-top-bit.pem",
            Leaf::Released => "leaf-without-combined-point.pem",
            Leaf::Revoked => "leaf-serial-of-20-octets-top-bit.pem",
            Leaf::Unissued => "leaf-without-points.pem",
            Leaf::Unspecified => "leaf-without-end.pem",
        }
    }

    /// What the responder must say of it. That a certificate has ended is the certificate's to say.
    pub fn said(self) -> Said {
        match self {
            Leaf::Expired | Leaf::Good | Leaf::Released => Said::Good,
            Leaf::Held => Said::Held,
            Leaf::Revoked => Said::Revoked(Some(Reason::KeyCompromise)),
            Leaf::Unissued => Said::Unknown,
            Leaf::Unspecified => Said::Revoked(None),
        }
    }

    /// Its PEM file.
    pub fn path(self, ca: &str) -> String {
        data(&format!("{ca}/{}", self.file()))
    }
}

impl House {
    /// The one for all tests, made by whoever comes first.
    pub fn open() -> &'static House {
        static HOUSE: OnceLock<House> = OnceLock::new();
        HOUSE.get_or_init(Self::build)
    }

    /// Where anybody asks.
    pub fn url(&self) -> String {
        format!("http://{}/ocsp", self.address)
    }

    /// When that certificate was revoked or held, in RFC 3339.
    pub fn time(&self, ca: &'static str, leaf: Leaf) -> &str {
        &self.times[&(ca, leaf)]
    }

    /// Runs a command on the ledger, beside the serving process.
    pub fn command(&self, arguments: &[&str]) -> Value {
        command(&self.dir, arguments)
    }

    fn build() -> Self {
        let dir = tempfile::tempdir().unwrap().keep();
        let times = furnish(&dir);
        let (address, alive) = serve(&dir);
        Self { dir, address, times, _alive: alive }
    }
}

/// An installation with the CAs and a certificate in every state; says since when each is so that isn't good.
pub fn furnish(dir: &Path) -> BTreeMap<(&'static str, Leaf), String> {
    run(dir, &["init", "--dir", "."]);
    let config = dir.join("tashika.toml");
    let text = fs::read_to_string(&config).unwrap();
    // Of cards, too, so that each CA has a certificate that was held and is good again.
    let releasable = r#"desk.releasable = ["CARD/AUTH", "CARD/SIGN"]"#;
    let party =
        "[[party]]\nname = \"bank\"\nservices = [\"login\"]\naddresses = [\"127.0.0.0/8\"]\naccredited = true\n";
    fs::write(&config, format!("{releasable}\n{text}\n{party}")).unwrap();
    let mut times = BTreeMap::new();
    for ca in CAS {
        bring(dir, ca);
        for leaf in [Leaf::Held, Leaf::Released, Leaf::Revoked, Leaf::Unspecified] {
            times.insert((ca, leaf), end(dir, ca, leaf));
        }
    }
    let [_, (ca, path)] = of_generations();
    let (by, serial) = (format!("ca:{ca}/hsm"), serial(&path));
    run(dir, &["cert", "revoke", "--issuer", ca, "--serial", &serial, "--as", &by]);
    times
}

/// A file of the test data.
pub fn data(name: &str) -> String {
    format!("{}/certs-testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The certificate of a CA.
pub fn issuer(ca: &str) -> String {
    data(&format!("{ca}/issuer.pem"))
}

/// A certificate that one test holds and releases, so that no other may speak of it.
pub fn of_nginx() -> (&'static str, String) {
    ("card-sign-g2-p256", data("card-sign-g2-p256/leaf-of-another-municipality.pem"))
}

/// A certificate that one test revokes.
pub fn of_openssl() -> (&'static str, String) {
    ("card-auth-p384", data("card-auth-p384/leaf-of-another-municipality.pem"))
}

/// Two certificates with one serial and one issuer's name, of two key generations: the first is good, the second revoked.
pub fn of_generations() -> [(&'static str, String); 2] {
    ["card-sign-g2-p256", "card-sign-g1-rsa2048"]
        .map(|ca| (ca, data(&format!("{ca}/leaf-serial-in-every-generation.pem"))))
}

/// The serial number in a certificate's file.
pub fn serial(pem: &str) -> String {
    let der = tashika::asn1::certificates_in(&fs::read(pem).unwrap()).unwrap().remove(0);
    let serial = tashika::asn1::CertificateFields::from_der(&der).unwrap().serial;
    serial.as_octets().iter().map(|octet| format!("{octet:02X}")).collect()
}

/// The CA with its signer and its certificates.
fn bring(dir: &Path, ca: &str) {
    let key = dir.join(format!("{ca}.key"));
    fs::copy(data(&format!("{ca}/ocsp.key")), &key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let (cert, signer) = (issuer(ca), data(&format!("{ca}/ocsp-good.pem")));
    let add = ["issuer", "add", "--name", ca, "--cert", &cert, "--ocsp-cert", &signer, "--ocsp-key"];
    run(dir, &[&add[..], &[key.to_str().unwrap()]].concat());
    let issued = Leaf::ALL.into_iter().filter(|leaf| *leaf != Leaf::Unissued).map(|leaf| leaf.path(ca));
    let kept = [of_nginx(), of_openssl()]
        .into_iter()
        .chain(of_generations())
        .filter(|(of, _)| *of == ca)
        .map(|(_, path)| path);
    let pem: Vec<u8> = issued.chain(kept).flat_map(|path| fs::read(path).unwrap()).collect();
    let file = dir.join(format!("{ca}.pem"));
    fs::write(&file, pem).unwrap();
    run(dir, &["import", "certificates", "--issuer", ca, file.to_str().unwrap()]);
}

/// Brings a certificate into its state; says since when it is so.
fn end(dir: &Path, ca: &str, leaf: Leaf) -> String {
    let (serial, by_ca) = (serial(&leaf.path(ca)), format!("ca:{ca}/hsm"));
    let of = |verb| ["cert", verb, "--issuer", ca, "--serial", &serial];
    match leaf {
        Leaf::Expired | Leaf::Good | Leaf::Unissued => {}
        Leaf::Held | Leaf::Released => {
            run(dir, &[&of("hold")[..], &["--as", "window/a"]].concat());
        }
        Leaf::Revoked => {
            run(dir, &[&of("revoke")[..], &["--reason", "keyCompromise", "--as", &by_ca]].concat());
        }
        Leaf::Unspecified => run(dir, &[&of("revoke")[..], &["--as", &by_ca]].concat()),
    }
    let shown = command(dir, &of("show"));
    let hold = &shown["holds"][0];
    if leaf == Leaf::Released {
        let id = hold["id"].as_str().unwrap();
        run(dir, &[&of("release")[..], &["--hold", id, "--as", "window/a"]].concat());
    }
    let time = shown["revocation"]["at"].as_str().or(hold["since"].as_str());
    time.unwrap_or_else(|| panic!("no time in {shown}")).to_owned()
}

/// Runs a command on the ledger in that folder.
pub fn command(dir: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&run_for(dir, &[arguments, &["--json"]].concat())).unwrap()
}

fn run(dir: &Path, arguments: &[&str]) {
    run_for(dir, arguments);
}

fn run_for(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(PROGRAM).current_dir(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Starts it, and waits until it is ready. Nothing drops what lives as long as the test process: a shell waits for that
/// to end, ends the responder and removes the folder.
fn serve(dir: &Path) -> (String, ChildStdin) {
    let watched = r#""$@" & read -r _; kill -KILL $!; wait; cd /; rm -rf "$OLDPWD""#;
    let mut shell = Command::new("sh")
        .args(["-c", watched, "sh", PROGRAM, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let alive = shell.stdin.take().unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.find(|line| line.starts_with("ready")).expect("it gets ready");
    // What else it says is read, so that it never waits for a reader.
    std::thread::spawn(move || {
        lines.for_each(drop);
        shell.wait()
    });
    let address = ready.split_whitespace().find_map(|word| word.strip_prefix("http://")).unwrap();
    (address.to_owned(), alive)
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_tashika");
