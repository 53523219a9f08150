//! Lets several threads take turns, one ledger call at a time, in the order that the simulation chooses: what they do is
//! interleaved as in a fleet, and the same from run to run.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::lying_ledger::Crash;

/// A piece of work on a thread of its own, which runs only while it is resumed.
pub struct Job<T> {
    go: Sender<Go>,
    said: Receiver<Said<T>>,
    thread: JoinHandle<()>,
}

/// What a job says when it stops running for now, or for good.
pub enum Said<T> {
    /// It died, as a process does.
    Died,
    /// It is done.
    Ended(T),
    /// It panicked: a bug.
    Panicked(String),
    /// It is about to call the ledger.
    Paused,
}

enum Go {
    Die,
    On,
}

struct Gate {
    go: Receiver<Go>,
    paused: Box<dyn Fn()>,
}

thread_local! {
    static GATE: RefCell<Option<Gate>> = const { RefCell::new(None) };
}

impl<T: Send + 'static> Job<T> {
    /// Work that waits to be resumed.
    pub fn new(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (go, gone) = channel();
        let (say, said) = channel();
        let thread = std::thread::spawn(move || {
            let paused = say.clone();
            let gate = Gate { go: gone, paused: Box::new(move || drop(paused.send(Said::Paused))) };
            GATE.set(Some(gate));
            let result = catch_unwind(AssertUnwindSafe(|| {
                wait_for_go();
                work()
            }));
            GATE.set(None);
            // Nobody listens to a job that was told to die.
            drop(say.send(result.map_or_else(|payload| ended_badly(&*payload), Said::Ended)));
        });
        Self { go, said, thread }
    }

    /// Runs it until its next ledger call or its end.
    pub fn resume(&self) -> Said<T> {
        drop(self.go.send(Go::On));
        self.said.recv().expect("a job says how it ends")
    }

    /// Kills it where it stands.
    pub fn kill(self) {
        drop(self.go.send(Go::Die));
        drop(self.thread.join());
    }
}

/// Stops the running job until it is resumed; does nothing outside of jobs.
pub fn pause() {
    let inside = GATE.with_borrow(|gate| {
        if let Some(gate) = gate {
            (gate.paused)();
        }
        gate.is_some()
    });
    if inside {
        wait_for_go();
    }
}

fn wait_for_go() {
    let go = GATE.with_borrow(|gate| gate.as_ref().and_then(|gate| gate.go.recv().ok()));
    if !matches!(go, Some(Go::On)) {
        resume_unwind(Box::new(Crash));
    }
}

fn ended_badly<T>(payload: &(dyn Any + Send)) -> Said<T> {
    if payload.is::<Crash>() {
        return Said::Died;
    }
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Said::Panicked(text.unwrap_or_else(|| "a panic without words".to_owned()))
}
