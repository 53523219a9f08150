//! The writer: callers bring tasks and wait; what has arrived meanwhile goes into one round and one commit.
//!
//! There is no thread of its own. Whoever finds nobody writing takes the pen, does a round with all that wait, hands the
//! pen to the first who came meanwhile, and leaves with their own answer. So a lone caller pays for no hand-over, and a
//! crowd shares commits. Used by `serve` and by long work (imports, undo) that shares a desk with others.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::desk::{Desk, DeskError, Done, Task};
use crate::ledger::LedgerError;
use crate::model::Time;

/// Does tasks, those of several callers together. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    shared: Arc<Shared>,
}

struct Shared {
    now: fn() -> Time,
    line: Mutex<Line>,
}

/// Who waits, and the desk while nobody writes.
struct Line {
    pen: Pen,
    waiting: VecDeque<Job>,
}

enum Pen {
    /// It lies here, with the desk.
    Free(Box<Desk>),
    /// Somebody writes.
    Taken,
    /// Whoever wrote died doing it.
    Broken,
}

struct Job {
    task: Task,
    caller: Arc<Caller>,
}

/// One who waits: told what to do next, exactly once for each time of waiting.
#[derive(Default)]
struct Caller {
    word: Mutex<Option<Word>>,
    come: Condvar,
}

enum Word {
    /// The task was done by another.
    Answer(Done),
    /// It is this one's turn to write; the task is still the first that waits.
    TakePen(Box<Desk>),
}

impl Writer {
    /// A writer on a desk. `now` is asked once a round.
    pub fn new(desk: Desk, now: fn() -> Time) -> Self {
        let line = Line { pen: Pen::Free(Box::new(desk)), waiting: VecDeque::new() };
        Self { shared: Arc::new(Shared { now, line: Mutex::new(line) }) }
    }

    /// Does a task: blocks until it is durable, or refused. More waiting callers than the bound are told to come again.
    pub fn submit(&self, task: Task) -> Done {
        let mut line = self.shared.line();
        if line.waiting.len() >= WAITING_MAX {
            return Err(LedgerError::Unreachable("too many commands are waiting".into()).into());
        }
        let caller = Arc::new(Caller::default());
        match std::mem::replace(&mut line.pen, Pen::Taken) {
            Pen::Free(desk) => {
                line.waiting.push_back(Job { task, caller });
                drop(line);
                self.write(desk)
            }
            Pen::Taken => {
                line.waiting.push_back(Job { task, caller: caller.clone() });
                drop(line);
                match caller.wait() {
                    Word::Answer(done) => done,
                    Word::TakePen(desk) => self.write(desk),
                }
            }
            Pen::Broken => {
                line.pen = Pen::Broken;
                Err(gone())
            }
        }
    }

    /// A round of the first who wait, of whom the caller is the very first; says what came of the caller's task.
    fn write(&self, mut desk: Box<Desk>) -> Done {
        let mut line = self.shared.line();
        let count = line.waiting.len().min(ROUND_MAX);
        let (tasks, callers): (Vec<_>, Vec<_>) = line.waiting.drain(..count).map(|job| (job.task, job.caller)).unzip();
        drop(line);
        let unfinished = Unfinished { shared: &self.shared, callers };
        let done = desk.round(&tasks, (self.shared.now)());
        let callers = unfinished.finish();
        let mut done = done.into_iter();
        let own = done.next().unwrap_or_else(|| Err(gone()));
        for (caller, done) in callers.into_iter().skip(1).zip(done) {
            caller.tell(Word::Answer(done));
        }
        self.shared.pass_on(desk);
        own
    }
}

impl Shared {
    /// Hands the pen to the first who waits, or lays it down.
    fn pass_on(&self, desk: Box<Desk>) {
        let mut line = self.line();
        let next = line.waiting.front().map(|job| job.caller.clone());
        match next {
            Some(next) => {
                drop(line);
                next.tell(Word::TakePen(desk));
            }
            None => line.pen = Pen::Free(desk),
        }
    }

    /// A thread that panics does so outside the lock, or between two assignments that can't.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    fn wait(&self) -> Word {
        let mut word = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match word.take() {
                Some(word) => return word,
                None => word = self.come.wait(word).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn tell(&self, word: Word) {
        *self.word.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        self.come.notify_one();
    }
}

/// Those of a round that was begun. Dropped before it is finished, which only a panic does, it tells everybody that
/// nobody writes any more: no caller waits for ever.
struct Unfinished<'a> {
    shared: &'a Shared,
    callers: Vec<Arc<Caller>>,
}

impl Unfinished<'_> {
    fn finish(mut self) -> Vec<Arc<Caller>> {
        std::mem::take(&mut self.callers)
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.callers.is_empty() {
            return;
        }
        let mut line = self.shared.line();
        line.pen = Pen::Broken;
        let later = std::mem::take(&mut line.waiting);
        drop(line);
        for caller in self.callers.drain(..).chain(later.into_iter().map(|job| job.caller)) {
            caller.tell(Word::Answer(Err(gone())));
        }
    }
}

fn gone() -> DeskError {
    LedgerError::Unreachable("the writer has stopped".into()).into()
}

/// Callers that may wait at once.
const WAITING_MAX: usize = 4_096;
/// Tasks in one round: enough to spread a commit's cost, few enough to keep it within milliseconds.
const ROUND_MAX: usize = 256;
