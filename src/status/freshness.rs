//! How fresh what is known is, and what follows from it.

use crate::model::{Seconds, Time};

/// The bounds of the tiers. Settings, not code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// Up to this lag all is well.
    pub fresh_for: Seconds,
    /// Up to this lag answers go on, which say truthfully how old they are.
    pub answer_until: Seconds,
}

/// What may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Everything, as of now.
    Fresh,
    /// Everything, as of when it was last known; readiness says so.
    Degraded,
    /// Nothing: come again later.
    Past,
}

/// The newest ledger time that was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// That of the last heartbeat whose history is held, or of the last event; none before the first heartbeat.
    pub known_at: Option<Time>,
}

impl Freshness {
    /// Seconds since what is known was true; none: nobody ever said that it was.
    pub fn lag(self, now: Time) -> Option<Seconds> {
        let known_at = self.known_at?;
        Some(Seconds(u32::try_from(now.unix().saturating_sub(known_at.unix()).max(0)).unwrap_or(u32::MAX)))
    }

    /// As one word: 0 for never.
    pub(super) fn pack(self) -> u64 {
        self.known_at.map_or(0, |known_at| known_at.unix().wrapping_sub(i64::MIN) as u64)
    }

    /// From that word.
    pub(super) fn unpack(packed: u64) -> Self {
        Self { known_at: (packed != 0).then(|| Time::from_unix((packed as i64).wrapping_add(i64::MIN)).ok()).flatten() }
    }

    /// Which tier that is.
    pub fn tier(self, now: Time, tiers: Tiers) -> Tier {
        match self.lag(now) {
            Some(lag) if lag <= tiers.fresh_for => Tier::Fresh,
            Some(lag) if lag <= tiers.answer_until => Tier::Degraded,
            Some(_) | None => Tier::Past,
        }
    }
}

impl Default for Tiers {
    /// Three heartbeats missed; half of the national profile's validity.
    fn default() -> Self {
        Self { fresh_for: Seconds(3), answer_until: Seconds(300) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        for known_at in
            [None, Some(Time::default()), "9999-12-31T23:59:59Z".parse().ok(), "0001-01-01T00:00:00Z".parse().ok()]
        {
            assert_eq!(Freshness::unpack(Freshness { known_at }.pack()), Freshness { known_at });
        }
    }

    #[test]
    fn the_tiers_end_where_they_are_set() {
        let known = Time::from_unix(1_000).unwrap();
        let freshness = Freshness { known_at: Some(known) };
        let after = |seconds: u32| freshness.tier(known + Seconds(seconds), Tiers::default());
        assert_eq!(
            [0, 3, 4, 300, 301].map(after),
            [Tier::Fresh, Tier::Fresh, Tier::Degraded, Tier::Degraded, Tier::Past]
        );
        // A clock behind the ledger's is somebody else's business: what is known is not old.
        assert_eq!(freshness.tier(Time::from_unix(900).unwrap(), Tiers::default()), Tier::Fresh);
        assert_eq!(Freshness::default().tier(known, Tiers::default()), Tier::Past, "nobody ever said that it was true");
    }
}
