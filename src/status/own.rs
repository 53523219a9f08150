//! What happened to a certificate alone, set events aside, in the three words in which the table keeps it.
//!
//! Made by the writer from a model status, read by every look-up; only certificates that were changed, or wait for
//! their acknowledgement, have such a record.

use crate::model::{Life, Position, Reason, Revocation, Status, Time};

use super::view::Standing;

/// A certificate's own status, without allocation: of its open holds only what an answer says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// `None` if nothing ever changed it: then every set event since its registration covers it.
    pub as_of: Option<Position>,
    pub life: Life,
    /// When the first open hold began.
    pub held_since: Option<Time>,
    /// The earliest accepted time of loss among open holds.
    pub lost_at: Option<Time>,
    /// The start of its validity, if it was pending when it was last changed.
    pub pending_since: Time,
}

/// The words of a record's body.
pub type OwnWords = [u64; OWN_WORDS];

impl Own {
    /// Registered, delivered, and never changed.
    pub fn untouched() -> Self {
        let pending_since = Time::default();
        Self { as_of: None, life: Life::Active, held_since: None, lost_at: None, pending_since }
    }

    pub fn of(status: &Status, not_before: Time) -> Self {
        let pending_since = if status.life == Life::Pending { not_before } else { Time::default() };
        Self {
            as_of: Some(status.as_of),
            life: status.life,
            held_since: status.held_since(),
            lost_at: if status.revocation().is_some() { None } else { status.lost_at() },
            pending_since,
        }
    }

    /// What an answer says.
    pub fn standing(&self) -> Standing {
        match (self.life, self.held_since) {
            (Life::Revoked(Revocation { reason, at, lost_at, .. }), _) => Standing::Revoked { reason, at, lost_at },
            (_, Some(since)) => Standing::Held { since, lost_at: self.lost_at },
            (Life::Pending, None) => Standing::Pending { since: self.pending_since },
            (Life::Active, None) => Standing::Good,
        }
    }
    /// As it is kept; `None` if the position is beyond the 40 bits that it has.
    pub fn pack(&self) -> Option<OwnWords> {
        let as_of = self.as_of.map_or(0, |position| position.0);
        let (life, reason, since, lost_at) = match self.life {
            Life::Active => (ACTIVE, 0, self.held_since, self.lost_at),
            Life::Pending => (PENDING, 0, self.held_since, self.lost_at),
            Life::Revoked(revoked) => (REVOKED, revoked.reason.code(), Some(revoked.at), revoked.lost_at),
        };
        let pending = pack_time(Some(self.pending_since));
        (as_of < 1 << POSITION_BITS).then(|| {
            [
                as_of << 24 | u64::from(reason) << 8 | life,
                pack_time(since) << 24 | pending >> 16,
                pack_time(lost_at) << 24 | pending & 0xffff,
            ]
        })
    }

    /// What was kept.
    pub fn unpack(words: OwnWords) -> Self {
        let as_of = Some(Position(words[0] >> 24)).filter(|position| position.0 != 0);
        let (since, lost_at) = (unpack_time(words[1] >> 24), unpack_time(words[2] >> 24));
        let pending = (words[1] & 0xff_ffff) << 16 | words[2] & 0xffff;
        let pending_since = unpack_time(pending).unwrap_or_default();
        let (life, held_since, lost_at) = match words[0] & 0xff {
            REVOKED => {
                let reason = Reason::from_code(words[0] >> 8 & 0xffff).expect("only codes of reasons are packed");
                let at = since.expect("a revocation is packed with its date");
                let by = as_of.unwrap_or_default();
                (Life::Revoked(Revocation { reason, at, lost_at, by }), None, None)
            }
            PENDING => (Life::Pending, since, lost_at),
            _ => (Life::Active, since, lost_at),
        };
        Self { as_of, life, held_since, lost_at, pending_since }
    }
}

/// 0 for none, else seconds since the first that a [`Time`] can be, from 1: all of them fit into 38 bits.
fn pack_time(time: Option<Time>) -> u64 {
    time.map_or(0, |time| time.unix().wrapping_sub(YEAR_ONE) as u64 + 1)
}

fn unpack_time(packed: u64) -> Option<Time> {
    let seconds = i64::try_from(packed.checked_sub(1)?).ok()?.checked_add(YEAR_ONE)?;
    Time::from_unix(seconds).ok()
}

pub const OWN_WORDS: usize = 3;
/// A thousand billion events: six thousand years of the busiest one.
pub const POSITION_BITS: u32 = 40;
/// 0001-01-01T00:00:00Z.
const YEAR_ONE: i64 = -62_135_596_800;
const ACTIVE: u64 = 0;
const PENDING: u64 = 1;
const REVOKED: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times() -> impl Strategy<Value = Time> {
        prop_oneof![Just(YEAR_ONE), Just(253_402_300_799), Just(0), YEAR_ONE..=253_402_300_799]
            .prop_map(|seconds| Time::from_unix(seconds).unwrap())
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            as_of in 1..1_u64 << POSITION_BITS,
            life in 0..3_u8,
            reason in prop::sample::select(Reason::ALL.to_vec()),
            times in (times(), prop::option::of(times()), prop::option::of(times()), times()),
        ) {
            let (as_of, (at, since, lost_at, pending_since)) = (Position(as_of), times);
            let own = match life {
                0 => Own { as_of: Some(as_of), life: Life::Active, held_since: since, lost_at, pending_since },
                1 => Own { as_of: Some(as_of), life: Life::Pending, held_since: since, lost_at, pending_since },
                _ => {
                    let life = Life::Revoked(Revocation { reason, at, lost_at, by: as_of });
                    Own { as_of: Some(as_of), life, held_since: None, lost_at: None, pending_since }
                }
            };
            prop_assert_eq!(Own::unpack(own.pack().unwrap()), own);
        }
    }

    #[test]
    fn a_position_that_does_not_fit_is_not_cut() {
        let own = Own { as_of: Some(Position(1 << POSITION_BITS)), ..Own::untouched() };
        assert_eq!(own.pack(), None);
    }
}
