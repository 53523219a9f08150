//! Writing a snapshot: frames one after the other, then their directory, then the header; then it takes its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::super::entries::ENTRY_WORDS;
use super::super::index::SHARDS;
use super::super::reply::WIDTHS;
use super::super::sync::Ordering;
use super::capture::{Capture, DETAILS_WORDS, Image, reply_words};
use super::error::SnapshotError;
use super::layout::{
    CONTEXT_OCTETS_MAX, FRAME_OCTETS, FRAME_RECORDS, Frame, FrameKind, HEADER_OCTETS, Header, Span, Stand, Version,
};
use super::octets::Put;
use super::registers::{Registers, put_registers};
use super::seal::{DIRECTORY, FRAME_TAG_OCTETS, FrameSeal, Salt, SnapshotKey};
use super::small::put_sets;
use crate::model::{LedgerId, Time};

/// Whose a snapshot is, and what its owner needs to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Which ledger the table follows.
    pub ledger: LedgerId,
    /// The follower's own words, at most 3,072 octets, given back as they are; sealed, but not hidden.
    pub context: Vec<u8>,
    /// Issuers and scopes at the table's position: what its set events, which it holds itself, are not.
    pub registers: Registers,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The length of the file.
    pub octets: u64,
    /// Certificates in it.
    pub certificates: u64,
    /// Replies in it.
    pub replies: u64,
}

impl Capture {
    /// Writes the snapshot under another name beside `path`, makes sure that it is on the disk, and then gives it its
    /// name. Replies whose validity has ended at `now` stay out.
    pub fn write(
        self,
        path: &Path,
        about: &About,
        key: &SnapshotKey,
        salt: Salt,
        now: Time,
    ) -> Result<Written, SnapshotError> {
        if about.context.len() > CONTEXT_OCTETS_MAX {
            return Err(SnapshotError::TooLarge("the follower's context"));
        }
        let unfinished = unfinished(path)?;
        let written = self.write_whole(&unfinished, about, key, salt, now);
        if written.is_err() {
            // It would only take room; what is refused and why is more worth telling.
            let _ = fs::remove_file(&unfinished);
        }
        let written = written?;
        fs::rename(&unfinished, path)?;
        // The name is in the folder, which is a file of its own.
        File::open(folder(path))?.sync_all()?;
        Ok(written)
    }

    fn write_whole(
        &self,
        path: &Path,
        about: &About,
        key: &SnapshotKey,
        salt: Salt,
        now: Time,
    ) -> Result<Written, SnapshotError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        let version = Version::Two;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let stand = Stand { ledger: about.ledger, read_to: self.read_to };
        let mut sink = Sink::new(file, key.frames(&Header::preamble(version, &stand, &salt)))?;
        let mut image = self.image(now);
        let mut next = 1;
        while next <= self.last {
            next = self.slice(&mut image);
            sink.full_frames(&mut image)?;
        }
        sink.last_frames(&mut image)?;
        self.write_groups(&mut sink)?;
        self.write_index(&mut sink)?;
        let mut sets = Put::default();
        put_sets(&mut sets, &self.sets);
        sink.text(FrameKind::Sets, &sets.0)?;
        let mut registers = Put::default();
        put_registers(&mut registers, &about.registers);
        sink.text(FrameKind::Registers, &registers.0)?;
        sink.text(FrameKind::Totals, &self.totals(&image))?;
        let (file, directory) = sink.directory()?;
        let header = Header { version, stand, salt, directory, context: about.context.clone() }.encode();
        file.write_all_at(&[&header[..], &key.tag(&header)].concat(), 0)?;
        file.sync_all()?;
        let replies = image.replies_count.iter().map(|count| u64::from(*count)).sum();
        let octets = directory.offset + directory.octets + FRAME_TAG_OCTETS as u64;
        Ok(Written { octets, certificates: self.count, replies })
    }

    fn totals(&self, image: &Image) -> Vec<u8> {
        let mut put = Put::default();
        put.0.extend(self.table.entries.index.key().octets());
        put.u64(self.count);
        put.u32(self.last);
        put.u32(self.groups);
        put.u32(image.details_count);
        image.replies_count.iter().for_each(|count| put.u32(*count));
        put.0
    }

    /// Groups are only ever added: those that were there are as they were.
    fn write_groups(&self, sink: &mut Sink) -> Result<(), SnapshotError> {
        let group = |at: u32| {
            let words = self.table.entries.groups.get(at as usize).expect("so many groups were counted");
            words[0].load(Ordering::Relaxed)
        };
        for (first, number) in (0..self.groups).step_by(FRAME_RECORDS).zip(0..) {
            let words: Vec<u64> = (first..self.groups).take(FRAME_RECORDS).map(group).collect();
            sink.words(FrameKind::Groups, number, &words)?;
        }
        Ok(())
    }

    fn write_index(&self, sink: &mut Sink) -> Result<(), SnapshotError> {
        let (mut octets, mut slots, mut number) = (Vec::new(), Vec::new(), 0);
        for shard in 0..SHARDS {
            slots.clear();
            self.shard(shard, &mut slots);
            if !slots.is_empty() {
                octets.extend((shard as u32).to_be_bytes());
                octets.extend((slots.len() as u32).to_be_bytes());
                push_words(&mut octets, &slots);
            }
            if octets.len() >= FRAME_OCTETS || (shard + 1 == SHARDS && !octets.is_empty()) {
                sink.frame(FrameKind::Index, number, &octets)?;
                octets.clear();
                number += 1;
            }
        }
        Ok(())
    }
}

