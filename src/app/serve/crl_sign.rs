//! How it is with the CRLs: what the thread that publishes or follows them last saw, and what that means for who asks
//! `/readyz`. None of it keeps answers from being given; all of it is told.

use std::time::Duration;

use crate::app::config::CrlSettings;
use crate::http::Obstacle;
use crate::model::{Seconds, Time};
use crate::publisher::{Index, IsDelta, Issue, Published};

/// What was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CrlSign {
    /// The round that counts: its number, and the ledger time that it reflects.
    pub round: Option<(String, Time)>,
    /// Whether this process publishes.
    pub leads: bool,
    /// Paths with CRLs.
    pub places: usize,
    /// Octets of all of them.
    pub octets: u64,
    /// The path whose full CRL ends first, and when.
    pub full_until: Option<(String, Time)>,
    /// The path whose delta ends first, and when.
    pub delta_until: Option<(String, Time)>,
    /// The one that is to be followed by another first.
    pub next: Option<Ending>,
    /// Why nothing can be published or followed at the moment.
    pub trouble: Option<String>,
    /// What isn't exposed although it is due, by path, and why.
    pub refused: Vec<(String, String)>,
    /// What has no CRL of this process although it should, and why.
    pub without: Vec<(String, String)>,
    /// What grows out of its budget, by path.
    pub large: Vec<(String, String)>,
    /// What this process has published.
    pub made: Made,
}

/// A CRL that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Its path, with its ending.
    pub path: String,
    /// From when on it is too long that no other has come.
    pub late_from: Time,
    /// Its nextUpdate.
    pub until: Time,
}

/// What a process has published since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    /// Rounds in which something was exposed.
    pub rounds: u64,
    /// CRLs.
    pub crls: u64,
    /// Octets of them.
    pub octets: u64,
    /// How long the last of these rounds took.
    pub last: Option<Duration>,
}

impl Made {
    /// Counts a round, if anything came of it.
    pub fn count(&mut self, published: &Published, took: Duration) {
        if published.crls > 0 {
            self.rounds += 1;
            self.crls += published.crls as u64;
            self.octets += published.octets;
            self.last = Some(took);
        }
    }
}

impl CrlSign {
    /// Notes what is published.
    pub fn see(&mut self, index: &Index, settings: &CrlSettings) {
        self.round = Some((index.number.to_string(), index.time));
        self.places = index.slots.len();
        self.octets = index.issues().map(|(_, _, issue)| issue.size).sum();
        let first = |ends: &mut dyn Iterator<Item = (&String, Time)>| {
            ends.min_by_key(|(_, end)| *end).map(|(path, end)| (path.clone(), end))
        };
        self.full_until = first(&mut index.slots.iter().map(|slot| (&slot.path, slot.full.next_update)));
        let deltas = index.slots.iter().filter_map(|slot| Some((&slot.path, slot.delta.as_ref()?.next_update)));
        self.delta_until = first(&mut { deltas });
        let late = index.issues().map(|(listing, is_delta, issue)| {
            (issue.next_update - notice(&listing.path, is_delta, issue, settings), listing, is_delta, issue)
        });
        self.next = late.min_by_key(|(late_from, ..)| *late_from).map(|(late_from, listing, is_delta, issue)| Ending {
            path: format!("{}{}", listing.path, is_delta.ending()),
            late_from,
            until: issue.next_update,
        });
    }

    /// What is worth a line of the log, compared with what was seen before.
    pub fn changes(before: &Self, after: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        match (&before.trouble, &after.trouble) {
            (None, Some(why)) => lines.push(format!("CRLs are neither published nor followed: {why}")),
            (Some(_), None) => lines.push("CRLs are published or followed again".to_owned()),
            (None, None) | (Some(_), Some(_)) => {}
        }
        if before.leads != after.leads {
            let leads = if after.leads { "publishes CRLs now" } else { "publishes CRLs no longer" };
            lines.push(leads.to_owned());
        }
        for (old, new, what) in [
            (&before.refused, &after.refused, "CRL refused"),
            (&before.without, &after.without, "no CRL"),
            (&before.large, &after.large, "large CRL"),
        ] {
            let news = new.iter().filter(|(path, _)| !old.iter().any(|(known, _)| known == path)).collect::<Vec<_>>();
            lines.extend(news.iter().take(LINES_MAX).map(|(path, why)| format!("{what}: {path}: {why}")));
            if news.len() > LINES_MAX {
                lines.push(format!("{what}: {} more", news.len() - LINES_MAX));
            }
        }
        lines
    }

