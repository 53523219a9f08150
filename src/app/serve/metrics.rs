//! The metrics: one table of names, kinds, help and values, in the text format of Prometheus. Asked by the clerk.
//!
//! `docs/METRICS.md` tells what each is good for; a test holds it against what is told here.

use std::fmt::Write as _;

use super::crl_sign::{CrlSign, left};
use super::issuer_sign::IssuerSign;
use super::vitals::{Following, Lead, Signs};
use crate::http::{FileCounts, Readiness};
use crate::model::Time;
use crate::parties::{Account, Outcome};
use crate::responder::Figures;
use crate::status::{ReadTo, Tier};

/// What there is to tell, seen at once.
pub(super) struct Seen<'a> {
    pub now: Time,
    pub signs: Signs,
    pub ready: Readiness,
    /// Of the responder, once there is one.
    pub figures: Option<(Figures, ReadTo)>,
    pub answers: Vec<(Account<'a>, Outcome, u64)>,
    pub refusals: Vec<(&'static str, u64)>,
    pub files: &'a FileCounts,
    pub connections: usize,
}

/// All of it as text. What isn't known yet has no value.
pub(super) fn exposition(seen: &Seen<'_>) -> String {
    let mut text = String::with_capacity(16 * 1024);
    for Metric { name, kind, help, of } in METRICS {
        // Writing to a string can't fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
        for Sample { labels, value } in of(seen) {
            let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    }
    text
}

/// One metric.
struct Metric {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    of: fn(&Seen<'_>) -> Vec<Sample>,
}

enum Kind {
    Counter,
    Gauge,
}

/// One value, with what tells it from the others of its metric.
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: String,
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

const fn counter(name: &'static str, help: &'static str, of: fn(&Seen<'_>) -> Vec<Sample>) -> Metric {
    Metric { name, kind: Kind::Counter, help, of }
}

const fn gauge(name: &'static str, help: &'static str, of: fn(&Seen<'_>) -> Vec<Sample>) -> Metric {
    Metric { name, kind: Kind::Gauge, help, of }
}

/// The table, in the order in which it is told.
static METRICS: &[Metric] = &[
    counter(
        "tashika_answers_total",
        "Questions by what became of them: one for each certificate in a signed answer, one for each request without one.",
        |seen| seen.answers.iter().map(|(account, outcome, count)| of_account(account, *outcome, *count)).collect(),
    ),
    counter("tashika_refusals_total", "Unsigned OCSP answers by their cause.", |seen| {
        seen.refusals.iter().map(|(cause, count)| by("cause", cause, count)).collect()
    }),
    counter("tashika_files_total", "Requests for files by what became of them.", |seen| {
        seen.files.sums().iter().map(|(outcome, count)| by("outcome", outcome, count)).collect()
    }),
    counter("tashika_file_octets_total", "Octets of files that were handed to sockets.", |seen| {
        alone(seen.files.octets())
    }),
    gauge("tashika_files_sending", "Files that are on their way.", |seen| alone(seen.files.sending())),
    counter("tashika_signed_now_total", "Answers signed when they were asked for.", |seen| {
        figure(seen, |figures| figures.signed_now)
    }),
    counter("tashika_replies_kept_total", "Signatures that were put into the table.", |seen| {
        figure(seen, |figures| figures.kept)
    }),
    counter(
        "tashika_replies_overtaken_total",
        "Signatures that a change of status, or a newer one, had overtaken.",
        |seen| figure(seen, |figures| figures.overtaken),
    ),
    counter("tashika_replies_not_kept_total", "Signatures for which the table had no room.", |seen| {
        figure(seen, |figures| figures.not_kept)
    }),
    counter("tashika_signer_failures_total", "Signatures that a key failed to make.", |seen| {
        figure(seen, |figures| figures.signer_failed)
    }),
    gauge("tashika_waiting", "Requests that wait for a signature, by rank.", |seen| {
        let of = |(figures, _): &(Figures, ReadTo)| {
            let Figures { waiting_accredited, waiting_anonymous, .. } = figures;
            [by("rank", "accredited", waiting_accredited), by("rank", "anonymous", waiting_anonymous)]
        };
        seen.figures.iter().flat_map(of).collect()
    }),
    gauge("tashika_replies_beside", "Replies in unusual forms that are kept beside the table.", |seen| {
        figure(seen, |figures| figures.beside as u64)
    }),
    gauge("tashika_connections_open", "Open connections of the public listener.", |seen| alone(seen.connections)),
    gauge("tashika_lag_seconds", "Seconds since what is known of the ledger was true.", |seen| {
        let Following::Reading { freshness, .. } = &seen.signs.answers.following else { return Vec::new() };
        freshness.lag(seen.now).into_iter().flat_map(|lag| alone(lag.0)).collect()
    }),
    gauge("tashika_tier", "1 for the tier in which answers are given.", |seen| {
        let is = |tier| u8::from(tier == tier_of(seen));
        let tiers = [("fresh", Tier::Fresh), ("degraded", Tier::Degraded), ("past", Tier::Past)];
        tiers.map(|(name, tier)| by("tier", name, is(tier))).into()
    }),
    gauge("tashika_epoch", "The ledger's epoch, as far as it was read.", |seen| {
        seen.figures.iter().flat_map(|(_, read_to)| alone(read_to.epoch)).collect()
    }),
    gauge("tashika_position", "How far the ledger was read.", |seen| {
        seen.figures.iter().flat_map(|(_, read_to)| alone(read_to.position)).collect()
    }),
    gauge("tashika_leads", "1 if this process writes the ledger.", |seen| {
        alone(u8::from(seen.signs.lead == Lead::Mine))
    }),
    gauge(
        "tashika_residual_good_window_seconds",
        "For how long a good answer could still be believed if its certificate were revoked now.",
        |seen| by_issuer(seen, |issuer| issuer.window(seen.now)),
    ),
    gauge(
        "tashika_residual_good_ahead_seconds",
        "For how long a good answer about a certificate that is revoked or held may still be believed, at the worst.",
        |seen| by_issuer(seen, |issuer| issuer.ahead(seen.now)),
    ),
    gauge("tashika_signer_left_hours", "Hours until the signer's certificate ends; 0 without a signer.", |seen| {
        let left = |until: Time| (until.unix() - seen.now.unix()).max(0) as f64 / 3_600.0;
        by_issuer(seen, |issuer| issuer.not_after.map_or(0.0, left))
    }),
    gauge("tashika_crl_round", "The number of the round of CRLs that counts.", |seen| {
        of_crls(seen, |crls, _| Some(crls.round.as_ref()?.0.clone()))
    }),
    gauge("tashika_crl_round_age_seconds", "Seconds since the ledger time that the round reflects.", |seen| {
        of_crls(seen, |crls, now| Some(-left(crls.round.as_ref()?.1, now)))
    }),
    gauge("tashika_crl_paths", "Paths with CRLs.", |seen| alone(seen.signs.crls.places)),
    gauge("tashika_crl_octets", "Octets of all CRLs that count.", |seen| alone(seen.signs.crls.octets)),
    gauge("tashika_crl_full_left_seconds", "Seconds until the first full CRL ends; negative if one has.", |seen| {
        of_crls(seen, |crls, now| Some(left(crls.full_until.as_ref()?.1, now)))
    }),
    gauge("tashika_crl_delta_left_seconds", "Seconds until the first delta ends; negative if one has.", |seen| {
        of_crls(seen, |crls, now| Some(left(crls.delta_until.as_ref()?.1, now)))
    }),
    gauge("tashika_crl_publishes", "1 if this process publishes CRLs.", |seen| alone(u8::from(seen.signs.crls.leads))),
    gauge("tashika_crl_refused", "Paths where a CRL is due and was not exposed.", |seen| {
        alone(seen.signs.crls.refused.len())
    }),
    gauge("tashika_crl_without_key", "Paths that should have CRLs of this process and can't.", |seen| {
        alone(seen.signs.crls.without.len())
    }),
    gauge("tashika_crl_large", "Complete CRLs beyond half of their budget.", |seen| alone(seen.signs.crls.large.len())),
    counter("tashika_crl_rounds_total", "Rounds of CRLs that this process published.", |seen| {
        alone(seen.signs.crls.made.rounds)
    }),
    counter("tashika_crl_published_total", "CRLs in these rounds.", |seen| alone(seen.signs.crls.made.crls)),
    counter("tashika_crl_published_octets_total", "Octets of these CRLs.", |seen| alone(seen.signs.crls.made.octets)),
    gauge("tashika_crl_round_seconds", "Seconds that the last of these rounds took.", |seen| {
        of_crls(seen, |crls, _| Some(crls.made.last?.as_secs_f64()))
    }),
    gauge("tashika_ready", "1 if /readyz says yes.", |seen| {
        alone(u8::from(matches!(seen.ready, Readiness::Ready { .. })))
    }),
    gauge("tashika_readiness_obstacle", "1 for each obstacle that /readyz names.", |seen| {
        OBSTACLES.iter().map(|kind| by("kind", kind, u8::from(stands(seen, kind)))).collect()
    }),
];

fn of_account(account: &Account<'_>, outcome: Outcome, count: u64) -> Sample {
    let (party, service) = match account {
        Account::Party { party, service } => (*party, *service),
        // No party has an empty name.
        Account::Strangers => ("", ""),
    };
    let labels = [("party", party), ("service", service), ("outcome", outcome.name())];
    Sample { labels: labels.map(|(name, value)| (name, value.to_owned())).into(), value: count.to_string() }
}

fn alone(value: impl ToString + Copy) -> Vec<Sample> {
    vec![Sample { labels: Vec::new(), value: value.to_string() }]
}

fn by(label: &'static str, name: &str, value: impl ToString + Copy) -> Sample {
    Sample { labels: vec![(label, name.to_owned())], value: value.to_string() }
}

fn by_issuer<V: ToString + Copy>(seen: &Seen<'_>, of: impl Fn(&IssuerSign) -> V) -> Vec<Sample> {
    seen.signs.answers.issuers.iter().map(|issuer| by("issuer", &issuer.name, of(issuer))).collect()
}

fn figure(seen: &Seen<'_>, of: fn(&Figures) -> u64) -> Vec<Sample> {
    seen.figures.iter().flat_map(|(figures, _)| alone(of(figures))).collect()
}

/// What isn't known yet has no value.
fn of_crls<V: ToString>(seen: &Seen<'_>, of: impl Fn(&CrlSign, Time) -> Option<V>) -> Vec<Sample> {
    let sample = |value: V| Sample { labels: Vec::new(), value: value.to_string() };
    of(&seen.signs.crls, seen.now).map(sample).into_iter().collect()
}

fn tier_of(seen: &Seen<'_>) -> Tier {
    match &seen.signs.answers.following {
        Following::Reading { freshness, tiers } => freshness.tier(seen.now, *tiers),
        Following::Starting | Following::Frozen(_) => Tier::Past,
    }
}

fn stands(seen: &Seen<'_>, kind: &str) -> bool {
    let (Readiness::Ready { obstacles, .. } | Readiness::NotReady { obstacles }) = &seen.ready;
    obstacles.iter().any(|obstacle| obstacle.kind == kind)
}

/// Backslash, quote and line feed, as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Every obstacle that `vitals` and `crl_sign` name.
pub(super) const OBSTACLES: [&str; 24] = [
    "answers-frozen",
    "answers-too-old",
    "checkpoint-disagrees",
    "checkpoint-failing",
    "clock-ahead",
    "clock-behind",
    "clock-distrusted",
    "crl-expired",
    "crl-failing",
    "crl-large",
    "crl-late",
    "crl-refused",
    "crl-without-key",
    "desk-failing",
    "heartbeat-old",
    "ledger-frozen",
    "ledger-unreachable",
    "mark-failing",
    "no-leader",
    "no-signer",
    "reading",
    "stalled",
    "starting",
    "stopping",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Obstacle;
    use crate::model::{IssuerNo, Seconds};
    use crate::publisher::Published;
    use crate::responder::Promise;

    fn seen(signs: Signs, ready: Readiness, files: &FileCounts) -> Seen<'_> {
        let answers = vec![(Account::Party { party: "a", service: "b" }, Outcome::Good, 7)];
        let now = Time::from_unix(1_800_000_000).unwrap();
        Seen { now, signs, ready, figures: None, answers, refusals: vec![("full", 2)], files, connections: 3 }
    }

    #[test]
    fn what_is_seen_is_told_with_its_labels() {
        let mut signs = Signs::default();
        let promises = vec![Promise { validity: Seconds(600), until: None }];
        let not_after = Time::from_unix(1_800_000_000 + 5_400).ok();
        let name = "quo\"te".to_owned();
        signs.answers.issuers =
            vec![IssuerSign { no: IssuerNo(1), name, kind: None, not_after, promises, changed: None }];
        let not = Readiness::NotReady { obstacles: vec![Obstacle { kind: "stalled", detail: "x".into() }] };
        let time = |ahead: i64| Time::from_unix(1_800_000_000 + ahead).unwrap();
        signs.crls.round = Some(("41".into(), time(-9)));
        signs.crls.full_until = Some(("a".into(), time(7)));
        signs.crls.delta_until = Some(("a".into(), time(-3)));
        signs.crls.refused = vec![("a".into(), "x".into()); 2];
        let published = Published { number: 41.into(), crls: 3, entries: 0, octets: 900, refused: Vec::new() };
        signs.crls.made.count(&published, std::time::Duration::from_millis(250));
        let nothing = Published { crls: 0, octets: 0, ..published };
        signs.crls.made.count(&nothing, std::time::Duration::from_secs(5));
        let text = exposition(&seen(signs, not, &FileCounts::default()));
        for line in [
            "tashika_answers_total{party=\"a\",service=\"b\",outcome=\"good\"} 7",
            "tashika_refusals_total{cause=\"full\"} 2",
            "tashika_files_total{outcome=\"whole\"} 0",
            "tashika_connections_open 3",
            "tashika_tier{tier=\"past\"} 1",
            "tashika_residual_good_window_seconds{issuer=\"quo\\\"te\"} 600",
            "tashika_signer_left_hours{issuer=\"quo\\\"te\"} 1.5",
            "tashika_crl_round 41",
            "tashika_crl_round_age_seconds 9",
            "tashika_crl_full_left_seconds 7",
            "tashika_crl_delta_left_seconds -3",
            "tashika_crl_publishes 0",
            "tashika_crl_refused 2",
            "tashika_crl_rounds_total 1",
            "tashika_crl_published_total 3",
            "tashika_crl_published_octets_total 900",
            "tashika_crl_round_seconds 0.25",
            "tashika_ready 0",
            "tashika_readiness_obstacle{kind=\"stalled\"} 1",
            "tashika_readiness_obstacle{kind=\"starting\"} 0",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
        }
        assert!(!text.lines().any(|told| told.starts_with("tashika_position ")), "what isn't known has no value");
    }

    #[test]
    fn every_obstacle_that_can_be_named_has_its_gauge() {
        let words = |source: &'static str| {
            let code = source.split("#[cfg(test)]").next().unwrap();
            code.split('"').skip(1).step_by(2).collect::<Vec<_>>()
        };
        let is_kind =
            |text: &&str| text.len() > 4 && text.bytes().all(|letter| letter == b'-' || letter.is_ascii_lowercase());
        let mut named: std::collections::BTreeSet<_> =
            words(include_str!("vitals.rs")).into_iter().filter(is_kind).collect();
        named.extend(words(include_str!("crl_sign.rs")).into_iter().filter(|word| word.starts_with("crl-")));
        assert_eq!(named.into_iter().collect::<Vec<_>>(), OBSTACLES);
    }
}
