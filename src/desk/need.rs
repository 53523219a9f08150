//! What must be read before a task can be decided.

use crate::ledger::{Families, Wanted};
use crate::model::{Action, BudgetKey, Command, Request, Role, Subject};

use super::task::Task;

/// What a round's tasks need, sorted by how far the search must reach.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Only what is named.
    pub near: Wanted,
    /// With everything else of the same holders.
    pub far: Wanted,
}

impl Needs {
    /// The needs of all tasks of one round in the given Japan hour.
    pub(super) fn of(tasks: &[&Task], hour: i64) -> Self {
        let mut needs = Self::default();
        needs.near.hour = hour;
        needs.far.families = Families::Yes;
        for task in tasks {
            match task {
                Task::Request(request) => needs.add_request(request),
                Task::Clock(due) => needs.near.numbers.extend(due.iter().map(|(_, no)| *no)),
                Task::Lift { holds, .. } => needs.near.numbers.extend(holds.iter().map(|(no, _)| *no)),
                Task::AddIssuer { .. }
                | Task::AddScope { .. }
                | Task::Close { .. }
                | Task::Inbox(_)
                | Task::LiftSet { .. }
                | Task::NumberCrls { .. }
                | Task::Register { .. } => {}
            }
        }
        needs.near.budgets.sort_unstable();
        needs.near.budgets.dedup();
        needs
    }

    /// Adds what one command needs.
    pub(super) fn add_request(&mut self, request: &Request) {
        self.near.answers.extend(request.idempotency);
        if let Some(action) = budgeted(&request.command) {
            self.near.budgets.push(BudgetKey::of(&request.actor, action));
        }
        // Whether a holder showed a medium of their own can only be seen beside all that is theirs.
        let holder = matches!(request.actor.role, Role::Holder { .. });
        match &request.command {
            Command::Activate(key)
            | Command::Hold { key, .. }
            | Command::Release { key, .. }
            | Command::Revoke { key, .. } => {
                if holder { &mut self.far } else { &mut self.near }.keys.push(*key);
            }
            Command::Report(report) => match report.subject {
                Subject::Holder(id) => self.far.holders.push(id),
                Subject::Medium(id) => self.far.media.push(id),
                Subject::Sim { sim, operator } => self.far.sims.push((operator, sim)),
            },
            Command::AdoptEpoch { .. } | Command::DecideQueued { .. } | Command::Set { .. } | Command::Undo(_) => {}
        }
    }

    /// Whether there is anything that needs families.
    pub(super) fn reaches_far(&self) -> bool {
        let far = &self.far;
        !(far.keys.is_empty() && far.holders.is_empty() && far.media.is_empty() && far.sims.is_empty())
    }
}

/// The kind of action that a command draws a budget for; `None` for those that always need two people or none.
pub(super) fn budgeted(command: &Command) -> Option<Action> {
    match command {
        Command::Activate(_) => Some(Action::Activate),
        Command::Hold { .. } => Some(Action::Hold),
        Command::Release { .. } => Some(Action::Release),
        Command::Report(report) => Some(Action::Report(report.kind)),
        Command::Revoke { .. } => Some(Action::Revoke),
        Command::AdoptEpoch { .. } | Command::DecideQueued { .. } | Command::Set { .. } | Command::Undo(_) => None,
    }
}
