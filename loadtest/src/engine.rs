//! Runs one load on one thread: when requests are due, which connection asks, what became of each. Used by `cli`.
//!
//! In an open loop a request's latency counts from the instant at which it was due, not from when a connection was free
//! for it: a server that stalls shows in every request that would have been asked meanwhile.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{Timespec, epoll};

use crate::connection::{Connection, Failure, Phase, Step};
use crate::http::Head;
use crate::judge::{Asked, Judge, Verdict};
use crate::load::{Arrivals, Load, NonceUse, Pace};
use crate::random::Random;
use crate::request::{Nonce, Reuse};
use crate::tally::Tally;
use crate::verify::{Sample, Verifier};

/// Runs `load`. Connections that are kept are opened first; then all loads begin together, at `start`.
pub fn run(load: Load, start: &Barrier) -> io::Result<(Load, Tally)> {
    let prepared = Engine::prepare(load);
    // Whoever fails here must not leave the others waiting.
    start.wait();
    let mut engine = prepared?;
    engine.begin();
    while engine.turn()? {}
    Ok(engine.finish())
}

struct Engine {
    load: Load,
    poll: OwnedFd,
    slots: Vec<Slot>,
    /// Slots that may ask.
    free: Vec<usize>,
    /// Slots that failed: they may ask again at the next tick, so that a dead server isn't hammered.
    resting: Vec<usize>,
    /// When each request was due that no connection was free for.
    waiting: VecDeque<u64>,
    random: Random,
    verifier: Option<Verifier>,
    answers_to_sample: u64,
    tally: Tally,
    scratch: Vec<u8>,
    begun: Instant,
    /// Nanoseconds since `begun`, as all times here.
    next_due: u64,
    next_tick: u64,
    end: u64,
}

/// A connection and what it is asking.
#[derive(Default)]
struct Slot {
    connection: Connection,
    due: u64,
    sent: u64,
    questions: Vec<u32>,
    nonce: Nonce,
}

impl Engine {
    fn prepare(load: Load) -> io::Result<Self> {
        // Without this the kernel may wake this thread 50 µs after a request was due.
        rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
        let verifier = match load.sample {
            Sample::None => None,
            Sample::All | Sample::Every(_) => Some(Verifier::start(load.issuer.clone())?),
        };
        let mut engine = Self {
            poll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            slots: (0..load.connections).map(|_| Slot::default()).collect(),
            free: (0..load.connections).rev().collect(),
            resting: Vec::new(),
            waiting: VecDeque::new(),
            random: Random::new(load.seed),
            verifier,
            answers_to_sample: 0,
            tally: Tally::new(),
            scratch: Vec::new(),
            begun: Instant::now(),
            next_due: 0,
            next_tick: 0,
            end: nanos(load.duration),
            load,
        };
        if engine.load.reuse == Reuse::Keep {
            engine.open_all()?;
        }
        Ok(engine)
    }

