//! `completions` and `man`: what shells and manual readers need of the command line, made from its own definition.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use super::error::CliError;
use super::reply::Reply;

/// `completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// For which shell.
    shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The folder to write into; made if it is missing.
    dir: PathBuf,
}

impl Completions {
    /// Runs it.
    pub fn run(self) -> Result<Reply, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), NAME, &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let json = json!({ "shell": self.shell.to_string(), "script": script });
        Ok(Reply::done(script, json))
    }
}

impl Man {
    /// Runs it.
    pub fn run(self) -> Result<Reply, CliError> {
        let io = |error| CliError::io(&self.dir, error);
        fs::create_dir_all(&self.dir).map_err(io)?;
        clap_mangen::generate_to(super::command(), &self.dir).map_err(io)?;
        let dir = self.dir.display().to_string();
        Ok(Reply::done(format!("manual pages are in {dir}: man -l {dir}/{NAME}.1"), json!({ "dir": dir })))
    }
}

const NAME: &str = "tashika";

const EXAMPLES: &str = "\
Examples:
  tashika completions bash > /etc/bash_completion.d/tashika
  tashika completions zsh > ~/.zfunc/_tashika";
