//! The primitives of canonical bytes: big-endian numbers, length-prefixed text, tagged options.
//!
//! One value has one encoding, and what decodes was encoded so: a reader refuses left-over and non-canonical bytes.
//! Used by the codecs of events, rows and statuses.

use crate::model::{Position, Serial, Time};

/// Writes canonical bytes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

/// Reads canonical bytes; every failure is a [`Malformed`].
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// Bytes that no version of this program has written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end too soon.
    #[error("the bytes end too soon")]
    Short,
    /// Something follows the end.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
    /// A tag that is not assigned; a newer program may know it.
    #[error("unknown {what} {tag}")]
    Tag {
        /// What was to be read.
        what: &'static str,
        /// What stood there.
        tag: u64,
    },
    /// A value outside its range, or not in its one form.
    #[error("malformed {0}")]
    Value(&'static str),
}

impl Writer {
    /// With room for `octets`.
    pub(super) fn with_capacity(octets: usize) -> Self {
        Self { out: Vec::with_capacity(octets) }
    }

    /// What was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn time(&mut self, value: Time) {
        self.out.extend_from_slice(&value.unix().to_be_bytes());
    }

    pub(super) fn position(&mut self, value: Position) {
        self.u64(value.0);
    }

    /// Octets whose number the reader knows.
    pub(super) fn raw(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    /// Up to 65,535 octets behind their number.
    pub(super) fn short(&mut self, octets: &[u8]) {
        self.u16(u16::try_from(octets.len()).expect("limits keep texts and names under 64 KiB"));
        self.raw(octets);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.short(text.as_bytes());
    }

    /// Up to 65,535 positions behind their number.
    pub(super) fn positions(&mut self, positions: impl ExactSizeIterator<Item = Position>) {
        self.u16(u16::try_from(positions.len()).expect("limits keep lists of holds under 65,536"));
        positions.for_each(|position| self.position(position));
    }

    pub(super) fn serial(&mut self, serial: &Serial) {
        let octets = serial.as_octets();
        self.u8(octets.len() as u8);
        self.raw(octets);
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                write(self, value);
            }
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Ends the reading: nothing may be left over.
    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::Trailing(self.rest.len())) }
    }

    pub(super) fn raw(&mut self, octets: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(octets).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn time(&mut self) -> Result<Time, Malformed> {
        let seconds = self.array().map(i64::from_be_bytes)?;
        Time::from_unix(seconds).map_err(|_| Malformed::Value("time"))
    }

    pub(super) fn position(&mut self) -> Result<Position, Malformed> {
        self.u64().map(Position)
    }

    pub(super) fn short(&mut self) -> Result<&'a [u8], Malformed> {
        let octets = self.u16()?;
        self.raw(octets.into())
    }

    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        let octets = self.short()?;
        std::str::from_utf8(octets).map(str::to_owned).map_err(|_| Malformed::Value("text"))
    }

    pub(super) fn positions(&mut self) -> Result<Vec<Position>, Malformed> {
        let count = self.u16()?;
        (0..count).map(|_| self.position()).collect()
    }

    pub(super) fn serial(&mut self) -> Result<Serial, Malformed> {
        let octets = self.u8()?;
        let octets = self.raw(octets.into())?;
        let serial = Serial::from_unsigned(octets).map_err(|_| Malformed::Value("serial"))?;
        if serial.as_octets() == octets { Ok(serial) } else { Err(Malformed::Value("serial")) }
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            tag => Err(Malformed::Tag { what: "option", tag: tag.into() }),
        }
    }
}
