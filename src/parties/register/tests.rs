//! Who is who by address and path, against a naive reading of the same rules.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::parties::Network;

fn party(name: &str, services: &[&str], addresses: &[&str], rank: Rank) -> Party {
    Party {
        name: name.parse().unwrap(),
        services: services.iter().map(|service| service.parse().unwrap()).collect(),
        networks: addresses.iter().map(|network| network.parse().unwrap()).collect(),
        rank,
    }
}

fn nation() -> Vec<Party> {
    vec![
        party("bank", &["login", "sign"], &["192.0.2.0/24", "2001:db8:7::/48"], Rank::Accredited),
        party("town", &["login"], &["192.0.2.128/25", "198.51.100.7"], Rank::Accredited),
        party("guest", &["try"], &["203.0.113.0/24"], Rank::Anonymous),
    ]
}

fn register() -> Register {
    Register::new(nation(), Strangers::Answered).unwrap()
}

fn asked(register: &Register, address: &str, claim: Option<(&str, &str)>) -> Result<Caller, NotAllowed> {
    let claim = claim.map(|(party, service)| Claim { party, service });
    register.caller(register.origin(address.parse().unwrap()), claim)
}

fn of(rank: Rank, party: u16, service: u16) -> Result<Caller, NotAllowed> {
    Ok(Caller { rank, share: Share::Party { party, service } })
}

#[test]
fn a_claim_counts_from_the_party_s_own_addresses_alone() {
    let register = register();
    let bank = |address| asked(&register, address, Some(("bank", "sign")));
    assert_eq!(bank("192.0.2.1"), of(Rank::Accredited, 0, 1));
    assert_eq!(bank("::ffff:192.0.2.200"), of(Rank::Accredited, 0, 1), "a listener for both sees IPv4 so");
    assert_eq!(bank("2001:db8:7:1::1"), of(Rank::Accredited, 0, 1));
    assert_eq!(bank("2001:db8:8::1"), Err(NotAllowed::Party));
    assert_eq!(bank("198.51.100.7"), Err(NotAllowed::Party));
    // Where networks overlap, an address may be either.
    assert_eq!(asked(&register, "192.0.2.200", Some(("town", "login"))), of(Rank::Accredited, 1, 0));
    assert_eq!(asked(&register, "192.0.2.127", Some(("town", "login"))), Err(NotAllowed::Party));
    assert_eq!(asked(&register, "192.0.2.1", Some(("nobody", "login"))), Err(NotAllowed::Party));
    assert_eq!(asked(&register, "192.0.2.1", Some(("bank", "vote"))), Err(NotAllowed::Service));
    assert_eq!(asked(&register, "203.0.113.9", Some(("guest", "try"))), of(Rank::Anonymous, 2, 0), "known, not first");
}

#[test]
fn without_a_claim_everybody_is_a_stranger_by_address() {
    let register = register();
    let stranger = |address| match asked(&register, address, None) {
        Ok(Caller { rank: Rank::Anonymous, share: Share::Address(number) }) => number,
        other => panic!("{other:?}"),
    };
    assert_eq!(stranger("192.0.2.1"), u64::from(Ipv4Addr::new(192, 0, 2, 1).to_bits()));
    assert_eq!(stranger("192.0.2.1"), stranger("::ffff:192.0.2.1"));
    assert_ne!(stranger("192.0.2.1"), stranger("192.0.2.2"));
    assert_eq!(stranger("2001:db8::1"), stranger("2001:db8::ffff:0:0:7"), "one household");
    assert_ne!(stranger("2001:db8::1"), stranger("2001:db8:0:1::1"));
    let closed = Register::new(nation(), Strangers::Refused).unwrap();
    assert_eq!(asked(&closed, "192.0.2.1", None), Err(NotAllowed::Stranger));
    assert_eq!(asked(&closed, "192.0.2.1", Some(("bank", "login"))), of(Rank::Accredited, 0, 0));
}

#[test]
fn parties_that_could_not_be_told_apart_are_refused() {
    let with = |change: fn(&mut Vec<Party>)| {
        let mut parties = nation();
        change(&mut parties);
        Register::new(parties, Strangers::Answered).unwrap_err().to_string()
    };
    assert_eq!(with(|all| all[1].name = all[0].name.clone()), "there are two parties named 'bank'");
    assert_eq!(with(|all| all[0].services.clear()), "party 'bank' has no services: name at least one");
    assert_eq!(with(|all| all[2].networks.clear()), "party 'guest' has no addresses: name at least one range");
    assert_eq!(
        with(|all| all[0].services[1] = all[0].services[0].clone()),
        "party 'bank' has two services named 'login'"
    );
    let many = |all: &mut Vec<Party>| all[0].networks = vec!["10.0.0.0/8".parse().unwrap(); LIST_MAX + 1];
    assert_eq!(with(many), "there are more than 4096 addresses of one party");
    assert!(Register::new(Vec::new(), Strangers::Answered).is_ok(), "strangers alone");
}

proptest! {
    /// The spans say the same as asking every network of every party, also at the ends of all addresses.
    #[test]
    fn the_spans_say_what_the_networks_say(
        ranges in prop::collection::vec((0_usize..4, any::<[u8; 2]>(), 0_u8..=16), 0..12),
        probes in prop::collection::vec(any::<[u8; 2]>(), 8),
        top: bool,
    ) {
        // Few addresses, so that networks meet: the last 16 bits at the end of IPv6, or in the middle of IPv4.
        let written = |[a, b]: [u8; 2]| match top {
            true => format!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:{:x}", u16::from_be_bytes([a, b])),
            false => format!("198.51.{a}.{b}"),
        };
        let offset = if top { 112 } else { 16 };
        let mut parties: Vec<Party> = ["a", "b", "c", "d"].map(|name| party(name, &["s"], &[], Rank::Accredited)).into();
        for (owner, octets, bits) in ranges {
            let whole = u16::from_be_bytes(octets);
            let first = whole & u16::MAX.checked_shl(u32::from(16 - bits)).unwrap_or(0);
            let network: Network = format!("{}/{}", written(first.to_be_bytes()), offset + bits).parse().unwrap();
            parties[owner].networks.push(network);
        }
        parties.retain(|party| !party.networks.is_empty());
        let register = Register::new(parties.clone(), Strangers::Answered).unwrap();
        for probe in probes {
            let address: IpAddr = written(probe).parse().unwrap();
            let number = crate::parties::network::number(address);
            for name in ["a", "b", "c", "d"] {
                let naive = parties.iter().any(|party| {
                    let mut bounds = party.networks.iter().map(Network::bounds);
                    party.name.as_str() == name && bounds.any(|(first, last)| (first..=last).contains(&number))
                });
                let claim = Some(Claim { party: name, service: "s" });
                prop_assert_eq!(register.caller(register.origin(address), claim).is_ok(), naive, "{} {}", name, address);
            }
        }
    }
}
