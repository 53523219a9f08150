//! `import`: certificates that another system issued or kept, beside everything else that goes on.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::clock;
use crate::app::pseudonym::Named;
use crate::app::words::counted;
use crate::desk::bulk::{Bulk, Counts, Job, Plan};
use crate::ledger::import::{Defaults, Format, Kind};
use crate::model::{Action, Batch, IssuerNo, MediumKind, Municipality, Refusal, Role, ScopeNo, Usage, may};

use super::bulk::{BulkClock, OnBadArgs, Teller};
use super::error::{CliError, warn};
use super::house::House;
use super::reply::Reply;
use super::who::{Acting, Org, municipality};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Register certificates from NDJSON with all that is kept of them, or from PEM or DER.
    #[command(after_help = EXAMPLES)]
    Certificates(Certificates),
    /// Import or synchronise the database of 'openssl ca'.
    #[command(after_help = EXAMPLES)]
    OpensslIndex(OpensslIndex),
}

/// `import certificates`.
#[derive(Debug, Args)]
pub struct Certificates {
    /// The file; its beginning says what it is.
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// `import openssl-index`.
#[derive(Debug, Args)]
pub struct OpensslIndex {
    /// The file, usually index.txt.
    #[arg(long, value_name = "FILE")]
    index: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Whose certificates these are.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// Check everything, write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    on_bad: OnBadArgs,
    /// SIGN or AUTH, where the file doesn't say [default: by key usage, else AUTH].
    #[arg(long = "type", value_name = "TYPE", value_parser = usage)]
    usage: Option<Usage>,
    /// CARD, ESE_ANDROID or SE_APPLE, where the file doesn't say; SIMs take NDJSON [default: CARD].
    #[arg(long, value_name = "KIND", value_parser = medium)]
    medium: Option<MediumKind>,
    /// The chip batch, where the file doesn't say.
    #[arg(long)]
    batch: Option<u32>,
    /// The municipality of registration, where the file doesn't say.
    #[arg(long, value_name = "CODE", value_parser = municipality)]
    municipality: Option<Municipality>,
    /// The CRL scope, by its path; what a certificate itself names is never overruled.
    #[arg(long, value_name = "PATH")]
    scope: Option<String>,
    #[command(flatten)]
    acting: Acting,
}

impl Verb {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        match self {
            Self::Certificates(Certificates { file, common }) => {
                let format = detect(&file)?;
                common.run(house, &file, format)
            }
            Self::OpensslIndex(OpensslIndex { index, common }) => common.run(house, &index, Format::OpensslIndex),
        }
    }
}

impl Common {
    fn run(self, house: &mut House, file: &Path, format: Format) -> Result<Reply, CliError> {
        if !self.dry_run {
            house.may_change()?;
        }
        let issuer = house.issuer(&self.issuer)?.no;
        let actor = self.acting.actor(house, Org::Ca(self.issuer.clone()))?;
        may(actor.role, Action::Register).map_err(|refusal| house.named(refusal))?;
        if actor.role != Role::Ca(issuer) {
            return Err(house.named(Refusal::NotCompetent { role: actor.role, why: "another CA issued them" }));
        }
        let defaults = self.defaults(house)?;
        let (names, ledger, policy) = house.for_import()?;
        let kind = |kind| match kind {
            Kind::Applet => Named::Applet,
            Kind::Holder => Named::Holder,
            Kind::Medium => Named::Medium,
            Kind::Sim => Named::Sim,
        };
        let pseudonym = |of: Kind, text: &str| names.of(kind(of), text);
        let on_bad = self.on_bad.on_bad();
        let job = Job { source: &file, format, issuer, defaults, pseudonym: &pseudonym, on_bad };
        let clock = BulkClock::start();
        let bulk = Bulk { ledger, policy, clock: &clock, person: actor.person };
        let mut teller = Teller::new(file, ledger.book()?.1);
        let failed = |source| CliError::bulk(file, source);
        let plan = bulk.plan(&job, &mut |notice| teller.tell(notice)).map_err(failed)?;
        let counts = if self.dry_run || plan.is_empty() {
            None
        } else {
            Some(bulk.run(&job, &plan, &mut |notice| teller.tell(notice)).map_err(failed)?)
        };
        drop(teller);
        warn_of(&plan);
        Ok(told(&plan, counts, self.dry_run))
    }

    fn defaults(&self, house: &House) -> Result<Defaults, CliError> {
        let scope = match &self.scope {
            None => None,
            Some(path) => Some(scope_at(house, issuer_of(house, &self.issuer)?, path)?),
        };
        Ok(Defaults {
            usage: self.usage,
            medium: self.medium,
            batch: self.batch.map(Batch),
            municipality: self.municipality,
            scope,
            known_from: clock::now(),
        })
    }
}

