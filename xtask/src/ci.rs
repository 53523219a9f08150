//! `cargo xtask ci`, the gate: what `.ci/run` runs is what a contributor runs.

use std::process::Command;

use crate::failure::Failure;
use crate::step::{self, cargo};

/// Every step in turn, the quick ones first; the first failure stops.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    if let Some(extra) = arguments.first() {
        return Err(Failure::Usage(format!("`ci` takes no argument, not `{extra}`")));
    }
    components()?;
    step::run("format", &mut cargo(["fmt", "--all", "--check"]))?;
    dependencies()?;
    step::run("lints", &mut cargo(LINTS))?;
    step::run("docs", cargo(DOCS).env("RUSTDOCFLAGS", "-D warnings"))?;
    step::run("the README's test command", &mut cargo(["xtask", "test"]))?;
    eprintln!("==> the gate is open: every step passed");
    Ok(())
}

/// Licences, duplicate versions and sources of all dependencies, against `deny.toml`.
///
/// The crates are fetched first, and the judgement is then made offline: it depends on `Cargo.lock` and
/// on nothing that a registry says today.
fn dependencies() -> Result<(), Failure> {
    if !step::succeeds(&mut cargo(["deny", "--version"])) {
        let version = format!("cargo-deny@{DENY_VERSION}");
        // The dev profile: a minute to build instead of ten, and it still judges this workspace in two seconds.
        step::run("install cargo-deny", &mut cargo(["install", "--locked", "--debug", &version]))?;
    }
    step::run("fetch", &mut cargo(["fetch", "--locked"]))?;
    step::run("dependencies", &mut cargo(DENY))
}

/// rustfmt and clippy, which a minimal toolchain lacks.
fn components() -> Result<(), Failure> {
    let absent: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(verb, _)| !step::succeeds(&mut cargo([*verb, "--version"])))
        .map(|(_, component)| component)
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    if !step::succeeds(Command::new("rustup").arg("--version")) {
        return Err(Failure::Missing {
            what: absent.join(" and "),
            remedy: format!("install the toolchain's {} with its package manager", absent.join(" and ")),
        });
    }
    step::run(
        "install toolchain components",
        Command::new("rustup").args(["component", "add"]).args(absent).current_dir(step::root()),
    )
}

const LINTS: [&str; 8] =
    ["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"];

/// Private items too: the documentation's readers are those who change the code.
const DOCS: [&str; 6] = ["doc", "--workspace", "--no-deps", "--document-private-items", "--all-features", "--locked"];

/// An accepted duplicate that no longer exists fails as well, so that the list in `deny.toml` stays true.
const DENY: [&str; 11] = [
    "deny",
    "--offline",
    "--locked",
    "check",
    "-D",
    "unmatched-skip",
    "-D",
    "unnecessary-skip",
    "licenses",
    "bans",
    "sources",
];

/// The version that is installed where there is none; any version that is there already is used.
const DENY_VERSION: &str = "0.20.2";
