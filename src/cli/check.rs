//! `check`: what a verifier makes of a certificate: the chain, OCSP, CRL and delta, who says what, how old it is, and why it
//! is believed.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::app::check::{By, Checked, OfOne, Said, Verdict, Ways};
use crate::app::clock;
use crate::asn1::CertificateFields;
use crate::asn1::ocsp::CertStatus;
use crate::http::{Fetcher, Patience};
use crate::model::Time;

use super::crl_pull::{anchors, certificates};
use super::error::{CliError, Exit};
use super::reply::Reply;

/// `check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// The certificate, PEM or DER.
    certificate: PathBuf,
    /// Its issuer's certificate, or others between it and --trust; alone, they are trusted.
    #[arg(long, value_name = "CA.pem", required_unless_present = "trust")]
    issuer: Vec<PathBuf>,
    /// Certificates that are trusted.
    #[arg(long, value_name = "ROOT.pem")]
    trust: Vec<PathBuf>,
    /// CRLs in a folder, such as one that 'crl pull' fills, instead of those that the certificate names.
    #[arg(long, value_name = "DIR")]
    crl_dir: Option<PathBuf>,
    /// The publication by whose index directory names are found.
    #[arg(long, value_name = "URL")]
    index: Option<String>,
    /// The responder to ask, instead of the one that the certificate names.
    #[arg(long, value_name = "URL")]
    ocsp_url: Option<String>,
    /// Ask no responder.
    #[arg(long, conflicts_with_all = ["no_crl", "ocsp_url"])]
    no_ocsp: bool,
    /// Look at no CRL.
    #[arg(long, conflicts_with_all = ["crl_dir", "index"])]
    no_crl: bool,
}

impl Check {
    /// Runs it.
    pub fn run(self) -> Result<Reply, CliError> {
        let certificate = match &certificates(&self.certificate)?[..] {
            [] => return Err(CliError::Usage("the certificate is missing".into())),
            [certificate, ..] => certificate.clone(),
        };
        let (issuers, trusted) = (anchors(&self.issuer)?, anchors(&self.trust)?);
        let trusted = if self.trust.is_empty() { issuers.clone() } else { trusted };
        let mut check = crate::app::check::Check {
            certificate,
            others: issuers,
            anchors: trusted,
            ways: match (self.no_ocsp, self.no_crl) {
                (true, _) => Ways::Crls,
                (_, true) => Ways::Ocsp,
                _ => Ways::Both,
            },
            ocsp_url: self.ocsp_url,
            crl_dir: self.crl_dir,
            index: self.index,
        };
        let (mut fetcher, now) = (Fetcher::new(Patience::DEFAULT)?, clock::now());
        match check.run(&mut fetcher, now, &mut clock::entropy::<32>) {
            Ok(checked) => Ok(told(&checked, now)),
            Err(fault) => Ok(untrusted(&check.certificate, &fault.to_string())),
        }
    }
}

fn untrusted(certificate: &CertificateFields, why: &str) -> Reply {
    let text = format!("undecided: {why}\n");
    let json = json!({
        "verdict": "undecided", "why": why,
        "subject": certificate.subject.to_string(), "serial": certificate.serial.to_string(),
    });
    Reply::done(text, json).with_exit(Exit::Undecided)
}

fn told(checked: &Checked, now: Time) -> Reply {
    let verdict = checked.verdict();
    let mut text = format!("{}\nchain: {}\n", name(verdict), checked.chain.join(" <- "));
    for one in &checked.certificates {
        text.push_str(&format!("{} {}: {}\n", one.subject, one.serial, of_one(one)));
        for said in &one.said {
            text.push_str(&format!("  {}\n", said_text(said, now)));
        }
        for why in &one.unheard {
            text.push_str(&format!("  not used: {why}\n"));
        }
    }
    let certificates: Vec<Value> = checked.certificates.iter().map(|one| one_json(one, now)).collect();
    let json = json!({ "verdict": name(verdict), "chain": checked.chain, "certificates": certificates });
    let exit = match verdict {
        Verdict::Good => Exit::Done,
        Verdict::Held | Verdict::Revoked => Exit::Refused,
        Verdict::Undecided => Exit::Undecided,
    };
    Reply::done(text, json).with_exit(exit)
}

fn of_one(one: &OfOne) -> &'static str {
    if one.was_asked() { name(one.verdict()) } else { "names nobody who could be asked" }
}

fn said_text(said: &Said, now: Time) -> String {
    let age = now.since(said.this_update);
    let until = said.next_update.map_or(String::new(), |until| format!(", counts until {until}"));
    let status = match said.status {
        CertStatus::Good => "good".to_owned(),
        CertStatus::Held { since } => format!("held since {since}"),
        CertStatus::Revoked { at, reason } => format!("revoked at {at}, {}", reason.name()),
        CertStatus::Unknown => "unknown".to_owned(),
    };
    format!(
        "{}: {status}; known at {} ({age} s ago){until}; {}; {}",
        by(said),
        said.this_update,
        said.because,
        said.place
    )
}

fn one_json(one: &OfOne, now: Time) -> Value {
    let said = one.said.iter().map(|said| {
        let (status, since, reason) = match said.status {
            CertStatus::Good => ("good", None, None),
            CertStatus::Held { since } => ("held", Some(since), None),
            CertStatus::Revoked { at, reason } => ("revoked", Some(at), Some(reason.name())),
            CertStatus::Unknown => ("unknown", None, None),
        };
        json!({
            "by": by(said), "status": status, "since": since.map(|time| time.to_string()), "reason": reason,
            "this_update": said.this_update.to_string(), "age_seconds": now.since(said.this_update),
            "next_update": said.next_update.map(|time| time.to_string()),
            "place": said.place, "because": said.because,
        })
    });
    json!({
        "subject": one.subject, "serial": one.serial.to_string(), "verdict": of_one(one),
        "said": said.collect::<Vec<_>>(), "not_used": one.unheard,
    })
}

fn by(said: &Said) -> &'static str {
    match said.by {
        By::Crl => "CRL",
        By::Ocsp => "OCSP",
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Held => "held",
        Verdict::Revoked => "revoked",
        Verdict::Undecided => "undecided",
    }
}

const EXAMPLES: &str = "\
The chain must lead to a trusted certificate; then each certificate on it is asked about, and looked up. Revoked is final; of a hold and a good answer the newer one counts.

Exit codes: 0 good; 1 revoked or held; 2 the command line; 7 a file; 8 undecided: nobody who is trusted says.

Examples:
  tashika check card.pem --trust root.pem
  tashika check card.pem --trust root.pem --issuer ca.pem --index http://status.example.jp --json
  tashika check card.pem --trust root.pem --issuer ca.pem --crl-dir /var/lib/tashika-crl --no-ocsp";
