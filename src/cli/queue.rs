//! `queue`: what waits for a second person, and that person's word.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::clock;
use crate::app::words::counted;
use crate::desk::{Undone, waiting};
use crate::model::{Command, Position, Verdict};

use super::describe::{self, command_text, role_name, why_queued};
use super::error::CliError;
use super::house::House;
use super::progress::bar;
use super::queue_show::{ago, count_of, foresight, item_json, short_person, show};
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
    #[command(after_help = EXAMPLES)]
    List,
    /// Reject a waiting command.
    #[command(after_help = EXAMPLES)]
    Reject(Decide),
    /// Show a waiting command, and what it would do to which certificates if it were approved now.
    #[command(after_help = EXAMPLES)]
    Show {
        /// The waiting command (see 'queue list').
        id: u64,
    },
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
            Self::Show { id } => show(house, Position(id)),
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
            let Undone { certificates, holds, rejected, sets } = undone;
            reply.text.push_str(&format!(
                "undone: {} lifted from {} and {}, {} rejected\n",
                counted(holds, "hold"),
                counted(certificates, "certificate"),
                counted(sets, "set"),
                counted(rejected, "waiting command"),
            ));
            reply.json["undone"] =
                json!({ "certificates": certificates, "holds": holds, "sets": sets, "rejected": rejected });
        }
        Ok(reply)
    }
}

fn list(house: &House) -> Result<Reply, CliError> {
    let book = house.book()?;
    let now = clock::now();
    let foresight = foresight(house)?;
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    for item in waiting(house.ledger())? {
        let touched = count_of(&foresight, &item.request)?;
        let sender = format!("{}/{}", role_name(&book, item.request.actor.role), short_person(&item));
        let count = touched.map_or_else(|| "see show".into(), |count| count.to_string());
        let what = command_text(&book, &item.request.command);
        let why = why_queued(item.why).to_owned();
        rows.push(vec![item.queued.to_string(), ago(now.since(item.since)), sender, count, why, what]);
        json.push(item_json(&book, &item, now, touched));
    }
    let heading = ["id", "waits", "asked by", "certificates", "why", "what"];
    let text = table(&heading, &rows, "nothing waits for a second person");
    Ok(Reply::done(text, json!({ "waiting": json })))
}

const EXAMPLES: &str = "\
Examples:
  tashika queue list
  tashika queue show 4711
  tashika queue approve 4711 --as ops/suzuki
  tashika queue reject 4711 --as window:13101/tanaka

The second person is another one of the same organisation, or of operations (the default). Approving an undo lifts its
holds at once; if that is broken off, the undo still waits: approve it again, and it goes on where it stood.";
