//! The rules that are settings: which last holds may be lifted, how long things wait, how much one sender may do.

use std::collections::BTreeMap;

use super::{Certificate, LastHold, MediumKind, Operator, Seconds, Usage};

/// Settings of the desk. Every process that appends to one ledger should run with the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Media and usages whose last hold may be lifted.
    pub releasable: Vec<(MediumKind, Usage)>,
    /// A carrier's hold becomes final after this long.
    pub confirm_after: Seconds,
    /// The registry's hold of a dead person's certificates becomes final after this long (its daily file).
    pub died_confirm_after: Seconds,
    /// A certificate not acknowledged this long after its notBefore is revoked.
    pub delivery_within: Seconds,
    /// A loss stated to be older than this, counted from the report, needs the window and a second person.
    pub backdating_max: Seconds,
    /// What every sender may do of a kind within an hour, however quiet the last four weeks were.
    pub budget_floor: u32,
    /// Beyond the floor: this many times the same hour's peak of the last 28 days.
    pub budget_factor: u32,
    /// Virtual operators and the host that reports for them.
    pub hosts: BTreeMap<Operator, Operator>,
    /// When windows may act, in Japan time; `None` is always.
    pub window_hours: Option<OfficeHours>,
    /// Whether a set event by operations waits for a second person.
    pub sets: SetRule,
}

/// Opening hours on weekdays, as seconds since midnight in Japan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfficeHours {
    /// From this second of the day.
    pub opens: u32,
    /// Until before this one.
    pub closes: u32,
}

/// Who may order a set event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetRule {
    /// One person of operations; for demonstrations.
    OnePerson,
    /// Two people.
    TwoPeople,
}

impl Policy {
    /// Whether the last hold of such a certificate may be lifted.
    pub fn last_hold(&self, certificate: &Certificate) -> LastHold {
        if self.releasable.contains(&(certificate.medium.kind, certificate.usage)) {
            LastHold::MayBeLifted
        } else {
            LastHold::Stays
        }
    }

    /// Whether a carrier speaks for SIMs of `operator`: its own, or those it hosts.
    pub fn speaks_for(&self, carrier: Operator, operator: Operator) -> bool {
        carrier == operator || self.hosts.get(&operator) == Some(&carrier)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            releasable: vec![(MediumKind::Sim, Usage::Auth)],
            confirm_after: Seconds::days(30),
            died_confirm_after: Seconds::days(2),
            delivery_within: Seconds::days(90),
            backdating_max: Seconds::days(14),
            budget_floor: 1_000,
            budget_factor: 3,
            hosts: BTreeMap::new(),
            window_hours: None,
            sets: SetRule::TwoPeople,
        }
    }
}
