//! Those who send commands: they try again when they must, and remember what they were told.

use std::collections::BTreeMap;

use tashika::desk::{DeskError, Done, Task};
use tashika::ledger::{LedgerError, Severity};
use tashika::model::{Command, IdempotencyKey, Outcome, Position, Refusal, Request, Verdict};

use crate::naive::{Naive, check};
use crate::rng::Rng;

/// Everybody who waits for an answer, and everything that was answered.
pub struct Clients {
    rng: Rng,
    pub waiting: Vec<Sent>,
    told: BTreeMap<IdempotencyKey, Outcome>,
    /// What was acknowledged, by the positions it is at, and the link of the last.
    pub acknowledged: Vec<(Position, Position, [u8; 32])>,
    pub tally: BTreeMap<String, u64>,
}

/// A task on its way.
#[derive(Clone)]
pub struct Sent {
    pub task: Task,
    /// How often its tag stood in the ledger when it was last sent.
    pub tag_before: u32,
    tries: u32,
}

impl Clients {
    pub fn new(rng: Rng) -> Self {
        Self { rng, waiting: Vec::new(), told: BTreeMap::new(), acknowledged: Vec::new(), tally: BTreeMap::new() }
    }

    pub fn send(&mut self, task: Task) {
        self.waiting.push(Sent { task, tag_before: 0, tries: 0 });
    }

    /// Some of those who wait, taken out: they come back by `answered` or `unanswered`.
    pub fn some(&mut self, most: u64, naive: &Naive) -> Vec<Sent> {
        let count = (1 + self.rng.below(most)).min(self.waiting.len() as u64);
        let mut taken = Vec::new();
        for _ in 0..count {
            let mut sent = self.waiting.swap_remove(self.rng.below(self.waiting.len() as u64) as usize);
            sent.tag_before = tag(&sent.task).map_or(0, |tag| naive.tags.get(tag).copied().unwrap_or(0));
            taken.push(sent);
        }
        taken
    }

    /// The desk died before it answered.
    pub fn unanswered(&mut self, sent: Sent) {
        self.count(&sent.task, "unanswered");
        self.again(sent);
    }

    /// An answer came; says what of it must not be.
    pub fn answered(&mut self, sent: Sent, done: &Done, naive: &Naive, links: &[[u8; 32]]) -> Result<(), String> {
        let key = match &sent.task {
            Task::Request(request) => request.idempotency,
            _ => None,
        };
        match done {
            Ok(outcome) => {
                self.count(&sent.task, outcome_name(*outcome));
                if let Some(key) = key {
                    let before = *self.told.entry(key).or_insert(*outcome);
                    check(before == *outcome, || format!("{key} was answered {before:?}, now {outcome:?}"))?;
                }
                if let Outcome::Done { first, last } = outcome {
                    let link = links.get(last.0 as usize - 1).ok_or("acknowledged what is not in the ledger")?;
                    check(first <= last, || "from later to earlier".into())?;
                    self.acknowledged.push((*first, *last, *link));
                }
                if let Outcome::Queued { queued } = outcome {
                    check((queued.0 as usize) <= links.len(), || "queued nowhere".into())?;
                }
                // Somebody whose answer got lost asks again, or a message is delivered twice.
                if key.is_some() && self.rng.per_mille(200) {
                    self.again(sent);
                }
                Ok(())
            }
            Err(DeskError::Refused(refusal)) => {
                self.count(&sent.task, "refused");
                check(!matches!(refusal, Refusal::KeyReused), || "a key of its own was said to be another's".into())?;
                check(key.is_none_or(|key| !self.told.contains_key(&key)), || {
                    format!("refused ({refusal}) what was done before")
                })
            }
            Err(DeskError::Overtaken(_)) => {
                self.count(&sent.task, "overtaken");
                self.again(sent);
                Ok(())
            }
            Err(DeskError::Ledger(error)) => {
                self.count(&sent.task, "failed");
                check(error.severity() == Severity::Retry, || format!("the desk took the ledger to {error}"))?;
                if !matches!(error, LedgerError::Uncertain(_)) {
                    let written = tag(&sent.task).and_then(|tag| naive.tags.get(tag)).copied().unwrap_or(0);
                    check(written == sent.tag_before, || format!("said to have failed ({error}), and was written"))?;
                }
                self.again(sent);
                Ok(())
            }
        }
    }

    /// Sends it again; who has no key to tell the command by does so at times only.
    fn again(&mut self, mut sent: Sent) {
        sent.tries += 1;
        let safe = matches!(&sent.task, Task::Request(Request { idempotency: Some(_), .. }));
        if sent.tries <= TRIES_MAX && (safe || self.rng.per_mille(300)) {
            self.waiting.push(sent);
        }
    }

    fn count(&mut self, task: &Task, what: &str) {
        *self.tally.entry(format!("{} {what}", task_name(task))).or_default() += 1;
    }
}

/// The mark by which a report can be found in the ledger.
fn tag(task: &Task) -> Option<&str> {
    match task {
        Task::Request(Request { command: Command::Report(report), .. }) => report.evidence.as_deref(),
        _ => None,
    }
}

/// What a task is, and its key's first octets, to tell the sendings of one command in a trace.
pub fn label(task: &Task) -> String {
    match task {
        Task::Request(Request { idempotency: Some(key), .. }) => format!("{}#{:.6}", task_name(task), key.to_string()),
        _ => task_name(task),
    }
}

fn task_name(task: &Task) -> String {
    match task {
        Task::Register { .. } => "register".into(),
        Task::Request(request) => match &request.command {
            Command::Activate(_) => "activate".into(),
            Command::AdoptEpoch { .. } => "adopt-epoch".into(),
            Command::DecideQueued { verdict: Verdict::Approved, .. } => "approve".into(),
            Command::DecideQueued { verdict: Verdict::Rejected, .. } => "reject".into(),
            Command::Hold { .. } => "hold".into(),
            Command::Release { .. } => "release".into(),
            Command::Report(report) => report.kind.name().into(),
            Command::Revoke { .. } => "revoke".into(),
            Command::Set { .. } => "set".into(),
            Command::Undo(_) => "undo".into(),
        },
        other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_lowercase(),
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::AlreadySo => "so-already",
        Outcome::Done { .. } => "done",
        Outcome::Queued { .. } => "queued",
    }
}

const TRIES_MAX: u32 = 12;
