//! The demonstration's folder: 0700, one maker at a time, and every file in it whole or absent.
//!
//! Used by the other files of the demonstration. A file is drafted under another name, flushed, and renamed: a `kill -9`
//! at any moment leaves what the next `up` completes.

use std::cell::Cell;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Was;
use super::error::DemoError;

/// The folder, with its lock; the lock ends with this value, or with the process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Files that this run has named.
    placed: Cell<usize>,
    /// What was here before this run.
    before: Before,
    _lock: File,
}

/// What was in a folder's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Demonstration,
    EmptyFolder,
    Nothing,
}

/// A part of the folder, from before it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    begun: bool,
    placed: usize,
}

impl Watch {
    /// What there was of it, now that all of it is there.
    pub fn now(self, folder: &Folder) -> Was {
        match (self.begun, folder.placed.get() - self.placed) {
            (_, 0) => Was::Found,
            (true, _) => Was::Begun,
            (false, _) => Was::Missing,
        }
    }
}

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Readers {
    /// Its owner alone.
    Owner,
    /// Everybody whom the folder lets in.
    Public,
}

impl Folder {
    /// Opens a demonstration's folder, or makes one. Any other folder with something in it is refused.
    pub fn enter(path: &Path) -> Result<Self, DemoError> {
        let mark = path.join(MARK);
        let before = match (mark.exists(), path.exists()) {
            (true, _) => Before::Demonstration,
            (false, true) => Before::EmptyFolder,
            (false, false) => Before::Nothing,
        };
        make_folder(path)?;
        if before == Before::EmptyFolder && fs::read_dir(path).map_err(at(path))?.next().is_some() {
            return Err(DemoError::Foreign(path.to_owned()));
        }
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600).open(&mark).map_err(at(&mark))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DemoError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(at(&mark)(source)),
        }
        // Whoever left without having made anything took its lock away; what is locked may be that one.
        let (locked, there) = (lock.metadata().map_err(at(&mark))?, fs::metadata(&mark));
        if !there.is_ok_and(|there| there.ino() == locked.ino()) {
            return Err(DemoError::Locked(path.to_owned()));
        }
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(at(path))?;
        Ok(Self { path: path.to_owned(), placed: Cell::new(0), before, _lock: lock })
    }

    /// Leaves as if it had never been entered, unless there was something here or is by now.
    pub fn leave(self) {
        if self.before == Before::Demonstration || self.placed.get() > 0 {
            return;
        }
        // What can't be taken away is completed by the next run.
        let _ = fs::remove_file(self.file(MARK));
        if self.before == Before::Nothing {
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Watches a part of it being made, which has begun when its first file is there.
    pub fn watch(&self, first: &str) -> Watch {
        Watch { begun: self.has(first), placed: self.placed.get() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    /// Writes a file, whole.
    pub fn write(&self, name: &str, readers: Readers, text: &str) -> Result<(), DemoError> {
        self.place(name, |draft| {
            let mode = match readers {
                Readers::Owner => 0o600,
                Readers::Public => 0o644,
            };
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(draft).map_err(at(draft))?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(draft))
        })
    }

    /// Lets `make` make a file under another name, and then names it `name`.
    pub fn place<E>(&self, name: &str, make: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), DemoError>
    where
        DemoError: From<E>,
    {
        let path = self.file(name);
        let folder = path.parent().expect("a file within a folder has a parent");
        make_folder(folder)?;
        let draft = self.file(&format!("{name}{DRAFT}"));
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&draft)(error)),
            _ => {}
        }
        make(&draft)?;
        fs::rename(&draft, &path).map_err(at(&path))?;
        self.placed.set(self.placed.get() + 1);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
    }

    /// Renames the whole folder, so that a new one can be made in its place; says where it is now.
    pub fn set_aside(self, label: &str) -> Result<PathBuf, DemoError> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".before-{label}"));
        let aside = PathBuf::from(name);
        fs::rename(&self.path, &aside).map_err(at(&aside))?;
        Ok(aside)
    }
}

/// The error of a file.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> DemoError {
    let path = path.display().to_string();
    move |source| DemoError::File { path, source }
}

fn make_folder(path: &Path) -> Result<(), DemoError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}

/// Its presence says that a folder was made here; it is also the lock.
const MARK: &str = "demo.lock";
const DRAFT: &str = ".draft";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_absent_and_a_left_over_draft_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::enter(&dir.path().join("demo")).unwrap();
        fs::write(folder.file("a.draft"), "half").unwrap();
        let failed = folder.place("a", |draft| {
            fs::write(draft, "half again").unwrap();
            Err(DemoError::Foreign(draft.to_owned()))
        });
        assert!(failed.is_err() && !folder.has("a"));
        folder.write("a", Readers::Owner, "whole").unwrap();
        assert_eq!(fs::read_to_string(folder.file("a")).unwrap(), "whole");
        assert_eq!(fs::metadata(folder.file("a")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!folder.has("a.draft"));
    }

    #[test]
    fn one_maker_at_a_time_and_nobody_else_s_folder() {
        let dir = tempfile::tempdir().unwrap();
        let ours = dir.path().join("demo");
        let first = Folder::enter(&ours).unwrap();
        assert!(matches!(Folder::enter(&ours), Err(DemoError::Locked(_))));
        let aside = first.set_aside("x").unwrap();
        assert!(aside.ends_with("demo.before-x") && aside.join(MARK).exists() && !ours.exists());
        let theirs = dir.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("tashika.toml"), "ledger.url = 'sqlite:real.db'").unwrap();
        assert!(matches!(Folder::enter(&theirs), Err(DemoError::Foreign(_))));
        assert!(!theirs.join(MARK).exists());
    }
}