    /// What is wrong.
    pub fn obstacles(&self, now: Time) -> Vec<Obstacle> {
        let mut obstacles = Vec::new();
        let mut add = |kind, detail: String| obstacles.push(Obstacle { kind, detail });
        if let Some(why) = &self.trouble {
            add("crl-failing", why.clone());
        }
        for (until, what) in [(&self.full_until, "full CRL"), (&self.delta_until, "delta")] {
            if let Some((path, until)) = until.as_ref().filter(|(_, until)| *until <= now) {
                add("crl-expired", format!("the {what} at {path} ended at {until}"));
            }
        }
        if let Some(Ending { path, until, .. }) =
            self.next.as_ref().filter(|ending| ending.late_from <= now && now < ending.until)
        {
            add("crl-late", format!("{path} ends at {until}, and there is no next one"));
        }
        let several = |list: &[(String, String)]| match list.len() {
            0 | 1 => String::new(),
            more => format!(" (and {} more)", more - 1),
        };
        for (kind, list) in
            [("crl-refused", &self.refused), ("crl-without-key", &self.without), ("crl-large", &self.large)]
        {
            if let Some((path, why)) = list.first() {
                add(kind, format!("{path}: {why}{}", several(list)));
            }
        }
        obstacles
    }
}

/// Seconds until something ends; negative if it has.
pub(super) fn left(until: Time, now: Time) -> i64 {
    until.unix().saturating_sub(now.unix())
}

