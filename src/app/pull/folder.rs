//! What is installed: a folder in which `current` leads to one whole round, and never to half of one.
//!
//! A round is written beside the others, flushed, and made `current` by one rename; the one before it stays until the next,
//! for whoever is just reading it. A process that dies leaves a draft, which the next one removes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::publisher::pull::{Marks, MarksError};

/// The folder, held against others who would pull into it.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    /// Where `current` leads.
    current: Option<u64>,
    lock: File,
}

/// A round that is being written.
#[derive(Debug)]
pub struct Draft<'a> {
    folder: &'a mut Folder,
    at: PathBuf,
}

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process pulls into it.
    #[error("{}: another pull is at work here", .0.display())]
    Busy(PathBuf),
    /// A file in it.
    #[error("{}: {source}", file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What was seen before can't be read.
    #[error("{}: {source}; a person must look: with the folder removed everything is taken anew", file.display())]
    Marks {
        /// Which.
        file: PathBuf,
        /// Why.
        source: MarksError,
    },
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closing it is not enough while a child of this process is being started: until it runs, it has it too. What can't be
        // given back ends with the process.
        let _ = self.lock.unlock();
    }
}

impl Folder {
    /// Opens it, or makes it.
    pub fn open(dir: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let file = dir.join("pull.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&file).map_err(at(&file))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Busy(dir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(&file)(error)),
        }
        let link = dir.join(CURRENT);
        let current = match fs::read_link(&link) {
            Ok(to) => to.to_str().and_then(|name| name.strip_prefix(ROUND)).and_then(|number| number.parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(at(&link)(error)),
        };
        Ok(Self { dir: dir.to_owned(), current, lock })
    }

    /// What was seen before; none: nothing was ever pulled.
    pub fn marks(&self) -> Result<Option<Marks>, FolderError> {
        let Some(octets) = self.read(MARKS)? else { return Ok(None) };
        let file = self.dir.join(CURRENT).join(MARKS);
        Marks::read(&octets).map(Some).map_err(|source| FolderError::Marks { file, source })
    }

    /// A file of the current round; none: there is no such file.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let Some(current) = self.current else { return Ok(None) };
        let file = self.dir.join(format!("{ROUND}{current}")).join(name);
        match fs::read(&file) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&file)(error)),
        }
    }

    /// Begins the next round.
    pub fn draft(&mut self) -> Result<Draft<'_>, FolderError> {
        let draft = self.dir.join(".draft");
        remove(&draft)?;
        fs::create_dir(&draft).map_err(at(&draft))?;
        Ok(Draft { folder: self, at: draft })
    }

    /// The rounds that lie there.
    fn rounds(&self) -> Result<Vec<u64>, FolderError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(at(&self.dir))? {
            let name = entry.map_err(at(&self.dir))?.file_name();
            found.extend(name.to_str().and_then(|name| name.strip_prefix(ROUND)?.parse::<u64>().ok()));
        }
        Ok(found)
    }
}

impl Draft<'_> {
    /// Writes a file; it is durable when the round is committed.
    pub fn put(&self, name: &str, octets: &[u8]) -> Result<(), FolderError> {
        self.write(name, &mut |file| file.write_all(octets))
    }

    /// The same, piece by piece.
    pub fn write(&self, name: &str, fill: &mut dyn FnMut(&mut File) -> io::Result<()>) -> Result<(), FolderError> {
        let file = self.at.join(name);
        self.make_room(&file)?;
        // What was put into this draft before may have been overtaken.
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(at(&file)(error));
        }
        let written = File::create_new(&file).and_then(|mut opened| {
            fill(&mut opened)?;
            opened.sync_all()
        });
        written.map_err(at(&file))
    }

    /// Takes a file over from the current round.
    pub fn keep(&self, name: &str) -> Result<(), FolderError> {
        let (file, before) = (self.at.join(name), self.folder.dir.join(CURRENT).join(name));
        self.make_room(&file)?;
        match fs::hard_link(&before, &file) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(at(&before)(error)),
            _ => Ok(()),
        }
    }

    /// A file of this draft, or else of the current round.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        match fs::read(self.at.join(name)) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.folder.read(name),
            Err(error) => Err(at(&self.at.join(name))(error)),
        }
    }

    /// Makes it the current round.
    pub fn commit(self, marks: &Marks) -> Result<(), FolderError> {
        self.put(MARKS, &marks.to_json())?;
        sync_folders(&self.at)?;
        let dir = &self.folder.dir;
        let before = self.folder.current;
        let rounds = self.folder.rounds()?;
        let number = rounds.iter().copied().chain(before).max().map_or(1, |last| last + 1);
        let (name, link) = (format!("{ROUND}{number}"), dir.join(".current"));
        fs::rename(&self.at, dir.join(&name)).map_err(at(&dir.join(&name)))?;
        remove(&link)?;
        symlink(&name, &link).map_err(at(&link))?;
        fs::rename(&link, dir.join(CURRENT)).map_err(at(&dir.join(CURRENT)))?;
        sync(dir)?;
        self.folder.current = Some(number);
        for old in rounds.into_iter().filter(|old| Some(*old) != before) {
            remove(&dir.join(format!("{ROUND}{old}")))?;
        }
        Ok(())
    }

    /// Drops what was written.
    pub fn abandon(self) -> Result<(), FolderError> {
        remove(&self.at)
    }

    fn make_room(&self, file: &Path) -> Result<(), FolderError> {
        let folder = file.parent().unwrap_or(&self.at);
        fs::create_dir_all(folder).map_err(at(folder))
    }
}

