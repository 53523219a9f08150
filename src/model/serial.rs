//! Certificate serial numbers: 1 to 20 octets, positive, one form only.
//!
//! Every look-up in the house is by `(issuer, Serial)`; whoever reads a serial (the command line, an import, a request)
//! turns it into this type first.

use std::fmt;
use std::str::FromStr;

/// A positive certificate serial number of at most 20 octets, without leading zero octets.
///
/// RFC 5280 §4.1.2.2 allows no more than 20 octets; the DER sign octet (a leading `00`) is not part of the number and
/// isn't kept. Ordering is numerical.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serial {
    octets: [u8; SERIAL_OCTETS_MAX],
    len: u8,
}

/// Why octets or text are not a serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// No digits, or no octets.
    #[error("a serial number needs at least one digit")]
    Empty,
    /// DER integer with its sign bit set, or text with a minus sign.
    #[error("a serial number is positive")]
    Negative,
    /// A character that is neither a hexadecimal digit nor a colon.
    #[error("'{0}' is not a hexadecimal digit")]
    NotHex(char),
    /// More than 20 octets.
    #[error("a serial number has at most {SERIAL_OCTETS_MAX} octets")]
    TooLong,
    /// RFC 5280 wants a positive number; zero is none.
    #[error("a serial number is not zero")]
    Zero,
}

impl Serial {
    /// The serial of an unsigned big-endian number; leading zero octets are dropped.
    #[inline]
    pub fn from_unsigned(octets: &[u8]) -> Result<Self, SerialError> {
        if octets.is_empty() {
            return Err(SerialError::Empty);
        }
        let first = octets.iter().position(|octet| *octet != 0).ok_or(SerialError::Zero)?;
        let digits = &octets[first..];
        if digits.len() > SERIAL_OCTETS_MAX {
            return Err(SerialError::TooLong);
        }
        Ok(Self::of_digits(digits))
    }

    /// The serial of a number of 160 bits, big-endian; none for zero.
    #[inline]
    pub fn from_padded(octets: [u8; SERIAL_OCTETS_MAX]) -> Option<Self> {
        let (high, low) = octets.split_first_chunk::<16>().expect("twenty octets");
        let (high, low) = (u128::from_be_bytes(*high), u32::from_be_bytes(low.try_into().expect("four octets")));
        let zeros = if high == 0 { 128 + low.leading_zeros() } else { high.leading_zeros() } as usize / 8;
        if zeros == SERIAL_OCTETS_MAX {
            return None;
        }
        // Shifted in registers: what was just stored piece by piece is slow to be read as a whole.
        let (bits, low) = (8 * zeros as u32, u128::from(low) << 96);
        let (high, low) = match bits {
            0 => (high, low),
            1..128 => (high << bits | low >> (128 - bits), low << bits),
            _ => (low << (bits - 128), 0),
        };
        let mut serial = Self { octets: [0; SERIAL_OCTETS_MAX], len: (SERIAL_OCTETS_MAX - zeros) as u8 };
        serial.octets[..16].copy_from_slice(&high.to_be_bytes());
        serial.octets[16..].copy_from_slice(&((low >> 96) as u32).to_be_bytes());
        Some(serial)
    }

    /// The serial of the contents of a DER INTEGER: two's complement, so a set top bit is a negative number.
    #[inline]
    pub fn from_der_integer(contents: &[u8]) -> Result<Self, SerialError> {
        match contents.first() {
            None => Err(SerialError::Empty),
            Some(first) if first & 0x80 != 0 => Err(SerialError::Negative),
            Some(first) => {
                // Half of all numbers have an octet for the sign, and no processor guesses which: taken off without asking.
                let digits = &contents[usize::from(*first == 0)..];
                match digits.first() {
                    Some(1..) if digits.len() <= SERIAL_OCTETS_MAX => Ok(Self::of_digits(digits)),
                    _ => Self::from_unsigned(contents),
                }
            }
        }
    }

    /// The number as unsigned big-endian octets without leading zeros.
    #[inline]
    pub fn as_octets(&self) -> &[u8] {
        &self.octets[..self.len as usize]
    }
}

impl Serial {
    /// The octets of [`as_octets`](Self::as_octets), and zeros behind them.
    #[inline]
    pub fn padded(&self) -> &[u8; SERIAL_OCTETS_MAX] {
        &self.octets
    }

    /// Of at most 20 octets, the first of which is not zero.
    #[inline(always)]
    fn of_digits(digits: &[u8]) -> Self {
        let mut serial = Self { octets: [0; SERIAL_OCTETS_MAX], len: digits.len() as u8 };
        match digits.first_chunk::<16>() {
            // The commonest length, copied without a loop: lists have millions.
            Some(all) if digits.len() == 16 => serial.octets[..16].copy_from_slice(all),
            _ => serial.octets[..digits.len()].copy_from_slice(digits),
        }
        serial
    }

