//! The signed-now lane: whose turn it is, how many may wait, and for how long.

use std::collections::HashMap;
use std::sync::mpsc::Receiver;

use tashika::model::{Caller, CertificateKey, Millis};
use tashika::responder::{Refusal, Reply, Worked};

use crate::bureau::{Bureau, Ca, party, stranger, told};
use crate::ocsp::{Form, cert_id, request};

type Waiting = Receiver<Result<Reply, Refusal>>;

/// A request with a nonce: it shares its signature with nobody.
fn with_nonce(bureau: &Bureau, ca: usize, key: &CertificateKey, number: u64) -> Vec<u8> {
    let id = cert_id(&bureau.cas[ca].certificate(), key.serial.as_octets(), Form::Sha1Null);
    request(&[id], Some(&number.to_be_bytes()))
}

/// So many orders of one caller.
fn orders(bureau: &Bureau, ca: usize, key: &CertificateKey, caller: Caller, count: u64) -> Vec<Waiting> {
    let asked = with_nonce(bureau, ca, key, 1);
    (0..count).map(|_| bureau.ask(caller, &asked).waits()).collect()
}

/// How many of them were told by now; who was told `Full` doesn't count.
fn signed(waiting: &mut Vec<Waiting>) -> usize {
    let before = waiting.len();
    waiting.retain(|one| match told(one) {
        None => true,
        Some(Ok(_)) => false,
        Some(Err(refusal)) => panic!("{refusal:?}"),
    });
    before - waiting.len()
}

#[test]
fn a_storm_waits_behind_itself_and_an_honest_caller_is_next() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    // A sweep has a turn, too, though it finds nothing to sign.
    bureau.work();
    let mut storm = orders(&bureau, 0, &one.1, stranger(666), 256);
    let (mut honest_signed, mut storm_signed) = (0, 0);
    // An honest caller sends one for each hundred of the storm.
    for _ in 0..30 {
        let mut honest = orders(&bureau, 0, &one.1, stranger(1), 1);
        let _ = bureau.responder.work(bureau.now);
        honest_signed += signed(&mut honest);
        let had = signed(&mut storm);
        storm_signed += had;
        let refused: usize = orders(&bureau, 0, &one.1, stranger(666), 100)
            .into_iter()
            .map(|late| match told(&late) {
                Some(refused) => usize::from(refused.unwrap_err() == Refusal::Full),
                None => {
                    storm.push(late);
                    0
                }
            })
            .sum();
        assert_eq!(refused, 100 - had, "the storm has the room that one caller may have");
    }
    assert_eq!(honest_signed, 30, "each in the turn after it came");
    assert!(storm_signed >= 30 * 6, "and the storm has the rest: {storm_signed}");
}

#[test]
fn accredited_callers_come_before_strangers_who_are_slowed_but_not_silenced() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let mut strangers: Vec<_> = (0..12).flat_map(|caller| orders(&bureau, 0, &one.1, stranger(caller), 256)).collect();
    let mut known = orders(&bureau, 0, &one.1, party(1), 2_000);
    let figures = bureau.responder.figures();
    assert_eq!((figures.waiting_accredited, figures.waiting_anonymous), (2_000, 3_072));
    for _ in 0..45 {
        let _ = bureau.responder.work(bureau.now);
    }
    let (known_had, strangers_had) = (signed(&mut known), signed(&mut strangers));
    assert!((7..=9).contains(&(known_had / strangers_had)), "{known_had} to {strangers_had}");
}

#[test]
fn two_issuers_share_by_what_their_signatures_cost() {
    let mut bureau = Bureau::new(vec![Ca::p256(), Ca::rsa()]);
    let [cheap, dear] = [bureau.register(0), bureau.register(1)];
    let mut dear_ones = orders(&bureau, 1, &dear.1, stranger(1), 250);
    let mut cheap_ones = orders(&bureau, 0, &cheap.1, stranger(2), 250);
    for _ in 0..9 {
        let _ = bureau.responder.work(bureau.now);
    }
    let (cheap_had, dear_had) = (signed(&mut cheap_ones), signed(&mut dear_ones));
    // Twenty signatures of P-256 cost one of RSA-2048.
    assert!(dear_had > 0 && (14..=27).contains(&(cheap_had / dear_had)), "{cheap_had} to {dear_had}");
}

