//! Where checkpoints are kept: a text file outside the database, one note after the other, each durable before anybody
//! hears of it.
//!
//! The writer keeps one for what it signed, every follower one for what it counter-signed; `verify` reads them all.
//! Whoever may write to the database must not be able to write here, or the proof is worth nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::model::Position;

use super::checkpoint::{NOTE_OCTETS_MAX, Note, Succession};
use super::note::NoteError;

/// The file of notes, each followed by an empty line.
///
/// - **Durable.** When [`append`](Self::append) returns, the note survives power loss.
/// - **Torn ends.** What a crash left of a note that was never acknowledged is passed over by readers and cut off by
///   the next append.
/// - **One history.** A note that contradicts the last one is refused: a process that was restarted on an older copy
///   of the database can't be led to vouch for two histories.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    path: PathBuf,
}

/// Everything in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The notes, in the order in which they were appended.
    pub notes: Vec<Note>,
    /// What stands behind the last of them.
    pub tail: Tail,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// With a whole note.
    Whole,
    /// With so many octets of one that was never finished.
    Torn {
        /// How many.
        octets: u64,
    },
}

/// Why a file of checkpoints can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFileError {
    /// The note contradicts the last one.
    #[error("{path}: a checkpoint at position {new} does not follow the last one, at {last}: histories differ: run 'tashika ledger verify'", path = path.display())]
    Contradicts {
        /// Which file.
        path: PathBuf,
        /// Where the last one stands.
        last: Position,
        /// Where the new one stands.
        new: Position,
    },
    /// A note that isn't the last is damaged.
    #[error("{path}: {at}: {source}", path = path.display(), at = place(*line))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The line in which it begins; 0 for "at the end".
        line: u64,
        /// What is wrong with it.
        source: NoteError,
    },
    /// The file can't be read or written.
    #[error(
        "{path}: the checkpoints can't be read or written ({source}): see that this user may have the file and its folder",
        path = path.display()
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl CheckpointFile {
    /// The file at that path, which may not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a note. One that is there already as the last, signatures and all, is not added again.
    pub fn append(&self, note: &Note) -> Result<(), CheckpointFileError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = self.io(options.open(&self.path))?;
        // Two processes that hold the same file take turns; the lock ends with the file.
        self.io(file.lock())?;
        let (last, whole) = self.last_in(&mut file)?;
        if let Some(last) = last {
            if last == *note {
                return Ok(());
            }
            if note.checkpoint.after(&last.checkpoint) == Succession::Contradicts {
                let (last, new) = (last.checkpoint.position, note.checkpoint.position);
                return Err(CheckpointFileError::Contradicts { path: self.path.clone(), last, new });
            }
        }
        self.io(file.set_len(whole))?;
        self.io(file.seek(SeekFrom::Start(whole)))?;
        self.io(file.write_all(format!("{note}\n").as_bytes()))?;
        self.io(file.sync_all())?;
        if whole == 0 {
            // The file's name is as durable as its contents only once its folder is written too.
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            self.io(File::open(folder).and_then(|folder| folder.sync_all()))?;
        }
        Ok(())
    }

    /// The last whole note, read from the end.
    pub fn latest(&self) -> Result<Option<Note>, CheckpointFileError> {
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => Ok(self.last_in(&mut self.io(opened)?)?.0),
        }
    }

    /// Every note. A file that doesn't exist is an error here: a proof without its evidence is none.
    pub fn all(&self) -> Result<Kept, CheckpointFileError> {
        let mut reader = BufReader::new(self.io(File::open(&self.path))?);
        let mut kept = Kept { notes: Vec::new(), tail: Tail::Whole };
        let (mut note, mut empty, mut line, mut begins) = (Vec::new(), 0, 0, 1);
        loop {
            let before = note.len();
            if self.io(reader.by_ref().take(LINE_OCTETS_MAX).read_until(b'\n', &mut note))? == 0 {
                break;
            }
            line += 1;
            if note.len() > NOTE_OCTETS_MAX {
                return Err(self.damaged(begins, NoteError::Form("it is too long")));
            }
            if note[before..] != *b"\n" {
                continue;
            }
            // The first empty line stands within a note, before its signatures; the second one ends it.
            empty += 1;
            if empty == 2 {
                note.pop();
                kept.notes.push(self.parse(&note, begins)?);
                note.clear();
                (empty, begins) = (0, line + 1);
            }
        }
        if !note.is_empty() {
            kept.tail = Tail::Torn { octets: note.len() as u64 };
        }
        Ok(kept)
    }

    /// The last whole note, and how many octets there are up to its end.
    fn last_in(&self, file: &mut File) -> Result<(Option<Note>, u64), CheckpointFileError> {
        let length = self.io(file.metadata())?.len();
        let from = length.saturating_sub(TAIL_OCTETS);
        self.io(file.seek(SeekFrom::Start(from)))?;
        let mut octets = Vec::new();
        self.io(file.take(TAIL_OCTETS).read_to_end(&mut octets))?;
        let end = |octets: &[u8]| octets.windows(2).rposition(|pair| pair == b"\n\n").map(|at| at + 2);
        // Ends lie behind signatures, before the next note's text; the other empty lines lie behind a text.
        let mut whole = end(&octets);
        while let Some(at) = whole {
            let begin = end(&octets[..at - 2]).and_then(|middle| end(&octets[..middle - 2])).unwrap_or(0);
            let note = std::str::from_utf8(&octets[begin..at - 1]).ok().and_then(|text| text.parse().ok());
            if let Some(note) = note {
                return self.only_torn(&octets[at..]).map(|()| (Some(note), from + at as u64));
            }
            whole = end(&octets[..at - 1]);
        }
        if from > 0 {
            return Err(self.damaged(0, NoteError::Form("no whole note near the end")));
        }
        self.only_torn(&octets).map(|()| (None, 0))
    }

    /// What may be cut off is the beginning of a note, never one that was finished and then damaged.
    fn only_torn(&self, tail: &[u8]) -> Result<(), CheckpointFileError> {
        match tail.windows(2).filter(|pair| pair == b"\n\n").count() {
            0 | 1 => Ok(()),
            _ => Err(self.damaged(0, NoteError::Form("the last note was altered"))),
        }
    }

    fn parse(&self, octets: &[u8], line: u64) -> Result<Note, CheckpointFileError> {
        let text = std::str::from_utf8(octets).map_err(|_| self.damaged(line, NoteError::Form("not UTF-8")))?;
        text.parse().map_err(|error| self.damaged(line, error))
    }

    fn damaged(&self, line: u64, source: NoteError) -> CheckpointFileError {
        CheckpointFileError::Damaged { path: self.path.clone(), line, source }
    }

    fn io<T>(&self, result: io::Result<T>) -> Result<T, CheckpointFileError> {
        result.map_err(|source| CheckpointFileError::Io { path: self.path.clone(), source })
    }
}

