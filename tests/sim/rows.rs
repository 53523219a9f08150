//! What each report does to each certificate: the rows of the domain, told once more without `model::cascade`. Read by
//! `rules`, which says who may send which report.

use tashika::model::{
    CertificateNo, Change, Delivery, Event, Final, HoldId, HoldKind, Reason, Report, ReportKind, Role, Seconds, Time,
    Usage,
};

use crate::naive::{Backed, Naive, Naked, NakedHold};
use crate::rules::{Changes, Member, all, hold_of, may_lift, one_way};

/// A report with everything that it is about.
pub struct Case<'a> {
    pub naive: &'a Naive,
    pub event: &'a Event,
    pub report: &'a Report,
    pub subjects: Vec<Member<'a>>,
}

impl<'a> Case<'a> {
    pub fn row(&self, backed: Backed) -> Changes {
        use Reason as R;
        use ReportKind as K;
        let by_carrier = matches!(self.event.actor.role, Role::Carrier(_));
        let only = |usage: Usage| self.subjects.iter().copied().filter(move |(_, n)| n.facts.usage == usage);
        let pending = || self.subjects.iter().copied().filter(|(_, n)| n.pending);
        match self.report.kind {
            K::CardLost => self.each(self.subjects.iter().copied(), |n| self.held(n, None)).chain(self.rule_x()),
            K::CardFound | K::PhoneFound => self.found(backed),
            K::CardNotFound => self.ended(R::KeyCompromise).chain(self.phones_end()),
            K::Renewed => {
                let old = self.subjects.iter().copied().filter(|(no, n)| self.is_old(*no, n));
                self.each(old, |n| self.revoked(n, R::Superseded)).chain(self.phones_end())
            }
            K::Returned => self.ended(R::CessationOfOperation).chain(self.phones_end()),
            K::PhoneLost => {
                let becomes = by_carrier.then(|| self.in_days(self.naive.policy.confirm_after, R::KeyCompromise));
                self.each(self.subjects.iter().copied(), |n| self.held(n, becomes))
            }
            K::SimDisposed | K::ContractEnded | K::SimSwapped if by_carrier => {
                let becomes = self.in_days(self.naive.policy.confirm_after, R::CessationOfOperation);
                self.each(self.subjects.iter().copied(), |n| self.held(n, Some(becomes)))
            }
            K::SimDisposed | K::ContractEnded => self.ended(R::CessationOfOperation),
            K::SimSwapped => {
                let old = self.subjects.iter().copied().filter(|(no, _)| self.has_successor(*no));
                self.each(old, |n| self.revoked(n, R::Superseded))
            }
            K::PhoneNotFound => self.ended(R::KeyCompromise),
            K::HolderApplies => self.ended(R::CessationOfOperation),
            K::Moved => {
                let town = self.report.moved_to;
                let handed = |n: &Naked| town.filter(|to| n.town != Some(*to)).map(|to| Change::HandedOver { to });
                self.each(only(Usage::Sign), |n| self.revoked(n, R::AffiliationChanged))
                    .chain(self.each(only(Usage::Auth), handed))
            }
            K::Renamed => self.each(only(Usage::Sign), |n| self.revoked(n, R::AffiliationChanged)),
            K::Died => {
                let becomes = self.in_days(self.naive.policy.died_confirm_after, R::AffiliationChanged);
                self.each(self.subjects.iter().copied(), |n| self.held(n, Some(becomes)))
            }
            K::Delivered => self.each(pending(), |_| Some(Change::Acknowledged)),
            K::NotDelivered => self.each(pending(), |n| self.revoked(n, R::Unspecified)),
        }
        .0
    }

