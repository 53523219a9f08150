//! What is imported, and the thread that reads it ahead of whoever weighs and commits.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::BulkError;
use crate::ledger::import::{Context, Defaults, Fault, Format, Pseudonym, Record, Records};
use crate::model::{Book, IssuerNo};

/// Something that can be read twice from its beginning.
pub trait Source: Sync {
    /// At the beginning.
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>>;
}

impl Source for &Path {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(BufReader::with_capacity(READ_OCTETS, std::fs::File::open(self)?)))
    }
}

impl Source for Vec<u8> {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(&self[..]))
    }
}

impl Source for &[u8] {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(*self))
    }
}

/// One file to import.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The file.
    pub source: &'a dyn Source,
    /// What it is.
    pub format: Format,
    /// Whose certificates it names.
    pub issuer: IssuerNo,
    /// What it leaves out.
    pub defaults: Defaults,
    /// The pseudonyms of its identifiers.
    pub pseudonym: Pseudonym<'a>,
    /// What to do about bad entries.
    pub on_bad: OnBad,
}

/// What to do about bad entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBad {
    /// One is enough to import nothing.
    Refuse,
    /// Leave them out, tell each.
    Skip,
}

/// One entry with its place.
pub(super) type Placed = (u64, Result<Record, Fault>);

impl Job<'_> {
    /// Hands out the entries in blocks. They are read and parsed on a thread of their own, at most [`BLOCKS_AHEAD`] ahead.
    pub(super) fn blocks(
        &self,
        book: &Book,
        each: &mut dyn FnMut(Vec<Placed>) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        let (issuer, defaults, pseudonym) = (self.issuer, self.defaults, self.pseudonym);
        let context = Context { issuer, book, defaults, pseudonym };
        let mut records = Records::open(self.source.open()?, self.format, context)?;
        thread::scope(|scope| {
            let (send, receive) = sync_channel(BLOCKS_AHEAD);
            scope.spawn(move || {
                loop {
                    let block: io::Result<Vec<Placed>> = records.by_ref().take(BLOCK_ENTRIES).collect();
                    let last = !matches!(&block, Ok(block) if block.len() == BLOCK_ENTRIES);
                    // The receiver is gone when whoever weighs has stopped.
                    if send.send(block).is_err() || last {
                        break;
                    }
                }
            });
            receive.into_iter().try_for_each(|block| each(block?))
        })
    }
}

/// Entries handed over at once: about half a megabyte.
const BLOCK_ENTRIES: usize = 2048;
/// Enough to keep both threads busy.
const BLOCKS_AHEAD: usize = 2;
const READ_OCTETS: usize = 256 * 1024;
