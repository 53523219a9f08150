//! A ledger that lies as databases and networks do, after a seeded script: it fails before writing, fails after having
//! written, answers from the past, wakes nobody or everybody, runs full, lets another writer in between, and dies in the
//! middle of a call. What it never does is what the contract forbids: lose what it acknowledged, or invent.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tashika::ledger::{
    Batch, Found, Head, Heard, Heartbeat, InboxItem, Lease, Ledger, LedgerError, Sealed, Stray, Upkeep, Wanted,
};
use tashika::model::{
    Body, Book, CertificateKey, CertificateNo, Entry, Event, ListNo, Millis, NodeId, Position, Report, ReportKind,
    Role, Subject, Time,
};

use crate::memory_ledger::{MemoryLedger, State, Turn};
use crate::nation;
use crate::rng::Rng;

/// How often it lies, in a thousand calls each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lies {
    /// Any call: can't be reached, and nothing happened.
    pub unreachable: u32,
    /// An append: no space, and nothing was written.
    pub full: u32,
    /// An append: the connection broke after it was written.
    pub uncertain_written: u32,
    /// An append: the connection broke before it was written.
    pub uncertain_lost: u32,
    /// An append: another writer was faster.
    pub second_writer: u32,
    /// A search: the answer of a while ago, head and all.
    pub stale: u32,
    /// A search: the head of a while ago with the entries of now, as when a writer commits between two reads.
    pub torn: u32,
    /// A page of events: shorter than asked for, though there is more.
    pub short_page: u32,
    /// A wait: returns for nothing, or only at its bound.
    pub false_wake: u32,
    /// Any call: the process that called dies, before or after it took effect.
    pub crash: u32,
}

/// What a thread unwinds with when the fake kills the process that it stands for.
#[derive(Debug)]
pub struct Crash;

/// A handle that lies about an honest ledger.
#[derive(Clone)]
pub struct LyingLedger {
    truth: MemoryLedger,
    script: Arc<Mutex<Script>>,
    pause: fn(),
}

struct Script {
    rng: Rng,
    lies: Lies,
    past: Vec<State>,
    told: Told,
}

/// How many lies were told, so that a test can see that it was lied to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub unreachable: u64,
    pub full: u64,
    pub uncertain_written: u64,
    pub uncertain_lost: u64,
    pub second_writer: u64,
    pub stale: u64,
    pub torn: u64,
    pub short_page: u64,
    pub false_wake: u64,
    pub crash: u64,
}

impl Told {
    /// By name.
    pub fn list(&self) -> [(&'static str, u64); 10] {
        [
            ("crash", self.crash),
            ("false_wake", self.false_wake),
            ("full", self.full),
            ("second_writer", self.second_writer),
            ("short_page", self.short_page),
            ("stale", self.stale),
            ("torn", self.torn),
            ("uncertain_lost", self.uncertain_lost),
            ("uncertain_written", self.uncertain_written),
            ("unreachable", self.unreachable),
        ]
    }
}

/// Whether a call takes effect before the caller dies.
enum Fate {
    DieAfter,
    DieBefore,
    Live,
}

impl LyingLedger {
    pub fn new(truth: MemoryLedger, rng: Rng, lies: Lies) -> Self {
        let script = Script { rng, lies, past: Vec::new(), told: Told::default() };
        Self { truth, script: Arc::new(Mutex::new(script)), pause: || {} }
    }

    /// Calls `pause` before each call takes effect: there a simulation lets others go first.
    pub fn pausing(self, pause: fn()) -> Self {
        Self { pause, ..self }
    }

    /// From now on it lies like this.
    pub fn set_lies(&self, lies: Lies) {
        self.script().lies = lies;
    }

