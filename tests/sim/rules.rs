//! What DOMAIN §2, §4 and §5 say, a second time and in other words: who may, who may lift what, and what follows from a
//! report. Compared with what the desk wrote.

use std::collections::BTreeMap;

use tashika::model::{
    Actor, Body, CertificateNo, Change, Event, Final, HoldKind, Municipality, Reason, Report, ReportKind, Role,
    Seconds, SetChange, SetRule, SetTarget, Subject, Time, Verdict,
};

use crate::memory_ledger::State;
use crate::naive::{Backed, Naive, Naked, NakedHold, check, short};
use crate::rows::{Case, held, revoked, worse};

/// What must happen to each certificate, in order: a worse reason may come with an earlier loss.
pub type Changes = BTreeMap<CertificateNo, Vec<Change>>;
/// A certificate with its number.
pub type Member<'a> = (CertificateNo, &'a Naked);

/// DOMAIN §5: what must follow the report, certificate by certificate; an error if it should never have been taken.
pub fn consequences(naive: &Naive, event: &Event, report: &Report, backed: Backed) -> Result<Changes, String> {
    use ReportKind as K;
    if report.subject == Subject::Holder(crate::nation::holder(u64::MAX)) {
        return Ok(Changes::new());
    }
    let actor = &event.actor;
    check(may_report(actor.role, report.kind), || format!("{} may not report this", short(actor)))?;
    in_office_hours(naive, event, backed)?;
    let named: Vec<Member<'_>> = all(naive).filter(|(_, naked)| is_about(&report.subject, naked)).collect();
    let registered = named.iter().map(|(_, naked)| naked.facts.not_before).min();
    if let Some(lost_at) = report.lost_at {
        check(naive_takes_loss(report.kind), || "a loss for a report that has none".into())?;
        believable(naive, event, lost_at, report.reported_at, registered, backed)?;
    }
    let cards = || named.iter().copied().filter(|(_, naked)| !naked.is_phone()).collect::<Vec<_>>();
    let phones = || named.iter().copied().filter(|(_, naked)| naked.is_phone()).collect::<Vec<_>>();
    let subjects = match report.kind {
        K::CardLost | K::CardFound | K::CardNotFound | K::Renewed | K::Returned => cards(),
        K::PhoneLost | K::PhoneFound | K::PhoneNotFound | K::SimDisposed | K::ContractEnded | K::SimSwapped => phones(),
        K::Delivered | K::NotDelivered | K::Died | K::HolderApplies | K::Moved | K::Renamed => named.clone(),
    };
    // A carrier that names a holder means its own SIMs.
    let own = |naked: &Naked| competent(naive, actor, naked).is_ok();
    let by_name = matches!((actor.role, report.subject), (Role::Carrier(_), Subject::Holder(_)));
    let subjects: Vec<_> = subjects.into_iter().filter(|(_, naked)| !by_name || own(naked)).collect();
    check(!subjects.is_empty(), || "a report about nothing that is registered".into())?;
    subjects.iter().try_for_each(|(_, naked)| competent(naive, actor, naked))?;
    let case = Case { naive, event, report, subjects };
    let changes = case.row(backed);
    // What changes nothing is answered and not recorded, unless a second person's word has to be.
    check(!changes.is_empty() || backed == Backed::ByTwo, || "a report without any consequence".into())?;
    Ok(changes)
}