fn at(file: &Path) -> impl Fn(io::Error) -> FolderError {
    let file = file.to_owned();
    move |source| FolderError::Io { file: file.clone(), source }
}

fn remove(path: &Path) -> Result<(), FolderError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(at(path))
}

fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// Flushes a folder's entries, and those of every folder in it.
fn sync_folders(folder: &Path) -> Result<(), FolderError> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    sync(folder)
}

const CURRENT: &str = "current";
const ROUND: &str = "round-";
const MARKS: &str = "marks.json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sha256;
    use crate::model::LedgerId;
    use crate::publisher::Index;
    use crate::publisher::pull::Seal;

    fn marks(number: u64) -> Marks {
        let time = "2026-11-20T00:00:00Z".parse().unwrap();
        let index = Index::new(LedgerId([7; 16]), number.into(), time, None, Vec::new());
        Marks::new(&index, sha256(&[&index.to_json()]), Seal::Unsigned, Vec::new())
    }

    #[test]
    fn a_round_is_seen_whole_and_what_a_dead_process_left_goes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut folder = Folder::open(dir.path()).unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(FolderError::Busy(_))));
        assert!(folder.marks().unwrap().is_none());
        let draft = folder.draft().unwrap();
        draft.put("der/a/b.crl", b"one").unwrap();
        draft.put("der/c.crl", b"see").unwrap();
        assert!(!at("current").exists(), "nothing is seen of a draft");
        draft.commit(&marks(1)).unwrap();
        assert_eq!(fs::read(at("current/der/a/b.crl")).unwrap(), b"one");

        // A process that died while it wrote, and one that died before it moved the link.
        fs::create_dir_all(at(".draft/der")).unwrap();
        fs::create_dir(at("round-2")).unwrap();
        drop(folder);
        let mut folder = Folder::open(dir.path()).unwrap();
        assert_eq!(folder.marks().unwrap(), Some(marks(1)));
        let draft = folder.draft().unwrap();
        draft.keep("der/c.crl").unwrap();
        draft.put("der/a/b.crl", b"two").unwrap();
        draft.put("der/a/b.crl", b"three").unwrap();
        assert_eq!(draft.read("der/c.crl").unwrap().as_deref(), Some(&b"see"[..]));
        assert_eq!(fs::read(at("current/der/a/b.crl")).unwrap(), b"one");
        draft.commit(&marks(2)).unwrap();
        assert_eq!(fs::read(at("current/der/a/b.crl")).unwrap(), b"three");
        assert_eq!(fs::read(at("current/der/c.crl")).unwrap(), b"see");
        assert_eq!(fs::read(at("round-1/der/a/b.crl")).unwrap(), b"one", "who is reading it may go on");
        assert!(!at("round-2").exists() && at("round-3").exists() && !at(".draft").exists());
        folder.draft().unwrap().commit(&marks(3)).unwrap();
        assert!(!at("round-1").exists() && at("round-3").exists());
        assert!(folder.read("der/c.crl").unwrap().is_none());
    }
}
