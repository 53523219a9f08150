//! The entries themselves: three words a certificate, and where its details and its kept reply lie.
//!
//! `table` reads them for look-ups, `writer` sets them. The first two words (the serial) never change once the entry can
//! be found; the third is replaced whole and decides everything: which group the certificate belongs to, whether it was
//! ever changed, and where the rest of it lies. See `slots` for how that rest is read.

use crate::model::{Batch, CertificateKey, CertificateNo, IssuerNo, SERIAL_OCTETS_MAX, Serial};

use super::index::{HashKey, Index};
use super::own::{OWN_WORDS, Own};
use super::reply::{self, ReplyRef, SLOTS_MAX, WIDTHS};
use super::sets::Facts;
use super::slots::Slots;
use super::sync::{AtomicU64, Ordering, fence};
use super::view::{Day, Signature, SignedFor};
use super::words::Words;

/// All that readers touch of certificates.
pub struct Entries {
    pub index: Index,
    pub words: Words,
    /// The leading four octets of serials of more than 16, two to a word; memory is taken only where there are such.
    pub long: Words,
    pub groups: Words,
    pub details: Slots,
    pub replies: [Slots; WIDTHS.len()],
}

/// What a certificate's third word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Delivered and never changed.
    Untouched { reply: Option<ReplyRef> },
    /// Its own status lies in this record, whose head names its reply.
    Detailed { slot: u32 },
}

/// Issuer, batch and day of expiry, which many certificates share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub issuer: IssuerNo,
    pub batch: Batch,
    pub expires: Day,
}

/// What is kept of one certificate, read at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    pub group: Group,
    pub own: Own,
    pub reply: Option<SignedFor>,
}

impl Entries {
    pub fn new(key: HashKey) -> Self {
        Self {
            index: Index::new(key),
            words: Words::new(ENTRY_WORDS, NUMBERS_MAX),
            long: Words::new(1, NUMBERS_MAX / 2),
            groups: Words::new(1, GROUPS_MAX),
            details: Slots::new(OWN_WORDS, NUMBERS_MAX),
            replies: WIDTHS.map(|octets| Slots::new(1 + octets / 8, SLOTS_MAX)),
        }
    }

    /// The number of the certificate with this issuer and serial: both compared whole.
    #[inline]
    pub fn find(&self, key: &CertificateKey) -> Option<u32> {
        let (top, wanted) = split(&key.serial);
        self.index.find(self.index.hash(key), |number| {
            let Some(entry) = self.words.get(number as usize) else { return false };
            let serial = [entry[0].load(Ordering::Relaxed), entry[1].load(Ordering::Relaxed)];
            serial == wanted
                && self.top(number) == top
                && self.group_of(entry[2].load(Ordering::Relaxed)).issuer == key.issuer
        })
    }

    /// Issuer and serial of a certificate.
    pub fn key(&self, number: u32) -> Option<CertificateKey> {
        let entry = self.words.get(number as usize)?;
        // Acquire: pairs with `set`; who sees the third word sees the serial.
        let word = entry[2].load(Ordering::Acquire);
        unpack_state(word)?;
        let mut octets = [0; 4 + 8 + 8];
        octets[..4].copy_from_slice(&self.top(number).to_be_bytes());
        octets[4..12].copy_from_slice(&entry[0].load(Ordering::Relaxed).to_be_bytes());
        octets[12..].copy_from_slice(&entry[1].load(Ordering::Relaxed).to_be_bytes());
        let serial = Serial::from_unsigned(&octets).expect("only serials are put in");
        Some(CertificateKey { issuer: self.group_of(word).issuer, serial })
    }

    /// What is kept of a certificate; its reply's signature goes into `signature`.
    ///
    /// Never waits: it begins anew only if this very certificate was changed, or got a new reply, while it was read, and
    /// then finds something complete, whatever the writer is doing. So its steps are bounded by the changes of one
    /// certificate during one read.
    #[inline]
    pub fn read(&self, number: u32, signature: &mut Signature) -> Option<Kept> {
        let entry = self.words.get(number as usize)?;
        loop {
            // Acquire: pairs with `set`; the record that the word leads to is complete.
            let word = entry[2].load(Ordering::Acquire);
            let state = unpack_state(word)?;
            if let Some((own, reply)) = self.attempt(state, &entry[2], word, signature) {
                return Some(Kept { group: self.group_of(word), own, reply });
            }
        }
    }

    /// The state of a certificate, for the writer.
    pub fn state(&self, number: u32) -> Option<State> {
        unpack_state(self.words.get(number as usize)?[2].load(Ordering::Relaxed))
    }

    pub fn facts(&self, number: u32, group: Group) -> Facts {
        Facts { no: CertificateNo(number.into()), issuer: group.issuer, batch: group.batch }
    }

    /// Makes room for a certificate and puts its serial there; nobody finds it before [`set`](Self::set) and the index.
    pub fn place(&self, number: u32, serial: &Serial) -> Option<()> {
        let (top, words) = split(serial);
        let entry = self.words.make(number as usize)?;
        if top != 0 {
            let pair = &self.long.make(number as usize / 2)?[0];
            pair.store(pair.load(Ordering::Relaxed) | u64::from(top) << (number % 2 * 32), Ordering::Relaxed);
        }
        entry[0].store(words[0], Ordering::Relaxed);
        entry[1].store(words[1], Ordering::Relaxed);
        Some(())
    }

