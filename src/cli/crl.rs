//! `crl …`: the verbs on CRLs, and what they share.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::asn1::crl::{Crl, CrlEntry};
use crate::asn1::{Name, crl_in};
use crate::model::CrlLimits;

use super::crl_diff::Diff;
use super::crl_list::{List, Verify};
use super::crl_publish::Publish;
use super::crl_pull::Pull;
use super::crl_show::Show;
use super::error::CliError;
use super::house::House;
use super::reply::{Form, Reply};

/// `crl`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Say how two CRLs differ.
    Diff(Diff),
    /// List what is published.
    List(List),
    /// Publish what is due, or what is asked for.
    Publish(Publish),
    /// Fetch, verify and install the CRLs of a publication.
    Pull(Pull),
    /// Say what a CRL says, whoever issued it.
    Show(Show),
    /// Prove everything that is published, against itself and against the ledger.
    Verify(Verify),
}

impl Verb {
    /// Runs it. Verifiers have no installation: only what publishes, or looks into its own store, opens one.
    pub fn run(self, form: Form, house: impl FnOnce() -> Result<House, CliError>) -> Result<Reply, CliError> {
        match self {
            Self::Diff(diff) => diff.run(),
            Self::List(list) => list.run(house),
            Self::Publish(publish) => publish.run(&mut house()?),
            Self::Pull(pull) => pull.run(form),
            Self::Show(show) => show.run(),
            Self::Verify(verify) => verify.run(&house()?),
        }
    }
}

/// A file with one CRL.
pub struct CrlFile {
    file: PathBuf,
    der: Vec<u8>,
}

impl CrlFile {
    /// Takes it out of a file, PEM or DER.
    pub fn open(file: &Path) -> Result<Self, CliError> {
        let octets = fs::read(file).map_err(|error| CliError::io(file, error))?;
        let der = crl_in(&octets).map_err(|error| CliError::Contents { file: file.into(), why: error.to_string() })?;
        Ok(Self { file: file.to_owned(), der: der.into_owned() })
    }

    /// The CRL.
    pub fn read(&self) -> Result<Crl<'_>, CliError> {
        Crl::read(&self.der, CrlLimits::WIDEST).map_err(|error| self.refused(error))
    }

    /// Its octets in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// An error in it.
    pub fn refused(&self, source: crate::asn1::crl::CrlError) -> CliError {
        CliError::Crl { file: self.file.clone(), source }
    }
}

/// An entry in one line.
pub fn entry_text(entry: &CrlEntry<'_>) -> String {
    let mut text = format!("{}  {}  {}", entry.serial, entry.date, entry.listed.name());
    if let Some(lost) = entry.invalidity_date {
        text.push_str(&format!("  in doubt since {lost}"));
    }
    if let Some(issuer) = issuer(entry) {
        text.push_str(&format!("  of {issuer}"));
    }
    text
}

/// An entry for machines.
pub fn entry_json(entry: &CrlEntry<'_>) -> Value {
    let mut json = json!({
        "serial": entry.serial.to_string(), "date": entry.date.to_string(), "reason": entry.listed.name()
    });
    if let Some(lost) = entry.invalidity_date {
        json["invalidity_date"] = lost.to_string().into();
    }
    if let Some(issuer) = issuer(entry) {
        json["issuer"] = issuer.into();
    }
    json
}

/// Whose certificate an entry of an indirect CRL speaks of. A name that can't be read is shown by its octets.
fn issuer(entry: &CrlEntry<'_>) -> Option<String> {
    let der = entry.issuer?;
    Some(Name::from_der(der).map_or_else(|_| format!("#{}", hex(der)), |name| name.to_string()))
}

/// Upper-case hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
