//! How CRLs are published, as it is written, and what the publisher runs with. Part of reading a configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::place::StorePlace;
use super::{Faults, Threads};
use crate::model::{DatedByDay, Reason, ReasonError, Seconds, Time};
use crate::publisher::{Deltas, Expired, is_path};
use crate::status::LossDates;

/// How CRLs are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlSettings {
    /// What this process does about them.
    pub role: CrlRole,
    /// Where they are kept.
    pub store: StorePlace,
    /// For every path that has nothing of its own.
    pub hours: Hours,
    /// For paths that have.
    pub own_hours: BTreeMap<String, Hours>,
    /// By how much the hours of places may differ.
    pub spread: Seconds,
    /// For which reasons the day is said, not the second.
    pub dates: DatedByDay,
    /// What becomes of entries whose certificates have expired.
    pub expired: Expired,
    /// Whether times of loss are told.
    pub losses: LossDates,
    /// Whether a CRL says up to which event it speaks.
    pub tells_position: bool,
    /// For which reasons a delta is issued at once.
    pub urgent: BTreeSet<Reason>,
    /// The budget, in octets, of an issuer's complete CRL beside its scopes'; none: there is no such CRL.
    pub complete: Option<u64>,
    /// How many threads build.
    pub threads: Threads,
    /// Who signs the combined CRL and the index.
    pub combined: Option<SignerFiles>,
    /// CRLs that are signed elsewhere.
    pub external: Vec<External>,
}

/// What a process does about CRLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrlRole {
    /// Nothing.
    Off,
    /// It publishes whatever it has keys for, while no other process does, and serves what is published.
    #[default]
    Publish,
    /// It serves what others publish.
    Serve,
}

/// When CRLs of a place are issued, and how long they last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The second of the day, in Japan, at which full CRLs are due.
    pub full_at: u32,
    /// How long one lasts.
    pub full_for: Seconds,
    /// Deltas, if there are any.
    pub deltas: Option<Deltas>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// A CRL that is signed elsewhere, such as an offline root's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its path.
    pub path: String,
    /// Where somebody puts it.
    pub file: PathBuf,
    /// The certificate of whoever signs it.
    pub certificate: PathBuf,
}

/// `[crl]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct RawCrl {
    role: CrlRole,
    /// A folder, or `s3://BUCKET/PREFIX`; the same for all processes of a fleet.
    store: String,
    /// Of a bucket.
    endpoint: Option<String>,
    /// Of a bucket.
    region: Option<String>,
    full_at: Option<String>,
    full_hours: Option<u32>,
    delta_minutes: Option<u32>,
    delta_lasts_minutes: Option<u32>,
    /// More: the load is spread further; less: all CRLs are of the same minute.
    spread_minutes: u32,
    /// Fewer: dates are exact; more: nobody can tell from equal seconds that certificates are one person's.
    dated_by_day: Vec<String>,
    /// Since when expired certificates stay listed; without it they are dropped after one regular full CRL.
    expired_since: Option<String>,
    /// Accepted times of loss are somebody's word, and everybody reads a CRL.
    times_of_loss: bool,
    tells_position: bool,
    urgent_reasons: Vec<String>,
    /// 0: none. Clients that refuse partitioned CRLs need it.
    complete_max_mb: u64,
    /// 0: one for each core.
    threads: u16,
    combined: Option<RawSigner>,
    external: Vec<RawExternal>,
    /// `[crl.scope."PATH"]`.
    scope: BTreeMap<String, RawHours>,
}

/// What may differ from path to path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct RawHours {
    /// In Japan.
    full_at: Option<String>,
    /// Longer: an outage of the publisher is survived; shorter: an old CRL counts for less long.
    full_hours: Option<u32>,
    /// 0: no deltas.
    delta_minutes: Option<u32>,
    delta_lasts_minutes: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a certificate and a key")]
