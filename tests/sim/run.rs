//! One simulation: a ledger, a few nodes with wrong clocks, clients, and a scheduler that lets one of them do one thing
//! at a time. Everything follows from the seed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use tashika::desk::{Desk, DeskError, Done, Sequencer, Stepped, Task, Undone, carry_out};
use tashika::ledger::{Batch, LedgerError};
use tashika::model::{Actor, Command, LedgerId, Millis, NodeId, Outcome, Policy, Position, Request, Role, Verdict};

use crate::answers::Answers;
use crate::check::{Seen, check_world, nothing_overdue};
use crate::clients::{Clients, Sent, label};
use crate::gate::{self, Job, Said};
use crate::lying_ledger::{Lies, LyingLedger};
use crate::memory_ledger::{MemoryLedger, Turn};
use crate::naive::{Naive, check};
use crate::nation;
use crate::outside::Outside;
use crate::rng::Rng;
use crate::setup::{Sabotage, furnish, lies, policy};
use crate::workload::Workload;

/// A simulation in progress.
pub struct Sim {
    rng: Rng,
    truth: MemoryLedger,
    nodes: Vec<Node>,
    now: Millis,
    naive: Naive,
    seen: Seen,
    clients: Clients,
    workload: Workload,
    outside: Outside,
    answers: Answers,
    sabotage: Sabotage,
    pub trace: Vec<String>,
}

/// A process with a desk and a sequencer, and a clock of its own.
struct Node {
    ledger: LyingLedger,
    skew_ms: i64,
    idle: Option<(Desk, Sequencer)>,
    busy: Option<Busy>,
}

/// What a node is doing.
struct Busy {
    job: Job<Finished>,
    sent: Vec<Sent>,
    approval: Option<Approval>,
}

/// An undo that was approved and is being carried out.
#[derive(Clone, Copy)]
struct Approval {
    approver: Actor,
    queued: Position,
    outcome: Outcome,
}

struct Finished {
    desk: Desk,
    sequencer: Sequencer,
    what: What,
}

enum What {
    Round(Vec<Done>),
    Step(Result<Stepped, LedgerError>),
    Undo(Result<Option<Undone>, DeskError>),
}

/// How a simulation ended.
pub struct Summary {
    pub tally: BTreeMap<String, u64>,
    pub link: [u8; 32],
    pub events: u64,
}

/// What was wrong, at which step.
pub struct Failure {
    pub step: u64,
    pub what: String,
    pub trace: Vec<String>,
}

/// Runs so many steps from a seed, checks the world after each, and lets everything come to rest.
pub fn run(seed: u64, steps: u64, sabotage: Sabotage) -> Result<Summary, Failure> {
    let mut sim = Sim::new(seed, sabotage);
    let mut result = Ok(());
    let mut step = 0;
    while result.is_ok() && step < steps {
        step += 1;
        result = sim.step(step).and_then(|()| sim.check()).and_then(|()| sim.answer());
    }
    if result.is_ok() {
        result = sim.rest();
    }
    sim.nodes.iter_mut().filter_map(|node| node.busy.take()).for_each(|busy| busy.job.kill());
    match result {
        Ok(()) => Ok(sim.summary()),
        Err(what) => Err(Failure { step, what, trace: sim.trace }),
    }
}

