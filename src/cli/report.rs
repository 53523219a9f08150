//! `report`: what happened to a holder's card, phone or SIM, in the words of those who report it.

use clap::builder::PossibleValuesParser;
use clap::{Args, builder::TypedValueParser as _};

use crate::app::clock;
use crate::app::pseudonym::Named;
use crate::model::{Command, HolderId, MediumId, Municipality, Operator, ReportKind, SimId, Subject, Time};

use super::error::CliError;
use super::house::{DryRun, House};
use super::reply::Reply;
use super::who::{Org, Sender, municipality};

/// `report`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Report {
    /// What happened.
    #[arg(value_parser = kinds())]
    kind: ReportKind,
    #[command(flatten)]
    subject: About,
    /// The SIM's operator.
    #[arg(long, value_name = "OPERATOR", requires = "sim")]
    operator: Option<Operator>,
    /// When it was lost, as stated.
    #[arg(long, value_name = "TIME")]
    lost_at: Option<Time>,
    /// Where to, for 'moved'.
    #[arg(long, value_name = "MUNICIPALITY", value_parser = municipality)]
    to: Option<Municipality>,
    #[command(flatten)]
    sender: Sender,
    /// Names this report: sent twice under one key, it counts once.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Where the papers are.
    #[arg(long, value_name = "REF")]
    evidence: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Whom or what a report is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct About {
    /// Everything of this holder that the report touches.
    #[arg(long, value_name = "ID")]
    holder: Option<String>,
    /// This card, SIM or secure element.
    #[arg(long, value_name = "ID")]
    medium: Option<String>,
    /// This SIM, as its operator numbers it.
    #[arg(long, value_name = "ID", requires = "operator")]
    sim: Option<String>,
}

impl Report {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        house.enter(self.dry_run.mode());
        house.may_change()?;
        match (self.kind, self.to) {
            (ReportKind::Moved, None) => return Err(CliError::Usage("'moved' needs --to MUNICIPALITY".into())),
            (ReportKind::Moved, Some(_)) | (_, None) => {}
            (kind, Some(_)) => return Err(CliError::Usage(format!("--to says where a holder moved, not '{kind}'"))),
        }
        if self.evidence.as_ref().is_some_and(|papers| papers.len() > EVIDENCE_OCTETS_MAX) {
            return Err(CliError::Usage(format!("--evidence takes {EVIDENCE_OCTETS_MAX} octets at most: a reference")));
        }
        let actor = self.sender.actor(house, Org::Window(None))?;
        let report = crate::model::Report {
            kind: self.kind,
            subject: self.subject.subject(self.operator, house)?,
            lost_at: self.lost_at,
            reported_at: clock::now(),
            moved_to: self.to,
            evidence: self.evidence,
        };
        let outcome = house.send(actor, Command::Report(report), self.idempotency_key.as_deref())?;
        house.told(outcome)
    }
}

impl About {
    fn subject(&self, operator: Option<Operator>, house: &mut House) -> Result<Subject, CliError> {
        Ok(match (&self.holder, &self.medium, &self.sim, operator) {
            (Some(id), ..) => Subject::Holder(HolderId(house.pseudonym(Named::Holder, id)?)),
            (_, Some(id), ..) => Subject::Medium(MediumId(house.pseudonym(Named::Medium, id)?)),
            (_, _, Some(id), Some(operator)) => Subject::Sim { sim: SimId(house.pseudonym(Named::Sim, id)?), operator },
            _ => {
                return Err(CliError::Usage(
                    "say whom it is about: --holder, --medium, or --sim with --operator".into(),
                ));
            }
        })
    }
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = ReportKind> {
    PossibleValuesParser::new(ReportKind::ALL.map(ReportKind::name)).try_map(|name| name.parse::<ReportKind>())
}

/// References to papers, not papers.
const EVIDENCE_OCTETS_MAX: usize = 256;

const EXAMPLES: &str = "\
Examples:
  tashika report card-lost --medium 1234567890 --as call-centre/desk-7 --lost-at 2026-11-19T21:00:00+09:00
  tashika report phone-lost --sim 8981100000000000001 --operator mno-1 --as carrier:mno-1/shop-12
  tashika report phone-found --holder h-000123 --as holder/h-000123 --presenting 1234567890
  tashika report moved --holder h-000123 --to 13101 --as registry/daily-file --idempotency-key 2026-11-20/4711

It acts as 'window' unless --as says otherwise; operations may not report. Identifiers are turned into pseudonyms
before they are written; 32 hexadecimal digits are taken to be one already.";
