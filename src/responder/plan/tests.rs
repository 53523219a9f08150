//! Plans that can be reckoned by hand.

use super::*;
use crate::responder::{HOT_FOR, Profile};
use proptest::prelude::*;

const NATION: u64 = 280_000_000;

fn demand(certificates: u64) -> Demand {
    Demand { certificates, hot: 0.05, queries: 3_000.0, nonces: 0.1, changes: 86_400.0 }
}

fn policy(presign: Presign, seconds: u32) -> Policy {
    Policy { presign, validity: Seconds(seconds), ..Policy::of(Profile::National) }
}

fn cores(cores: u32, kind: KeyKind) -> Signing {
    Signing::Cores { cores, each: kind.usual_rate() }
}

#[test]
fn a_nation_s_signatures_are_what_they_are_by_hand() {
    // Signed again at 7/20 of 600 s, found half a sweep of 30 s later: after 225 s on average.
    let load = Load::of(&demand(2_250_000), &policy(Presign::All, 600));
    assert_eq!((load.refresh, load.on_ask, load.nonces, load.changes), (10_000.0, 0.0, 300.0, 1.0));
    let both = Policy { forms: Forms::Both, ..policy(Presign::All, 600) };
    assert_eq!(Load::of(&demand(2_250_000), &both).refresh, 20_000.0);
    let hot = Load::of(&demand(2_250_000), &policy(Presign::Hot(HOT_FOR), 600));
    assert_eq!((hot.refresh, hot.on_ask), (500.0, 112_500.0 / 3_600.0));
    // Each certificate is asked for once in 833 s: two in five of those who ask find another's answer.
    let off = Load::of(&demand(2_250_000), &policy(Presign::Off, 600));
    assert!((off.on_ask - 2_700.0 / 1.72).abs() < 1e-6 && off.refresh == 0.0, "{off:?}");
}

#[test]
fn memory_is_that_of_the_table() {
    let plan = |presign, kind| {
        Plan::of("x", demand(1_000_000), kind, cores(1, kind), policy(presign, 600)).memory / 1_000_000.0
    };
    assert_eq!(plan(Presign::Off, KeyKind::P256), 37.0);
    assert_eq!(plan(Presign::All, KeyKind::P256), 118.0);
    assert_eq!(plan(Presign::All, KeyKind::Rsa2048), 310.0);
    assert_eq!(plan(Presign::Hot(HOT_FOR), KeyKind::P256), 37.0 + 0.05 * 81.0);
}

#[test]
fn a_small_population_is_signed_in_advance_and_a_nation_as_far_as_the_signer_carries() {
    let proposed = |certificates, kind, signing| {
        let plan = Plan::of("x", Demand::usual(certificates), kind, signing, policy(Presign::Off, 600));
        (plan.proposal.presign, plan.proposal.validity.0, plan.proposal.why)
    };
    let (presign, validity, why) = proposed(100_000, KeyKind::P256, cores(1, KeyKind::P256));
    assert_eq!((presign, validity), (Presign::All, 600), "{why}");
    let (presign, validity, why) = proposed(NATION, KeyKind::P256, cores(4, KeyKind::P256));
    assert_eq!((presign, validity), (Presign::Hot(HOT_FOR), 600), "{why}");
    let (presign, validity, why) = proposed(NATION, KeyKind::Rsa2048, Signing::Device(10_000.0));
    assert_eq!((presign, validity), (Presign::Off, 600), "{why}");
    let (_, validity, why) = proposed(NATION, KeyKind::Rsa4096, Signing::Device(50.0));
    assert!(validity == 864_000 && why.contains("carries nothing"), "{why}");
}

#[test]
fn a_plan_is_one_line() {
    let kind = KeyKind::P256;
    let plan = Plan::of("card", demand(2_250_000), kind, cores(2, kind), policy(Presign::All, 600));
    assert_eq!(
        plan.to_string(),
        "card: 2250000 certificates, p256, presign all, valid 10 min: 890006400 signatures a day, 0.20 cores, 265.5 MB, \
         good answers of before end within 10 min of a revocation"
    );
    let device = Plan { signing: Signing::Device(20_602.0), ..plan };
    assert!(device.to_string().contains("50 % of the signer"), "{device}");
    assert_eq!(KeyKind::ALL.map(|kind| kind.name().parse()), KeyKind::ALL.map(Ok));
    assert!("p521".parse::<KeyKind>().is_err());
}

proptest! {
    /// The shortest validity is carried, and one second less isn't.
    #[test]
    fn the_shortest_validity_is_the_shortest(
        certificates in 1u64..500_000_000,
        rate in 1.0f64..1e7,
        presign in prop_oneof![Just(Presign::All), Just(Presign::Hot(HOT_FOR)), Just(Presign::Off)],
    ) {
        let (demand, signing) = (Demand::usual(certificates), Signing::Device(rate));
        let with = |seconds| policy(presign, seconds);
        match shortest(&demand, &with(600), signing) {
            None => prop_assert!(!is_carried(&demand, &with(VALIDITY_MAX), signing)),
            Some(Seconds(found)) => {
                prop_assert!(is_carried(&demand, &with(found), signing));
                prop_assert!(found == VALIDITY_MIN || !is_carried(&demand, &with(found - 1), signing));
            }
        }
    }

    /// What is proposed is carried, or it is said that nothing is.
    #[test]
    fn what_is_proposed_is_carried(certificates in 1u64..500_000_000, rate in 1.0f64..1e7) {
        let (demand, signing) = (Demand::usual(certificates), Signing::Device(rate));
        let proposal = propose(&demand, &policy(Presign::All, 600), signing);
        let proposed = policy(proposal.presign, proposal.validity.0);
        prop_assert!(is_carried(&demand, &proposed, signing) != proposal.why.contains("carries nothing"));
    }
}
