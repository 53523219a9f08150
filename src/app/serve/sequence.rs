//! The sequencer's thread: opens the ledger, then steps until it is told to stop. Run by `serve`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Part;
use super::log::{self, Tally};
use super::rest::Rest;
use super::stop::{Pause, Stop};
use super::vitals::{CheckpointSign, Lead, LedgerSign, Vitals};
use crate::app::config::{Config, LedgerPlace};
use crate::app::witness::{self, WitnessError};
use crate::app::{Writer, clock, compose};
use crate::desk::{Desk, Sequencer, Stepped};
use crate::ledger::{CheckpointFile, Heartbeat, Ledger, LedgerError, Severity};
use crate::model::{Policy, Seconds};

/// The ledger, once it is open; for the threads that need it too.
pub(super) type Opened = Arc<OnceLock<Arc<dyn Ledger>>>;

/// The writer, once this process may write; for the threads that need it too.
pub(super) type Writing = Arc<OnceLock<Writer>>;

/// What the thread works with.
pub(super) struct Sequence {
    pub place: LedgerPlace,
    pub policy: Policy,
    pub part: Part,
    pub opened: Opened,
    pub writing: Writing,
    pub vitals: Arc<Vitals>,
    pub stop: Arc<Stop>,
    pub checkpoints: CheckpointFile,
    pub leap_max: Option<Seconds>,
}

/// Whether this process may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The ledger was not yet held against its checkpoints.
    Unproved,
    /// It was.
    Fit,
    /// They disagree: nothing more is written until a person has looked.
    Down,
}

impl Sequence {
    /// What a configuration asks for.
    pub fn new(
        config: &Config,
        part: Part,
        (opened, writing): (Opened, Writing),
        vitals: Arc<Vitals>,
        stop: Arc<Stop>,
    ) -> Self {
        let checkpoints = CheckpointFile::at(&config.checkpoint_file);
        Self {
            place: config.ledger.clone(),
            policy: config.policy.clone(),
            part,
            opened,
            writing,
            vitals,
            stop,
            checkpoints,
            leap_max: config.clock_leap_max,
        }
    }

    /// The thread's whole life.
    pub fn run(&self) {
        let Some(ledger) = self.open() else { return };
        let desk = Desk::new(ledger.clone(), self.policy.clone());
        let writer = Writer::new(desk, clock::now);
        let mut sequencer = Sequencer::new(clock::new_node_id()).leaping_at_most(self.leap_max);
        let mut standing = Standing::Unproved;
        let mut rest = Rest::Quiet(Duration::ZERO);
        let mut listen = |at_most| ledger.wait_inbox(at_most);
        while rest.over(&self.stop, &mut listen) == Pause::Over {
            rest = match self.step(&*ledger, &writer, &mut sequencer, &mut standing) {
                Ok(rest) => rest,
                Err(error) if error.severity() == Severity::Fatal => {
                    self.freeze(&error);
                    break;
                }
                Err(error) => {
                    self.lose(&error);
                    Rest::Quiet(RETRY_PAUSE)
                }
            };
        }
        // Whoever takes over need not wait for the lease to end; if the ledger can't be told, it ends by itself.
        let _ = sequencer.stop(&*ledger);
        self.vitals.note(|signs| signs.lead = Lead::Others);
    }

    /// Opens the ledger, unless that was done; tries again as long as it can't be reached.
    fn open(&self) -> Option<Arc<dyn Ledger>> {
        loop {
            if let Some(ledger) = self.opened.get() {
                return Some(ledger.clone());
            }
            match compose::open_ledger(&self.place) {
                Ok(ledger) => {
                    // Nobody else sets it; whoever did would have set the same.
                    let _ = self.opened.set(ledger);
                }
                Err(error) if error.severity() == Severity::Fatal => {
                    self.freeze(&error);
                    return None;
                }
                Err(error) => self.lose(&error),
            }
            if self.opened.get().is_none() && self.stop.pause(RETRY_PAUSE) == Pause::Stop {
                return None;
            }
        }
    }

    /// One step; says how to wait for the next.
    fn step(
        &self,
        ledger: &dyn Ledger,
        writer: &Writer,
        sequencer: &mut Sequencer,
        standing: &mut Standing,
    ) -> Result<Rest, LedgerError> {
        self.stand(ledger, sequencer, standing)?;
        if (self.part, *standing) == (Part::All, Standing::Fit) {
            // Others may write by the same pen from here on. Nobody else sets it.
            let _ = self.writing.set(writer.clone());
        }
        let mut tally = Tally::default();
        let mut submit = |task| tally.count(task, |task| writer.submit(task));
        let stepped = match (self.part, *standing) {
            (Part::All, Standing::Fit) => sequencer.step(ledger, &mut submit, clock::now_millis())?,
            (Part::All, Standing::Unproved | Standing::Down) | (Part::Follower, _) => Stepped::default(),
        };
        tally.lines().iter().for_each(|line| log::line(line));
        let heartbeat = ledger.heartbeat()?;
        let rest = Rest::after(&stepped, clock::now_millis().0);
        self.note(&stepped, heartbeat);
        Ok(rest)
    }

    /// Finds out whether this process may write; gives the lease back once it may not.
    fn stand(&self, ledger: &dyn Ledger, sequencer: &Sequencer, standing: &mut Standing) -> Result<(), LedgerError> {
        if *standing == Standing::Unproved {
            match witness::compare(ledger, &self.checkpoints, self.part.known()) {
                Ok(()) => *standing = Standing::Fit,
                Err(WitnessError::Ledger(error)) => return Err(error),
                Err(error @ WitnessError::Disagree { .. }) => {
                    self.vitals.note(|signs| signs.see_checkpoint(CheckpointSign::Disagree(error.to_string())));
                }
                Err(error @ WitnessError::File(_)) => {
                    self.vitals.note(|signs| signs.see_checkpoint(CheckpointSign::Failing(error.to_string())));
                }
            }
        }
        if *standing != Standing::Down && self.vitals.signs().disagree() {
            // First of all: should the lease not be given back, it is not renewed either.
            *standing = Standing::Down;
            sequencer.stop(ledger)?;
        }
        Ok(())
    }

    fn note(&self, stepped: &Stepped, heartbeat: Option<Heartbeat>) {
        self.vitals.note(|signs| {
            signs.ledger = LedgerSign::Fine;
            signs.round = clock::now_millis();
            signs.heartbeat = heartbeat;
            signs.lead = if stepped.leads { Lead::Mine } else { Lead::Others };
            signs.leap = stepped.leap;
            signs.failing = stepped.failures.first().map(ToString::to_string);
        });
    }

    fn lose(&self, error: &LedgerError) {
        self.vitals.note(|signs| {
            signs.ledger = LedgerSign::Lost(error.to_string());
            signs.round = clock::now_millis();
            signs.lead = Lead::Others;
        });
    }

    fn freeze(&self, error: &LedgerError) {
        self.vitals.note(|signs| {
            signs.ledger = LedgerSign::Frozen(error.to_string());
            signs.lead = Lead::Others;
        });
    }
}

/// Between attempts to reach a ledger that is away: short enough to be back within a second of it.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
