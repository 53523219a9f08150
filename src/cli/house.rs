//! What verbs work on: the configuration, the ledger, the desk, and the names of things. Opened once per run.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::app::clock;
use crate::app::compose::open_ledger;
use crate::app::config::{Config, DirectChanges};
use crate::app::fingerprint::{Kept, open_for};
use crate::app::pseudonym::{Named, Pseudonyms};
use crate::app::rehearsal::Rehearsal;
use crate::app::witness::{Copy, WitnessError, compare};
use crate::desk::{Desk, DeskError, Done, Task, Undone, carry_out};
use crate::ledger::{CheckpointFile, Ledger};
use crate::model::{Actor, Book, Command, IdempotencyKey, Issuer, Outcome, Policy, Position, Refusal, Request, Role};

use super::describe::{self, Tried, role_name};
use super::error::{CliError, warn};
use super::reply::Reply;

/// An open installation.
pub struct House {
    config: Config,
    ledger: Arc<dyn Ledger>,
    desk: Desk,
    /// What commands are tried on, if they are only tried.
    rehearsal: Option<Arc<Rehearsal>>,
    names: Option<Pseudonyms>,
    witnessed: OnceCell<()>,
}

impl House {
    /// Reads the configuration and opens the ledger that it names.
    pub fn open(config: Option<&Path>) -> Result<Self, CliError> {
        Self::on(Config::load(&find_config(config)?)?)
    }

    /// Opens the ledger that a configuration names.
    pub fn on(config: Config) -> Result<Self, CliError> {
        let ledger = open_ledger(&config.ledger)?;
        let desk = Desk::new(ledger.clone(), config.policy.clone());
        Ok(Self { config, ledger, desk, rehearsal: None, names: None, witnessed: OnceCell::new() })
    }