    pub fn told(&self) -> Told {
        self.script().told
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to tell this lie now; counts it.
    fn lies(&self, rate: fn(&Lies) -> u32, count: fn(&mut Told) -> &mut u64) -> bool {
        let mut script = self.script();
        let rate = rate(&script.lies);
        let told = rate > 0 && script.rng.per_mille(rate);
        *count(&mut script.told) += u64::from(told);
        told
    }

    /// A call that can fail, or be the last, as any.
    fn call<T>(&self, effect: impl FnOnce() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        (self.pause)();
        if self.lies(|l| l.unreachable, |t| &mut t.unreachable) {
            return Err(LedgerError::Unreachable("the script says so".into()));
        }
        match self.fate() {
            Fate::Live => effect(),
            Fate::DieBefore => resume_unwind(Box::new(Crash)),
            Fate::DieAfter => {
                drop(effect());
                resume_unwind(Box::new(Crash))
            }
        }
    }

    /// A call that writes: it can also find no space, or break before or after it was written.
    fn write<T>(&self, effect: impl FnOnce() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        if self.lies(|l| l.full, |t| &mut t.full) {
            return Err(LedgerError::Full("the script says so".into()));
        }
        if self.lies(|l| l.uncertain_lost, |t| &mut t.uncertain_lost) {
            return Err(LedgerError::Uncertain("the script says so".into()));
        }
        let lies = self.script().lies;
        if lies.stale + lies.torn > 0 {
            self.remember();
        }
        self.call(|| {
            // With a pause that doesn't return before others went on, blocking for the turn would be for ever.
            while self.truth.state().turn == Turn::Taken {
                (self.pause)();
                std::thread::yield_now();
            }
            let written = effect()?;
            if self.lies(|l| l.uncertain_written, |t| &mut t.uncertain_written) {
                return Err(LedgerError::Uncertain("the script says so".into()));
            }
            Ok(written)
        })
    }

    fn fate(&self) -> Fate {
        if !self.lies(|l| l.crash, |t| &mut t.crash) {
            Fate::Live
        } else if self.script().rng.per_mille(500) {
            Fate::DieAfter
        } else {
            Fate::DieBefore
        }
    }

    /// The state before some of the last appends, if there were any.
    fn past(&self) -> Option<State> {
        let mut script = self.script();
        let reach = script.past.len() as u64;
        let index = (reach > 0).then(|| script.rng.below(reach) as usize)?;
        Some(script.past[index].clone())
    }

    fn remember(&self) {
        let now = self.truth.state().clone();
        let mut script = self.script();
        script.past.push(now);
        if script.past.len() > PAST_STATES_MAX {
            script.past.remove(0);
        }
    }

    /// Another writer records something that concerns nobody here.
    fn let_another_write(&self) {
        if self.truth.state().turn == Turn::Taken {
            return;
        }
        let Ok(head) = self.truth.head() else { return };
        let report = Report {
            kind: ReportKind::PhoneLost,
            subject: Subject::Holder(nation::holder(u64::MAX)),
            lost_at: None,
            reported_at: head.time,
            moved_to: None,
            evidence: None,
        };
        let mut batch = Batch::on(head);
        let (actor, time) = (nation::actor(Role::CallCentre), batch.at.time);
        batch.record(Event { time, actor, cause: None, body: Body::Reported(report) });
        match self.truth.append(&batch) {
            // A third writer may have been faster still, which serves as well.
            Ok(()) | Err(LedgerError::Moved { .. }) => {}
            Err(error) => panic!("a well-formed batch: {error}"),
        }
    }
}

impl Ledger for LyingLedger {
    fn head(&self) -> Result<Head, LedgerError> {
        self.call(|| self.truth.head())
    }

    fn book(&self) -> Result<(Position, Book), LedgerError> {
        self.call(|| self.truth.book())
    }

    fn find(&self, wanted: &Wanted) -> Result<Found, LedgerError> {
        if self.lies(|l| l.stale, |t| &mut t.stale)
            && let Some(past) = self.past()
        {
            return past.find(wanted);
        }
        if self.lies(|l| l.torn, |t| &mut t.torn)
            && let Some(past) = self.past()
        {
            return Ok(Found { head: past.head, ..self.truth.find(wanted)? });
        }
        self.call(|| self.truth.find(wanted))
    }

