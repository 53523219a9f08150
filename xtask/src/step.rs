//! One step of a chore: says its name, runs a program, says how long it took. Called by every verb.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::failure::Failure;

/// Runs `command` as the step called `step`; its output goes straight to the terminal.
///
/// The standard input is closed, so that nothing in a gate can wait for an answer.
pub fn run(step: &str, command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    eprintln!("==> {step}: {shown}");
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).status().map_err(|error| Failure::NotStarted {
        step: step.to_owned(),
        command: shown.clone(),
        error,
    })?;
    let seconds = started.elapsed().as_secs_f64();
    if status.success() {
        eprintln!("==> {step}: ok, {seconds:.1} s");
        Ok(())
    } else {
        eprintln!("==> {step}: failed after {seconds:.1} s");
        Err(Failure::Step { step: step.to_owned(), command: shown, status })
    }
}

/// Whether `command` can be started and reports success; shows nothing.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The cargo that started this chore, in the workspace's root folder.
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// The workspace's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ lies in the workspace's root folder")
}

/// A command line as a person would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        if argument.contains(' ') {
            line.push_str(&format!(" '{argument}'"));
        } else {
            line.push_str(&format!(" {argument}"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_stops_the_chore_and_is_named() {
        let error = run("planted", Command::new("sh").args(["-c", "exit 3"])).expect_err("exit 3 is a failure");
        let line = error.to_string();
        assert!(line.contains("planted FAILED") && line.contains("sh -c 'exit 3'"), "{line}");
    }

    #[test]
    fn a_program_that_is_not_there_is_not_a_success() {
        let absent = "/nonexistent/program";
        assert!(matches!(run("planted", &mut Command::new(absent)), Err(Failure::NotStarted { .. })));
        assert!(!succeeds(&mut Command::new(absent)));
    }

    #[test]
    fn a_step_never_waits_for_input() {
        run("reads", Command::new("sh").args(["-c", "! read -r line"])).expect("standard input is closed");
    }
}
