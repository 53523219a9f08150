//! What a simulation begins with: settings and lies drawn from its seed, a nation with its cards, and the faults that are
//! planted to prove that they would be found.

use tashika::desk::{Desk, Task};
use tashika::model::{CertificateNo, IssuerNo, MediumKind, OfficeHours, Policy, Role, SetRule, Usage};

use crate::lying_ledger::Lies;
use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::rng::Rng;
use crate::workload::HOLDERS;

/// Both release policies, both set rules, with and without office hours.
pub fn policy(rng: &mut Rng) -> Policy {
    let mut policy = Policy { budget_floor: 3, ..Policy::default() };
    if rng.per_mille(500) {
        use MediumKind as M;
        policy.releasable = [M::Card, M::Sim].map(|m| [(m, Usage::Auth), (m, Usage::Sign)]).concat();
    }
    if rng.per_mille(300) {
        policy.window_hours = Some(OfficeHours { opens: 9 * 3600, closes: 17 * 3600 });
    }
    if rng.per_mille(300) {
        policy.sets = SetRule::OnePerson;
    }
    policy.hosts.insert(nation::operator("mvno-c"), nation::operator("mno-a"));
    policy
}

pub fn lies(rng: &mut Rng) -> Lies {
    // A calm world and a wild one.
    let scale = *rng.pick(&[0, 1, 4]);
    Lies {
        unreachable: 5 * scale,
        full: 5 * scale,
        uncertain_written: 15 * scale,
        uncertain_lost: 15 * scale,
        second_writer: 20 * scale,
        stale: 0,
        torn: 10 * scale,
        short_page: 50 * scale,
        false_wake: 0,
        crash: scale,
    }
}

/// Two issuers with their scopes, and a card for everybody.
pub fn furnish(desk: &mut Desk) {
    let now = nation::at(0);
    let ops = nation::actor(Role::Ops);
    let mut tasks = Vec::new();
    for no in 1..=2 {
        tasks.push(Task::AddIssuer { actor: ops, issuer: nation::issuer(no), scopes: Vec::new() });
        tasks.push(Task::AddScope { actor: ops, scope: nation::scope(no) });
    }
    for number in 1..=HOLDERS {
        let on_card = |serial, usage| nation::on_card(nation::key(1, serial), number, usage);
        let certificates = vec![on_card(2 * number, Usage::Sign), on_card(2 * number + 1, Usage::Auth)];
        tasks.push(Task::Register { actor: nation::actor(Role::Ca(IssuerNo(1))), certificates });
    }
    for number in 1..=HOLDERS {
        let sign = CertificateNo(2 * number - 1);
        let carrier = nation::operator(["mno-a", "mno-b", "mvno-c"][number as usize % 3]);
        let certificates = vec![nation::in_sim(nation::key(2, 50 + number), number, carrier, sign)];
        tasks.push(Task::Register { actor: nation::actor(Role::Ca(IssuerNo(2))), certificates });
    }
    let done = desk.round(&tasks, now);
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

/// A fault that the checks must find: proof that they can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    /// An acknowledged event vanishes, and its position is given again.
    LoseTheLastEvent,
    /// A hold is lifted in the table of statuses, without an event.
    LiftAHold,
    /// A timer is forgotten.
    ForgetATimer,
    /// An answer is given differently the second time.
    ChangeAnAnswer,
    /// A row of the inbox is answered with the event of another.
    AnswerAnotherRow,
    /// A certificate is revoked in the table that answers come from, without an event.
    LieInTheTable,
}

impl Sabotage {
    /// Does it.
    pub fn on(self, ledger: &MemoryLedger) {
        let mut state = ledger.state();
        match self {
            // Not in the ledger.
            Self::None | Self::LieInTheTable => {}
            Self::LoseTheLastEvent => {
                state.events.pop();
            }
            Self::LiftAHold => {
                let held = state.statuses.values_mut().find(|status| !status.holds.is_empty());
                if let Some(status) = held {
                    status.holds.pop();
                }
            }
            Self::ForgetATimer => state.timers.clear(),
            Self::AnswerAnotherRow => {
                let answered = state.inbox.values().find_map(|(_, result)| result.clone());
                if let Some((_, waiting)) = state.inbox.values_mut().find(|(_, result)| result.is_none()) {
                    *waiting = answered;
                }
            }
            Self::ChangeAnAnswer => {
                if let Some(answer) = state.answers.values_mut().next() {
                    answer.command = [0; 32];
                }
            }
        }
    }
}
