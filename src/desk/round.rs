//! The desk: rounds of tasks, each decided on what was read for it and appended as one batch.
//!
//! Called with a list of tasks by whoever runs it (a writer thread in `app/`, the command line, the simulation): the desk
//! itself has no thread, no clock and no queue. What arrives together is committed together.

use std::sync::Arc;

use crate::ledger::{Batch, Head, Ledger, LedgerError, NewStatus, Settled, Severity, settle};
use crate::model::{Book, Policy, Position, Time};

use super::decide::Round;
use super::need::Needs;
use super::papers::Papers;
use super::task::{DeskError, Done, Task};
use super::work::do_task;

/// Decides tasks on a ledger.
pub struct Desk {
    ledger: Arc<dyn Ledger>,
    policy: Policy,
    book: Option<(Position, Arc<Book>)>,
}

impl Desk {
    /// A desk on a ledger, with its settings.
    pub fn new(ledger: Arc<dyn Ledger>, policy: Policy) -> Self {
        Self { ledger, policy, book: None }
    }

    /// The ledger it writes to.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// Its settings.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Does the tasks in order; says what came of each. Neighbouring tasks share an append where they can.
    pub fn round(&mut self, tasks: &[Task], now: Time) -> Vec<Done> {
        let mut done = Vec::with_capacity(tasks.len());
        let mut rest = tasks;
        while let Some(first) = rest.first() {
            let together =
                if first.stands_alone() { 1 } else { rest.iter().take_while(|task| !task.stands_alone()).count() };
            let (group, later) = rest.split_at(together);
            done.extend(self.group(group, now));
            rest = later;
        }
        done
    }

    /// One task by itself.
    pub fn one(&mut self, task: &Task, now: Time) -> Done {
        self.round(std::slice::from_ref(task), now).pop().expect("a round answers every task")
    }

    /// Decides and appends; again, as long as others are faster.
    fn group(&mut self, tasks: &[Task], now: Time) -> Vec<Done> {
        for attempt in 1..=ATTEMPTS_MAX {
            match self.attempt(tasks, now, attempt) {
                Ok(done) => return done,
                Err(LedgerError::Moved { .. }) => self.book = None,
                // A failure belongs to all tasks of the group; it can't be cloned, so each task tells it anew.
                Err(error) => return failed(tasks, error),
            }
        }
        tasks.iter().map(|_| Err(DeskError::Overtaken(ATTEMPTS_MAX))).collect()
    }

    fn attempt(&mut self, tasks: &[Task], now: Time, attempt: u32) -> Result<Vec<Done>, LedgerError> {
        let ledger = self.ledger.clone();
        if attempt < ATTEMPTS_BEFORE_TURN {
            let (batch, done) = self.decide(tasks, now)?;
            if !batch.is_empty() {
                append_surely(&*ledger, &batch)?;
            }
            return Ok(done);
        }
        let mut done = Vec::new();
        ledger.append_in_turn(&mut |_head| {
            let (batch, answers) = self.decide(tasks, now)?;
            done = answers;
            Ok(batch)
        })?;
        Ok(done)
    }

    /// Reads what the tasks need and decides them one after the other. Writes nothing.
    fn decide(&mut self, tasks: &[Task], now: Time) -> Result<(Batch, Vec<Done>), LedgerError> {
        let (head, papers) = self.read_in_its_hour(tasks, now)?;
        let now = now.max(head.time);
        let mut round = Round { policy: &self.policy, now, papers, batch: Batch::on(head) };
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(do_task(&*self.ledger, &mut round, task)?);
        }
        let Round { papers, mut batch, .. } = round;
        batch.statuses =
            papers.touched().map(|entry| NewStatus { no: entry.no, status: entry.status.clone() }).collect();
        Ok((batch, done))
    }

    /// Budgets are used up in the ledger's hour, so that is the one to ask about: this process's clock may be behind it.
    fn read_in_its_hour(&mut self, tasks: &[Task], now: Time) -> Result<(Head, Papers), LedgerError> {
        let tasks = tasks.iter().collect::<Vec<_>>();
        let mut hour = now.japan_hour();
        loop {
            let (head, papers) = self.read(&Needs::of(&tasks, hour))?;
            let ledgers = now.max(head.time).japan_hour();
            if ledgers == hour {
                return Ok((head, papers));
            }
            hour = ledgers;
        }
    }

    /// The first search fixes the head: whatever is read after it can only be newer, and then the append fails.
    fn read(&mut self, needs: &Needs) -> Result<(Head, Papers), LedgerError> {
        let mut papers = Papers::default();
        let near = self.ledger.find(&needs.near)?;
        let head = near.head.clone();
        papers.add(near);
        if needs.reaches_far() {
            papers.add(self.ledger.find(&needs.far)?);
        }
        papers.book = self.book_at(&head)?;
        Ok((head, papers))
    }

    fn book_at(&mut self, head: &Head) -> Result<Arc<Book>, LedgerError> {
        match &self.book {
            Some((read_at, book)) if *read_at >= head.book => Ok(book.clone()),
            _ => {
                let (read_at, book) = self.ledger.book()?;
                let book = Arc::new(book);
                self.book = Some((read_at, book.clone()));
                Ok(book)
            }
        }
    }
}

/// Appends; when the connection breaks around the commit, finds out what became of it.
fn append_surely(ledger: &dyn Ledger, batch: &Batch) -> Result<(), LedgerError> {
    match ledger.append(batch) {
        Err(LedgerError::Uncertain(why)) => {
            for _ in 0..SETTLE_ATTEMPTS_MAX {
                match settle(ledger, batch) {
                    Ok(Settled::Written) => return Ok(()),
                    Ok(Settled::NotWritten) => return Err(LedgerError::Unreachable(why)),
                    Err(error) if error.severity() == Severity::Retry => {}
                    Err(error) => return Err(error),
                }
            }
            Err(LedgerError::Uncertain(why))
        }
        other => other,
    }
}

/// One failure of the ledger is every task's failure.
fn failed(tasks: &[Task], error: LedgerError) -> Vec<Done> {
    let text = error.to_string();
    let again = |_: &Task| match error.severity() {
        Severity::Retry if matches!(error, LedgerError::Uncertain(_)) => LedgerError::Uncertain(text.clone()),
        Severity::Retry => LedgerError::Unreachable(text.clone()),
        Severity::Reject => LedgerError::Refused(text.clone()),
        Severity::Fatal => LedgerError::Damaged(text.clone()),
    };
    let mut done: Vec<Done> = tasks.iter().skip(1).map(|task| Err(again(task).into())).collect();
    done.insert(0, Err(error.into()));
    done
}

/// From this attempt on the desk asks for the writer's turn. Beside bulk work each attempt waits for a chunk before it
/// learns that it was overtaken: several in a row would add up to more than a caller should wait.
const ATTEMPTS_BEFORE_TURN: u32 = 2;
/// With the turn taken, only a lost turn can overtake; this many times in a row means something is wrong.
const ATTEMPTS_MAX: u32 = 16;
/// How often an uncertain commit is asked about before the caller is told that it is uncertain.
const SETTLE_ATTEMPTS_MAX: u32 = 8;
