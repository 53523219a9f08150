//! Reading a snapshot: the header and the directory first, then every frame to its place, on several threads.

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use super::super::entries::{ENTRY_WORDS, Group, State, group_no, unpack_state};
use super::super::index::{HashKey, Index};
use super::super::own::POSITION_BITS;
use super::super::present::Present;
use super::super::reply::{ReplyRef, WIDTHS};
use super::super::slots::Free;
use super::super::sync::{AtomicU64, Mutex, Ordering};
use super::super::table::Table;
use super::super::view::ReadTo;
use super::super::writer::Writer;
use super::capture::DETAILS_WORDS;
use super::error::{Part, SnapshotError};
use super::layout::{FRAME_RECORDS, Frame, FrameKind, HEADER_OCTETS, Header, Span, Version};
use super::octets::Take;
use super::registers::{Registers, take_registers};
use super::seal::{DIRECTORY, FRAME_TAG_OCTETS, FrameSeal, SnapshotKey, TAG_OCTETS};
use super::small::{take_holds, take_sets};
use crate::model::{CertificateNo, LedgerId};

/// A snapshot whose header and directory were found to be whole; its frames are looked at when it is loaded.
pub struct Snapshot {
    file: File,
    header: Header,
    seal: FrameSeal,
    frames: Vec<Frame>,
}

/// How many there are of everything.
struct Totals {
    key: HashKey,
    count: u64,
    last: u32,
    groups: u32,
    details: u32,
    replies: [u32; WIDTHS.len()],
}

/// What one thread found besides what it put in place.
#[derive(Default)]
struct Found {
    shards: Vec<(usize, u32)>,
    texts: Vec<(Frame, Vec<u8>)>,
}

/// Frames on their way into a table.
struct Loading<'a> {
    snapshot: &'a Snapshot,
    table: &'a Table,
    totals: &'a Totals,
    next: AtomicUsize,
}

impl Snapshot {
    /// Reads header and directory. What the file says by them is then certain; what it says besides isn't yet.
    pub fn open(path: &Path, key: &SnapshotKey) -> Result<Self, SnapshotError> {
        let file = File::open(path)?;
        let found = file.metadata()?.len();
        let mut octets = vec![0; HEADER_OCTETS.min(usize::try_from(found).unwrap_or(HEADER_OCTETS))];
        file.read_exact_at(&mut octets, 0)?;
        if octets.len() < HEADER_OCTETS {
            let written = HEADER_OCTETS as u64;
            return Err(Header::version(&octets).map_or_else(|error| error, |_| SnapshotError::Torn { written, found }));
        }
        Self::open_whole(file, found, Header::version(&octets)?, &octets, key)
    }

    /// Which ledger the table followed.
    pub fn ledger(&self) -> LedgerId {
        self.header.stand.ledger
    }

    /// The position at which the table is written down.
    pub fn read_to(&self) -> ReadTo {
        self.header.stand.read_to
    }

    /// The follower's words.
    pub fn context(&self) -> &[u8] {
        &self.header.context
    }

    /// Issuers and scopes; none: a file of version 1 doesn't have them.
    pub fn registers(&self) -> Result<Option<Registers>, SnapshotError> {
        if self.header.version == Version::One {
            return Ok(None);
        }
        let (mut text, mut buffer) = (Vec::new(), Vec::new());
        for index in (0..self.frames.len()).filter(|index| self.frames[*index].kind == FrameKind::Registers) {
            text.extend_from_slice(self.frame(index, &mut buffer)?);
        }
        take_registers(&text).map(Some)
    }