/// A change that follows from no report: the clock's, an undo's, or a command about one certificate.
pub fn judge_single(naive: &Naive, event: &Event, no: CertificateNo, change: &Change) -> Result<(), String> {
    let naked = naive.certificates.get(&no).ok_or("no such certificate")?;
    if event.actor.role == Role::System {
        return by_the_clock(naive, event, naked, change);
    }
    let cause = event.cause.and_then(|cause| naive.event(cause)).map(|cause| &cause.body);
    if let (Some(Body::UndoOrdered(scope)), Change::Released { holds }) = (cause, change) {
        let campaign = naive.campaign(scope, event.cause.unwrap_or_default());
        return check(holds.iter().all(|hold| campaign.contains(hold)), || "an undo of something else".into());
    }
    let backed = naive.approval_of(event)?;
    check(event.cause.is_none() || backed == Backed::ByTwo, || "it names a cause that calls for nothing".into())?;
    let (actor, role) = (&event.actor, event.actor.role);
    in_office_hours(naive, event, backed)?;
    competent(naive, actor, naked)?;
    let holds_itself = hold_of(role).is_some();
    let revokes_itself = matches!(role, Role::Ca(_) | Role::Holder { .. } | Role::Window(_));
    let reported_at = naive.asked_at(event);
    let loss = |lost_at: &Option<Time>| match lost_at {
        Some(lost_at) => believable(naive, event, *lost_at, reported_at, Some(naked.facts.not_before), backed),
        None => Ok(()),
    };
    let (allowed, wish) = match change {
        Change::Acknowledged => (matches!(role, Role::Ca(_) | Role::SpTsm | Role::Window(_)), true),
        Change::HandedOver { .. } => (false, true),
        Change::Held { kind, lost_at, becomes } => {
            loss(lost_at)?;
            let same = held(naked, *kind, *lost_at, *becomes).as_ref() == Some(change);
            (hold_of(role) == Some(*kind) && becomes.is_none(), same)
        }
        Change::LossDated { lost_at } => {
            loss(&Some(*lost_at))?;
            (holds_itself || revokes_itself, true)
        }
        Change::Released { holds } => {
            let named = holds.iter().map(|id| naked.holds.get(id).ok_or_else(|| format!("hold {id} is not open")));
            let named: Vec<&NakedHold> = named.collect::<Result<_, _>>()?;
            let may = named.iter().all(|hold| may_lift(naive, actor, hold, naked, backed));
            (may, !(holds.len() == naked.holds.len() && one_way(naive, naked)))
        }
        Change::ReasonChanged { reason } => {
            (revokes_itself, revoked(naked, *reason, None, event.time).first() == Some(change))
        }
        Change::Revoked { reason, lost_at, .. } => {
            if *lost_at != naked.lost_at() {
                loss(lost_at)?;
            }
            (revokes_itself, revoked(naked, *reason, *lost_at, event.time).first() == Some(change))
        }
    };
    check(allowed, || format!("{} may not do this", short(actor)))?;
    check(wish, || format!("not what follows for {naked:?}"))
}

fn by_the_clock(naive: &Naive, event: &Event, naked: &Naked, change: &Change) -> Result<(), String> {
    let due = naked.due(&naive.policy).filter(|due| *due <= event.time);
    check(due.is_some(), || "the clock was early".into())?;
    let terms = naked.holds.iter().filter_map(|(id, hold)| Some((id, hold.becomes?)));
    let (confirmed, first) = terms.min_by_key(|(_, end)| end.due).unzip();
    // Every child names its cause: the hold whose term ended, if it is that.
    let ended = confirmed.filter(|_| first.is_some_and(|end| end.due <= event.time)).map(|id| id.0);
    check(event.cause == ended, || format!("the clock names {:?}, and confirmed {ended:?}", event.cause))?;
    // The worst that any open hold would have become; of equals the one that was due first.
    let mut ends: Vec<Final> = naked.holds.values().filter_map(|hold| hold.becomes).collect();
    ends.sort_by_key(|end| end.due);
    let worst = ends.iter().fold(None, |worst: Option<Reason>, end| match worst {
        Some(known) if !worse(end.reason, known) => Some(known),
        _ => Some(end.reason),
    });
    let reason = first.filter(|end| end.due <= event.time).and(worst).unwrap_or(Reason::Unspecified);
    check(revoked(naked, reason, None, event.time).first() == Some(change), || format!("the clock says {reason}"))
}