impl Sim {
    fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut rng = Rng::new(seed);
        let policy = policy(&mut rng);
        let id = LedgerId(rng.name128());
        let truth = MemoryLedger::create(&Batch::genesis(id, nation::actor(Role::Ops), nation::at(0)));
        let now = Millis(nation::NOON * 1_000);
        let mut desk = Desk::new(Arc::new(truth.clone()), policy.clone());
        furnish(&mut desk);
        let lies = lies(&mut rng);
        let nodes = (0..NODES).map(|_| Node::new(&truth, &policy, &mut rng, lies)).collect();
        let (clients, workload) = (Clients::new(rng.fork()), Workload::new(rng.fork()));
        let (naive, seen, outside) = (Naive::new(policy), Seen::default(), Outside::new(rng.fork()));
        let (answers, trace) = (Answers::new(rng.fork(), &truth), Vec::new());
        Self { rng, truth, nodes, now, naive, seen, clients, workload, outside, answers, sabotage, trace }
    }

    fn check(&mut self) -> Result<(), String> {
        check_world(&self.truth, &mut self.naive, &mut self.seen, &self.clients)?;
        self.outside.check(&self.truth.state(), &self.naive)
    }

    fn answer(&mut self) -> Result<(), String> {
        self.answers.act(&self.truth, &self.naive, self.now)
    }

    /// One thing happens.
    fn step(&mut self, step: u64) -> Result<(), String> {
        self.pass_time();
        if step == SABOTAGED_STEP {
            self.sabotage.on(&self.truth);
            if self.sabotage == Sabotage::LieInTheTable {
                self.answers.lie();
            }
        }
        if self.clients.waiting.len() < WAITING_MAX && self.rng.per_mille(300) {
            self.ask();
        }
        if self.rng.per_mille(40) {
            self.outside.act(&self.naive, &self.truth, self.now.time());
        }
        let node = self.rng.below(self.nodes.len() as u64) as usize;
        if self.nodes[node].busy.is_none() {
            self.begin(node);
            return Ok(());
        }
        if self.rng.per_mille(4) {
            self.say(&format!("node {node} is killed"));
            self.kill(node);
            return Ok(());
        }
        self.resume(node)
    }

    fn pass_time(&mut self) {
        let ms = match self.rng.below(1_000) {
            0..3 => self.rng.below(86_400_000 * 20),
            3..20 => self.rng.below(3_600_000),
            20..300 => self.rng.below(3_000),
            _ => self.rng.below(20),
        };
        self.now = Millis(self.now.0 + ms as i64);
        if self.rng.per_mille(5) {
            let node = self.rng.below(self.nodes.len() as u64) as usize;
            let reach = *self.rng.pick(&[500, 5_000, 7_200_000]);
            self.nodes[node].skew_ms = self.rng.below(2 * reach + 1) as i64 - reach as i64;
            self.say(&format!("node {node}'s clock is off by {} ms", self.nodes[node].skew_ms));
        }
    }

    fn ask(&mut self) {
        let now = self.now.time();
        if self.rng.per_mille(60) {
            let (actor, certificates) = self.workload.certificates(&self.naive, now);
            self.clients.send(Task::Register { actor, certificates });
        } else if self.rng.per_mille(15) {
            let campaign = self.workload.campaign(now);
            campaign.into_iter().for_each(|request| self.clients.send(Task::Request(request)));
        } else {
            let request = self.workload.request(&self.naive, &self.truth, now);
            self.clients.send(Task::Request(request));
        }
    }

    /// An idle node takes up something.
    fn begin(&mut self, index: usize) {
        let now = Millis(self.now.0 + self.nodes[index].skew_ms);
        let steps = self.clients.waiting.is_empty() || self.rng.per_mille(300);
        let sent = if steps { Vec::new() } else { self.clients.some(4, &self.naive) };
        let Some((desk, sequencer)) = self.nodes[index].idle.take() else { return };
        let tasks: Vec<Task> = sent.iter().map(|sent| sent.task.clone()).collect();
        if !steps {
            let names: Vec<_> = tasks.iter().map(label).collect();
            self.say(&format!("node {index} begins a round: {}", names.join(", ")));
        }
        let job = Job::new(move || work(desk, sequencer, &tasks, now));
        self.nodes[index].busy = Some(Busy { job, sent, approval: None });
    }

    fn resume(&mut self, index: usize) -> Result<(), String> {
        let Some(busy) = self.nodes[index].busy.take() else { return Ok(()) };
        match busy.job.resume() {
            Said::Paused => self.nodes[index].busy = Some(busy),
            Said::Died => {
                self.say(&format!("node {index} dies in the middle of a call"));
                busy.sent.into_iter().for_each(|sent| self.clients.unanswered(sent));
                self.reboot(index);
            }
            Said::Panicked(text) => return Err(format!("node {index} panicked: {text}")),
            Said::Ended(finished) => {
                self.nodes[index].idle = Some((finished.desk, finished.sequencer));
                // What it was told is compared with what is in the ledger, so that has to be taken in first.
                self.check()?;
                match finished.what {
                    What::Round(done) => self.answered(index, busy.sent, &done)?,
                    What::Step(stepped) => sequenced(stepped)?,
                    What::Undo(undone) => self.undone(index, busy.approval, undone)?,
                }
            }
        }
        Ok(())
    }

    fn answered(&mut self, index: usize, sent: Vec<Sent>, done: &[Done]) -> Result<(), String> {
        check(sent.len() == done.len(), || "not one answer each".into())?;
        for (sent, done) in sent.into_iter().zip(done) {
            self.say(&format!("node {index} answers {}: {}", label(&sent.task), answer(done)));
            if let (Some((approver, queued)), Ok(outcome)) = (approval(&sent.task), done)
                && self.nodes[index].busy.is_none()
            {
                self.carry_out(index, Approval { approver, queued, outcome: *outcome });
            }
            self.clients.answered(sent, done, &self.naive, &self.seen.links)?;
        }
        Ok(())
    }

    /// Whoever approves an undo carries it out; of other approvals nothing more comes.
    fn carry_out(&mut self, index: usize, approval: Approval) {
        let now = Millis(self.now.0 + self.nodes[index].skew_ms).time();
        let Some((mut desk, sequencer)) = self.nodes[index].idle.take() else { return };
        let job = Job::new(move || {
            let ledger = desk.ledger().clone();
            let Approval { approver, queued, outcome } = approval;
            let submit = &mut |task: Task| desk.one(&task, now);
            let undone = carry_out(&*ledger, submit, &approver, queued, outcome, &mut |_, _| {});
            Finished { desk, sequencer, what: What::Undo(undone) }
        });
        self.nodes[index].busy = Some(Busy { job, sent: Vec::new(), approval: Some(approval) });
    }

    fn undone(
        &mut self,
        index: usize,
        approval: Option<Approval>,
        undone: Result<Option<Undone>, DeskError>,
    ) -> Result<(), String> {
        match undone {
            Ok(None) => Ok(()),
            Ok(Some(undone)) => {
                self.say(&format!("node {index} has undone: {undone:?}"));
                *self.clients.tally.entry("undo carried-out".into()).or_default() += 1;
                let waits = approval.is_some_and(|approval| self.naive.waiting.contains_key(&approval.queued));
                check(!waits, || "an undo that was carried out still waits".into())
            }
            Err(DeskError::Ledger(error)) if error.severity() != tashika::ledger::Severity::Retry => {
                Err(format!("an undo took the ledger to {error}"))
            }
            // Broken off: it goes on waiting, and is approved again.
            Err(_) => Ok(()),
        }
    }

    fn kill(&mut self, index: usize) {
        let Some(busy) = self.nodes[index].busy.take() else { return };
        busy.job.kill();
        busy.sent.into_iter().for_each(|sent| self.clients.unanswered(sent));
        self.reboot(index);
    }

    /// A new process in its place.
    fn reboot(&mut self, index: usize) {
        let node = NodeId(self.rng.name128());
        let desk = Desk::new(Arc::new(self.nodes[index].ledger.clone()), self.naive.policy.clone());
        self.nodes[index].idle = Some((desk, Sequencer::new(node)));
    }

    /// No more lies, no more commands: whoever waits gets an answer, and the clock does all that is due.
    fn rest(&mut self) -> Result<(), String> {
        for index in 0..self.nodes.len() {
            self.nodes[index].ledger.set_lies(Lies::default());
            self.nodes[index].skew_ms = 0;
        }
        let ends = self.now.plus(REST_MS);
        let mut quiet = 0;
        for turn in 0_u64.. {
            check(turn < REST_TURNS_MAX, || "it doesn't come to rest".into())?;
            self.now = Millis((self.now.0 + 100).max(ends.0));
            // In turn, not one to its end: it may have to wait for another's turn to write.
            let index = (turn % NODES) as usize;
            if self.nodes[index].busy.is_some() {
                self.resume(index)?;
                self.check()?;
            } else {
                self.begin(index);
            }
            quiet = if self.clients.waiting.is_empty() { quiet + 1 } else { 0 };
            if quiet > QUIET_TURNS {
                self.finish_all()?;
                break;
            }
        }
        check(self.truth.state().turn == Turn::Free, || "somebody left with the writer's turn".into())?;
        self.outside.all_answered()?;
        nothing_overdue(&self.naive, ends.time())
    }

    /// Lets everybody end what they are at, without taking up anything new.
    fn finish_all(&mut self) -> Result<(), String> {
        while self.nodes.iter().any(|node| node.busy.is_some()) {
            for index in 0..self.nodes.len() {
                self.resume(index)?;
                self.check()?;
            }
        }
        Ok(())
    }

    fn say(&mut self, what: &str) {
        let mut line = String::new();
        let _ = write!(line, "{} ledger {}: {what}", self.now.time(), self.seen.links.len());
        self.trace.push(line);
    }

    fn summary(self) -> Summary {
        let mut tally = self.clients.tally;
        tally.extend(self.answers.tally);
        tally.extend(self.outside.tally().into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)));
        for node in &self.nodes {
            let told = node.ledger.told();
            for (name, count) in told.list() {
                *tally.entry(format!("lie {name}")).or_default() += count;
            }
        }
        let events = self.seen.links.len() as u64;
        Summary { tally, link: self.seen.links.last().copied().unwrap_or_default(), events }
    }
}