struct RawSigner {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a path, a file and a certificate")]
struct RawExternal {
    path: String,
    file: PathBuf,
    certificate: PathBuf,
}

impl CrlSettings {
    /// When CRLs of a path are issued.
    pub fn hours_of(&self, path: &str) -> Hours {
        self.own_hours.get(path).copied().unwrap_or(self.hours)
    }
}

impl Default for RawCrl {
    fn default() -> Self {
        let days: Vec<_> = DatedByDay::default().reasons().map(|reason| reason.to_string()).collect();
        Self {
            role: CrlRole::default(),
            store: "crl".into(),
            endpoint: None,
            region: None,
            full_at: None,
            full_hours: None,
            delta_minutes: None,
            delta_lasts_minutes: None,
            spread_minutes: 2,
            dated_by_day: days,
            expired_since: None,
            times_of_loss: false,
            tells_position: false,
            urgent_reasons: vec![Reason::CaCompromise.to_string()],
            complete_max_mb: 40,
            threads: 0,
            combined: None,
            external: Vec::new(),
            scope: BTreeMap::new(),
        }
    }
}

impl RawCrl {
    /// The settings, those that are no good among them.
    pub(super) fn check(self, base: &Path, faults: &mut Faults) -> CrlSettings {
        let place = StorePlace::parse(&self.store, self.endpoint.as_deref(), self.region.as_deref(), base);
        let store = faults.or_else(place.map_err(|why| ("crl.store", why)), StorePlace::Directory(PathBuf::new()));
        let common = RawHours {
            full_at: self.full_at,
            full_hours: self.full_hours,
            delta_minutes: self.delta_minutes,
            delta_lasts_minutes: self.delta_lasts_minutes,
        };
        let hours = common.check("crl", USUAL, faults);
        let own_hours = self
            .scope
            .into_iter()
            .map(|(path, own)| (path.clone(), own.check(&format!("crl.scope.{path:?}"), hours, faults)));
        let own_hours: BTreeMap<_, _> = own_hours.collect();
        if self.spread_minutes > SPREAD_MINUTES_MAX {
            faults.add("crl.spread_minutes", "must be at most 60");
        }
        let expired = match self.expired_since.as_deref().map(str::parse::<Time>) {
            None => Expired::Dropped,
            Some(Ok(since)) => Expired::Kept { since },
            Some(Err(why)) => {
                faults.add("crl.expired_since", format!("{why}: write it so"));
                Expired::Dropped
            }
        };
        check_paths(&own_hours, &self.external, faults);
        CrlSettings {
            role: self.role,
            store,
            hours,
            own_hours,
            spread: Seconds(self.spread_minutes.min(SPREAD_MINUTES_MAX) * 60),
            dates: reasons("crl.dated_by_day", &self.dated_by_day, faults).into_iter().collect(),
            expired,
            losses: if self.times_of_loss { LossDates::Kept } else { LossDates::Ignored },
            tells_position: self.tells_position,
            urgent: reasons("crl.urgent_reasons", &self.urgent_reasons, faults),
            complete: (self.complete_max_mb > 0).then(|| self.complete_max_mb.saturating_mul(1_000_000)),
            threads: Threads::check(self.threads, "crl.threads", faults),
            combined: self
                .combined
                .map(|signer| SignerFiles { certificate: base.join(signer.certificate), key: base.join(signer.key) }),
            external: self
                .external
                .into_iter()
                .map(|one| External {
                    path: one.path,
                    file: base.join(one.file),
                    certificate: base.join(one.certificate),
                })
                .collect(),
        }
    }
}

impl RawHours {
    fn check(self, key: &str, usual: Hours, faults: &mut Faults) -> Hours {
        let full_at = match self.full_at.as_deref().map(time_of_day) {
            None => usual.full_at,
            Some(Some(second)) => second,
            Some(None) => {
                faults.add(format!("{key}.full_at"), "must be a time of day in Japan, such as \"03:00\"");
                usual.full_at
            }
        };
        let full_hours = self.full_hours.unwrap_or(usual.full_for.0 / 3600);
        if !(25..=24 * 30).contains(&full_hours) {
            let why = "must be 25 to 720: the next daily CRL must be there before the last one ends";
            faults.add(format!("{key}.full_hours"), why);
        }
        let every = self.delta_minutes.unwrap_or(usual.deltas.map_or(0, |deltas| deltas.every.0 / 60));
        let lasts = self.delta_lasts_minutes.unwrap_or(usual.deltas.map_or(3 * every, |deltas| deltas.last_for.0 / 60));
        if every > 24 * 60 {
            faults.add(format!("{key}.delta_minutes"), "must be at most 1,440; 0 means no deltas");
        }
        if every > 0 && lasts <= every {
            let why = "must be more than delta_minutes: the next delta must be there before the last one ends";
            faults.add(format!("{key}.delta_lasts_minutes"), why);
        }
        if every > 0 && lasts > full_hours.saturating_mul(60) {
            let why = "must be at most full_hours: a delta counts only beside the full CRL that it changes";
            faults.add(format!("{key}.delta_lasts_minutes"), why);
        }
        let deltas = (every > 0)
            .then(|| Deltas { every: Seconds(every.saturating_mul(60)), last_for: Seconds(lasts.saturating_mul(60)) });
        Hours { full_at, full_for: Seconds::hours(full_hours.min(24 * 30)), deltas }
    }
}

/// What is signed elsewhere has a path of its own, and the hours of whoever signs it.
fn check_paths(own_hours: &BTreeMap<String, Hours>, external: &[RawExternal], faults: &mut Faults) {
    let mut paths = BTreeSet::new();
    for RawExternal { path, .. } in external {
        let why = if !is_path(path) {
            IS_NO_PATH
        } else if path == COMBINED {
            "is the path of the combined CRL: name another"
        } else if !paths.insert(path) {
            "stands there twice: leave one out"
        } else {
            continue;
        };
        faults.add("crl.external.path", format!("'{}' {why}", path.escape_debug()));
    }
    for path in own_hours.keys() {
        let why = if !is_path(path) {
            IS_NO_PATH
        } else if paths.contains(path) {
            "is signed elsewhere, when whoever signs it likes: leave its hours out"
        } else {
            continue;
        };
        faults.add("crl.scope", format!("'{}' {why}", path.escape_debug()));
    }
}

fn reasons(key: &'static str, names: &[String], faults: &mut Faults) -> BTreeSet<Reason> {
    let mut reason = |name: &String| match name.parse::<Reason>() {
        Ok(reason) => Some(reason),
        Err(ReasonError::Hold) => {
            faults.add(key, "certificateHold is no reason of a revocation: leave it out");
            None
        }
        Err(why) => {
            faults.add(key, format!("{why}: correct it"));
            None
        }
    };
    names.iter().filter_map(&mut reason).collect()
}

/// `HH:MM` as seconds.
fn time_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: u32| {
        let digits = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| digits && *number < below)
    };
    Some(number(hours, 24)? * 3600 + number(minutes, 60)? * 60)
}

/// Daily, before people get up; with a delta every quarter of an hour.
const USUAL: Hours = Hours {
    full_at: 3 * 3600,
    full_for: Seconds::hours(30),
    deltas: Some(Deltas { every: Seconds(15 * 60), last_for: Seconds(45 * 60) }),
};
const SPREAD_MINUTES_MAX: u32 = 60;
const IS_NO_PATH: &str = "is no path: parts of A-Z, a-z, 0-9, '.', '-' and '_' between slashes, 255 characters at most";
/// The path of the combined CRL.
const COMBINED: &str = "combined";