    fn each<'b, C: IntoIterator<Item = Change>>(
        &self,
        of: impl Iterator<Item = Member<'b>>,
        change: impl Fn(&Naked) -> C,
    ) -> Row {
        let changes = of.map(|(no, naked)| (no, change(naked).into_iter().collect::<Vec<_>>()));
        Row(changes.filter(|(_, changes)| !changes.is_empty()).collect())
    }

    fn ended(&self, reason: Reason) -> Row {
        self.each(self.subjects.iter().copied(), |n| self.revoked(n, reason))
    }

    /// The phone certificates of that card: applied for with its SIGN.
    fn phones_of_cards(&self) -> impl Iterator<Item = Member<'a>> {
        let renewed = self.report.kind == ReportKind::Renewed;
        let cards = self.subjects.iter().filter(|(no, n)| !renewed || self.is_old(*no, n));
        let signs: Vec<_> = cards.filter(|(_, n)| n.facts.usage == Usage::Sign).map(|(no, _)| *no).collect();
        all(self.naive).filter(move |(_, n)| {
            n.is_phone() && n.facts.links.issued_under.is_some_and(|under| signs.contains(&under))
        })
    }

    fn phones_end(&self) -> Row {
        let superseded = |n: &Naked| revoked(n, Reason::Superseded, None, self.event.time);
        self.each(self.phones_of_cards(), superseded)
    }

    /// Rows 4 and X: pending applications are cancelled, what was enrolled after the loss is held for review.
    fn rule_x(&self) -> Row {
        self.each(self.phones_of_cards(), |n| {
            if n.pending {
                return revoked(n, Reason::Unspecified, None, self.event.time);
            }
            let Some(lost_at) = self.report.lost_at else { return Vec::new() };
            let known = n.holds.values().any(|hold| hold.kind == HoldKind::RuleX);
            let after = n.facts.not_before > lost_at && !known && n.ended.is_none();
            let held = Change::Held { kind: HoldKind::RuleX, lost_at: None, becomes: None };
            after.then_some(held).into_iter().collect()
        })
    }

    /// Rows 5 and 8.
    fn found(&self, backed: Backed) -> Row {
        let lifts = |hold: &NakedHold, naked: &Naked| {
            hold.since <= self.report.reported_at && may_lift(self.naive, &self.event.actor, hold, naked, backed)
        };
        self.each(self.subjects.iter().copied(), |n| {
            let named: Vec<HoldId> = n.holds.iter().filter(|(_, hold)| lifts(hold, n)).map(|(id, _)| *id).collect();
            let all_of_them = named.len() == n.holds.len();
            match (named.is_empty(), all_of_them && one_way(self.naive, n), self.event.actor.role) {
                (true, _, _) | (false, true, Role::Carrier(_)) => Vec::new(),
                (false, true, _) => revoked(n, Reason::CessationOfOperation, None, self.event.time),
                (false, false, _) => vec![Change::Released { holds: named }],
            }
        })
    }

    /// Row 12 speaks of the old card: not of one that replaced another and isn't replaced itself.
    fn is_old(&self, no: CertificateNo, naked: &Naked) -> bool {
        naked.facts.links.succeeds.is_none() || self.has_successor(no)
    }

    fn has_successor(&self, old: CertificateNo) -> bool {
        let good = |n: &Naked| !n.pending && n.ended.is_none();
        all(self.naive).any(|(_, n)| n.facts.links.succeeds == Some(old) && good(n))
    }

    fn in_days(&self, after: Seconds, reason: Reason) -> Final {
        Final { due: self.event.time + after, reason }
    }

    fn held(&self, naked: &Naked, becomes: Option<Final>) -> Option<Change> {
        held(naked, hold_of(self.event.actor.role)?, self.report.lost_at, becomes)
    }

    fn revoked(&self, naked: &Naked, reason: Reason) -> Vec<Change> {
        revoked(naked, reason, self.report.lost_at, self.event.time)
    }
}

struct Row(Changes);

impl Row {
    fn chain(mut self, other: Row) -> Row {
        self.0.extend(other.0);
        self
    }
}

/// A second report of the same party opens no second hold; the earliest accepted loss wins (row 20).
pub fn held(naked: &Naked, kind: HoldKind, lost_at: Option<Time>, becomes: Option<Final>) -> Option<Change> {
    let review = matches!(kind, HoldKind::Review | HoldKind::RuleX | HoldKind::Set);
    let own: Vec<&NakedHold> = naked.holds.values().filter(|hold| !review && hold.kind == kind).collect();
    let ends: Vec<Final> = own.iter().filter_map(|hold| hold.becomes).collect();
    // A first term is news; later ones are if they are sooner than all, or worse: "lost" after "contract ended".
    let news = match (becomes, ends.iter().map(|end| end.due).min()) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(new), Some(first)) => new.due < first || ends.iter().all(|end| worse(new.reason, end.reason)),
    };
    let known = !own.is_empty() && !news;
    if naked.ended.is_some() || known { dated(naked, lost_at) } else { Some(Change::Held { kind, lost_at, becomes }) }
}

fn dated(naked: &Naked, lost_at: Option<Time>) -> Option<Change> {
    let lost_at = lost_at?;
    naked.lost_at().is_none_or(|known| lost_at < known).then_some(Change::LossDated { lost_at })
}

/// REVOKED is final, and only a worse reason replaces its reason; its date is the start of the first hold.
pub fn revoked(naked: &Naked, reason: Reason, lost_at: Option<Time>, now: Time) -> Vec<Change> {
    match naked.ended {
        Some(ended) => {
            // Nobody ever had what was discarded before delivery: it is not renewed or given back, only compromised.
            let discarded = naked.facts.delivery == Delivery::Awaited && ended.reason == Reason::Unspecified;
            let news = worse(reason, ended.reason) && (!discarded || worse(reason, Reason::Superseded));
            let worse = news.then_some(Change::ReasonChanged { reason });
            worse.into_iter().chain(dated(naked, lost_at)).collect()
        }
        None => {
            let at = naked.holds.values().map(|hold| hold.since).min().unwrap_or(now);
            vec![Change::Revoked { reason, at, lost_at: naked.lost_at().into_iter().chain(lost_at).min() }]
        }
    }
}

/// Whether a reason says something worse than another.
pub fn worse(a: Reason, than: Reason) -> bool {
    let rank = |reason: Reason| match reason {
        Reason::CaCompromise => 3,
        Reason::KeyCompromise | Reason::AaCompromise => 2,
        Reason::Unspecified => 0,
        _ => 1,
    };
    rank(a) > rank(than)
}
