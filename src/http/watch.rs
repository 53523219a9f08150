//! Time limits of connections: header, body, idleness.
//!
//! Each connection notes in which phase it is and since when, by a clock that a thread moves four times a second; a sweep
//! ends those that take too long. So a request costs a few stores and no timer. Used by `edge` and `wire`.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// How long each phase of a connection may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// From the first octet of a request to the end of its header.
    pub header: Duration,
    /// From there to the end of its body.
    pub body: Duration,
    /// Without a request; and, while a file is sent, without taking any of it.
    pub idle: Duration,
}

/// What a connection is at and since when, written by the connection, read by its thread's sweep; and the sweep's word to
/// it, the other way round.
#[derive(Debug)]
pub(super) struct Watch {
    phase: AtomicU64,
    /// How many files are on their way over it: one, or with HTTP/2 more.
    sending: AtomicU32,
    /// When something of one was last taken.
    moved: AtomicU64,
    word: AtomicU8,
    /// Requests that wait for their answers: over HTTP/2 several, while frames come and go.
    answering: AtomicU32,
    /// Wakes the connection to hear the word.
    waker: Mutex<Option<Waker>>,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Word {
    /// Go on.
    Stay = 0,
    /// Say with the next answer that it is the last.
    Retire = 1,
    /// Finish what is under way, then go.
    Finish = 2,
    /// Go.
    Leave = 3,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Phase {
    Idle = 0,
    Header = 1,
    Body = 2,
    /// The answer is being made: that is our business.
    Busy = 3,
}

/// A request that waits for its answer; no longer, when this is dropped.
pub(super) struct Asking(Arc<Watch>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A thread's coarse clock: a count that the thread moves.
#[derive(Debug, Default)]
pub(super) struct Ticks(AtomicU64);

impl Ticks {
    pub fn tick(&self) {
        // One thread moves it.
        self.0.store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Watch {
    pub fn new(ticks: &Ticks) -> Self {
        let phase = AtomicU64::new(ticks.now() << PHASE_BITS | Phase::Idle as u64);
        let (sending, moved, answering) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU32::new(0));
        let word = AtomicU8::new(Word::Stay as u8);
        Self { phase, sending, moved, word, answering, waker: Mutex::new(None) }
    }

    /// A request has come whole, and waits for its answer.
    pub fn asks(self: &Arc<Self>) -> Asking {
        self.answering.fetch_add(1, Ordering::Relaxed);
        Asking(self.clone())
    }

    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }

    /// The connection says how to wake it.
    pub fn attend(&self, waker: &Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    /// The connection hears what it was told.
    pub fn word(&self) -> Word {
        match self.word.load(Ordering::Relaxed) {
            0 => Word::Stay,
            1 => Word::Retire,
            2 => Word::Finish,
            _ => Word::Leave,
        }
    }

    /// The connection is told.
    pub fn tell(&self, word: Word) {
        self.word.fetch_max(word as u8, Ordering::Relaxed);
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }

    /// How readily it is let go when places are short: idle ones first, then those whose request is still coming, each the
    /// longest first. None: it waits for us, or is sent a file, or goes anyway.
    pub fn dispensable(&self, ticks: &Ticks) -> Option<(u8, u64)> {
        if self.sends() {
            return None;
        }
        let readiness = match self.phase() {
            _ if self.is_answering() => return None,
            0 => 1,
            1 | 2 => 0,
            _ => return None,
        };
        (self.word() <= Word::Retire).then(|| (readiness, self.lasted(ticks)))
    }

    /// A phase begins.
    pub fn enter(&self, phase: Phase, ticks: &Ticks) {
        // Relaxed: nothing but this word is read by who reads it.
        self.phase.store(ticks.now() << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    /// A file is on its way.
    pub fn begins_to_send(&self, ticks: &Ticks) {
        self.sending.fetch_add(1, Ordering::Relaxed);
        self.sends_on(ticks);
    }

    /// Something was taken.
    pub fn sends_on(&self, ticks: &Ticks) {
        self.moved.store(ticks.now(), Ordering::Relaxed);
    }

    /// All of it was handed to the socket, or it was broken off.
    pub fn ends_to_send(&self, ticks: &Ticks) {
        self.sending.fetch_sub(1, Ordering::Relaxed);
        // What the socket has yet to send counts as idleness.
        if self.phase() == Phase::Idle as u64 {
            self.enter(Phase::Idle, ticks);
        }
    }

    fn sends(&self) -> bool {
        self.sending.load(Ordering::Relaxed) > 0
    }

    /// Octets came: if nothing was under way, a header begins.
    pub fn octets_came(&self, ticks: &Ticks) {
        if self.phase() == Phase::Idle as u64 {
            self.enter(Phase::Header, ticks);
        }
    }

    /// Whether its phase has lasted for too long.
    pub fn is_over(&self, ticks: &Ticks, limits: &TimeLimits) -> bool {
        let mut lasted = self.lasted(ticks);
        let limit = match self.phase() {
            _ if self.is_answering() => return false,
            _ if self.sends() => {
                lasted = ticks.now().saturating_sub(self.moved.load(Ordering::Relaxed));
                limits.idle
            }
            0 => limits.idle,
            1 => limits.header,
            2 => limits.body,
            _ => return false,
        };
        // The first tick may be nearly over already: one more.
        u128::from(lasted) > limit.as_millis() / TICK.as_millis() + 1
    }

    fn lasted(&self, ticks: &Ticks) -> u64 {
        ticks.now().saturating_sub(self.phase.load(Ordering::Relaxed) >> PHASE_BITS)
    }

    fn phase(&self) -> u64 {
        self.phase.load(Ordering::Relaxed) & ((1 << PHASE_BITS) - 1)
    }
}

/// How often a thread moves its clock and sweeps.
pub(super) const TICK: Duration = Duration::from_millis(250);
const PHASE_BITS: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_limit() {
        let (ticks, second) = (Ticks::default(), Duration::from_secs(1));
        let limits = TimeLimits { header: second, body: 2 * second, idle: 3 * second };
        let watch = Watch::new(&ticks);
        let lasts = |ticks_for: u32| {
            (0..ticks_for).for_each(|_| ticks.tick());
            watch.is_over(&ticks, &limits)
        };
        assert!(!lasts(13) && lasts(1), "idle for three seconds");
        watch.enter(Phase::Idle, &ticks);
        watch.octets_came(&ticks);
        assert!(!lasts(5));
        watch.octets_came(&ticks);
        assert!(lasts(1), "a header of one second, however many octets come");
        watch.enter(Phase::Body, &ticks);
        watch.octets_came(&ticks);
        assert!(!lasts(9) && lasts(1), "a body of two");
        watch.enter(Phase::Busy, &ticks);
        assert!(!lasts(1_000), "whoever waits for us is not at fault");
    }

    #[test]
    fn who_is_sent_a_file_has_time_as_long_as_it_takes_any() {
        let (ticks, second) = (Ticks::default(), Duration::from_secs(1));
        let limits = TimeLimits { header: second, body: second, idle: second };
        let watch = Watch::new(&ticks);
        let lasts = |ticks_for: u32| {
            (0..ticks_for).for_each(|_| ticks.tick());
            watch.is_over(&ticks, &limits)
        };
        watch.begins_to_send(&ticks);
        for _ in 0..9 {
            assert!(!lasts(5));
            watch.sends_on(&ticks);
        }
        assert_eq!(watch.dispensable(&ticks), None);
        watch.octets_came(&ticks);
        assert!(!lasts(5), "what else comes doesn't matter");
        watch.enter(Phase::Idle, &ticks);
        assert!(lasts(1), "nor does it help who has stalled");
        watch.ends_to_send(&ticks);
        assert!(!lasts(5) && lasts(1));
    }

    #[test]
    fn idle_ones_are_let_go_first_and_never_who_waits_for_an_answer() {
        let ticks = Ticks::default();
        let in_phase = |phase: Phase| {
            let watch = Watch::new(&ticks);
            watch.enter(phase, &ticks);
            ticks.tick();
            watch
        };
        let watches = [Phase::Header, Phase::Idle, Phase::Idle, Phase::Body, Phase::Busy].map(in_phase);
        let readiness = watches.each_ref().map(|watch| watch.dispensable(&ticks));
        assert_eq!(readiness, [Some((0, 5)), Some((1, 4)), Some((1, 3)), Some((0, 2)), None]);
        let watch = Arc::new(in_phase(Phase::Idle));
        let asking = watch.asks();
        assert_eq!(watch.dispensable(&ticks), None, "frames came since it asked");
        drop(asking);
        assert!(watch.dispensable(&ticks).is_some());
        watches[1].tell(Word::Leave);
        assert_eq!(watches[1].dispensable(&ticks), None, "it goes already");
    }
}
