//! Why a chore stopped, as `main` prints it: one clear line and an exit code.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

/// The first thing that went wrong; nothing after it was tried.
#[derive(Debug)]
pub enum Failure {
    /// Generated files are not what their generator makes.
    #[cfg_attr(not(feature = "testdata"), expect(dead_code, reason = "only the generator compares and writes"))]
    Differing {
        /// Their paths.
        files: Vec<String>,
        /// The command that writes them.
        remedy: String,
    },
    /// A file could not be read or written.
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A program is not installed and this chore may not, or can't, install it.
    Missing {
        /// What is not there.
        what: String,
        /// The one command (or the instruction) that brings it.
        remedy: String,
    },
    /// A step's program could not be started.
    NotStarted {
        /// The step's name.
        step: String,
        /// The command line.
        command: String,
        /// What the operating system said.
        error: io::Error,
    },
    /// A step's program ran and reported failure.
    Step {
        /// The step's name.
        step: String,
        /// The command line.
        command: String,
        /// How the program ended.
        status: ExitStatus,
    },
    /// The command line of the chore itself was wrong.
    Usage(String),
}

impl Failure {
    /// 2 for a wrong command line, 1 for everything else.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Differing { .. }
            | Failure::File { .. }
            | Failure::Missing { .. }
            | Failure::NotStarted { .. }
            | Failure::Step { .. } => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Differing { files, remedy } => {
                write!(f, "not as generated: {}. To write them: {remedy}", files.join(", "))
            }
            Failure::File { path, error } => write!(f, "{}: {error}", path.display()),
            Failure::Missing { what, remedy } => write!(f, "missing: {what}. To get it: {remedy}"),
            Failure::NotStarted { step, command, error } => {
                write!(f, "{step}: could not start `{command}`: {error}")
            }
            Failure::Step { step, command, status } => write!(f, "{step} FAILED ({status}): {command}"),
            Failure::Usage(what) => write!(f, "{what}; `cargo xtask help` lists the verbs"),
        }
    }
}
