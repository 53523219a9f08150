//! One command: authorise → budget → decide. What comes out is recorded in the round's batch, or refused whole.

use crate::ledger::{Answer, Batch, Hash, encode_request, sha256};
use crate::model::{
    Action, Actor, Backing, Body, BudgetKey, Case, CertificateNo, Change, Command, Decided, Entry, Event, HoldId,
    HoldKind, IdempotencyKey, LastHold, Outcome, Policy, Position, Refusal, Report, Request, Role, Seconds, Time,
    Verdict as QueueVerdict, WhyQueued, Wish, decide_report, may, may_lift, may_touch, next_due, timer_wish,
    window_is_open,
};

use super::foresight::Foreseen;
use super::need::budgeted;
use super::papers::Papers;

/// A round's batch with the papers it is decided on.
pub(super) struct Round<'a> {
    pub policy: &'a Policy,
    pub now: Time,
    pub papers: Papers,
    pub batch: Batch,
}

/// What a command amounts to; nothing is recorded yet.
enum Verdict {
    /// Changes of certificates, following from a report or standing for themselves.
    Changes { root: Option<Body>, changes: Vec<(CertificateNo, Change)> },
    /// One event that names no single certificate.
    Event(Body),
}

/// What the round says of a command that came from outside.
pub(super) enum Ruled {
    /// It is decided.
    Settled(Outcome),
    /// A second person decides; it is yet to be put where they see it.
    MustWait(WhyQueued),
}

/// Whether it may happen now.
enum Weighed {
    Now(Verdict),
    Waits(WhyQueued),
}

