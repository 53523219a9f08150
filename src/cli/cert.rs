//! `cert`: one certificate, by issuer and serial, or a whole set of them by one event.

use clap::{Args, Subcommand};

use serde_json::json;

use crate::ledger::Wanted;
use crate::model::{Actor, CertificateKey, Command, Entry, HoldId, Outcome, Position, Reason, Serial, SetChange, Time};

use super::cert_set::Which;
use super::cert_show::Show;
use super::error::CliError;
use super::house::{DryRun, House};
use super::reply::Reply;
use super::who::{Org, Sender};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Acknowledge the delivery of a certificate.
    #[command(after_help = ACTIVATE_EXAMPLES)]
    Activate(Activate),
    /// Hold a certificate, or a set.
    #[command(after_help = HOLD_EXAMPLES)]
    Hold(Hold),
    /// Lift holds of a certificate, or of a set.
    #[command(after_help = RELEASE_EXAMPLES)]
    Release(Release),
    /// Revoke a certificate, or a set, for good.
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke(Revoke),
    /// Show what is known of a certificate.
    #[command(after_help = SHOW_EXAMPLES)]
    Show(Show),
}

/// One certificate.
#[derive(Debug, Args)]
pub struct One {
    /// Its issuer.
    #[arg(long, value_name = "NAME")]
    pub issuer: String,
    /// Its serial number.
    #[arg(long, value_name = "HEX", allow_hyphen_values = true)]
    pub serial: Serial,
}

/// `cert activate`.
#[derive(Debug, Args)]
pub struct Activate {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    by: By,
}

/// `cert hold`.
#[derive(Debug, Args)]
pub struct Hold {
    #[command(flatten)]
    which: Which,
    /// When it was lost, as stated.
    #[arg(long, value_name = "TIME")]
    lost_at: Option<Time>,
    #[command(flatten)]
    by: By,
}

/// `cert release`.
#[derive(Debug, Args)]
pub struct Release {
    /// Its issuer.
    #[arg(long, value_name = "NAME", required_unless_present = "set", requires = "serial")]
    issuer: Option<String>,
    /// Its serial number.
    #[arg(long, value_name = "HEX", allow_hyphen_values = true, requires = "issuer")]
    serial: Option<Serial>,
    /// Which hold (see 'cert show'); repeat it to lift several.
    #[arg(long, value_name = "ID")]
    hold: Vec<u64>,
    /// The whole set that was held by one event, by the id of that hold.
    #[arg(long, value_name = "ID", conflicts_with_all = ["issuer", "hold"])]
    set: Option<u64>,
    #[command(flatten)]
    by: By,
}

/// `cert revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Why.
    #[arg(long, default_value = "unspecified")]
    reason: Reason,
    /// When it was lost, as stated.
    #[arg(long, value_name = "TIME")]
    lost_at: Option<Time>,
    #[command(flatten)]
    by: By,
}

/// Who asks, under which name.
#[derive(Debug, Args)]
pub struct By {
    #[command(flatten)]
    sender: Sender,
    /// Names this command: sent twice under one key, it counts once.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Verb {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        match self {
            Self::Activate(Activate { one, by }) => {
                let command = Command::Activate(one.key(house)?);
                by.send(house, command)
            }
            Self::Hold(Hold { which, lost_at, by }) => match which.one(house)? {
                Some(key) => by.send(house, Command::Hold { key, lost_at }),
                None => set(house, &which, SetChange::Held, lost_at, &by),
            },
            Self::Release(verb) => verb.run(house),
            Self::Revoke(Revoke { which, reason, lost_at, by }) => match which.one(house)? {
                Some(key) => by.send(house, Command::Revoke { key, reason, lost_at }),
                None => set(house, &which, SetChange::Revoked { reason }, lost_at, &by),
            },
            Self::Show(verb) => verb.run(house),
        }
    }
}

impl Release {
    fn run(self, house: &mut House) -> Result<Reply, CliError> {
        if let Some(id) = self.set.map(Position) {
            // Just the set that was held: a file or a number written anew could be another one.
            let held = house.book()?.sets.into_iter().find(|set| set.position == id);
            let target = held.ok_or(CliError::NoSet(id))?.target;
            let change = SetChange::Released { hold: HoldId(id) };
            return self.by.send(house, Command::Set { target, change });
        }
        let (Some(issuer), Some(serial)) = (self.issuer, self.serial) else {
            return Err(CliError::Usage("say which: --issuer and --serial, or --set".into()));
        };
        let key = One { issuer, serial }.key(house)?;
        let holds = self.hold.into_iter().map(|id| HoldId(Position(id))).collect();
        self.by.send(house, Command::Release { key, holds })
    }
}

