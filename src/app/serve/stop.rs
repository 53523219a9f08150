//! Telling threads to stop, and letting them sleep until they are told. Used by `serve`.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whether to stop: written once by whoever ends the program, read by the threads that it ends.
#[derive(Debug, Default)]
pub(super) struct Stop {
    told: Mutex<bool>,
    bell: Condvar,
}

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Pause {
    /// Its time is over.
    Over,
    /// It is time to stop.
    Stop,
}

impl Stop {
    /// Wakes and stops everybody who pauses here.
    pub fn tell(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Sleeps so long, or until told.
    pub fn pause(&self, at_most: Duration) -> Pause {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(told, at_most, |told| !*told);
        let (told, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *told { Pause::Stop } else { Pause::Over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn who_pauses_is_woken() {
        let stop = Arc::new(Stop::default());
        assert_eq!(stop.pause(Duration::ZERO), Pause::Over);
        let sleeper = std::thread::spawn({
            let stop = stop.clone();
            move || stop.pause(Duration::from_secs(3_600))
        });
        stop.tell();
        assert_eq!(sleeper.join().unwrap(), Pause::Stop);
        assert_eq!(stop.pause(Duration::from_secs(3_600)), Pause::Stop, "also those who come later");
    }
}