impl Round<'_> {
    /// Decides a command that came from outside, as far as one person's word goes.
    pub(super) fn request(&mut self, request: &Request) -> Result<Ruled, Refusal> {
        if let Some(answered) = self.answered(request) {
            return answered.map(Ruled::Settled);
        }
        self.authorise(request)?;
        // Refusals come before budgets: what would be refused anyway isn't kept for a second person.
        let outcome = match self.weigh(request, Backing::One)? {
            Weighed::Waits(why) => {
                if why == WhyQueued::BackdatedLoss {
                    self.without_its_date(request)?;
                }
                return Ok(Ruled::MustWait(why));
            }
            Weighed::Now(Verdict::Changes { changes, .. }) if changes.is_empty() => Outcome::AlreadySo,
            Weighed::Now(_) if self.over_budget(request) => return Ok(Ruled::MustWait(WhyQueued::OverBudget)),
            Weighed::Now(verdict) => {
                self.spend(request);
                self.record(&request.actor, None, verdict)
            }
        };
        self.remember(request, outcome);
        Ok(Ruled::Settled(outcome))
    }

    /// The first result, if the command came before.
    pub(super) fn answered(&self, request: &Request) -> Option<Result<Outcome, Refusal>> {
        let answer = self.papers.answer(&request.idempotency?)?;
        Some(if answer.command == command_digest(request) { Ok(answer.outcome) } else { Err(Refusal::KeyReused) })
    }

    /// Keeps the result for when the command comes again.
    pub(super) fn remember(&mut self, request: &Request, outcome: Outcome) {
        if let Some(key) = request.idempotency {
            self.answer(key, Answer { command: command_digest(request), outcome });
        }
    }

    /// Keeps an answer under a key.
    pub(super) fn answer(&mut self, key: IdempotencyKey, answer: Answer) {
        self.papers.remember(key, answer);
        self.batch.answers.push((key, answer));
    }

    /// It is the date that a second person must confirm: the loss itself takes effect at once.
    fn without_its_date(&mut self, request: &Request) -> Result<(), Refusal> {
        let mut undated = request.clone();
        match &mut undated.command {
            Command::Hold { lost_at, .. } | Command::Revoke { lost_at, .. } => *lost_at = None,
            Command::Report(report) => report.lost_at = None,
            _ => return Ok(()),
        }
        match self.weigh(&undated, Backing::One)? {
            Weighed::Now(Verdict::Changes { changes, .. }) if changes.is_empty() => {}
            Weighed::Now(verdict) if !self.over_budget(&undated) => {
                self.spend(&undated);
                self.record(&undated.actor, None, verdict);
            }
            Weighed::Now(_) | Weighed::Waits(_) => {}
        }
        Ok(())
    }

    /// Carries out a command that `approver` approved as the second person.
    pub(super) fn approved(
        &mut self,
        request: &Request,
        approver: &Actor,
        queued: Position,
    ) -> Result<Outcome, Refusal> {
        let weighed = self.weigh(request, Backing::Two)?;
        let first = self.batch.next_position();
        // An undo is long. It goes on waiting until its last slice is done, so that one broken off is approved again.
        let because = if let Weighed::Now(Verdict::Event(Body::UndoOrdered(_))) = &weighed {
            queued
        } else {
            self.closed(approver, queued, queued, QueueVerdict::Approved);
            first
        };
        match weighed {
            Weighed::Waits(why) => Ok(self.queue(request, why)),
            Weighed::Now(verdict) => {
                self.record(&request.actor, Some(because), verdict);
                Ok(Outcome::Done { first, last: self.batch.next.position })
            }
        }
    }

    /// What an approval would do, by the decision that it would take.
    pub(super) fn foresee(&self, request: &Request) -> Foreseen {
        match self.weigh(request, Backing::Two) {
            Err(refusal) => Foreseen::Refused(refusal),
            Ok(Weighed::Waits(_) | Weighed::Now(Verdict::Event(_))) => Foreseen::Event,
            Ok(Weighed::Now(Verdict::Changes { changes, .. })) => {
                let mut touched: Vec<(Entry, Vec<Change>)> = Vec::new();
                for (no, change) in changes {
                    match touched.iter_mut().find(|(entry, _)| entry.no == no) {
                        Some((_, several)) => several.push(change),
                        None => touched.extend(self.papers.entry(no).map(|entry| (entry.clone(), vec![change]))),
                    }
                }
                Foreseen::Certificates(touched)
            }
        }
    }

    /// Records that a command waits no longer.
    pub(super) fn closed(&mut self, actor: &Actor, because: Position, queued: Position, verdict: QueueVerdict) {
        let body = Body::QueueDecided { queued, verdict };
        let (at, _) = self.batch.record(Event { time: self.now, actor: *actor, cause: Some(because), body });
        super::queue::keep_verdict(self, queued, verdict, at);
    }

    /// Adds what was found for a command that turned up during the round.
    pub(super) fn take_in(&mut self, found: crate::ledger::Found) {
        self.papers.add(found);
    }

    /// Lets the clock do what is due to one certificate.
    pub(super) fn clock(&mut self, due: Time, no: CertificateNo) {
        self.batch.timers_done.push((due, no));
        let Some(entry) = self.papers.entry(no) else { return };
        if let Some(due) = timer_wish(&entry.certificate, &entry.status, self.policy, self.now)
            && let Ok(Decided::Do(change)) = entry.status.decide(&due.wish, self.now)
        {
            let actor = super::clock_actor();
            self.record(&actor, due.cause, Verdict::Changes { root: None, changes: vec![(no, change)] });
        }
        // A timer stands for whatever was due first when it was set. If that is gone, what is due later has none yet.
        if let Some(entry) = self.papers.entry(no)
            && let Some(next) = next_due(&entry.certificate, &entry.status, self.policy)
        {
            self.batch.timers.push((next, no));
        }
    }

    /// Lifts holds for an undo, those that are still open; revoked certificates stay revoked.
    pub(super) fn lift(&mut self, actor: &Actor, order: Position, no: CertificateNo, holds: &[HoldId]) {
        let Some(entry) = self.papers.entry(no) else { return };
        let open: Vec<_> = holds.iter().copied().filter(|id| entry.status.hold(*id).is_some()).collect();
        let wish = Wish::Release { holds: open, last: LastHold::MayBeLifted };
        if let Ok(Decided::Do(change)) = entry.status.decide(&wish, self.now) {
            self.record(actor, Some(order), Verdict::Changes { root: None, changes: vec![(no, change)] });
        }
    }

    pub(super) fn authorise(&self, request: &Request) -> Result<(), Refusal> {
        let role = request.actor.role;
        let action = match &request.command {
            Command::Activate(_) => Action::Activate,
            Command::AdoptEpoch { .. } => Action::AdoptEpoch,
            Command::DecideQueued { .. } => Action::DecideQueued,
            Command::Hold { .. } => Action::Hold,
            Command::Release { .. } => Action::Release,
            Command::Report(report) => Action::Report(report.kind),
            Command::Revoke { .. } => Action::Revoke,
            Command::Set { .. } => Action::Set,
            Command::Undo(_) => Action::Undo,
        };
        may(role, action)?;
        if matches!(role, Role::Window(_)) && !window_is_open(self.policy.window_hours, self.now) {
            return Err(Refusal::WindowClosed);
        }
        Ok(())
    }

    fn weigh(&self, request: &Request, backing: Backing) -> Result<Weighed, Refusal> {
        let actor = &request.actor;
        match &request.command {
            Command::Activate(key) => self.single(actor, self.entry(key)?, &Wish::Acknowledge),
            Command::Hold { key, lost_at } => {
                let entry = self.entry(key)?;
                let registered = Some(entry.certificate.not_before);
                if let Some(wait) = self.check_loss(actor, *lost_at, self.now, registered, backing)? {
                    return Ok(Weighed::Waits(wait));
                }
                let kind = actor.role.hold_kind().unwrap_or(HoldKind::Review);
                self.single(actor, entry, &Wish::Hold { kind, lost_at: *lost_at, becomes: None })
            }
            Command::Release { key, holds } => self.release(actor, self.entry(key)?, holds, backing),
            Command::Revoke { key, reason, lost_at } => {
                let entry = self.entry(key)?;
                let registered = Some(entry.certificate.not_before);
                if let Some(wait) = self.check_loss(actor, *lost_at, self.now, registered, backing)? {
                    return Ok(Weighed::Waits(wait));
                }
                self.single(actor, entry, &Wish::Revoke { reason: *reason, lost_at: *lost_at })
            }
            Command::Report(report) => self.report(actor, report, backing),
            Command::Set { target, change } => {
                super::set::check(&self.papers.book, actor, target, *change)?;
                if super::set::is_so(&self.papers.book, target, *change) {
                    return Ok(Weighed::Now(Verdict::Changes { root: None, changes: Vec::new() }));
                }
                if backing == Backing::One && super::set::needs_two(actor, self.policy) {
                    return Ok(Weighed::Waits(WhyQueued::TwoPeople));
                }
                Ok(Weighed::Now(Verdict::Event(Body::SetChanged { target: target.clone(), change: *change })))
            }
            Command::Undo(scope) if backing == Backing::Two => {
                Ok(Weighed::Now(Verdict::Event(Body::UndoOrdered(*scope))))
            }
            Command::Undo(_) => Ok(Weighed::Waits(WhyQueued::TwoPeople)),
            Command::AdoptEpoch { epoch, note } => {
                let present = self.batch.next.epoch;
                if *epoch <= present {
                    return Err(Refusal::EpochNotHigher { present });
                }
                Ok(Weighed::Now(Verdict::Event(Body::EpochAdopted { epoch: *epoch, note: note.clone() })))
            }
            // Decided by the round itself, before it comes here.
            Command::DecideQueued { queued, .. } => Err(Refusal::NotQueued(*queued)),
        }
    }

    fn entry(&self, key: &crate::model::CertificateKey) -> Result<&Entry, Refusal> {
        self.papers.by_key(key).ok_or(Refusal::UnknownCertificate)
    }

    fn single(&self, actor: &Actor, entry: &Entry, wish: &Wish) -> Result<Weighed, Refusal> {
        let family = self.papers.family(entry.certificate.holder);
        may_touch(actor, entry, &family, self.policy)?;
        let changes = entry.decide_all(wish, self.now)?.into_iter().map(|change| (entry.no, change)).collect();
        Ok(Weighed::Now(Verdict::Changes { root: None, changes }))
    }

    fn release(&self, actor: &Actor, entry: &Entry, holds: &[HoldId], backing: Backing) -> Result<Weighed, Refusal> {
        // "Whatever is open" is not a name: replayed, it would lift the hold of a later loss.
        if holds.is_empty() && !entry.status.holds.is_empty() {
            return Err(Refusal::WhichHold { open: entry.status.holds.len() });
        }
        let family = self.papers.family(entry.certificate.holder);
        for hold in holds.iter().filter_map(|id| entry.status.hold(*id)) {
            let lifts = may_lift(actor, hold, entry, &family, self.policy, backing);
            let only_lacks_second = hold.kind.needs_two_people()
                && may_lift(actor, hold, entry, &family, self.policy, Backing::Two).is_ok();
            if backing == Backing::One && only_lacks_second {
                return Ok(Weighed::Waits(WhyQueued::TwoPeople));
            }
            lifts?;
        }
        let last = self.policy.last_hold(&entry.certificate);
        self.single(actor, entry, &Wish::Release { holds: holds.to_vec(), last })
    }

    fn report(&self, actor: &Actor, report: &Report, backing: Backing) -> Result<Weighed, Refusal> {
        if report.lost_at.is_some() && !report.kind.takes_loss_time() {
            return Err(Refusal::NoLossTime(report.kind));
        }
        if report.reported_at > self.now + CLOCK_LEEWAY {
            return Err(Refusal::FutureTime(report.reported_at));
        }
        let family = self.papers.families(&report.subject);
        let registered = family
            .iter()
            .filter(|entry| report.subject.names(&entry.certificate))
            .map(|entry| entry.certificate.not_before)
            .min();
        if let Some(wait) = self.check_loss(actor, report.lost_at, report.reported_at, registered, backing)? {
            return Ok(Weighed::Waits(wait));
        }
        let case = Case { actor, report, family: &family, policy: self.policy, now: self.now, backing };
        let changes = decide_report(&case)?;
        Ok(Weighed::Now(Verdict::Changes { root: Some(Body::Reported(report.clone())), changes }))
    }

    /// DOMAIN §4: a loss long before the report, or before what was lost was registered, is the window's to state, with a
    /// second person; the future is nobody's.
    fn check_loss(
        &self,
        actor: &Actor,
        lost_at: Option<Time>,
        reported_at: Time,
        registered: Option<Time>,
        backing: Backing,
    ) -> Result<Option<WhyQueued>, Refusal> {
        let Some(lost_at) = lost_at else { return Ok(None) };
        if lost_at > self.now + CLOCK_LEEWAY {
            return Err(Refusal::FutureTime(lost_at));
        }
        // When it was reported is its sender's word as well, and must not be what makes an old loss believable.
        let reported_at = reported_at.max(self.now - REPORT_LATE_MAX);
        let long_ago = lost_at < reported_at - self.policy.backdating_max;
        let before_registration = registered.is_some_and(|registered| lost_at < registered);
        if !(long_ago || before_registration) || backing == Backing::Two {
            return Ok(None);
        }
        match actor.role {
            Role::Window(_) => Ok(Some(WhyQueued::BackdatedLoss)),
            role => Err(Refusal::BackdatedLoss { lost_at, role }),
        }
    }

    fn over_budget(&self, request: &Request) -> bool {
        budgeted(&request.command).is_some_and(|action| {
            let key = BudgetKey::of(&request.actor, action);
            !self.papers.budget(&key).has_room(self.policy)
        })
    }

    fn spend(&mut self, request: &Request) {
        if let Some(action) = budgeted(&request.command) {
            let key = BudgetKey::of(&request.actor, action);
            self.papers.spend(key.clone());
            let hour = self.now.japan_hour();
            match self.batch.budgets.iter_mut().find(|(known, _, _)| *known == key) {
                Some((_, _, used)) => *used += 1,
                None => self.batch.budgets.push((key, hour, 1)),
            }
        }
    }

    pub(super) fn queue(&mut self, request: &Request, why: WhyQueued) -> Outcome {
        let body = Body::Queued { request: Box::new(request.clone()), why };
        let event = Event { time: self.now, actor: request.actor, cause: None, body };
        Outcome::Queued { queued: self.batch.record(event).0 }
    }

    fn record(&mut self, actor: &Actor, because: Option<Position>, verdict: Verdict) -> Outcome {
        let first = self.batch.next_position();
        match verdict {
            Verdict::Event(body) => {
                self.batch.record(Event { time: self.now, actor: *actor, cause: because, body });
            }
            Verdict::Changes { root, changes } => {
                let mut cause = because;
                if let Some(body) = root {
                    let event = Event { time: self.now, actor: *actor, cause, body };
                    cause = Some(self.batch.record(event).0);
                }
                for (no, change) in changes {
                    self.change(actor, cause, no, &change);
                }
            }
        }
        Outcome::Done { first, last: self.batch.next.position }
    }

    fn change(&mut self, actor: &Actor, cause: Option<Position>, no: CertificateNo, change: &Change) {
        let Some(entry) = self.papers.entry(no) else { return };
        let body = Body::Changed { no, key: entry.certificate.key, change: change.clone() };
        let (position, time) = self.batch.record(Event { time: self.now, actor: *actor, cause, body });
        let changed = self.papers.apply(no, change, position, time, cause.unwrap_or(position));
        if let Some(entry) = changed
            && matches!(change, Change::Held { becomes: Some(_), .. })
            && let Some(due) = next_due(&entry.certificate, &entry.status, self.policy)
        {
            self.batch.timers.push((due, no));
        }
    }
}

/// What an idempotency key is compared with. When a report was received is the receiver's and differs between tries.
fn command_digest(request: &Request) -> Hash {
    let mut request = request.clone();
    if let Command::Report(report) = &mut request.command {
        report.reported_at = Time::default();
    }
    sha256(&[&encode_request(&request)])
}

/// A report may reach the desk so much later than its sender took it: a weekend and the night before.
const REPORT_LATE_MAX: Seconds = Seconds::days(3);
/// Senders' clocks may be ahead of ours by this much.
const CLOCK_LEEWAY: Seconds = Seconds(120);