    /// The table, ready to be asked and to be brought further. `threads` share the work.
    pub fn load(&self, threads: NonZeroUsize) -> Result<Table, SnapshotError> {
        let totals = self.totals()?;
        let table = Table::empty(totals.key.clone());
        let loading = Loading { snapshot: self, table: &table, totals: &totals, next: AtomicUsize::new(0) };
        let mut found = vec![Found::default()];
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.get()).map(|_| scope.spawn(|| loading.work())).collect();
            found[0] = loading.work()?;
            for other in others {
                found.push(other.join().expect("a thread that panics takes the load with it")?);
            }
            Ok::<_, SnapshotError>(())
        })?;
        assemble(table, &totals, found, self.read_to())
    }

    /// What the versions differ in is which frames there are.
    fn open_whole(
        file: File,
        found: u64,
        version: Version,
        octets: &[u8],
        key: &SnapshotKey,
    ) -> Result<Self, SnapshotError> {
        let (said, tag) = octets.split_at(HEADER_OCTETS - TAG_OCTETS);
        key.check(said, tag)?;
        let header = Header::decode(version, said)?;
        let written = header.directory.offset + header.directory.octets + FRAME_TAG_OCTETS as u64;
        if written != found {
            return Err(SnapshotError::Torn { written, found });
        }
        let seal = key.frames(&Header::preamble(version, &header.stand, &header.salt));
        let mut buffer = Vec::new();
        let listed = opened(&file, &seal, header.directory, DIRECTORY, &[], Part::Directory, &mut buffer)?;
        let (mut take, mut frames) = (Take(listed), Vec::new());
        while !take.is_empty() {
            let frame = Frame::take(&mut take)?;
            let end = frame.span.offset.checked_add(frame.span.octets).filter(|end| *end <= header.directory.offset);
            end.ok_or(SnapshotError::Malformed("a frame beyond the directory"))?;
            frames.push(frame);
        }
        let mut places: Vec<_> = frames.iter().map(Frame::about).collect();
        places.sort_unstable();
        if places.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SnapshotError::Malformed("two frames for one place"));
        }
        Ok(Self { file, header, seal, frames })
    }

    fn frame<'b>(&self, index: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], SnapshotError> {
        let (frame, part) = (self.frames[index], Part::Frame(index as u32));
        opened(&self.file, &self.seal, frame.span, index as u64, &frame.about(), part, buffer)
    }

    fn totals(&self) -> Result<Totals, SnapshotError> {
        let index = self.frames.iter().position(|frame| frame.kind == FrameKind::Totals);
        let mut buffer = Vec::new();
        let octets = self.frame(index.ok_or(SnapshotError::Malformed("no totals"))?, &mut buffer)?;
        let mut take = Take(octets);
        let mut totals = Totals {
            key: HashKey::new(take.array()?),
            count: take.u64()?,
            last: take.u32()?,
            groups: take.u32()?,
            details: take.u32()?,
            replies: [0; WIDTHS.len()],
        };
        for count in &mut totals.replies {
            *count = take.u32()?;
        }
        Ok(totals)
    }
}

