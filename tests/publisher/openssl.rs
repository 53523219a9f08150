//! The openssl command line, called by the tests beside this file. Where it is missing they fail; they never skip.

use std::process::{Command, Stdio};

/// What a call came to.
#[derive(Debug)]
pub struct Call {
    pub success: bool,
    /// Everything it printed, errors first.
    pub text: String,
}

/// Calls it, without the settings of whoever runs the tests.
pub fn openssl(arguments: &[&str]) -> Call {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::null()).env_remove("OPENSSL_CONF").env("LC_ALL", "C").env("TZ", "UTC");
    let output = command.output().expect("the openssl command line: `cargo xtask setup` installs it");
    let text = [output.stderr, output.stdout].concat();
    Call { success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
}
