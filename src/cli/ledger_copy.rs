//! `ledger backup` and `ledger restore`: whole copies of an embedded ledger, proved before they are trusted.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::compose::{backup_ledger, open_ledger, restore_ledger};
use crate::app::config::{Config, LedgerPlace};
use crate::ledger::Finding;

use super::error::CliError;
use super::evidence::Evidence;
use super::house::House;
use super::ledger::{prove, proved};
use super::reply::Reply;

/// `ledger backup`.
#[derive(Debug, Args)]
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
        let backup = open_ledger(&LedgerPlace::Sqlite(self.file.clone()))?;
        let evidence = Evidence::gather(config, backup.head()?.ledger, &[], Vec::new())?;
        let report = prove(&*backup, &evidence)?;
        // What was signed for and is missing says how much is lost, which restoring can't help.
        let lost = report.findings.iter().filter_map(|finding| match finding {
            Finding::CheckpointBeyond { position, .. } => Some(*position),
            _ => None,
        });
        let lost = lost.max();
        if report.findings.iter().any(|finding| !matches!(finding, Finding::CheckpointBeyond { .. })) {
            return Ok(proved(&report));
        }
        let head = restore_ledger(&config.ledger, &self.file)?;
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
}

const RESTORE_HELP: &str = "\
Example:
  tashika ledger restore /backup/ledger-0200.db

The backup is proved first, also against the checkpoints that the configuration names; a damaged one is not restored
(exit code 6). PostgreSQL is backed up and restored with its own tools (pg_basebackup, pg_dump), and proved with
'tashika ledger verify'.";
