//! Events and commands in words and in JSON: for the command line and for the admin listener, so that both say the same.
//! Holders, media and SIMs are never shown, pseudonyms or not.

use serde_json::{Value, json};

use super::words::counted;
use crate::asn1::{DistributionPointName, FullName};
use crate::model::{
    Actor, Body, Book, CertificateKey, Change, Channel, Command, Event, HoldId, HoldKind, Position, Report, Role,
    SetChange, SetTarget, Subject, UndoScope, WhyQueued,
};

/// An event as a line.
pub struct Line {
    /// Its position.
    pub position: Position,
    /// What it says.
    pub event: Event,
}

impl Line {
    /// In words.
    pub fn text(&self, book: &Book) -> String {
        match &self.event.body {
            Body::Changed { key, change, .. } => {
                format!("{}: {}", key_name(book, key), change_text(change, self.position))
            }
            body => body_text(book, body),
        }
    }

    /// In JSON.
    pub fn json(&self, book: &Book) -> Value {
        let mut json = json!({
            "position": self.position.to_string(),
            "time": self.event.time.to_string(),
            "org": role_name(book, self.event.actor.role),
            "person": self.event.actor.person.to_string(),
            "cause": self.event.cause.map(|cause| cause.to_string()),
            "what": self.text(book),
        });
        if let Body::Changed { key, change, .. } = &self.event.body {
            json["issuer"] = json!(issuer_name(book, key));
            json["serial"] = json!(key.serial.to_string());
            json["change"] = json!(change.name());
        }
        json
    }
}

/// An organisation by its names: a CA by its issuer's.
pub fn role_name(book: &Book, role: Role) -> String {
    match role {
        Role::Ca(no) => format!("ca:{}", book.issuer(no).map_or_else(|| no.to_string(), |issuer| issuer.name.clone())),
        role => role.to_string(),
    }
}

/// Issuer and serial.
pub fn key_name(book: &Book, key: &CertificateKey) -> String {
    format!("{} {}", issuer_name(book, key), key.serial)
}

/// The issuer's name.
pub fn issuer_name(book: &Book, key: &CertificateKey) -> String {
    book.issuer(key.issuer).map_or_else(|| format!("issuer {}", key.issuer), |issuer| issuer.name.clone())
}

/// Why a command waits.
pub fn why_queued(why: WhyQueued) -> &'static str {
    match why {
        WhyQueued::BackdatedLoss => "the stated loss lies far back",
        WhyQueued::OverBudget => "over the sender's budget",
        WhyQueued::TwoPeople => "always takes two people",
    }
}

/// Who may lift a hold.
pub fn lifted_by(kind: HoldKind) -> String {
    match kind {
        HoldKind::Carrier(operator) => format!("carrier {operator} or its host, the holder with the card"),
        HoldKind::CallCentre | HoldKind::Holder | HoldKind::Imported | HoldKind::Window => {
            "the window, the holder with the card".into()
        }
        HoldKind::Registry => "the registry".into(),
        HoldKind::Review | HoldKind::RuleX | HoldKind::Set => "two people of the window or of operations".into(),
    }
}

/// Whose hold it is, with the operator's name for a carrier's.
pub fn hold_name(kind: HoldKind) -> String {
    match kind {
        HoldKind::Carrier(operator) => format!("carrier {operator}"),
        kind => kind.name().into(),
    }
}

/// A command in words.
pub fn command_text(book: &Book, command: &Command) -> String {
    match command {
        Command::Activate(key) => format!("activate {}", key_name(book, key)),
        Command::AdoptEpoch { epoch, note } => format!("adopt epoch {epoch} ({note})"),
        Command::DecideQueued { queued, verdict } => format!("{} {queued}", verdict.name()),
        Command::Hold { key, lost_at } => format!("hold {}{}", key_name(book, key), lost(lost_at.as_ref())),
        Command::Release { key, holds } => format!("release {} from {}", key_name(book, key), hold_ids(holds)),
        Command::Report(report) => report_text(report),
        Command::Revoke { key, reason, lost_at } => {
            format!("revoke {} ({reason}){}", key_name(book, key), lost(lost_at.as_ref()))
        }
        Command::Set { target, change } => set_text(book, target, *change),
        Command::Undo(scope) => undo_text(book, scope),
    }
}

/// An event's kind: a short name that never changes.
pub fn body_name(body: &Body) -> &'static str {
    match body {
        Body::Changed { .. } => "changed",
        Body::CrlsNumbered { .. } => "crls-numbered",
        Body::EpochAdopted { .. } => "epoch-adopted",
        Body::InboxRefused { .. } => "inbox-refused",
        Body::IssuerAdded(_) => "issuer-added",
        Body::LedgerCreated { .. } => "ledger-created",
        Body::Queued { .. } => "queued",
        Body::QueueDecided { .. } => "queue-decided",
        Body::Registered { .. } => "registered",
        Body::Reported(_) => "reported",
        Body::ScopeAdded(_) => "scope-added",
        Body::SetChanged { .. } => "set-changed",
        Body::UndoOrdered(_) => "undo-ordered",
    }
}

