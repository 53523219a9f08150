//! The status table: what readers ask, and the door through which the one writer at a time comes in.
//!
//! `responder` looks up and keeps replies; `follow` registers, changes and publishes. See the room's page for what is
//! promised, and for what it costs.

use crate::model::{Book, CertificateKey, CertificateNo, Epoch, Position, SetEvent};

use super::entries::Entries;
use super::error::{Kind, StatusError};
use super::freshness::Freshness;
use super::index::HashKey;
use super::own::POSITION_BITS;
use super::present::Present;
use super::sets::{Belongs, Sets};
use super::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use super::view::{ReadTo, Signature, SignedFor, View};
use super::writer::Writer;

/// Every certificate's status, in memory.
///
/// Readers (any number, `&self`) take no lock, wait for nobody, allocate nothing and write to no memory that others read.
/// Writers take turns among themselves; a turn lasts for one row, one change or one reply.
pub struct Table {
    pub(super) entries: Entries,
    pub(super) sets: Present,
    /// Epoch and position, packed; stored (release) after everything up to it.
    pub(super) read_to: AtomicU64,
    /// When what it knows was true, packed; stored (release) after everything that was known then.
    known_at: AtomicU64,
    pub(super) writer: Mutex<Writer>,
}

/// What became of a reply that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Keeping {
    /// It is kept.
    Kept,
    /// No memory is set aside for more replies of this length.
    NoRoom,
    /// The certificate has changed since the position that the reply reflects: it is lost, whatever the clock says.
    Outdated,
    /// A reply that reflects a later position, or was made later, is kept already.
    Overtaken,
    /// Nobody registered this certificate.
    Unknown,
    /// A signature of a length, or times, that the table's records have no room for.
    Unfit,
}

impl Table {
    /// A table without certificates, for a ledger without any.
    pub fn empty(key: HashKey) -> Self {
        let (sets, writer) = (Present::new(Sets::default()), Mutex::new(Writer::default()));
        Self { entries: Entries::new(key), sets, read_to: AtomicU64::new(0), known_at: AtomicU64::new(0), writer }
    }

    /// A table to be filled with [`restore`](Self::restore), for a ledger at a position where these set events had
    /// happened, each with who belongs to it, and `certificates` were registered.
    pub fn over(key: HashKey, book: &Book, belongs: Vec<Belongs>, certificates: u64) -> Result<Self, StatusError> {
        let table = Self::empty(key);
        for (set, belongs) in book.sets.iter().zip(belongs) {
            table.turn().take_set(&table, set, belongs, CertificateNo(certificates))?;
        }
        Ok(table)
    }

    /// The certificate with this issuer and serial; the octets of its reply's signature, if it has a reply that holds,
    /// are put into `signature`. `None` if the table has no such certificate.
    ///
    /// What it says of the certificate was true at one instant, at or after [`View::read_to`].
    #[inline]
    pub fn look_up(&self, key: &CertificateKey, signature: &mut Signature) -> Option<View> {
        let read_to = self.read_to();
        let number = self.entries.find(key)?;
        self.view(number, read_to, signature)
    }

    /// The same by number, with issuer and serial: for those who go through all of them in turn.
    pub fn at(&self, no: CertificateNo, signature: &mut Signature) -> Option<(CertificateKey, View)> {
        let read_to = self.read_to();
        let number = u32::try_from(no.0).ok()?;
        Some((self.entries.key(number)?, self.view(number, read_to, signature)?))
    }

    /// The set events that it has taken in, in order.
    pub fn set_events(&self) -> Vec<SetEvent> {
        self.sets.get().rows().map(|(event, _, _)| event.clone()).collect()
    }

    /// How far it has read: look-ups that begin afterwards show everything up to there.
    #[inline]
    pub fn read_to(&self) -> ReadTo {
        // Acquire: pairs with `publish`.
        let packed = self.read_to.load(Ordering::Acquire);
        ReadTo { epoch: Epoch((packed >> POSITION_BITS) as u32), position: Position(packed & POSITION_MASK) }
    }

    /// Says that everything up to here is in the table. For the follower, after each batch.
    pub fn publish(&self, read_to: ReadTo) -> Result<(), StatusError> {
        let number = read_to.position.0;
        if number > POSITION_MASK {
            return Err(StatusError::TooLarge { what: Kind::Position, number });
        }
        if read_to.epoch.0 >= 1 << (64 - POSITION_BITS) {
            return Err(StatusError::TooLarge { what: Kind::Epoch, number: read_to.epoch.0.into() });
        }
        let mut turn = self.turn();
        turn.reach(read_to.position)?;
        // Release: who sees this position sees all that was written before it.
        self.read_to.store(u64::from(read_to.epoch.0) << POSITION_BITS | number, Ordering::Release);
        Ok(())
    }

    /// When what look-ups show that begin afterwards was true, at the least.
    #[inline]
    pub fn freshness(&self) -> Freshness {
        // Acquire: pairs with `hear`.
        Freshness::unpack(self.known_at.load(Ordering::Acquire))
    }

    /// Says when everything that is published was true. For whoever drives the follower, after `publish`.
    pub fn hear(&self, freshness: Freshness) {
        // Release: who sees this time sees all that was known at it.
        self.known_at.store(freshness.pack(), Ordering::Release);
    }

    /// Keeps a reply, if the certificate has not changed after the position that it reflects: the `read_to` of the
    /// look-up whose standing was signed.
    pub fn keep_reply(&self, no: CertificateNo, signed: &SignedFor, signature: &[u8]) -> Keeping {
        self.turn().keep_reply(self, no, signed, signature)
    }

    /// How many certificates there are.
    pub fn count(&self) -> u64 {
        self.turn().count()
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().expect("a writer that panicked has left the table half changed")
    }

    #[inline]
    fn view(&self, number: u32, read_to: ReadTo, signature: &mut Signature) -> Option<View> {
        // The sets first, and the entry after them. An entry that changed after these sets were current was
        // brought up to date with all of them first, so nothing of them is laid over it once more; one that did not
        // change is as it was when they were. The other way round, an entry read before it was revoked could be laid
        // under the end of a hold that came afterwards, and be good, which it was never again.
        self.sets.read(|sets| {
            let kept = self.entries.read(number, signature)?;
            let facts = self.entries.facts(number, kept.group);
            let whole = sets.over(facts, kept.own);
            let reply = kept.reply.filter(|reply| whole.as_of.is_none_or(|as_of| reply.reflects >= as_of));
            if reply.is_none() {
                signature.clear();
            }
            let (standing, expires) = (whole.standing(), kept.group.expires);
            Some(View { no: facts.no, standing, changed: whole.as_of, expires, read_to, reply })
        })
    }
}

const POSITION_MASK: u64 = (1 << POSITION_BITS) - 1;
