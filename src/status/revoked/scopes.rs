//! The lists of all scopes, fed by whoever follows the ledger, event by event.

use crate::model::{Certificate, Cutoff, Delivery, Position, ScopeNo, Seconds, Serial, Status, Time};

use super::super::own::POSITION_BITS;
use super::entry::{Before, Fact, Known};
use super::list::ScopeList;

/// What CRLs are made from: a list for each scope.
///
/// One thread owns it, feeds it and builds from it, so that a list stands still while a CRL is built.
#[derive(Debug)]
pub struct Revoked {
    /// By number, from 1.
    scopes: Vec<Scope>,
    at: Position,
    losses: LossDates,
    delivery_within: Seconds,
}

/// Whether accepted times of loss are kept, because CRLs tell them as invalidityDate. If not, learning one is no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossDates {
    /// They are not told.
    Ignored,
    /// They are.
    Kept,
}

/// What stopped being the case, that a scan doesn't show any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It waited for its acknowledgement.
    Acknowledged,
    /// A hold was open.
    Released,
}

/// A certificate as it is after an event.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The event.
    pub position: Position,
    /// Its ledger time.
    pub time: Time,
    /// What was registered.
    pub certificate: &'a Certificate,
    /// What is true afterwards, set events included.
    pub status: &'a Status,
}

/// A scope speaks of no position at or after that of a set event whose members are still being put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("scope {scope} still waits for members of the set event at {set}")]
pub struct Waiting {
    /// The scope.
    pub scope: ScopeNo,
    /// The first such event.
    pub set: Position,
}

/// What can't be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokedError {
    /// An event comes before one that was taken in already.
    #[error("an event at {found} comes after one at {at}")]
    OutOfOrder {
        /// The last one.
        at: Position,
        /// The one that came.
        found: Position,
    },
    /// A position beyond what an entry has room for (2⁴⁰).
    #[error("position {0} is beyond what a list can hold")]
    TooLarge(Position),
    /// Scopes are numbered from 1, and this is none.
    #[error("there is no scope {0}")]
    NoScope(ScopeNo),
}

#[derive(Debug, Default)]
struct Scope {
    list: ScopeList,
    /// The first set event whose members aren't all in.
    waits: Option<Position>,
}

impl Revoked {
    /// Without any certificate. `delivery_within` is the desk's: what isn't acknowledged so long after its notBefore is
    /// overdue, and CRLs say so.
    pub fn new(losses: LossDates, delivery_within: Seconds) -> Self {
        Self { scopes: Vec::new(), at: Position(0), losses, delivery_within }
    }

    /// Up to which event it was fed.
    pub fn at(&self) -> Position {
        self.at
    }

    /// Whether it knows when what was lost was lost.
    pub fn losses(&self) -> LossDates {
        self.losses
    }

    /// How long after its notBefore a certificate is overdue that wasn't acknowledged.
    pub fn delivery_within(&self) -> Seconds {
        self.delivery_within
    }

    /// What may stand on the CRLs of a scope, up to [`at`](Self::at).
    pub fn list(&self, no: ScopeNo) -> Result<&ScopeList, Waiting> {
        match self.scopes.get((no.0 as usize).wrapping_sub(1)) {
            None => Ok(const { &ScopeList::EMPTY }),
            Some(Scope { waits: Some(set), .. }) => Err(Waiting { scope: no, set: *set }),
            Some(Scope { list, waits: None }) => Ok(list),
        }
    }

    /// Whether anything is remembered of a certificate.
    pub fn knows(&self, certificate: &Certificate) -> bool {
        let scope = self.scopes.get((certificate.scope.0 as usize).wrapping_sub(1));
        scope.is_some_and(|scope| scope.list.get(&certificate.key.serial).is_some())
    }