/// How a command came in: a short name that never changes.
pub fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Api => "api",
        Channel::Cli => "cli",
        Channel::Import => "import",
        Channel::Sql => "sql",
        Channel::Timer => "timer",
    }
}

fn body_text(book: &Book, body: &Body) -> String {
    match body {
        Body::Changed { key, change, .. } => format!("{}: {}", key_name(book, key), change.name()),
        Body::CrlsNumbered { number } => format!("CRLs numbered {number}"),
        Body::EpochAdopted { epoch, note } => format!("epoch {epoch} adopted: {note}"),
        Body::InboxRefused { inbox, why } => format!("inbox {inbox} refused: {why}"),
        Body::IssuerAdded(issuer) => format!("issuer {} added", issuer.name),
        Body::LedgerCreated { ledger } => format!("ledger {ledger} created"),
        Body::Queued { request, why } => {
            format!("waits ({}): {}", why_queued(*why), command_text(book, &request.command))
        }
        Body::QueueDecided { queued, verdict } => format!("{queued} {}", verdict.name()),
        Body::Registered { count, .. } => format!("{} registered", counted(u64::from(*count), "certificate")),
        Body::Reported(report) => report_text(report),
        Body::ScopeAdded(scope) => format!("CRL scope {} added", scope.path),
        Body::SetChanged { target, change } => set_text(book, target, *change),
        Body::UndoOrdered(scope) => undo_text(book, scope),
    }
}

fn change_text(change: &Change, position: Position) -> String {
    match change {
        Change::Acknowledged => "acknowledged, in use".into(),
        Change::HandedOver { to } => format!("handed over to municipality {to}"),
        Change::Held { kind, lost_at, becomes } => {
            let becomes = becomes.map_or_else(String::new, |end| format!(", final on {} ({})", end.due, end.reason));
            format!("held by {} (hold {position}){}{becomes}", hold_name(*kind), lost(lost_at.as_ref()))
        }
        Change::LossDated { lost_at } => format!("loss dated to {lost_at}"),
        Change::ReasonChanged { reason } => format!("reason changed to {reason}"),
        Change::Released { holds } => format!("released from {}", hold_ids(holds)),
        Change::Revoked { reason, at, lost_at } => {
            format!("revoked ({reason}) as of {at}{}", lost(lost_at.as_ref()))
        }
    }
}

fn report_text(report: &Report) -> String {
    let of = match report.subject {
        Subject::Holder(_) => "a holder".to_owned(),
        Subject::Medium(_) => "a medium".to_owned(),
        Subject::Sim { operator, .. } => format!("a SIM of {operator}"),
    };
    let to = report.moved_to.map_or_else(String::new, |to| format!(" to {to}"));
    let evidence = report.evidence.as_ref().map_or_else(String::new, |papers| format!(", evidence {papers}"));
    format!("report {} of {of}{to}{}{evidence}", report.kind, lost(report.lost_at.as_ref()))
}

fn set_text(book: &Book, target: &SetTarget, change: SetChange) -> String {
    let which = match target {
        SetTarget::Batch(batch) => format!("chip batch {batch}"),
        SetTarget::Issuer(no) => match book.issuer(*no) {
            Some(issuer) => format!("all certificates of {}", issuer.name),
            None => format!("all certificates of issuer {no}"),
        },
        SetTarget::Listed { list, count, .. } => format!("{} of list {list}", counted(*count, "certificate")),
    };
    match change {
        SetChange::Held => format!("hold {which}"),
        SetChange::Released { hold } => format!("release {which} from hold {hold}"),
        SetChange::Revoked { reason } => format!("revoke {which} ({reason})"),
    }
}

fn undo_text(book: &Book, scope: &UndoScope) -> String {
    match scope {
        UndoScope::ByActor { actor: Actor { role, person, .. }, since, until } => {
            format!("undo what {}/{person} did from {since} until {until}", role_name(book, *role))
        }
        UndoScope::Cause(cause) => format!("undo what followed from event {cause}"),
    }
}

fn hold_ids(holds: &[HoldId]) -> String {
    match holds {
        [] => "no hold".into(),
        [one] => format!("hold {one}"),
        several => format!("holds {}", several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn lost(at: Option<&crate::model::Time>) -> String {
    at.map_or_else(String::new, |at| format!(", lost at {at}"))
}

/// A stored distribution point in words; `None` for a scope without one.
pub fn point_text(der: &[u8]) -> Option<String> {
    if der.is_empty() {
        return None;
    }
    let names = DistributionPointName::from_der(der).ok()?;
    let names: Vec<_> = names
        .full_names()
        .iter()
        .map(|name| match name {
            FullName::Directory(name) => name.to_string(),
            FullName::Other(der) => der.iter().map(|octet| format!("{octet:02x}")).collect(),
            FullName::Uri(uri) => uri.clone(),
        })
        .collect();
    Some(names.join(" or "))
}
