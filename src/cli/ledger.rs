//! `ledger`: proving the ledger, signing for it, copying it, and naming a new history of it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::compose::open_ledger_to_verify;
use crate::app::config::Config;
use crate::ledger::{CheckpointFile, Ledger, LedgerError, Limits, Report, Stage, VerifierKey, Witnesses, verify};
use crate::model::{Command, Epoch};

use super::describe;
use super::error::{CliError, Exit};
use super::evidence::{Evidence, sign_checkpoint};
use super::house::House;
use super::ledger_copy::{Backup, Restore};
use super::progress::bar;
use super::reply::Reply;
use super::who::{Acting, Org};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Name a new epoch: the present history counts from now on, whatever was signed beyond it.
    #[command(after_help = ADOPT_HELP)]
    Adopt(Adopt),
    /// Copy the ledger as of one position into a new file, while others go on writing (SQLite).
    Backup(Backup),
    /// Sign where the ledger stands, and keep that outside the database.
    #[command(after_help = CHECKPOINT_EXAMPLE)]
    Checkpoint,
    /// Bring a backup to where the configuration wants the ledger; there must be none (SQLite).
    Restore(Restore),
    /// Prove events, links, tree, checkpoints, rows and statuses.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
}

/// `ledger adopt`.
#[derive(Debug, Args)]
pub struct Adopt {
    /// The new epoch, higher than the present one [default: the next].
    #[arg(long)]
    epoch: Option<u32>,
    /// Why, in a sentence that will stand in the ledger for ever.
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    acting: Acting,
}

/// `ledger verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A file of checkpoints; repeat it for those of several followers [default: the configured one].
    #[arg(long, value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    /// A verifier key whose word counts, beside the own one and those of checkpoints.trusted.
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifierKey>,
}

impl Verb {
    /// Runs it.
    pub fn run(self, config: Config) -> Result<Reply, CliError> {
        let verb = match self {
            Self::Restore(verb) => return verb.run(&config),
            Self::Verify(verb) => return verb.run(&config),
            verb => verb,
        };
        let mut house = House::on(config)?;
        match verb {
            Self::Adopt(verb) => verb.run(&mut house),
            Self::Backup(verb) => verb.run(&house),
            Self::Checkpoint => checkpoint(&house),
            Self::Restore(verb) => verb.run(house.config()),
            Self::Verify(verb) => verb.run(house.config()),
        }
    }
}

impl Adopt {
    fn run(self, house: &mut House) -> Result<Reply, CliError> {
        house.may_adopt()?;
        if self.note.trim().is_empty() || self.note.len() > NOTE_OCTETS_MAX {
            return Err(CliError::Usage(format!("--note says why, in 1 to {NOTE_OCTETS_MAX} octets")));
        }
        let actor = self.acting.actor(house, Org::Ops)?;
        let present = house.ledger().head()?.epoch;
        let epoch = self.epoch.map_or(Epoch(present.0.saturating_add(1)), Epoch);
        let outcome = house.send(actor, Command::AdoptEpoch { epoch, note: self.note }, None)?;
        let mut reply = describe::outcome(house.ledger(), &house.book()?, outcome)?;
        // Without a signature from after it, nobody could tell a person's decision from a forger's.
        let signed = sign_checkpoint(house)?;
        reply.text.push_str(&format!("signed for in {}\n", house.config().checkpoint_file.display()));
        reply.json["checkpoint"] = json!(signed.to_string());
        Ok(reply)
    }
}

impl Verify {
    fn run(self, config: &Config) -> Result<Reply, CliError> {
        match self.prove(config) {
            // What anybody else is told is to run this verb.
            Err(CliError::Ledger(LedgerError::Damaged(why))) => Ok(unprovable(&why)),
            Err(CliError::Ledger(LedgerError::Broken(broken))) => Ok(unprovable(&broken.to_string())),
            proved => proved,
        }
    }

    fn prove(self, config: &Config) -> Result<Reply, CliError> {
        let ledger = open_ledger_to_verify(&config.ledger)?;
        let evidence = Evidence::gather(config, ledger.head()?.ledger, &self.checkpoints, self.key)?;
        Ok(proved(&prove(&*ledger, &evidence)?))
    }
}

/// What is said of a ledger whose head can't even be read.
fn unprovable(why: &str) -> Reply {
    let finding = format!(
        "the database can't be read ({why}): nothing in it can be proved; keep the file as it is, and restore the last \
         backup with 'tashika ledger restore'"
    );
    let json = json!({ "sound": false, "findings": [finding], "findings_left_out": 0 });
    Reply::done(format!("1 thing is wrong:\n- {finding}"), json).with_exit(Exit::Damaged)
}

/// Verifies a ledger, with a bar on a terminal.
pub fn prove(ledger: &dyn Ledger, evidence: &Evidence) -> Result<Report, CliError> {
    let witnesses = Witnesses { notes: &evidence.notes, keys: &evidence.keys };
    let bar = bar("events");
    let report = verify(ledger, witnesses, Limits::default(), &mut |progress| {
        bar.set_message(match progress.stage {
            Stage::Events => "events",
            Stage::Lists => "listed sets",
            Stage::Statuses => "statuses",
        });
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// A report as a reply.
pub fn proved(report: &Report) -> Reply {
    let head = &report.head;
    let json = json!({
        "sound": report.is_sound(),
        "ledger": head.ledger.to_string(),
        "epoch": head.epoch.0,
        "position": head.position.to_string(),
        "events": report.events,
        "rows": report.rows,
        "statuses": report.statuses,
        "checkpoints": report.vouched.agreeing,
        "vouched_until": report.vouched.last.map(|last| last.to_string()),
        "signed_by": report.vouched.names,
        "findings": report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "findings_left_out": report.findings_left_out,
    });
    let exit = if report.is_sound() { Exit::Done } else { Exit::Damaged };
    Reply::done(report.to_string(), json).with_exit(exit)
}

fn checkpoint(house: &House) -> Result<Reply, CliError> {
    house.witness()?;
    let note = sign_checkpoint(house)?;
    let file = CheckpointFile::at(&house.config().checkpoint_file);
    let json = json!({
        "checkpoint": note.to_string(),
        "position": note.checkpoint.position.to_string(),
        "file": file.path().display().to_string(),
    });
    Ok(Reply::done(note.to_string(), json))
}

const NOTE_OCTETS_MAX: usize = 1_024;

const ADOPT_HELP: &str = "\
Example:
  tashika ledger adopt --note 'restored from the backup of 02:00 after the fire; 312 events are lost' --as ops/suzuki

For a ledger that lost its end: a backup restored, a replica promoted too early. Followers have frozen; with the new
epoch they go on, and what either history calls not good stays not good. The new epoch is signed for at once.";

const CHECKPOINT_EXAMPLE: &str = "\
Example:
  tashika ledger checkpoint --config /etc/tashika/tashika.toml

A running server does it by itself (checkpoints.every_seconds).";

const VERIFY_EXAMPLES: &str = "\
Examples:
  tashika ledger verify
  tashika ledger verify --checkpoints /mnt/tokyo-2/checkpoints.txt --key 'tokyo-2+1a2b3c4d+BA…'

Exit code 6 if anything is wrong. Without a checkpoint that was kept where the database's owner can't write, this shows
that the database agrees with itself, not that nobody rewrote it.";
