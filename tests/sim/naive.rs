//! The independent model: per certificate the open holds and the final reason, as DOMAIN §4–5 tells it, fed with the
//! ledger's events one by one. It shares nouns with `tashika::model`, and no rule.

use std::collections::{BTreeMap, BTreeSet};

use tashika::ledger::{Sealed, decode_certificate, decode_event};
use tashika::model::{
    Actor, Body, Certificate, CertificateNo, Change, Delivery, Event, Final, HoldId, HoldKind, Municipality, Policy,
    Position, Reason, Request, Role, SetChange, SetTarget, Time, UndoScope, Verdict,
};

use crate::memory_ledger::State;
use crate::{rows, rules};

/// What the events say, in the plainest form.
pub struct Naive {
    pub policy: Policy,
    pub certificates: BTreeMap<CertificateNo, Naked>,
    pub waiting: BTreeMap<Position, Request>,
    pub events: Vec<Event>,
    pub sets: Vec<Position>,
    /// How much each sender did of each kind in each hour.
    pub used: BTreeMap<(String, i64), u32>,
    pub tags: BTreeMap<String, u32>,
    expected: Option<Expected>,
    crl_number: Option<u64>,
}

/// A certificate without anything but what matters.
#[derive(Clone, Debug)]
pub struct Naked {
    pub facts: Certificate,
    pub pending: bool,
    pub holds: BTreeMap<HoldId, NakedHold>,
    pub ended: Option<Ended>,
    pub town: Option<Municipality>,
}

/// An open hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NakedHold {
    pub kind: HoldKind,
    pub since: Time,
    pub lost_at: Option<Time>,
    pub becomes: Option<Final>,
}

/// A final revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub reason: Reason,
    pub at: Time,
    pub lost_at: Option<Time>,
}

/// The consequences that must follow a report, each at the very next positions.
struct Expected {
    cause: Position,
    changes: rules::Changes,
}

