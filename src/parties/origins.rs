//! Which parties an address may be: all addresses cut into spans in which the answer is the same. Used by the register.
//!
//! Cut once, when the register is made; then one binary search per connection, and nothing is allocated. A service that
//! takes one connection for each request (most do) looks here for each request.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::network::number;
use super::party::Party;
use crate::model::Share;

/// Where a connection comes from, as far as it matters. Made once per connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// With whom its requests share a turn while they claim nothing.
    pub(super) stranger: Share,
    /// The set of parties that may ask from there.
    set: SetNo,
}

impl Origin {
    /// With whom whoever claims nothing shares what there is for strangers.
    pub fn share(&self) -> Share {
        self.stranger
    }
}

/// The spans, and the sets of parties that they lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origins {
    /// Where each span begins, ascending; the first begins at 0.
    begins: Vec<u128>,
    /// The set of each span.
    leads_to: Vec<SetNo>,
    /// Each set: numbers of parties, ascending.
    sets: Vec<Box<[u16]>>,
}

/// A set's place in the list of sets.
type SetNo = u32;

impl Origins {
    /// Cuts the addresses by the networks of these parties.
    pub fn of(parties: &[Party]) -> Self {
        // At each boundary: who comes in, who goes out. A party's own networks may overlap, so they are counted.
        let mut changes: BTreeMap<u128, Vec<(u16, i32)>> = BTreeMap::from([(0, Vec::new())]);
        for (party, no) in parties.iter().zip(0..) {
            for network in &party.networks {
                let (first, last) = network.bounds();
                changes.entry(first).or_default().push((no, 1));
                if let Some(after) = last.checked_add(1) {
                    changes.entry(after).or_default().push((no, -1));
                }
            }
        }
        let mut origins = Self { begins: Vec::new(), leads_to: Vec::new(), sets: Vec::new() };
        let mut known: HashMap<Box<[u16]>, SetNo> = HashMap::new();
        let mut inside: BTreeMap<u16, i32> = BTreeMap::new();
        for (begin, changes) in changes {
            for (no, change) in changes {
                *inside.entry(no).or_default() += change;
            }
            inside.retain(|_, networks| *networks > 0);
            let set: Box<[u16]> = inside.keys().copied().collect();
            let next = origins.sets.len() as SetNo;
            let no = *known.entry(set.clone()).or_insert(next);
            if no == next {
                origins.sets.push(set);
            }
            origins.begins.push(begin);
            origins.leads_to.push(no);
        }
        origins
    }

    /// Where an address is.
    pub fn origin(&self, address: IpAddr) -> Origin {
        let number = number(address);
        let span = self.begins.partition_point(|begin| *begin <= number) - 1;
        Origin { stranger: stranger(address), set: self.leads_to[span] }
    }

    /// The numbers of the parties that may ask from there, ascending. An origin of another register is nobody's.
    pub fn parties(&self, origin: Origin) -> &[u16] {
        self.sets.get(origin.set as usize).map_or(&[], |set| set)
    }
}

/// With whom a stranger shares a turn: all of an IPv4 address, the first 64 bits of an IPv6 one. The two can't meet: IPv6
/// addresses whose first 32 bits are zero are reserved (RFC 4291 §2.4), but for loopback, which is no stranger's.
fn stranger(address: IpAddr) -> Share {
    match address.to_canonical() {
        IpAddr::V4(v4) => Share::Address(u64::from(v4.to_bits())),
        IpAddr::V6(v6) => Share::Address((v6.to_bits() >> 64) as u64),
    }
}