    /// Takes in one certificate as a scan of the ledger shows it; [`reach`](Self::reach) says at which position, when all
    /// of them are in. What a scan can't show is told by [`recall`](Self::recall). Whoever knows that a certificate was dropped
    /// from all CRLs long ago, because it had expired, may leave it out.
    pub fn restore(&mut self, certificate: &Certificate, status: &Status) -> Result<(), RevokedError> {
        match Fact::of(status, certificate.not_before, None) {
            None => Ok(()),
            Some(fact) => self.put(certificate, fact, status, status.as_of),
        }
    }

    /// Remembers that a certificate lost a hold or was acknowledged by an event that its status doesn't show any more. After a
    /// scan for each such event between the oldest base that is in use and the scan, in order; after a page for each of the
    /// page's; an end of a set's hold is one for each of its members.
    pub fn recall(
        &mut self,
        certificate: &Certificate,
        gone: Gone,
        at: Position,
        time: Time,
    ) -> Result<(), RevokedError> {
        if gone == Gone::Acknowledged && certificate.not_before + self.delivery_within > time {
            return Ok(());
        }
        let known = self.scope(certificate.scope)?.list.get(&certificate.key.serial).copied();
        let fact = match known.map(|known| known.fact()) {
            // Told already, by this event or a later one.
            Some(Fact::Released { .. } | Fact::Pending { before: Before::Held, .. })
                if known.is_some_and(|known| known.changed() >= at) =>
            {
                return Ok(());
            }
            None | Some(Fact::Released { .. }) => Fact::Released { since: time },
            Some(Fact::Pending { since, .. }) => Fact::Pending { since, before: Before::Held },
            // It is listed again since, and dated to what brought that about.
            Some(Fact::Held { .. } | Fact::Revoked { .. }) => return Ok(()),
        };
        let changed = known.map_or(at, |known| known.changed().max(at));
        let (serial, not_after) = (&certificate.key.serial, certificate.not_after);
        let known = Known::new(serial, fact, None, not_after, changed).ok_or(RevokedError::TooLarge(changed))?;
        // The latest of several events counts, though they say the same.
        let list = &mut self.scope(certificate.scope)?.list;
        list.take(serial);
        list.put(known);
        Ok(())
    }

