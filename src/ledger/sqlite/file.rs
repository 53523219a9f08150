//! The file itself: made whole or not at all, copied while in use, and refused with a clear reason if it's something else.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::ledger::LedgerError;

use super::failure::of_file;
use super::store::{Store, place};

/// Makes a file at `path` by letting `fill` make it elsewhere and naming it `path` in one step.
pub(super) fn make<E: From<LedgerError>>(path: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    for taken in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        // A log left over from another database would be taken for this one's.
        if fs::symlink_metadata(&taken).is_ok() {
            return Err(LedgerError::Exists(place(&taken)).into());
        }
    }
    sweep(path);
    let draft = beside(path, &format!("{DRAFT}{}", std::process::id()));
    let made = fill(&draft).and_then(|()| {
        // A link, not a renaming: it fails if another process has been faster.
        fs::hard_link(&draft, path).map_err(|error| refused(path, "made", &error))?;
        Ok(flush_folder(path)?)
    });
    for leftover in [draft.clone(), beside(&draft, "-journal"), beside(&draft, "-wal"), beside(&draft, "-shm")] {
        // Only tidying up: the ledger is made, or the error that is on its way says why not.
        let _ = fs::remove_file(leftover);
    }
    made
}

/// Takes away what processes that were killed while making this ledger have left. Those that live are left alone.
fn sweep(path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let drafts = format!("{name}{DRAFT}");
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = file.file_name();
        let Some(rest) = found.to_str().and_then(|found| found.strip_prefix(&drafts)) else { continue };
        let process = rest.split('-').next().unwrap_or_default();
        let is_number = !process.is_empty() && process.bytes().all(|digit| digit.is_ascii_digit());
        if is_number && !Path::new("/proc").join(process).exists() {
            // Only tidying up, as above.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Says what stands in the way of opening `path`, before SQLite does in its own words.
pub(super) fn must_be_openable(path: &Path) -> Result<(), LedgerError> {
    let mut file = match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(LedgerError::Missing(place(path))),
        Err(error) => return Err(refused(path, "opened", &error)),
    };
    let mut magic = [0; MAGIC.len()];
    match file.read_exact(&mut magic) {
        Ok(()) if magic == *MAGIC => {
            // Its maker may have been killed between naming it and tidying up.
            sweep(path);
            Ok(())
        }
        Ok(()) => Err(LedgerError::Strange(place(path))),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(LedgerError::Strange(place(path))),
        Err(error) => Err(refused(path, "read", &error)),
    }
}

/// Copies the pages of one moment into a draft.
pub(super) fn copy(store: &Store, to: &Path) -> Result<(), LedgerError> {
    make_draft(to)?;
    let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let copied = store.with_reader(|connection| Ok(copy_pages(connection, &mut copy)))?;
    // What can't be written is the copy, not the store.
    copied.map_err(|error| of_file(to, error))?;
    copy.close().map_err(|(_, error)| error)?;
    flush(to)
}

/// All in one step: a copy in several would begin again after every commit.
fn copy_pages(from: &Connection, to: &mut Connection) -> Result<(), LedgerError> {
    match Backup::new(from, to)?.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(LedgerError::Unreachable("another process has been writing for too long".into())),
    }
}

/// Copies a backup as it lies there, octet for octet, into a draft. SQLite never opens the backup itself, for it would
/// write to it. A log beside it is part of it, and is taken along.
pub(super) fn copy_backup(from: &Path, to: &Path) -> Result<(), LedgerError> {
    copy_octets(from, to)?;
    match copy_octets(&beside(from, "-wal"), &beside(to, "-wal")) {
        Err(LedgerError::Missing(_)) => Ok(()),
        copied => copied,
    }
}

fn copy_octets(from: &Path, to: &Path) -> Result<(), LedgerError> {
    let mut source = match fs::File::open(from) {
        Ok(source) => source,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(LedgerError::Missing(place(from))),
        Err(error) => return Err(refused(from, "read", &error)),
    };
    let mut options = fs::OpenOptions::new();
    let made = options.write(true).create(true).truncate(true).mode(OWNER_ONLY).open(to);
    let mut target = made.map_err(|error| refused(to, "made", &error))?;
    io::copy(&mut source, &mut target).map_err(|error| refused(to, "written", &error))?;
    flush(to)
}

fn flush(path: &Path) -> Result<(), LedgerError> {
    let file = fs::File::open(path).and_then(|file| file.sync_all());
    file.map_err(|error| refused(path, "flushed", &error))
}

/// An empty database in WAL mode, for its owner alone.
pub(super) fn make_draft(draft: &Path) -> Result<(), LedgerError> {
    let wrong = |error: &io::Error| refused(draft, "made", error);
    let made = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(draft);
    // Again, for a draft that was left over; the log and its index get the mode that the file has.
    let made = made.and_then(|file| file.set_permissions(fs::Permissions::from_mode(OWNER_ONLY)));
    made.map_err(|error| wrong(&error))?;
    let connection = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let _: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    Ok(())
}

fn flush_folder(path: &Path) -> Result<(), LedgerError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let flushed = fs::File::open(folder).and_then(|folder| folder.sync_all());
    flushed.map_err(|error| refused(path, "flushed", &error))
}

fn refused(path: &Path, what: &str, error: &io::Error) -> LedgerError {
    match error.kind() {
        ErrorKind::AlreadyExists => LedgerError::Exists(place(path)),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => LedgerError::Full(format!("{} ({error})", place(path))),
        kind => {
            let advice = match kind {
                ErrorKind::IsADirectory | ErrorKind::NotADirectory => "name a file",
                ErrorKind::NotFound => "make its folder first, or name another",
                ErrorKind::PermissionDenied => "run tashika as its owner, or let this user have it and its folder",
                ErrorKind::ReadOnlyFilesystem => {
                    "its file system is read-only: mount it writable, or name another place"
                }
                _ => "see to the disk, or name another place",
            };
            LedgerError::Denied(format!("{} can't be {what}: {error}: {advice}", place(path)))
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// What a ledger is called until it is whole, followed by the number of the process that makes it.
pub(super) const DRAFT: &str = ".new-";
/// Who may read the file knows every pseudonym in it.
const OWNER_ONLY: u32 = 0o600;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
