//! The writer thread: callers hand it tasks and wait; what has arrived meanwhile goes into one round and one commit.
//!
//! Used by `serve` and by long work (imports, undo) that shares a desk with others.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::desk::{Desk, DeskError, Done, Task};
use crate::ledger::LedgerError;
use crate::model::Time;

/// Hands tasks to the writer thread. Cheap to clone; the thread ends when the last one is dropped.
#[derive(Clone)]
pub struct Writer {
    jobs: SyncSender<Job>,
}

struct Job {
    task: Task,
    answer: SyncSender<Done>,
}

impl Writer {
    /// Starts the thread. `now` is asked once a round.
    pub fn start(desk: Desk, now: fn() -> Time) -> (Self, JoinHandle<()>) {
        let (jobs, inbox) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(desk, &inbox, now))
            .expect("a thread can be started at start-up");
        (Self { jobs }, thread)
    }

    /// Does a task: blocks until it is durable, or refused. More waiting callers than the bound are told to come again.
    pub fn submit(&self, task: Task) -> Done {
        let (answer, answered) = sync_channel(1);
        match self.jobs.try_send(Job { task, answer }) {
            Ok(()) => answered.recv().unwrap_or_else(|_| Err(gone())),
            Err(TrySendError::Full(_)) => Err(LedgerError::Unreachable("too many commands are waiting".into()).into()),
            Err(TrySendError::Disconnected(_)) => Err(gone()),
        }
    }
}

fn run(mut desk: Desk, jobs: &Receiver<Job>, now: fn() -> Time) {
    while let Ok(first) = jobs.recv() {
        let mut tasks = vec![first.task];
        let mut answers = vec![first.answer];
        while tasks.len() < ROUND_MAX
            && let Ok(job) = jobs.try_recv()
        {
            tasks.push(job.task);
            answers.push(job.answer);
        }
        for (answer, done) in answers.into_iter().zip(desk.round(&tasks, now())) {
            // A caller that gave up no longer listens; what was decided stands all the same.
            let _ = answer.send(done);
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
