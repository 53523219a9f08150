//! `crl publish`: the round that is due, or that somebody asks for.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::app::crls::{Demand, Publisher, Wanted, alarm_text, brought};
use crate::app::words::{counted, counted_crls};
use crate::app::{clock, compose};
use crate::model::Seconds;
use crate::publisher::{Due, Issuing, Press, Published, Shelf, Why};

use super::error::{CliError, Exit};
use super::house::House;
use super::reply::Reply;
use super::scope::check_path;
use super::table::table;
use super::who::{Acting, Org};

/// `crl publish`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Publish {
    /// Full CRLs, with their deltas, whether they are due or not.
    #[arg(long, conflicts_with = "delta")]
    full: bool,
    /// Deltas, whether they are due or not.
    #[arg(long)]
    delta: bool,
    /// Only at this path; a delta unless --full is said.
    #[arg(long, value_name = "PATH", value_parser = scope_path)]
    scope: Option<String>,
    /// Only say what would be published.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    acting: Acting,
}

impl Publish {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        if !self.dry_run {
            house.may_change()?;
        }
        let actor = self.acting.actor(house, Org::Ops)?;
        let mut publisher = begin(house)?;
        let cutoff = publisher.cutoff().ok_or(CliError::Publish(crate::app::crls::PublishError::NoTime))?;
        let demand = self.demand();
        let due = publisher.plan(demand.as_slice())?;
        let due = match &self.scope {
            Some(path) => due.into_iter().filter(|due| due.path == *path).collect(),
            None => due,
        };
        let (new, refused) = match &self.scope {
            None => brought(house.config(), publisher.press().index(), cutoff.time),
            Some(_) => (Vec::new(), Vec::new()),
        };
        if self.dry_run || due.is_empty() && new.is_empty() {
            let brought: Vec<_> = new.iter().map(|brought| brought.path.clone()).collect();
            return Ok(planned(&publisher, &due, &brought, &refused));
        }
        let published = publisher.publish((&due, &new), actor, &mut |task| house.desk_submit(&task))?;
        Ok(said(&published, &refused))
    }

    fn demand(&self) -> Option<Demand> {
        let issuing = match (self.full, self.delta || self.scope.is_some()) {
            (true, _) => Issuing::Full,
            (false, true) => Issuing::Delta,
            (false, false) => return None,
        };
        let at = self.scope.clone().map_or(Wanted::Everywhere, Wanted::Path);
        Some(Demand { at, issuing })
    }
}

/// A publisher on the store of the configuration, that knows all that the ledger says now.
pub fn begin(house: &House) -> Result<Publisher, CliError> {
    let config = Arc::new(house.config().clone());
    let store = compose::open_store(&config.crl.store)?;
    let press = Press::open(store, Arc::new(Shelf::default()))?;
    beat(house)?;
    let ledger = house.shared_ledger();
    let mut publisher = Publisher::begin(config, ledger, press).map_err(|failed| failed.1)?;
    while !publisher.follow(PAGES)? {}
    Ok(publisher)
}

/// Where no server lets the ledger's heart beat, nobody knows when what it says was so: this process says it.
fn beat(house: &House) -> Result<(), CliError> {
    let (ledger, now) = (house.ledger(), clock::now());
    let last = ledger.heartbeat()?.map(|heartbeat| heartbeat.time);
    if last.is_some_and(|last| now.since(last) <= u64::from(BEATEN.0)) || house.may_change().is_err() {
        return Ok(());
    }
    let ahead = Seconds(u32::try_from(now.since(ledger.head()?.time)).unwrap_or(u32::MAX));
    if last.is_some() && house.config().clock_leap_max.is_some_and(|most| ahead > most) {
        let why = format!(
            "this machine's clock is {} ahead of the ledger's time: set the clock; or if the ledger stood still so long, \
             use serve.clock_leap_max_hours = 0 once",
            counted(u64::from(ahead.0 / 3600), "hour")
        );
        return Err(CliError::Usage(why));
    }
    ledger.beat(now)?;
    Ok(())
}

/// What is due, and where something is published that isn't.
fn planned(publisher: &Publisher, due: &[Due], brought: &[String], refused: &[(String, String)]) -> Reply {
    let mut rows: Vec<_> = due.iter().map(|due| vec![due.path.clone(), issuing(due).into(), why(due).into()]).collect();
    rows.extend(brought.iter().map(|path| vec![path.clone(), "full".into(), "signed elsewhere".into()]));
    let nothing = match publisher.next_due() {
        Some(next) => format!("nothing is due; the next CRLs are at {next}"),
        None => "nothing is published here: no issuer has a key that signs CRLs (issuer add --crl-key)".to_owned(),
    };
    let mut text = table(&["path", "CRL", "because"], &rows, &nothing);
    text.push_str(&refusals(refused));
    let due: Vec<Value> =
        due.iter().map(|due| json!({ "path": due.path, "crl": issuing(due), "because": why(due) })).collect();
    let without: Vec<Value> =
        publisher.places().without.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect();
    for (path, why) in &publisher.places().without {
        text.push_str(&format!("{path}: {why}\n"));
    }
    Reply::done(text, json!({ "due": due, "brought": brought, "without": without, "refused": pairs(refused) }))
}

fn said(published: &Published, refused: &[(String, String)]) -> Reply {
    let Published { number, crls, entries, octets, .. } = published;
    let mut all: Vec<_> = published.refused.iter().map(|alarm| (alarm.path.clone(), alarm_text(alarm))).collect();
    all.extend_from_slice(refused);
    let made = counted_crls(*crls, *entries, *octets);
    let text = format!("round {number}: {made}\n{}", refusals(&all));
    let json = json!({
        "number": number.to_string(), "crls": crls, "entries": entries, "octets": octets, "refused": pairs(&all)
    });
    let exit = if all.is_empty() { Exit::Done } else { Exit::Refused };
    Reply::done(text, json).with_exit(exit)
}

fn refusals(refused: &[(String, String)]) -> String {
    refused.iter().map(|(path, why)| format!("refused  {path}: {why}\n")).collect()
}

fn pairs(refused: &[(String, String)]) -> Vec<Value> {
    refused.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect()
}

fn issuing(due: &Due) -> &'static str {
    match due.issuing {
        Issuing::Delta => "delta",
        Issuing::Full => "full",
    }
}

fn why(due: &Due) -> &'static str {
    match due.why {
        Why::Demanded => "asked for",
        Why::First => "first",
        Why::Scheduled => "its hour",
        Why::Urgent => "urgent",
    }
}

/// A scope's path, or one that the house keeps for itself.
fn scope_path(text: &str) -> Result<String, String> {
    if matches!(text, "combined" | "root") { Ok(text.to_owned()) } else { check_path(text) }
}

const PAGES: usize = 1_000;
/// A server beats about once a second.
const BEATEN: Seconds = Seconds(5);
const EXAMPLES: &str = "\
Examples:
  tashika crl publish --dry-run
  tashika crl publish
  tashika crl publish --full --scope card-sign-13101
  tashika crl publish --delta

Without --full, --delta and --scope: what is due by the hour, and what was signed elsewhere and is new. It goes into the store
of [crl] in the configuration; a server that runs on the same store serves it. What is refused stays as it was: exit code 1.";
