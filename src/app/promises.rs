//! For how long answers were promised to be valid, issuer by issuer, kept where a restart finds it: what the bound of
//! residual-good answers is made of ([`residual_good`](crate::responder::residual_good)).
//!
//! `serve` has a validity written down before anything is signed with it; `cert show` and the admin listener read. The file
//! lies beside the mark of what was answered (`serve.state`), one line for each promise: seconds, `-` or the latest
//! thisUpdate, the issuer's name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::state;
use super::words::refused_file;
use crate::model::{Seconds, Time};
use crate::responder::{Promise, promised};

/// The promises and their file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promises {
    file: PathBuf,
    issuers: BTreeMap<String, Vec<Promise>>,
}

/// Why they can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum PromisesError {
    /// The file can't be read or written.
    #[error("{}: {}", file.display(), refused_file(source))]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{}: line {line} is no promise of a validity: bring the file back, or take it away once no answer of before is \
         valid any more", file.display()
    )]
    Form {
        /// Which file.
        file: PathBuf,
        /// Where.
        line: usize,
    },
}

impl Promises {
    /// Reads those of a node; none if it never signed.
    pub fn read(state: &Path) -> Result<Self, PromisesError> {
        let file = state.join(FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(PromisesError::File { file, source }),
        };
        let mut issuers: BTreeMap<String, Vec<Promise>> = BTreeMap::new();
        for (line, text) in (1..).zip(text.lines()) {
            let Some((promise, issuer)) = parse(text) else { return Err(PromisesError::Form { file, line }) };
            issuers.entry(issuer.to_owned()).or_default().push(promise);
        }
        Ok(Self { file, issuers })
    }

    /// What was promised of an issuer's answers.
    pub fn of(&self, issuer: &str) -> &[Promise] {
        self.issuers.get(issuer).map_or(&[], Vec::as_slice)
    }

    /// Has these validities written down, durably, as in force from now on; until `answered` went out what was promised
    /// before.
    pub fn keep<'n>(
        &mut self,
        validities: impl IntoIterator<Item = (&'n str, Seconds)>,
        answered: Time,
    ) -> Result<(), PromisesError> {
        let mut issuers = self.issuers.clone();
        for (issuer, validity) in validities {
            issuers.insert(issuer.to_owned(), promised(self.of(issuer), validity, answered));
        }
        if issuers != self.issuers {
            self.write(&issuers).map_err(|source| PromisesError::File { file: self.file.clone(), source })?;
            self.issuers = issuers;
        }
        Ok(())
    }

    /// Under another name first: whatever happens, one of both is there whole.
    fn write(&self, issuers: &BTreeMap<String, Vec<Promise>>) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        state::make(folder)?;
        let draft = self.file.with_extension("draft");
        let mut file = File::create(&draft)?;
        for (issuer, promises) in issuers {
            for Promise { validity, until } in promises {
                let until = until.map_or_else(|| "-".to_owned(), |until| until.to_string());
                writeln!(file, "{} {until} {issuer}", validity.0)?;
            }
        }
        file.sync_data()?;
        fs::rename(&draft, &self.file)?;
        File::open(folder)?.sync_all()
    }
}

fn parse(line: &str) -> Option<(Promise, &str)> {
    let mut words = line.splitn(3, ' ');
    let validity = Seconds(words.next()?.parse().ok()?);
    let until = match words.next()? {
        "-" => None,
        time => Some(time.parse().ok()?),
    };
    Some((Promise { validity, until }, words.next()?))
}

const FILE: &str = "validities";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_with_a_shorter_validity_remembers_the_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let at = |seconds: i64| Time::from_unix(1_800_000_000 + seconds).unwrap();
        let open = |validity| Promise { validity, until: None };
        let mut promises = Promises::read(&state).unwrap();
        assert_eq!(promises.of("a b"), []);
        promises.keep([("a b", Seconds(900)), ("c", Seconds(600))], Time::default()).unwrap();
        let mut again = Promises::read(&state).unwrap();
        assert_eq!(again, promises);
        again.keep([("a b", Seconds(600)), ("c", Seconds(600))], at(5)).unwrap();
        let closed = Promise { validity: Seconds(900), until: Some(at(5)) };
        assert_eq!(Promises::read(&state).unwrap().of("a b"), [closed, open(Seconds(600))]);
        assert_eq!(again.of("c"), [open(Seconds(600))]);
        fs::write(state.join(FILE), "600 - a\n600 soon b\n").unwrap();
        let error = Promises::read(&state).unwrap_err();
        assert!(matches!(error, PromisesError::Form { line: 2, .. }), "{error}");
    }

    #[test]
    fn what_can_t_be_written_is_not_promised() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        fs::write(&state, "a file is in the way").unwrap();
        let mut promises = Promises { file: state.join(FILE), issuers: BTreeMap::new() };
        assert!(promises.keep([("a", Seconds(600))], Time::default()).is_err());
        assert_eq!(promises.of("a"), []);
    }
}