impl Naive {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            certificates: BTreeMap::new(),
            waiting: BTreeMap::new(),
            events: Vec::new(),
            sets: Vec::new(),
            used: BTreeMap::new(),
            tags: BTreeMap::new(),
            expected: None,
            crl_number: None,
        }
    }

    /// The event at a position.
    pub fn event(&self, position: Position) -> Option<&Event> {
        self.events.get(usize::try_from(position.0).ok()?.checked_sub(1)?)
    }

    /// Takes in the next event, or says what is wrong with it.
    pub fn take(&mut self, sealed: &Sealed, stored: &State) -> Result<(), String> {
        let event = decode_event(&sealed.bytes).map_err(|error| error.to_string())?;
        let position = Position(self.events.len() as u64 + 1);
        check(sealed.position == position, || format!("event {} stands at {position}", sealed.position))?;
        if let Some(last) = self.events.last() {
            check(event.time >= last.time, || "ledger time goes back".into())?;
        }
        if let Some(cause) = event.cause {
            check(cause < position, || format!("it names {cause} as its cause, which comes later"))?;
        }
        self.body(position, &event, stored).map_err(|why| format!("event {position} ({event:?}): {why}"))?;
        self.events.push(event);
        Ok(())
    }

    /// Nothing that must follow is missing once an append is complete.
    pub fn settled(&self) -> Result<(), String> {
        match &self.expected {
            Some(missing) if !missing.changes.is_empty() => {
                Err(format!("report {} lacks {:?}", missing.cause, missing.changes))
            }
            _ => Ok(()),
        }
    }

    fn body(&mut self, position: Position, event: &Event, stored: &State) -> Result<(), String> {
        if !matches!(event.body, Body::Changed { .. }) {
            self.settled()?;
            self.expected = None;
        }
        match &event.body {
            Body::Changed { no, change, .. } => self.changed(position, event, *no, change),
            Body::Queued { request, .. } => {
                check(event.actor == request.actor, || "queued in another's name".into())?;
                self.waiting.insert(position, (**request).clone());
                Ok(())
            }
            Body::QueueDecided { queued, verdict } => self.decided(event, *queued, *verdict),
            Body::Registered { first, count, .. } => self.registered(event, *first, *count, stored),
            Body::Reported(report) => {
                // What waited and was approved is recorded in its sender's words, but not by its sender's doing.
                if let (Some(tag), None) = (&report.evidence, event.cause) {
                    *self.tags.entry(tag.clone()).or_default() += 1;
                }
                let backed = self.approval_of(event)?;
                let changes = rules::consequences(self, event, report, backed)?;
                // What the lying ledger lets another write was weighed by no desk.
                if report.evidence.is_some() {
                    self.spend(event, &format!("report {}", report.kind));
                }
                self.expected = Some(Expected { cause: position, changes });
                Ok(())
            }
            Body::SetChanged { target, change } => self.set_changed(position, event, target, *change, stored),
            Body::UndoOrdered(_) => {
                let queued = event.cause.ok_or("an undo without a second person")?;
                check(self.waiting.contains_key(&queued), || "an undo that nobody waits for".into())
            }
            Body::CrlsNumbered { number } => {
                let above = self.crl_number.replace(*number).is_none_or(|before| *number > before);
                check(above, || "a CRL number that is not above the last".into())
            }
            Body::EpochAdopted { .. } => check(event.actor.role == Role::Ops, || "an epoch by others".into()),
            Body::InboxRefused { .. } | Body::IssuerAdded(_) | Body::LedgerCreated { .. } | Body::ScopeAdded(_) => {
                Ok(())
            }
        }
    }

    /// The waiting command whose approval the event follows from, if it does.
    pub fn approval_of(&self, event: &Event) -> Result<Backed, String> {
        let Some(cause) = event.cause else { return Ok(Backed::ByOne) };
        match self.event(cause).map(|cause| (&cause.body, &cause.actor)) {
            Some((Body::QueueDecided { verdict: Verdict::Approved, .. }, second)) => {
                check(second.person != event.actor.person, || "the second person is the first".into())?;
                Ok(Backed::ByTwo)
            }
            _ => Ok(Backed::ByOne),
        }
    }

    /// When the command was given that the event carries out: it may have waited for a second person.
    pub fn asked_at(&self, event: &Event) -> Time {
        let decision = event.cause.and_then(|cause| self.event(cause));
        let queued = match decision.map(|decision| &decision.body) {
            Some(Body::QueueDecided { queued, .. }) => self.event(*queued),
            _ => None,
        };
        queued.map_or(event.time, |queued| queued.time)
    }

    fn changed(&mut self, position: Position, event: &Event, no: CertificateNo, change: &Change) -> Result<(), String> {
        if self.expected.as_ref().is_some_and(|expected| event.cause == Some(expected.cause)) {
            self.expect(no, change)?;
        } else {
            self.settled()?;
            self.expected = None;
            rules::judge_single(self, event, no, change)?;
            if let Some(action) = single_action(change) {
                self.spend(event, action);
            }
        }
        let naked = self.certificates.get_mut(&no).ok_or("no such certificate")?;
        naked.apply(HoldId(position), event, change)
    }

    /// The next of what the report calls for.
    fn expect(&mut self, no: CertificateNo, change: &Change) -> Result<(), String> {
        let Some(expected) = &mut self.expected else { return Ok(()) };
        let left = expected.changes.get_mut(&no).ok_or("the report calls for nothing here")?;
        check(left.first() == Some(change), || format!("the report calls for {left:?} instead"))?;
        left.remove(0);
        if left.is_empty() {
            expected.changes.remove(&no);
        }
        Ok(())
    }

    fn spend(&mut self, event: &Event, action: &str) {
        if event.cause.is_none() && event.actor.role != Role::System {
            let key = format!("{} {action}", event.actor.role);
            *self.used.entry((key, event.time.japan_hour())).or_default() += 1;
        }
    }

    fn decided(&mut self, event: &Event, queued: Position, verdict: Verdict) -> Result<(), String> {
        let request = self.waiting.remove(&queued).ok_or_else(|| format!("nothing waits under {queued}"))?;
        let cause = event.cause.and_then(|cause| self.event(cause));
        match cause.map(|cause| &cause.body) {
            Some(Body::UndoOrdered(scope)) if verdict == Verdict::Approved => {
                let order = event.cause.unwrap_or_default();
                self.undone(scope, order)
            }
            Some(Body::UndoOrdered(_)) => Ok(()),
            _ => rules::may_decide(&event.actor, &request.actor, verdict),
        }
    }

    /// An undo is closed when nothing of its campaign is open any more.
    fn undone(&self, scope: &UndoScope, order: Position) -> Result<(), String> {
        for hold in self.campaign(scope, order) {
            let open = self.certificates.iter().find(|(_, naked)| naked.holds.contains_key(&hold));
            check(open.is_none(), || format!("hold {hold} of certificate {:?} was not undone", open.map(|o| o.0)))?;
        }
        Ok(())
    }

    /// The holds that a campaign opened before `order`.
    pub fn campaign(&self, scope: &UndoScope, order: Position) -> BTreeSet<HoldId> {
        let before = self.events.iter().zip(1..order.0);
        let opened = before.filter(|(event, _)| {
            matches!(
                event.body,
                Body::Changed { change: Change::Held { .. }, .. } | Body::SetChanged { change: SetChange::Held, .. }
            )
        });
        let belongs = |event: &Event, position: u64| match scope {
            // Whatever leads back to it.
            UndoScope::Cause(cause) => {
                let back = |event: &Event| event.cause.and_then(|at| Some((at, self.event(at)?.clone())));
                let mut chain = std::iter::successors(back(event), |(_, earlier)| back(earlier));
                position == cause.0 || chain.any(|(at, _)| at == *cause)
            }
            UndoScope::ByActor { actor, since, until } => {
                (event.actor.role, event.actor.person) == (actor.role, actor.person)
                    && *since <= event.time
                    && event.time <= *until
            }
        };
        opened.filter(|(event, at)| belongs(event, *at)).map(|(_, at)| HoldId(Position(at))).collect()
    }

    fn registered(&mut self, event: &Event, first: CertificateNo, count: u32, stored: &State) -> Result<(), String> {
        for index in 0..u64::from(count) {
            let no = first.plus(index);
            check(no.0 == self.certificates.len() as u64 + 1, || "a gap in numbers".into())?;
            let row = stored.rows.get(&no).ok_or("a registration without its row")?;
            let facts = decode_certificate(row).map_err(|error| error.to_string())?;
            check(event.actor.role == Role::Ca(facts.key.issuer), || "registered by another CA".into())?;
            check(self.certificates.values().all(|other| other.facts.key != facts.key), || "a serial twice".into())?;
            let pending = facts.delivery == Delivery::Awaited;
            let (holds, ended, town) = (BTreeMap::new(), None, None);
            self.certificates.insert(no, Naked { facts, pending, holds, ended, town });
        }
        Ok(())
    }

    fn set_changed(
        &mut self,
        position: Position,
        event: &Event,
        target: &SetTarget,
        change: SetChange,
        stored: &State,
    ) -> Result<(), String> {
        rules::may_change_set(self, event, target, change, stored)?;
        let members: Vec<_> =
            self.certificates.keys().copied().filter(|no| self.is_member(target, *no, stored)).collect();
        for no in members {
            let naked = self.certificates.get_mut(&no).ok_or("no such member")?;
            match (change, naked.ended) {
                (SetChange::Held, None) => {
                    let (kind, since) = (HoldKind::Set, event.time);
                    naked.holds.insert(HoldId(position), NakedHold { kind, since, lost_at: None, becomes: None });
                }
                (SetChange::Revoked { reason }, None) => naked.end(reason, event.time, None),
                (SetChange::Revoked { reason }, Some(known)) if rows::worse(reason, known.reason) => {
                    naked.ended = Some(Ended { reason, ..known });
                }
                (SetChange::Released { hold }, _) => _ = naked.holds.remove(&hold),
                _ => {}
            }
        }
        self.sets.push(position);
        Ok(())
    }

    fn is_member(&self, target: &SetTarget, no: CertificateNo, stored: &State) -> bool {
        let facts = &self.certificates[&no].facts;
        match target {
            SetTarget::Batch(batch) => facts.batch == *batch,
            SetTarget::Issuer(issuer) => facts.key.issuer == *issuer,
            SetTarget::Listed { list, .. } => stored.lists.get(list).is_some_and(|members| members.contains(&no)),
        }
    }

    /// Everything registered for a holder.
    pub fn family(&self, of: &Certificate) -> impl Iterator<Item = (CertificateNo, &Naked)> {
        let holder = of.holder;
        self.certificates.iter().filter(move |(_, naked)| naked.facts.holder == holder).map(|(no, naked)| (*no, naked))
    }
}

