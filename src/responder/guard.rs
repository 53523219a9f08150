//! Whether this machine's clock may date a signature.
//!
//! A clock that is wrong signs nothing, while what was signed goes on. A heartbeat that only grows old is lag, not
//! disagreement: how old what is known may be is decided elsewhere. Kept by `app`'s threads, asked before each signature.

use std::sync::{Mutex, PoisonError};

use crate::model::{Millis, Time};

/// One reading of both of this machine's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time of day.
    pub wall: Millis,
    /// Milliseconds since some beginning, which nobody can set.
    pub steady_ms: u64,
}

/// What is wrong with a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// It is behind what the ledger's writer knows to be past.
    #[error("this machine's clock is {0} ms behind the ledger's time")]
    Behind(i64),
    /// Somebody set it.
    #[error("this machine's clock was moved by {0} ms")]
    Moved(i64),
}

/// The last heartbeat, and what the clocks said when it was heard.
#[derive(Debug, Default)]
pub(super) struct Guard(Mutex<Option<(Time, Moment)>>);

impl Guard {
    /// A heartbeat of that ledger time was heard.
    pub fn hear(&self, known_at: Time, at: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((known_at, at));
    }

    /// Whether a signature may be dated now.
    pub fn judge(&self, now: Moment) -> Result<(), ClockFault> {
        let Some((known_at, heard)) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        let behind = known_at.unix() * 1_000 - now.wall.0;
        if behind > OFF_MS_MAX {
            return Err(ClockFault::Behind(behind));
        }
        let steady = i64::try_from(now.steady_ms.saturating_sub(heard.steady_ms)).unwrap_or(i64::MAX);
        let moved = (now.wall.0 - heard.wall.0).saturating_sub(steady);
        if moved.abs() > OFF_MS_MAX { Err(ClockFault::Moved(moved)) } else { Ok(()) }
    }
}

/// What clocks in good order never differ by.
const OFF_MS_MAX: i64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_trusted_within_two_seconds() {
        let guard = Guard::default();
        let at = |wall, steady_ms| Moment { wall: Millis(wall), steady_ms };
        assert_eq!(guard.judge(at(0, 0)), Ok(()), "nobody has said what time it is");
        guard.hear(Time::from_unix(1_000).unwrap(), at(1_000_000, 500));
        assert_eq!(guard.judge(at(1_000_000, 500)), Ok(()));
        assert_eq!(guard.judge(at(4_000_000, 3_000_500)), Ok(()), "a heartbeat that is only old");
        assert_eq!(guard.judge(at(998_000, 500)), Ok(()));
        assert_eq!(guard.judge(at(997_999, 500)), Err(ClockFault::Behind(2_001)));
        assert_eq!(guard.judge(at(1_002_001, 500)), Err(ClockFault::Moved(2_001)));
        assert_eq!(guard.judge(at(1_000_000, 2_501)), Err(ClockFault::Moved(-2_001)));
    }
}
