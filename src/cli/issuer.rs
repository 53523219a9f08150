//! `issuer`: the key generations whose certificates this ledger knows.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::clock;
use crate::app::signers::{CRL_KEY, IssuerSigner, KEY, NoSigner, OcspPapers, Papers, SignerFolder};
use crate::asn1::{BasicConstraints, CertificateFields, KeyUsage, certificates_in};
use crate::desk::Task;
use crate::model::{Issuer, IssuerNo, Scope, ScopeNo};

use super::describe;
use super::error::CliError;
use super::house::House;
use super::reply::Reply;
use super::scope::check_path;
use super::table::table;
use super::who::{Acting, Org};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add an issuer: one key generation of a CA.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// List the issuers.
    #[command(after_help = LIST_EXAMPLES)]
    List,
}

/// `issuer add`.
#[derive(Debug, Args)]
pub struct Add {
    /// A short name for commands and URLs: 1 to 64 of a-z, 0-9, '.' and '-'.
    #[arg(long, value_parser = short_name)]
    name: String,
    /// The CA's certificate, PEM or DER.
    #[arg(long, value_name = "CA.pem")]
    cert: PathBuf,
    /// The certificate by which the CA delegated its OCSP answers, PEM or DER.
    #[arg(long, value_name = "CERT.pem", requires = "ocsp_key")]
    ocsp_cert: Option<PathBuf>,
    /// Its key, PEM. A copy is put into the folder keys.signers; encrypted, it needs keys.passphrase_file.
    #[arg(long, value_name = "KEY.pem", requires = "ocsp_cert")]
    ocsp_key: Option<PathBuf>,
    /// The CA's own key, PEM, if its CRLs are signed here. A copy is put into the same folder.
    #[arg(long, value_name = "KEY.pem")]
    crl_key: Option<PathBuf>,
    /// Don't give it a CRL scope for all its certificates; add its scopes with 'scope add'.
    #[arg(long)]
    no_scope: bool,
    #[command(flatten)]
    acting: Acting,
}

impl Verb {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        match self {
            Self::Add(add) => add.run(house),
            Self::List => list(house),
        }
    }
}

impl Add {
    fn run(self, house: &mut House) -> Result<Reply, CliError> {
        house.may_change()?;
        let issuer = self.read()?;
        let papers = self.papers();
        // All that can be wrong with them is known before anything changes.
        let unfit = |source| CliError::Signer { issuer: self.name.clone(), source };
        let config = house.config().clone();
        let in_order = SignerFolder::of(&config).check(&papers, &issuer, clock::now()).map_err(unfit)?;
        let actor = self.acting.actor(house, Org::Ops)?;
        let no_idp =
            Scope { no: ScopeNo(0), issuer: issuer.no, distribution_point: Vec::new(), path: self.name.clone() };
        let scopes = if self.no_scope { Vec::new() } else { vec![no_idp] };
        let added = house.submit(&Task::AddIssuer { actor, issuer, scopes })?;
        // The ledger first: what is broken off here is completed by the same command again.
        let until = in_order.install().map_err(unfit)?;
        let mut reply = describe::outcome(house.ledger(), &house.book()?, added)?;
        let folder = config.signers.join(&self.name).display().to_string();
        if let Some(until) = until {
            reply.text.push_str(&format!("its answers are signed with {folder}/{KEY}, until {until}\n"));
            reply.json["signer"] = json!({ "folder": folder, "until": until.to_string() });
        }
        if papers.crl_key.is_some() {
            reply.text.push_str(&format!("its CRLs are signed with {folder}/{CRL_KEY}\n"));
            reply.json["crl_key"] = json!(format!("{folder}/{CRL_KEY}"));
        }
        Ok(reply)
    }

    fn papers(&self) -> Papers {
        let ocsp = self.ocsp_cert.clone().zip(self.ocsp_key.clone());
        let ocsp = ocsp.map(|(certificate, key)| OcspPapers { certificate, key });
        Papers { ocsp, crl_key: self.crl_key.clone() }
    }

