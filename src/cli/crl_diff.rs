//! `crl diff`: how two CRLs differ.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::asn1::crl::Crl;
use crate::publisher::{Difference, differences};

use super::crl::{CrlFile, entry_json, entry_text};
use super::error::{CliError, Exit};
use super::reply::Reply;

/// `crl diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Diff {
    /// The CRL before, PEM or DER.
    old: PathBuf,
    /// The CRL after.
    new: PathBuf,
}

impl Diff {
    /// Runs it.
    pub fn run(self) -> Result<Reply, CliError> {
        let (old_file, new_file) = (CrlFile::open(&self.old)?, CrlFile::open(&self.new)?);
        let (old, new) = (old_file.read()?, new_file.read()?);
        // A reader's error must name the file in which it was found.
        for (file, crl) in [(&old_file, &old), (&new_file, &new)] {
            crl.entries().find_map(Result::err).map_or(Ok(()), |error| Err(file.refused(error)))?;
        }
        let found = differences(old.entries(), new.entries()).map_err(|error| new_file.refused(error))?;
        let heads = heads(&old, &new);
        let mut text: String = heads.iter().map(|(what, old, new)| format!("! {what}: {old} -> {new}\n")).collect();
        text.extend(found.iter().map(line));
        let exit = if heads.is_empty() && found.is_empty() { Exit::Done } else { Exit::Refused };
        if exit == Exit::Done {
            text.push_str("they say the same\n");
        }
        Ok(Reply::done(text, json(&heads, &found)).with_exit(exit))
    }
}

/// What differs beside the entries.
fn heads(old: &Crl<'_>, new: &Crl<'_>) -> Vec<(&'static str, String, String)> {
    let facts = |crl: &Crl<'_>| {
        let shown = |number: Option<_>| {
            number.map_or_else(|| "none".to_owned(), |number: crate::model::CrlNumber| number.to_string())
        };
        let extensions = &crl.extensions;
        [
            ("issuer", crl.issuer.to_string()),
            ("number", shown(extensions.number)),
            ("base", shown(extensions.base)),
            ("thisUpdate", crl.this_update.to_string()),
            ("nextUpdate", crl.next_update.to_string()),
            ("authority key", extensions.authority_key_id.as_deref().map_or("none".into(), super::crl::hex)),
            ("scope", super::crl_show::scope(crl)),
        ]
    };
    let pairs = facts(old).into_iter().zip(facts(new));
    pairs.filter(|(old, new)| old != new).map(|((what, old), (_, new))| (what, old, new)).collect()
}

fn line(difference: &Difference<'_>) -> String {
    match difference {
        Difference::Added(entry) => format!("+ {}\n", entry_text(entry)),
        Difference::Changed { old, new } => format!("- {}\n+ {}\n", entry_text(old), entry_text(new)),
        Difference::Removed(entry) => format!("- {}\n", entry_text(entry)),
    }
}

fn json(heads: &[(&'static str, String, String)], found: &[Difference<'_>]) -> Value {
    let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for difference in found {
        match difference {
            Difference::Added(entry) => added.push(entry_json(entry)),
            Difference::Changed { old, new } => changed.push(json!({ "old": entry_json(old), "new": entry_json(new) })),
            Difference::Removed(entry) => removed.push(entry_json(entry)),
        }
    }
    let heads: Vec<Value> =
        heads.iter().map(|(what, old, new)| json!({ "what": what, "old": old, "new": new })).collect();
    json!({ "heads": heads, "added": added, "changed": changed, "removed": removed })
}

const EXAMPLES: &str = "\
Exit code 0: they say the same; 1: they differ; 7: one of them can't be read.
Lines: '!' what differs beside the entries, '-' what only the old one says, '+' what only the new one says.

Examples:
  tashika crl diff yesterday.crl today.crl
  tashika crl diff old.pem new.crl --json";
