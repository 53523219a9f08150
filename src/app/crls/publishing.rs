//! The next round of CRLs, from the ledger, the lists, the store and the settings. Each call is a step; whoever calls (a thread
//! of `serve`, the command line) decides when.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::app::config::{Config, CrlSettings};
use crate::desk::{DeskError, Done, Task};
use crate::follow::{Beginning, FollowError, ListFollower};
use crate::ledger::{Ledger, LedgerError, decode_event};
use crate::model::{Actor, Body, Certificate, CrlNumber, Cutoff, Outcome, ScopeNo, Seconds, Status, Time};
use crate::publisher::{
    Against, Alarm, Brought, Due, Expired, IsDelta, Issuing, Place, Press, PressError, Proof, Published,
    ReconcileError, Round, Rules, SignsIndex, Terms, Why, prove, reconcile,
};
use crate::status::RevokedError;

use super::index_signer::IndexSigner;
use super::places::{Places, places};

/// Publishes one installation's CRLs.
pub struct Publisher {
    config: Arc<Config>,
    ledger: Arc<dyn Ledger>,
    lists: ListFollower,
    press: Press,
    places: Places,
    /// Paths that were refused, and until when they are not tried again by themselves: each try takes a number.
    held_back: BTreeMap<String, Time>,
    /// Scopes whose news doesn't wait for the hour.
    urgent: BTreeSet<ScopeNo>,
    signs_index: Option<IndexSigner>,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Where.
    pub at: Wanted,
    /// What.
    pub issuing: Issuing,
}

/// At which places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    Everywhere,
    /// At this path.
    Path(String),
}

/// Why a round wasn't published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The round got no number.
    #[error("the ledger gives no number to a round of CRLs: {0}")]
    Desk(#[from] DeskError),
    /// The ledger can't be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// Who signs the index can't.
    #[error("the signer of the index: {0}")]
    IndexSigner(String),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The lists don't take it.
    #[error(transparent)]
    Lists(#[from] RevokedError),
    /// Nobody publishes there.
    #[error("no CRL is published at '{0}': 'tashika crl list' shows where")]
    NoPlace(String),
    /// Nobody said when what is known was so.
    #[error("the ledger has no heartbeat, so nobody knows when what it says was so: let a server run on it")]
    NoTime,
    /// The press failed.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The last full CRL and the lists can't be reconciled.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    /// The ledger isn't the one from which was published.
    #[error(
        "the last round was made of event {position} of epoch {epoch}, which this ledger does not have: it was restored or \
         rolled back. What it lost must be entered again; then name a new epoch: tashika ledger adopt --note WHY"
    )]
    Restored {
        /// The epoch.
        epoch: u32,
        /// The event.
        position: u64,
    },
}

impl Publisher {
    /// Reads the ledger, and goes on from what the press holds.
    ///
    /// Gives the press back if it fails: what is published is served on.
    pub fn begin(
        config: Arc<Config>,
        ledger: Arc<dyn Ledger>,
        press: Press,
    ) -> Result<Self, Box<(Press, PublishError)>> {
        let (lists, signs_index) = match Self::read(&config, &*ledger, &press) {
            Ok(read) => read,
            Err(error) => return Err(Box::new((press, error))),
        };
        let places = places(&config, lists.registers());
        let (held_back, urgent) = (BTreeMap::new(), BTreeSet::new());
        let mut publisher = Self { config, ledger, lists, press, places, held_back, urgent, signs_index };
        match publisher.reconcile() {
            Ok(()) => Ok(publisher),
            Err(error) => Err(Box::new((publisher.press, error))),
        }
    }

    /// The lists, with everything in them that what was published before calls for.
    fn read(
        config: &Config,
        ledger: &dyn Ledger,
        press: &Press,
    ) -> Result<(ListFollower, Option<IndexSigner>), PublishError> {
        is_of(ledger, press)?;
        let signs_index = IndexSigner::of(config).map_err(PublishError::IndexSigner)?;
        let head = ledger.head()?;
        let state = press.state();
        let time = head.time;
        let oldest_base = state.oldest_base(head.epoch, time);
        // What was made under other rules may list what these have dropped, and a delta must take it away.
        let mark = rules(config).mark(config.crl.losses);
        let drops =
            config.crl.expired == Expired::Dropped && state.places.values().all(|issued| issued.is_under(&mark));
        // What had been dropped everywhere before the oldest base in use is nobody's business any more.
        let dropped_before = state
            .places
            .values()
            .map(|issued| issued.regular.first().copied())
            .min_by_key(|first| first.map_or((Time::default(), 0), |spoke| (spoke.time, spoke.position.0)));
        let dropped_before = dropped_before.flatten().filter(|_| drops).map(|spoke| spoke.cutoff(head.epoch));
        let matters = |certificate: &Certificate, status: &Status| {
            dropped_before.is_none_or(|full| certificate.not_after >= full.time || status.as_of > full.position)
        };
        let beginning = Beginning {
            losses: config.crl.losses,
            delivery_within: config.policy.delivery_within,
            oldest_base,
            matters: &matters,
        };
        Ok((ListFollower::bootstrap(ledger, beginning)?, signs_index))
    }

