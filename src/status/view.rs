//! What a look-up says: a certificate's standing, how far the table has read, and the reply that is kept for it.
//!
//! `responder` reads these; `table` makes them.

use crate::model::{CertificateNo, Epoch, Position, Reason, Time};

/// What is true of a certificate, as far as an answer needs it. Set events are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Neither pending, held nor revoked. Expiry doesn't change it: see [`View::expires`].
    Good,
    /// At least one hold is open.
    Held {
        /// When the first of them began.
        since: Time,
        /// The earliest accepted time of loss.
        lost_at: Option<Time>,
    },
    /// Made and not yet acknowledged: answered as held.
    Pending {
        /// The start of its validity.
        since: Time,
    },
    /// Final.
    Revoked {
        /// Why.
        reason: Reason,
        /// The revocation date.
        at: Time,
        /// The accepted time of loss.
        lost_at: Option<Time>,
    },
}

/// One certificate as the table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Its number in the ledger.
    pub no: CertificateNo,
    /// What holds of it. At least as new as `read_to`.
    pub standing: Standing,
    /// The event that last changed what is said of it; `None` if nothing has since it was registered.
    pub changed: Option<Position>,
    /// The day on which its validity ends.
    pub expires: Day,
    /// How far the table had read when the look-up began: every change at or before it is in `standing`.
    pub read_to: ReadTo,
    /// When the reply that is kept was signed and for how long, if there is one made at or after the last change. Its
    /// signature is in the [`Signature`] that the caller gave.
    pub reply: Option<SignedFor>,
}

/// How far a table has read the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadTo {
    /// In which history.
    pub epoch: Epoch,
    /// The last event that is in the table with all before it.
    pub position: Position,
}

/// What a kept signature was made over, besides the certificate and its standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedFor {
    /// How far the table had read when its standing was looked up for signing.
    pub reflects: Position,
    /// Which of the keys in use signed it, by the responder's own count.
    pub signer: u8,
    /// thisUpdate.
    pub this_update: Time,
    /// producedAt: not before thisUpdate.
    pub produced_at: Time,
    /// nextUpdate.
    pub next_update: Time,
}

/// A signature's octets, in the caller's own memory, so that a look-up allocates nothing. Used again for each look-up.
#[derive(Clone)]
pub struct Signature {
    octets: [u8; SIGNATURE_OCTETS_MAX],
    len: usize,
}

/// A day in UTC, as the number of days since 1970-01-01, up to [`Day::LAST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u16);

impl Signature {
    /// The octets that the last look-up put in; empty if it found no reply.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes words as they are kept, of which `len` octets count.
    pub(super) fn fill(&mut self, words: impl Iterator<Item = u64>, len: usize) {
        for (octets, word) in self.octets.chunks_exact_mut(8).zip(words) {
            octets.copy_from_slice(&word.to_be_bytes());
        }
        self.len = len.min(SIGNATURE_OCTETS_MAX);
    }
}

impl Default for Signature {
    fn default() -> Self {
        Self { octets: [0; SIGNATURE_OCTETS_MAX], len: 0 }
    }
}

impl Day {
    /// 2149-06-06; a certificate that is valid for longer expires, here, on that day.
    pub const LAST: Self = Self(u16::MAX);

    /// The day that an instant lies in; what lies before 1970 is its first day.
    pub fn of(time: Time) -> Self {
        Self(u16::try_from(time.unix().div_euclid(86_400).max(0)).unwrap_or(u16::MAX))
    }
}

/// RSA-4096.
pub const SIGNATURE_OCTETS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_where_they_should() {
        let day = |text: &str| Day::of(text.parse().unwrap());
        assert_eq!(day("1970-01-01T23:59:59Z"), Day(0));
        assert_eq!(day("1970-01-02T00:00:00Z"), Day(1));
        assert_eq!(day("1969-12-31T23:59:59Z"), Day(0));
        assert_eq!(day("2149-06-06T00:00:00Z"), Day::LAST);
        assert_eq!(day("9999-12-31T23:59:59Z"), Day::LAST);
    }

    #[test]
    fn a_signature_holds_what_was_put_in_and_no_rest_of_the_one_before() {
        let mut signature = Signature::default();
        signature.fill([u64::MAX, u64::MAX].into_iter(), 16);
        signature.fill([0x0102_0304_0506_0708].into_iter(), 5);
        assert_eq!(signature.octets(), [1, 2, 3, 4, 5]);
        signature.clear();
        assert!(signature.octets().is_empty());
    }
}