    /// Sets a placed certificate's third word. Release: whoever sees it sees all that was written before.
    pub fn set(&self, number: u32, group: u32, state: State) {
        let entry = self.words.get(number as usize).expect("only certificates that have their place are set");
        entry[2].store(pack_state(group, state), Ordering::Release);
    }

    /// The group's number that a certificate's third word holds, for the writer.
    pub fn group_no(&self, number: u32) -> Option<u32> {
        let word = self.words.get(number as usize)?[2].load(Ordering::Relaxed);
        unpack_state(word).map(|_| group_no(word))
    }

    /// Writes down a group before any certificate names it.
    pub fn put_group(&self, group: u32, of: Group) -> Option<()> {
        if u64::from(group) >= GROUPS_MAX {
            return None;
        }
        self.groups.make(group as usize)?[0].store(of.pack(), Ordering::Relaxed);
        Some(())
    }

    #[inline]
    fn attempt(
        &self,
        state: State,
        word: &AtomicU64,
        seen: u64,
        signature: &mut Signature,
    ) -> Option<(Own, Option<SignedFor>)> {
        signature.clear();
        let (details, reply, own) = match state {
            State::Untouched { reply: None } => return Some((Own::untouched(), None)),
            State::Untouched { reply } => (None, reply, Own::untouched()),
            State::Detailed { slot } => {
                let (stamp, body) = self.details.begin(slot)?;
                let words = std::array::from_fn(|at| body[at].load(Ordering::Relaxed));
                (Some((slot, stamp, words)), ReplyRef::from_bits(stamp.head() as u32), Own::untouched())
            }
        };
        let mut signed = None;
        let mut stamp_of_reply = None;
        if let Some(reply) = reply {
            let (stamp, body) = self.replies[reply.width()].begin(reply.slot())?;
            let times = body[0].load(Ordering::Relaxed);
            let (found, octets) = reply::unpack(reply.width(), stamp.head(), times);
            signature.fill(body[1..].iter().map(|word| word.load(Ordering::Relaxed)), octets);
            (signed, stamp_of_reply) = (Some(found), Some((reply, stamp)));
        }
        // Acquire, then the entry's word, then the stamps, in this order: see `slots` for what each of them excludes.
        fence(Ordering::Acquire);
        let unchanged = word.load(Ordering::Acquire) == seen
            && stamp_of_reply.is_none_or(|(reply, stamp)| self.replies[reply.width()].is_still(reply.slot(), stamp))
            && details.is_none_or(|(slot, stamp, _)| self.details.is_still(slot, stamp));
        unchanged.then(|| (details.map_or(own, |(_, _, words)| Own::unpack(words)), signed))
    }

    fn group_of(&self, word: u64) -> Group {
        // Its word was written before the first entry that names it was set, and never since.
        Group::unpack(self.groups.get(group_no(word) as usize).map_or(0, |group| group[0].load(Ordering::Relaxed)))
    }

    pub fn top(&self, number: u32) -> u32 {
        let pair = self.long.get(number as usize / 2);
        pair.map_or(0, |pair| (pair[0].load(Ordering::Relaxed) >> (number % 2 * 32)) as u32)
    }
}

impl Group {
    fn pack(self) -> u64 {
        u64::from(self.issuer.0) << 48 | u64::from(self.expires.0) << 32 | u64::from(self.batch.0)
    }

    pub fn unpack(word: u64) -> Self {
        Self { issuer: IssuerNo((word >> 48) as u16), batch: Batch(word as u32), expires: Day((word >> 32) as u16) }
    }
}

/// The leading four of a serial's 20 octets, and the other 16.
fn split(serial: &Serial) -> (u32, [u64; 2]) {
    let octets = serial.as_octets();
    let mut whole = [0; SERIAL_OCTETS_MAX];
    whole[SERIAL_OCTETS_MAX - octets.len()..].copy_from_slice(octets);
    let word = |from: usize| u64::from_be_bytes(whole[from..from + 8].try_into().expect("eight octets"));
    let top = u32::from_be_bytes(whole[..4].try_into().expect("four octets"));
    (top, [word(4), word(12)])
}

/// A reference in the upper half, the group below it, and two bits of kind, of which zero means "nobody".
pub fn pack_state(group: u32, state: State) -> u64 {
    let (kind, reference) = match state {
        State::Untouched { reply } => (UNTOUCHED, reply.map_or(0, ReplyRef::bits)),
        State::Detailed { slot } => (DETAILED, slot),
    };
    u64::from(reference) << 32 | u64::from(group) << KIND_BITS | kind
}

pub fn unpack_state(word: u64) -> Option<State> {
    let reference = (word >> 32) as u32;
    match word & ((1 << KIND_BITS) - 1) {
        UNTOUCHED => Some(State::Untouched { reply: ReplyRef::from_bits(reference) }),
        DETAILED => Some(State::Detailed { slot: reference }),
        _ => None,
    }
}

pub fn group_no(word: u64) -> u32 {
    (word as u32) >> KIND_BITS
}

pub const ENTRY_WORDS: usize = 3;
const NUMBERS_MAX: u64 = 1 << 32;
const KIND_BITS: u32 = 2;
const GROUPS_MAX: u64 = 1 << (32 - KIND_BITS);
const UNTOUCHED: u64 = 1;
const DETAILED: u64 = 2;
