//! What `config show` shows: every setting under its name, so that the text is a configuration. Called by `config`; the
//! ledger's place without its password, by every verb that names it.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::config::{
    Config, CrlRole, CrlSettings, DirectChanges, External, Hours, LedgerPlace, OcspSettings, StorePlace,
};
use crate::http::MetricsFor;
use crate::model::{OfficeHours, Policy, Rank, Reason, Seconds, SetRule};
use crate::parties::{Label, Party, Strangers};
use crate::publisher::Expired;
use crate::responder::{self, Forms, Named, NotIssued, Presign, Profile};
use crate::status::LossDates;

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
    settings.extend(of_crl(&config.crl));
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
        settings.push(("desk.window_hours", json!(format!("{}-{}", time_of_day(opens), time_of_day(closes)))));
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

fn of_crl(crl: &CrlSettings) -> Vec<(&'static str, Value)> {
    let role = match crl.role {
        CrlRole::Off => "off",
        CrlRole::Publish => "publish",
        CrlRole::Serve => "serve",
    };
    let reasons = |reasons: &mut dyn Iterator<Item = Reason>| json!(reasons.map(Reason::name).collect::<Vec<_>>());
    let scopes = crl.own_hours.iter().map(|(path, hours)| {
        // Within the scope's own table the names stand alone.
        let own = of_hours(hours).into_iter().map(|(key, value)| (key.replacen("crl.", "", 1), value));
        (path.clone(), Value::Object(own.collect()))
    });
    let external =
        |one: &External| json!({ "path": one.path, "file": whole(&one.file), "certificate": whole(&one.certificate) });
    let mut settings = vec![
        ("crl.role", json!(role)),
        ("crl.spread_minutes", json!(crl.spread.0 / 60)),
        ("crl.dated_by_day", reasons(&mut crl.dates.reasons())),
        ("crl.times_of_loss", json!(crl.losses == LossDates::Kept)),
        ("crl.tells_position", json!(crl.tells_position)),
        ("crl.urgent_reasons", reasons(&mut crl.urgent.iter().copied())),
        ("crl.complete_max_mb", json!(crl.complete.unwrap_or(0) / 1_000_000)),
        ("crl.threads", json!(crl.threads.written())),
        ("crl.scope", Value::Object(scopes.collect())),
        ("crl.external", crl.external.iter().map(external).collect()),
    ];
    settings.extend(of_hours(&crl.hours));
    match &crl.store {
        StorePlace::Bucket(place) => {
            let slash = if place.prefix.is_empty() { "" } else { "/" };
            settings.push(("crl.store", json!(format!("s3://{}{slash}{}", place.bucket, place.prefix))));
            settings.extend(place.endpoint.iter().map(|endpoint| ("crl.endpoint", json!(endpoint))));
            settings.extend(place.region.iter().map(|region| ("crl.region", json!(region))));
        }
        StorePlace::Directory(folder) => settings.push(("crl.store", json!(whole(folder)))),
    }
    if let Expired::Kept { since } = crl.expired {
        settings.push(("crl.expired_since", json!(since.to_string())));
    }
    settings.extend(crl.combined.iter().map(|signer| {
        ("crl.combined", json!({ "certificate": whole(&signer.certificate), "key": whole(&signer.key) }))
    }));
    settings
}

/// Without deltas there is nothing that lasts.
fn of_hours(hours: &Hours) -> Vec<(&'static str, Value)> {
    let mut settings = vec![
        ("crl.full_at", json!(time_of_day(hours.full_at))),
        ("crl.full_hours", json!(hours.full_for.0 / 3600)),
        ("crl.delta_minutes", json!(hours.deltas.map_or(0, |deltas| deltas.every.0 / 60))),
    ];
    settings.extend(hours.deltas.map(|deltas| ("crl.delta_lasts_minutes", json!(deltas.last_for.0 / 60))));
    settings
}

fn time_of_day(second: u32) -> String {
    format!("{:02}:{:02}", second / 3600, second / 60 % 60)
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
                    [crl]\nrole = 'serve'\nstore = 's3://crls/a/b'\nendpoint = 'http://[::1]:9'\nregion = 'x'\n\
                    full_at = '01:02'\nfull_hours = 48\ndelta_minutes = 7\ndelta_lasts_minutes = 70\n\
                    spread_minutes = 9\ndated_by_day = ['keyCompromise']\nexpired_since = '2026-01-02T03:04:05Z'\n\
                    times_of_loss = true\ntells_position = true\nurgent_reasons = []\ncomplete_max_mb = 0\nthreads = 5\n\
                    combined = {certificate = 'c.pem', key = 'c.key'}\n\
                    external = [{path = 'root', file = 'r.crl', certificate = 'r.pem'}]\n\
                    [crl.scope.'a/b']\ndelta_minutes = 0\nfull_at = '23:59'\n[crl.scope.c]\ndelta_lasts_minutes = 8\n\
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
                    ocsp.issuer.card.presign = 'all'\ncrl.expired_since = '2026-01-02T03:04:05Z'\n\
                    crl.scope.card = {}\ncrl.combined = {certificate = 'c', key = 'k'}\n\
                    crl.external = [{path = 'root', file = 'r', certificate = 'c'}]\n\
                    crl.store = 's3://crls'\ncrl.endpoint = 'http://[::1]:9'\ncrl.region = 'x'\nparty = [{name = 'a', services = ['x'], addresses = ['::1']}]";
        let config = Config::parse(text, file).unwrap();
        // What is written within another value is found by its name there.
        let mut shown: Vec<String> = Vec::new();
        for (key, value) in settings(&config) {
            let inner = match &value {
                Value::Array(all) if matches!(key, "party" | "crl.external") => all[0].as_object(),
                Value::Object(all) if matches!(key, "ocsp.issuer" | "crl.scope") => all["card"].as_object(),
                Value::Object(all) if key == "crl.combined" => Some(all),
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
            .chain([
                ("ocsp.issuer", "ocsp.issuer.card.unheard_of = 1".to_owned()),
                ("crl.scope", "crl.scope.card.unheard_of = 1".to_owned()),
                ("crl.combined", "crl.combined.unheard_of = 1".to_owned()),
                ("crl.external", "crl.external = [{unheard_of = 1}]".to_owned()),
            ])
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