impl Loading<'_> {
    /// Takes frames in turn with the other threads, until there are none.
    fn work(&self) -> Result<Found, SnapshotError> {
        let (mut found, mut buffer) = (Found::default(), Vec::new());
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(frame) = self.snapshot.frames.get(index) else { return Ok(found) };
            let placed =
                self.snapshot.frame(index, &mut buffer).and_then(|octets| self.place(frame, octets, &mut found));
            if placed.is_err() {
                // The others needn't go on.
                self.next.store(self.snapshot.frames.len(), Ordering::Relaxed);
                placed?;
            }
        }
    }

    fn place(&self, frame: &Frame, octets: &[u8], found: &mut Found) -> Result<(), SnapshotError> {
        let (entries, first) = (&self.table.entries, frame.number as usize * FRAME_RECORDS);
        let placed = match frame.kind {
            // Asked for by themselves.
            FrameKind::Totals | FrameKind::Registers => Some(()),
            FrameKind::Sets | FrameKind::Holds => {
                found.texts.push((*frame, octets.to_vec()));
                Some(())
            }
            FrameKind::Groups => entries.groups.put(first, octets),
            FrameKind::Entries => {
                self.entries_lead_somewhere(octets)?;
                entries.words.put(first, octets)
            }
            FrameKind::Long => entries.long.put(first, octets),
            FrameKind::Details => {
                let mut heads = octets.chunks_exact(DETAILS_WORDS * 8).map(|record| word(record, 0) as u32);
                if !heads.all(|head| self.has_reply(ReplyRef::from_bits(head))) {
                    return Err(SnapshotError::Malformed("details that lead nowhere"));
                }
                entries.details.put(first, octets)
            }
            FrameKind::Replies(width) => entries.replies[width].put(first, octets),
            FrameKind::Index => self.shards(octets, found)?,
        };
        placed.ok_or(SnapshotError::Malformed("a frame that has no place"))
    }

    /// A reader follows what an entry says without asking whether it is there.
    fn entries_lead_somewhere(&self, octets: &[u8]) -> Result<(), SnapshotError> {
        for entry in octets.chunks_exact(ENTRY_WORDS * 8) {
            let third = word(entry, 2);
            let leads = match unpack_state(third) {
                None => third == 0,
                Some(State::Untouched { reply }) => self.has_reply(reply),
                Some(State::Detailed { slot }) => slot < self.totals.details,
            };
            if !leads || (third != 0 && group_no(third) >= self.totals.groups) {
                return Err(SnapshotError::Malformed("an entry that leads nowhere"));
            }
        }
        Ok(())
    }

    fn has_reply(&self, reply: Option<ReplyRef>) -> bool {
        reply.is_none_or(|reply| reply.slot() < self.totals.replies[reply.width()])
    }

    fn shards(&self, octets: &[u8], found: &mut Found) -> Result<Option<()>, SnapshotError> {
        let mut take = Take(octets);
        while !take.is_empty() {
            let (shard, count) = (take.u32()? as usize, take.u32()?);
            let slots = take.octets(count as usize * 8)?.chunks_exact(8).map(|slot| word(slot, 0));
            if self.table.entries.index.fill(shard, slots).is_none() {
                return Ok(None);
            }
            found.shards.push((shard, count));
        }
        Ok(Some(()))
    }
}

/// The table with everything that only its writer knows.
fn assemble(mut table: Table, totals: &Totals, found: Vec<Found>, read_to: ReadTo) -> Result<Table, SnapshotError> {
    let mut writer = Writer { counts: Index::counts(), count: totals.count, ..Writer::default() };
    let mut texts = Vec::new();
    for found in found {
        found.shards.iter().for_each(|(shard, count)| writer.counts.set(*shard, *count));
        texts.extend(found.texts);
    }
    texts.sort_by_key(|(frame, _)| frame.number);
    let mut sets = Vec::new();
    for (frame, octets) in &texts {
        if frame.kind == FrameKind::Sets {
            sets.extend_from_slice(octets);
            continue;
        }
        let mut take = Take(octets);
        while !take.is_empty() {
            let (number, holds) = take_holds(&mut take)?;
            writer.held.insert(number, holds);
        }
    }
    for number in 0..totals.groups {
        let group = table.entries.groups.get(number as usize).ok_or(SnapshotError::Malformed("groups are missing"))?;
        writer.groups.insert(Group::unpack(group[0].load(Ordering::Relaxed)), number);
    }
    writer.details = Free::after(totals.details);
    writer.replies = totals.replies.map(Free::after);
    writer.newest = CertificateNo(totals.last.into());
    writer.at = read_to.position;
    table.sets = Present::new(take_sets(&sets)?);
    table.read_to = AtomicU64::new(u64::from(read_to.epoch.0) << POSITION_BITS | read_to.position.0);
    table.writer = Mutex::new(writer);
    Ok(table)
}

/// Reads a sealed piece and opens it, in the buffer.
fn opened<'b>(
    file: &File,
    seal: &FrameSeal,
    span: Span,
    index: u64,
    about: &[u8],
    part: Part,
    buffer: &'b mut Vec<u8>,
) -> Result<&'b [u8], SnapshotError> {
    // No longer than the file: the directory was held against its length, and each frame against the directory.
    buffer.resize(span.octets as usize + FRAME_TAG_OCTETS, 0);
    file.read_exact_at(buffer, span.offset)?;
    seal.open(index, about, buffer, part)
}

fn word(octets: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(octets[at * 8..][..8].try_into().expect("eight octets"))
}
