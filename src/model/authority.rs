//! Who may do what (DOMAIN §2, §4): the role's table first, then competence for the certificate, then for each hold.
//!
//! The desk asks here for every command, whichever way it came in; the databases check a part of it again.

use super::{
    Actor, Certificate, CertificateNo, Change, Delivery, Hold, HoldKind, MediumKind, OfficeHours, Policy, Reason,
    Refusal, ReportKind, Role, Status, StatusRefusal, Time, Wish,
};

/// A certificate as the desk has it before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub no: CertificateNo,
    /// Its facts.
    pub certificate: Certificate,
    /// Its status, set events included.
    pub status: Status,
}

impl Entry {
    /// Everything that a wish amounts to now, in order, by status and facts.
    pub fn decide_all(&self, wish: &Wish, now: Time) -> Result<Vec<Change>, StatusRefusal> {
        match wish {
            // What nobody ever had is not renewed, returned or outdated later: that would tell a bank to look for a
            // successor. A compromise of its key is still worth knowing.
            Wish::Revoke { reason, lost_at } if self.was_discarded() && !reason.is_compromise() => {
                self.status.decide_all(&Wish::Revoke { reason: Reason::Unspecified, lost_at: *lost_at }, now)
            }
            wish => self.status.decide_all(wish, now),
        }
    }

    /// Whether it was revoked before anybody acknowledged it (DOMAIN §4: *unspecified*, discarded before delivery).
    pub(super) fn was_discarded(&self) -> bool {
        self.certificate.delivery == Delivery::Awaited
            && self.status.revocation().is_some_and(|revocation| revocation.reason == Reason::Unspecified)
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Acknowledge delivery.
    Activate,
    /// Name a new epoch.
    AdoptEpoch,
    /// Add issuers and scopes.
    Configure,
    /// Approve or reject what waits.
    DecideQueued,
    /// Open a hold.
    Hold,
    /// Give CRLs their number.
    NumberCrls,
    /// Register certificates.
    Register,
    /// Lift holds.
    Release,
    /// Send a report.
    Report(ReportKind),
    /// Revoke for good.
    Revoke,
    /// Change a set.
    Set,
    /// Undo a campaign.
    Undo,
}

impl Action {
    /// Its name in refusals and budgets.
    pub fn name(self) -> String {
        match self {
            Self::Activate => "activate".into(),
            Self::AdoptEpoch => "adopt an epoch".into(),
            Self::Configure => "add issuers or scopes".into(),
            Self::DecideQueued => "decide what waits for a second person".into(),
            Self::Hold => "hold".into(),
            Self::NumberCrls => "number CRLs".into(),
            Self::Register => "register".into(),
            Self::Release => "release".into(),
            Self::Report(kind) => format!("report {kind}"),
            Self::Revoke => "revoke".into(),
            Self::Set => "change a set".into(),
            Self::Undo => "undo".into(),
        }
    }
}

/// The role's table: may this role do such a thing at all?
pub fn may(role: Role, action: Action) -> Result<(), Refusal> {
    let allowed = match action {
        Action::Activate => matches!(role, Role::Ca(_) | Role::SpTsm | Role::Window(_)),
        Action::AdoptEpoch | Action::Configure => matches!(role, Role::Ops),
        Action::DecideQueued => {
            matches!(role, Role::CallCentre | Role::Carrier(_) | Role::Ops | Role::Registry | Role::Window(_))
        }
        Action::Hold => {
            matches!(
                role,
                Role::CallCentre
                    | Role::Carrier(_)
                    | Role::Holder { .. }
                    | Role::Ops
                    | Role::Registry
                    | Role::Window(_)
            )
        }
        Action::NumberCrls => matches!(role, Role::Ops | Role::System),
        Action::Register => matches!(role, Role::Ca(_)),
        Action::Release => {
            matches!(role, Role::Carrier(_) | Role::Holder { .. } | Role::Ops | Role::Registry | Role::Window(_))
        }
        Action::Report(kind) => may_report(role, kind),
        Action::Revoke => matches!(role, Role::Ca(_) | Role::Holder { .. } | Role::System | Role::Window(_)),
        Action::Set => matches!(role, Role::Ca(_) | Role::Ops),
        // It lifts whatever the campaign held, anybody's and anywhere: not for whoever may lift less.
        Action::Undo => matches!(role, Role::Ops),
    };
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed { role, action: action.name() }) }
}

