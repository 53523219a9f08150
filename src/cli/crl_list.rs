//! `crl list` and `crl verify`: what is published, and the proof that it is what it should be.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::app::compose;
use crate::app::pull::Source;
use crate::http::{Fetcher, Patience};
use crate::publisher::{Index, Issue, Press, Shelf};

use super::crl_publish::begin;
use super::error::{CliError, Exit};
use super::house::House;
use super::reply::Reply;
use super::table::table;

/// `crl list`.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub struct List {
    /// Of that server, instead of the configuration's store.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// `crl verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct Verify {}

impl List {
    /// Runs it; a configuration is needed only without --url.
    pub fn run(self, house: impl FnOnce() -> Result<House, CliError>) -> Result<Reply, CliError> {
        let index = match self.url {
            Some(url) => {
                let mut fetcher = Fetcher::new(Patience::DEFAULT)?;
                let (url, octets) = Source::index_at(&url, &mut fetcher)?;
                let wrong = |why: String| CliError::Contents { file: url.clone().into(), why };
                Some(Index::read(&octets).map_err(|error| wrong(error.to_string()))?)
            }
            None => {
                let store = compose::open_store(&house()?.config().crl.store)?;
                Press::open(store, Arc::new(Shelf::default()))?.index().cloned()
            }
        };
        Ok(listed(index.as_ref()))
    }
}

impl Verify {
    /// Runs it.
    pub fn run(self, house: &House) -> Result<Reply, CliError> {
        let publisher = begin(house)?;
        let proof = publisher.prove()?;
        let mut text = format!("{} CRLs with {} entries\n", proof.crls, proof.entries);
        for (path, why) in &proof.findings {
            text.push_str(&format!("wrong  {path}: {why}\n"));
        }
        if proof.findings.is_empty() {
            text.push_str("each is what the index says, fits its place and its base, and agrees with the ledger\n");
        }
        let findings: Vec<Value> =
            proof.findings.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect();
        let json = json!({ "crls": proof.crls, "entries": proof.entries, "findings": findings });
        let exit = if proof.findings.is_empty() { Exit::Done } else { Exit::Damaged };
        Ok(Reply::done(text, json).with_exit(exit))
    }
}

fn listed(index: Option<&Index>) -> Reply {
    let Some(index) = index else {
        return Reply::done("nothing is published yet", json!({ "number": null, "crls": [] }));
    };
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    for (listing, is_delta, issue) in index.issues() {
        let Issue { number, base, this_update, next_update, size, .. } = issue;
        let base = base.map(|base| base.to_string());
        let path = format!("{}{}", listing.path, is_delta.ending());
        rows.push(vec![
            path.clone(),
            number.to_string(),
            base.clone().unwrap_or_default(),
            this_update.to_string(),
            next_update.to_string(),
            size.to_string(),
        ]);
        json.push(json!({
            "path": path, "number": number.to_string(), "base": base, "this_update": this_update.to_string(),
            "next_update": next_update.to_string(), "size": size, "sha256": issue.sha256.to_string(), "url": issue.url
        }));
    }
    let mut text = table(&["path", "number", "base", "thisUpdate", "nextUpdate", "octets"], &rows, "no CRLs");
    text.push_str(&format!("round {} of {}\n", index.number, index.time));
    Reply::done(text, json!({ "number": index.number.to_string(), "time": index.time.to_string(), "crls": json }))
}

const LIST_EXAMPLES: &str = "\
Examples:
  tashika crl list
  tashika crl list --url http://status.example --json";

const VERIFY_EXAMPLES: &str = "\
Examples:
  tashika crl verify

Reads every CRL of the store anew: its octets against the index, its issuer, key, distribution point and signature against the
ledger's registers, base and delta against the full CRL, and all of it against what the ledger says now. Exit code 6: something
is wrong, and a person must look.";
