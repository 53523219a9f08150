//! From a report to what it does to each certificate of a family: the rows of DOMAIN §5.
//!
//! Pure: the desk decides each wish against the certificate's status and records all of them in one transaction.

use super::{
    Actor, Backing, Certificate, CertificateNo, Change, Entry, Final, Hold, HoldKind, LastHold, Life, Links,
    MediumKind, Policy, Reason, Refusal, Report, ReportKind, Role, StatusRefusal, Subject, Time, Usage, Wish, may_lift,
    may_touch,
};

/// One consequence: whose, and what.
pub type Consequence = (CertificateNo, Wish);

/// Everything that a report needs to be weighed.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Who reports.
    pub actor: &'a Actor,
    /// What.
    pub report: &'a Report,
    /// Every certificate of the holders concerned.
    pub family: &'a [Entry],
    /// The settings.
    pub policy: &'a Policy,
    /// Ledger time.
    pub now: Time,
    /// Whether a second person approved it.
    pub backing: Backing,
}

/// Every change that the report makes, in the order in which it is recorded. None if everything it calls for is so
/// already; what it has nothing to say about is refused.
pub fn decide_report(case: &Case<'_>) -> Result<Vec<(CertificateNo, Change)>, Refusal> {
    let (mut changes, mut beyond, mut answered) = (Vec::new(), None, false);
    for (no, wish) in cascade(case)? {
        let entry = case.family.iter().find(|entry| entry.no == no).ok_or(Refusal::UnknownCertificate)?;
        match entry.decide_all(&wish, case.now) {
            Ok(several) => {
                answered = true;
                changes.extend(several.into_iter().map(|change| (no, change)));
            }
            // A report about several certificates isn't stopped by one that is already beyond it.
            Err(refusal @ StatusRefusal::Revoked { .. }) => beyond = beyond.or(Some(refusal)),
            Err(refusal) => return Err(refusal.into()),
        }
    }
    match beyond {
        Some(refusal) if !answered => Err(refusal.into()),
        _ => Ok(changes),
    }
}

/// What the report does, in the order in which it is recorded.
pub fn cascade(case: &Case<'_>) -> Result<Vec<Consequence>, Refusal> {
    use ReportKind as K;
    match case.report.kind {
        K::CardFound => case.found(Reach::Card),
        K::CardLost => case.card_lost(),
        K::CardNotFound => case.end_card(Reason::KeyCompromise),
        K::ContractEnded | K::SimDisposed => case.sim_ended(),
        K::Delivered => Ok(each(&case.pending()?, &Wish::Acknowledge)),
        K::Died => case.died(),
        K::HolderApplies => Ok(case.revoke(&case.subjects(Reach::All)?, Reason::CessationOfOperation)),
        K::Moved | K::Renamed => case.contents_changed(),
        K::NotDelivered => Ok(case.revoke(&case.pending()?, Reason::Unspecified)),
        K::PhoneFound => case.found(Reach::Phone),
        K::PhoneLost => case.phone_lost(),
        K::PhoneNotFound => Ok(case.revoke(&case.subjects(Reach::Phone)?, Reason::KeyCompromise)),
        K::Renewed => case.end_card(Reason::Superseded),
        K::Returned => case.end_card(Reason::CessationOfOperation),
        K::SimSwapped => case.sim_swapped(),
    }
}

/// Which of a holder's certificates a report speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    All,
    Card,
    Phone,
}

