//! What verbs that read long files share: bad entries and progress told, and the clocks. For `import` and listed sets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use crate::app::clock::{self, Stopwatch};
use crate::desk::bulk::{Clock, Notice, OnBad, Phase};
use crate::ledger::import::Fault;
use crate::model::{Book, ScopeNo, Time};

use super::progress::bar;

/// What to do about bad entries.
#[derive(Debug, Args)]
pub struct OnBadArgs {
    /// Leave out what can't be used instead of stopping at it; each is named.
    #[arg(long)]
    skip_bad: bool,
}

impl OnBadArgs {
    /// As bulk work calls it.
    pub fn on_bad(&self) -> OnBad {
        if self.skip_bad { OnBad::Skip } else { OnBad::Refuse }
    }
}

/// Tells what bulk work has to tell: bad entries one a line on stderr, in their order; progress as a bar on a terminal.
pub struct Teller {
    file: PathBuf,
    book: Book,
    bar: ProgressBar,
    /// The first of the bad entries. Some are only known to be bad at the end of the file.
    first: BTreeMap<u64, String>,
    all: u64,
}

impl Teller {
    /// For a file, and the registers that name what it speaks of.
    pub fn new(file: &Path, book: Book) -> Self {
        Self { file: file.to_owned(), book, bar: bar("checking"), first: BTreeMap::new(), all: 0 }
    }

    /// Takes one notice.
    pub fn tell(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Bad { unit, place, fault } => {
                self.all += 1;
                let line = format!("{}: {unit} {place}: {}", self.file.display(), self.named(fault));
                self.first.insert(place, line);
                if self.first.len() > BAD_TOLD_MAX {
                    self.first.pop_last();
                }
            }
            Notice::Progress(progress) => {
                self.bar.set_message(match progress.phase {
                    Phase::Commit => "writing",
                    Phase::Validate => "checking",
                });
                if let Some(total) = progress.total {
                    self.bar.set_length(total);
                }
                self.bar.set_position(progress.done);
            }
        }
    }

    /// The fault, with CRL scopes by their paths.
    fn named(&self, fault: &Fault) -> String {
        let path = |no: &str| {
            let scope = no.parse().ok().and_then(|no| self.book.scope(ScopeNo(no)));
            scope.map_or_else(|| no.to_owned(), |scope| format!("'{}'", scope.path))
        };
        match fault {
            Fault::Contradicts { field: field @ "scope", registered, stated } => {
                Fault::Contradicts { field, registered: path(registered), stated: path(stated) }.to_string()
            }
            Fault::ContradictsOption { field: field @ "scope", registered, asked } => {
                Fault::ContradictsOption { field, registered: path(registered), asked: path(asked) }.to_string()
            }
            fault => fault.to_string(),
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        self.first.values().for_each(|line| eprintln!("{line}"));
        let more = self.all - self.first.len() as u64;
        if more > 0 {
            eprintln!("{}: and {more} more", self.file.display());
        }
    }
}

/// The system's clocks for bulk work.
pub struct BulkClock(Stopwatch);

impl BulkClock {
    /// Starts now.
    pub fn start() -> Self {
        Self(Stopwatch::start())
    }
}

impl Clock for BulkClock {
    fn now(&self) -> Time {
        clock::now()
    }

    fn ticks(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Whoever has more bad lines than this corrects the file's maker, not its lines.
const BAD_TOLD_MAX: usize = 1_000;