    /// Takes in what one event registered: of that, only what waits for its acknowledgement.
    pub fn register<'a>(
        &mut self,
        position: Position,
        certificates: impl IntoIterator<Item = &'a Certificate>,
    ) -> Result<(), RevokedError> {
        self.follows(position)?;
        for certificate in certificates {
            if certificate.delivery == Delivery::Awaited {
                let status = Status::at_registration(certificate, position);
                self.restore(certificate, &status)?;
            }
        }
        self.at = position;
        Ok(())
    }

    /// Takes in a change of one certificate, with the status that it has by now: later events may have come to it already.
    pub fn change(&mut self, seen: &Seen<'_>) -> Result<(), RevokedError> {
        self.follows(seen.position)?;
        self.see(seen)?;
        self.at = seen.position;
        Ok(())
    }

    /// Says that a set event happened, in which these scopes have members: they wait until each has got them.
    pub fn expect_members(
        &mut self,
        set: Position,
        scopes: impl IntoIterator<Item = ScopeNo>,
    ) -> Result<(), RevokedError> {
        self.follows(set)?;
        for no in scopes {
            self.scope(no)?.waits.get_or_insert(set);
        }
        self.at = set;
        Ok(())
    }

    /// Takes in a member of a set event, with the status that it has by now: later events may have come to it already.
    pub fn member(&mut self, seen: &Seen<'_>) -> Result<(), RevokedError> {
        self.see(seen)
    }

    /// Says that a scope has got all members of all set events so far.
    pub fn complete(&mut self, no: ScopeNo) -> Result<(), RevokedError> {
        self.scope(no)?.waits = None;
        Ok(())
    }

    /// Says that everything up to there is in, whatever it was about.
    pub fn reach(&mut self, position: Position) -> Result<(), RevokedError> {
        if position < self.at {
            return Err(RevokedError::OutOfOrder { at: self.at, found: position });
        }
        self.at = position;
        Ok(())
    }

    /// Says that what is known of a certificate was listed no more at that position, because it had expired.
    pub fn retire(&mut self, no: ScopeNo, serial: &Serial, at: Position) -> Result<(), RevokedError> {
        let list = &mut self.scope(no)?.list;
        let Some(known) = list.get(serial) else { return Ok(()) };
        let Some((_, since)) = known.fact().listed() else { return Ok(()) };
        let gone = Known::new(serial, Fact::Released { since }, None, known.not_after(), at);
        let gone = gone.ok_or(RevokedError::TooLarge(at))?;
        list.put(gone);
        Ok(())
    }

    /// Forgets of a scope what no delta needs to say any more: see [`ScopeList::prune`].
    pub fn prune(
        &mut self,
        no: ScopeNo,
        oldest_base: Cutoff,
        is_dropped: impl Fn(&Known) -> bool,
    ) -> Result<(), RevokedError> {
        self.scope(no)?.list.prune(oldest_base, is_dropped);
        Ok(())
    }

    fn see(&mut self, seen: &Seen<'_>) -> Result<(), RevokedError> {
        let serial = &seen.certificate.key.serial;
        let known = self.scope(seen.certificate.scope)?.list.get(serial).map(Known::fact);
        let forgotten = known.is_none() && seen.certificate.is_expired(seen.time);
        match Fact::of(seen.status, seen.certificate.not_before, known) {
            None => Ok(()),
            // Not good for long, expired, dropped, and now another hold is opened or lifted, its loss is dated, or a set event
            // goes over it.
            Some(_) if forgotten && !brings(seen) => Ok(()),
            Some(Fact::Released { .. }) if self.was_silent(known, seen.time) => {
                self.scope(seen.certificate.scope)?.list.take(serial);
                Ok(())
            }
            // Dated to the last event that it shows: whoever published in between hasn't listed that.
            Some(fact) => self.put(seen.certificate, fact, seen.status, seen.position.max(seen.status.as_of)),
        }
    }

    /// Whether no CRL before `until` has said anything of what was known.
    fn was_silent(&self, known: Option<Fact>, until: Time) -> bool {
        match known {
            Some(Fact::Pending { since, before: Before::Nothing }) => since + self.delivery_within > until,
            _ => false,
        }
    }

    fn put(
        &mut self,
        certificate: &Certificate,
        fact: Fact,
        status: &Status,
        changed: Position,
    ) -> Result<(), RevokedError> {
        let lost_at = match (self.losses, fact) {
            (LossDates::Kept, Fact::Held { .. } | Fact::Revoked { .. }) => status.lost_at(),
            _ => None,
        };
        let known = Known::new(&certificate.key.serial, fact, lost_at, certificate.not_after, changed);
        let known = known.ok_or(RevokedError::TooLarge(changed))?;
        self.scope(certificate.scope)?.list.put(known);
        Ok(())
    }

    fn scope(&mut self, no: ScopeNo) -> Result<&mut Scope, RevokedError> {
        let index = (no.0 as usize).checked_sub(1).ok_or(RevokedError::NoScope(no))?;
        if index >= SCOPES_MAX {
            return Err(RevokedError::NoScope(no));
        }
        if index >= self.scopes.len() {
            self.scopes.resize_with(index + 1, Scope::default);
        }
        Ok(&mut self.scopes[index])
    }

    fn follows(&self, position: Position) -> Result<(), RevokedError> {
        if position <= self.at {
            return Err(RevokedError::OutOfOrder { at: self.at, found: position });
        }
        if position.0 >> POSITION_BITS != 0 {
            return Err(RevokedError::TooLarge(position));
        }
        Ok(())
    }
}

/// Whether the event itself is what made the certificate held or revoked, or gave it another reason.
fn brings(seen: &Seen<'_>) -> bool {
    match seen.status.revocation() {
        Some(revocation) => revocation.by >= seen.position,
        None => !seen.status.holds.is_empty() && seen.status.holds.iter().all(|hold| hold.id.0 >= seen.position),
    }
}

/// A nation has some ten thousand; a number far beyond is damage, not a scope.
const SCOPES_MAX: usize = 1 << 24;