fn place(line: u64) -> String {
    if line == 0 { "the note at its end".into() } else { format!("the note that begins in line {line}") }
}

/// Two notes of the longest kind.
const TAIL_OCTETS: u64 = 128 * 1024;
/// Longer lines stand in no note.
const LINE_OCTETS_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::checkpoint::Checkpoint;
    use crate::ledger::note::NoteSignature;
    use crate::model::{Epoch, LedgerId};

    fn note(position: u64) -> Note {
        let checkpoint = Checkpoint {
            ledger: LedgerId([3; 16]),
            epoch: Epoch(0),
            position: Position(position),
            root: [position as u8; 32],
            link: [position as u8; 32],
        };
        let line =
            |name: &str| NoteSignature { name: name.into(), key_id: [1, 2, 3, 4], octets: vec![position as u8; 64] };
        Note { checkpoint, signatures: vec![line("writer"), line("tokyo-1")] }
    }

    fn file(folder: &tempfile::TempDir) -> CheckpointFile {
        CheckpointFile::at(folder.path().join("checkpoints.txt"))
    }

    #[test]
    fn what_was_appended_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        assert_eq!(file.latest().unwrap(), None);
        assert!(file.all().is_err(), "evidence that isn't there is no empty evidence");
        for position in 1..=600 {
            file.append(&note(position)).unwrap();
            file.append(&note(position)).unwrap();
        }
        assert!(std::fs::metadata(file.path()).unwrap().len() > TAIL_OCTETS, "the end is read without the beginning");
        assert_eq!(file.latest().unwrap(), Some(note(600)));
        let kept = file.all().unwrap();
        assert_eq!(kept.tail, Tail::Whole);
        assert_eq!(kept.notes, (1..=600).map(note).collect::<Vec<_>>());
    }

    #[test]
    fn wherever_a_write_is_torn_the_notes_before_it_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        file.append(&note(1)).unwrap();
        let whole = std::fs::read(file.path()).unwrap();
        file.append(&note(2)).unwrap();
        let both = std::fs::read(file.path()).unwrap();
        for length in whole.len()..both.len() {
            std::fs::write(file.path(), &both[..length]).unwrap();
            assert_eq!(file.latest().unwrap(), Some(note(1)), "{length}");
            let kept = file.all().unwrap();
            let torn = (length - whole.len()) as u64;
            let tail = if torn == 0 { Tail::Whole } else { Tail::Torn { octets: torn } };
            assert_eq!((kept.notes, kept.tail), (vec![note(1)], tail), "{length}");
            file.append(&note(3)).unwrap();
            assert_eq!(file.all().unwrap(), Kept { notes: vec![note(1), note(3)], tail: Tail::Whole }, "{length}");
        }
        // A crash may leave the space without the octets.
        std::fs::write(file.path(), [&whole[..], &[0; 4096]].concat()).unwrap();
        assert_eq!(file.latest().unwrap(), Some(note(1)));
        std::fs::write(file.path(), &whole[..40]).unwrap();
        assert_eq!(file.latest().unwrap(), None);
        file.append(&note(5)).unwrap();
        assert_eq!(file.all().unwrap().notes, [note(5)]);
    }

    #[test]
    fn an_altered_note_is_damage_and_is_never_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        (1..=3).for_each(|position| file.append(&note(position)).unwrap());
        let good = std::fs::read_to_string(file.path()).unwrap();
        for position in 1..=3 {
            let bad = good.replacen(&format!("\n{position}\n"), &format!("\n0{position}\n"), 1);
            assert_ne!(bad, good);
            std::fs::write(file.path(), &bad).unwrap();
            assert!(matches!(file.all(), Err(CheckpointFileError::Damaged { .. })), "{position}");
            if position == 3 {
                assert!(matches!(file.append(&note(4)), Err(CheckpointFileError::Damaged { .. })));
                assert_eq!(std::fs::read_to_string(file.path()).unwrap(), bad);
            }
        }
    }

    #[test]
    fn a_note_of_another_history_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        file.append(&note(7)).unwrap();
        let mut forked = note(7);
        forked.checkpoint.root = [0; 32];
        for wrong in [note(6), forked] {
            assert!(matches!(file.append(&wrong), Err(CheckpointFileError::Contradicts { .. })));
        }
        assert_eq!(file.all().unwrap().notes, [note(7)]);
    }
}
