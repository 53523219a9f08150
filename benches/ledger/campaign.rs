//! A stolen call-centre token sends false holds: stopped at the budget; and what went through is undone by its cause.

use std::sync::Arc;
use std::time::Instant;

use tashika::desk::{Desk, Task, carry_out};
use tashika::ledger::Ledger;
use tashika::model::{Actor, Channel, Command, Outcome, PersonId, Policy, Request, Role, UndoScope, Verdict as Word};

use crate::changes::{generous, hold};
use crate::table::{Table, Verdict, thousands};
use crate::{Scale, population};

pub fn false_holds(name: &str, ledger: &Arc<dyn Ledger>, scale: Scale, table: &mut Table) {
    population::fill(ledger, scale.holds);
    // As it is meant to be: the budget stops it, the rest waits.
    let mut desk = Desk::new(ledger.clone(), Policy::default());
    let tasks: Vec<_> = (0..5_000.min(scale.holds)).map(hold).collect();
    let outcomes = desk.round(&tasks, crate::start());
    let applied = outcomes.iter().filter(|done| matches!(done, Ok(Outcome::Done { .. }))).count();
    assert_eq!(applied, Policy::default().budget_floor as usize, "the budget's floor, and not one more");
    let waits = outcomes.iter().filter(|done| matches!(done, Ok(Outcome::Queued { .. }))).count();
    assert_eq!(applied + waits, tasks.len(), "nothing is lost");
    // As bad as it could get: no budget at all, every hold goes through.
    let mut desk = Desk::new(ledger.clone(), generous());
    for first in (0..scale.holds).step_by(256) {
        let tasks: Vec<_> = (first..scale.holds.min(first + 256)).map(hold).collect();
        for done in desk.round(&tasks, crate::start()) {
            done.expect("a hold");
        }
    }
    let begun = Instant::now();
    let undone = undo(ledger, &mut desk);
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(undone as usize, scale.holds, "every false hold is lifted");
    table.row(
        format!("{name}: {} false holds by one stolen token", thousands(scale.holds as f64)),
        format!("{applied} applied, then queued; all undone by sender in {seconds:.1} s"),
        "stopped at the budget; undone in ≤ 60 s",
        "≤ 10 s",
        Verdict::at_most(seconds, 60.0, 10.0),
    );
}

fn undo(ledger: &Arc<dyn Ledger>, desk: &mut Desk) -> u64 {
    let thief = Actor { role: Role::CallCentre, person: PersonId([7; 16]), channel: Channel::Api };
    let scope = UndoScope::ByActor { actor: thief, since: crate::start(), until: crate::start() };
    let ask = |person, command| {
        let actor = Actor { role: Role::Ops, person: PersonId([person; 16]), channel: Channel::Cli };
        Task::Request(Request { actor, command, idempotency: None })
    };
    let Ok(Outcome::Queued { queued }) = desk.one(&ask(1, Command::Undo(scope)), crate::start()) else {
        panic!("an undo waits for a second person")
    };
    let word = Command::DecideQueued { queued, verdict: Word::Approved };
    let approved = desk.one(&ask(2, word), crate::start()).expect("an approval");
    let approver = Actor { role: Role::Ops, person: PersonId([2; 16]), channel: Channel::Cli };
    carry_out(&**ledger, &mut |task| desk.one(&task, crate::start()), &approver, queued, approved, &mut |_, _| {})
        .expect("an undo")
        .expect("it was an undo that was approved")
        .certificates
}
