//! The configuration: what stands in `tashika.toml` (raw), and what the program runs with (checked).
//!
//! Unknown keys are refused, paths are relative to the file, and rules between settings are checked here, once.

mod crl;
mod desk;
mod ocsp;
mod party;
mod place;
mod serve;

use std::borrow::Cow;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crl::RawCrl;
use desk::RawDesk;
use ocsp::RawOcsp;
use party::RawParty;
use serve::RawServe;

pub use crl::{CrlRole, CrlSettings, External, Hours, SignerFiles};
pub use ocsp::OcspSettings;
pub use place::{LedgerPlace, StorePlace};
pub use serve::{Drain, Edge, Patience, Threads};

use super::words::refused_file;
use crate::http::MetricsFor;
use crate::ledger::VerifierKey;
use crate::model::{Policy, Seconds};
use crate::parties::Register;

/// What the program runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The file it came from.
    pub file: PathBuf,
    /// Where the ledger is.
    pub ledger: LedgerPlace,
    /// The public listener.
    pub listen: SocketAddr,
    /// The admin listener.
    pub admin: SocketAddr,
    /// The oldest heartbeat that `/readyz` has nothing to tell of.
    pub heartbeat_max: Seconds,
    /// How far this machine's clock may be ahead of the ledger's time for this process to lead; none: any.
    pub clock_leap_max: Option<Seconds>,
    /// The URL under which relying parties reach the public listener.
    pub public_url: String,
    /// The folder of what this node must find again after a restart.
    pub state: PathBuf,
    /// How it treats connections.
    pub edge: Edge,
    /// Who may ask there.
    pub parties: Register,
    /// How answers are made.
    pub ocsp: OcspSettings,
    /// How CRLs are published.
    pub crl: CrlSettings,
    /// The folder of the signers of answers and CRLs, one folder for each issuer in it.
    pub signers: PathBuf,
    /// The file with the passphrase of those of their keys that are encrypted.
    pub passphrase_file: Option<PathBuf>,
    /// The key that turns identifiers into pseudonyms.
    pub pseudonym_key: PathBuf,
    /// The token of the admin listener.
    pub admin_token: PathBuf,
    /// Who may read the metrics there.
    pub metrics_for: MetricsFor,
    /// The key that signs checkpoints.
    pub checkpoint_key: PathBuf,
    /// Where checkpoints are kept, outside the database.
    pub checkpoint_file: PathBuf,
    /// The name under which this process counter-signs the checkpoints of others.
    pub checkpoint_name: String,
    /// How often a checkpoint is signed.
    pub checkpoint_every: Seconds,
    /// The keys of others whose checkpoints count when the ledger is verified.
    pub checkpoints_trusted: Vec<VerifierKey>,
    /// The desk's settings.
    pub policy: Policy,
    /// Whether the command line may change the ledger by itself.
    pub direct_changes: DirectChanges,
}

