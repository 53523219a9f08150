//! `config`: whether a configuration can be used, and what it comes to with every default filled in.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::compose::open_ledger;
use crate::app::config::{Config, ConfigError};
use crate::app::signers::{IssuerSigner, SignerFolder};
use crate::app::{clock, fingerprint};

use super::config_show::{settings, toml_of};
use super::error::{CliError, Exit, one_line};
use super::house::find_config;
use super::reply::Reply;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check the configuration, the key files that it names, and the signers of all issuers; nothing is started.
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
                check_signers(&config)
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

/// Whether somebody signs for every issuer that the ledger knows. Without the ledger that can't be said, which is no fault
/// of the configuration.
fn check_signers(config: &Config) -> Result<Reply, CliError> {
    let file = config.file.display().to_string();
    let mut text = format!("{file} is good\n");
    let mut json = json!({ "file": file, "good": true });
    let book = match open_ledger(&config.ledger).and_then(|ledger| ledger.book()) {
        Ok((_, book)) => book,
        Err(error) => {
            let why = one_line(&error.to_string());
            text.push_str(&format!("the signers were not checked: {why}\n"));
            json["signers_not_checked"] = json!(why);
            return Ok(Reply::done(text, json));
        }
    };
    let folder = SignerFolder::of(config);
    let mut wrong: Vec<CliError> = Vec::new();
    let unknown = config.ocsp.issuers.keys().filter(|name| book.issuer_named(name).is_none());
    wrong.extend(unknown.map(|name| {
        let (key, why) = (format!("ocsp.issuer.{name}").into(), "the ledger knows no issuer of this name".into());
        ConfigError::Value { file: file.clone(), key, why }.into()
    }));
    let mut signers = serde_json::Map::new();
    for (issuer, IssuerSigner { name, signer, .. }) in book.issuers.iter().zip(folder.all(&book, clock::now())) {
        let mut fault = |source| wrong.push(CliError::Signer { issuer: name.clone(), source });
        match signer {
            Ok(signer) => {
                signers.insert(name.clone(), json!({ "until": signer.not_after().to_string() }));
            }
            Err(why) => fault(why),
        }
        if let Err(why) = folder.crl_key(issuer) {
            fault(why);
        }
    }
    if !wrong.is_empty() {
        return Err(told(&config.file, wrong));
    }
    json["signers"] = Value::Object(signers);
    Ok(Reply::done(text, json))
}

/// All that is wrong, one a line; the last word counts them, unless one says it all. The first one's exit code stands.
fn told(file: &Path, faults: Vec<impl Into<CliError>>) -> CliError {
    let mut faults: Vec<CliError> = faults.into_iter().map(Into::into).collect();
    if faults.len() == 1 {
        return faults.remove(0);
    }
    for fault in &faults {
        // Nobody is there to be told that a fault can't be written; the exit code says that there are some.
        let _ = writeln!(io::stderr(), "{}", one_line(&fault.to_string()));
    }
    match faults[0].exit() {
        Exit::Usage => {
            CliError::Usage(format!("{}: {} settings can't be used: correct them", file.display(), faults.len()))
        }
        _ => {
            let why = format!("{} things that it leads to can't be used: correct them", faults.len());
            CliError::Contents { file: file.to_owned(), why }
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  tashika config check --config /etc/tashika/tashika.toml
  tashika config show
  tashika config show --json";
