//! How a kept reply lies in its record: who signed it, for which times, reflecting which position, and the signature.
//!
//! Written by the writer, read by every look-up. Everything else of a reply follows from these and the certificate.

use crate::model::{Position, Time};

use super::own::POSITION_BITS;
use super::slots::HEAD_BITS;
use super::view::SignedFor;

/// Where a reply lies: in the records of which width, and in which of them. Never zero, so that zero can say "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyRef(u32);

/// The octets of signatures that records are made for: P-256 (raw, DER), P-384 (raw, DER), RSA-2048, -3072, -4096.
pub const WIDTHS: [usize; 7] = [64, 72, 96, 104, 256, 384, 512];

/// A reply as it is written.
pub struct Packed {
    /// Which of [`WIDTHS`].
    pub width: usize,
    pub head: u64,
    /// The times, then the signature.
    pub body: Vec<u64>,
}

impl ReplyRef {
    /// `None` if the slot is beyond what a reference can name.
    pub fn new(width: usize, slot: u32) -> Option<Self> {
        (u64::from(slot) < SLOTS_MAX).then(|| Self((width as u32 + 1) << SLOT_BITS | slot))
    }

    pub fn from_bits(bits: u32) -> Option<Self> {
        (bits >> SLOT_BITS != 0).then_some(Self(bits))
    }

    pub fn bits(self) -> u32 {
        self.0
    }

    /// Which of [`WIDTHS`].
    pub fn width(self) -> usize {
        (self.0 >> SLOT_BITS) as usize - 1
    }

    pub fn slot(self) -> u32 {
        self.0 & (SLOTS_MAX - 1) as u32
    }
}

/// Puts a reply into words; `None` if it can't be kept: a signature of no known length, or times that don't fit.
pub fn pack(signed: &SignedFor, signature: &[u8]) -> Option<Packed> {
    let width = WIDTHS.iter().position(|octets| (signature.len()..signature.len() + 16).contains(octets))?;
    let trim = (WIDTHS[width] - signature.len()) as u64;
    let this_update = u32::try_from(signed.this_update.unix()).ok()?;
    let made_after = between(signed.this_update, signed.produced_at, PRODUCED_BITS)?;
    let validity = between(signed.this_update, signed.next_update, VALIDITY_BITS)?;
    if signed.reflects.0 >> POSITION_BITS != 0 {
        return None;
    }
    let head = trim << (POSITION_BITS + 8) | u64::from(signed.signer) << POSITION_BITS | signed.reflects.0;
    let mut body = vec![u64::from(this_update) << 32 | made_after << VALIDITY_BITS | validity];
    for octets in signature.chunks(8) {
        let mut word = [0; 8];
        word[..octets.len()].copy_from_slice(octets);
        body.push(u64::from_be_bytes(word));
    }
    body.resize(1 + WIDTHS[width] / 8, 0);
    Some(Packed { width, head, body })
}

/// What a record's head and first word say, and how many octets the signature has.
pub fn unpack(width: usize, head: u64, times: u64) -> (SignedFor, usize) {
    let this_update = (times >> 32) as i64;
    let at = |after: u64| Time::from_unix(this_update + after as i64).unwrap_or_default();
    let signed = SignedFor {
        reflects: Position(head & ((1 << POSITION_BITS) - 1)),
        signer: (head >> POSITION_BITS) as u8,
        this_update: at(0),
        produced_at: at(times >> VALIDITY_BITS & ((1 << PRODUCED_BITS) - 1)),
        next_update: at(times & ((1 << VALIDITY_BITS) - 1)),
    };
    (signed, WIDTHS[width] - (head >> (POSITION_BITS + 8)) as usize)
}

/// The seconds from one time to a later one, if they fit.
fn between(from: Time, to: Time, bits: u32) -> Option<u64> {
    u64::try_from(to.unix() - from.unix()).ok().filter(|seconds| seconds >> bits == 0)
}

/// producedAt lies at most 68 minutes after thisUpdate: a responder that knows less has long stopped signing.
const PRODUCED_BITS: u32 = 12;
/// nextUpdate lies at most 12 days after thisUpdate: the root programmes allow 10.
const VALIDITY_BITS: u32 = 20;
const SLOT_BITS: u32 = 29;
/// Of each width.
pub const SLOTS_MAX: u64 = 1 << SLOT_BITS;

const _: () = assert!(WIDTHS.len() < 1 << (32 - SLOT_BITS), "a reference names every width, and none by zero");
const _: () = assert!(4 + 8 + POSITION_BITS <= HEAD_BITS, "trim, signer and position fit into a record's head");
const _: () = assert!(32 + PRODUCED_BITS + VALIDITY_BITS == 64, "the times fill one word");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seconds;
    use crate::status::view::Signature;
    use proptest::prelude::*;

    fn signed(made_after: u32, validity: u32) -> SignedFor {
        let this_update = Time::from_unix(1_795_143_600).unwrap();
        let (produced_at, next_update) = (this_update + Seconds(made_after), this_update + Seconds(validity));
        SignedFor { reflects: Position(77), signer: 9, this_update, produced_at, next_update }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            len in prop_oneof![58..=72_usize, 90..=104_usize, Just(256_usize), Just(384_usize), Just(512_usize)],
            fill in any::<u8>(),
            position in 0..1_u64 << POSITION_BITS,
            times in (0..1_u32 << PRODUCED_BITS, 0..1_u32 << VALIDITY_BITS),
        ) {
            let signed = SignedFor { reflects: Position(position), ..signed(times.0, times.1) };
            let octets: Vec<u8> = (0..len).map(|at| fill.wrapping_add(at as u8)).collect();
            let packed = pack(&signed, &octets).unwrap();
            let (found, found_len) = unpack(packed.width, packed.head, packed.body[0]);
            let mut signature = Signature::default();
            signature.fill(packed.body[1..].iter().copied(), found_len);
            prop_assert_eq!(found, signed);
            prop_assert_eq!(signature.octets(), &octets[..]);
        }

        #[test]
        fn a_reference_says_width_and_slot(width in 0..WIDTHS.len(), slot in 0..SLOTS_MAX as u32) {
            let reference = ReplyRef::new(width, slot).unwrap();
            prop_assert_eq!((reference.width(), reference.slot()), (width, slot));
            prop_assert_eq!(ReplyRef::from_bits(reference.bits()), Some(reference));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_cut() {
        assert!(pack(&signed(0, 600), &[1; 64]).is_some());
        assert!(pack(&signed(1 << PRODUCED_BITS, 600), &[1; 64]).is_none());
        assert!(pack(&signed(0, 1 << VALIDITY_BITS), &[1; 64]).is_none());
        assert!(pack(&SignedFor { reflects: Position(1 << POSITION_BITS), ..signed(0, 1) }, &[1; 64]).is_none());
        for len in [0, 48, 200, 513] {
            assert!(pack(&signed(0, 600), &vec![1; len]).is_none(), "{len}");
        }
        assert_eq!(ReplyRef::from_bits(0), None);
        assert_eq!(ReplyRef::new(0, SLOTS_MAX as u32), None);
    }
}
