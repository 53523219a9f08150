//! `up` answers OCSP: the demonstration's own certificates, asked for by openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Program, run, until};

/// What openssl is told of each of a CA's five certificates.
const LEAVES: [(&str, &str); 5] =
    [("good", "good"), ("revoked", "revoked"), ("held", "revoked"), ("unissued", "unknown"), ("expired", "good")];
const ISSUERS: [&str; 3] = ["card-auth", "card-sign", "phone-auth"];

struct Asker {
    demo: PathBuf,
    url: String,
}

impl Asker {
    fn new(demo: &Path, public: &str) -> Self {
        Self { demo: demo.join("demo"), url: format!("http://{public}/ocsp") }
    }

    fn file(&self, issuer: &str, name: &str) -> String {
        self.demo.join(issuer).join(format!("{name}.pem")).to_str().unwrap().to_owned()
    }

    /// `openssl ocsp` for these certificates of an issuer, in one request; everything that it prints.
    fn ask(&self, issuer: &str, leaves: &[&str], how: &[&str]) -> String {
        // It knows the CA from the same file as the root: what it must find out is who signed, and for whom.
        let (root, ca) = (self.demo.join("root.pem"), self.file(issuer, "issuer"));
        let trusted = self.demo.join(format!("{issuer}-chain.pem"));
        let chain = std::fs::read_to_string(root).unwrap() + &std::fs::read_to_string(&ca).unwrap();
        std::fs::write(&trusted, chain).unwrap();
        let mut command = Command::new("openssl");
        command.env("OPENSSL_CONF", "/dev/null").args(["ocsp", "-url", &self.url, "-issuer", &ca]);
        command.arg("-CAfile").arg(trusted).args(how);
        command.args(leaves.iter().flat_map(|leaf| ["-cert".to_owned(), self.file(issuer, leaf)]));
        let output = command.output().expect("the openssl command line is missing: `cargo xtask setup` installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("Response verify OK"), "{issuer} {leaves:?} {how:?}: {text}");
        text
    }

    /// The word that it has for one of them.
    fn word(&self, text: &str, issuer: &str, leaf: &str) -> String {
        let begins = format!("{}: ", self.file(issuer, leaf));
        text.lines()
            .find_map(|line| line.strip_prefix(&begins))
            .unwrap_or_else(|| panic!("{begins} in {text}"))
            .to_owned()
    }
}

#[test]
fn openssl_is_told_what_is_so_of_every_certificate_in_every_form() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "100"]);
    let at = up.ready();
    let asker = Asker::new(&demo, &at.public);
    for issuer in ISSUERS {
        for how in [&["-no_nonce"][..], &[], &["-no_nonce", "-sha256"], &["-sha256"], &["-no_nonce", "-sha1"]] {
            for (leaf, word) in LEAVES {
                let text = asker.ask(issuer, &[leaf], how);
                assert_eq!(asker.word(&text, issuer, leaf), word, "{issuer} {how:?}");
                assert!(!text.contains("WARNING: no nonce"), "{text}");
                assert_eq!(text.contains("Reason: certificateHold"), leaf == "held", "{text}");
            }
            let all: Vec<_> = LEAVES.iter().map(|(leaf, _)| *leaf).collect();
            let text = asker.ask(issuer, &all, how);
            for (leaf, word) in LEAVES {
                assert_eq!(asker.word(&text, issuer, leaf), word, "{issuer} {how:?}: all at once");
            }
        }
    }
    assert!(up.end("TERM").success());
}

#[test]
fn what_the_command_line_revokes_is_in_the_next_answers() {
    let dir = tempfile::tempdir().unwrap();
    let demo = dir.path().join("demo");
    let mut up = Program::up(&demo, &["--certificates", "0"]);
    let at = up.ready();
    let asker = Asker::new(&demo, &at.public);
    let config = demo.join("tashika.toml");
    let (issuer, leaf) = ("card-sign", "good");
    let say = |how: &[&str]| asker.ask(issuer, &[leaf], how);
    let is = |how: &[&str], word: &str| asker.word(&say(how), issuer, leaf) == word;
    let forms: [&[&str]; 3] = [&["-no_nonce"], &["-no_nonce", "-sha256"], &[]];
    assert!(forms.iter().all(|how| is(how, "good")));
    let serial = Command::new("openssl").args(["x509", "-noout", "-serial", "-in", &asker.file(issuer, leaf)]).output();
    let serial = String::from_utf8(serial.unwrap().stdout).unwrap();
    let serial = serial.trim().strip_prefix("serial=").unwrap();
    let (code, out, error) = run(&[
        "cert",
        "revoke",
        "--config",
        config.to_str().unwrap(),
        "--issuer",
        issuer,
        "--serial",
        serial,
        "--reason",
        "keyCompromise",
    ]);
    assert_eq!(code, 0, "{out}{error}");
    // The event is in the ledger; this program reads it within moments.
    until("the revocation is answered", || is(forms[0], "revoked"));
    for how in forms {
        let text = say(how);
        assert!(
            text.contains("revoked") && text.contains("Reason: keyCompromise"),
            "{how:?}: never good again: {text}"
        );
    }
    assert!(up.end("TERM").success());
}
