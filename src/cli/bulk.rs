//! What verbs that read long files share: bad entries and progress told, and the clocks. For `import` and listed sets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use crate::app::clock::{self, Stopwatch};
use crate::desk::bulk::{Clock, Notice, OnBad, Phase};
use crate::model::Time;

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

/// Tells what bulk work has to tell: bad entries one a line on stderr, progress as a bar on a terminal.
pub struct Teller {
    file: PathBuf,
    bar: ProgressBar,
    told: u64,
}

impl Teller {
    /// For a file.
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), bar: bar("checking"), told: 0 }
    }

    /// Tells one notice.
    pub fn tell(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Bad { unit, place, fault } => {
                self.told += 1;
                if self.told <= BAD_TOLD_MAX {
                    let line = format!("{}: {unit} {place}: {fault}", self.file.display());
                    self.bar.suspend(|| eprintln!("{line}"));
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
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        if self.told > BAD_TOLD_MAX {
            eprintln!("{}: and {} more", self.file.display(), self.told - BAD_TOLD_MAX);
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
const BAD_TOLD_MAX: u64 = 1_000;
