//! Every variant that stands in the ledger's bytes, by name: an exhaustive match and the list of its names in one, so
//! that a new variant doesn't compile until it is named here, and the golden test fails until a file pins it.

use std::collections::BTreeSet;

use tashika::model::{
    Actor, Body, Certificate, Change, Channel, Command, Delivery, Event, Final, HoldKind, KeyOrigin, Life, MediumKind,
    Proofing, Reason, Report, ReportKind, Request, Role, SetChange, SetTarget, Status, Subject, UndoScope, Usage,
    Verdict, WhyQueued,
};

/// Which variants were met.
#[derive(Default)]
pub struct Met(BTreeSet<String>);

macro_rules! variants {
    ($($kind:ident { $($name:ident $(($($inside:tt)*))? $({$($fields:tt)*})?),+ $(,)? })+) => {
        /// All that there are.
        pub fn all() -> BTreeSet<String> {
            [$($(concat!(stringify!($kind), "::", stringify!($name))),+),+].map(str::to_owned).into()
        }

        $(impl Name for $kind {
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$name $(($($inside)*))? $({$($fields)*})? => concat!(stringify!($kind), "::", stringify!($name)),)+
                }
            }
        })+
    };
}

trait Name {
    fn name(&self) -> &'static str;
}

variants! {
    Body {
        Changed {..}, CrlsNumbered {..}, EpochAdopted {..}, InboxRefused {..}, IssuerAdded(_), LedgerCreated {..}, Queued {..},
        QueueDecided {..}, Registered {..}, Reported(_), ScopeAdded(_), SetChanged {..}, UndoOrdered(_),
    }
    Change {
        Acknowledged, HandedOver {..}, Held {..}, LossDated {..}, ReasonChanged {..}, Released {..}, Revoked {..},
    }
    Channel { Api, Cli, Import, Sql, Timer }
    Command {
        Activate(_), AdoptEpoch {..}, DecideQueued {..}, Hold {..}, Release {..}, Report(_), Revoke {..}, Set {..},
        Undo(_),
    }
    Delivery { Awaited, Delivered }
    HoldKind { CallCentre, Carrier(_), Holder, Imported, Registry, Review, RuleX, Set, Window }
    KeyOrigin { Medium, Service, Unknown }
    Life { Active, Pending, Revoked(_) }
    MediumKind { Card, EseAndroid, SeApple, Sim }
    Proofing { CardSignature, InPerson, Unknown }
    Reason {
        AaCompromise, AffiliationChanged, CaCompromise, CessationOfOperation, KeyCompromise, PrivilegeWithdrawn,
        Superseded, Unspecified,
    }
    ReportKind {
        CardFound, CardLost, CardNotFound, ContractEnded, Delivered, Died, HolderApplies, Moved, NotDelivered,
        PhoneFound, PhoneLost, PhoneNotFound, Renamed, Renewed, Returned, SimDisposed, SimSwapped,
    }
    Role {
        Auditor, Ca(_), CallCentre, Carrier(_), Holder {..}, Ops, Registry, SpTsm, System, Window(_),
    }
    SetChange { Held, Released {..}, Revoked {..} }
    SetTarget { Batch(_), Issuer(_), Listed {..} }
    Subject { Holder(_), Medium(_), Sim {..} }
    UndoScope { ByActor {..}, Cause(_) }
    Usage { Auth, Sign }
    Verdict { Approved, Rejected }
    WhyQueued { BackdatedLoss, OverBudget, TwoPeople }
}

impl Met {
    /// What was never met.
    pub fn missing(&self) -> Vec<String> {
        all().difference(&self.0).cloned().collect()
    }

    pub fn event(&mut self, event: &Event) {
        self.actor(&event.actor);
        self.note(&event.body);
        match &event.body {
            Body::Changed { change, .. } => self.change(change),
            Body::Queued { request, why } => {
                self.note(why);
                self.request(request);
            }
            Body::QueueDecided { verdict, .. } => self.note(verdict),
            Body::Reported(report) => self.report(report),
            Body::SetChanged { target, change } => self.set(target, *change),
            Body::UndoOrdered(scope) => self.undo(scope),
            Body::CrlsNumbered { .. }
            | Body::EpochAdopted { .. }
            | Body::InboxRefused { .. }
            | Body::IssuerAdded(_)
            | Body::LedgerCreated { .. }
            | Body::Registered { .. }
            | Body::ScopeAdded(_) => {}
        }
    }

    pub fn certificate(&mut self, certificate: &Certificate) {
        self.note(&certificate.usage);
        self.note(&certificate.medium.kind);
        self.note(&certificate.key_origin);
        self.note(&certificate.proofing);
        self.note(&certificate.delivery);
    }

    pub fn status(&mut self, status: &Status) {
        self.note(&status.life);
        status.holds.iter().for_each(|hold| self.note(&hold.kind));
    }

    fn request(&mut self, request: &Request) {
        self.actor(&request.actor);
        self.note(&request.command);
        match &request.command {
            Command::DecideQueued { verdict, .. } => self.note(verdict),
            Command::Report(report) => self.report(report),
            Command::Revoke { reason, .. } => self.note(reason),
            Command::Set { target, change } => self.set(target, *change),
            Command::Undo(scope) => self.undo(scope),
            Command::Activate(_) | Command::AdoptEpoch { .. } | Command::Hold { .. } | Command::Release { .. } => {}
        }
    }

    fn actor(&mut self, actor: &Actor) {
        self.note(&actor.role);
        self.note(&actor.channel);
    }

    fn change(&mut self, change: &Change) {
        self.note(change);
        match change {
            Change::Held { kind, becomes, .. } => {
                self.note(kind);
                if let Some(Final { reason, .. }) = becomes {
                    self.note(reason);
                }
            }
            Change::ReasonChanged { reason } | Change::Revoked { reason, .. } => self.note(reason),
            Change::Acknowledged | Change::HandedOver { .. } | Change::LossDated { .. } | Change::Released { .. } => {}
        }
    }

    fn report(&mut self, report: &Report) {
        self.note(&report.kind);
        self.note(&report.subject);
    }

    fn set(&mut self, target: &SetTarget, change: SetChange) {
        self.note(target);
        self.note(&change);
    }

    fn undo(&mut self, scope: &UndoScope) {
        self.note(scope);
    }

    fn note(&mut self, value: &impl Name) {
        self.0.insert(value.name().to_owned());
    }
}
