//! The latest thisUpdate that this node may have signed, kept where a restart finds it. Used by the follower's thread.
//!
//! It is on the disk before anything is signed with it. After a restart on a ledger that was set back, nothing is signed
//! until the ledger's time has come up to it again: no verifier sees time go back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
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
    /// What is known is behind it.
    #[error(
        "this node has answered as of {mark}, and knows nothing later than {known_at} now: the ledger was set back, or is \
         away and the snapshot is older"
    )]
    Ahead {
        /// What stands in the file.
        mark: Time,
        /// What the ledger or the snapshot says.
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
            self.write(known_at)?;
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
    fn write(&self, time: Time) -> Result<(), MarkError> {
        let failed = |source| MarkError::File { file: self.file.clone(), source };
        if let Some(folder) = self.file.parent() {
            state::make(folder).map_err(failed)?;
        }
        let draft = self.file.with_extension("draft");
        let mut file = OpenOptions::new().create(true).append(true).open(&draft).map_err(failed)?;
        // A predecessor that still answers its last keeps the same mark: one at a time, and neither takes back what the
        // other wrote. Whoever has waited may have a file that has been renamed meanwhile; then it begins again.
        file.lock().map_err(failed)?;
        let mine = file.metadata().map_err(failed)?;
        if !fs::metadata(&draft).is_ok_and(|there| there.ino() == mine.ino()) {
            return self.write(time);
        }
        if self.read()? >= time {
            return Ok(());
        }
        let written = (|| {
            file.set_len(0)?;
            writeln!(file, "{time}")?;
            file.sync_data()?;
            fs::rename(&draft, &self.file)
        })();
        written.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_raise_it_at_once_leave_the_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mark");
        let at = |seconds: i64| Time::from_unix(1_000_000 + seconds).unwrap();
        std::thread::scope(|scope| {
            for first in [0, 1] {
                let mut mark = Mark::at(file.clone());
                scope.spawn(move || (0..50).for_each(|step| raised(&mut mark, at(first + 2 * step))));
            }
        });
        assert_eq!(Mark::at(file).stands().unwrap(), at(99));
    }

    /// What is first read of the file may be later already.
    fn raised(mark: &mut Mark, time: Time) {
        match mark.raise(time) {
            Ok(()) | Err(MarkError::Ahead { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }

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
        // A predecessor that is still there is behind, and doesn't take the other's mark back.
        mark.raise(at(7)).unwrap();
        let mut successor = Mark::at(file.clone());
        successor.raise(at(20)).unwrap();
        mark.raise(at(9)).unwrap();
        assert_eq!(Mark::at(file.clone()).stands().unwrap(), at(20));
        fs::write(&file, "x").unwrap();
        assert!(matches!(Mark::at(file).raise(at(9)), Err(MarkError::Form { .. })));
    }
}
