//! The desk's settings as they are written, and what the desk runs with. Part of reading a configuration.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{DirectChanges, Faults};
use crate::model::{MediumKind, OfficeHours, Operator, Policy, Seconds, SetRule, Usage};

/// `[desk]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct RawDesk {
    /// `MEDIUM/USAGE` pairs whose last hold may be lifted.
    releasable: Option<Vec<String>>,
    confirm_after_days: Option<u32>,
    died_confirm_after_days: Option<u32>,
    delivery_within_days: Option<u32>,
    backdating_max_days: Option<u32>,
    budget_floor: Option<u32>,
    budget_factor: Option<u32>,
    /// Virtual operator → host.
    hosts: BTreeMap<String, String>,
    /// `HH:MM-HH:MM`, Japan time, weekdays.
    window_hours: Option<String>,
    sets_need_two_people: Option<bool>,
    pub(super) direct_changes: DirectChanges,
}

impl RawDesk {
    /// The settings, with the usual one for each that is no good.
    pub(super) fn check(self, faults: &mut Faults) -> Policy {
        let usual = Policy::default();
        let mut days = |given: Option<u32>, usual: Seconds, key: &'static str| match given {
            None => usual,
            Some(0 | 36_501..) => {
                faults.add(key, "must be 1 to 36,500 days");
                usual
            }
            Some(days) => Seconds::days(days),
        };
        let confirm_after = days(self.confirm_after_days, usual.confirm_after, "desk.confirm_after_days");
        let died = days(self.died_confirm_after_days, usual.died_confirm_after, "desk.died_confirm_after_days");
        let delivery_within = days(self.delivery_within_days, usual.delivery_within, "desk.delivery_within_days");
        let backdating_max = days(self.backdating_max_days, usual.backdating_max, "desk.backdating_max_days");
        let releasable = self.releasable.map(|pairs| pairs.iter().map(|pair| parse_pair(pair)).collect());
        let releasable = releasable.transpose().map_err(|why| ("desk.releasable", why));
        let parse = |name: &str| name.parse::<Operator>().map_err(|error| ("desk.hosts", error.to_string()));
        let hosts = self.hosts.iter().map(|(operator, host)| Ok((parse(operator)?, parse(host)?))).collect();
        if self.budget_floor == Some(0) {
            faults.add("desk.budget_floor", "must be at least 1, or nobody could ever do anything");
        }
        let hours = self.window_hours.map(|hours| parse_hours(&hours)).transpose();
        Policy {
            releasable: faults.or_else(releasable, None).unwrap_or(usual.releasable),
            confirm_after,
            died_confirm_after: died,
            delivery_within,
            backdating_max,
            budget_floor: self.budget_floor.unwrap_or(usual.budget_floor),
            budget_factor: self.budget_factor.unwrap_or(usual.budget_factor),
            hosts: faults.or_else(hosts, BTreeMap::new()),
            window_hours: faults.or_else(hours.map_err(|why| ("desk.window_hours", why)), None),
            sets: match self.sets_need_two_people {
                Some(false) => SetRule::OnePerson,
                Some(true) | None => SetRule::TwoPeople,
            },
        }
    }
}

fn parse_pair(pair: &str) -> Result<(MediumKind, Usage), String> {
    let wrong = || format!("'{pair}' is not a medium and a usage such as SIM/AUTH");
    let (medium, usage) = pair.split_once('/').ok_or_else(wrong)?;
    let media = [MediumKind::Card, MediumKind::Sim, MediumKind::EseAndroid, MediumKind::SeApple];
    let medium = media.into_iter().find(|kind| kind.name() == medium).ok_or_else(wrong)?;
    let usage = [Usage::Auth, Usage::Sign].into_iter().find(|known| known.name() == usage).ok_or_else(wrong)?;
    Ok((medium, usage))
}

fn parse_hours(text: &str) -> Result<OfficeHours, String> {
    let wrong = || format!("'{text}' is not a span such as 08:30-17:15");
    let second = |clock: &str| {
        let (hour, minute) = clock.split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 3600 + minute * 60)
    };
    let (opens, closes) = text.split_once('-').ok_or_else(wrong)?;
    let (opens, closes) = (second(opens).ok_or_else(wrong)?, second(closes).ok_or_else(wrong)?);
    if opens < closes { Ok(OfficeHours { opens, closes }) } else { Err(format!("'{text}' ends before it begins")) }
}
