//! `cert show`: status, holds, times, scope, links and history of one certificate. Never its holder.

use clap::Args;
use serde_json::json;

use crate::app::clock;
use crate::app::sheet::Sheet;
pub use crate::app::sheet::status_name;
use crate::ledger::Wanted;
use crate::model::{Entry, Hold, LastHold, Medium, Municipality, Refusal};

use super::cert::One;
use super::describe::{hold_name, key_name, lifted_by};
use super::error::CliError;
use super::history;
use super::house::House;
use super::reply::Reply;
use super::table::{facts, table};

/// `cert show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    one: One,
    /// Also list every event that touched it; this reads the whole ledger.
    #[arg(long)]
    history: bool,
}

impl Show {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        let key = self.one.key(house)?;
        let found = house.ledger().find(&Wanted { keys: vec![key], ..Wanted::default() })?;
        let entry = found.entries.into_iter().next().ok_or(Refusal::UnknownCertificate)?;
        let book = house.book()?;
        let sheet = Sheet::of(house.ledger(), house.config(), &book, &entry, clock::now())?;
        let mut text = text(&sheet);
        let mut json = sheet.json();
        json["position"] = json!(found.head.position.to_string());
        if self.history {
            let lines = history::of(house.ledger(), &book, &entry)?;
            text.push_str("\nhistory\n");
            text.push_str(&history::text(&book, &lines));
            json["history"] = history::json(&book, &lines);
        }
        Ok(Reply::done(text, json))
    }
}

fn last_hold(sheet: &Sheet<'_>) -> &'static str {
    match sheet.policy.last_hold(&sheet.entry.certificate) {
        LastHold::MayBeLifted => "may be lifted",
        LastHold::Stays => "stays: revoke and reissue",
    }
}

fn residual_good(sheet: &Sheet<'_>) -> String {
    let Some((until, skewed)) = sheet.residual_good() else { return String::new() };
    let skewed = skewed.map(|(verifier, until)| format!("{verifier} until {until}")).join(", ");
    format!("a good answer given before may be believed until {until} (for the sake of wrong clocks: {skewed})")
}

fn text(sheet: &Sheet<'_>) -> String {
    let certificate = &sheet.entry.certificate;
    let status = &sheet.entry.status;
    let expired = if certificate.is_expired(sheet.now) { ", expired" } else { "" };
    let town = |town: Municipality| if town.0 == 0 { String::new() } else { town.to_string() };
    let link = |(name, other): &(&str, Entry)| format!("{name} {}", key_name(sheet.book, &other.certificate.key));
    let links = sheet.links.iter().map(link).collect::<Vec<_>>().join(", ");
    let held = if status.holds.is_empty() { "" } else { last_hold(sheet) };
    let mut text = facts(&[
        ("certificate", key_name(sheet.book, &certificate.key)),
        ("status", format!("{}{expired}", sheet.status())),
        ("revocation", sheet.revocation().0),
        ("last hold", held.into()),
        ("residual good", residual_good(sheet)),
        ("type", certificate.usage.name().into()),
        ("medium", medium(&certificate.medium)),
        ("operator", certificate.sim.map_or_else(String::new, |sim| sim.operator.to_string())),
        ("chip batch", if certificate.batch.0 == 0 { String::new() } else { certificate.batch.to_string() }),
        ("valid", format!("{} to {}", certificate.not_before, certificate.not_after)),
        ("CRL scope", sheet.scope().0),
        ("registered in", town(certificate.municipality)),
        ("handed over to", status.handed_to.map_or_else(String::new, town)),
        ("links", links),
        ("last event", if status.as_of.0 == 0 { String::new() } else { status.as_of.to_string() }),
    ]);
    if !status.holds.is_empty() {
        text.push('\n');
        let rows: Vec<_> = status.holds.iter().map(hold_row).collect();
        text.push_str(&table(&["hold", "of", "since", "cause", "lost at", "becomes", "lifted by"], &rows, ""));
    }
    text
}

fn hold_row(hold: &Hold) -> Vec<String> {
    vec![
        hold.id.to_string(),
        hold_name(hold.kind),
        hold.since.to_string(),
        hold.cause.to_string(),
        hold.lost_at.map_or_else(|| "-".into(), |lost| lost.to_string()),
        hold.becomes.map_or_else(|| "-".into(), |end| format!("{} on {}", end.reason, end.due)),
        lifted_by(hold.kind),
    ]
}

fn medium(medium: &Medium) -> String {
    medium.kind.name().into()
}