impl<'a> Case<'a> {
    /// The certificates the subject names, as far as the report reaches; competence for each is checked.
    fn subjects(&self, reach: Reach) -> Result<Vec<&'a Entry>, Refusal> {
        let mut named: Vec<_> = self
            .family
            .iter()
            .filter(|e| self.report.subject.names(&e.certificate) && reach.includes(&e.certificate))
            .collect();
        // A carrier that names a holder means its own SIMs, and isn't told of others.
        if let (Role::Carrier(_), Subject::Holder(_)) = (self.actor.role, &self.report.subject) {
            named.retain(|entry| may_touch(self.actor, entry, self.family, self.policy).is_ok());
        }
        if named.is_empty() {
            return Err(Refusal::UnknownSubject(self.report.kind));
        }
        named.iter().try_for_each(|entry| may_touch(self.actor, entry, self.family, self.policy))?;
        Ok(named)
    }

    fn pending(&self) -> Result<Vec<&'a Entry>, Refusal> {
        let named = self.subjects(Reach::All)?;
        // A repeated acknowledgement finds nothing pending and is no error.
        if self.report.kind == ReportKind::Delivered {
            return Ok(named);
        }
        let (pending, others): (Vec<_>, Vec<_>) = named.into_iter().partition(|e| e.status.life == Life::Pending);
        let said_before = others.iter().any(|entry| entry.was_discarded());
        if pending.is_empty() && !said_before && others.iter().any(|entry| entry.status.life == Life::Active) {
            return Err(self.not_applicable("it was delivered; report it lost, or have it revoked"));
        }
        Ok(pending)
    }

    fn not_applicable(&self, why: &'static str) -> Refusal {
        Refusal::NotApplicable { kind: self.report.kind, why }
    }

    fn revoke(&self, entries: &[&Entry], reason: Reason) -> Vec<Consequence> {
        each(entries, &Wish::Revoke { reason, lost_at: self.report.lost_at })
    }

    fn hold(&self, becomes: Option<Final>) -> Result<Wish, Refusal> {
        let kind = self.actor.role.hold_kind().ok_or_else(|| Refusal::NotAllowed {
            role: self.actor.role,
            action: format!("report {}", self.report.kind),
        })?;
        Ok(Wish::Hold { kind, lost_at: self.report.lost_at, becomes })
    }

    /// A carrier never checks that the subscriber is the holder: its word holds, and becomes final only in time.
    fn carrier_final(&self, reason: Reason) -> Option<Final> {
        matches!(self.actor.role, Role::Carrier(_))
            .then_some(Final { due: self.now + self.policy.confirm_after, reason })
    }

    /// Phone certificates issued under the SIGN certificates among `cards`.
    fn phones_under(&self, cards: &[&Entry]) -> Vec<&'a Entry> {
        let signs: Vec<_> = cards.iter().filter(|e| e.certificate.usage == Usage::Sign).map(|e| e.no).collect();
        self.family
            .iter()
            .filter(|e| e.certificate.is_phone())
            .filter(|e| matches!(e.certificate.links, Links { issued_under: Some(sign), .. } if signs.contains(&sign)))
            .collect()
    }

    /// Row 4 and rule X.
    fn card_lost(&self) -> Result<Vec<Consequence>, Refusal> {
        let cards = self.subjects(Reach::Card)?;
        let phones = self.phones_under(&cards);
        let mut consequences = each(&cards, &self.hold(None)?);
        for phone in phones {
            if phone.status.life == Life::Pending {
                consequences.push((phone.no, Wish::Revoke { reason: Reason::Unspecified, lost_at: None }));
            } else if self.report.lost_at.is_some_and(|lost| phone.certificate.not_before > lost) {
                let already = phone.status.holds.iter().any(|hold| hold.kind == HoldKind::RuleX);
                if !already && phone.status.revocation().is_none() {
                    let kind = HoldKind::RuleX;
                    // The loss is the card's; the phone's certificate didn't exist then.
                    consequences.push((phone.no, Wish::Hold { kind, lost_at: None, becomes: None }));
                }
            }
        }
        Ok(consequences)
    }

    fn phone_lost(&self) -> Result<Vec<Consequence>, Refusal> {
        let wish = self.hold(self.carrier_final(Reason::KeyCompromise))?;
        Ok(each(&self.subjects(Reach::Phone)?, &wish))
    }

    /// Rows 5 and 8: lift what this actor may lift; where the last hold must stay, revoke and let it be issued anew.
    ///
    /// Only holds that were open when the report was made are meant: a late or replayed "found" of loss 1 must not lift
    /// the hold of loss 2.
    fn found(&self, reach: Reach) -> Result<Vec<Consequence>, Refusal> {
        let mut consequences = Vec::new();
        let mut obstacle = None;
        let subjects = self.subjects(reach)?;
        for entry in &subjects {
            let (liftable, stuck): (Vec<&Hold>, Vec<&Hold>) = entry.status.holds.iter().partition(|hold| {
                hold.since <= self.report.reported_at
                    && may_lift(self.actor, hold, entry, self.family, self.policy, self.backing).is_ok()
            });
            let last = self.policy.last_hold(&entry.certificate);
            if liftable.is_empty() {
                obstacle = obstacle.or(stuck.first().map(|hold| self.not_liftable(hold)));
            } else if stuck.is_empty() && last == LastHold::Stays {
                if matches!(self.actor.role, Role::Carrier(_)) {
                    // It may not revoke: its hold stays until the window or the clock ends it.
                    obstacle = obstacle.or(Some(StatusRefusal::LastHoldStays.into()));
                    continue;
                }
                let reason = Reason::CessationOfOperation;
                consequences.push((entry.no, Wish::Revoke { reason, lost_at: None }));
            } else {
                let holds = liftable.iter().map(|hold| hold.id).collect();
                consequences.push((entry.no, Wish::Release { holds, last }));
            }
        }
        let revoked = || subjects.iter().map(|entry| entry.status.revocation()).collect::<Option<Vec<_>>>();
        match obstacle {
            _ if !consequences.is_empty() => Ok(consequences),
            Some(obstacle) => Err(obstacle),
            // Found too late: "so already" would sound as if it were good.
            None => match revoked().as_deref() {
                Some([revocation, ..]) => Err(StatusRefusal::Revoked { reason: revocation.reason }.into()),
                _ => Ok(consequences),
            },
        }
    }

    fn not_liftable(&self, hold: &Hold) -> Refusal {
        Refusal::NotLiftable { hold: hold.id, kind: hold.kind.name(), role: self.actor.role }
    }

    /// Rows 6, 12, 15: the card's certificates end for `reason`, its phone certificates are to be applied for again.
    fn end_card(&self, reason: Reason) -> Result<Vec<Consequence>, Refusal> {
        let mut cards = self.subjects(Reach::Card)?;
        if reason == Reason::Superseded {
            // Whoever names the holder means the old card, not the one that succeeds it.
            cards.retain(|entry| !self.succeeds_another(entry) || self.is_succeeded(entry));
            if cards.is_empty() {
                return Err(Refusal::SuccessorMissing(self.report.kind));
            }
        }
        let phones = self.phones_under(&cards);
        let mut consequences = self.revoke(&cards, reason);
        let reason = Reason::Superseded;
        consequences.extend(each(&phones, &Wish::Revoke { reason, lost_at: None }));
        Ok(consequences)
    }

    /// Row 9: from a carrier a hold that becomes final; from the window at once.
    fn sim_ended(&self) -> Result<Vec<Consequence>, Refusal> {
        let phones = self.subjects(Reach::Phone)?;
        match self.carrier_final(Reason::CessationOfOperation) {
            Some(end) => Ok(each(&phones, &self.hold(Some(end))?)),
            None => Ok(self.revoke(&phones, Reason::CessationOfOperation)),
        }
    }

    /// Row 11: the new certificate first, then the old one ends. A carrier's word alone only holds.
    fn sim_swapped(&self) -> Result<Vec<Consequence>, Refusal> {
        let phones = self.subjects(Reach::Phone)?;
        if let Some(end) = self.carrier_final(Reason::CessationOfOperation) {
            return Ok(each(&phones, &self.hold(Some(end))?));
        }
        let (old, open): (Vec<_>, Vec<_>) = phones.into_iter().partition(|entry| self.is_succeeded(entry));
        if old.is_empty() && open.iter().any(|entry| entry.status.revocation().is_none()) {
            return Err(Refusal::SuccessorMissing(self.report.kind));
        }
        Ok(self.revoke(&old, Reason::Superseded))
    }

    /// Whether a certificate in use replaces it.
    fn is_succeeded(&self, old: &Entry) -> bool {
        self.family.iter().any(|new| new.certificate.links.succeeds == Some(old.no) && new.status.life == Life::Active)
    }

    /// Whether it replaces another certificate of the same holder.
    fn succeeds_another(&self, entry: &Entry) -> bool {
        entry.certificate.links.succeeds.is_some_and(|old| self.family.iter().any(|e| e.no == old))
    }

    /// Row 13: SIGN ends wherever it is; AUTH carries no contents and stays. Who moved is handed over.
    fn contents_changed(&self) -> Result<Vec<Consequence>, Refusal> {
        let all = self.subjects(Reach::All)?;
        let (signs, auths): (Vec<_>, Vec<_>) = all.into_iter().partition(|e| e.certificate.usage == Usage::Sign);
        let mut consequences = self.revoke(&signs, Reason::AffiliationChanged);
        if let (ReportKind::Moved, Some(to)) = (self.report.kind, self.report.moved_to) {
            consequences.extend(each(&auths, &Wish::HandOver(to)));
        }
        if consequences.is_empty() {
            return Err(self.not_applicable("there is no SIGN certificate, and AUTH says nothing of its holder"));
        }
        Ok(consequences)
    }

    /// Row 14.
    fn died(&self) -> Result<Vec<Consequence>, Refusal> {
        let due = self.now + self.policy.died_confirm_after;
        let wish = self.hold(Some(Final { due, reason: Reason::AffiliationChanged }))?;
        Ok(each(&self.subjects(Reach::All)?, &wish))
    }
}

fn each(entries: &[&Entry], wish: &Wish) -> Vec<Consequence> {
    entries.iter().map(|entry| (entry.no, wish.clone())).collect()
}

impl Reach {
    fn includes(self, certificate: &Certificate) -> bool {
        match self {
            Self::All => true,
            Self::Card => certificate.medium.kind == MediumKind::Card,
            Self::Phone => certificate.is_phone(),
        }
    }
}

impl Subject {
    /// Whether the subject names this certificate.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Holder(holder) => certificate.holder == *holder,
            Self::Medium(medium) => certificate.medium.id == *medium,
            Self::Sim { sim, operator } => {
                certificate.sim.is_some_and(|own| own.sim == *sim && own.operator == *operator)
            }
        }
    }
}
