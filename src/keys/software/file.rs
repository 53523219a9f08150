//! The files of keys: private, written whole and once, never overwritten.

use std::fs::{File, OpenOptions};
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
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written =
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| File::open(folder)?.sync_all());
    written.map_err(|source| {
        // Half a key is worse than none; that it can't be removed either adds nothing to the first error.
        let _ = std::fs::remove_file(path);
        KeyError::Io { path: path.to_owned(), source }
    })
}

/// What a key's file holds; one that others may read is refused: it is no secret any more.
pub(super) fn read(path: &Path) -> Result<(Armour, Zeroizing<Vec<u8>>), KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let form = |what| KeyError::Form { path: path.to_owned(), what };
    if !metadata.is_file() || metadata.len() > FILE_OCTETS_MAX {
        return Err(form("not a key file"));
    }
    let mut text = Zeroizing::new(String::with_capacity(FILE_OCTETS_MAX as usize));
    file.take(FILE_OCTETS_MAX).read_to_string(&mut text).map_err(io)?;
    pem::read(&text).map_err(form)
}

/// Far beyond any key in PEM.
const FILE_OCTETS_MAX: u64 = 16 * 1024;
