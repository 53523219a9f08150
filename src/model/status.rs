//! The status of one certificate and what may happen to it: decide (may refuse, touches nothing), then apply (can't fail).
//!
//! Every change that any command, report, timer or import makes to a certificate passes through [`Status::decide`].

use super::{Certificate, Delivery, Final, Hold, HoldId, HoldKind, Municipality, Position, Reason, Time};

/// What is true of a certificate after its last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it stands in its life.
    pub life: Life,
    /// The holds now open, oldest first. Empty once revoked.
    pub holds: Vec<Hold>,
    /// Its municipality since it was handed over, if it was.
    pub handed_to: Option<Municipality>,
    /// The last event that touched it (its own or a set's).
    pub as_of: Position,
}

/// Stations of a certificate's life. Expiry is the clock's and isn't kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Delivered and in use.
    Active,
    /// Made, waiting for its acknowledgement.
    Pending,
    /// Final.
    Revoked(Revocation),
}

/// A final revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Why.
    pub reason: Reason,
    /// The revocation date: the start of the first hold that led to it, else the moment it was decided.
    pub at: Time,
    /// The accepted time of loss, if one was stated.
    pub lost_at: Option<Time>,
    /// The event that made it final, or last changed its reason.
    pub by: Position,
}

/// One change of one certificate's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The medium acknowledged; PENDING became ACTIVE.
    Acknowledged,
    /// The residence, and with it the competent window, changed.
    HandedOver {
        /// The new municipality.
        to: Municipality,
    },
    /// A hold was opened; it is named by this event's position.
    Held {
        /// Whose hold.
        kind: HoldKind,
        /// Accepted time of loss.
        lost_at: Option<Time>,
        /// What it becomes when uncontradicted.
        becomes: Option<Final>,
    },
    /// An earlier time of loss was accepted for an open hold or a revocation.
    LossDated {
        /// The accepted time.
        lost_at: Time,
    },
    /// A worse reason was learnt of a certificate already revoked.
    ReasonChanged {
        /// The new reason.
        reason: Reason,
    },
    /// The named holds were lifted.
    Released {
        /// Their names, ascending, all open at the time.
        holds: Vec<HoldId>,
    },
    /// Revoked for good.
    Revoked {
        /// Why.
        reason: Reason,
        /// The revocation date.
        at: Time,
        /// Accepted time of loss.
        lost_at: Option<Time>,
    },
}

/// What is wanted of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Acknowledge delivery.
    Acknowledge,
    /// Hand over to a municipality.
    HandOver(Municipality),
    /// Open a hold.
    Hold {
        /// Whose.
        kind: HoldKind,
        /// Accepted time of loss.
        lost_at: Option<Time>,
        /// What it becomes when uncontradicted.
        becomes: Option<Final>,
    },
    /// Lift exactly these holds.
    Release {
        /// Their names.
        holds: Vec<HoldId>,
        /// Whether the last one may be lifted at all.
        last: LastHold,
    },
    /// Revoke for good.
    Revoke {
        /// Why.
        reason: Reason,
        /// Accepted time of loss.
        lost_at: Option<Time>,
    },
}

/// Whether lifting the last open hold makes the certificate good again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastHold {
    /// Yes.
    MayBeLifted,
    /// No: such certificates are revoked and reissued.
    Stays,
}

/// What deciding yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// This change is to be recorded.
    Do(Change),
    /// It is so already; nothing is to be recorded.
    AlreadySo,
}

/// Why a wish can't be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusRefusal {
    /// A release named a hold that isn't open.
    #[error("hold {0} is not open on this certificate")]
    HoldNotOpen(HoldId),
    /// The last hold of a certificate that can't be made good again.
    #[error("the last hold of such a certificate is not lifted: revoke it and issue a new one")]
    LastHoldStays,
    /// The certificate is revoked, which is final.
    #[error("the certificate is revoked ({reason}), which is final")]
    Revoked {
        /// Why it was revoked.
        reason: Reason,
    },
    /// A release that names no hold.
    #[error("a release names the holds it lifts: none was named")]
    NoHoldNamed,
    /// More holds than a certificate can carry.
    #[error("the certificate has {HOLDS_MAX} open holds, no more fit")]
    TooManyHolds,
}