    /// Takes out of the lists what the last full CRLs prove to have been dropped.
    fn reconcile(&mut self) -> Result<(), PublishError> {
        let rules = rules(&self.config);
        if rules.expired != Expired::Dropped {
            return Ok(());
        }
        let epoch = self.lists.head().epoch;
        for place in self.places.all.values() {
            let Some(no) = place.covers.one() else { continue };
            let Some(issued) = self.press.state().places.get(&place.path) else { continue };
            let Some(full) = issued.fulls.last() else { continue };
            let Some(crl) = self.press.full(&place.path, full.number) else { continue };
            let (regular, cutoff) = (issued.regular_cutoffs(epoch), full.spoke.cutoff(epoch));
            reconcile(self.lists.revoked_mut(), no, rules, &regular, &crl, cutoff)?;
        }
        Ok(())
    }

    /// The places, and those that there should be.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The CRLs that come near their budget or are beyond it, by path.
    pub fn large(&self) -> Vec<(String, String)> {
        let large = |place: &Place| {
            let (budget, listing) = (place.budget?, self.press.index()?.slot(&place.path)?);
            let size = listing.full.size;
            (size * 2 > budget).then(|| {
                let beyond = if size > budget { "beyond" } else { "more than half of" };
                (place.path.clone(), format!("{size} octets, {beyond} its budget of {budget} (crl.complete_max_mb)"))
            })
        };
        self.places.all.values().filter_map(large).collect()
    }

    /// What is published.
    pub fn press(&self) -> &Press {
        &self.press
    }

    /// The same, for whoever looks after the store.
    pub fn press_mut(&mut self) -> &mut Press {
        &mut self.press
    }

