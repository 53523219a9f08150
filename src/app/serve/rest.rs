//! How the sequencer's thread waits for its next step: at most so long, and whoever leads is woken by what comes into the
//! inbox. Used by `sequence`.
//!
//! A hint only brings the next step forward. Where none comes, or none can be listened for, the step comes in its time.

use std::time::Duration;

use super::stop::{Pause, Stop};
use crate::app::clock::Stopwatch;
use crate::desk::{STEP_MS, Stepped};
use crate::ledger::{Heard, LedgerError};

/// Until the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// So long, and who comes into the inbox ends it.
    Listening(Duration),
    /// So long.
    Quiet(Duration),
}

impl Rest {
    /// At once if there is more to do; when the other's lease ends, if that is sooner than the next step; else as usual. What
    /// failed is not tried again for a hint.
    pub fn after(stepped: &Stepped, now: i64) -> Self {
        let usual = Duration::from_millis(STEP_MS.into());
        match stepped.others_until {
            Some(until) => {
                let left = u64::try_from(until.0 - now).unwrap_or(0).max(1);
                Self::Quiet(usual.min(Duration::from_millis(left)))
            }
            None if !stepped.failures.is_empty() || !stepped.leads => Self::Quiet(usual),
            None if stepped.more => Self::Quiet(Duration::ZERO),
            None => Self::Listening(usual),
        }
    }

    /// Waits. `listen` waits for a hint, at most so long; each time so short that a stop isn't kept waiting.
    pub fn over(self, stop: &Stop, listen: &mut dyn FnMut(Duration) -> Result<Heard, LedgerError>) -> Pause {
        let at_most = match self {
            Self::Quiet(at_most) => return stop.pause(at_most),
            Self::Listening(at_most) => at_most,
        };
        let watch = Stopwatch::start();
        // However many hints come for nothing, so many steps a second and no more.
        let mut pause = stop.pause(HINTS_APART.min(at_most));
        while pause == Pause::Over {
            let left = at_most.saturating_sub(watch.elapsed());
            if left.is_zero() {
                break;
            }
            match listen(left.min(LISTEN_MAX)) {
                Ok(Heard::Something) => break,
                Ok(Heard::Nothing) => pause = stop.pause(Duration::ZERO),
                // The next step will find out what is wrong.
                Err(_) => return stop.pause(at_most.saturating_sub(watch.elapsed())),
            }
        }
        pause
    }
}

/// A step that finds nothing to do costs the database about as long.
const HINTS_APART: Duration = Duration::from_millis(3);
/// Who is told to stop while it listens stops after so long.
const LISTEN_MAX: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::DeskError;
    use crate::model::Millis;

    #[test]
    fn the_next_step_comes_when_there_is_something_to_do() {
        let usual = Duration::from_millis(STEP_MS.into());
        let after = |stepped: &Stepped| Rest::after(stepped, 1_000);
        let leads = || Stepped { leads: true, ..Stepped::default() };
        assert_eq!(after(&leads()), Rest::Listening(usual));
        assert_eq!(after(&Stepped { more: true, ..leads() }), Rest::Quiet(Duration::ZERO));
        let failures = || vec![DeskError::Overtaken(1)];
        assert_eq!(after(&Stepped { more: true, failures: failures(), ..leads() }), Rest::Quiet(usual));
        assert_eq!(after(&Stepped::default()), Rest::Quiet(usual), "who doesn't lead has no use for a hint");
        let others = |until| Stepped { others_until: Some(Millis(until)), ..Stepped::default() };
        assert_eq!(after(&others(1_040)), Rest::Quiet(Duration::from_millis(40)));
        assert_eq!(after(&others(1_900)), Rest::Quiet(usual));
        assert_eq!(after(&others(900)), Rest::Quiet(Duration::from_millis(1)));
    }

    const LONG: Rest = Rest::Listening(Duration::from_secs(24 * 3_600));

    #[test]
    fn a_hint_ends_a_rest_of_any_length() {
        let mut heard = [Heard::Nothing, Heard::Nothing, Heard::Something].into_iter();
        assert_eq!(LONG.over(&Stop::default(), &mut |_| Ok(heard.next().unwrap())), Pause::Over);
        assert_eq!(heard.next(), None);
    }

    #[test]
    fn without_hints_the_step_comes_in_its_time() {
        for ears in [|| Ok(Heard::Nothing), || Err(LedgerError::Unreachable("nobody tells".into()))] {
            let mut asked = 0;
            let rest = Rest::Listening(Duration::from_millis(20));
            let over = rest.over(&Stop::default(), &mut |at_most| {
                asked += 1;
                std::thread::sleep(at_most);
                ears()
            });
            assert_eq!(over, Pause::Over);
            assert!(asked <= 20, "asked {asked} times: it spins");
        }
    }

    #[test]
    fn who_is_told_to_stop_listens_no_more() {
        let stop = Stop::default();
        let mut asked = 0;
        let over = LONG.over(&stop, &mut |at_most| {
            asked += 1;
            assert!(at_most <= LISTEN_MAX);
            stop.tell();
            Ok(Heard::Nothing)
        });
        assert_eq!((over, asked), (Pause::Stop, 1));
    }
}
