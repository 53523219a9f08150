//! Numbers, times and options in the small parts of a snapshot: big-endian, as events write them.

use crate::model::{Position, Time};

use super::error::SnapshotError;

/// Writes.
#[derive(Default)]
pub struct Put(pub Vec<u8>);

/// Reads what [`Put`] wrote.
pub struct Take<'a>(pub &'a [u8]);

impl Put {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_be_bytes());
    }

    /// Octets behind how many they are.
    pub fn long(&mut self, octets: &[u8]) {
        self.u32(u32::try_from(octets.len()).expect("what the ledger keeps in one piece is shorter"));
        self.0.extend(octets);
    }

    pub fn text(&mut self, text: &str) {
        self.long(text.as_bytes());
    }

    pub fn time(&mut self, time: Time) {
        self.0.extend(time.unix().to_be_bytes());
    }

    pub fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.u8(value.is_some().into());
        if let Some(value) = value {
            put(self, value);
        }
    }
}

impl<'a> Take<'a> {
    pub fn octets(&mut self, len: usize) -> Result<&'a [u8], SnapshotError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(SnapshotError::Malformed("it ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        Ok(self.octets(N)?.try_into().expect("so many were asked for"))
    }

    pub fn u8(&mut self) -> Result<u8, SnapshotError> {
        Ok(self.octets(1)?[0])
    }

    pub fn u16(&mut self) -> Result<u16, SnapshotError> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn long(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let len = self.u32()?;
        Ok(self.octets(len as usize)?.to_vec())
    }

    pub fn text(&mut self) -> Result<String, SnapshotError> {
        String::from_utf8(self.long()?).map_err(|_| SnapshotError::Malformed("a text that is none"))
    }

    pub fn position(&mut self) -> Result<Position, SnapshotError> {
        self.u64().map(Position)
    }

    pub fn time(&mut self) -> Result<Time, SnapshotError> {
        let seconds = self.array().map(i64::from_be_bytes)?;
        Time::from_unix(seconds).map_err(|_| SnapshotError::Malformed("a time outside the calendar"))
    }

    pub fn option<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, SnapshotError>,
    ) -> Result<Option<T>, SnapshotError> {
        match self.u8()? {
            0 => Ok(None),
            1 => take(self).map(Some),
            _ => Err(SnapshotError::Malformed("an option that is neither none nor some")),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