fn may_report(role: Role, kind: ReportKind) -> bool {
    use ReportKind as K;
    match kind {
        K::CardLost | K::PhoneLost if matches!(role, Role::CallCentre | Role::Holder { .. }) => true,
        K::CardFound | K::PhoneFound | K::HolderApplies if matches!(role, Role::Holder { .. }) => true,
        K::PhoneLost | K::PhoneFound | K::ContractEnded | K::SimDisposed | K::SimSwapped
            if matches!(role, Role::Carrier(_)) =>
        {
            true
        }
        K::Died | K::Moved | K::Renamed if role == Role::Registry => true,
        K::Delivered | K::NotDelivered if role == Role::SpTsm => true,
        _ => matches!(role, Role::Window(_)),
    }
}

/// Whether the certificate lies within what the actor may touch at all.
fn competent(naive: &Naive, actor: &Actor, naked: &Naked) -> Result<(), String> {
    let facts = &naked.facts;
    let within = match actor.role {
        Role::Auditor | Role::Holder { presented: None } => false,
        Role::Ca(issuer) => facts.key.issuer == issuer,
        Role::Carrier(carrier) => facts
            .sim
            .is_some_and(|sim| sim.operator == carrier || naive.policy.hosts.get(&sim.operator) == Some(&carrier)),
        Role::Holder { presented: Some(medium) } => naive.family(facts).any(|(_, n)| n.facts.medium.id == medium),
        Role::SpTsm => naked.is_phone(),
        Role::Window(Some(town)) => town_of(naked) == town,
        Role::CallCentre | Role::Ops | Role::Registry | Role::System | Role::Window(None) => true,
    };
    check(within, || format!("{} has no business with {:?}", short(actor), facts.key))
}

fn town_of(naked: &Naked) -> Municipality {
    naked.town.unwrap_or(naked.facts.municipality)
}

/// DOMAIN §4: who lifts what.
pub fn may_lift(naive: &Naive, actor: &Actor, hold: &NakedHold, naked: &Naked, backed: Backed) -> bool {
    let with_the_card = |medium| {
        let card: Vec<_> =
            naive.family(&naked.facts).filter(|(_, n)| n.facts.medium.id == medium && !n.is_phone()).collect();
        // Never with the medium that is held, and not with a card that is itself in doubt.
        medium != naked.facts.medium.id
            && card.iter().any(|(_, n)| n.is_good())
            && card.iter().all(|(_, n)| n.holds.is_empty())
    };
    match (hold.kind, actor.role) {
        (HoldKind::Review | HoldKind::RuleX | HoldKind::Set, Role::Ops | Role::Window(_)) => backed == Backed::ByTwo,
        (HoldKind::Review | HoldKind::RuleX | HoldKind::Set, _) => false,
        (HoldKind::Registry, role) => role == Role::Registry,
        (_, Role::Holder { presented: Some(medium) }) => with_the_card(medium),
        (HoldKind::Carrier(operator), Role::Carrier(carrier)) => {
            operator == carrier || naive.policy.hosts.get(&operator) == Some(&carrier)
        }
        (HoldKind::Carrier(_), _) => false,
        (HoldKind::CallCentre | HoldKind::Holder | HoldKind::Imported | HoldKind::Window, role) => {
            matches!(role, Role::Window(_))
        }
    }
}

pub fn one_way(naive: &Naive, naked: &Naked) -> bool {
    !naive.policy.releasable.contains(&(naked.facts.medium.kind, naked.facts.usage))
}

pub fn hold_of(role: Role) -> Option<HoldKind> {
    Some(match role {
        Role::CallCentre => HoldKind::CallCentre,
        Role::Carrier(operator) => HoldKind::Carrier(operator),
        Role::Holder { .. } => HoldKind::Holder,
        Role::Ops => HoldKind::Review,
        Role::Registry => HoldKind::Registry,
        Role::Window(_) => HoldKind::Window,
        Role::Auditor | Role::Ca(_) | Role::SpTsm | Role::System => return None,
    })
}

