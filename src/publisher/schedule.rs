//! When CRLs are due: a pure function of settings, what was issued, and the time. Asked by `plan`.

use crate::model::{Seconds, Time};

/// When CRLs of one place are issued, and for how long they promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// At which second of the day, in Japan, the full CRL is due.
    pub full_at: u32,
    /// How long a full CRL lasts.
    pub full_for: Seconds,
    /// Deltas, if there are any.
    pub deltas: Option<Deltas>,
    /// The place's own delay, so that not all are due at once.
    pub delay: Seconds,
}

/// When deltas are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deltas {
    /// How often.
    pub every: Seconds,
    /// How long one lasts.
    pub last_for: Seconds,
}

/// Which CRLs are issued at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Issuing {
    /// A delta alone.
    Delta,
    /// A full CRL, and a delta beside it where there are deltas.
    Full,
}

/// Why a CRL is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Demanded,
    /// Nothing was ever issued here.
    First,
    /// Its hour has come.
    Scheduled,
    /// Something happened that does not wait for the hour.
    Urgent,
}

/// What was issued at a place last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Last {
    /// The thisUpdate of the last full CRL that was issued because its hour had come, or because it was the first.
    pub regular_full: Option<Time>,
    /// The thisUpdate of the last full CRL.
    pub full: Option<Time>,
    /// The thisUpdate of the last delta.
    pub delta: Option<Time>,
}

impl Schedule {
    /// The delay of a place: as good as random, always the same, at most `most`; in whole minutes, so that a round has many.
    pub fn delay_of(path: &str, most: Seconds) -> Seconds {
        // FNV-1a: spreads short names well, and no secret hangs on it.
        let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Seconds(((hash >> 16) % (u64::from(most.0 / 60) + 1)) as u32 * 60)
    }

    /// What is due by the hour, if anything.
    pub fn due(&self, last: &Last, now: Time) -> Option<(Issuing, Why)> {
        let Some(full) = last.full else { return Some((Issuing::Full, Why::First)) };
        if last.regular_full.is_none_or(|regular| regular < self.full_before(now)) {
            return Some((Issuing::Full, Why::Scheduled));
        }
        let deltas = self.deltas?;
        // A full CRL that says as much as a delta has one beside it; without one it is due at once.
        let is_due = last.delta.is_none_or(|delta| delta < full || delta < self.delta_before(deltas, now));
        is_due.then_some((Issuing::Delta, Why::Scheduled))
    }

    /// When something will be due next, by the hour.
    pub fn next(&self, now: Time) -> Time {
        let full = self.full_before(now) + Seconds::days(1);
        self.deltas.map_or(full, |deltas| full.min(self.delta_before(deltas, now) + deltas.every))
    }

    /// The last hour of full CRLs.
    fn full_before(&self, now: Time) -> Time {
        let today = now.japan_midnight() + Seconds(self.full_at) + self.delay;
        if today <= now { today } else { today - Seconds::days(1) }
    }

    /// The last time at which deltas were to be issued: steps from midnight in Japan on.
    fn delta_before(&self, deltas: Deltas, now: Time) -> Time {
        let every = deltas.every.0.max(1);
        // Within one step, or else the delay would shift by whole ones.
        let delay = Seconds(self.delay.0 % every);
        let passed = (now - delay).since((now - delay).japan_midnight());
        now - Seconds((passed % u64::from(every)) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn daily() -> Schedule {
        Schedule {
            full_at: 3 * 3600,
            full_for: Seconds::hours(30),
            deltas: Some(Deltas { every: Seconds(900), last_for: Seconds(2700) }),
            delay: Seconds(120),
        }
    }

    #[test]
    fn a_full_is_due_at_its_hour_in_japan_and_a_delta_every_quarter_of_an_hour() {
        let schedule = daily();
        let issued = at("2026-11-20T03:02:00+09:00");
        let mut last = Last { regular_full: Some(issued), full: Some(issued), delta: Some(issued) };
        assert_eq!(schedule.due(&Last::default(), issued), Some((Issuing::Full, Why::First)));
        assert_eq!(schedule.due(&last, at("2026-11-20T03:16:59+09:00")), None);
        assert_eq!(schedule.next(at("2026-11-20T03:16:59+09:00")), at("2026-11-20T03:17:00+09:00"));
        assert_eq!(schedule.due(&last, at("2026-11-20T03:17:00+09:00")), Some((Issuing::Delta, Why::Scheduled)));
        last.delta = Some(at("2026-11-21T02:47:00+09:00"));
        assert_eq!(schedule.due(&last, at("2026-11-21T03:01:59+09:00")), None);
        assert_eq!(schedule.due(&last, at("2026-11-21T03:02:00+09:00")), Some((Issuing::Full, Why::Scheduled)));
    }

    #[test]
    fn what_was_missed_is_due_once() {
        let schedule = daily();
        let issued = at("2026-11-18T03:02:00+09:00");
        let last = Last { regular_full: Some(issued), full: Some(issued), delta: Some(issued) };
        let now = at("2026-11-20T10:00:00+09:00");
        assert_eq!(schedule.due(&last, now), Some((Issuing::Full, Why::Scheduled)));
        let last = Last { regular_full: Some(now), full: Some(now), delta: Some(now) };
        assert_eq!(schedule.due(&last, now), None);
    }

    #[test]
    fn a_full_that_was_demanded_does_not_stand_for_the_regular_one() {
        let schedule = daily();
        let demanded = at("2026-11-21T02:50:00+09:00");
        let regular = Some(at("2026-11-20T03:02:00+09:00"));
        let last = Last { regular_full: regular, full: Some(demanded), delta: Some(demanded) };
        assert_eq!(schedule.due(&last, at("2026-11-21T03:02:00+09:00")), Some((Issuing::Full, Why::Scheduled)));
        assert_eq!(schedule.due(&Last { delta: regular, ..last }, demanded), Some((Issuing::Delta, Why::Scheduled)));
    }

    #[test]
    fn without_deltas_none_is_due() {
        let schedule = Schedule { deltas: None, ..daily() };
        let issued = at("2026-11-20T03:02:00+09:00");
        let last = Last { regular_full: Some(issued), full: Some(issued), delta: None };
        assert_eq!(schedule.due(&last, at("2026-11-20T23:00:00+09:00")), None);
        assert_eq!(schedule.next(at("2026-11-20T23:00:00+09:00")), at("2026-11-21T03:02:00+09:00"));
    }

    #[test]
    fn delays_are_spread_and_never_longer_than_allowed() {
        let delays: Vec<_> = (0..1000).map(|n| Schedule::delay_of(&format!("card-sign-{n}"), Seconds(300)).0).collect();
        assert!(delays.iter().all(|delay| *delay <= 300 && delay % 60 == 0));
        let mut minutes = (0..=5).map(|minute| delays.iter().filter(|delay| **delay / 60 == minute).count());
        assert!(minutes.all(|count| count > 100), "spread over all minutes");
        assert_eq!(Schedule::delay_of("x", Seconds(0)), Seconds(0));
    }
}
