//! The files of keys: private, written whole and once, never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::super::KeyError;
use super::super::pem::{self, Armour};

/// Writes the file of a key, which must not exist yet, and makes it durable.
pub(super) fn write(path: &Path, der: &[u8]) -> Result<(), KeyError> {
    let text = pem::write(der);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|source| {
            match source.kind() {
                io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
                _ => KeyError::Io { path: path.to_owned(), source },
            }
        })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // Half a key is worse than none; that it can't be removed either adds nothing to the first error.
        let _ = fs::remove_file(path);
        KeyError::Io { path: path.to_owned(), source }
    })
}

/// What a key's file holds.
pub(super) fn read(path: &Path) -> Result<(Armour, Zeroizing<Vec<u8>>), KeyError> {
    pem::read(&text(path)?).map_err(|what| KeyError::Form { path: path.to_owned(), what })
}

/// The text of a secret's file; one that others may read is refused: it is no secret any more.
pub(super) fn text(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    if !metadata.is_file() || metadata.len() > FILE_OCTETS_MAX {
        return Err(KeyError::Form { path: path.to_owned(), what: "not a key file" });
    }
    let mut text = Zeroizing::new(String::with_capacity(FILE_OCTETS_MAX as usize));
    file.take(FILE_OCTETS_MAX).read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

/// Whether a copy of one key's file may lie at `to`: nothing is there, or that copy is.
pub(super) fn may_copy(from: &Path, to: &Path) -> Result<Copied, KeyError> {
    let key = text(from)?;
    match fs::symlink_metadata(to) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Copied::Now(key)),
        Err(source) => Err(KeyError::Io { path: to.to_owned(), source }),
        Ok(_) if *text(to)? == *key => Ok(Copied::Before),
        Ok(_) => Err(KeyError::Exists(to.to_owned())),
    }
}

/// Copies a key's file as it is, encrypted or not, under a name that is either absent or whole, never another key's.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), KeyError> {
    let Copied::Now(key) = may_copy(from, to)? else { return Ok(()) };
    let at = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(to.to_owned()),
        _ => KeyError::Io { path: to.to_owned(), source },
    };
    let draft = to.with_extension("draft");
    // Left over from a copy that was broken off.
    match fs::remove_file(&draft) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(at(source)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(at)?;
    let named = file
        .write_all(key.as_bytes())
        .and_then(|()| file.sync_all())
        // A second name for the same file is given only where there is none, which renaming doesn't promise.
        .and_then(|()| fs::hard_link(&draft, to));
    let removed = fs::remove_file(&draft);
    named.and(removed).and_then(|()| sync_folder(to)).map_err(at)
}

/// Whether a key has been copied.
pub(super) enum Copied {
    /// Yes, and it lies there.
    Before,
    /// No; this is what is to be written.
    Now(Zeroizing<String>),
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Far beyond any key in PEM.
const FILE_OCTETS_MAX: u64 = 16 * 1024;
