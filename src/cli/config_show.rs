//! What `config show` shows: every setting under its name, so that the text is a configuration. Called by `config`; the
//! ledger's place without its password, by every verb that names it.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::config::{Config, DirectChanges, LedgerPlace, OcspSettings};
use crate::http::MetricsFor;
use crate::model::{OfficeHours, Policy, Rank, Seconds, SetRule};
use crate::parties::{Label, Party, Strangers};
use crate::responder::{self, Forms, Named, NotIssued, Presign, Profile};

/// Every setting under the name that the file gives it.
pub fn settings(config: &Config) -> Vec<(&'static str, Value)> {
    let mut settings = vec![
        ("ledger.url", json!(shown_ledger(config))),
        ("serve.listen", json!(config.listen.to_string())),
        ("serve.admin", json!(config.admin.to_string())),
        ("serve.heartbeat_max_seconds", json!(config.heartbeat_max.0)),
        ("serve.clock_leap_max_hours", json!(config.clock_leap_max.map_or(0, |leap| leap.0 / 3_600))),
        ("serve.public_url", json!(config.public_url)),
        ("serve.state", json!(config.state)),
        ("serve.threads", json!(config.edge.threads.written())),
        ("serve.connections_max", json!(config.edge.connections_max)),
        ("serve.downloads_max", json!(config.edge.downloads_max)),
        (
            "serve.metrics",
            json!(match config.metrics_for {
                MetricsFor::Everybody => "open",
                MetricsFor::TokenBearers => "token",
            }),
        ),
        ("serve.anonymous", json!(config.parties.strangers() == Strangers::Answered)),
        ("serve.drain_grace_seconds", json!(config.edge.drain.grace.0)),
        ("serve.drain_max_seconds", json!(config.edge.drain.max.0)),
        ("serve.header_seconds", json!(config.edge.patience.header.0)),
        ("serve.body_seconds", json!(config.edge.patience.body.0)),
        ("serve.idle_seconds", json!(config.edge.patience.idle.0)),
        ("keys.admin_token", json!(whole(&config.admin_token))),
        ("keys.pseudonym", json!(whole(&config.pseudonym_key))),
        ("keys.checkpoint", json!(whole(&config.checkpoint_key))),
        ("keys.signers", json!(whole(&config.signers))),
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
    settings.extend(config.passphrase_file.iter().map(|file| ("keys.passphrase_file", json!(whole(file)))));
    settings.extend(of_desk(&config.policy));
    settings.extend(of_ocsp(&config.ocsp));
    settings.push(("party", config.parties.parties().iter().map(of_party).collect()));
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

fn of_desk(policy: &Policy) -> Vec<(&'static str, Value)> {
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

fn of_ocsp(ocsp: &OcspSettings) -> Vec<(&'static str, Value)> {
    let mut settings = Vec::from(of_answers(&ocsp.default));
    let issuers = ocsp.issuers.iter().map(|(issuer, policy)| {
        // Within the issuer's own table the names stand alone.
        let own = of_answers(policy).into_iter().map(|(key, value)| (key.replacen("ocsp.", "", 1), value));
        (issuer.clone(), Value::Object(own.collect()))
    });
    settings.extend([
        ("ocsp.hot_for_seconds", json!(ocsp.hot_for.0)),
        ("ocsp.fresh_for_seconds", json!(ocsp.tiers.fresh_for.0)),
        ("ocsp.answer_until_seconds", json!(ocsp.tiers.answer_until.0)),
        ("ocsp.sign_threads", json!(ocsp.sign_threads.written())),
        ("ocsp.snapshot_every_seconds", json!(ocsp.snapshot_every.0)),
        ("ocsp.issuer", Value::Object(issuers.collect())),
    ]);
    settings
}

fn of_answers(policy: &responder::Policy) -> [(&'static str, Value); 6] {
    let profile = match policy.profile {
        Profile::National => "national",
        Profile::Web => "web",
    };
    let presign = match policy.presign {
        Presign::All => "all",
        Presign::Hot(_) => "hot",
        Presign::Off => "off",
    };
    let forms = match policy.forms {
        Forms::Both => "both",
        Forms::Sha1 => "sha1",
        Forms::Sha256 => "sha256",
    };
    let named = match policy.named {
        Named::ByKey => "key",
        Named::ByName => "name",
    };
    let not_issued = match policy.not_issued {
        NotIssued::Revoked => "revoked",
        NotIssued::Unauthorized => "unauthorized",
        NotIssued::Unknown => "unknown",
    };
    [
        ("ocsp.profile", json!(profile)),
        ("ocsp.validity_seconds", json!(policy.validity.0)),
        ("ocsp.presign", json!(presign)),
        ("ocsp.precompute_certid", json!(forms)),
        ("ocsp.responder_id", json!(named)),
        ("ocsp.not_issued", json!(not_issued)),
    ]
}

fn of_party(party: &Party) -> Value {
    json!({
        "name": party.name.as_str(),
        "services": party.services.iter().map(Label::as_str).collect::<Vec<_>>(),
        "addresses": party.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "accredited": party.rank == Rank::Accredited,
    })
}

/// A value as TOML writes it.
pub fn toml_of(value: &Value) -> String {
    match value {
        Value::Object(pairs) => {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, value)| format!("{} = {}", json!(key), toml_of(value))).collect();
            if pairs.is_empty() { "{}".into() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
        Value::Array(values) => format!("[{}]", values.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        // Strings, numbers and booleans are written alike in both.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_shown_is_a_configuration_that_says_the_same() {
        let text = "ledger.url = 'sqlite:a.db'\ndesk.window_hours = '08:30-17:15'\ndesk.hosts = {a = 'b'}\n\
                    desk.direct_changes = 'refuse'\ndesk.budget_floor = 7\ncheckpoints.every_seconds = 5\n\
                    serve = {metrics = 'open', threads = 3, connections_max = 7, downloads_max = 9, anonymous = true, drain_max_seconds = 9, idle_seconds = 8}\n\
                    keys.passphrase_file = 'word'\n[ocsp]\npresign = 'off'\nhot_for_seconds = 60\nsign_threads = 2\n\
                    fresh_for_seconds = 4\n[ocsp.issuer.card]\nprofile = 'web'\npresign = 'hot'\n\
                    precompute_certid = 'both'\nresponder_id = 'name'\nnot_issued = 'revoked'\n\
                    [[party]]\nname = 'a'\nservices = ['x', 'y']\naddresses = ['::1', '127.0.0.0/8']\naccredited = true";
        let config = Config::parse(text, Path::new("/etc/tashika.toml")).unwrap();
        let shown: String =
            settings(&config).iter().map(|(key, value)| format!("{key} = {}\n", toml_of(value))).collect();
        assert_eq!(Config::parse(&shown, Path::new("/etc/tashika.toml")).unwrap(), config, "{shown}");
    }

    #[test]
    fn no_setting_is_left_out() {
        let file = Path::new("/etc/tashika.toml");
        let text = "ledger.url = 'sqlite:a'\ndesk.window_hours = '08:30-17:15'\nkeys.passphrase_file = 'word'\n\
                    ocsp.issuer.card.presign = 'all'\nparty = [{name = 'a', services = ['x'], addresses = ['::1']}]";
        let config = Config::parse(text, file).unwrap();
        // What is written within another value is found by its name there.
        let mut shown: Vec<String> = Vec::new();
        for (key, value) in settings(&config) {
            let inner = match &value {
                Value::Array(all) if key == "party" => all[0].as_object(),
                Value::Object(all) if key == "ocsp.issuer" => all["card"].as_object(),
                _ => None,
            };
            shown.extend(inner.into_iter().flatten().map(|(name, _)| format!("{key}.{name}")));
            shown.push(key.to_owned());
        }
        let known = |text: &str| {
            let error = Config::parse(text, file).unwrap_err().to_string();
            let names = error.rsplit("expected").next().unwrap().split('`').skip(1).step_by(2);
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let sections = known("unheard_of = 1");
        assert!(sections.len() > 3, "{sections:?}");
        for (section, written) in sections
            .iter()
            .map(|section| match section.as_str() {
                "party" => (section.as_str(), "party = [{unheard_of = 1}]".to_owned()),
                section => (section, format!("{section}.unheard_of = 1")),
            })
            .chain([("ocsp.issuer", "ocsp.issuer.card.unheard_of = 1".to_owned())])
        {
            let url = if section == "ledger" { "" } else { "ledger.url = 'sqlite:a'\n" };
            for key in known(&format!("{url}{written}")) {
                let name = format!("{section}.{key}");
                assert!(shown.contains(&name), "'config show' leaves out {name}");
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