    /// Numbers of one length are in the order of these, which are compared without a loop.
    #[inline]
    fn order(&self) -> (u8, u128, u32) {
        let (high, low) = self.octets.split_first_chunk::<16>().expect("twenty octets");
        let low = low.try_into().expect("four octets");
        (self.len, u128::from_be_bytes(*high), u32::from_be_bytes(low))
    }
}

impl Ord for Serial {
    #[inline]
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Serial {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Serial {
    /// Upper-case hexadecimal with an even number of digits, as openssl prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_octets().iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    /// Hexadecimal digits in any case, with or without `0x` and colons.
    fn from_str(text: &str) -> Result<Self, SerialError> {
        let text = text.trim();
        if text.starts_with('-') {
            return Err(SerialError::Negative);
        }
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let mut nibbles = Vec::with_capacity(text.len());
        for digit in text.chars().filter(|c| *c != ':') {
            nibbles.push(digit.to_digit(16).ok_or(SerialError::NotHex(digit))? as u8);
        }
        if nibbles.is_empty() {
            return Err(SerialError::Empty);
        }
        let significant = nibbles.iter().position(|nibble| *nibble != 0).ok_or(SerialError::Zero)?;
        let mut digits = nibbles.split_off(significant);
        if digits.len() % 2 == 1 {
            digits.insert(0, 0);
        }
        let octets: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        Self::from_unsigned(&octets)
    }
}

/// RFC 5280 §4.1.2.2.
pub const SERIAL_OCTETS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_customary_form() {
        for text in ["0a1b", "A1B", "0x0A1B", "0a:1b", "0X0000a1b", " 0A1B "] {
            assert_eq!(text.parse::<Serial>().unwrap().to_string(), "0A1B", "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_serial() {
        let cases: [(&str, SerialError); 6] = [
            ("", SerialError::Empty),
            ("0x", SerialError::Empty),
            ("000", SerialError::Zero),
            ("-1", SerialError::Negative),
            ("12g4", SerialError::NotHex('g')),
            ("0123456789abcdef0123456789abcdef0123456789", SerialError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Serial>(), Err(error), "{text}");
        }
        assert_eq!(Serial::from_der_integer(&[0x80]), Err(SerialError::Negative));
        assert_eq!(Serial::from_der_integer(&[]), Err(SerialError::Empty));
    }

    #[test]
    fn twenty_octets_with_the_top_bit_set_are_legal() {
        let mut der = vec![0];
        der.extend([0xff; 20]);
        assert_eq!(Serial::from_der_integer(&der).unwrap().as_octets(), [0xff; 20]);
    }

    proptest! {
        #[test]
        fn a_der_integer_is_its_digits(zeros in 0_usize..3, digits in prop::collection::vec(any::<u8>(), 0..=22)) {
            let contents = [&[0; 3][..zeros], &digits].concat();
            let expected = match contents.first() {
                Some(0x80..) => Err(SerialError::Negative),
                _ => Serial::from_unsigned(&contents),
            };
            prop_assert_eq!(Serial::from_der_integer(&contents), expected);
        }

        #[test]
        fn a_number_of_160_bits_is_the_same_serial(octets in any::<[u8; 20]>(), zeros in 0_usize..=20) {
            let mut octets = octets;
            octets[..zeros].fill(0);
            let serial = Serial::from_padded(octets);
            prop_assert_eq!(serial, Serial::from_unsigned(&octets).ok());
            if let Some(serial) = serial {
                prop_assert!(serial.padded().starts_with(serial.as_octets()));
                let other = Serial::from_unsigned(&[0x80; 9]).unwrap();
                let by_octets = (serial.as_octets().len(), serial.as_octets()).cmp(&(9, other.as_octets()));
                prop_assert_eq!(serial.cmp(&other), by_octets);
            }
        }

        #[test]
        fn printed_and_read_back_is_the_same(octets in prop::collection::vec(any::<u8>(), 1..=20)) {
            if let Ok(serial) = Serial::from_unsigned(&octets) {
                prop_assert_eq!(serial.to_string().parse::<Serial>().unwrap(), serial);
                prop_assert_ne!(serial.as_octets()[0], 0);
            } else {
                prop_assert!(octets.iter().all(|octet| *octet == 0));
            }
        }

        #[test]
        fn order_is_numerical(a in any::<u128>(), b in any::<u128>()) {
            if let (Ok(x), Ok(y)) = (Serial::from_unsigned(&a.to_be_bytes()), Serial::from_unsigned(&b.to_be_bytes())) {
                prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            }
        }
    }
}
