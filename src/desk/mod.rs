//! Commands of windows, call centre, carriers, holders, registry and CAs: authorise → budget → decide → append.
//!
//! [`Desk::round`] is the way in. Run by the writer thread in `app/`, by the command line and by the simulation; what a
//! second person must see waits in `queue`, a false campaign is undone by `undo`. Never runs by itself: it has no
//! thread and no clock, and it never writes but through `Ledger::append`.

pub mod bulk;
mod campaign;
mod decide;
mod foresight;
mod inbox;
mod need;
mod papers;
mod queue;
mod register;
mod round;
mod sequencer;
mod set;
mod task;
mod undo;
mod work;

pub use campaign::Preview;
pub use foresight::{Foreseen, Foresight};
pub use queue::{Waiting, waiting};
pub use register::{check_certificates, record_certificates};
pub use round::Desk;
pub use sequencer::{STEP_MS, Sequencer, Stepped};
pub use task::{DeskError, Done, Task};
pub use undo::{Undone, carry_out};

use crate::ledger::{Ledger, LedgerError};
use crate::model::{Actor, Channel, PersonId, Role, Time};

/// The clock's next task, if something is due.
pub fn due_task(ledger: &dyn Ledger, now: Time) -> Result<Option<Task>, LedgerError> {
    let due = ledger.due(now, TIMERS_PER_ROUND)?;
    Ok((!due.is_empty()).then_some(Task::Clock(due)))
}

/// Who acts when the clock does.
pub(crate) fn clock_actor() -> Actor {
    Actor { role: Role::System, person: PersonId::default(), channel: Channel::Timer }
}

/// Timers seen to in one append.
const TIMERS_PER_ROUND: usize = 500;
/// Commands of the inbox that are listed at once.
const INBOX_PER_STEP: usize = 64;
