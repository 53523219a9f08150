//! A store in a folder, for one machine or several that share a local file system. Opened by composition.
//!
//! An object is written as a file that has no name yet, made durable, and then given its name by a link, which never
//! takes the place of another. So nobody ever sees half of one, and a writer that is killed leaves nothing behind that
//! somebody would have to clear away. The pointer is the file `tip`; it is replaced by a rename, by whoever holds the
//! folder's lock (`flock`), which the system takes back from a process that dies.
//!
//! Whoever may write to the folder can take publications away or bring older ones back, and nothing more: each CRL and
//! index is signed. Files are 0644 and folders 0755, whatever the umask: they are for everybody to read.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, CWD, OFlags, linkat};
use rustix::io::Errno;

use super::{Object, ObjectKind, ObjectName, Store, StoreError, Tip};
use crate::model::{CrlLimits, CrlNumber};

/// A store in a folder.
#[derive(Debug)]
pub struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    /// The store in that folder, which is made if only it itself is missing.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        if !root.is_dir() {
            make_folder(root).map_err(|error| medium("it can't be made", root, &error))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, name: &ObjectName) -> PathBuf {
        self.root.join(name.to_string())
    }

    fn pointer(&self) -> PathBuf {
        self.root.join(Tip::NAME)
    }

    /// The round in the pointer, whatever there is of it.
    fn number(&self) -> Result<Option<CrlNumber>, StoreError> {
        let path = self.pointer();
        let octets = read(&path)?;
        octets.map(|octets| Tip::read(&octets, &path.display().to_string())).transpose()
    }

    fn has_index(&self, number: CrlNumber) -> Result<bool, StoreError> {
        let path = self.path(&ObjectName::of_round(ObjectKind::Index, number));
        match fs::symlink_metadata(&path) {
            Ok(found) => Ok(found.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(medium("it can't be looked for", &path, &error)),
        }
    }

    /// Makes the folders of these objects, and gives them all, so that what is put there can be made durable.
    fn make_folders(&self, objects: &[Object<'_>]) -> Result<BTreeSet<PathBuf>, StoreError> {
        let mut folders = BTreeSet::from([self.root.clone()]);
        for object in objects {
            let name = object.name.to_string();
            let mut folder = self.root.clone();
            for part in Path::new(&name).parent().unwrap_or(Path::new("")) {
                folder.push(part);
                if folders.contains(&folder) {
                    continue;
                }
                match make_folder(&folder) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(medium("it can't be made", &folder, &error)),
                }
                folders.insert(folder.clone());
            }
        }
        Ok(folders)
    }

    fn put_one(&self, object: &Object<'_>) -> Result<(), StoreError> {
        let path = self.path(object.name);
        if self.is_there(object, &path)? {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.root);
        let file =
            write_nameless(folder, object.octets).map_err(|error| medium("it can't be written", &path, &error))?;
        match give_name(&file, &path) {
            Ok(()) => Ok(()),
            // Another thread or process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.is_there(object, &path).map(drop),
            Err(error) => Err(medium("it can't be given its name", &path, &error)),
        }
    }

    /// Whether that very object lies there; another is an error.
    fn is_there(&self, object: &Object<'_>, path: &Path) -> Result<bool, StoreError> {
        match read(path)? {
            Some(octets) if octets == object.octets => Ok(true),
            Some(_) => Err(StoreError::Taken(object.name.clone())),
            None => Ok(false),
        }
    }

    /// Puts a pointer to that round in place of the one that is there. The caller holds the lock.
    fn replace_pointer(&self, to: CrlNumber) -> io::Result<()> {
        let next = self.root.join(NEXT_TIP);
        // Only who holds the lock makes one, so this is of somebody who died.
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = write_nameless(&self.root, &Tip::octets(to))?;
        give_name(&file, &next)?;
        fs::rename(&next, self.pointer())?;
        File::open(&self.root)?.sync_all()
    }
}

