//! The project's chores, called as `cargo xtask VERB` by contributors and by `.ci/run`.
//!
//! Standard library only, so that it compiles in seconds on a machine that has nothing but the Rust
//! toolchain. A verb that needs more stands behind a cargo feature of this crate: the entry in
//! [`VERBS`] then starts cargo again with that feature. Never part of the program that is shipped.

#![allow(clippy::disallowed_methods, reason = "chores show how long their steps take; nothing here runs in simulation")]

use std::process::ExitCode;

mod ci;
mod failure;
mod setup;
mod step;
mod test;
#[cfg(feature = "testdata")]
#[allow(dead_code, reason = "the expectations beside each certificate are read by tests/testdata")]
mod testdata;
mod testdata_verb;

use failure::Failure;

/// One row of the verb table.
struct Verb {
    name: &'static str,
    says: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

/// Every chore, in the order in which `help` shows them. Verbs behind a feature go last.
const VERBS: &[Verb] = &[
    Verb {
        name: "test",
        says: "install what the tests need if it is missing, then run every test; further arguments go to `cargo test`",
        run: test::run,
    },
    Verb {
        name: "setup",
        says: "only install what the tests need: PostgreSQL, and the programs that relying parties use",
        run: setup::run,
    },
    Verb { name: "ci", says: "the whole gate: format, dependencies, lints, docs, tests", run: ci::run },
    Verb {
        name: "testdata",
        says: "write certs-testdata/ anew, the same bytes every time; --check only compares",
        run: testdata_verb::run,
    },
    Verb { name: "help", says: "this list", run: help },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Failure::Usage("no verb given".to_owned()));
    };
    let wanted = match name.as_str() {
        "--help" | "-h" => "help",
        other => other,
    };
    match VERBS.iter().find(|verb| verb.name == wanted) {
        Some(verb) => (verb.run)(rest),
        None => Err(Failure::Usage(format!("no verb `{name}`"))),
    }
}

fn help(_: &[String]) -> Result<(), Failure> {
    println!("cargo xtask VERB\n");
    for verb in VERBS {
        println!("  {:<10} {}", verb.name, verb.says);
    }
    println!("\nExit codes: 0 done, 1 a step failed or something is missing, 2 not a verb.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_or_missing_verb_is_a_usage_error() {
        assert!(matches!(dispatch(&[]), Err(Failure::Usage(_))));
        assert!(matches!(dispatch(&["tset".to_owned()]), Err(Failure::Usage(_))));
    }

    #[test]
    fn verbs_have_distinct_names() {
        for (index, verb) in VERBS.iter().enumerate() {
            assert!(VERBS[index + 1..].iter().all(|other| other.name != verb.name), "{}", verb.name);
        }
    }
}
