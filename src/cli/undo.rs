//! `undo`: asks for the holds of a false campaign to be lifted. It waits for a second person; `queue approve` does it.

use clap::Args;
use serde_json::{Value, json};

use crate::app::clock;
use crate::desk::Preview;
use crate::model::{Command, Position, Refusal, Time, UndoScope};

use super::describe;
use super::error::CliError;
use super::house::{DryRun, House, Mode};
use super::reply::Reply;
use super::who::{Org, Who, named};

/// `undo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Undo {
    /// Undo everything that followed from this event.
    #[arg(long, value_name = "ID", conflicts_with_all = ["sender", "since", "until"])]
    cause: Option<u64>,
    /// Undo everything that this sender did between --since and --until.
    #[arg(long = "as", id = "sender", value_name = "ORG/PERSON", requires = "since")]
    sender: Option<Who>,
    /// From this time on.
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Until this time [default: now].
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Who asks for it [default: ops, as the system's user].
    #[arg(long, value_name = "ORG/PERSON")]
    by: Option<Who>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Undo {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        if self.cause.is_none() && self.sender.is_none() {
            return Err(CliError::Usage("say what to undo: --cause ID, or --as ORG/PERSON --since TIME".into()));
        }
        house.enter(self.dry_run.mode());
        house.may_change()?;
        let scope = self.scope(house)?;
        if self.dry_run.mode() == Mode::Rehearsal {
            let preview = Preview::of(house.ledger(), &scope)?;
            if preview.is_empty() {
                return Err(Refusal::NothingToUndo { revoked: preview.revoked }.into());
            }
            let text = format!("an undo would lift {}", in_words(&preview));
            let mut json = in_json(&preview);
            json["dry_run"] = true.into();
            return Ok(Reply::done(text, json));
        }
        let by = named(&self.by.unwrap_or(Who { org: Org::Ops, person: None }), house)?;
        let outcome = house.send(by, Command::Undo(scope), None)?;
        house.told(outcome)
    }

    fn scope(&self, house: &mut House) -> Result<UndoScope, CliError> {
        if let Some(cause) = self.cause.map(Position) {
            return match describe::event_at(house.ledger(), cause)? {
                Some(_) => Ok(UndoScope::Cause(cause)),
                None => Err(CliError::NoEvent(cause)),
            };
        }
        let (Some(sender), Some(since)) = (&self.sender, self.since) else {
            return Err(CliError::Usage("say what to undo: --cause ID, or --as ORG/PERSON --since TIME".into()));
        };
        if sender.person.is_none() {
            return Err(CliError::Usage("say whose campaign it is: --as ORG/PERSON, with the person".into()));
        }
        let until = self.until.unwrap_or_else(clock::now);
        if until < since {
            return Err(CliError::Usage("--until lies before --since".into()));
        }
        Ok(UndoScope::ByActor { actor: named(sender, house)?, since, until })
    }
}

/// What an undo would come to.
pub fn in_words(preview: &Preview) -> String {
    let Preview { certificates, holds, revoked, sets, waiting } = preview;
    format!(
        "{holds} hold(s) from {certificates} certificate(s), and from {sets} set(s); {waiting} waiting command(s) \
         rejected, {revoked} certificate(s) are revoked and stay so"
    )
}

/// The same for machines.
pub fn in_json(preview: &Preview) -> Value {
    let Preview { certificates, holds, revoked, sets, waiting } = preview;
    json!({ "certificates": certificates, "holds": holds, "revoked": revoked, "sets": sets, "waiting": waiting })
}

const EXAMPLES: &str = "\
Examples:
  tashika undo --cause 4711 --dry-run
  tashika undo --cause 4711 --by ops/suzuki
  tashika undo --as call-centre/desk-7 --since 2026-11-20T02:00:00+09:00 --until 2026-11-20T02:30:00+09:00

The person may be the 32 digits that 'queue list --json' and 'cert show --history --json' show.
It only asks: another person carries it out with 'tashika queue approve ID'. Holds are lifted, on one-way profiles too;
a revocation is final and never undone.";