    fn registered(&self, keys: &[CertificateKey]) -> Result<Vec<Option<CertificateNo>>, LedgerError> {
        self.call(|| self.truth.registered(keys))
    }

    fn append(&self, batch: &Batch) -> Result<(), LedgerError> {
        if self.lies(|l| l.second_writer, |t| &mut t.second_writer) {
            self.let_another_write();
        }
        self.write(|| self.truth.append(batch))
    }

    fn append_in_turn(&self, build: &mut dyn FnMut(&Head) -> Result<Batch, LedgerError>) -> Result<Batch, LedgerError> {
        self.write(|| self.truth.append_in_turn(build))
    }

    fn events_after(&self, after: Position, limit: usize) -> Result<Vec<Sealed>, LedgerError> {
        let limit = if limit > 1 && self.lies(|l| l.short_page, |t| &mut t.short_page) { 1 } else { limit };
        self.call(|| self.truth.events_after(after, limit))
    }

    fn rows_from(&self, first: CertificateNo, limit: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
        self.call(|| self.truth.rows_from(first, limit))
    }

    fn scan(&self, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Head, LedgerError> {
        self.call(|| self.truth.scan(visit))
    }

    fn due(&self, now: Time, limit: usize) -> Result<Vec<(Time, CertificateNo)>, LedgerError> {
        self.call(|| self.truth.due(now, limit))
    }

    fn queue(&self) -> Result<Vec<Position>, LedgerError> {
        self.call(|| self.truth.queue())
    }

    fn new_list(&self) -> Result<ListNo, LedgerError> {
        self.call(|| self.truth.new_list())
    }

    fn add_to_list(&self, list: ListNo, members: &[CertificateNo]) -> Result<(), LedgerError> {
        self.call(|| self.truth.add_to_list(list, members))
    }

    fn list_members(
        &self,
        list: ListNo,
        after: CertificateNo,
        limit: usize,
    ) -> Result<Vec<CertificateNo>, LedgerError> {
        self.call(|| self.truth.list_members(list, after, limit))
    }

    fn inbox(&self, limit: usize) -> Result<Vec<InboxItem>, LedgerError> {
        self.call(|| self.truth.inbox(limit))
    }

    fn beat(&self, now: Time) -> Result<Heartbeat, LedgerError> {
        self.call(|| self.truth.beat(now))
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, LedgerError> {
        self.call(|| self.truth.heartbeat())
    }

    fn lease(&self, name: &str, node: NodeId, now: Millis, term_ms: u32) -> Result<Lease, LedgerError> {
        self.call(|| self.truth.lease(name, node, now, term_ms))
    }

    fn release_lease(&self, name: &str, node: NodeId) -> Result<(), LedgerError> {
        self.call(|| self.truth.release_lease(name, node))
    }

    fn wait(&self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        if self.lies(|l| l.false_wake, |t| &mut t.false_wake) {
            if self.script().rng.per_mille(500) {
                std::thread::sleep(at_most);
            }
            return Ok(());
        }
        self.call(|| self.truth.wait(after, at_most))
    }

    fn wait_inbox(&self, at_most: Duration) -> Result<Heard, LedgerError> {
        if self.lies(|l| l.false_wake, |t| &mut t.false_wake) {
            return Ok(if self.script().rng.per_mille(500) { Heard::Something } else { Heard::Nothing });
        }
        self.call(|| self.truth.wait_inbox(at_most))
    }

    fn strays(&self) -> Result<Vec<Stray>, LedgerError> {
        self.call(|| self.truth.strays())
    }

    fn upkeep(&self) -> Result<Upkeep, LedgerError> {
        self.call(|| self.truth.upkeep())
    }
}

/// Enough for a stale answer to be several appends old, small enough to copy on every append.
const PAST_STATES_MAX: usize = 4;
