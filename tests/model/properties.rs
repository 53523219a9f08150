//! What must hold for any sequence of commands from anybody, under both release policies.

use proptest::prelude::*;
use tashika::model::{
    Action, Actor, Backing, Change, Delivery, HOLDS_MAX, HoldId, HoldKind, IssuerNo, LastHold, Life, MediumId,
    Position, Reason, Refusal, ReportKind, Role, Seconds, SimId, Status, Subject, Wish, may, may_lift, may_touch,
    timer_wish,
};

use crate::family::{Applied, CARD, HOLDER, OTHER, SIGN, SIM, TOWN, World, actor, operator, policies, rank, report};

/// Something that somebody tries.
#[derive(Clone, Debug)]
enum Try {
    Clock { no: u64, days: u32 },
    Hold { by: Role, no: u64, lost_days: Option<u32> },
    Release { by: Role, no: u64, which: u8, stray: bool, backing: Backing },
    Report { by: Role, kind: ReportKind, about: Subject, lost_days: Option<u32>, backing: Backing },
    Revoke { by: Role, no: u64, reason: Reason },
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![
        Role::Auditor,
        Role::Ca(IssuerNo(1)),
        Role::Ca(IssuerNo(2)),
        Role::CallCentre,
        Role::Carrier(operator("mvno")),
        Role::Carrier(operator("mno")),
        Role::Carrier(operator("other")),
        Role::Holder { presented: Some(CARD) },
        Role::Holder { presented: Some(SIM) },
        Role::Ops,
        Role::Registry,
        Role::SpTsm,
        Role::Window(None),
        Role::Window(Some(TOWN)),
    ])
}

fn subject() -> impl Strategy<Value = Subject> {
    prop::sample::select(vec![
        Subject::Holder(HOLDER),
        Subject::Medium(CARD),
        Subject::Medium(SIM),
        Subject::Medium(MediumId([4; 16])),
        Subject::Sim { sim: SimId([13; 16]), operator: operator("mvno") },
    ])
}

fn attempt() -> impl Strategy<Value = Try> {
    let no = || SIGN..=OTHER;
    let lost = || prop::option::weighted(0.3, 0..14_u32);
    let backing = || prop::sample::select(vec![Backing::One, Backing::Two]);
    let reason = prop::sample::select(Reason::ALL.to_vec());
    let kind = prop::sample::select(ReportKind::ALL.to_vec());
    prop_oneof![
        1 => (no(), 0..40_u32).prop_map(|(no, days)| Try::Clock { no, days }),
        3 => (role(), no(), lost()).prop_map(|(by, no, lost_days)| Try::Hold { by, no, lost_days }),
        3 => (role(), no(), any::<u8>(), prop::bool::weighted(0.1), backing())
            .prop_map(|(by, no, which, stray, backing)| Try::Release { by, no, which, stray, backing }),
        4 => (role(), kind, subject(), lost(), backing())
            .prop_map(|(by, kind, about, lost_days, backing)| Try::Report { by, kind, about, lost_days, backing }),
        1 => (role(), no(), reason).prop_map(|(by, no, reason)| Try::Revoke { by, no, reason }),
    ]
}

impl Try {
    fn by(&self) -> Role {
        match self {
            Self::Clock { .. } => Role::System,
            Self::Hold { by, .. } | Self::Release { by, .. } | Self::Report { by, .. } | Self::Revoke { by, .. } => *by,
        }
    }

