//! The latest thisUpdate that this node may have signed, kept where a restart finds it. Used by the follower's thread.
//!
//! It is on the disk before anything is signed with it. After a restart on a ledger that was set back, nothing is signed
//! until the ledger's time has come up to it again: no verifier sees time go back.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::app::state;
use crate::app::words::refused_file;
use crate::model::{Time, TimeError};

/// The mark and its file.
#[derive(Debug)]
pub(super) struct Mark {
    file: PathBuf,
    /// What stands in the file; none: it was not looked at yet.
    stands: Option<Time>,
}

/// Why the mark doesn't rise.
#[derive(Debug, thiserror::Error)]
pub(super) enum MarkError {
    /// The ledger's time is behind it.
    #[error("this node has answered as of {mark}, and the ledger stands at {known_at}: it was set back")]
    Ahead {
        /// What stands in the file.
        mark: Time,
        /// What the ledger says.
        known_at: Time,
    },
    /// The file can't be read or written.
    #[error("{}: {}", file.display(), refused_file(source))]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{}: this is no time ({source}): take the file away if nothing was answered from here", file.display())]
    Form {
        /// Which.
        file: PathBuf,
        /// Why.
        source: TimeError,
    },
}

impl Mark {
    pub fn at(file: PathBuf) -> Self {
        Self { file, stands: None }
    }

    /// Raises the mark to a time, durably.
    pub fn raise(&mut self, known_at: Time) -> Result<(), MarkError> {
        let stands = self.stands()?;
        if known_at < stands {
            return Err(MarkError::Ahead { mark: stands, known_at });
        }
        if known_at > stands {
            self.write(known_at).map_err(|source| MarkError::File { file: self.file.clone(), source })?;
            self.stands = Some(known_at);
        }
        Ok(())
    }

    /// Where it stands.
    pub fn stands(&mut self) -> Result<Time, MarkError> {
        let stands = match self.stands {
            Some(stands) => stands,
            None => self.read()?,
        };
        self.stands = Some(stands);
        Ok(stands)
    }

    fn read(&self) -> Result<Time, MarkError> {
        let file = self.file.clone();
        match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|source| MarkError::Form { file, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Time::default()),
            Err(source) => Err(MarkError::File { file, source }),
        }
    }

    /// Under another name first: whatever happens, one of both is there whole.
    fn write(&self, time: Time) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            state::make(folder)?;
        }
        let draft = self.file.with_extension("draft");
        let mut file = File::create(&draft)?;
        writeln!(file, "{time}")?;
        file.sync_data()?;
        fs::rename(&draft, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_doesn_t_go_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state").join("mark");
        let at = |seconds: i64| Time::from_unix(1_000_000 + seconds).unwrap();
        let mut mark = Mark::at(file.clone());
        mark.raise(at(5)).unwrap();
        mark.raise(at(5)).unwrap();
        mark.raise(at(7)).unwrap();
        assert!(matches!(mark.raise(at(6)), Err(MarkError::Ahead { .. })));
        let mut after = Mark::at(file.clone());
        assert!(matches!(after.raise(at(6)), Err(MarkError::Ahead { .. })));
        after.raise(at(7)).unwrap();
        after.raise(at(8)).unwrap();
        fs::write(&file, "x").unwrap();
        assert!(matches!(Mark::at(file).raise(at(9)), Err(MarkError::Form { .. })));
    }
}
