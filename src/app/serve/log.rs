//! What `serve` says on stderr: a line for each thing that an operator would want to know tomorrow. Counts and positions
//! only, never a serial or a person. Used by the threads of `serve`.

use std::io::{self, Write as _};

use super::crl_sign::CrlSign;
use super::vitals::{CheckpointSign, Lead, LedgerSign, Signs};
use crate::app::clock;
use crate::app::words::counted;
use crate::desk::{Done, Task};
use crate::model::Outcome;

/// What the sequencer's tasks came to in one step.
#[derive(Debug, Default)]
pub(super) struct Tally {
    by_clock: u64,
    inbox: u64,
}

impl Tally {
    /// Has a task done, and counts what came of it.
    pub fn count(&mut self, task: Task, submit: impl FnOnce(Task) -> Done) -> Done {
        let (is_clock, is_inbox) = (matches!(task, Task::Clock(_)), matches!(task, Task::Inbox(_)));
        let done = submit(task);
        match done {
            Ok(Outcome::Done { first, last }) if is_clock => self.by_clock += last.0 - first.0 + 1,
            Ok(_) if is_inbox => self.inbox += 1,
            _ => {}
        }
        done
    }

    /// What there is to say.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.by_clock > 0 {
            lines.push(format!("the clock changed {} (holds that ended)", counted(self.by_clock, "certificate")));
        }
        if self.inbox > 0 {
            lines.push(format!("decided {} of the inbox", counted(self.inbox, "submission")));
        }
        lines
    }
}

/// What is worth a line when signs change.
pub(super) fn changes(before: &Signs, after: &Signs) -> Vec<String> {
    let mut lines = Vec::new();
    if before.lead != after.lead {
        lines.push(match after.lead {
            Lead::Mine => "leads now: this process writes".to_owned(),
            Lead::Others => "leads no longer".to_owned(),
        });
    }
    if let (None, Some(leap)) = (before.leap, after.leap) {
        let hours = counted(u64::from(leap.0 / 3_600), "hour");
        lines.push(format!("does not lead: this machine's clock is {hours} ahead of the ledger's time"));
    }
    match (&before.ledger, &after.ledger) {
        (LedgerSign::Lost(_), LedgerSign::Lost(_)) | (LedgerSign::Frozen(_), LedgerSign::Frozen(_)) => {}
        (_, LedgerSign::Lost(why)) => lines.push(format!("the ledger is away: {why}")),
        (_, LedgerSign::Frozen(why)) => lines.push(format!("does nothing more to the ledger: {why}")),
        (LedgerSign::Lost(_) | LedgerSign::Frozen(_), LedgerSign::Fine) => lines.push("the ledger is back".to_owned()),
        _ => {}
    }
    match (&before.checkpoint, &after.checkpoint) {
        (CheckpointSign::Disagree(_), _) => {}
        (CheckpointSign::Failing(_), CheckpointSign::Failing(_)) => {}
        (_, CheckpointSign::Failing(why)) => lines.push(format!("checkpoints fail: {why}")),
        (_, CheckpointSign::Disagree(why)) => lines.push(format!("writes and signs nothing more: {why}")),
        (CheckpointSign::Failing(_), CheckpointSign::Fine) => lines.push("checkpoints work again".to_owned()),
        (CheckpointSign::Fine, CheckpointSign::Fine) => {}
    }
    lines.extend(CrlSign::changes(&before.crls, &after.crls));
    lines
}

/// Says it. Nobody may be listening, which is no reason to stop.
pub(super) fn line(text: &str) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(io::stderr().lock(), "{} {text}", clock::now());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Position;

    #[test]
    fn a_change_is_one_line_and_no_change_none() {
        let signs = |write: fn(&mut Signs)| {
            let mut signs = Signs::default();
            write(&mut signs);
            signs
        };
        let fine = signs(|signs| signs.ledger = LedgerSign::Fine);
        let leads = signs(|signs| (signs.ledger, signs.lead) = (LedgerSign::Fine, Lead::Mine));
        let lost = signs(|signs| signs.ledger = LedgerSign::Lost("x".into()));
        let disagree = signs(|signs| {
            (signs.ledger, signs.checkpoint) = (LedgerSign::Fine, CheckpointSign::Disagree("x".into()));
        });
        assert_eq!(changes(&Signs::default(), &fine), [""; 0]);
        assert_eq!(changes(&fine, &leads), ["leads now: this process writes"]);
        assert_eq!(changes(&leads, &lost), ["leads no longer", "the ledger is away: x"]);
        assert_eq!(changes(&lost, &lost), [""; 0]);
        assert_eq!(changes(&lost, &fine), ["the ledger is back"]);
        assert_eq!(changes(&fine, &disagree), ["writes and signs nothing more: x"]);
        assert_eq!(changes(&disagree, &disagree), [""; 0]);
    }

    #[test]
    fn what_the_clock_did_is_counted() {
        let mut tally = Tally::default();
        assert!(tally.lines().is_empty());
        let done = Outcome::Done { first: Position(7), last: Position(9) };
        tally.count(Task::Clock(Vec::new()), |_| Ok(done)).unwrap();
        tally.count(Task::Clock(Vec::new()), |_| Ok(Outcome::AlreadySo)).unwrap();
        assert_eq!(tally.lines(), ["the clock changed 3 certificates (holds that ended)"]);
    }
}
