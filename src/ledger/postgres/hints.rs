//! Waiting for news: LISTEN where it is possible, asking now and then where it is not (a replica).
//!
//! One channel tells of both: `append` notifies with the new position, a CA's submission with the word `inbox`. What is lost
//! (a connection, a notification, all of them) costs the time until the waiter looks by itself, and nothing else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;

use crate::ledger::{Heard, LedgerError};
use crate::model::Position;

use super::errors::other;
use super::pool::Pool;
use super::read;
use super::session::Session;

/// Sessions that listen and are not waiting at the moment: one for each thread that has ever waited at once. Locked only to
/// take one and to put it back.
#[derive(Default)]
pub(super) struct Hints {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// For events. Any of them will do, since whoever waits asks for the head first.
    events: Vec<Listener>,
    /// For the inbox. What it was told while nobody waited is kept on the wire for whoever waits next.
    inbox: Option<Listener>,
}

struct Listener {
    session: Session,
    ears: Ears,
    /// Looks at the heartbeat since it was last waited with.
    age: u32,
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
        while let Some(mut kept) = self.take_for_events() {
            if let Ok(()) = kept.wait(after, at_most) {
                self.idle().events.push(kept.rested());
                return Ok(());
            }
        }
        let mut listener = Listener::new(pool)?;
        listener.wait(after, at_most)?;
        self.idle().events.push(listener);
        Ok(())
    }

    /// Returns when something may have come into the inbox, or after `at_most`, or earlier.
    pub(super) fn wait_inbox(&self, pool: &Pool, at_most: Duration) -> Result<Heard, LedgerError> {
        let kept = self.idle().inbox.take();
        let (mut listener, began) = match kept {
            Some(kept) => (kept, Heard::Nothing),
            // Nobody has listened for what came before.
            None => (Listener::new(pool)?, Heard::Something),
        };
        let heard = if began == Heard::Something { began } else { listener.wait_inbox(at_most)? };
        self.idle().inbox = Some(listener.rested());
        Ok(heard)
    }

    /// Lets go of listeners that nobody waits with any more; called at each look at the heartbeat. A session that listens
    /// and never reads holds the notifications of the whole server back, until appends fail.
    pub(super) fn grow_old(&self) {
        let mut idle = self.idle();
        let Idle { events, inbox } = &mut *idle;
        events.iter_mut().chain(inbox.as_mut()).for_each(|listener| listener.age += 1);
        let old: Vec<_> = events.extract_if(.., |listener| listener.age > AGE_MAX).collect();
        let old_inbox = inbox.take_if(|listener| listener.age > AGE_MAX);
        // Closing them may wait for the network.
        drop(idle);
        drop((old, old_inbox));
    }

    fn take_for_events(&self) -> Option<Listener> {
        self.idle().events.pop()
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    fn new(pool: &Pool) -> Result<Self, LedgerError> {
        let mut session = pool.connect()?;
        let replica: bool = read::value(&session.query_one("SELECT pg_is_in_recovery()", &[])?, 0)?;
        let ears = if replica { Ears::Asking } else { Ears::Notified };
        if let Ears::Notified = ears {
            session.client.batch_execute("LISTEN tashika").map_err(other)?;
        }
        Ok(Self { session, ears, age: 0 })
    }

    fn rested(self) -> Self {
        Self { age: 0, ..self }
    }

    fn wait(&mut self, after: Position, at_most: Duration) -> Result<(), LedgerError> {
        // What was told while nobody waited is old news: the head says whether it matters.
        let _ = self.take_in()?;
        if self.position()? > after {
            return Ok(());
        }
        match self.ears {
            Ears::Notified => {
                let _ = self.listen(at_most)?;
                Ok(())
            }
            Ears::Asking => {
                let times = at_most.as_millis().div_ceil(ASK_EVERY.as_millis());
                for _ in 0..times {
                    std::thread::sleep(ASK_EVERY.min(at_most));
                    if self.position()? > after {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    fn wait_inbox(&mut self, at_most: Duration) -> Result<Heard, LedgerError> {
        match self.ears {
            Ears::Notified => self.listen(at_most),
            Ears::Asking => {
                // Who can't write decides nothing.
                std::thread::sleep(at_most);
                Ok(Heard::Nothing)
            }
        }
    }

    /// Waits for the first that is told, and takes in what was told with it. An error means that the connection is gone:
    /// the server or the network say so at once, their silence after a while.
    fn listen(&mut self, at_most: Duration) -> Result<Heard, LedgerError> {
        let first = self.session.client.notifications().timeout_iter(at_most).next().map_err(other)?;
        let rest = self.take_in()?;
        Ok(if first.is_some_and(|told| told.payload() == INBOX) { Heard::Something } else { rest })
    }

    /// Takes in what has been told, without waiting; says whether the inbox was among it.
    fn take_in(&mut self) -> Result<Heard, LedgerError> {
        let mut heard = Heard::Nothing;
        while let Some(told) = self.session.client.notifications().iter().next().map_err(other)? {
            if told.payload() == INBOX {
                heard = Heard::Something;
            }
        }
        Ok(heard)
    }

    fn position(&mut self) -> Result<Position, LedgerError> {
        let row = self
            .session
            .query_one("SELECT position FROM tashika.head ORDER BY position DESC, \"time\" DESC LIMIT 1", &[])?;
        read::position(read::value(&row, 0)?)
    }
}

/// What `tashika.submit` says.
const INBOX: &str = "inbox";
/// Within the time that an answer may take to show a commit, and next to nothing for the server.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Some twenty minutes where all is quiet: a follower and a sequencer look at the heartbeat four times a second each, and
/// more often when woken. Much longer than either is busy with something else.
const AGE_MAX: u32 = 5_000;
