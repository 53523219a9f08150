//! The sessions of one ledger: a few, made when needed, kept while they work.
//!
//! Whose connection was lost around an append is remembered until that session is known to have ended: nothing is read or
//! written before, so that what a reader sees next can't be changed by an append that was still under way.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::ledger::LedgerError;

use super::session::{Backend, Fate, Session};
use super::url::Address;

/// The sessions.
pub(super) struct Pool {
    address: Address,
    kept: Mutex<Kept>,
    /// Told whenever a session comes back or is given up.
    freed: Condvar,
    /// Sessions that may still be committing. Locked while they are ended, so that everybody waits for that.
    lost: Mutex<Vec<Backend>>,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Session>,
    readers: usize,
    writers: usize,
}

/// What a session is wanted for. Writers may wait for somebody's turn to end, and who has the turn reads: neither kind
/// may keep the other from getting a session.
#[derive(Clone, Copy)]
enum Use {
    Read,
    Write,
}

/// A session taken from the pool; what is still in it when this is dropped goes back.
struct Taken<'a> {
    pool: &'a Pool,
    session: Option<Session>,
    wanted_for: Use,
    age: Age,
}

/// How old a session is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    /// It may have died since it was last used.
    Kept,
}

impl Pool {
    pub(super) fn new(address: Address) -> Self {
        Self { address, kept: Mutex::default(), freed: Condvar::new(), lost: Mutex::default() }
    }

    /// What errors call this database.
    pub(super) fn name(&self) -> &str {
        &self.address.name
    }

    /// Where the database is.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Returns once nothing that was lost can be committed any more.
    pub(super) fn settled(&self) -> Result<(), LedgerError> {
        drop(self.take(Use::Read)?);
        Ok(())
    }

    /// A session of the caller's own, beside the pool.
    pub(super) fn connect(&self) -> Result<Session, LedgerError> {
        Session::connect(&self.address)
    }

    /// Reads. A kept session that turns out to be dead is replaced once.
    pub(super) fn read<T>(&self, work: impl Fn(&mut Session) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.twice(Use::Read, work)
    }

    /// Writes what may be written twice.
    pub(super) fn write<T>(&self, work: impl Fn(&mut Session) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.twice(Use::Write, work)
    }

    /// Does something that is not repeated by itself.
    pub(super) fn once<T>(&self, work: impl FnOnce(&mut Session) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.take(Use::Read)?.run(work)
    }

    /// Appends. If the connection breaks, the session is remembered as one that may still be committing.
    pub(super) fn append<T>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut taken = self.take(Use::Write)?;
        let backend = taken.session.as_ref().map(|session| session.backend);
        let done = taken.run(work);
        if let Err(LedgerError::Uncertain(_) | LedgerError::Unreachable(_)) = &done {
            self.lost().extend(backend);
            self.forget_idle();
        }
        done
    }

    fn twice<T>(&self, what: Use, work: impl Fn(&mut Session) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let mut taken = self.take(what)?;
        match taken.run(&work) {
            Err(LedgerError::Unreachable(_)) if taken.age == Age::Kept => {}
            done => return done,
        }
        drop(taken);
        self.forget_idle();
        self.take(what)?.run(&work)
    }

    fn take(&self, wanted_for: Use) -> Result<Taken<'_>, LedgerError> {
        let mut kept = self.kept();
        while kept.in_use(wanted_for) >= wanted_for.sessions_max() {
            kept = self.freed.wait(kept).unwrap_or_else(PoisonError::into_inner);
        }
        *kept.in_use_mut(wanted_for) += 1;
        let session = kept.idle.pop();
        drop(kept);
        let age = if session.is_some() { Age::Kept } else { Age::Fresh };
        let mut taken = Taken { pool: self, session, wanted_for, age };
        self.settle_lost(&mut taken)?;
        if taken.session.is_none() {
            taken.session = Some(self.connect()?);
        }
        Ok(taken)
    }

    fn settle_lost(&self, taken: &mut Taken<'_>) -> Result<(), LedgerError> {
        let mut lost = self.lost();
        while let Some(backend) = lost.last().copied() {
            // What is kept may be as dead as the lost one.
            taken.session = None;
            let mut session = self.connect()?;
            session.end(backend)?;
            lost.pop();
            taken.session = Some(session);
        }
        Ok(())
    }

    fn forget_idle(&self) {
        let idle = std::mem::take(&mut self.kept().idle);
        drop(idle);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self) -> MutexGuard<'_, Vec<Backend>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn in_use(&self, what: Use) -> usize {
        match what {
            Use::Read => self.readers,
            Use::Write => self.writers,
        }
    }

    fn in_use_mut(&mut self, what: Use) -> &mut usize {
        match what {
            Use::Read => &mut self.readers,
            Use::Write => &mut self.writers,
        }
    }
}

impl Use {
    /// A server allows 100 by default, for all its clients. More callers than this wait.
    fn sessions_max(self) -> usize {
        match self {
            Self::Read => 8,
            Self::Write => 4,
        }
    }
}

impl Taken<'_> {
    fn run<T>(&mut self, work: impl FnOnce(&mut Session) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        // Taken out while it works: should the work panic, the session is dropped rather than kept half-way.
        let mut session = self.session.take().expect("a session is put in when it is taken from the pool");
        let done = work(&mut session);
        let dead = matches!(done, Err(LedgerError::Unreachable(_) | LedgerError::Uncertain(_)));
        if !dead && session.fate == Fate::Keep {
            self.session = Some(session);
        }
        done
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let session = self.session.take();
        let mut kept = self.pool.kept();
        *kept.in_use_mut(self.wanted_for) -= 1;
        kept.idle.extend(session);
        drop(kept);
        self.pool.freed.notify_all();
    }
}