fn issuer_of(house: &House, name: &str) -> Result<IssuerNo, CliError> {
    Ok(house.issuer(name)?.no)
}

fn scope_at(house: &House, issuer: IssuerNo, path: &str) -> Result<ScopeNo, CliError> {
    let book = house.book()?;
    let scope = book.scopes.iter().find(|scope| scope.issuer == issuer && scope.path == path);
    scope.map(|scope| scope.no).ok_or_else(|| CliError::NoScope(path.to_owned()))
}

/// Which of the three forms a file of certificates has.
fn detect(file: &Path) -> Result<Format, CliError> {
    let mut beginning = Vec::new();
    let opened =
        File::open(file).and_then(|file| BufReader::new(file).take(BEGINNING_OCTETS).read_to_end(&mut beginning));
    opened.map_err(|error| CliError::io(file, error))?;
    Format::detect(&beginning).map_err(|error| CliError::bulk(file, error.into()))
}

fn told(plan: &Plan, counts: Option<Counts>, dry_run: bool) -> Reply {
    // Where there is nothing to do, that much is done without a second reading.
    let nothing = Counts { unchanged: if dry_run { 0 } else { plan.counts.unchanged }, ..Counts::default() };
    let (planned, done) = (plan.counts, counts.unwrap_or(nothing));
    let json = |counts: Counts| {
        json!({
            "registered": counts.registered, "revoked": counts.revoked, "held": counts.held,
            "amended": counts.amended, "unchanged": counts.unchanged,
        })
    };
    let end = match counts {
        None if dry_run => "nothing was written (--dry-run)\n".to_owned(),
        None => "nothing to do\n".to_owned(),
        Some(counts) => format!(
            "done: {} registered, {} revoked, {} held, {} amended\n",
            counts.registered, counts.revoked, counts.held, counts.amended
        ),
    };
    let json = json!({
        "entries": plan.entries, "planned": json(planned), "done": json(done), "skipped": plan.skipped(),
        "without_combined": plan.without_combined, "unverified": plan.unverified, "dry_run": dry_run,
    });
    Reply::done(format!("{}{end}", plan_text(plan)), json)
}

/// What is no error and yet worth a look, beside the result.
fn warn_of(plan: &Plan) {
    if plan.without_combined > 0 {
        warn(&format!(
            "{} without a cRLIssuer in a distribution point: verifiers may use the combined CRL by local policy only \
             (RFC 5280 6.3.3)",
            counted(plan.without_combined, "certificate")
        ));
    }
    if plan.unverified > 0 {
        warn(&format!(
            "{} with a signature that could not be verified (unsupported algorithm); the issuer was matched by name and \
             key identifier",
            counted(plan.unverified, "certificate")
        ));
    }
}

fn plan_text(plan: &Plan) -> String {
    let Counts { registered, revoked, held, amended, unchanged } = plan.counts;
    let entries = if plan.entries == 1 { "entry" } else { "entries" };
    let mut text = format!("{:>12} {entries}\n", plan.entries);
    let register = if registered == 1 { "certificate to register" } else { "certificates to register" };
    for (count, what) in [
        (registered, register),
        (revoked, "to revoke"),
        (held, "to hold"),
        (amended, "with a worse reason or an earlier loss to record"),
        (unchanged, "registered already, nothing to do"),
        (plan.skipped(), "left out"),
    ] {
        if count > 0 {
            text.push_str(&format!("{count:>12} {what}\n"));
        }
    }
    text
}

fn usage(text: &str) -> Result<Usage, String> {
    let known = [Usage::Auth, Usage::Sign].into_iter().find(|usage| usage.name().eq_ignore_ascii_case(text));
    known.ok_or_else(|| format!("'{text}' is neither SIGN nor AUTH"))
}

fn medium(text: &str) -> Result<MediumKind, String> {
    let kinds = [MediumKind::Card, MediumKind::EseAndroid, MediumKind::SeApple, MediumKind::Sim];
    let known = kinds.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text));
    known.ok_or_else(|| format!("'{text}' is not one of CARD, ESE_ANDROID, SE_APPLE, SIM"))
}

/// `openssl x509 -text` puts several kilobytes before the first PEM block.
const BEGINNING_OCTETS: u64 = 64 * 1024;

const EXAMPLES: &str = "\
Examples:
  tashika import openssl-index --issuer card-sign --index index.txt --dry-run
  tashika import certificates --issuer phone-auth issued.ndjson
  tashika import certificates --issuer card-sign issued.pem --scope card-sign-13101 --municipality 13101

The whole file is checked before anything is written; one bad entry stops it unless --skip-bad is given. An import that
was broken off is simply run again: what is registered already is left alone. Importing an index again brings the
ledger up to date with it.";
