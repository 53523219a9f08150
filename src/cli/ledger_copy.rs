//! `ledger backup` and `ledger restore`: whole copies of an embedded ledger, proved before they are trusted.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::compose::{backup_ledger, restore_ledger};
use crate::app::config::Config;
use crate::ledger::{Finding, LedgerError, Report};
use crate::model::Position;

use super::error::CliError;
use super::evidence::Evidence;
use super::house::House;
use super::ledger::{prove, proved};
use super::reply::Reply;

/// `ledger backup`.
#[derive(Debug, Args)]
#[command(after_help = BACKUP_HELP)]
pub struct Backup {
    /// The new file; an existing one is never overwritten.
    file: PathBuf,
}

/// `ledger restore`.
#[derive(Debug, Args)]
#[command(after_help = RESTORE_HELP)]
pub struct Restore {
    /// The backup.
    file: PathBuf,
}

impl Backup {
    /// Runs it.
    pub fn run(self, house: &House) -> Result<Reply, CliError> {
        let head = backup_ledger(&house.config().ledger, &self.file)?;
        let file = self.file.display().to_string();
        let text = format!("{file} holds ledger {} up to event {}", head.ledger, head.position);
        let json = json!({
            "file": file, "ledger": head.ledger.to_string(), "epoch": head.epoch.0, "position": head.position.to_string(),
        });
        Ok(Reply::done(text, json))
    }
}

impl Restore {
    /// Runs it.
    pub fn run(self, config: &Config) -> Result<Reply, CliError> {
        let mut lost = None;
        let restored = restore_ledger(&config.ledger, &self.file, |copy| {
            let evidence = Evidence::gather(config, copy.head()?.ledger, &[], Vec::new())?;
            let report = prove(copy, &evidence)?;
            // What was signed for and is missing says how much is lost, which restoring can't help.
            lost = report.findings.iter().filter_map(beyond).max();
            if report.findings.iter().all(|finding| beyond(finding).is_some()) {
                Ok(())
            } else {
                Err(Stop::Unsound(Box::new(report)))
            }
        });
        let head = match restored {
            Ok(head) => head,
            Err(Stop::Failed(error)) => return Err(self.about_backup(error)),
            Err(Stop::Unsound(report)) => return Ok(proved(&report)),
        };
        let mut text = format!("restored ledger {} up to event {}\n", head.ledger, head.position);
        if let Some(lost) = lost {
            text.push_str(&format!(
                "events {} to {lost} at least are lost: they were signed for. Before anything else, name the new \
                 history: 'tashika ledger adopt --note WHY'\n",
                head.position.next()
            ));
        }
        let json = json!({
            "ledger": head.ledger.to_string(), "epoch": head.epoch.0, "position": head.position.to_string(),
            "lost_until": lost.map(|lost| lost.to_string()),
        });
        Ok(Reply::done(text, json))
    }

    /// What is said of ledgers in general means the backup here.
    fn about_backup(self, error: CliError) -> CliError {
        let (why, file) = match error {
            CliError::Ledger(LedgerError::Missing(_)) => {
                let gone = std::io::Error::from_raw_os_error(NO_SUCH_FILE);
                return CliError::io(self.file, gone);
            }
            CliError::Ledger(LedgerError::Strange(_)) => {
                ("it is no backup of a ledger: name a file that 'tashika ledger backup' has made".to_owned(), self.file)
            }
            CliError::Ledger(LedgerError::Damaged(why)) => {
                (format!("the backup is damaged ({why}): nothing was restored; take another"), self.file)
            }
            other => return other,
        };
        CliError::Backup { file, why }
    }
}

/// How far a checkpoint says that the ledger once reached, if that is all that is wrong.
fn beyond(finding: &Finding) -> Option<Position> {
    match finding {
        Finding::CheckpointBeyond { position, .. } => Some(*position),
        _ => None,
    }
}

/// Why a backup is not restored.
enum Stop {
    Failed(CliError),
    Unsound(Box<Report>),
}

impl<E> From<E> for Stop
where
    CliError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// ENOENT.
const NO_SUCH_FILE: i32 = 2;

const BACKUP_HELP: &str = "\
Example:
  tashika ledger backup /backup/ledger-0200.db

The keys, the configuration and the checkpoints are not in it: keep copies of them too, apart from the database.";

const RESTORE_HELP: &str = "\
Example:
  tashika ledger restore /backup/ledger-0200.db

The backup is only read. A copy of it is proved first, also against the checkpoints that the configuration names, and
then becomes the ledger in one step; a damaged one is not restored (exit code 6). PostgreSQL is backed up and restored
with its own tools (pg_basebackup, pg_dump), and proved with 'tashika ledger verify'.";
