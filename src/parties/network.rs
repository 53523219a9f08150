//! Ranges of addresses (CIDR), as operators write them. Used by the register.
//!
//! An IPv4 address and its form within IPv6 (`::ffff:192.0.2.1`, which a listener for both sees) are the same address
//! everywhere in this room.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its first address.
    first: IpAddr,
    /// How many bits its addresses share.
    prefix: u8,
}

/// Why a text is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It isn't written like one.
    #[error("'{0}' is no range of addresses such as 192.0.2.0/24 or 2001:db8::/32")]
    Form(String),
    /// Bits are set behind the prefix: the prefix or the address is a mistake.
    #[error("'{written}' has bits behind its prefix: write {meant}, or the prefix that was meant")]
    BitsBehind {
        /// What was written.
        written: String,
        /// The range that it lies in.
        meant: Network,
    },
    /// An IPv4 range in its IPv6 form.
    #[error("'{0}' is an IPv4 range in IPv6's clothes: write it as IPv4")]
    Mapped(String),
}

impl Network {
    /// Its first and its last address, as [`number`] counts them.
    pub(super) fn bounds(&self) -> (u128, u128) {
        let first = number(self.first);
        (first, first | self.host_bits())
    }

    /// The bits that its addresses don't share.
    fn host_bits(&self) -> u128 {
        let shared = u32::from(self.prefix) + if self.first.is_ipv4() { V4_OFFSET_BITS } else { 0 };
        // A shift by all 128 bits is none to the processor.
        u128::MAX.checked_shr(shared).unwrap_or(0)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError::Form(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            // '+8' and '08' are numbers to Rust, and mistakes here.
            Some(digits) if digits.len() > 1 && digits.starts_with(['0', '+']) => return Err(wrong()),
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(wrong)?,
            None => bits,
        };
        if address.to_canonical() != address {
            return Err(NetworkError::Mapped(text.to_owned()));
        }
        let network = Self { first: address, prefix };
        let behind = number(address) & network.host_bits();
        if behind != 0 {
            let meant = Self { first: addressed(address, number(address) - behind), prefix };
            return Err(NetworkError::BitsBehind { written: text.to_owned(), meant });
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// An address as a number: all of IPv6, with IPv4 at its place within it (`::ffff:0:0/96`).
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address with that number, of the same kind as `like`.
fn addressed(like: IpAddr, number: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(number as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

/// How deep IPv4 lies within IPv6.
const V4_OFFSET_BITS: u32 = 96;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn holds(network: &Network, address: &str) -> bool {
        let (first, last) = network.bounds();
        (first..=last).contains(&number(address.parse().unwrap()))
    }

    #[test]
    fn a_range_ends_where_its_prefix_says() {
        let home = network("192.0.2.0/24");
        assert!(holds(&home, "192.0.2.0") && holds(&home, "192.0.2.255") && holds(&home, "::ffff:192.0.2.7"));
        assert!(!holds(&home, "192.0.1.255") && !holds(&home, "192.0.3.0") && !holds(&home, "::c000:200"));
        assert!(holds(&network("127.0.0.1"), "127.0.0.1") && !holds(&network("127.0.0.1/32"), "127.0.0.2"));
        assert!(holds(&network("0.0.0.0/0"), "255.255.255.255") && !holds(&network("0.0.0.0/0"), "::1"));
        assert!(
            holds(&network("2001:db8::/32"), "2001:db8:ffff::1") && !holds(&network("2001:db8::/32"), "2001:db9::")
        );
        assert!(holds(&network("::/0"), "ffff::1") && holds(&network("::1/128"), "::1"));
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        for (text, says) in [
            ("", "'' is no range"),
            ("localhost", "no range"),
            ("10.0.0.0/33", "no range"),
            ("10.0.0.0/", "no range"),
            ("10.0.0.0/08", "no range"),
            ("10.0.0.0/+8", "no range"),
            ("10.0.0.0/8/8", "no range"),
            ("::/129", "no range"),
            ("10.1.0.0/8", "write 10.0.0.0/8"),
            ("2001:db8::1/64", "write 2001:db8::/64"),
            ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_and_lies_within(octets: [u8; 4], high: u128, v6: bool, prefix in 0_u8..=128) {
            let address = if v6 { IpAddr::from(high.to_be_bytes()) } else { IpAddr::from(octets) }.to_canonical();
            let prefix = if address.is_ipv4() { prefix % 33 } else { prefix };
            let network = match format!("{address}/{prefix}").parse::<Network>() {
                Ok(network) => network,
                Err(NetworkError::BitsBehind { meant, .. }) => meant,
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            let (first, last) = network.bounds();
            prop_assert!((first..=last).contains(&number(address)));
            let bits = if address.is_ipv4() { 32 } else { 128 } - u32::from(prefix);
            prop_assert_eq!(last - first, if bits == 0 { 0 } else { u128::MAX >> (128 - bits) });
        }
    }
}