    /// As the desk does it: the role's table, competence, then the wish against the status.
    fn on(&self, world: &mut World) -> Result<Vec<Applied>, Refusal> {
        let who = actor(self.by());
        match self {
            Self::Clock { no, days } => {
                world.pass(Seconds::days(*days));
                let entry = world.entry(*no);
                match timer_wish(&entry.certificate, &entry.status, &world.policy, world.now) {
                    Some(due) => one(world, *no, &due.wish),
                    None => Ok(Vec::new()),
                }
            }
            Self::Hold { no, lost_days, .. } => {
                may(who.role, Action::Hold)?;
                let kind = who.role.hold_kind().expect("whoever may hold has a kind of hold");
                let lost_at = lost_days.map(|days| world.now - Seconds::days(days));
                single(world, &who, *no, &Wish::Hold { kind, lost_at, becomes: None })
            }
            Self::Release { no, which, stray, backing, .. } => {
                may(who.role, Action::Release)?;
                let entry = world.entry(*no);
                let named = entry.status.holds.iter().zip(0..8).filter(|(_, bit)| which >> bit & 1 == 1);
                let mut holds: Vec<HoldId> = named.map(|(hold, _)| hold.id).collect();
                holds.extend(stray.then_some(HoldId(Position(5))));
                for hold in holds.iter().filter_map(|id| entry.status.hold(*id)) {
                    may_lift(&who, hold, entry, &world.family, &world.policy, *backing)?;
                }
                let last = world.policy.last_hold(&entry.certificate);
                single(world, &who, *no, &Wish::Release { holds, last })
            }
            Self::Report { kind, about, lost_days, backing, .. } => {
                may(who.role, Action::Report(*kind))?;
                let mut told = report(*kind, *about, world.now);
                told.lost_at = lost_days.map(|days| world.now - Seconds::days(days)).filter(|_| kind.takes_loss_time());
                world.report(&who, &told, *backing)
            }
            Self::Revoke { no, reason, .. } => {
                may(who.role, Action::Revoke)?;
                single(world, &who, *no, &Wish::Revoke { reason: *reason, lost_at: None })
            }
        }
    }
}

fn single(world: &mut World, who: &Actor, no: u64, wish: &Wish) -> Result<Vec<Applied>, Refusal> {
    may_touch(who, world.entry(no), &world.family, &world.policy)?;
    one(world, no, wish)
}

fn one(world: &mut World, no: u64, wish: &Wish) -> Result<Vec<Applied>, Refusal> {
    let cause = world.position.next();
    world.position = cause;
    Ok(world.fulfil(no, wish, cause)?)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_keeps_the_rules(attempts in prop::collection::vec(attempt(), 1..40)) {
        for policy in policies() {
            let mut world = World::new(policy);
            for attempt in &attempts {
                world.pass(Seconds(3));
                let before = world.clone();
                let result = attempt.on(&mut world);
                match &result {
                    Ok(applied) => {
                        let story = format!("{attempt:?} did {applied:?}");
                        each_change_is_lawful(attempt, &before, &world, applied).map_err(|why| fail(&why, &story))?;
                    }
                    Err(_) => prop_assert_eq!(&world.family, &before.family, "refused, and yet something changed"),
                }
                for entry in &world.family {
                    whole(&entry.status).map_err(|why| fail(&why, &format!("{attempt:?}")))?;
                }
                said_twice(attempt, &world, result.is_ok())?;
            }
        }
    }
}

fn fail(why: &str, story: &str) -> TestCaseError {
    TestCaseError::fail(format!("{why}: {story}"))
}

/// Duplicates change nothing, except that a review is ordered as often as it is ordered.
fn said_twice(attempt: &Try, world: &World, went_well: bool) -> Result<(), TestCaseError> {
    let opens_review = matches!(attempt, Try::Hold { by, .. } if by.hold_kind() == Some(HoldKind::Review));
    // The holds that bits name are others the second time.
    let names_by_bits = matches!(attempt, Try::Release { .. });
    if went_well && !opens_review && !names_by_bits && !matches!(attempt, Try::Clock { .. }) {
        let mut again = world.clone();
        let repeated = attempt.on(&mut again).unwrap_or_default();
        prop_assert!(repeated.is_empty(), "{:?} said twice did {:?}", attempt, repeated);
        prop_assert_eq!(&again.family, &world.family);
    }
    Ok(())
}

