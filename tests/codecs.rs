//! Canonical bytes: what is written is read back the same, and whatever can be read was written so, octet for octet.
//! Otherwise two readings of one history could have two hashes, or one hash two readings.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is")]

#[path = "support/arbitrary.rs"]
mod arbitrary;

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tashika::ledger::{
    Malformed, decode_certificate, decode_event, decode_status, encode_certificate, encode_event, encode_status,
};
use tashika::model::{
    Actor, Body, CertificateKey, CertificateNo, Change, Channel, Event, Hold, HoldId, HoldKind, IssuerNo, Life,
    PersonId, Position, Reason, Revocation, Role, Status, Time,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn events_come_back(event in arbitrary::events()) {
        prop_assert_eq!(decode_event(&encode_event(&event)), Ok(event));
    }

    #[test]
    fn rows_come_back(certificate in arbitrary::certificates()) {
        prop_assert_eq!(decode_certificate(&encode_certificate(&certificate)), Ok(certificate));
    }

    #[test]
    fn statuses_come_back(status in arbitrary::statuses()) {
        prop_assert_eq!(decode_status(&encode_status(&status)), Ok(status));
    }

    #[test]
    fn no_octets_make_a_reader_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        canonical(&octets, decode_event, encode_event)?;
        canonical(&octets, decode_certificate, encode_certificate)?;
        canonical(&octets, decode_status, encode_status)?;
    }

    /// Octets one step away from real ones get much further into a reader than random ones.
    #[test]
    fn an_altered_event_is_refused_or_another_event(event in arbitrary::events(), damage in damages()) {
        canonical(&damage.done_to(encode_event(&event)), decode_event, encode_event)?;
    }

    #[test]
    fn an_altered_row_is_refused_or_another_row(row in arbitrary::certificates(), damage in damages()) {
        canonical(&damage.done_to(encode_certificate(&row)), decode_certificate, encode_certificate)?;
    }

    #[test]
    fn an_altered_status_is_refused_or_another_status(status in arbitrary::statuses(), damage in damages()) {
        canonical(&damage.done_to(encode_status(&status)), decode_status, encode_status)?;
    }

    #[test]
    fn an_event_cut_short_or_followed_by_more_is_refused(event in arbitrary::events(), cut in any::<prop::sample::Index>()) {
        let mut bytes = encode_event(&event);
        prop_assert!(decode_event(&bytes[..cut.index(bytes.len())]).is_err());
        bytes.push(0);
        prop_assert!(decode_event(&bytes).is_err());
    }
}

#[test]
fn more_than_255_holds_keep_their_count() {
    let holds: Vec<_> = (1..=300).map(|at| HoldId(Position(at))).collect();
    let (_, mut event) = sample();
    event.body = match event.body {
        Body::Changed { no, key, .. } => Body::Changed { no, key, change: Change::Released { holds } },
        _ => unreachable!("the sample is a change"),
    };
    assert_eq!(decode_event(&encode_event(&event)), Ok(event));
}

#[test]
fn holds_out_of_order_or_on_what_is_revoked_were_written_by_nobody() {
    let (held, _) = sample();
    let swapped = Status { holds: held.holds.iter().rev().copied().collect(), ..held.clone() };
    assert_eq!(decode_status(&encode_status(&swapped)), Err(Malformed::Value("order of holds")));
    let twice = Status { holds: vec![held.holds[0], held.holds[0]], ..held.clone() };
    assert_eq!(decode_status(&encode_status(&twice)), Err(Malformed::Value("order of holds")));
    let revocation = Revocation { reason: Reason::Superseded, at: Time::default(), lost_at: None, by: Position(9) };
    let revoked = Status { life: Life::Revoked(revocation), ..held };
    assert_eq!(decode_status(&encode_status(&revoked)), Err(Malformed::Value("holds of a revoked certificate")));
}

/// What can be done to octets on their way.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
}

impl Damage {
    fn done_to(&self, mut octets: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Cut(at) => octets.truncate(at.index(octets.len())),
            Self::Flip(at, bits) => {
                let at = at.index(octets.len());
                octets[at] ^= bits;
            }
            Self::Insert(at, octet) => octets.insert(at.index(octets.len()), *octet),
            Self::Remove(at) => {
                octets.remove(at.index(octets.len()));
            }
        }
        octets
    }
}

fn damages() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        1 => index().prop_map(Damage::Cut),
        6 => (index(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        2 => (index(), any::<u8>()).prop_map(|(at, octet)| Damage::Insert(at, octet)),
        2 => index().prop_map(Damage::Remove),
    ]
}

fn canonical<T: Debug>(
    octets: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, Malformed>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> TestCaseResult {
    if let Ok(value) = decode(octets) {
        prop_assert_eq!(encode(&value), octets, "two encodings of {:?}", value);
    }
    Ok(())
}

/// A status with two holds, and a change.
fn sample() -> (Status, Event) {
    let hold = |at| Hold {
        id: HoldId(Position(at)),
        kind: HoldKind::Window,
        since: Time::default(),
        cause: Position(at),
        lost_at: None,
        becomes: None,
    };
    let status = Status { life: Life::Active, holds: vec![hold(3), hold(4)], handed_to: None, as_of: Position(4) };
    let actor = Actor { role: Role::Ops, person: PersonId::default(), channel: Channel::Cli };
    let key = CertificateKey { issuer: IssuerNo(1), serial: "01".parse().unwrap() };
    let body = Body::Changed { no: CertificateNo(1), key, change: Change::Acknowledged };
    (status, Event { time: Time::default(), actor, cause: None, body })
}
