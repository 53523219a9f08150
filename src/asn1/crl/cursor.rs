//! A place within DER that moves on element by element, and knows its octet for whoever is told of an error.
//!
//! Used by the readers of this folder. Lengths must be in their shortest form.

use super::CrlError;

/// What is still to be read of an element's contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    /// Everything up to the end of the contents.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The octets that are left.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Whether the next element has that tag.
    #[inline]
    pub fn is_next(&self, tag: u8) -> bool {
        self.bytes.get(self.at) == Some(&tag)
    }

    /// The contents of the next element, which must have that tag.
    #[inline(always)]
    pub fn enter(&mut self, tag: u8, part: &'static str) -> Result<Self, CrlError> {
        let malformed = CrlError::Malformed { part, at: self.at };
        match self.bytes[self.at..] {
            [found, length @ 0..0x80, ..] if found == tag => self.split(2, length.into()).ok_or(malformed),
            [found, ..] if found == tag => self.enter_long().ok_or(malformed),
            _ => Err(malformed),
        }
    }

    /// The octets of the next element's contents.
    #[inline(always)]
    pub fn contents(&mut self, tag: u8, part: &'static str) -> Result<&'a [u8], CrlError> {
        self.enter(tag, part).map(|inside| inside.rest())
    }

    /// The next element, whole.
    pub fn element(&mut self, tag: u8, part: &'static str) -> Result<&'a [u8], CrlError> {
        let from = self.at;
        self.enter(tag, part)?;
        Ok(&self.bytes[from..self.at])
    }

    /// Nothing may be left.
    #[inline]
    pub fn end(&self, part: &'static str) -> Result<(), CrlError> {
        if self.is_empty() { Ok(()) } else { Err(CrlError::Malformed { part, at: self.at }) }
    }

    fn enter_long(&mut self) -> Option<Self> {
        let octets = usize::from(*self.bytes.get(self.at + 1)? & 0x7f);
        let digits = self.bytes.get(self.at + 2..self.at + 2 + octets)?;
        // Not indefinite, not reserved, no leading zero, and not what would have fitted into fewer octets.
        if !(1..=LENGTH_OCTETS_MAX).contains(&octets) || digits[0] == 0 || (octets == 1 && digits[0] < 0x80) {
            return None;
        }
        let length = digits.iter().fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
        self.split(2 + octets, usize::try_from(length).ok()?)
    }

    #[inline(always)]
    fn split(&mut self, header: usize, length: usize) -> Option<Self> {
        let from = self.at + header;
        let end = from.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        self.at = end;
        Some(Self { bytes: &self.bytes[..end], at: from })
    }
}

/// 4 GB are beyond any CRL.
const LENGTH_OCTETS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(bytes: &[u8]) -> Option<usize> {
        Cursor::new(bytes).enter(0x30, "it").ok().map(|inside| inside.rest().len())
    }

    #[test]
    fn lengths_are_read_in_their_shortest_form_only() {
        let with = |header: &[u8], length: usize| [header, &vec![0; length]].concat();
        assert_eq!(entered(&with(&[0x30, 0x7f], 127)), Some(127));
        assert_eq!(entered(&with(&[0x30, 0x81, 0x80], 128)), Some(128));
        assert_eq!(entered(&with(&[0x30, 0x82, 1, 0], 256)), Some(256));
        assert_eq!(entered(&with(&[0x30, 0x83, 1, 0, 0], 65_536)), Some(65_536));
        for header in [
            &[0x30, 0x81, 0x7f][..],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x80],
            &[0x30, 0xff],
            &[0x30, 0x85, 0, 0, 0, 0, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x31, 0x01],
            &[0x30],
            &[],
        ] {
            assert_eq!(entered(&with(header, 200)[..header.len() + if header.len() < 2 { 0 } else { 200 }]), None);
        }
        assert_eq!(entered(&with(&[0x30, 0x7f], 126)), None);
    }
}