    /// From here on, or not, commands are only tried: decided as ever, and written nowhere.
    pub fn enter(&mut self, mode: Mode) {
        if mode == Mode::Rehearsal && self.rehearsal.is_none() {
            let rehearsal = Arc::new(Rehearsal::on(self.ledger.clone()));
            self.ledger = rehearsal.clone();
            self.desk = Desk::new(self.ledger.clone(), self.config.policy.clone());
            self.rehearsal = Some(rehearsal);
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The ledger.
    pub fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
    }

    /// The same, for what keeps it.
    pub fn shared_ledger(&self) -> Arc<dyn Ledger> {
        self.ledger.clone()
    }

    /// Whether the command line may change anything: `desk.direct_changes`, and the ledger is the one signed for.
    pub fn may_change(&self) -> Result<(), CliError> {
        self.changes_allowed()?;
        self.witness()
    }

    /// The same, for a new epoch: it is how a person takes a history that isn't the one signed for. Another ledger it
    /// can't make this one.
    pub fn may_adopt(&self) -> Result<(), CliError> {
        self.changes_allowed()?;
        match self.witness() {
            Err(CliError::Witness(WitnessError::Disagree { what, .. })) if what.is_adoptable() => {
                // Whatever was said, it is settled for this run.
                let _ = self.witnessed.set(());
                Ok(())
            }
            witnessed => witnessed,
        }
    }

    /// Holds the ledger against its last checkpoint, once.
    pub fn witness(&self) -> Result<(), CliError> {
        if self.witnessed.get().is_none() {
            compare(&*self.ledger, &CheckpointFile::at(&self.config.checkpoint_file), Copy::Whole)?;
            let _ = self.witnessed.set(());
        }
        Ok(())
    }

    fn changes_allowed(&self) -> Result<(), CliError> {
        match (self.config.direct_changes, &self.rehearsal) {
            (DirectChanges::Allow, _) | (_, Some(_)) => Ok(()),
            (DirectChanges::Refuse, None) => Err(CliError::DirectChangesRefused(self.config.file.clone())),
        }
    }

    /// The registers.
    pub fn book(&self) -> Result<Book, CliError> {
        Ok(self.ledger.book()?.1)
    }

    /// The issuer of that name.
    pub fn issuer(&self, name: &str) -> Result<Issuer, CliError> {
        let book = self.book()?;
        book.issuer_named(name).cloned().ok_or_else(|| CliError::NoIssuer(name.to_owned()))
    }

    /// The pseudonym of an identifier.
    pub fn pseudonym(&mut self, kind: Named, identifier: &str) -> Result<[u8; 16], CliError> {
        Ok(opened(&mut self.names, &self.config, &*self.ledger)?.of(kind, identifier))
    }

    /// What an import reads by.
    pub fn for_import(&mut self) -> Result<(&Pseudonyms, &dyn Ledger, &Policy), CliError> {
        let names = opened(&mut self.names, &self.config, &*self.ledger)?;
        Ok((names, &*self.ledger, &self.config.policy))
    }

    /// Does one task at the desk.
    pub fn submit(&mut self, task: &Task) -> Result<Outcome, CliError> {
        self.may_change()?;
        self.desk.one(task, clock::now()).map_err(|error| self.named(error))
    }

    /// Does one task at the desk, for what has its own words for what can go wrong.
    pub fn desk_submit(&mut self, task: &Task) -> Done {
        self.desk.one(task, clock::now())
    }

    /// A refusal that speaks of a CA by its issuer's name, as `--as` does.
    pub fn named(&self, error: impl Into<CliError>) -> CliError {
        match error.into() {
            CliError::Desk(DeskError::Refused(refusal)) => match (refused_role(&refusal), self.book()) {
                (Some(role), Ok(book)) => {
                    let text = refusal.to_string().replacen(&role.to_string(), &role_name(&book, role), 1);
                    CliError::Refused { refusal, text }
                }
                _ => refusal.into(),
            },
            other => other,
        }
    }

    /// Says what came of a command.
    pub fn told(&self, outcome: Outcome) -> Result<Reply, CliError> {
        let reply = describe::outcome(&*self.ledger, &self.book()?, outcome)?;
        Ok(match &self.rehearsal {
            None => reply,
            Some(rehearsal) if rehearsal.has_events() => describe::rehearsed(reply, outcome, Tried::Now),
            Some(_) => describe::rehearsed(reply, outcome, Tried::Before),
        })
    }

    /// Sends a command.
    pub fn send(&mut self, actor: Actor, command: Command, key: Option<&str>) -> Result<Outcome, CliError> {
        let idempotency = match key {
            Some(key) => Some(IdempotencyKey(self.pseudonym(Named::Command, key)?)),
            None => None,
        };
        self.submit(&Task::Request(Request { actor, command, idempotency }))
    }

    /// Carries out an undo that was just approved; anything else that was approved is done already.
    pub fn carry_out(
        &mut self,
        approver: &Actor,
        queued: Position,
        approved: Outcome,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Option<Undone>, CliError> {
        let (ledger, desk) = (self.ledger.clone(), &mut self.desk);
        let mut submit = |task: Task| desk.one(&task, clock::now());
        carry_out(&*ledger, &mut submit, approver, queued, approved, progress).map_err(|error| self.named(error))
    }
}

/// Whether commands count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They do.
    Earnest,
    /// They are only tried.
    Rehearsal,
}

/// `--dry-run`, for every verb whose command can be tried.
#[derive(Clone, Copy, Debug, Args)]
pub struct DryRun {
    /// Decide it and say what would come of it, but write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl DryRun {
    /// What was asked for.
    pub fn mode(self) -> Mode {
        if self.dry_run { Mode::Rehearsal } else { Mode::Earnest }
    }
}

/// The role that a refusal speaks of.
fn refused_role(refusal: &Refusal) -> Option<Role> {
    match refusal {
        Refusal::BackdatedLoss { role, .. }
        | Refusal::NotAllowed { role, .. }
        | Refusal::NotCompetent { role, .. }
        | Refusal::NotLiftable { role, .. } => Some(*role),
        _ => None,
    }
}

/// The key behind all pseudonyms: read when it is first needed, which for whoever only looks is never.
fn opened<'a>(
    names: &'a mut Option<Pseudonyms>,
    config: &Config,
    ledger: &dyn Ledger,
) -> Result<&'a Pseudonyms, CliError> {
    Ok(match names {
        Some(names) => names,
        none @ None => {
            let (opened, kept) = open_for(&config.pseudonym_key, ledger.head()?.ledger)?;
            warn_of(&kept);
            none.insert(opened)
        }
    })
}

/// What a key without a fingerprint is worth saying.
pub fn warn_of(kept: &Kept) {
    match kept {
        Kept::Before => {}
        Kept::Now(file) => warn(&format!(
            "the pseudonym key had no fingerprint beside it; it is kept in {} from now on: make sure that this is the \
             key that the ledger's names were made with",
            file.display()
        )),
        Kept::NotNow { file, source } => {
            warn(&format!("{} can't be written ({source}): another pseudonym key would not be noticed", file.display()))
        }
    }
}

/// The file that `--config` names, or else the one that lies here.
pub fn find_config(named: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let usual = USUAL_CONFIGS.iter().map(PathBuf::from).find(|file| file.exists());
    usual.ok_or(CliError::NoConfig)
}

/// Where the configuration lies if nothing is said: an installation's own folder, or beside a demonstration.
const USUAL_CONFIGS: [&str; 2] = ["tashika.toml", "tashika-demo/tashika.toml"];
