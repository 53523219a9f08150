//! Rate budgets: how much of a kind one sender may do in an hour before a second person must look.
//!
//! A stolen call-centre token must not take a nation's cards out; what exceeds the budget waits, it isn't lost.

use super::{Action, Actor, Policy};

/// Whose budget, and for what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey(pub String);

/// What was used of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetUse {
    /// Used within the present hour.
    pub this_hour: u32,
    /// The most that was used within the same hour of the day during the last 28 days.
    pub peak: u32,
}

impl BudgetKey {
    /// The budget that an action of this actor draws on.
    pub fn of(actor: &Actor, action: Action) -> Self {
        Self(format!("{} {}", actor.role, action.name()))
    }
}

impl BudgetUse {
    /// Whether one more fits.
    pub fn has_room(&self, policy: &Policy) -> bool {
        self.this_hour < self.peak.saturating_mul(policy.budget_factor).max(policy.budget_floor)
    }
}

/// How many earlier days count.
pub const BUDGET_DAYS: i64 = 28;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_holds_on_quiet_days_and_the_peak_counts_threefold() {
        let policy = Policy { budget_floor: 10, budget_factor: 3, ..Policy::default() };
        let room = |this_hour, peak| BudgetUse { this_hour, peak }.has_room(&policy);
        assert!(room(9, 0));
        assert!(!room(10, 0));
        assert!(room(149, 50));
        assert!(!room(150, 50));
    }
}