impl Node {
    fn new(truth: &MemoryLedger, policy: &Policy, rng: &mut Rng, lies: Lies) -> Self {
        let ledger = LyingLedger::new(truth.clone(), rng.fork(), lies).pausing(gate::pause);
        let desk = Desk::new(Arc::new(ledger.clone()), policy.clone());
        let sequencer = Sequencer::new(NodeId(rng.name128()));
        Self { ledger, skew_ms: 0, idle: Some((desk, sequencer)), busy: None }
    }
}

/// What a node's thread does: a round of tasks, or without any a step of its sequencer.
fn work(mut desk: Desk, mut sequencer: Sequencer, tasks: &[Task], now: Millis) -> Finished {
    let what = if tasks.is_empty() {
        let ledger = desk.ledger().clone();
        What::Step(sequencer.step(&*ledger, &mut |task| desk.one(&task, now.time()), now))
    } else {
        What::Round(desk.round(tasks, now.time()))
    };
    Finished { desk, sequencer, what }
}

/// A step may fail when the ledger can't be reached, and in no other way.
fn sequenced(stepped: Result<Stepped, LedgerError>) -> Result<(), String> {
    let retry = |error: &LedgerError| error.severity() == tashika::ledger::Severity::Retry;
    match stepped {
        Err(error) => check(retry(&error), || format!("a step took the ledger to {error}")),
        Ok(stepped) => stepped.failures.iter().try_for_each(|failure| match failure {
            DeskError::Ledger(error) if retry(error) => Ok(()),
            DeskError::Overtaken(_) => Ok(()),
            other => Err(format!("the clock's task failed: {other}")),
        }),
    }
}

fn approval(task: &Task) -> Option<(Actor, Position)> {
    match task {
        Task::Request(Request {
            actor, command: Command::DecideQueued { queued, verdict: Verdict::Approved }, ..
        }) => Some((*actor, *queued)),
        _ => None,
    }
}

fn answer(done: &Done) -> String {
    match done {
        Ok(outcome) => format!("{outcome:?}"),
        Err(error) => format!("no: {error}"),
    }
}

const NODES: u64 = 3;
const WAITING_MAX: usize = 24;
const SABOTAGED_STEP: u64 = 600;
/// Longer than anything takes to become due.
const REST_MS: u32 = 86_400_000 * 40;
const REST_TURNS_MAX: u64 = 20_000;
/// Long enough for every node to have done several steps of its sequencer.
const QUIET_TURNS: u64 = 300;