    /// Reads the ledger to where it is now, at most so many pages; says whether it got there.
    pub fn follow(&mut self, pages: usize) -> Result<bool, PublishError> {
        for _ in 0..pages {
            let stepped = self.lists.step(&*self.ledger)?;
            let hasty = |reasons: &BTreeSet<_>| !reasons.is_disjoint(&self.config.crl.urgent);
            self.urgent.extend(stepped.revoked.iter().filter(|(_, reasons)| hasty(reasons)).map(|(no, _)| *no));
            self.urgent.extend(stepped.sets);
            if stepped.book {
                self.places = places(&self.config, self.lists.registers());
            }
            if !stepped.more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Up to where the lists speak, if they can.
    pub fn cutoff(&self) -> Option<Cutoff> {
        self.lists.cutoff()
    }

    /// What is due now, in order of paths.
    pub fn plan(&self, demands: &[Demand]) -> Result<Vec<Due>, PublishError> {
        let Some(now) = self.lists.cutoff().map(|cutoff| cutoff.time) else { return Ok(Vec::new()) };
        for demand in demands {
            if let Wanted::Path(path) = &demand.at
                && !self.places.all.contains_key(path)
            {
                return Err(PublishError::NoPlace(path.clone()));
            }
        }
        let due = self.places.all.values().filter_map(|place| {
            let last = self.press.state().places.get(&place.path).map(|issued| issued.last()).unwrap_or_default();
            let by_the_hour = place.schedule.due(&last, now);
            let asked = demands.iter().filter(|demand| demand.at.is(&place.path)).map(|demand| demand.issuing).max();
            if asked.is_none() && self.held_back.get(&place.path).is_some_and(|until| now < *until) {
                return None;
            }
            let urgent = place.covers.scopes().any(|no| self.urgent.contains(&no));
            // Where there are no deltas, what can't wait is a full CRL.
            let at_least = if place.schedule.deltas.is_some() { Issuing::Delta } else { Issuing::Full };
            let (issuing, why) = match (by_the_hour, asked) {
                (Some((Issuing::Full, why)), _) => (Issuing::Full, why),
                (Some((Issuing::Delta, _)), Some(Issuing::Full)) | (None, Some(Issuing::Full)) => {
                    (Issuing::Full, Why::Demanded)
                }
                (Some((Issuing::Delta, why)), _) => (Issuing::Delta, why),
                (None, Some(Issuing::Delta)) => (at_least, Why::Demanded),
                (None, None) if urgent => (at_least, Why::Urgent),
                (None, None) => return None,
            };
            Some(Due { path: place.path.clone(), issuing, why })
        });
        Ok(due.collect())
    }

    /// When something will be due next, by the hour.
    pub fn next_due(&self) -> Option<Time> {
        let now = self.lists.cutoff()?.time;
        self.places.all.values().map(|place| place.schedule.next(now)).min()
    }

    /// Proves what is published, against itself and against the ledger.
    pub fn prove(&self) -> Result<Proof, PublishError> {
        let cutoff = self.lists.cutoff().ok_or(PublishError::NoTime)?;
        let against = Against { revoked: self.lists.revoked(), cutoff, head: self.lists.head() };
        Ok(prove(&self.press, &terms(&self.config, &self.places, None), &against))
    }

    /// Publishes what is due, under a number from the ledger.
    pub fn publish(
        &mut self,
        (due, brought): (&[Due], &[Brought]),
        actor: Actor,
        submit: &mut dyn FnMut(Task) -> Done,
    ) -> Result<Published, PublishError> {
        let cutoff = self.lists.cutoff().ok_or(PublishError::NoTime)?;
        let number = self.number(actor, submit)?;
        let config = self.config.clone();
        let signs_index = self.signs_index.as_ref().map(|signer| signer as &dyn SignsIndex);
        let terms = terms(&config, &self.places, signs_index);
        let (head, revoked) = (self.lists.head().clone(), self.lists.revoked());
        let round = Round { number, cutoff, head: &head, due, brought, revoked, terms: &terms };
        let published = self.press.publish(&round)?;
        let full = |due: &&Due| due.issuing == Issuing::Full;
        let changed: Vec<_> = due.iter().filter(full).map(|due| due.path.clone()).collect();
        self.press.forget(self.lists.revoked_mut(), &terms, head.epoch, &changed)?;
        let refused: BTreeSet<_> = published.refused.iter().map(|alarm| alarm.path.as_str()).collect();
        self.held_back.retain(|_, until| *until > cutoff.time);
        self.held_back.extend(refused.iter().map(|path| ((*path).to_owned(), cutoff.time + HELD_BACK)));
        let done = due.iter().filter(|due| !refused.contains(due.path.as_str()));
        let done: BTreeSet<_> = done.filter_map(|due| self.places.all.get(&due.path)?.covers.one()).collect();
        self.urgent.retain(|no| !done.contains(no));
        Ok(published)
    }

    /// A number above every other that is known, recorded before anything is made.
    fn number(&self, actor: Actor, submit: &mut dyn FnMut(Task) -> Done) -> Result<CrlNumber, PublishError> {
        let in_store = self.press.highest().and_then(CrlNumber::to_u64);
        let above = in_store.max(self.lists.numbered());
        match submit(Task::NumberCrls { actor, above, read_to: self.lists.head().position })? {
            Outcome::Done { first, .. } => {
                let events = self.ledger.events_after(crate::model::Position(first.0 - 1), 1)?;
                let event = events.first().and_then(|sealed| decode_event(&sealed.bytes).ok());
                match event.map(|event| event.body) {
                    Some(Body::CrlsNumbered { number }) => Ok(number.into()),
                    _ => {
                        Err(LedgerError::Damaged(format!("event {first} is not the number of a round of CRLs")).into())
                    }
                }
            }
            outcome => Err(LedgerError::Damaged(format!("a round of CRLs got no number but {outcome:?}")).into()),
        }
    }
}

impl Wanted {
    fn is(&self, path: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Path(own) => own == path,
        }
    }
}

/// Refuses a ledger from which the last round can't have been made.
fn is_of(ledger: &dyn Ledger, press: &Press) -> Result<(), PublishError> {
    let Some(mark) = press.state().ledger else { return Ok(()) };
    let head = ledger.head()?;
    let (epoch, position) = (mark.at.epoch, mark.at.position);
    // A person has named a new epoch since, and answers for what came of it.
    if head.epoch > epoch {
        return Ok(());
    }
    let stored = ledger.events_after(crate::model::Position(position.0 - 1), 1)?;
    if head.epoch == epoch
        && stored.first().is_some_and(|event| event.position == position && event.link == mark.link())
    {
        return Ok(());
    }
    Err(PublishError::Restored { epoch: epoch.0, position: position.0 })
}

/// What is listed how.
fn rules(config: &Config) -> Rules {
    Rules { dates: config.crl.dates, expired: config.crl.expired, delivery_within: config.policy.delivery_within }
}

fn terms<'a>(config: &'a Config, places: &'a Places, signs_index: Option<&'a dyn SignsIndex>) -> Terms<'a> {
    Terms {
        rules: rules(config),
        tells_position: config.crl.tells_position,
        public_url: &config.public_url,
        places: &places.all,
        threads: threads(&config.crl),
        signs_index,
    }
}

fn threads(crl: &CrlSettings) -> NonZeroUsize {
    NonZeroUsize::new(crl.threads.serving(crate::app::cores())).unwrap_or(NonZeroUsize::MIN)
}

/// Why a CRL is not exposed, and how long the last good one lasts.
pub fn alarm_text(alarm: &Alarm) -> String {
    let what = match alarm.is_delta {
        IsDelta::No => "full CRL",
        IsDelta::Yes => "delta",
    };
    match alarm.good_until {
        Some(until) => format!("the {what} was not published ({}); the last good one lasts until {until}", alarm.why),
        None => format!("the {what} was not published ({}), and there is none before it", alarm.why),
    }
}

/// What was refused is rarely better a moment later.
const HELD_BACK: Seconds = Seconds(120);