/// How many people stand behind an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backed {
    ByOne,
    ByTwo,
}

impl Naked {
    pub fn is_good(&self) -> bool {
        !self.pending && self.holds.is_empty() && self.ended.is_none()
    }

    pub fn is_phone(&self) -> bool {
        self.facts.medium.kind != tashika::model::MediumKind::Card
    }

    pub fn lost_at(&self) -> Option<Time> {
        match self.ended {
            Some(ended) => ended.lost_at,
            None => self.holds.values().filter_map(|hold| hold.lost_at).min(),
        }
    }

    /// When the clock must do something at the latest.
    pub fn due(&self, policy: &Policy) -> Option<Time> {
        if self.ended.is_some() {
            return None;
        }
        let overdue = self.pending.then(|| self.facts.not_before + policy.delivery_within);
        self.holds.values().filter_map(|hold| hold.becomes).map(|end| end.due).chain(overdue).min()
    }

    fn end(&mut self, reason: Reason, now: Time, lost_at: Option<Time>) {
        let at = self.holds.values().map(|hold| hold.since).min().unwrap_or(now);
        let lost_at = self.lost_at().into_iter().chain(lost_at).min();
        self.ended = Some(Ended { reason, at, lost_at });
        self.holds.clear();
        self.pending = false;
    }