/// Whether the command line may change the ledger by itself, past the admin listener's authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DirectChanges {
    /// Yes: whoever may read the configuration and write to the database is trusted.
    #[default]
    Allow,
    /// No.
    Refuse,
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It can't be read.
    #[error("{file}: {}", refused_file(source))]
    Read {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or value that doesn't belong.
    #[error("{file}: line {line}: this is no setting of tashika's, or not its form: correct it ({message})")]
    Syntax {
        /// Which file.
        file: String,
        /// Where.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A value makes no sense, alone or beside another.
    #[error("{file}: {key}: {why}")]
    Value {
        /// Which file.
        file: String,
        /// Which key.
        key: Cow<'static, str>,
        /// Why not.
        why: String,
    },
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of settings")]
struct Raw {
    ledger: RawLedger,
    #[serde(default)]
    serve: RawServe,
    #[serde(default)]
    keys: RawKeys,
    #[serde(default)]
    checkpoints: RawCheckpoints,
    #[serde(default)]
    desk: RawDesk,
    #[serde(default)]
    ocsp: RawOcsp,
    #[serde(default)]
    crl: RawCrl,
    #[serde(default)]
    party: Vec<RawParty>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of settings")]
struct RawLedger {
    /// `sqlite:FILE` or `postgres://…`.
    url: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct RawKeys {
    /// Whoever has it may do at the admin listener whatever the desk lets somebody do.
    admin_token: PathBuf,
    pseudonym: PathBuf,
    checkpoint: PathBuf,
    /// A folder: `{issuer}/ocsp.pem`, `{issuer}/ocsp.key`, `{issuer}/crl.key`.
    signers: PathBuf,
    /// Keys that are encrypted at rest are worth it only if this file lies elsewhere.
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct RawCheckpoints {
    file: PathBuf,
    name: String,
    every_seconds: u32,
    /// Verifier keys, `name+key id+base64`.
    trusted: Vec<String>,
}

impl Config {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::parse(&read(file)?, file)
    }

    /// Reads and checks a file; says everything that is wrong with it, as far as it can be told at once.
    pub fn load_telling_all(file: &Path) -> Result<Self, Vec<ConfigError>> {
        Self::check(&read(file).map_err(|error| vec![error])?, file)
    }

    /// Checks a text, as if it stood in `file`.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::check(text, file).map_err(|mut all| all.swap_remove(0))
    }

    fn check(text: &str, file: &Path) -> Result<Self, Vec<ConfigError>> {
        let name = file.display().to_string();
        let raw: Raw = toml::from_str(text).map_err(|error| vec![syntax(&error, text, &name)])?;
        let base = file.parent().unwrap_or(Path::new(""));
        let mut faults = Faults::default();
        let ledger = LedgerPlace::parse(&raw.ledger.url, base).map_err(|why| ("ledger.url", why));
        let ledger = faults.or_else(ledger, LedgerPlace::Sqlite(PathBuf::new()));
        if raw.checkpoints.every_seconds == 0 {
            faults.add("checkpoints.every_seconds", "must be at least 1");
        }
        let served = raw.serve.check(&mut faults);
        if raw.checkpoints.name.is_empty() || raw.checkpoints.name.contains(|c: char| c.is_whitespace() || c == '+') {
            faults.add("checkpoints.name", "must be a name without spaces and '+'");
        }
        let trusted = raw.checkpoints.trusted.iter().map(|key| key.parse::<VerifierKey>());
        let trusted = trusted.collect::<Result<_, _>>().map_err(|why| ("checkpoints.trusted", why.to_string()));
        let trusted = faults.or_else(trusted, Vec::new());
        let config = Self {
            file: file.to_owned(),
            ledger,
            listen: raw.serve.listen,
            admin: raw.serve.admin,
            heartbeat_max: served.heartbeat_max,
            clock_leap_max: served.clock_leap_max,
            state: base.join(&raw.serve.state),
            public_url: raw.serve.public_url.unwrap_or_else(|| format!("http://{}", raw.serve.listen)),
            edge: served.edge,
            parties: party::check(&raw.party, served.strangers, &mut faults),
            ocsp: raw.ocsp.check(&mut faults),
            crl: raw.crl.check(base, &mut faults),
            signers: base.join(raw.keys.signers),
            passphrase_file: raw.keys.passphrase_file.map(|file| base.join(file)),
            pseudonym_key: base.join(raw.keys.pseudonym),
            admin_token: base.join(raw.keys.admin_token),
            metrics_for: served.metrics_for,
            checkpoint_key: base.join(raw.keys.checkpoint),
            checkpoint_file: base.join(raw.checkpoints.file),
            checkpoint_name: raw.checkpoints.name,
            checkpoint_every: Seconds(raw.checkpoints.every_seconds),
            checkpoints_trusted: trusted,
            direct_changes: raw.desk.direct_changes,
            policy: raw.desk.check(&mut faults),
        };
        config.listener_faults(&mut faults);
        if faults.0.is_empty() { Ok(config) } else { Err(faults.of(&name)) }
    }

    /// Checks addresses and URL; to be called again by whoever has changed one of them.
    pub fn check_listeners(&self) -> Result<(), ConfigError> {
        let mut faults = Faults::default();
        self.listener_faults(&mut faults);
        faults.of(&self.file.display().to_string()).into_iter().next().map_or(Ok(()), Err)
    }

    fn listener_faults(&self, faults: &mut Faults) {
        if self.admin == self.listen && self.listen.port() != 0 {
            faults.add("serve.admin", "the public and the admin listener need addresses of their own");
        }
        if !self.admin.ip().is_loopback() {
            faults.add("serve.admin", "the admin listener must stay on a loopback address: it has no TLS yet");
        }
        let url = &self.public_url;
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        if !is_url || url.ends_with('/') || !url.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"') {
            let why = "must be a URL such as http://status.example, without a slash at its end";
            faults.add("serve.public_url", why);
        }
    }
}

/// What is wrong with values, by their keys.
#[derive(Debug, Default)]
struct Faults(Vec<(Cow<'static, str>, String)>);

impl Faults {
    fn add(&mut self, key: impl Into<Cow<'static, str>>, why: impl Into<String>) {
        self.0.push((key.into(), why.into()));
    }

    /// The value, or one to go on checking with, so that all that is wrong is told.
    fn or_else<T>(&mut self, value: Result<T, (&'static str, String)>, meanwhile: T) -> T {
        value.unwrap_or_else(|(key, why)| {
            self.add(key, why);
            meanwhile
        })
    }

    fn of(self, file: &str) -> Vec<ConfigError> {
        let value = |(key, why)| ConfigError::Value { file: file.to_owned(), key, why };
        self.0.into_iter().map(value).collect()
    }
}

impl Default for RawKeys {
    fn default() -> Self {
        Self {
            admin_token: "admin.token".into(),
            pseudonym: "pseudonym.key".into(),
            checkpoint: "checkpoint.key".into(),
            signers: "signers".into(),
            passphrase_file: None,
        }
    }
}

impl Default for RawCheckpoints {
    fn default() -> Self {
        Self { file: "checkpoints.txt".into(), name: "follower".into(), every_seconds: 60, trusted: Vec::new() }
    }
}

fn read(file: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(file).map_err(|source| ConfigError::Read { file: file.display().to_string(), source })
}

/// What the parser says, with its line, without its drawing.
fn syntax(error: &toml::de::Error, text: &str, file: &str) -> ConfigError {
    let message = error.message().replace('\n', " ");
    // What is missing altogether is missed at the end.
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
    ConfigError::Syntax { file: file.to_owned(), line: before.matches('\n').count() + 1, message }
}

#[cfg(test)]
mod tests;
