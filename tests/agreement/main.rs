//! What the desk decides, the database accepts, and both ledgers then say the same: the simulation's commands, from all
//! roles, sensible and senseless, on a ledger in memory and on PostgreSQL side by side.
//!
//! The database checks authority and transitions by code of its own; a rule that it has and the program hasn't would stop
//! a nation's revocations on the day that it is met for the first time. `SIM_SEEDS=n` widens the search.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]

#[path = "../support/lying_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod lying_ledger;
#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod memory_ledger;
#[path = "../sim/naive.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod naive;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod nation;
#[path = "../support/police.rs"]
mod police;
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "shared with PostgreSQL's own tests, which use other parts")]
mod postgres_server;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod rng;
#[path = "../sim/rows.rs"]
mod rows;
#[path = "../sim/rules.rs"]
mod rules;
#[path = "../sim/setup.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod setup;
#[path = "../sim/workload.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod workload;

mod mirror;

use std::ops::ControlFlow;
use std::sync::Arc;

use tashika::desk::{Desk, Sequencer, Task, carry_out};
use tashika::ledger::postgres::PostgresLedger;
use tashika::ledger::{Batch, Ledger, Severity};
use tashika::model::{Command, LedgerId, Millis, NodeId, Outcome, Position, Request, Role, Verdict};

use memory_ledger::MemoryLedger;
use mirror::Mirror;
use naive::Naive;
use postgres_server::Cluster;
use rng::Rng;
use workload::Workload;

#[test]
fn the_database_accepts_whatever_the_desk_decides() {
    let seeds = std::env::var("SIM_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let mut events = 0;
    for seed in 0..seeds {
        events += World::new(seed).run();
    }
    assert!(events > 100 * seeds, "hardly anything happened: {events} events");
}

/// One seed's world.
struct World {
    rng: Rng,
    mirror: Arc<Mirror>,
    desk: Desk,
    sequencer: Sequencer,
    workload: Workload,
    naive: Naive,
    now: Millis,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let policy = setup::policy(&mut rng);
        let genesis = Batch::genesis(LedgerId(rng.name128()), nation::actor(Role::Ops), nation::at(0));
        let cluster = Cluster::shared();
        let (owner, database) = cluster.new_database();
        drop(PostgresLedger::create(&owner, &genesis).unwrap());
        let server = format!("server_of_{database}");
        cluster.must("postgres", &database, &format!("CREATE ROLE {server} LOGIN IN ROLE tashika_server"));
        let postgres = PostgresLedger::open(&cluster.url(&server, &database)).unwrap();
        let mirror = Arc::new(Mirror::new(MemoryLedger::create(&genesis), postgres));
        let mut desk = Desk::new(mirror.clone(), policy.clone());
        setup::furnish(&mut desk);
        let (workload, sequencer) = (Workload::new(rng.fork()), Sequencer::new(NodeId([1; 16])));
        let now = Millis(nation::NOON * 1_000);
        let mut world = Self { rng, mirror, desk, sequencer, workload, naive: Naive::new(policy), now };
        world.observe();
        world
    }

    /// So many rounds; says how many events came of them.
    fn run(mut self) -> u64 {
        for _ in 0..ROUNDS {
            self.pass_time();
            let tasks: Vec<Task> = (0..=self.rng.below(4)).map(|_| self.task()).collect();
            let done = self.desk.round(&tasks, self.now.time());
            for (task, done) in tasks.iter().zip(done) {
                // Refusals are daily life. What the ledger says no to, the desk should have.
                if let Err(tashika::desk::DeskError::Ledger(error)) = &done {
                    assert_eq!(error.severity(), Severity::Retry, "{task:?}: {error}");
                }
                if let (Task::Request(request), Ok(outcome)) = (task, done) {
                    self.carry_out(request, outcome);
                }
            }
            self.observe();
            let (desk, now) = (&mut self.desk, self.now);
            let step = self.sequencer.step(&*self.mirror, &mut |task| desk.one(&task, now.time()), now).unwrap();
            assert!(step.failures.is_empty(), "{:?}", step.failures);
            self.observe();
        }
        self.compare();
        self.naive.events.len() as u64
    }

    fn pass_time(&mut self) {
        let ms = match self.rng.below(100) {
            0..3 => self.rng.below(86_400_000 * 20),
            3..10 => self.rng.below(3_600_000),
            _ => self.rng.below(3_000),
        };
        self.now = Millis(self.now.0 + ms as i64);
    }

    fn task(&mut self) -> Task {
        let now = self.now.time();
        if self.rng.per_mille(80) {
            let (actor, certificates) = self.workload.certificates(&self.naive, now);
            return Task::Register { actor, certificates };
        }
        Task::Request(self.workload.request(&self.naive, &self.mirror.memory, now))
    }

    /// Whoever approves an undo carries it out.
    fn carry_out(&mut self, request: &Request, outcome: Outcome) {
        let Command::DecideQueued { queued, verdict: Verdict::Approved } = request.command else { return };
        let (desk, now) = (&mut self.desk, self.now.time());
        let submit = &mut |task: Task| desk.one(&task, now);
        carry_out(&*self.mirror, submit, &request.actor, queued, outcome, &mut |_, _| {}).unwrap();
    }

    /// Takes in what was recorded.
    fn observe(&mut self) {
        let after = Position(self.naive.events.len() as u64);
        let stored = self.mirror.memory.state();
        for sealed in &stored.events[after.0 as usize..] {
            self.naive.take(sealed, &stored).unwrap();
        }
    }

    /// Everything that can be read is the same.
    fn compare(&self) {
        let Mirror { memory, postgres, .. } = &*self.mirror;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        let keep = |into: &mut Vec<_>, entry| {
            into.push(mirror::comparable(entry));
            ControlFlow::Continue(())
        };
        memory.scan(&mut |entry| keep(&mut theirs, entry)).unwrap();
        postgres.scan(&mut |entry| keep(&mut ours, entry)).unwrap();
        assert_eq!(ours, theirs);
        assert_eq!(postgres.queue().unwrap(), memory.queue().unwrap());
        assert_eq!(postgres.book().unwrap(), memory.book().unwrap());
        let later = self.now.plus(u32::MAX).time();
        assert_eq!(postgres.due(later, 10_000).unwrap(), memory.due(later, 10_000).unwrap());
        let all = |ledger: &dyn Ledger| ledger.events_after(Position(0), 1_000_000).unwrap();
        assert_eq!(all(postgres), all(memory));
    }
}

const SEEDS: u64 = 4;
const ROUNDS: u64 = 150;