#[test]
fn callers_of_one_rank_take_turns_whoever_has_more() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let mut waiting: HashMap<u16, Vec<Waiting>> =
        [(1, 1_000), (2, 100), (3, 100)].map(|(no, count)| (no, orders(&bureau, 0, &one.1, party(no), count))).into();
    // Thirty-two signatures each: 256, of which nobody has had all of theirs.
    for _ in 0..8 {
        let _ = bureau.responder.work(bureau.now);
    }
    let had: Vec<_> = (1..=3).map(|no| signed(waiting.get_mut(&no).unwrap())).collect();
    assert!(had.iter().all(|one| one.abs_diff(had[0]) <= 8), "{had:?}");
}

#[test]
fn waiters_are_bounded_by_caller_and_by_rank_and_nobody_is_forgotten() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    // Leaves those who still wait.
    let full = |waiting: &mut Vec<Waiting>| {
        let before = waiting.len();
        waiting.retain(|one| told(one).is_none_or(|answer| answer.unwrap_err() != Refusal::Full));
        before - waiting.len()
    };
    let mut strangers = orders(&bureau, 0, &one.1, stranger(1), 300);
    assert_eq!(full(&mut strangers), 300 - 256);
    // The accredited have room of their own.
    let mut known = orders(&bureau, 0, &one.1, party(1), 5_000);
    assert_eq!(full(&mut known), 5_000 - 4_096);
    strangers.extend((2..=40).flat_map(|caller| orders(&bureau, 0, &one.1, stranger(caller), 256)));
    let refused = full(&mut strangers);
    let figures = bureau.responder.figures();
    assert_eq!((figures.waiting_accredited, figures.waiting_anonymous), (4_096, 40 * 256 - refused));
    assert!(figures.waiting_anonymous <= 4_096);
    let waited = strangers.len();
    bureau.work();
    assert_eq!((signed(&mut known), signed(&mut strangers)), (4_096, waited));
    let figures = bureau.responder.figures();
    assert_eq!((figures.waiting_accredited, figures.waiting_anonymous), (0, 0));
}

/// More addresses than would fill the lane with what each may have: once it has gone round, who has nothing waiting finds a
/// place, and is next.
#[test]
fn a_storm_from_many_addresses_leaves_places_for_others() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let asked = with_nonce(&bureau, 0, &one.1, 1);
    let (mut late, mut honest) = (Vec::new(), 0);
    for round in 0..1_000 {
        for caller in (0..60).flat_map(|caller| std::iter::repeat_n(caller, if round == 0 { 256 } else { 2 })) {
            drop(bureau.ask(stranger(caller), &asked));
        }
        // Less than its share of what is signed: one in 61, eight of which are signed in a round.
        if round >= 600 && round % 10 == 0 {
            honest += 1;
            late.push(bureau.ask(stranger(1_000), &asked).waits());
        }
        let _ = bureau.responder.work(bureau.now);
    }
    bureau.work();
    let lost = late.iter().filter(|one| !matches!(told(one), Some(Ok(_)))).count();
    assert_eq!((lost, honest), (0, 40));
}

#[test]
fn who_waits_for_more_than_two_seconds_is_told_to_come_again() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let shared: Vec<_> = (0..3).map(|caller| bureau.ask(stranger(caller), &bureau.usual(0, &one.1)).waits()).collect();
    let alone = bureau.ask(stranger(9), &with_nonce(&bureau, 0, &one.1, 1)).waits();
    bureau.now.wall = Millis(bureau.now.wall.0 + 2_001);
    bureau.now.steady_ms += 2_001;
    bureau.work();
    for waiting in shared.iter().chain([&alone]) {
        assert_eq!(told(waiting).expect("told").unwrap_err(), Refusal::Waited);
    }
    assert_eq!(bureau.hand.signed(), 0);
    let again = bureau.ask(stranger(1), &bureau.usual(0, &one.1)).waits();
    bureau.work();
    assert!(told(&again).expect("told").is_ok(), "it can be ordered anew");
}

#[test]
fn those_of_first_rank_do_not_wait_with_those_who_come_second() {
    let mut bureau = Bureau::new(vec![Ca::p256()]);
    let one = bureau.register(0);
    let _storm: Vec<_> = (0..8).flat_map(|caller| orders(&bureau, 0, &one.1, stranger(caller), 256)).collect();
    let asked = bureau.usual(0, &one.1);
    let [stranger, known] = [stranger(99), party(1)].map(|caller| bureau.ask(caller, &asked).waits());
    assert_eq!(bureau.responder.work(bureau.now), Worked::Done);
    assert!(told(&known).is_some_and(|answer| answer.is_ok()));
    bureau.work();
    assert!(told(&stranger).is_some_and(|answer| answer.is_ok()));
}
