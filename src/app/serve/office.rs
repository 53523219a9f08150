//! The notary's thread: when it looks, and what is noted of what it found. Run by `serve`.

use std::sync::Arc;
use std::time::Duration;

use super::faces;
use super::log;
use super::notary::{Duty, Notary, NotaryError};
use super::sequence::Opened;
use super::stop::{Pause, Stop};
use super::vitals::{CheckpointSign, Lead, Vitals};
use crate::app::clock;
use crate::keys::Signer;
use crate::ledger::{CheckpointFile, Severity, VerifierKey};
use crate::publisher::Shelf;

/// What the notary's thread works with.
pub(super) struct Office {
    pub key: Option<Box<dyn Signer>>,
    pub name: String,
    pub trusted: Vec<VerifierKey>,
    pub file: CheckpointFile,
    pub every: Duration,
    pub opened: Opened,
    pub vitals: Arc<Vitals>,
    pub shelf: Arc<Shelf>,
    pub stop: Arc<Stop>,
}

impl Office {
    /// The thread's whole life.
    pub fn run(mut self) {
        let mut notary = None;
        let mut pause = Duration::ZERO;
        let mut signed = false;
        loop {
            faces::lay_checkpoint(&self.shelf, &self.file, clock::now());
            let paused = self.stop.pause(pause);
            pause = FIRST_PAUSE;
            if let Some(done) = self.turn(&mut notary, paused) {
                if matches!(done, Err(NotaryError::Disagree(_))) {
                    // It doesn't pass by itself, and nothing may be signed until a person has looked. The sequencer
                    // sees it, too, and writes no more.
                    self.note(done);
                    return;
                }
                if done.is_ok() {
                    pause = self.every;
                    if !std::mem::replace(&mut signed, true) {
                        log::line("read the ledger up to its last checkpoint, and agree with it");
                    }
                }
                self.note(done);
            }
            if paused == Pause::Stop {
                return;
            }
        }
    }

    /// One turn; nothing if the ledger isn't open, or nobody leads yet.
    fn turn(&mut self, notary: &mut Option<Notary>, paused: Pause) -> Option<Result<(), NotaryError>> {
        let ledger = self.opened.get()?.clone();
        if notary.is_none() {
            let head = match ledger.head() {
                Ok(head) => head,
                Err(error) => return Some(Err(error.into())),
            };
            match Notary::new(head.ledger, self.key.take()?, &self.name, self.trusted.clone()) {
                Ok(made) => *notary = Some(made),
                Err(error) => return Some(Err(error)),
            }
        }
        let signs = self.vitals.signs();
        // Who has just started doesn't know yet whether it leads.
        signs.heartbeat.as_ref()?;
        let duty = if signs.lead == Lead::Mine { Duty::Lead } else { Duty::Follow };
        let stop = &self.stop;
        // At the end one look is enough: whoever has far to read leaves it to the next.
        let mut looks = 0;
        let mut go_on = || {
            looks += 1;
            if paused == Pause::Stop { looks <= LAST_LOOKS_MAX } else { stop.pause(Duration::ZERO) == Pause::Over }
        };
        Some(notary.as_mut()?.tick(&*ledger, &self.file, duty, clock::now(), &mut go_on))
    }

    fn note(&self, done: Result<(), NotaryError>) {
        let sign = match done {
            Ok(()) => CheckpointSign::Fine,
            // A ledger that is away is told by those who write to it.
            Err(NotaryError::Ledger(error)) if error.severity() == Severity::Retry => CheckpointSign::Fine,
            Err(error @ NotaryError::Disagree(_)) => CheckpointSign::Disagree(error.to_string()),
            Err(error) => CheckpointSign::Failing(error.to_string()),
        };
        self.vitals.note(|signs| signs.see_checkpoint(sign));
    }
}

/// Until the first checkpoint, and after one that failed.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Reading a page, signing, and seeing that nothing is left; a little more if others write meanwhile.
const LAST_LOOKS_MAX: u32 = 8;
