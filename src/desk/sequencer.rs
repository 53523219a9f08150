//! The sequencer: whoever holds its lease beats the heart, lets the clock act and decides the inbox.
//!
//! Written as a step, so that the simulation can drive it; `app/` calls it in a loop. Any number of processes may run
//! one; the lease keeps them from doing the same work twice, and the comparison of heads keeps it right if they do.

use crate::ledger::{Lease, Ledger, LedgerError, Upkeep};
use crate::model::{Millis, NodeId, Seconds};

use super::task::{DeskError, Done, Task};

/// The state between steps.
#[derive(Debug)]
pub struct Sequencer {
    node: NodeId,
    last_beat: Option<Millis>,
    leap_max: Option<Seconds>,
}

/// What a step found and did.
#[derive(Debug, Default)]
pub struct Stepped {
    /// Whether this process leads.
    pub leads: bool,
    /// Whether there is more to do at once.
    pub more: bool,
    /// When another leads: until when, unless it renews its lease.
    pub others_until: Option<Millis>,
    /// This process's clock is so much ahead of the ledger's time that it must not lead.
    pub leap: Option<Seconds>,
    /// Tasks that failed; they are tried again at a later step.
    pub failures: Vec<DeskError>,
}

impl Sequencer {
    /// A sequencer for this process.
    pub fn new(node: NodeId) -> Self {
        Self { node, last_beat: None, leap_max: None }
    }

    /// Makes it lead only where its clock is at most so far ahead of the ledger's time. What a clock does that is wrong can't
    /// be taken back: holds turn final, and ledger time never decreases.
    pub fn leaping_at_most(self, leap_max: Option<Seconds>) -> Self {
        Self { leap_max, ..self }
    }

    /// One step; to be called about every [`STEP_MS`].
    pub fn step(
        &mut self,
        ledger: &dyn Ledger,
        submit: &mut dyn FnMut(Task) -> Done,
        now: Millis,
    ) -> Result<Stepped, LedgerError> {
        if let Some(leap) = self.leap(ledger, now)? {
            if self.last_beat.take().is_some() {
                self.stop(ledger)?;
            }
            return Ok(Stepped { leap: Some(leap), ..Stepped::default() });
        }
        if let Lease::Others { until, .. } = ledger.lease(LEASE, self.node, now, LEASE_TERM_MS)? {
            self.last_beat = None;
            return Ok(Stepped { others_until: Some(until), ..Stepped::default() });
        }
        let mut stepped = Stepped { leads: true, ..Stepped::default() };
        // A clock set back must not silence the heart: whatever is not within the last second calls for a beat.
        let fresh = self.last_beat.is_some_and(|last| (last..last.plus(BEAT_EVERY_MS)).contains(&now));
        if !fresh {
            ledger.beat(now.time())?;
            self.last_beat = Some(now);
        }
        if let Some(task) = super::due_task(ledger, now.time())? {
            stepped.more = true;
            stepped.failures.extend(submit(task).err());
        }
        for item in ledger.inbox(super::INBOX_PER_STEP)? {
            stepped.more = true;
            stepped.failures.extend(submit(Task::Inbox(item)).err());
        }
        stepped.more |= ledger.upkeep()? == Upkeep::More;
        Ok(stepped)
    }

    /// By how much this clock is ahead of the ledger's time, if that is more than can be believed.
    fn leap(&self, ledger: &dyn Ledger, now: Millis) -> Result<Option<Seconds>, LedgerError> {
        let Some(leap_max) = self.leap_max else { return Ok(None) };
        let ahead = now.time().unix().saturating_sub(ledger.head()?.time.unix());
        let leap = u32::try_from(ahead).ok().map(Seconds).filter(|ahead| *ahead > leap_max);
        // A ledger that was made and never led has stood still for as long as it pleased its owner.
        Ok(if leap.is_some() && ledger.heartbeat()?.is_none() { None } else { leap })
    }

    /// Gives the lease back, so that another need not wait for its end.
    pub fn stop(&self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        ledger.release_lease(LEASE, self.node)
    }
}

/// How often to step.
pub const STEP_MS: u32 = 250;
/// Three steps may fail before another takes over; and then it does within a second.
const LEASE_TERM_MS: u32 = 900;
const BEAT_EVERY_MS: u32 = 1_000;
const LEASE: &str = "sequencer";

const _: () = assert!(LEASE_TERM_MS >= 3 * STEP_MS && LEASE_TERM_MS < 1_000);