    fn read(&self) -> Result<Issuer, CliError> {
        let octets = fs::read(&self.cert).map_err(|error| CliError::io(&self.cert, error))?;
        let unusable = |source| CliError::Certificate { file: self.cert.clone(), source };
        let wrong = |why: &str| CliError::Contents { file: self.cert.clone(), why: why.to_owned() };
        let fields = CertificateFields::from_file(&octets).map_err(unusable)?;
        if !matches!(fields.extensions.basic_constraints, Some(BasicConstraints::Authority { .. })) {
            return Err(wrong("this is not a CA's certificate (no basicConstraints CA): name the issuing CA's own"));
        }
        if fields.subject.is_empty() {
            return Err(wrong("the CA has no name: its certificates could not be told from others'"));
        }
        if fields.extensions.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
            return Err(wrong("its key usage does not let it issue certificates (keyCertSign)"));
        }
        let hashes = fields.issuer_hashes();
        let certificate = certificates_in(&octets).map_err(unusable)?.swap_remove(0);
        Ok(Issuer {
            no: IssuerNo(0),
            name: self.name.clone(),
            certificate,
            name_sha1: hashes.name_sha1,
            key_sha1: hashes.key_sha1,
            name_sha256: hashes.name_sha256,
            key_sha256: hashes.key_sha256,
        })
    }
}

fn list(house: &House) -> Result<Reply, CliError> {
    let book = house.book()?;
    let mut rows = Vec::new();
    let mut json = Vec::new();
    let signers = SignerFolder::of(house.config()).all(&book, clock::now());
    for (issuer, IssuerSigner { signer, .. }) in book.issuers.iter().zip(signers) {
        let answers = match &signer {
            Ok(signer) => json!({ "until": signer.not_after().to_string() }),
            Err(why) => json!({ "problem": why.to_string() }),
        };
        let fields = CertificateFields::from_der(&issuer.certificate).ok();
        let subject = fields.as_ref().map_or_else(String::new, |fields| fields.subject.to_string());
        let key = fields.as_ref().map_or_else(String::new, |fields| fields.public_key.algorithm().to_string());
        let until = fields.as_ref().map(|fields| fields.validity.not_after.to_string());
        let scopes = book.scopes.iter().filter(|scope| scope.issuer == issuer.no).count();
        rows.push(vec![
            issuer.name.clone(),
            key.clone(),
            until.clone().unwrap_or_default(),
            scopes.to_string(),
            match &signer {
                Ok(signer) => signer.not_after().to_string(),
                Err(NoSigner::Missing(_)) => "no signer".to_owned(),
                Err(_) => "unusable".to_owned(),
            },
            subject.clone(),
        ]);
        json.push(json!({
            "no": issuer.no.0, "name": issuer.name, "key": key, "not_after": until, "scopes": scopes, "subject": subject,
            "signer": answers,
            "key_sha256": hex(&issuer.key_sha256), "name_sha256": hex(&issuer.name_sha256),
            "key_sha1": hex(&issuer.key_sha1), "name_sha1": hex(&issuer.name_sha1),
        }));
    }
    let none = "no issuers yet: add one with 'tashika issuer add --name NAME --cert CA.pem'";
    let text = table(&["name", "key", "valid until", "scopes", "answers until", "subject"], &rows, none);
    Ok(Reply::done(text, json!({ "issuers": Value::Array(json) })))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A name that fits into a URL as it is, and is no name that the house keeps for itself.
fn short_name(text: &str) -> Result<String, String> {
    if text.len() > 64 || !text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')) {
        return Err("a name has 1 to 64 of a-z, 0-9, '.' and '-'".into());
    }
    check_path(text)
}

const LIST_EXAMPLES: &str = "\
Examples:
  tashika issuer list
  tashika issuer list --json";

const ADD_EXAMPLES: &str = "\
Examples:
  tashika issuer add --name card-sign --cert card-sign-ca.pem --ocsp-cert ocsp.pem --ocsp-key ocsp.key
  tashika issuer add --name card-sign-g2 --cert new-key.pem --no-scope

Each key generation of a CA is an issuer of its own, also under the same distinguished name.
Unless --no-scope is given, the issuer gets one CRL scope of its name for all its certificates (without IDP).
Adding it again, as it is, only completes what is missing: a signer that wasn't there, or a command that was broken off.
An issuer without a signer is answered for with tryLater.";