/// Who may send which report. Operations may send none, and whoever only holds can't report what revokes.
fn may_report(role: Role, kind: ReportKind) -> bool {
    use ReportKind as K;
    match role {
        Role::Window(_) => true,
        Role::CallCentre => matches!(kind, K::CardLost | K::PhoneLost),
        Role::Carrier(_) => {
            matches!(kind, K::ContractEnded | K::PhoneFound | K::PhoneLost | K::SimDisposed | K::SimSwapped)
        }
        Role::Holder { .. } => {
            matches!(kind, K::CardFound | K::CardLost | K::HolderApplies | K::PhoneFound | K::PhoneLost)
        }
        Role::Registry => matches!(kind, K::Died | K::Moved | K::Renamed),
        Role::SpTsm => matches!(kind, K::Delivered | K::NotDelivered),
        Role::Auditor | Role::Ca(_) | Role::Ops | Role::System => false,
    }
}

/// Competence: may this actor touch this certificate? `family` is everything registered for its holder.
pub fn may_touch(actor: &Actor, entry: &Entry, family: &[Entry], policy: &Policy) -> Result<(), Refusal> {
    let certificate = &entry.certificate;
    let why = match actor.role {
        Role::Auditor => Some("auditors only read"),
        Role::Ca(issuer) if issuer != certificate.key.issuer => Some("another CA issued it"),
        Role::Carrier(carrier) => match certificate.sim {
            Some(sim) if policy.speaks_for(carrier, sim.operator) => None,
            Some(_) => Some("another carrier operates the SIM"),
            None => Some("it does not live in a SIM"),
        },
        Role::Holder { presented: None } => Some("the holder must show one of their media"),
        Role::Holder { presented: Some(medium) } => {
            let same_holder =
                family.iter().any(|e| e.certificate.medium.id == medium && e.certificate.holder == certificate.holder);
            (!same_holder).then_some("the medium that was shown belongs to somebody else")
        }
        Role::SpTsm if !certificate.is_phone() => Some("the download manager handles phone certificates only"),
        Role::Window(Some(own)) if entry.status.handed_to.unwrap_or(certificate.municipality) != own => {
            Some("another municipality is competent for its holder")
        }
        Role::Ca(_) | Role::CallCentre | Role::Ops | Role::Registry | Role::SpTsm | Role::System | Role::Window(_) => {
            None
        }
    };
    match why {
        None => Ok(()),
        Some(why) => Err(Refusal::NotCompetent { role: actor.role, why }),
    }
}

/// Whether two people stand behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// One person.
    One,
    /// A second person approved it.
    Two,
}

/// May this actor lift this hold of this certificate?
pub fn may_lift(
    actor: &Actor,
    hold: &Hold,
    entry: &Entry,
    family: &[Entry],
    policy: &Policy,
    backing: Backing,
) -> Result<(), Refusal> {
    let liftable = match (hold.kind, actor.role) {
        (kind, Role::Ops | Role::Window(_)) if kind.needs_two_people() => backing == Backing::Two,
        (HoldKind::Carrier(operator), Role::Carrier(carrier)) => policy.speaks_for(carrier, operator),
        (HoldKind::CallCentre | HoldKind::Holder | HoldKind::Imported | HoldKind::Window, Role::Window(_)) => true,
        (HoldKind::Registry, Role::Registry) => true,
        (
            HoldKind::CallCentre | HoldKind::Carrier(_) | HoldKind::Holder | HoldKind::Imported | HoldKind::Window,
            Role::Holder { presented: Some(medium) },
        ) => shows_good_card(medium, entry, family),
        _ => false,
    };
    if liftable {
        Ok(())
    } else {
        Err(Refusal::NotLiftable { hold: hold.id, kind: hold.kind.name(), role: actor.role })
    }
}

/// The holder's card is at hand and good, and isn't the medium that is held: a thief must not free what they stole.
fn shows_good_card(shown: super::MediumId, entry: &Entry, family: &[Entry]) -> bool {
    let held = entry.certificate.medium.id;
    let of_card = |e: &&Entry| {
        e.certificate.medium.id == shown
            && e.certificate.medium.kind == MediumKind::Card
            && e.certificate.holder == entry.certificate.holder
    };
    shown != held
        && family.iter().any(|e| of_card(&e) && e.status.is_good())
        && family.iter().filter(of_card).all(|e| e.status.holds.is_empty())
}

/// Whether the window is open.
pub fn window_is_open(hours: Option<OfficeHours>, now: Time) -> bool {
    hours
        .is_none_or(|hours| !now.is_japan_weekend() && (hours.opens..hours.closes).contains(&now.japan_second_of_day()))
}
