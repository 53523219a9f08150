//! The openssl command line, called by the tests beside this file.

use std::process::{Command, Stdio};

/// The program, known to be there.
pub struct Openssl;

/// What a call came to.
#[derive(Debug)]
pub struct Call {
    /// Whether it ended with 0.
    pub success: bool,
    /// Everything it printed, errors first.
    pub text: String,
}

impl Openssl {
    /// Fails the test where openssl is missing: a skipped witness would look like an agreeing one.
    pub fn find() -> Self {
        let version = Command::new("openssl").arg("version").stdin(Stdio::null()).output();
        match version {
            Ok(version) if version.status.success() => Self,
            other => panic!("the openssl command line is missing: `cargo xtask setup` installs it ({other:?})"),
        }
    }

    /// Calls it and keeps what it printed.
    pub fn run<const N: usize>(&self, arguments: [&str; N]) -> Call {
        self.run_all(&arguments)
    }

    /// Calls it; it must succeed.
    pub fn output<const N: usize>(&self, arguments: [&str; N]) -> Vec<u8> {
        let output = command(&arguments).output().expect("openssl starts");
        assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Verifies `certificate`, trusting `root` and knowing `issuer`.
    pub fn verify(&self, root: &str, issuer: &str, certificate: &str) -> Call {
        self.run(["verify", "-x509_strict", "-CAfile", root, "-untrusted", issuer, certificate])
    }

    /// Verifies as if that many seconds had passed since 1970.
    pub fn verify_at(&self, at: u64, root: &str, issuer: &str, certificate: &str) -> Call {
        let at = at.to_string();
        self.run(["verify", "-x509_strict", "-attime", &at, "-CAfile", root, "-untrusted", issuer, certificate])
    }

    /// Calls it and keeps what it printed.
    pub fn run_all(&self, arguments: &[&str]) -> Call {
        let output = command(arguments).output().expect("openssl starts");
        let text = [output.stderr, output.stdout].concat();
        Call { success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
    }
}

/// Without the settings of whoever runs the tests.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::null()).env_remove("OPENSSL_CONF").env("LC_ALL", "C").env("TZ", "UTC");
    command
}
