//! How answers are made, as it is written, and what the responder runs with. Part of reading a configuration.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Faults, Threads};
use crate::model::Seconds;
use crate::responder::{Forms, HOT_FOR, Named, NotIssued, Policy, Presign, Profile};
use crate::status::Tiers;

/// How answers are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspSettings {
    /// For every issuer that has nothing of its own.
    pub default: Policy,
    /// For issuers that have, by name.
    pub issuers: BTreeMap<String, Policy>,
    /// For how long a certificate that was asked for counts as hot, where that matters.
    pub hot_for: Seconds,
    /// How fresh what is known must be.
    pub tiers: Tiers,
    /// How many threads sign.
    pub sign_threads: Threads,
    /// How often a snapshot is written, from which a restart begins.
    pub snapshot_every: Seconds,
}

/// `[ocsp]`. What may differ from issuer to issuer is written alike in `[ocsp.issuer.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct RawOcsp {
    profile: Option<RawProfile>,
    validity_seconds: Option<u32>,
    presign: Option<RawPresign>,
    /// Longer: more of those who come back find their answer signed; shorter: fewer signatures.
    hot_for_seconds: Option<u32>,
    precompute_certid: Option<RawForms>,
    responder_id: Option<RawNamed>,
    not_issued: Option<RawNotIssued>,
    /// Lower: an ailing ledger is told of earlier; higher: a pause of it isn't.
    fresh_for_seconds: Option<u32>,
    /// Longer: answers go on for longer without the ledger; shorter: a loss is hidden for less long by its failure.
    answer_until_seconds: Option<u32>,
    /// 0: one for each two cores. More: a storm of nonces is answered faster, and kept answers slower.
    sign_threads: u16,
    /// Shorter: a restart has fewer events to catch up with; longer: less is written to the disk.
    snapshot_every_seconds: Option<u32>,
    issuer: BTreeMap<String, RawPolicy>,
}