fn each_change_is_lawful(attempt: &Try, before: &World, after: &World, applied: &[Applied]) -> Result<(), String> {
    let by = attempt.by();
    let report = before.position.next();
    for done in applied {
        let (was, is) = (before.status(done.no), after.status(done.no));
        ensure(done.cause == report, "a child doesn't name its cause")?;
        let latest = applied.iter().filter(|other| other.no == done.no).map(|other| other.position).max();
        ensure(Some(is.as_of) == latest, "the status is as of another event")?;
        let lifted: Vec<HoldId> = was.holds.iter().map(|hold| hold.id).filter(|id| is.hold(*id).is_none()).collect();
        match &done.change {
            Change::Released { holds } => {
                ensure(*holds == lifted, "a release lifted what it didn't name, or not what it named")?;
                let last = after.policy.last_hold(&after.entry(done.no).certificate);
                ensure(!is.holds.is_empty() || last == LastHold::MayBeLifted, "a one-way certificate is good again")?;
                ensure(by != Role::CallCentre, "the call centre lifted a hold")?;
            }
            Change::Revoked { at, .. } => {
                let start = was.holds.iter().map(|hold| hold.since).min().unwrap_or(after.now);
                ensure(*at == start, "the revocation doesn't begin with its first hold")?;
                ensure(!matches!(by, Role::Carrier(_)), "a carrier's word alone revoked")?;
                ensure(!matches!(by, Role::Registry) || matches!(attempt, Try::Report { .. }), "the registry revoked")?;
                let cancels = after.entry(done.no).status.revocation().map(|r| r.reason) == Some(Reason::Unspecified)
                    && was.life == Life::Pending;
                ensure(by != Role::CallCentre || cancels, "the call centre revoked")?;
                ensure(by != Role::Ops && by != Role::Auditor, "who may not revoke did")?;
            }
            _ => ensure(lifted.is_empty(), "a hold vanished without a release")?,
        }
        if let Change::Held { .. } = done.change {
            let hold = is.hold(HoldId(done.position)).ok_or("a hold is named by its event")?;
            ensure((hold.cause, hold.since) == (report, after.now), "a hold without its cause")?;
        }
        final_is_final(was, is)?;
        discarded_is_discarded(after.entry(done.no).certificate.delivery, was, is)?;
    }
    let touched = |no: u64| applied.iter().any(|done| done.no == no);
    let others = (SIGN..=OTHER).filter(|no| !touched(*no));
    others.into_iter().try_for_each(|no| ensure(before.status(no) == after.status(no), "changed without an event"))
}

fn final_is_final(was: &Status, is: &Status) -> Result<(), String> {
    let (Some(was), now) = (was.revocation(), is.revocation()) else { return Ok(()) };
    let now = now.ok_or("REVOKED is not final")?;
    ensure(now.at == was.at, "the revocation date moved")?;
    ensure(now.reason == was.reason || rank(now.reason) > rank(was.reason), "a final reason was weakened")?;
    ensure(was.lost_at.is_none_or(|known| now.lost_at.is_some_and(|lost| lost <= known)), "a later loss won")
}

/// What was given up before anybody had it was never renewed or given back; only a compromise is still news.
fn discarded_is_discarded(delivery: Delivery, was: &Status, is: &Status) -> Result<(), String> {
    let reason = |status: &Status| status.revocation().map(|revocation| revocation.reason);
    let discarded = delivery == Delivery::Awaited && reason(was) == Some(Reason::Unspecified);
    let now = reason(is).map_or(0, rank);
    ensure(!discarded || now != 1, "what was discarded before delivery is said to have had another end")
}

/// What is true of every status by itself.
fn whole(status: &Status) -> Result<(), String> {
    let open = !status.holds.is_empty();
    ensure(status.is_good() == (status.life == Life::Active && !open), "good is active and not held")?;
    ensure(status.revocation().is_none() || !open, "revoked, and holds are open")?;
    ensure(status.holds.len() <= HOLDS_MAX, "more holds than fit")?;
    ensure(status.holds.is_sorted_by(|a, b| a.id < b.id && a.since <= b.since), "holds out of order")
}

fn ensure(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}