    /// Opens the connections that are to be kept. Those that can't be opened are tried again when they are needed.
    fn open_all(&mut self) -> io::Result<()> {
        for (token, slot) in self.slots.iter_mut().enumerate() {
            slot.connection.open(&self.load.route, &self.poll, token as u64)?;
        }
        let patience = Instant::now() + self.load.timeout;
        let mut events = [NO_EVENT; EVENTS];
        while self.slots.iter().any(|slot| slot.connection.phase() == Phase::Opening) && Instant::now() < patience {
            for event in wait(&self.poll, &mut events, TICK)? {
                let (token, flags) = (event.data.u64(), event.flags);
                self.slots[token as usize].connection.advance(flags);
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.begun = Instant::now();
        self.next_due = match self.load.pace {
            Pace::Open { .. } => self.gap(),
            Pace::Closed => u64::MAX,
        };
    }

    /// Asks what is due, waits for the next thing to happen, handles it. False at the end.
    fn turn(&mut self) -> io::Result<bool> {
        let now = self.now();
        let running = now < self.end;
        if now >= self.next_tick {
            self.tick(now);
        }
        self.note_due(now.min(self.end));
        if running {
            self.ask_all();
        } else if self.free.len() + self.resting.len() == self.slots.len() {
            return Ok(false);
        }
        let until = self.next_due.min(self.next_tick).saturating_sub(self.now());
        let mut events = [NO_EVENT; EVENTS];
        for event in wait(&self.poll, &mut events, until)? {
            let (token, flags) = (event.data.u64() as usize, event.flags);
            let was = self.slots[token].connection.phase();
            let step = self.slots[token].connection.advance(flags);
            self.handle(token, step, was);
        }
        Ok(true)
    }

    /// Lines up the requests that have become due by `now`.
    fn note_due(&mut self, now: u64) {
        while self.next_due <= now {
            self.waiting.push_back(self.next_due);
            self.next_due += self.gap();
            if self.next_due >= self.end {
                self.next_due = u64::MAX;
            }
        }
    }

    fn ask_all(&mut self) {
        while !self.free.is_empty() {
            let now = self.now();
            let due = match self.load.pace {
                _ if now >= self.end => return,
                Pace::Closed => now,
                Pace::Open { .. } => match self.waiting.pop_front() {
                    Some(due) => due,
                    None => return,
                },
            };
            let token = self.free.pop().expect("one is free, as was just seen");
            self.ask(token, due, now);
        }
    }

    fn ask(&mut self, token: usize, due: u64, now: u64) {
        let slot = &mut self.slots[token];
        (slot.due, slot.sent) = (due, now);
        slot.questions.clear();
        for _ in 0..self.load.per_request {
            slot.questions.push(self.load.choice.pick(&mut self.random, self.load.keys.len()) as u32);
        }
        let keys = slot.questions.iter().map(|index| &self.load.keys[*index as usize]);
        let nonce = (self.load.nonce == NonceUse::Random).then(|| {
            self.random.fill(&mut slot.nonce);
            &slot.nonce
        });
        self.load.writer.write(keys, nonce, &mut slot.connection.out);
        self.tally.sent(now - due);
        let phase = slot.connection.phase();
        let opened = match phase {
            Phase::Closed => slot.connection.open(&self.load.route, &self.poll, token as u64),
            _ => Ok(()),
        };
        let step = match opened {
            Ok(()) => slot.connection.ask(),
            Err(_) => Step::Failed(Failure::Connect),
        };
        if step != Step::Pending {
            self.handle(token, step, Phase::Asking);
        }
    }

    fn handle(&mut self, token: usize, step: Step, was: Phase) {
        match step {
            Step::Pending => {}
            Step::Answered(head) => self.answered(token, &head),
            Step::Failed(failure) => {
                let now = self.now();
                self.tally.failed(failure, now - self.slots[token].due);
                self.slots[token].connection.close();
                self.resting.push(token);
            }
            Step::Quiet => {
                // Slots that are open or idle are free already; one that was leaving becomes so with its end.
                if was == Phase::Leaving && self.slots[token].connection.phase() == Phase::Closed {
                    self.free.push(token);
                }
            }
        }
    }

    fn answered(&mut self, token: usize, head: &Head) {
        let now = self.now();
        let slot = &mut self.slots[token];
        let mut position = slot.connection.position;
        let body = slot.connection.body(head);
        let judge = Judge { writer: &self.load.writer, keys: &self.load.keys, skew: self.load.skew };
        let nonce = (self.load.nonce == NonceUse::Random).then_some(&slot.nonce);
        let asked = Asked { questions: &slot.questions, nonce };
        let clock = unix_seconds();
        let verdict = judge.judge(asked, head, body, clock, &mut position, &mut self.scratch);
        self.tally.answered(verdict, now - slot.due);
        if let (Verdict::Right, Some(verifier)) = (verdict, &self.verifier) {
            let sampled = match self.load.sample {
                Sample::Every(every) => self.answers_to_sample.is_multiple_of(u64::from(every)),
                Sample::All | Sample::None => true,
            };
            self.answers_to_sample += 1;
            if sampled {
                verifier.check(body, clock);
            }
        }
        slot.connection.position = position;
        slot.connection.release(head, self.load.reuse);
        if slot.connection.phase() != Phase::Leaving {
            self.free.push(token);
        }
    }

    /// Every few milliseconds: who has waited too long, and who has rested.
    fn tick(&mut self, now: u64) {
        self.next_tick = now + TICK;
        self.free.append(&mut self.resting);
        let timeout = nanos(self.load.timeout);
        for token in 0..self.slots.len() {
            let slot = &mut self.slots[token];
            match slot.connection.phase() {
                Phase::Asking if now.saturating_sub(slot.sent) > timeout => {
                    slot.connection.close();
                    self.handle(token, Step::Failed(Failure::Timeout), Phase::Asking);
                }
                // A server that doesn't close as it said: not waited for any longer.
                Phase::Leaving if now.saturating_sub(slot.sent) > timeout => {
                    slot.connection.close();
                    self.free.push(token);
                }
                _ => {}
            }
        }
    }

    fn finish(mut self) -> (Load, Tally) {
        self.tally.took = self.begun.elapsed();
        self.tally.unsent = self.waiting.len() as u64;
        self.tally.oldest_unsent = self.waiting.front().map_or(0, |due| self.end.saturating_sub(*due));
        if let Some(verifier) = self.verifier {
            self.tally.checked(verifier.finish());
        }
        (self.load, self.tally)
    }

    fn gap(&mut self) -> u64 {
        let Pace::Open { rate, arrivals } = self.load.pace else { return u64::MAX };
        let mean = 1e9 / rate;
        match arrivals {
            Arrivals::Constant => mean as u64,
            Arrivals::Poisson => (-(1.0 - self.random.unit()).ln() * mean) as u64,
        }
    }

    fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }
}

fn wait<'e>(poll: &OwnedFd, events: &'e mut [epoll::Event; EVENTS], nanos: u64) -> io::Result<&'e [epoll::Event]> {
    let timeout = Timespec { tv_sec: (nanos / 1_000_000_000) as i64, tv_nsec: (nanos % 1_000_000_000) as i64 };
    match epoll::wait(poll, &mut events[..], Some(&timeout)) {
        Ok(count) => Ok(&events[..count]),
        Err(rustix::io::Errno::INTR) => Ok(&[]),
        Err(error) => Err(error.into()),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

const EVENTS: usize = 256;
const NO_EVENT: epoll::Event = epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) };
/// 5 ms.
const TICK: u64 = 5_000_000;
