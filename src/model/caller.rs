//! Who asks for a status: as much of it as order, shares and counters need.
//!
//! Made by the network's edge from address and path, by the register of relying parties; read by whoever answers.

/// Whoever sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// In whose turn it is answered when not everybody can be at once.
    pub rank: Rank,
    /// With whom it shares that turn.
    pub share: Share,
}

/// Who comes before whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A relying party that is known, accredited and counted.
    Accredited,
    /// Everybody else.
    Anonymous,
}

/// What takes turns with its like: one party's service, one stranger's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// An end service of a relying party, both by their numbers in the register.
    Party {
        /// Which party.
        party: u16,
        /// Which of its services.
        service: u16,
    },
    /// An address: all of an IPv4 address, the first 64 bits of an IPv6 one, which one household has to itself.
    Address(u64),
}