/// The file as it grows.
struct Sink {
    file: File,
    seal: FrameSeal,
    at: u64,
    frames: Vec<Frame>,
    /// Used again for each frame.
    sealed: Vec<u8>,
    plain: Vec<u8>,
    /// How many frames of each kind there are so far.
    details: u32,
    entries: u32,
    holds: u32,
    long: u32,
    replies: [u32; WIDTHS.len()],
}

impl Sink {
    fn new(mut file: File, seal: FrameSeal) -> Result<Self, SnapshotError> {
        // Until the whole is there, the header says that it isn't.
        file.write_all(&[0; HEADER_OCTETS])?;
        Ok(Self {
            file,
            seal,
            at: HEADER_OCTETS as u64,
            frames: Vec::new(),
            sealed: Vec::new(),
            plain: Vec::new(),
            details: 0,
            replies: [0; WIDTHS.len()],
            holds: 0,
            entries: 0,
            long: 0,
        })
    }

    /// Writes what fills a frame.
    fn full_frames(&mut self, image: &mut Image) -> Result<(), SnapshotError> {
        self.arrays(image, FRAME_RECORDS)?;
        if image.holds.0.len() >= FRAME_OCTETS {
            self.holds(image)?;
        }
        Ok(())
    }

    /// Writes what is left.
    fn last_frames(&mut self, image: &mut Image) -> Result<(), SnapshotError> {
        self.arrays(image, 1)?;
        self.holds(image)
    }

    /// Writes frames of each array as long as there are so many records.
    fn arrays(&mut self, image: &mut Image, at_least: usize) -> Result<(), SnapshotError> {
        while image.entries.len() >= at_least * ENTRY_WORDS {
            let number = take_one(&mut self.entries);
            self.first_of(FrameKind::Entries, number, &mut image.entries, ENTRY_WORDS)?;
        }
        while image.long.len() >= at_least {
            let number = take_one(&mut self.long);
            // Most serials have no more than 16 octets, and then there is nothing to say.
            if image.long.iter().take(FRAME_RECORDS).all(|pair| *pair == 0) {
                image.long.drain(..FRAME_RECORDS.min(image.long.len()));
            } else {
                self.first_of(FrameKind::Long, number, &mut image.long, 1)?;
            }
        }
        while image.details.len() >= at_least * DETAILS_WORDS {
            let number = take_one(&mut self.details);
            self.first_of(FrameKind::Details, number, &mut image.details, DETAILS_WORDS)?;
        }
        for width in 0..WIDTHS.len() {
            while image.replies[width].len() >= at_least * reply_words(width) {
                let number = take_one(&mut self.replies[width]);
                self.first_of(FrameKind::Replies(width), number, &mut image.replies[width], reply_words(width))?;
            }
        }
        Ok(())
    }

    /// Certificates' holds: a frame never ends within a certificate's.
    fn holds(&mut self, image: &mut Image) -> Result<(), SnapshotError> {
        if image.holds.0.is_empty() {
            return Ok(());
        }
        let number = take_one(&mut self.holds);
        self.frame(FrameKind::Holds, number, &image.holds.0)?;
        image.holds.0.clear();
        Ok(())
    }

    fn first_of(
        &mut self,
        kind: FrameKind,
        number: u32,
        words: &mut Vec<u64>,
        width: usize,
    ) -> Result<(), SnapshotError> {
        let end = words.len().min(FRAME_RECORDS * width);
        self.words(kind, number, &words[..end])?;
        words.drain(..end);
        Ok(())
    }

    fn text(&mut self, kind: FrameKind, text: &[u8]) -> Result<(), SnapshotError> {
        for (piece, number) in text.chunks(FRAME_OCTETS).zip(0..) {
            self.frame(kind, number, piece)?;
        }
        Ok(())
    }

    fn words(&mut self, kind: FrameKind, number: u32, words: &[u64]) -> Result<(), SnapshotError> {
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        push_words(&mut plain, words);
        let written = self.frame(kind, number, &plain);
        self.plain = plain;
        written
    }

    fn frame(&mut self, kind: FrameKind, number: u32, plain: &[u8]) -> Result<(), SnapshotError> {
        let span = Span { offset: self.at, octets: plain.len() as u64 };
        let frame = Frame { kind, number, span };
        self.write_sealed(self.frames.len() as u64, &frame.about(), plain)?;
        self.frames.push(frame);
        Ok(())
    }

    fn directory(mut self) -> Result<(File, Span), SnapshotError> {
        let mut put = Put::default();
        self.frames.iter().for_each(|frame| frame.put(&mut put));
        let span = Span { offset: self.at, octets: put.0.len() as u64 };
        self.write_sealed(DIRECTORY, &[], &put.0)?;
        Ok((self.file, span))
    }

    fn write_sealed(&mut self, index: u64, about: &[u8], plain: &[u8]) -> Result<(), SnapshotError> {
        self.sealed.clear();
        self.sealed.extend_from_slice(plain);
        self.seal.seal(index, about, &mut self.sealed);
        self.file.write_all(&self.sealed)?;
        self.at += self.sealed.len() as u64;
        Ok(())
    }
}

fn take_one(count: &mut u32) -> u32 {
    *count += 1;
    *count - 1
}

/// Words lie in the file as they lie in the memory of most machines, so that reading them is copying them.
fn push_words(octets: &mut Vec<u8>, words: &[u64]) {
    let from = octets.len();
    octets.resize(from + words.len() * 8, 0);
    for (place, word) in octets[from..].chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

/// The name under which a snapshot is written until it is whole.
fn unfinished(path: &Path) -> Result<PathBuf, SnapshotError> {
    let mut name = path.file_name().ok_or(io::Error::from(io::ErrorKind::InvalidFilename))?.to_owned();
    name.push(".new");
    Ok(path.with_file_name(name))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
