//! What is refused, with its key, and what the usual settings come to.

use super::*;
use crate::model::{MediumKind, Rank, Usage};
use crate::parties::Strangers;
use crate::publisher::Deltas;
use crate::responder::{Forms, Named, NotIssued, Policy as OcspPolicy, Presign, Profile};
use crate::status::Tiers;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/tashika/tashika.toml")).map_err(|error| error.to_string())
}

#[test]
fn three_words_are_a_configuration() {
    let config = parse("ledger.url = 'sqlite:ledger.db'").unwrap();
    assert_eq!(config.ledger, LedgerPlace::Sqlite("/etc/tashika/ledger.db".into()));
    assert_eq!(config.pseudonym_key, Path::new("/etc/tashika/pseudonym.key"));
    assert_eq!(config.policy, Policy::default());
}

#[test]
fn what_makes_no_sense_is_refused_with_its_key() {
    for (text, says) in [
        (
            "ledger.url = 'sqlite:x'\nledgr = 1",
            "line 2: this is no setting of tashika's, or not its form: correct it (unknown field `ledgr`",
        ),
        ("ledger = 5", "expected a table of settings"),
        ("ledger.url = 'sqlite:x'\ndesk = 'open'", "expected a table of settings"),
        ("ledger.url = 'mysql://x'", "ledger.url"),
        ("ledger.url = 'sqlite:x'\nserve.admin = '0.0.0.0:1'", "serve.admin"),
        ("ledger.url = 'sqlite:x'\ndesk.confirm_after_days = 0", "desk.confirm_after_days"),
        ("ledger.url = 'sqlite:x'\ndesk.window_hours = '17:00-08:00'", "desk.window_hours"),
        ("ledger.url = 'sqlite:x'\ndesk.releasable = ['SIM']", "desk.releasable"),
        ("ledger.url = 'sqlite:x'\ncheckpoints.trusted = ['me']", "checkpoints.trusted"),
        ("ledger.url = 'sqlite:x'\ndesk.hosts = {A = 'b'}", "desk.hosts"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "ledger.url = 'mysql://x'\nserve = {admin = '0.0.0.0:1', public_url = 'x', heartbeat_max_seconds = 1}\n\
        checkpoints = {every_seconds = 0, name = 'a b', trusted = ['me']}\n\
        desk = {confirm_after_days = 0, releasable = ['SIM'], hosts = {A = 'b'}, budget_floor = 0, window_hours = 'x'}";
    let faults = Config::check(text, Path::new("t")).unwrap_err();
    let keys: Vec<_> = faults
        .iter()
        .map(|fault| match fault {
            ConfigError::Value { key, .. } => key.as_ref(),
            other => panic!("{other}"),
        })
        .collect();
    let expected = "ledger.url checkpoints.every_seconds serve.heartbeat_max_seconds checkpoints.name \
        checkpoints.trusted desk.confirm_after_days desk.budget_floor desk.releasable desk.hosts desk.window_hours \
        serve.admin serve.public_url";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn media_that_may_be_released_are_a_setting() {
    let config = parse("ledger.url = 'sqlite:x'\ndesk.releasable = ['CARD/SIGN', 'SIM/AUTH']").unwrap();
    assert_eq!(config.policy.releasable, [(MediumKind::Card, Usage::Sign), (MediumKind::Sim, Usage::Auth)]);
}

#[test]
fn a_profile_brings_its_validity_and_an_issuer_has_what_it_says() {
    let text = "ledger.url = 'sqlite:x'\n[ocsp]\nvalidity_seconds = 900\npresign = 'off'\nhot_for_seconds = 60\n\
                [ocsp.issuer.web-g1]\nprofile = 'web'\npresign = 'hot'\n\
                [ocsp.issuer.old]\nresponder_id = 'name'\nnot_issued = 'unauthorized'\nprecompute_certid = 'both'";
    let ocsp = parse(text).unwrap().ocsp;
    let all = OcspPolicy { validity: Seconds(900), presign: Presign::Off, ..OcspPolicy::of(Profile::National) };
    assert_eq!(ocsp.policy_of("any"), all);
    let web = OcspPolicy { presign: Presign::Hot(Seconds(60)), ..OcspPolicy::of(Profile::Web) };
    assert_eq!(ocsp.policy_of("web-g1"), web);
    assert_eq!(web.validity, Seconds::days(4));
    let old = OcspPolicy { named: Named::ByName, not_issued: NotIssued::Unauthorized, forms: Forms::Both, ..all };
    assert_eq!(ocsp.policy_of("old"), old);
    assert_eq!(ocsp.tiers, Tiers { fresh_for: Seconds(3), answer_until: Seconds(300) });
}

#[test]
fn the_usual_answers_are_those_of_the_national_profile() {
    let config = parse("ledger.url = 'sqlite:x'").unwrap();
    assert_eq!(config.ocsp.default, OcspPolicy::of(Profile::National));
    assert_eq!(config.ocsp.tiers, Tiers::default());
    assert_eq!(config.signers, Path::new("/etc/tashika/signers"));
    assert_eq!((config.ocsp.sign_threads.signing(8), config.ocsp.sign_threads.signing(1)), (4, 1));
    assert_eq!((config.edge.threads.serving(8), config.edge.threads.serving(0)), (8, 1));
    assert_eq!(config.parties.strangers(), Strangers::Refused);
    // What is known may be half as old as the shortest answer.
    let short = parse("ledger.url = 'sqlite:x'\nocsp.issuer.a.validity_seconds = 60").unwrap();
    assert_eq!(short.ocsp.tiers.answer_until, Seconds(30));
}

#[test]
fn answers_that_make_no_sense_are_refused() {
    for (text, says) in [
        ("ocsp.profile = 'nation'", "unknown variant `nation`, expected `national` or `web`"),
        ("ocsp.issuer.a.hot_for_seconds = 5", "unknown field `hot_for_seconds`"),
        ("ocsp.validity_seconds = 9", "ocsp.validity_seconds: must be 10 to 864,000"),
        ("ocsp.issuer.a.validity_seconds = 864001", "ocsp.issuer.a.validity_seconds: must be 10"),
        ("ocsp.hot_for_seconds = 0", "ocsp.hot_for_seconds"),
        ("ocsp.fresh_for_seconds = 1", "ocsp.fresh_for_seconds: must be at least 2"),
        (
            "ocsp.fresh_for_seconds = 301",
            "ocsp.fresh_for_seconds: must be at most ocsp.answer_until_seconds, which is 300",
        ),
        ("ocsp.answer_until_seconds = 601", "ocsp.answer_until_seconds: must be at most 600"),
        (
            "ocsp.answer_until_seconds = 200\nocsp.issuer.a.validity_seconds = 199",
            "ocsp.answer_until_seconds: must be at most 199",
        ),
        ("ocsp.sign_threads = 1025", "ocsp.sign_threads"),
        ("serve.threads = 1025", "serve.threads"),
        ("serve.connections_max = 0", "serve.connections_max"),
        ("serve.downloads_max = 0", "serve.downloads_max"),
        ("serve.drain_grace_seconds = 11", "serve.drain_grace_seconds: must be at most serve.drain_max_seconds"),
        ("serve.drain_max_seconds = 3601", "serve.drain_max_seconds"),
        ("serve.header_seconds = 0", "serve.header_seconds"),
        ("serve.body_seconds = 3601", "serve.body_seconds"),
        ("serve.idle_seconds = 0", "serve.idle_seconds"),
    ] {
        let error = parse(&format!("ledger.url = 'sqlite:x'\n{text}")).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn crls_are_published_daily_with_deltas_and_a_path_may_have_its_own_hours() {
    let text = "ledger.url = 'sqlite:x'\ncrl.full_hours = 26\n[crl.scope.\"a/b\"]\ndelta_minutes = 0\n\
                [crl.scope.c]\nfull_at = '23:59'\ndelta_minutes = 30";
    let crl = parse(text).unwrap().crl;
    assert_eq!(crl.store, StorePlace::Directory("/etc/tashika/crl".into()));
    let deltas =
        |minutes: u32, lasts: u32| Some(Deltas { every: Seconds(minutes * 60), last_for: Seconds(lasts * 60) });
    let usual = Hours { full_at: 3 * 3600, full_for: Seconds::hours(26), deltas: deltas(15, 45) };
    assert_eq!(crl.hours_of("any"), usual);
    assert_eq!(crl.hours_of("a/b"), Hours { deltas: None, ..usual });
    assert_eq!(crl.hours_of("c"), Hours { full_at: 86_340, deltas: deltas(30, 45), ..usual });
}

#[test]
fn crls_that_make_no_sense_are_refused_with_what_to_do() {
    let external = |path| format!("[[crl.external]]\npath = '{path}'\nfile = 'f'\ncertificate = 'c'\n");
    for (text, says) in [
        ("crl.role = 'lead'".to_owned(), "expected one of `off`, `publish`, `serve`"),
        ("crl.store = 'gs://x'".into(), "crl.store: must be a folder or s3://BUCKET/PREFIX"),
        ("crl.region = 'x'".into(), "crl.store: is a folder, which has no endpoint and no region: leave these out"),
        ("crl.full_at = '24:00'".into(), "crl.full_at: must be a time of day in Japan, such as \"03:00\""),
        ("crl.full_at = '3:00'".into(), "crl.full_at: must be a time of day"),
        ("crl.full_hours = 24".into(), "crl.full_hours: must be 25 to 720"),
        ("crl.full_hours = 721".into(), "crl.full_hours: must be 25 to 720"),
        ("crl.delta_minutes = 45".into(), "crl.delta_lasts_minutes: must be more than delta_minutes"),
        ("crl = {delta_minutes = 1441, delta_lasts_minutes = 1500}".into(), "crl.delta_minutes: must be at most 1,440"),
        ("crl.delta_lasts_minutes = 1801".into(), "crl.delta_lasts_minutes: must be at most full_hours"),
        ("crl.scope.a.delta_lasts_minutes = 15".into(), "crl.scope.\"a\".delta_lasts_minutes: must be more than"),
        ("crl.scope.a.full_hours = 0".into(), "crl.scope.\"a\".full_hours: must be 25 to 720"),
        ("crl.scope.a.store = 'x'".into(), "unknown field `store`"),
        ("crl.scope.\"../a\" = {}".into(), "crl.scope: '../a' is no path: parts of A-Z"),
        ("crl.spread_minutes = 61".into(), "crl.spread_minutes: must be at most 60"),
        ("crl.dated_by_day = ['moved']".into(), "crl.dated_by_day: 'moved' is not a revocation reason (one of"),
        (
            "crl.urgent_reasons = ['certificateHold']".into(),
            "crl.urgent_reasons: certificateHold is no reason of a revocation: leave it out",
        ),
        ("crl.expired_since = '2026-04-01'".into(), "crl.expired_since: '2026-04-01' is not a time such as"),
        ("crl.threads = 1025".into(), "crl.threads: must be 0"),
        ("crl.combined = {certificate = 'c'}".into(), "missing field `key`"),
        (external("root") + &external("root"), "crl.external.path: 'root' stands there twice: leave one out"),
        (external("combined"), "crl.external.path: 'combined' is the path of the combined CRL: name another"),
        (external("../tip"), "crl.external.path: '../tip' is no path: parts of A-Z"),
        (
            external("root") + "[crl.scope.root]\nfull_at = '01:00'",
            "crl.scope: 'root' is signed elsewhere, when whoever signs it likes: leave its hours out",
        ),
    ] {
        let error = parse(&format!("ledger.url = 'sqlite:x'\n{text}")).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn parties_are_told_apart_and_everything_that_is_wrong_with_them_is_told() {
    let party = |line: &str| format!("[[party]]\nname = 'a'\nservices = ['x']\naddresses = ['::1']\n{line}\n");
    let all = |text: &str| parse(&format!("ledger.url = 'sqlite:x'\n{text}"));
    let config = all(&party("accredited = true")).unwrap();
    assert_eq!(config.parties.parties()[0].rank, Rank::Accredited);
    assert_eq!(all(&party("")).unwrap().parties.parties()[0].rank, Rank::Anonymous);
    for (text, says) in [
        (party("") + &party(""), "party: there are two parties named 'a'"),
        (party("").replace("'x'", ""), "party: party 'a' has no services"),
        (party("").replace("'::1'", ""), "party: party 'a' has no addresses"),
        (party("").replace("'x'", "'x', 'x'"), "party: party 'a' has two services named 'x'"),
        (party("").replace("::1", "10.0.0.1/8"), "party: party 'a': '10.0.0.1/8' has bits behind its prefix"),
        (party("").replace("'x'", "'X'"), "party: party 'a': 'X' is no name"),
        (party("").replace("'a'", "'a b'"), "party: 'a b' is no name"),
        (party("adresses = []"), "unknown field `adresses`"),
    ] {
        let error = all(&text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}
