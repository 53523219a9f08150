//! `config`: whether a configuration can be used, and what it comes to with every default filled in.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::config::{Config, ConfigError, DirectChanges, LedgerPlace};
use crate::app::fingerprint;
use crate::model::{OfficeHours, Policy, Seconds, SetRule};

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

/// Every setting under the name that the file gives it.
fn settings(config: &Config) -> Vec<(&'static str, Value)> {
    let mut settings = vec![
        ("ledger.url", json!(shown_ledger(config))),
        ("serve.listen", json!(config.listen.to_string())),
        ("serve.admin", json!(config.admin.to_string())),
        ("serve.heartbeat_max_seconds", json!(config.heartbeat_max.0)),
        ("serve.clock_leap_max_hours", json!(config.clock_leap_max.map_or(0, |leap| leap.0 / 3_600))),
        ("serve.public_url", json!(config.public_url)),
        ("keys.pseudonym", json!(whole(&config.pseudonym_key))),
        ("keys.checkpoint", json!(whole(&config.checkpoint_key))),
        ("checkpoints.file", json!(whole(&config.checkpoint_file))),
        ("checkpoints.name", json!(config.checkpoint_name)),
        ("checkpoints.every_seconds", json!(config.checkpoint_every.0)),
        ("checkpoints.trusted", json!(config.checkpoints_trusted.iter().map(ToString::to_string).collect::<Vec<_>>())),
        (
            "desk.direct_changes",
            json!(match config.direct_changes {
                DirectChanges::Allow => "allow",
                DirectChanges::Refuse => "refuse",
            }),
        ),
    ];
    settings.extend(of_policy(&config.policy));
    settings
}

/// The ledger's URL without a password.
pub fn shown_ledger(config: &Config) -> String {
    match &config.ledger {
        LedgerPlace::Sqlite(file) => format!("sqlite:{}", whole(file)),
        LedgerPlace::Postgres(url) => without_password(url),
    }
}

/// A path that means the same from everywhere.
fn whole(path: &Path) -> String {
    // Where this can't tell where it is, the path as it is written is all that there is.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn of_policy(policy: &Policy) -> Vec<(&'static str, Value)> {
    let days = |span: Seconds| json!(span.0 / Seconds::days(1).0);
    let pairs = policy.releasable.iter().map(|(medium, usage)| format!("{}/{}", medium.name(), usage.name()));
    let hosts: serde_json::Map<_, _> =
        policy.hosts.iter().map(|(operator, host)| (operator.to_string(), json!(host.to_string()))).collect();
    let mut settings = vec![
        ("desk.releasable", json!(pairs.collect::<Vec<_>>())),
        ("desk.confirm_after_days", days(policy.confirm_after)),
        ("desk.died_confirm_after_days", days(policy.died_confirm_after)),
        ("desk.delivery_within_days", days(policy.delivery_within)),
        ("desk.backdating_max_days", days(policy.backdating_max)),
        ("desk.budget_floor", json!(policy.budget_floor)),
        ("desk.budget_factor", json!(policy.budget_factor)),
        ("desk.hosts", Value::Object(hosts)),
        ("desk.sets_need_two_people", json!(policy.sets == SetRule::TwoPeople)),
    ];
    if let Some(OfficeHours { opens, closes }) = policy.window_hours {
        let clock = |second: u32| format!("{:02}:{:02}", second / 3600, second / 60 % 60);
        settings.push(("desk.window_hours", json!(format!("{}-{}", clock(opens), clock(closes)))));
    }
    settings
}

/// A value as TOML writes it.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Object(pairs) => {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, value)| format!("{} = {}", json!(key), toml_of(value))).collect();
            if pairs.is_empty() { "{}".into() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
        // Strings, numbers, booleans and lists of strings are written alike in both.
        other => other.to_string(),
    }
}

/// `postgres://user:secret@host/db` without the secret, wherever it stands.
fn without_password(url: &str) -> String {
    let (head, query) = url.split_once('?').map_or((url, None), |(head, query)| (head, Some(query)));
    let head = match head.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (user, host))) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => head.to_owned(),
    };
    let Some(query) = query else { return head };
    let kept: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("password=")).collect();
    if kept.is_empty() { head } else { format!("{head}?{}", kept.join("&")) }
}

const EXAMPLES: &str = "\
Examples:
  tashika config check --config /etc/tashika/tashika.toml
  tashika config show
  tashika config show --json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_a_configuration_that_says_the_same() {
        let text = "ledger.url = 'sqlite:a.db'\ndesk.window_hours = '08:30-17:15'\ndesk.hosts = {a = 'b'}\n\
                    desk.direct_changes = 'refuse'\ndesk.budget_floor = 7\ncheckpoints.every_seconds = 5";
        let config = Config::parse(text, Path::new("/etc/tashika.toml")).unwrap();
        let shown: String =
            settings(&config).iter().map(|(key, value)| format!("{key} = {}\n", toml_of(value))).collect();
        assert_eq!(Config::parse(&shown, Path::new("/etc/tashika.toml")).unwrap(), config, "{shown}");
    }

    #[test]
    fn no_setting_is_left_out() {
        let file = Path::new("/etc/tashika.toml");
        let config = Config::parse("ledger.url = 'sqlite:a'\ndesk.window_hours = '08:30-17:15'", file).unwrap();
        let shown: Vec<_> = settings(&config).into_iter().map(|(key, _)| key).collect();
        let known = |text: &str| {
            let error = Config::parse(text, file).unwrap_err().to_string();
            let names = error.rsplit("expected").next().unwrap().split('`').skip(1).step_by(2);
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let sections = known("unheard_of = 1");
        assert!(sections.len() > 3, "{sections:?}");
        for section in sections {
            let url = if section == "ledger" { "" } else { "ledger.url = 'sqlite:a'\n" };
            for key in known(&format!("{url}{section}.unheard_of = 1")) {
                let name = format!("{section}.{key}");
                assert!(shown.contains(&name.as_str()), "'config show' leaves out {name}");
            }
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://u:s3cret@h:5432/db", "postgres://u@h:5432/db"),
            ("postgres://u:s3c@ret@h/db?sslmode=verify-full", "postgres://u@h/db?sslmode=verify-full"),
            ("postgres://h/db?user=u&password=s3cret", "postgres://h/db?user=u"),
            ("postgres://h/db?password=s3cret", "postgres://h/db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