/// `[ocsp.issuer.NAME]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct RawPolicy {
    /// `national`: a loss is in the next answer; `web`: caches everywhere spare the responder, and keep answers for days.
    profile: Option<RawProfile>,
    /// Longer: fewer signatures, and answers last through an outage; shorter: an answer given before a loss ends sooner.
    validity_seconds: Option<u32>,
    /// `all`: nobody waits for a signature; `hot`: only who returns doesn't; `off`: fewest signatures, most waiting.
    presign: Option<RawPresign>,
    /// `both` costs twice the signatures and memory.
    precompute_certid: Option<RawForms>,
    /// `key` is short and what RFC 9919 wants; `name` is for old clients.
    responder_id: Option<RawNamed>,
    /// `unknown` says what is so; `unauthorized` costs no signature; `revoked` is for clients that take unknown for good.
    not_issued: Option<RawNotIssued>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawProfile {
    National,
    Web,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawPresign {
    All,
    Hot,
    Off,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawForms {
    Both,
    Sha1,
    Sha256,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawNamed {
    Key,
    Name,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawNotIssued {
    Revoked,
    Unauthorized,
    Unknown,
}

impl OcspSettings {
    /// How answers about this issuer's certificates are made.
    pub fn policy_of(&self, issuer: &str) -> Policy {
        self.issuers.get(issuer).copied().unwrap_or(self.default)
    }
}

impl RawOcsp {
    /// The settings, those that are no good among them.
    pub(super) fn check(&self, faults: &mut Faults) -> OcspSettings {
        let hot_for = self.hot_for_seconds.map_or(HOT_FOR, Seconds);
        if !(1..=HOT_SECONDS_MAX).contains(&hot_for.0) {
            faults.add("ocsp.hot_for_seconds", "must be 1 to 2,592,000 (30 days)");
        }
        let default = self.common().over(Policy::of(Profile::National), hot_for, "ocsp", faults);
        let issuers = self.issuer.iter().map(|(name, raw)| {
            let policy = raw.over(default, hot_for, &format!("ocsp.issuer.{name}"), faults);
            (name.clone(), policy)
        });
        let issuers: BTreeMap<_, _> = issuers.collect();
        let shortest = issuers.values().map(|policy| policy.validity).chain([default.validity]).min();
        let tiers = self.tiers(shortest.unwrap_or(default.validity), faults);
        let sign_threads = Threads::check(self.sign_threads, "ocsp.sign_threads", faults);
        let snapshot_every = Seconds(self.snapshot_every_seconds.unwrap_or(SNAPSHOT_EVERY));
        if !(10..=86_400).contains(&snapshot_every.0) {
            faults.add("ocsp.snapshot_every_seconds", "must be 10 to 86,400 (a day)");
        }
        OcspSettings { default, issuers, hot_for, tiers, sign_threads, snapshot_every }
    }

    /// What [`RawPolicy`] says for one issuer, for all.
    fn common(&self) -> RawPolicy {
        let Self { profile, validity_seconds, presign, precompute_certid, responder_id, not_issued, .. } = *self;
        RawPolicy { profile, validity_seconds, presign, precompute_certid, responder_id, not_issued }
    }

    /// The bounds of what is known, for answers of which the shortest are valid for so long.
    fn tiers(&self, shortest: Seconds, faults: &mut Faults) -> Tiers {
        let usual = Tiers::default();
        let half = Seconds((shortest.0 / 2).min(usual.answer_until.0));
        let tiers = Tiers {
            fresh_for: self.fresh_for_seconds.map_or(usual.fresh_for, Seconds),
            answer_until: self.answer_until_seconds.map_or(half, Seconds),
        };
        if tiers.fresh_for < Seconds(2) {
            faults.add("ocsp.fresh_for_seconds", "must be at least 2: the heart beats about once a second");
        }
        if tiers.answer_until > shortest {
            let why = format!(
                "must be at most {}, the shortest validity: such an answer would be over when it is given",
                shortest.0
            );
            faults.add("ocsp.answer_until_seconds", why);
        }
        if tiers.fresh_for > tiers.answer_until {
            let why = format!("must be at most ocsp.answer_until_seconds, which is {}", tiers.answer_until.0);
            faults.add("ocsp.fresh_for_seconds", why);
        }
        tiers
    }
}

impl RawPolicy {
    /// What is said here, and `base` for the rest. A profile named here brings its own validity.
    fn over(&self, base: Policy, hot_for: Seconds, at: &str, faults: &mut Faults) -> Policy {
        let profile = self.profile.map(|profile| match profile {
            RawProfile::National => Profile::National,
            RawProfile::Web => Profile::Web,
        });
        let validity = match (self.validity_seconds, profile) {
            (Some(seconds), _) => Seconds(seconds),
            (None, Some(profile)) => profile.validity(),
            (None, None) => base.validity,
        };
        if !(VALIDITY_MIN..=VALIDITY_MAX).contains(&validity) {
            faults.add(format!("{at}.validity_seconds"), "must be 10 to 864,000 (10 days)");
        }
        let presign = self.presign.map(|presign| match presign {
            RawPresign::All => Presign::All,
            RawPresign::Hot => Presign::Hot(hot_for),
            RawPresign::Off => Presign::Off,
        });
        let forms = self.precompute_certid.map(|forms| match forms {
            RawForms::Both => Forms::Both,
            RawForms::Sha1 => Forms::Sha1,
            RawForms::Sha256 => Forms::Sha256,
        });
        let named = self.responder_id.map(|named| match named {
            RawNamed::Key => Named::ByKey,
            RawNamed::Name => Named::ByName,
        });
        let not_issued = self.not_issued.map(|not_issued| match not_issued {
            RawNotIssued::Revoked => NotIssued::Revoked,
            RawNotIssued::Unauthorized => NotIssued::Unauthorized,
            RawNotIssued::Unknown => NotIssued::Unknown,
        });
        let base_presign = match base.presign {
            Presign::Hot(_) => Presign::Hot(hot_for),
            other => other,
        };
        Policy {
            profile: profile.unwrap_or(base.profile),
            validity,
            presign: presign.unwrap_or(base_presign),
            forms: forms.unwrap_or(base.forms),
            named: named.unwrap_or(base.named),
            not_issued: not_issued.unwrap_or(base.not_issued),
        }
    }
}

/// Shorter answers would be over while clocks disagree.
const VALIDITY_MIN: Seconds = Seconds(10);
/// CA/Browser Forum BR 4.9.9.
const VALIDITY_MAX: Seconds = Seconds(864_000);
/// Whoever comes once a month.
const SNAPSHOT_EVERY: u32 = 900;
const HOT_SECONDS_MAX: u32 = 2_592_000;