/// When a key is away, thousands of paths are refused at once.
const LINES_MAX: usize = 5;
/// How long before its end a CRL should have been followed by another. One lasts longer than to the next by its hours: of a
/// daily one half of that has passed in vain by then, of a delta two thirds. Of what is signed elsewhere, by people, a tenth
/// of its validity is left.
fn notice(path: &str, is_delta: IsDelta, issue: &Issue, settings: &CrlSettings) -> Seconds {
    let tenth = || Seconds(u32::try_from(issue.next_update.since(issue.this_update) / 10).unwrap_or(u32::MAX));
    if issue.reflects.is_none() {
        return tenth();
    }
    let hours = settings.hours_of(path);
    match (is_delta, hours.deltas) {
        (IsDelta::No, _) => Seconds(hours.full_for.0.saturating_sub(Seconds::days(1).0) / 2),
        (IsDelta::Yes, Some(deltas)) => Seconds(deltas.last_for.0.saturating_sub(deltas.every.0) / 3),
        (IsDelta::Yes, None) => tenth(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::Config;
    use crate::model::{CrlNumber, Epoch, LedgerId, Position};
    use crate::publisher::{At, Hex, Listing};

    fn at(seconds: u64) -> Time {
        Time::from_unix(1_800_000_000 + seconds as i64).unwrap()
    }

    fn issue(is_own: bool, base: Option<u64>, lasts: u64) -> Issue {
        Issue {
            number: 7.into(),
            base: base.map(CrlNumber::from),
            reflects: is_own.then_some(At { epoch: Epoch(0), position: Position(7) }),
            this_update: at(0),
            next_update: at(lasts),
            size: 400,
            sha256: Hex([0; 32]),
            url: String::new(),
        }
    }

    fn listing(path: &str, full: Issue, delta: Option<Issue>) -> Listing {
        Listing { path: path.into(), issuer: None, distribution_point: None, full, delta }
    }

    /// What is told so many seconds after these were issued, under these settings.
    fn told(settings: &str, slots: Vec<Listing>, after: u64) -> Vec<String> {
        let config = Config::parse(&format!("ledger.url = 'sqlite:x'\n{settings}"), "/t".as_ref()).unwrap();
        let mut sign = CrlSign::default();
        sign.see(&Index::new(LedgerId([7; 16]), 7.into(), at(0), None, slots), &config.crl);
        let told = sign.obstacles(at(after));
        told.iter()
            .map(|obstacle| format!("{} {}", obstacle.kind, obstacle.detail.split(' ').next().unwrap()))
            .collect()
    }

    #[test]
    fn a_crl_is_late_when_its_overlap_is_passing_in_vain_and_then_expired() {
        let (hour, minute) = (3_600, 60);
        let daily = || vec![listing("a", issue(true, None, 30 * hour), None)];
        assert_eq!(told("", daily(), 27 * hour - 1), [""; 0]);
        assert_eq!(told("", daily(), 27 * hour), ["crl-late a.crl"]);
        assert_eq!(told("", daily(), 30 * hour), ["crl-expired the"]);
        let short = || vec![listing("a", issue(true, None, 26 * hour), None)];
        assert_eq!(told("crl.full_hours = 26", short(), 25 * hour - 1), [""; 0], "at its hour nothing is late");
        assert_eq!(told("crl.scope.a.full_hours = 26", short(), 25 * hour), ["crl-late a.crl"]);
        let delta = |lasts: u64| vec![listing("a", issue(true, None, 30 * hour), Some(issue(true, Some(7), lasts)))];
        assert_eq!(told("", delta(45 * minute), 35 * minute - 1), [""; 0]);
        assert_eq!(told("", delta(45 * minute), 35 * minute), ["crl-late a.delta.crl"]);
        assert_eq!(told("", delta(45 * minute), 45 * minute), ["crl-expired the"]);
        let often = "crl = {delta_minutes = 5, delta_lasts_minutes = 15}";
        assert_eq!(told(often, delta(15 * minute), 11 * minute), [""; 0]);
        assert_eq!(told(often, delta(15 * minute), 12 * minute), ["crl-late a.delta.crl"]);
    }

    #[test]
    fn what_people_sign_elsewhere_is_late_with_a_tenth_of_its_validity_left() {
        let day = 86_400;
        let root = || vec![listing("root", issue(false, None, 100 * day), None)];
        assert_eq!(told("", root(), 90 * day - 1), [""; 0]);
        assert_eq!(told("", root(), 90 * day), ["crl-late root.crl"]);
        let both = || [root(), vec![listing("a", issue(true, None, 30 * 3_600), None)]].concat();
        assert_eq!(told("", both(), 29 * 3_600), ["crl-late a.crl"]);
        assert_eq!(told("", both(), 90 * day), ["crl-expired the"]);
    }

    #[test]
    fn each_path_that_is_refused_is_one_line_until_it_is_well_again() {
        let sign = |paths: &[&str]| CrlSign {
            refused: paths.iter().map(|path| ((*path).to_owned(), "x".to_owned())).collect(),
            ..CrlSign::default()
        };
        let one = sign(&["a"]);
        assert_eq!(CrlSign::changes(&CrlSign::default(), &one), ["CRL refused: a: x"]);
        assert_eq!(CrlSign::changes(&one, &one), [""; 0]);
        assert_eq!(CrlSign::changes(&one, &sign(&["a", "b"])), ["CRL refused: b: x"]);
        let lines = CrlSign::changes(&one, &sign(&["b", "c", "d", "e", "f", "g", "h"]));
        assert_eq!((lines.len(), lines[5].as_str()), (6, "CRL refused: 2 more"));
        let failing = CrlSign { trouble: Some("y".into()), ..one.clone() };
        assert_eq!(CrlSign::changes(&one, &failing), ["CRLs are neither published nor followed: y"]);
        assert_eq!(CrlSign::changes(&failing, &one), ["CRLs are published or followed again"]);
    }
}
