//! Where everything lies in a snapshot of versions 1 and 2: its header, its frames and the directory of them.

use super::super::reply::WIDTHS;
use super::super::view::ReadTo;
use super::error::SnapshotError;
use super::octets::{Put, Take};
use super::seal::{Salt, TAG_OCTETS};
use crate::model::{Epoch, LedgerId};

/// Whose a snapshot is and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    pub ledger: LedgerId,
    pub read_to: ReadTo,
}

/// Which format a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Version {
    /// Without issuers and scopes.
    One = 1,
    Two = 2,
}

/// What the header says.
pub struct Header {
    pub version: Version,
    pub stand: Stand,
    pub salt: Salt,
    pub directory: Span,
    /// What the follower needs to go on.
    pub context: Vec<u8>,
}

/// A piece of the file, without its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub offset: u64,
    pub octets: u64,
}

/// A sealed piece of a table.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub kind: FrameKind,
    /// Which chunk or shard, or how manieth piece of a text.
    pub number: u32,
    pub span: Span,
}

/// Kinds of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    Totals,
    Sets,
    Holds,
    Groups,
    Entries,
    Long,
    Details,
    Index,
    Registers,
    /// Of which width.
    Replies(usize),
}

impl Header {
    /// What the frames' key is made with, besides the secret.
    pub fn preamble(version: Version, stand: &Stand, salt: &Salt) -> Vec<u8> {
        let mut put = Put::default();
        put.0.extend(MAGIC);
        put.u32(version as u32);
        put.0.extend(salt.0);
        put.0.extend(stand.ledger.0);
        put.u32(stand.read_to.epoch.0);
        put.u64(stand.read_to.position.0);
        put.0
    }

    /// All of the header but its tag.
    pub fn encode(&self) -> Vec<u8> {
        let mut put = Put(Self::preamble(self.version, &self.stand, &self.salt));
        put.u64(self.directory.offset);
        put.u64(self.directory.octets);
        put.u16(u16::try_from(self.context.len()).expect("a context is no longer than its bound"));
        put.0.extend(&self.context);
        put.0.resize(HEADER_OCTETS - TAG_OCTETS, 0);
        put.0
    }

    /// What [`encode`](Self::encode) wrote; the tag has been checked.
    pub fn decode(version: Version, octets: &[u8]) -> Result<Self, SnapshotError> {
        let mut take = Take(octets);
        take.octets(MAGIC.len() + 4)?;
        let salt = Salt(take.array()?);
        let ledger = LedgerId(take.array()?);
        let read_to = ReadTo { epoch: Epoch(take.u32()?), position: take.position()? };
        let directory = Span { offset: take.u64()?, octets: take.u64()? };
        let len = take.u16()?;
        let context = take.octets(len.into())?.to_vec();
        Ok(Self { version, stand: Stand { ledger, read_to }, salt, directory, context })
    }

    /// The version that a file says to be of.
    pub fn version(octets: &[u8]) -> Result<Version, SnapshotError> {
        let version = octets.strip_prefix(MAGIC).ok_or(SnapshotError::NotASnapshot)?;
        match Take(version).u32()? {
            1 => Ok(Version::One),
            2 => Ok(Version::Two),
            later => Err(SnapshotError::UnknownVersion(later)),
        }
    }
}

impl Frame {
    /// What is sealed along with the frame: its kind and number, so that none stands in for another.
    pub fn about(&self) -> [u8; 5] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [self.kind.code(), a, b, c, d]
    }

    pub fn put(&self, put: &mut Put) {
        put.0.extend(self.about());
        put.u64(self.span.offset);
        put.u64(self.span.octets);
    }

    pub fn take(take: &mut Take<'_>) -> Result<Self, SnapshotError> {
        let kind = FrameKind::from_code(take.u8()?)?;
        Ok(Self { kind, number: take.u32()?, span: Span { offset: take.u64()?, octets: take.u64()? } })
    }
}

impl FrameKind {
    fn code(self) -> u8 {
        match self {
            Self::Totals => 1,
            Self::Sets => 2,
            Self::Holds => 3,
            Self::Groups => 4,
            Self::Entries => 5,
            Self::Long => 6,
            Self::Details => 7,
            Self::Index => 8,
            Self::Registers => 9,
            Self::Replies(width) => REPLIES + width as u8,
        }
    }

    fn from_code(code: u8) -> Result<Self, SnapshotError> {
        Ok(match code {
            1 => Self::Totals,
            2 => Self::Sets,
            3 => Self::Holds,
            4 => Self::Groups,
            5 => Self::Entries,
            6 => Self::Long,
            7 => Self::Details,
            8 => Self::Index,
            9 => Self::Registers,
            REPLIES.. if usize::from(code - REPLIES) < WIDTHS.len() => Self::Replies((code - REPLIES).into()),
            _ => return Err(SnapshotError::Malformed("a kind of frame")),
        })
    }
}

/// What the file is called by its first octets.
pub const MAGIC: &[u8; 16] = b"tashika snapshot";
/// One page of a disk, so that it is written at once.
pub const HEADER_OCTETS: usize = 4096;
/// What is left of the header for the follower's part.
pub const CONTEXT_OCTETS_MAX: usize = 3 * 1024;
/// Records in a full frame of an array.
pub const FRAME_RECORDS: usize = 4096;
/// Where a frame of a text, or of shards, ends.
pub const FRAME_OCTETS: usize = 256 << 10;
const REPLIES: u8 = 16;

const _: () = assert!(16 + 4 + 32 + 16 + 4 + 8 + 8 + 8 + 2 + CONTEXT_OCTETS_MAX + TAG_OCTETS <= HEADER_OCTETS);
