//! Waiting for news: LISTEN where it is possible, asking now and then where it is not (a replica).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;

use crate::ledger::LedgerError;
use crate::model::Position;

use super::errors::other;
use super::pool::Pool;
use super::read;
use super::session::Session;

/// Sessions that listen and are not waiting at the moment: one for each thread that has ever waited at once.
#[derive(Default)]
pub(super) struct Hints {
    idle: Mutex<Vec<Listener>>,
}

struct Listener {
    session: Session,
    ears: Ears,
}

enum Ears {
    /// The server tells.
    Notified,
    /// A replica can't: its head is asked for.
    Asking,
}

impl Hints {
    /// Returns when something may have come after `after`, or after `at_most`.
    pub(super) fn wait(&self, pool: &Pool, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        // A listener may have died while nobody waited with it: then it is dropped.
        while let Some(kept) = self.take() {
            if let Ok(()) = self.with(kept, after, at_most) {
                return Ok(());
            }
        }
        self.with(Listener::new(pool)?, after, at_most)
    }

    fn with(&self, mut listener: Listener, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        listener.wait(after, at_most)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
        Ok(())
    }

    fn take(&self) -> Option<Listener> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Listener {
    fn new(pool: &Pool) -> Result<Self, LedgerError> {
        let mut session = pool.connect()?;
        let replica: bool = read::value(&session.query_one("SELECT pg_is_in_recovery()", &[])?, 0)?;
        if replica {
            return Ok(Self { session, ears: Ears::Asking });
        }
        session.client.batch_execute("LISTEN tashika").map_err(other)?;
        Ok(Self { session, ears: Ears::Notified })
    }

    fn wait(&mut self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        // What was told while nobody waited is old news: the head says whether it matters.
        if self.position()? > after {
            return Ok(());
        }
        match self.ears {
            Ears::Notified => {
                let mut notifications = self.session.client.notifications();
                notifications.timeout_iter(at_most).next().map_err(other)?;
                while notifications.iter().next().map_err(other)?.is_some() {}
            }
            Ears::Asking => {
                let times = at_most.as_millis().div_ceil(ASK_EVERY.as_millis());
                for _ in 0..times {
                    std::thread::sleep(ASK_EVERY.min(at_most));
                    if self.position()? > after {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn position(&mut self) -> Result<Position, LedgerError> {
        let row = self
            .session
            .query_one("SELECT position FROM tashika.head ORDER BY position DESC, \"time\" DESC LIMIT 1", &[])?;
        read::position(read::value(&row, 0)?)
    }
}

/// A tenth of the heartbeat's pace, and next to nothing for the server.
const ASK_EVERY: Duration = Duration::from_millis(100);
