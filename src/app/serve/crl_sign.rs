//! How it is with the CRLs: what the thread that publishes or follows them last saw, and what that means for who asks
//! `/readyz`. None of it keeps answers from being given; all of it is told.

use crate::http::Obstacle;
use crate::model::Time;
use crate::publisher::Index;

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
    /// Why nothing can be published or followed at the moment.
    pub trouble: Option<String>,
    /// What isn't exposed although it is due, by path, and why.
    pub refused: Vec<(String, String)>,
    /// What has no CRL of this process although it should, and why.
    pub without: Vec<(String, String)>,
    /// What grows out of its budget, by path.
    pub large: Vec<(String, String)>,
}

impl CrlSign {
    /// Notes what is published.
    pub fn see(&mut self, index: &Index) {
        self.round = Some((index.number.to_string(), index.time));
        self.places = index.slots.len();
        self.octets = index.issues().map(|(_, _, issue)| issue.size).sum();
        let first = |ends: &mut dyn Iterator<Item = (&String, Time)>| {
            ends.min_by_key(|(_, end)| *end).map(|(path, end)| (path.clone(), end))
        };
        self.full_until = first(&mut index.slots.iter().map(|slot| (&slot.path, slot.full.next_update)));
        let deltas = index.slots.iter().filter_map(|slot| Some((&slot.path, slot.delta.as_ref()?.next_update)));
        self.delta_until = first(&mut { deltas });
    }

    /// What is wrong.
    pub fn obstacles(&self, now: Time) -> Vec<Obstacle> {
        let mut obstacles = Vec::new();
        let mut add = |kind, detail: String| obstacles.push(Obstacle { kind, detail });
        if let Some(why) = &self.trouble {
            add("crl-failing", why.clone());
        }
        for (until, late, what) in
            [(&self.full_until, FULL_LATE_SECONDS, "full CRL"), (&self.delta_until, DELTA_LATE_SECONDS, "delta")]
        {
            let Some((path, until)) = until else { continue };
            let left = until.unix().saturating_sub(now.unix());
            if left <= 0 {
                add("crl-expired", format!("the {what} at {path} ended at {until}"));
            } else if left < late {
                add("crl-late", format!("the {what} at {path} ends in {} min, and there is no next one", left / 60));
            }
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

/// A daily CRL lasts six hours longer than a day: half of that has passed in vain.
const FULL_LATE_SECONDS: i64 = 3 * 3600;
/// A delta lasts half an hour longer than to the next: two thirds of that have passed in vain.
const DELTA_LATE_SECONDS: i64 = 10 * 60;
