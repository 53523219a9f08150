//! `config`: whether a configuration can be used, and what it comes to with every default filled in.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::compose::open_ledger;
use crate::app::config::{Config, ConfigError};
use crate::app::crls::{check_paths, check_signers as check_crl_signers, check_store};
use crate::app::signers::{IssuerSigner, SignerFolder};
use crate::app::{clock, fingerprint};
use crate::model::Book;

use super::config_show::{settings, toml_of};
use super::error::{CliError, Exit, one_line};
use super::house::find_config;
use super::reply::Reply;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check the configuration, the key files that it names, the signers of all issuers, and the store of CRLs; nothing is
    /// started.
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
                check_what_it_leads_to(&config)
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

/// Whether somebody signs for every issuer that the ledger knows, and CRLs can be published. What can't be said without the
/// ledger or the store, while they are away, is no fault of the configuration.
fn check_what_it_leads_to(config: &Config) -> Result<Reply, CliError> {
    let file = config.file.display().to_string();
    let mut text = format!("{file} is good\n");
    let mut json = json!({ "file": file, "good": true });
    let mut wrong: Vec<CliError> = Vec::new();
    match check_store(config) {
        Ok(()) => {}
        Err(error) if error.may_pass() => {
            let why = one_line(&error.to_string());
            text.push_str(&format!("the store of CRLs was not checked: {why}\n"));
            json["store_not_checked"] = json!(why);
        }
        Err(error) => wrong.push(error.into()),
    }
    wrong.extend(of_settings(config, check_crl_signers(config, clock::now())));
    match open_ledger(&config.ledger).and_then(|ledger| ledger.book()) {
        Ok((_, book)) => json["signers"] = check_signers(config, &book, &mut wrong),
        Err(error) => {
            let why = one_line(&error.to_string());
            text.push_str(&format!("the signers were not checked: {why}\n"));
            json["signers_not_checked"] = json!(why);
        }
    }
    if wrong.is_empty() { Ok(Reply::done(text, json)) } else { Err(told(&config.file, wrong)) }
}

/// What the ledger's issuers need, and what the settings say of issuers and paths; until when each signer is valid.
fn check_signers(config: &Config, book: &Book, wrong: &mut Vec<CliError>) -> Value {
    let folder = SignerFolder::of(config);
    let unknown = config.ocsp.issuers.keys().filter(|name| book.issuer_named(name).is_none());
    let unknown = unknown.map(|name| (format!("ocsp.issuer.{name}"), "the ledger knows no issuer of this name".into()));
    wrong.extend(of_settings(config, unknown.chain(check_paths(config, book)).collect()));
    let mut signers = serde_json::Map::new();
    for (issuer, IssuerSigner { name, signer, .. }) in book.issuers.iter().zip(folder.all(book, clock::now())) {
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
    Value::Object(signers)
}

/// What is wrong with settings, in the file's name.
fn of_settings(config: &Config, wrong: Vec<(String, String)>) -> impl Iterator<Item = CliError> {
    let file = config.file.display().to_string();
    let fault = move |(key, why): (String, String)| {
        CliError::from(ConfigError::Value { file: file.clone(), key: key.into(), why })
    };
    wrong.into_iter().map(fault)
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
