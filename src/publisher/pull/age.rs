//! How old what is held is, and when it ends: what an alarm says, whether or not a pull succeeded.

use crate::model::{Seconds, Time};
use crate::publisher::IsDelta;

use super::Held;

/// When there is an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// What is known may be so old; none: as long as it is valid.
    pub age_max: Option<Seconds>,
    /// Before a CRL ends; none: when a tenth of its validity is left.
    pub ends_within: Option<Seconds>,
}

/// What is wrong with the age of what is held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// Its nextUpdate is near.
    #[error("{path}: the {} ends at {at}, and there is no newer one", kind(*.is_delta))]
    Ending {
        /// Which.
        path: String,
        /// Which of its two.
        is_delta: IsDelta,
        /// When.
        at: Time,
    },
    /// Its nextUpdate has passed.
    #[error("{path}: the {} expired at {at}", kind(*.is_delta))]
    Expired {
        /// Which.
        path: String,
        /// Which of its two.
        is_delta: IsDelta,
        /// When.
        at: Time,
    },
    /// Older than is wanted.
    #[error("{path}: what is known is {age} seconds old, more than the {age_max} that are allowed")]
    Old {
        /// Which.
        path: String,
        /// How old.
        age: u64,
        /// How old it may be.
        age_max: u32,
    },
}

/// Everything that is wrong at that time.
pub fn alarms(held: &[Held], ages: Ages, now: Time) -> Vec<Alarm> {
    let mut found = Vec::new();
    for held in held {
        let path = || held.listing.path.clone();
        for is_delta in [IsDelta::No, IsDelta::Yes] {
            let Some(issue) = held.issue(is_delta) else { continue };
            let (at, lasts) = (issue.next_update, issue.next_update.since(issue.this_update));
            let left = ages.ends_within.map_or(lasts / 10, |within| within.0.into());
            if at < now {
                found.push(Alarm::Expired { path: path(), is_delta, at });
            } else if at.since(now) < left {
                found.push(Alarm::Ending { path: path(), is_delta, at });
            }
        }
        let newest = held
            .listing
            .delta
            .as_ref()
            .map_or(held.listing.full.this_update, |delta| delta.this_update.max(held.listing.full.this_update));
        let age = now.since(newest);
        if let Some(Seconds(age_max)) = ages.age_max
            && age > age_max.into()
        {
            found.push(Alarm::Old { path: path(), age, age_max });
        }
    }
    found
}

fn kind(is_delta: IsDelta) -> &'static str {
    match is_delta {
        IsDelta::No => "full CRL",
        IsDelta::Yes => "delta CRL",
    }
}