    /// Takes in a change, or says why DOMAIN §4 has no such change here.
    fn apply(&mut self, id: HoldId, event: &Event, change: &Change) -> Result<(), String> {
        let open = self.ended.is_none();
        match change {
            Change::Acknowledged => {
                check(self.pending && open, || "acknowledged what is not pending".into())?;
                self.pending = false;
            }
            Change::HandedOver { to } => self.town = Some(*to),
            Change::Held { kind, lost_at, becomes } => {
                check(open, || "held what is revoked".into())?;
                let hold = NakedHold { kind: *kind, since: event.time, lost_at: *lost_at, becomes: *becomes };
                self.holds.insert(id, hold);
            }
            Change::LossDated { lost_at } => {
                check(self.lost_at().is_none_or(|known| *lost_at < known), || "a later loss wins".into())?;
                match (&mut self.ended, self.holds.values_mut().next()) {
                    (Some(ended), _) => ended.lost_at = Some(*lost_at),
                    (None, Some(oldest)) => oldest.lost_at = Some(*lost_at),
                    (None, None) => return Err("a loss of what is neither held nor revoked".into()),
                }
            }
            Change::ReasonChanged { reason } => {
                let known = self.ended.ok_or("another reason for what is not revoked")?;
                check(rows::worse(*reason, known.reason), || format!("{} is weakened", known.reason))?;
                self.ended = Some(Ended { reason: *reason, ..known });
            }
            Change::Released { holds } => {
                check(open && !holds.is_empty(), || "a release of nothing".into())?;
                for hold in holds {
                    check(self.holds.remove(hold).is_some(), || format!("hold {hold} is not open"))?;
                }
            }
            Change::Revoked { reason, at, lost_at } => {
                check(open, || "revoked twice".into())?;
                self.end(*reason, event.time, *lost_at);
                let ended = self.ended.map(|ended| (ended.at, ended.lost_at));
                check(ended == Some((*at, *lost_at)), || format!("its holds say {ended:?}"))?;
            }
        }
        Ok(())
    }
}

/// The kind of command that a change by itself stands for, as far as budgets tell them apart.
fn single_action(change: &Change) -> Option<&'static str> {
    match change {
        Change::Acknowledged => Some("activate"),
        Change::Held { .. } => Some("hold"),
        Change::Released { .. } => Some("release"),
        Change::ReasonChanged { .. } | Change::Revoked { .. } => Some("revoke"),
        // By hold or by revoke: counted under neither, so that a budget is never thought to be exceeded wrongly.
        Change::HandedOver { .. } | Change::LossDated { .. } => None,
    }
}

/// Whose word an actor's is, for comparison.
pub fn check(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// So that messages about an actor stay short.
pub fn short(actor: &Actor) -> String {
    format!("{}/{}", actor.role, actor.person.0[15])
}