/// One event for a whole set; the usual settings ask for a second person.
fn set(house: &mut House, which: &Which, change: SetChange, lost_at: Option<Time>, by: &By) -> Result<Reply, CliError> {
    if lost_at.is_some() {
        return Err(CliError::Usage("a set has no one time of loss: leave out --lost-at".into()));
    }
    house.enter(by.dry_run.mode());
    house.may_change()?;
    let person = by.sender.actor(house, Org::Ops)?.person;
    let target = which.target(house, person)?;
    let reply = by.send(house, Command::Set { target, change })?;
    which.warn_of_nobody(house)?;
    Ok(reply)
}

impl One {
    /// The key of every look-up.
    pub fn key(&self, house: &House) -> Result<CertificateKey, CliError> {
        Ok(CertificateKey { issuer: house.issuer(&self.issuer)?.no, serial: self.serial })
    }
}

impl By {
    /// Sends it as the window, or as operations where only they may.
    fn send(&self, house: &mut House, command: Command) -> Result<Reply, CliError> {
        house.enter(self.dry_run.mode());
        house.may_change()?;
        let usual = if matches!(command, Command::Set { .. }) { Org::Ops } else { Org::Window(None) };
        let actor = self.sender.actor(house, usual)?;
        let key = match &command {
            Command::Hold { key, .. } | Command::Revoke { key, .. } => Some(*key),
            _ => None,
        };
        let outcome = house.send(actor, command, self.idempotency_key.as_deref())?;
        let reply = house.told(outcome)?;
        match key.filter(|_| outcome == Outcome::AlreadySo) {
            Some(key) => said_by(house, &actor, key, reply),
            None => Ok(reply),
        }
    }
}

/// Names the event since when a certificate is as it was to become, for who has to look it up.
fn said_by(house: &House, actor: &Actor, key: CertificateKey, mut reply: Reply) -> Result<Reply, CliError> {
    let wanted = Wanted { keys: vec![key], ..Wanted::default() };
    let entry = house.ledger().find(&wanted)?.entries.pop();
    let by = entry.and_then(|Entry { status, .. }| match status.revocation() {
        Some(revocation) => Some(revocation.by),
        None => status.holds.iter().rfind(|hold| Some(hold.kind) == actor.role.hold_kind()).map(|hold| hold.id.0),
    });
    if let Some(by) = by {
        reply.text = reply.text.replacen("so already", &format!("so already, by event {by}"), 1);
        reply.json["event"] = json!(by.to_string());
    }
    Ok(reply)
}

const ACTIVATE_EXAMPLES: &str = "\
Example:
  tashika cert activate --issuer phone-auth --serial 0A1B --as sp-tsm/batch-3";

const HOLD_EXAMPLES: &str = "\
Examples:
  tashika cert hold --issuer phone-auth --serial 0A1B --lost-at 2026-11-19T21:00:00+09:00 --as window:13101/tanaka
  tashika cert hold --issuer card-sign --list serials.txt --as ops/suzuki --dry-run
  tashika cert hold --batch 77 --as ops/suzuki

A set (--list, --batch, --all) is one event; 'cert release --set' lifts its hold from just that set.";

const SHOW_EXAMPLES: &str = "\
Examples:
  tashika cert show --issuer phone-auth --serial 0A1B
  tashika cert show --issuer phone-auth --serial 0a:1b --history --json";

const RELEASE_EXAMPLES: &str = "\
Examples:
  tashika cert release --issuer phone-auth --serial 0A1B --hold 4711
  tashika cert release --issuer phone-auth --serial 0A1B --hold 4711 --as holder/h-1 --presenting 1234567890
  tashika cert release --set 4800 --as ops/suzuki

A release lifts only the holds that it names, so that a late one never reaches the hold of a later loss.";

const REVOKE_EXAMPLES: &str = "\
Examples:
  tashika cert revoke --issuer card-sign --serial 0A1B --reason keyCompromise
  tashika cert revoke --issuer card-sign --list serials.txt --reason cACompromise --as ops/suzuki
  tashika cert revoke --batch 77 --reason keyCompromise --as ops/suzuki
  tashika cert revoke --issuer card-sign --all --reason cACompromise --as ca:card-sign/hsm-room

A set (--list, --batch, --all) is one event however many certificates it has; operations need a second person for it,
an issuing CA speaks for its own certificates. A list has one serial a line; empty lines and lines with # are skipped.";
