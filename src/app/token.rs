//! The admin listener's token: a file that only its owner may read, made by `init` and `up`. Whoever has it may do at the
//! admin listener whatever the desk lets somebody do; it is never logged and never shown.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::words::refused_file;
use crate::http::Token;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can't be read or written.
    #[error("{}: {}", file.display(), refused_file(source))]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{}: others may read this token (mode {mode:03o}): make it 'chmod 600', and replace it if they did", file.display())]
    Exposed {
        /// Which file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Too short, too long, or not one word.
    #[error("{}: this is no token: one word of {LETTERS_MIN} to {LETTERS_MAX} letters and digits", .0.display())]
    Form(PathBuf),
}

/// Reads the token; none: there is no file, and the admin listener answers nothing but its probes.
pub fn read(file: &Path) -> Result<Option<Token>, TokenError> {
    let failed = |source| TokenError::File { file: file.to_owned(), source };
    let mode = match fs::metadata(file) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    if mode & 0o077 != 0 {
        return Err(TokenError::Exposed { file: file.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read_to_string(file).map_err(failed)?);
    let token = text.trim();
    let is_word = token.bytes().all(|octet| octet.is_ascii_graphic());
    if !is_word || !(LETTERS_MIN..=LETTERS_MAX).contains(&token.len()) {
        return Err(TokenError::Form(file.to_owned()));
    }
    Ok(Some(Token::of(token)))
}

/// Writes a new token of that entropy; what exists is never overwritten.
pub fn create(file: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<(), TokenError> {
    let failed = |source| TokenError::File { file: file.to_owned(), source };
    let text = written(entropy);
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(failed)
}

/// A token of that entropy as it stands in its file.
pub fn written(entropy: &Zeroizing<[u8; 32]>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(LETTERS_MIN + 1));
    URL_SAFE_NO_PAD.encode_string(&entropy[..], &mut text);
    text.push('\n');
    text
}

/// 32 octets in base64url.
const LETTERS_MIN: usize = 43;
/// Longer than any that is made elsewhere.
const LETTERS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_read_and_nobody_else_may() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("admin.token");
        assert_eq!(read(&file).unwrap(), None);
        create(&file, &Zeroizing::new([0xff; 32])).unwrap();
        assert!(create(&file, &Zeroizing::new([1; 32])).is_err());
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.len(), LETTERS_MIN + 1);
        assert_eq!(read(&file).unwrap(), Some(Token::of(text.trim())));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&file), Err(TokenError::Exposed { mode: 0o640, .. })));
        for wrong in ["", "short", &"x".repeat(513), &format!("{} {}", "x".repeat(30), "y".repeat(30))] {
            fs::remove_file(&file).unwrap();
            fs::write(&file, wrong).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(read(&file), Err(TokenError::Form(_))), "{wrong}");
        }
    }
}