impl Status {
    /// The status of a certificate at its registration.
    pub fn at_registration(certificate: &Certificate, position: Position) -> Self {
        let life = match certificate.delivery {
            Delivery::Awaited => Life::Pending,
            Delivery::Delivered => Life::Active,
        };
        Self { life, holds: Vec::new(), handed_to: None, as_of: position }
    }

    /// Whether the certificate is neither pending, held nor revoked.
    pub fn is_good(&self) -> bool {
        self.life == Life::Active && self.holds.is_empty()
    }

    /// The revocation, if it is final.
    pub fn revocation(&self) -> Option<&Revocation> {
        match &self.life {
            Life::Revoked(revocation) => Some(revocation),
            Life::Active | Life::Pending => None,
        }
    }

    /// The open hold of that name.
    pub fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.id == id)
    }

    /// When the first of the holds now open began.
    pub fn held_since(&self) -> Option<Time> {
        self.holds.iter().map(|hold| hold.since).min()
    }

    /// The earliest accepted time of loss among what is open.
    pub fn lost_at(&self) -> Option<Time> {
        match &self.life {
            Life::Revoked(revocation) => revocation.lost_at,
            Life::Active | Life::Pending => self.holds.iter().filter_map(|hold| hold.lost_at).min(),
        }
    }

    /// Since when it has not been good, its time of loss included, if it isn't: what was enrolled under it afterwards may
    /// be another's.
    pub fn in_doubt_since(&self) -> Option<Time> {
        let revoked = self.revocation().map(|revocation| revocation.at);
        self.held_since().into_iter().chain(revoked).chain(self.lost_at()).min()
    }

    /// What a wish amounts to now. Touches nothing.
    pub fn decide(&self, wish: &Wish, now: Time) -> Result<Decided, StatusRefusal> {
        match wish {
            Wish::Acknowledge => self.decide_acknowledge(),
            Wish::HandOver(to) if self.handed_to == Some(*to) => Ok(Decided::AlreadySo),
            Wish::HandOver(to) => Ok(Decided::Do(Change::HandedOver { to: *to })),
            Wish::Hold { kind, lost_at, becomes } => self.decide_hold(*kind, *lost_at, *becomes),
            Wish::Release { holds, last } => self.decide_release(holds, *last),
            Wish::Revoke { reason, lost_at } => Ok(self.decide_revoke(*reason, *lost_at, now)),
        }
    }

    /// Everything that a wish amounts to now, in order: a worse reason may come with an earlier loss, which is a second
    /// change. Nothing if it is so already.
    pub fn decide_all(&self, wish: &Wish, now: Time) -> Result<Vec<Change>, StatusRefusal> {
        let Decided::Do(first) = self.decide(wish, now)? else { return Ok(Vec::new()) };
        let dated = match (&first, wish) {
            (Change::ReasonChanged { .. }, Wish::Revoke { lost_at, .. }) => self.decide_loss_date(*lost_at),
            _ => Decided::AlreadySo,
        };
        let second = match dated {
            Decided::Do(change) => Some(change),
            Decided::AlreadySo => None,
        };
        Ok([first].into_iter().chain(second).collect())
    }

    fn decide_acknowledge(&self) -> Result<Decided, StatusRefusal> {
        match &self.life {
            Life::Active => Ok(Decided::AlreadySo),
            Life::Pending => Ok(Decided::Do(Change::Acknowledged)),
            Life::Revoked(revocation) => Err(StatusRefusal::Revoked { reason: revocation.reason }),
        }
    }

    fn decide_hold(
        &self,
        kind: HoldKind,
        lost_at: Option<Time>,
        becomes: Option<Final>,
    ) -> Result<Decided, StatusRefusal> {
        // A report on what is already revoked changes nothing, and is no error: the caller wanted it not to be good.
        if self.revocation().is_some() {
            return Ok(self.decide_loss_date(lost_at));
        }
        // The same party reporting again doesn't open a second hold: one release must undo one loss.
        let own: Vec<_> = self.holds.iter().filter(|hold| hold.kind == kind && !kind.needs_two_people()).collect();
        if !own.is_empty() && !is_news(becomes, own.iter().filter_map(|hold| hold.becomes)) {
            return Ok(self.decide_loss_date(lost_at));
        }
        if self.holds.len() >= HOLDS_MAX {
            return Err(StatusRefusal::TooManyHolds);
        }
        Ok(Decided::Do(Change::Held { kind, lost_at, becomes }))
    }

    /// The earliest accepted time of loss wins; a later one changes nothing.
    fn decide_loss_date(&self, lost_at: Option<Time>) -> Decided {
        match (lost_at, self.lost_at()) {
            (Some(stated), Some(known)) if stated < known => Decided::Do(Change::LossDated { lost_at: stated }),
            (Some(stated), None) => Decided::Do(Change::LossDated { lost_at: stated }),
            _ => Decided::AlreadySo,
        }
    }

    fn decide_release(&self, holds: &[HoldId], last: LastHold) -> Result<Decided, StatusRefusal> {
        if let Some(revocation) = self.revocation() {
            return Err(StatusRefusal::Revoked { reason: revocation.reason });
        }
        let mut named = holds.to_vec();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            return Err(StatusRefusal::NoHoldNamed);
        }
        if let Some(missing) = named.iter().find(|id| self.hold(**id).is_none()) {
            return Err(StatusRefusal::HoldNotOpen(*missing));
        }
        if named.len() == self.holds.len() && last == LastHold::Stays {
            return Err(StatusRefusal::LastHoldStays);
        }
        Ok(Decided::Do(Change::Released { holds: named }))
    }

    fn decide_revoke(&self, reason: Reason, lost_at: Option<Time>, now: Time) -> Decided {
        match &self.life {
            Life::Revoked(revocation) if reason.outweighs(revocation.reason) => {
                Decided::Do(Change::ReasonChanged { reason })
            }
            Life::Revoked(_) => self.decide_loss_date(lost_at),
            Life::Active | Life::Pending => {
                let at = self.held_since().unwrap_or(now);
                let lost_at = self.lost_at().into_iter().chain(lost_at).min();
                Decided::Do(Change::Revoked { reason, at, lost_at })
            }
        }
    }

    /// Takes in a change that was recorded at `position`, with ledger time `time`, following from `cause`.
    pub fn apply(&mut self, change: &Change, position: Position, time: Time, cause: Position) {
        match change {
            Change::Acknowledged => self.life = Life::Active,
            Change::HandedOver { to } => self.handed_to = Some(*to),
            Change::Held { kind, lost_at, becomes } => self.holds.push(Hold {
                id: HoldId(position),
                kind: *kind,
                since: time,
                cause,
                lost_at: *lost_at,
                becomes: *becomes,
            }),
            Change::LossDated { lost_at } => self.date_loss(*lost_at),
            Change::ReasonChanged { reason } => {
                if let Life::Revoked(revocation) = &mut self.life {
                    revocation.reason = *reason;
                    revocation.by = position;
                }
            }
            Change::Released { holds } => self.holds.retain(|hold| holds.binary_search(&hold.id).is_err()),
            Change::Revoked { reason, at, lost_at } => {
                self.life = Life::Revoked(Revocation { reason: *reason, at: *at, lost_at: *lost_at, by: position });
                self.holds.clear();
            }
        }
        self.as_of = position;
    }

    fn date_loss(&mut self, lost_at: Time) {
        match &mut self.life {
            Life::Revoked(revocation) => revocation.lost_at = Some(lost_at),
            Life::Active | Life::Pending => {
                if let Some(first) = self.holds.first_mut() {
                    first.lost_at = Some(lost_at);
                }
            }
        }
    }
}

/// Whether one more end changes how a party's open holds end together: at the first term, for the worst of the reasons
/// (`timer.rs`). A first end is news, as is "lost" after "contract ended"; the other way round it isn't, and no end at all
/// takes none away.
fn is_news(new: Option<Final>, mut known: impl Iterator<Item = Final> + Clone) -> bool {
    new.is_some_and(|new| {
        let sooner = known.clone().all(|end| new.due < end.due);
        sooner || known.all(|end| new.reason.outweighs(end.reason))
    })
}

impl Change {
    /// Its name in listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::HandedOver { .. } => "handed-over",
            Self::Held { .. } => "held",
            Self::LossDated { .. } => "loss-dated",
            Self::ReasonChanged { .. } => "reason-changed",
            Self::Released { .. } => "released",
            Self::Revoked { .. } => "revoked",
        }
    }
}

/// More open holds than this on one certificate is a mistake or an attack; each kind that isn't a review opens one.
pub const HOLDS_MAX: usize = 64;
