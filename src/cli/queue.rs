//! `queue`: what waits for a second person, and that person's word.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::desk::{Undone, waiting};
use crate::model::{Command, Position, Verdict};

use super::describe::{self, command_text, role_name, why_queued};
use super::error::CliError;
use super::house::House;
use super::progress::bar;
use super::reply::Reply;
use super::table::table;
use super::who::{Acting, Org};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Approve a waiting command, as the second person; an undo is carried out at once.
    #[command(after_help = EXAMPLES)]
    Approve(Decide),
    /// List what waits.
    List,
    /// Reject a waiting command.
    Reject(Decide),
}

/// `queue approve`, `queue reject`.
#[derive(Debug, Args)]
pub struct Decide {
    /// The waiting command (see 'queue list').
    id: u64,
    #[command(flatten)]
    acting: Acting,
}

impl Verb {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        match self {
            Self::Approve(decide) => decide.run(house, Verdict::Approved),
            Self::List => list(house),
            Self::Reject(decide) => decide.run(house, Verdict::Rejected),
        }
    }
}

impl Decide {
    fn run(self, house: &mut House, verdict: Verdict) -> Result<Reply, CliError> {
        house.may_change()?;
        let queued = Position(self.id);
        let actor = self.acting.actor(house, Org::Ops)?;
        let outcome = house.send(actor, Command::DecideQueued { queued, verdict }, None)?;
        let undone = match verdict {
            Verdict::Approved => {
                let bar = bar("undoing");
                let undone = house.carry_out(&actor, queued, outcome, &mut |done, total| {
                    bar.set_length(total);
                    bar.set_position(done);
                });
                bar.finish_and_clear();
                undone?
            }
            Verdict::Rejected => None,
        };
        let mut reply = describe::outcome(house.ledger(), &house.book()?, outcome)?;
        if let Some(undone) = undone {
            let Undone { certificates, rejected, sets } = undone;
            reply.text.push_str(&format!(
                "undone: holds lifted from {certificates} certificate(s) and {sets} set(s), {rejected} waiting \
                 command(s) rejected\n"
            ));
            reply.json["undone"] = json!({ "certificates": certificates, "sets": sets, "rejected": rejected });
        }
        Ok(reply)
    }
}

fn list(house: &House) -> Result<Reply, CliError> {
    let book = house.book()?;
    let waiting = waiting(house.ledger())?;
    let rows: Vec<_> = waiting
        .iter()
        .map(|item| {
            vec![
                item.queued.to_string(),
                item.since.to_string(),
                role_name(&book, item.request.actor.role),
                why_queued(item.why).into(),
                command_text(&book, &item.request.command),
            ]
        })
        .collect();
    let json: Vec<Value> = waiting
        .iter()
        .map(|item| {
            json!({
                "id": item.queued.to_string(),
                "since": item.since.to_string(),
                "org": role_name(&book, item.request.actor.role),
                "person": item.request.actor.person.to_string(),
                "why": why_queued(item.why),
                "what": command_text(&book, &item.request.command),
            })
        })
        .collect();
    let text = table(&["id", "since", "asked by", "why", "what"], &rows, "nothing waits for a second person");
    Ok(Reply::done(text, json!({ "waiting": json })))
}

const EXAMPLES: &str = "\
Examples:
  tashika queue list
  tashika queue approve 4711 --as ops/suzuki
  tashika queue reject 4711 --as window:13101/tanaka

The second person is another one of the same organisation, or of operations (the default). Approving an undo lifts its
holds at once; if that is broken off, the undo still waits: approve it again, and it goes on where it stood.";
