//! `config`: whether a configuration can be used, and what it comes to with every default filled in.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::config::{Config, ConfigError};
use crate::app::fingerprint;

use super::config_show::{settings, toml_of};
use super::error::{CliError, one_line};
use super::house::find_config;
use super::reply::Reply;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check the configuration and the key files that it names; nothing is opened or started.
    #[command(after_help = EXAMPLES)]
    Check,
    /// Show every setting with its value, as a configuration could say it. Passwords are left out.
    #[command(after_help = EXAMPLES)]
    Show,
}

impl Verb {
    /// Runs it.
    pub fn run(self, named: Option<&Path>) -> Result<Reply, CliError> {
        let file = find_config(named)?;
        match self {
            Self::Check => {
                let config = Config::load_telling_all(&file).map_err(|faults| told(&file, faults))?;
                fingerprint::open(&config.pseudonym_key)?;
                let file = config.file.display().to_string();
                Ok(Reply::done(format!("{file} is good"), json!({ "file": file, "good": true })))
            }
            Self::Show => {
                let config = Config::load(&file)?;
                let settings = settings(&config);
                let text: String =
                    settings.iter().map(|(key, value)| format!("{key} = {}\n", toml_of(value))).collect();
                let json = settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
                Ok(Reply::done(text, Value::Object(json)))
            }
        }
    }
}

/// All that is wrong, one a line; the last word counts them, unless one says it all.
fn told(file: &Path, mut faults: Vec<ConfigError>) -> CliError {
    if faults.len() == 1 {
        return faults.remove(0).into();
    }
    for fault in &faults {
        // Nobody is there to be told that a fault can't be written; the exit code says that there are some.
        let _ = writeln!(io::stderr(), "{}", one_line(&fault.to_string()));
    }
    CliError::Usage(format!("{}: {} settings can't be used: correct them", file.display(), faults.len()))
}

const EXAMPLES: &str = "\
Examples:
  tashika config check --config /etc/tashika/tashika.toml
  tashika config show
  tashika config show --json";