impl Store for DirectoryStore {
    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        let mut seen = self.number()?;
        loop {
            let Some(number) = seen else { return Ok(None) };
            if self.has_index(number)? {
                return Ok(Some(Tip { number, mark: String::new() }));
            }
            // A round may have been replaced and swept between the two looks.
            let again = self.number()?;
            if again == seen {
                let index = ObjectName::of_round(ObjectKind::Index, number);
                return Err(Tip::without_index(&self.pointer().display().to_string(), &index));
            }
            seen = again;
        }
    }

    fn advance(&self, from: Option<&Tip>, to: CrlNumber) -> Result<Tip, StoreError> {
        let lock = File::open(&self.root).map_err(|error| medium("it can't be opened", &self.root, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = "another process is moving the pointer".into();
                return Err(StoreError::Medium { what: self.pointer().display().to_string(), why, passing: true });
            }
            Err(TryLockError::Error(error)) => return Err(medium("it can't be locked", &self.root, &error)),
        }
        let here = self.number()?.map(|number| Tip { number, mark: String::new() });
        Tip::may_move(here.as_ref(), from, to)?;
        if !self.has_index(to)? {
            let index = ObjectName::of_round(ObjectKind::Index, to);
            return Err(Tip::without_index(&self.pointer().display().to_string(), &index));
        }
        self.replace_pointer(to).map_err(|error| medium("it can't be moved", &self.pointer(), &error))?;
        Ok(Tip { number: to, mark: String::new() })
    }

    fn put(&self, objects: &[Object<'_>]) -> Result<(), StoreError> {
        let folders: Vec<PathBuf> = self.make_folders(objects)?.into_iter().collect();
        in_parallel(objects, |object| self.put_one(object))?;
        // Also of what was there already: whoever put it may have been killed before it came so far.
        in_parallel(&folders, |folder| {
            File::open(folder)
                .and_then(|opened| opened.sync_all())
                .map_err(|error| medium("what was put there can't be made durable", folder, &error))
        })
    }

    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError> {
        read(&self.path(name))
    }

    fn names(&self) -> Result<Vec<ObjectName>, StoreError> {
        let (mut names, mut folders) = (Vec::new(), ObjectName::FOLDERS.map(|folder| self.root.join(folder)).to_vec());
        while let Some(folder) = folders.pop() {
            let unread = |error: io::Error| medium("it can't be listed", &folder, &error);
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unread(error)),
            };
            for entry in entries {
                let entry = entry.map_err(unread)?;
                let kind = entry.file_type().map_err(unread)?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let path = entry.path();
                    let name = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
                    names.extend(name.and_then(|name| name.parse::<ObjectName>().ok()));
                }
            }
        }
        Ok(names)
    }

    fn remove(&self, names: &[ObjectName]) -> Result<(), StoreError> {
        in_parallel(names, |name| match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(medium("it can't be removed", &self.path(name), &error))
            }
            Ok(()) | Err(_) => Ok(()),
        })
    }
}

/// Does it to all, a few at a time: a flush waits for the disk, and the disk serves several at once. The first error ends
/// it.
fn in_parallel<T: Sync>(all: &[T], one: impl Fn(&T) -> Result<(), StoreError> + Sync) -> Result<(), StoreError> {
    let next = AtomicUsize::new(0);
    let work = || {
        // The order is nobody's business: each is taken once, and joined in the end.
        while let Some(this) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(this).inspect_err(|_| next.store(all.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    let beside = THREADS.min(all.len()).saturating_sub(1);
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..beside).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let theirs = others.into_iter().map(|other| other.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
        theirs.fold(mine, Result::and)
    })
}

/// A durable file without a name. Nobody sees it, and the system takes it back from a process that dies.
fn write_nameless(folder: &Path, octets: &[u8]) -> io::Result<File> {
    let flags = OFlags::TMPFILE.bits() as i32;
    let mut file = OpenOptions::new().write(true).custom_flags(flags).open(folder)?;
    file.write_all(octets)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.sync_all()?;
    Ok(file)
}

/// Fails where something has that name.
fn give_name(file: &File, path: &Path) -> io::Result<()> {
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

/// A file's octets; none: nothing has that name.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let strange = |why: &str| StoreError::Strange { what: path.display().to_string(), why: why.into() };
    // Neither through a link that leads elsewhere, nor waiting for a pipe's other end.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(strange("it is a link, and stores have none: see who made it"));
        }
        Err(error) => return Err(medium("it can't be opened", path, &error)),
    };
    let unread = |error: io::Error| medium("it can't be read", path, &error);
    let found = file.metadata().map_err(unread)?;
    if !found.is_file() || found.len() > CrlLimits::WIDEST.octets_max as u64 {
        return Err(strange("it is not a file, or larger than anything published: see who made it"));
    }
    let mut octets = Vec::with_capacity(found.len() as usize);
    file.read_to_end(&mut octets).map_err(unread)?;
    Ok(Some(octets))
}

fn medium(what: &str, path: &Path, error: &io::Error) -> StoreError {
    let known = error.raw_os_error().map(Errno::from_raw_os_error);
    let hint = match known {
        Some(Errno::ACCESS | Errno::PERM) => ": let this user write to it",
        Some(Errno::DQUOT | Errno::NOSPC) => ": make room",
        Some(Errno::OPNOTSUPP) => {
            ": this file system has no files without names, which keep a killed writer from leaving parts behind: \
             use ext4, XFS or Btrfs, or an object store"
        }
        Some(Errno::ROFS) => ": mount it so that it can be written to",
        Some(_) | None => "",
    };
    // What goes away without anybody looking at the settings: room is made, load falls, a server comes back.
    let passing = known.is_some_and(|errno| {
        [
            Errno::AGAIN,
            Errno::DQUOT,
            Errno::INTR,
            Errno::IO,
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOSPC,
            Errno::STALE,
            Errno::TIMEDOUT,
        ]
        .contains(&errno)
    });
    StoreError::Medium { what: format!("{}: {what}", path.display()), why: format!("{error}{hint}"), passing }
}

/// What the next pointer is called until it takes the pointer's place.
const NEXT_TIP: &str = "tip.next";
/// Measured: more don't make it quicker.
const THREADS: usize = 8;
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