/// DOMAIN §4, times: no loss in the future; one before the registration, or long before the report, is the window's to
/// state, with a second person.
fn believable(
    naive: &Naive,
    event: &Event,
    lost_at: Time,
    reported_at: Time,
    registered: Option<Time>,
    backed: Backed,
) -> Result<(), String> {
    check(lost_at <= event.time + Seconds(120), || "a loss in the future".into())?;
    // Nor is a report taken to be older than the three days that it may be on its way.
    let reported_at = reported_at.max(naive.asked_at(event) - Seconds(3 * 86_400));
    let old = lost_at < reported_at - naive.policy.backdating_max || registered.is_some_and(|from| lost_at < from);
    let trusted = matches!(event.actor.role, Role::Window(_)) && backed == Backed::ByTwo;
    check(!old || trusted, || format!("a backdated loss ({lost_at}) was believed"))
}

fn in_office_hours(naive: &Naive, event: &Event, backed: Backed) -> Result<(), String> {
    let Some(hours) = naive.policy.window_hours else { return Ok(()) };
    if !matches!(event.actor.role, Role::Window(_)) || backed == Backed::ByTwo {
        return Ok(());
    }
    let local = event.time.unix() + 9 * 3600;
    let (day, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    // Day 0 was a Thursday.
    let weekend = matches!((day + 3) % 7, 5 | 6);
    let open = !weekend && (i64::from(hours.opens)..i64::from(hours.closes)).contains(&second);
    check(open, || "the window was closed".into())
}

/// Who asked may take it back.
pub fn may_decide(by: &Actor, asked: &Actor, verdict: Verdict) -> Result<(), String> {
    if verdict == Verdict::Rejected && by.person == asked.person && by.role == asked.role {
        return Ok(());
    }
    may_second(by, asked)
}

/// Another person, of the same organisation or of operations.
pub fn may_second(second: &Actor, first: &Actor) -> Result<(), String> {
    let organisation = second.role == first.role
        || second.role == Role::Ops
        || (second.role == Role::Window(None) && matches!(first.role, Role::Window(_)));
    check(second.person != first.person && organisation, || format!("{} seconds {}", short(second), short(first)))
}

pub fn may_change_set(
    naive: &Naive,
    event: &Event,
    target: &SetTarget,
    change: SetChange,
    stored: &State,
) -> Result<(), String> {
    if let SetChange::Released { hold } = change {
        let opened = naive.event(hold.0).map(|opened| &opened.body);
        let same = matches!(opened, Some(Body::SetChanged { target: of, change: SetChange::Held }) if of == target);
        check(same, || "a release of another set's hold".into())?;
    }
    let cause = event.cause.and_then(|cause| naive.event(cause)).map(|cause| &cause.body);
    if let (Some(Body::UndoOrdered(scope)), SetChange::Released { hold }) = (cause, change) {
        let campaign = naive.campaign(scope, event.cause.unwrap_or_default());
        return check(campaign.contains(&hold), || "an undo of another set".into());
    }
    let allowed = match event.actor.role {
        Role::Ca(own) => match target {
            SetTarget::Issuer(issuer) => *issuer == own,
            SetTarget::Batch(_) => false,
            SetTarget::Listed { list, .. } => {
                let members = stored.lists.get(list).into_iter().flatten();
                members.into_iter().all(|no| naive.certificates[no].facts.key.issuer == own)
            }
        },
        Role::Ops => naive.policy.sets == SetRule::OnePerson || naive.approval_of(event)? == Backed::ByTwo,
        _ => false,
    };
    check(allowed, || format!("{} may not change this set", short(&event.actor)))
}

fn naive_takes_loss(kind: ReportKind) -> bool {
    let name = kind.name();
    name.ends_with("-lost") || name.ends_with("-not-found")
}

fn is_about(subject: &Subject, naked: &Naked) -> bool {
    match subject {
        Subject::Holder(holder) => naked.facts.holder == *holder,
        Subject::Medium(medium) => naked.facts.medium.id == *medium,
        Subject::Sim { sim, operator } => naked.facts.sim.is_some_and(|s| (s.sim, s.operator) == (*sim, *operator)),
    }
}

pub fn all(naive: &Naive) -> impl Iterator<Item = Member<'_>> {
    naive.certificates.iter().map(|(no, naked)| (*no, naked))
}
