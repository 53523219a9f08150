//! `crl show`: what a CRL says, whoever issued it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::app::describe::point_text;
use crate::asn1::crl::{Contains, Crl, CrlEntry, IssuingPoint, Lists};
use crate::asn1::{DistributionPoint, DistributionPointName, FullName, SignatureAlgorithm};
use crate::ledger::sha256;
use crate::model::Serial;
use crate::publisher::Hex;

use super::crl::{CrlFile, entry_json, entry_text, hex};
use super::error::{CliError, Exit};
use super::reply::Reply;
use super::table::facts;

/// `crl show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Show {
    /// The CRL, PEM or DER.
    file: PathBuf,
    /// Every entry, too.
    #[arg(long, conflicts_with = "serial")]
    entries: bool,
    /// Only what it says of this serial number.
    #[arg(long, value_name = "HEX")]
    serial: Option<Serial>,
}

impl Show {
    /// Runs it.
    pub fn run(self) -> Result<Reply, CliError> {
        let file = CrlFile::open(&self.file)?;
        let crl = file.read()?;
        match self.serial {
            Some(serial) => of_serial(&file, &crl, serial),
            None => whole(&file, &crl, self.entries),
        }
    }
}

fn of_serial(file: &CrlFile, crl: &Crl<'_>, serial: Serial) -> Result<Reply, CliError> {
    let mut found = Vec::new();
    for entry in crl.entries() {
        found.extend(Some(entry.map_err(|error| file.refused(error))?).filter(|entry| entry.serial == serial));
    }
    let json = json!({ "serial": serial.to_string(), "entries": found.iter().map(entry_json).collect::<Vec<_>>() });
    if found.is_empty() {
        let delta = if crl.extensions.base.is_some() { ", which is a delta: its base may list it" } else { "" };
        return Ok(Reply::done(format!("{serial} is not listed on this CRL{delta}"), json).with_exit(Exit::NotFound));
    }
    Ok(Reply::done(found.iter().map(|entry| entry_text(entry) + "\n").collect::<String>(), json))
}

fn whole(file: &CrlFile, crl: &Crl<'_>, every: bool) -> Result<Reply, CliError> {
    let (mut count, mut by_reason, mut listed): (u64, BTreeMap<&str, u64>, Vec<CrlEntry<'_>>) = Default::default();
    for entry in crl.entries() {
        let entry = entry.map_err(|error| file.refused(error))?;
        count += 1;
        *by_reason.entry(entry.listed.name()).or_default() += 1;
        if every {
            listed.push(entry);
        }
    }
    let reasons: Vec<String> = by_reason.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let extensions = &crl.extensions;
    let optional = |value: Option<String>| value.unwrap_or_default();
    let hash = Hex(sha256(&[file.der()]));
    let reflects = extensions.reflects.map(|at| format!("{}.{}", at.epoch, at.position));
    let mut text = facts(&[
        ("issuer", crl.issuer.to_string()),
        ("kind", kind(crl)),
        (
            "number",
            extensions.number.map_or("none: it can't be told from older ones".into(), |number| number.to_string()),
        ),
        ("thisUpdate", crl.this_update.to_string()),
        ("nextUpdate", crl.next_update.to_string()),
        ("scope", scope(crl)),
        ("authority key", optional(extensions.authority_key_id.as_deref().map(hex))),
        ("deltas at", points(&extensions.freshest)),
        ("lists expired since", optional(extensions.expired_since.map(|time| time.to_string()))),
        ("reflects event", optional(reflects.clone())),
        ("signed with", algorithm(crl).to_owned()),
        ("entries", if count == 0 { "none".into() } else { format!("{count}: {}", reasons.join(", ")) }),
        ("octets", file.der().len().to_string()),
        ("SHA-256", hash.to_string()),
    ]);
    text.extend(listed.iter().map(|entry| entry_text(entry) + "\n"));
    let mut json = json!({
        "issuer": crl.issuer.to_string(),
        "kind": if extensions.base.is_some() { "delta" } else { "full" },
        "number": extensions.number.map(|number| number.to_string()),
        "base": extensions.base.map(|number| number.to_string()),
        "this_update": crl.this_update.to_string(),
        "next_update": crl.next_update.to_string(),
        "issuing_point": extensions.issuing_point.as_ref().map(point_json),
        "authority_key": extensions.authority_key_id.as_deref().map(hex),
        "deltas_at": uris(&extensions.freshest),
        "expired_since": extensions.expired_since.map(|time| time.to_string()),
        "reflects": reflects,
        "algorithm": crl.signature_algorithm.map(|_| algorithm(crl)),
        "count": count,
        "by_reason": by_reason,
        "size": file.der().len(),
        "sha256": hash.to_string(),
    });
    if every {
        json["entries"] = listed.iter().map(entry_json).collect();
    }
    Ok(Reply::done(text, json))
}

fn kind(crl: &Crl<'_>) -> String {
    match crl.extensions.base {
        Some(base) => format!("delta against {base} or later"),
        None => "full".into(),
    }
}

/// Of which certificates it speaks.
pub fn scope(crl: &Crl<'_>) -> String {
    let Some(point) = &crl.extensions.issuing_point else { return "all of its issuer's certificates".into() };
    let whose = match point.lists {
        Lists::Own => "",
        Lists::Others => ", of several issuers",
    };
    let which = match point.contains {
        Contains::All => "certificates",
        Contains::Authorities => "CA certificates",
        Contains::Users => "holders' certificates",
    };
    let name = point.name.as_ref().map(|name| format!(" that name {}", name_text(name))).unwrap_or_default();
    format!("{which}{name}{whose}")
}

fn point_json(point: &IssuingPoint) -> Value {
    json!({
        "name": point.name.as_ref().map(name_text),
        "contains": match point.contains {
            Contains::All => "all",
            Contains::Authorities => "authorities",
            Contains::Users => "users",
        },
        "indirect": point.lists == Lists::Others,
    })
}

fn name_text(name: &DistributionPointName) -> String {
    point_text(name.as_der()).unwrap_or_else(|| format!("#{}", hex(name.as_der())))
}

fn uris(points: &[DistributionPoint]) -> Vec<&str> {
    let names = points.iter().filter_map(|point| point.name.as_ref()).flat_map(DistributionPointName::full_names);
    names.filter_map(|name| if let FullName::Uri(uri) = name { Some(uri.as_str()) } else { None }).collect()
}

fn points(points: &[DistributionPoint]) -> String {
    match (uris(points), points.is_empty()) {
        (_, true) => String::new(),
        (uris, false) if uris.is_empty() => "a place that is not an address".into(),
        (uris, false) => uris.join(", "),
    }
}

fn algorithm(crl: &Crl<'_>) -> &'static str {
    match crl.signature_algorithm {
        Some(SignatureAlgorithm::EcdsaSha256) => "ecdsa-with-SHA256",
        Some(SignatureAlgorithm::EcdsaSha384) => "ecdsa-with-SHA384",
        Some(SignatureAlgorithm::RsaSha256) => "sha256WithRSAEncryption",
        None => "an algorithm that this program does not verify",
    }
}

const EXAMPLES: &str = "\
Says what stands in the file; whether its signature is to be trusted it does not (see 'tashika check').

Exit code 3: the serial is not listed; 7: the file is not a CRL that RFC 5280 allows, or has a critical extension that
this program does not know.

Examples:
  tashika crl show card-sign-13101.crl
  tashika crl show card-sign-13101.crl --serial 0A1B
  tashika crl show crl.pem --entries --json";
