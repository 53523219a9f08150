//! The threads behind the public listener: one follows the ledger, some sign, one asks the ledger for all who look for what
//! may have been issued a moment ago. Run by `serve`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::faces;
use super::issuer_sign::IssuerSign;
use super::log;
use super::mark::Mark;
use super::sequence::Opened;
use super::snapshots::Snapshots;
use super::stop::{Pause, Stop};
use super::vitals::{AnswerSign, Following, Vitals};
use crate::app::clock::{self, Stopwatch};
use crate::app::config::{Config, OcspSettings};
use crate::app::signers::SignerFolder;
use crate::app::{give_way, planning};
use crate::asn1::Asn1Error;
use crate::follow::{FollowError, Follower, Stepped};
use crate::keys::OcspSigner;
use crate::ledger::{Ledger, LedgerError};
use crate::model::{Book, IssuerNo};
use crate::publisher::Shelf;
use crate::responder::{Crowd, Issuer, Issuers, Moment, Plan, Responder, Signatory, Worked};
use crate::status::{Freshness, HashKey, ReadTo};

mod standing;

use standing::{Kept, last_event};

/// The responder, once the ledger was read.
pub(super) type Found = Arc<OnceLock<Arc<Responder>>>;

/// What is about to be run, once the ledger was read; before there is a responder.
pub(super) type Planned = Arc<OnceLock<Vec<Plan>>>;

/// What the threads share.
pub(super) struct Answering {
    config: Arc<Config>,
    opened: Opened,
    found: Found,
    planned: Planned,
    vitals: Arc<Vitals>,
    shelf: Arc<Shelf>,
    stop: Arc<Stop>,
    watch: Stopwatch,
    /// Of the follower's thread.
    keys: Mutex<KeyNumbers>,
}

/// By which number kept replies name each issuer's key. A key that comes in another's place has another number, so that no
/// reply of the one is served with the certificate of the other; the same key has the same after a restart, for replies
/// outlive one in the snapshot.
#[derive(Default)]
struct KeyNumbers(HashMap<IssuerNo, (u8, Vec<u8>)>);

impl KeyNumbers {
    fn of(&mut self, issuer: IssuerNo, certificate: &[u8]) -> u8 {
        // The last octet of its CA's signature: as good as random.
        let own = certificate.last().copied().unwrap_or_default();
        let (number, known) = self.0.entry(issuer).or_insert_with(|| (own, certificate.to_vec()));
        if known != certificate {
            *number = if own == *number { own.wrapping_add(1) } else { own };
            *known = certificate.to_vec();
        }
        *number
    }
}

impl Answering {
    pub fn new(
        config: Config,
        opened: Opened,
        (found, planned): (Found, Planned),
        (vitals, shelf): (Arc<Vitals>, Arc<Shelf>),
        stop: Arc<Stop>,
    ) -> Self {
        let (watch, keys) = (Stopwatch::start(), Mutex::default());
        Self { config: Arc::new(config), opened, found, planned, vitals, shelf, stop, watch, keys }
    }

    /// Both clocks, now.
    fn moment(&self) -> Moment {
        Moment { wall: clock::now_millis(), steady_ms: self.watch.millis() }
    }

    /// The follower's whole life.
    pub fn follow(&self) {
        let mut snapshots = Snapshots::at(self.config.state.clone(), &self.config.ocsp);
        let mut kept = Kept { mark: Mark::at(self.mark_file()), promises: None };
        let Some(mut follower) = self.begin(&snapshots, &mut kept) else { return };
        while self.stop.pause(Duration::ZERO) == Pause::Over {
            let Some(ledger) = self.opened.get() else {
                // From the snapshot alone: as fresh as that, until the ledger is there.
                self.hear(&follower, &mut kept.mark);
                let _ = self.stop.pause(RETRY_PAUSE);
                continue;
            };
            match follower.step(&**ledger) {
                Ok(stepped) => {
                    self.hear(&follower, &mut kept.mark);
                    self.spread(&follower, &stepped, &mut kept);
                    if !stepped.more {
                        snapshots.write_when_due(&follower, &self.keys());
                        // A hint: it may come early, late or for nothing. Whom nobody tells anything looks by himself.
                        if ledger.wait(follower.head().position, FOLLOW_PAUSE).is_err() {
                            let _ = self.stop.pause(FOLLOW_PAUSE);
                        }
                    }
                }
                Err(FollowError::Ledger(error)) => {
                    self.lose(&error);
                    let _ = self.stop.pause(RETRY_PAUSE);
                }
                Err(FollowError::Frozen(why)) => {
                    self.vitals.note(|signs| signs.answers.following = Following::Frozen(why.to_string()));
                    return;
                }
            }
        }
        snapshots.write_last(&follower, &self.keys());
    }

    /// A signing thread's whole life.
    pub fn sign(&self) {
        let Some(responder) = self.wait_for_responder() else { return };
        give_way();
        while self.stop.pause(Duration::ZERO) == Pause::Over {
            match responder.work_with_pauses(self.moment(), std::thread::yield_now) {
                // Where cores are few, whoever answers from what is kept comes before the next signature, not milliseconds
                // later.
                Worked::Done => std::thread::yield_now(),
                Worked::Nothing => responder.wait_for_work(WORK_PAUSE),
            }
        }
    }

    /// The whole life of the thread that asks the ledger for those who wait at the fence.
    pub fn fence(&self) {
        let Some(responder) = self.wait_for_responder() else { return };
        while self.stop.pause(Duration::ZERO) == Pause::Over {
            let Some(crowd) = responder.crowd() else {
                responder.wait_for_crowd(WORK_PAUSE);
                continue;
            };
            match self.opened.get().map(|ledger| ledger.head()) {
                None | Some(Err(_)) => responder.turn_back(crowd),
                Some(Ok(head)) => {
                    self.let_pass(&responder, crowd, ReadTo { epoch: head.epoch, position: head.position })
                }
            }
            // However fierce the flood, and whether the ledger is there or not: so many questions a second.
            let _ = self.stop.pause(FENCE_PAUSE);
        }
    }

    fn let_pass(&self, responder: &Responder, crowd: Crowd, head: ReadTo) {
        let mut waiting = Some(crowd);
        while let Some(crowd) = waiting {
            waiting = responder.pass(crowd, head, clock::now_millis());
            if waiting.is_some() && self.stop.pause(FENCE_PAUSE) == Pause::Stop {
                waiting.take().into_iter().for_each(|crowd| responder.turn_back(crowd));
            }
        }
    }

    fn wait_for_responder(&self) -> Option<Arc<Responder>> {
        loop {
            if let Some(responder) = self.found.get() {
                return Some(responder.clone());
            }
            if self.stop.pause(OPEN_PAUSE) == Pause::Stop {
                return None;
            }
        }
    }

    /// Reads the last snapshot or the whole ledger, and opens the door. While the ledger can't be reached, the last
    /// snapshot has to do.
    fn begin(&self, snapshots: &Snapshots, kept: &mut Kept) -> Option<Follower> {
        let mut looked = false;
        loop {
            if let Some(ledger) = self.opened.get() {
                match self.try_to_begin(&**ledger, snapshots, kept) {
                    Ok((follower, issuers)) => return Some(self.open_the_door(follower, issuers, "read")),
                    Err(FollowError::Ledger(error)) => self.lose(&error),
                    Err(FollowError::Frozen(why)) => {
                        self.vitals.note(|signs| signs.answers.following = Following::Frozen(why.to_string()));
                        return None;
                    }
                }
            }
            // Nobody writes another meanwhile.
            if !std::mem::replace(&mut looked, true)
                && let Some((follower, issuers)) = self.begin_alone(snapshots, kept)
            {
                return Some(self.open_the_door(follower, issuers, "the ledger is away: begins with"));
            }
            let pause = if self.opened.get().is_some() { RETRY_PAUSE } else { OPEN_PAUSE };
            if self.stop.pause(pause) == Pause::Stop {
                return None;
            }
        }
    }

    fn open_the_door(&self, follower: Follower, issuers: Issuers, how: &str) -> Follower {
        let tiers = self.config.ocsp.tiers;
        let responder = Responder::new(follower.table().clone(), tiers, issuers, &clock::entropy());
        let head = follower.head();
        log::line(&format!("{how} {} certificates up to position {}", head.certificates, head.position));
        // Nobody else sets it.
        let _ = self.found.set(Arc::new(responder));
        follower
    }

    /// From the snapshot, without the ledger.
    fn begin_alone(&self, snapshots: &Snapshots, kept: &mut Kept) -> Option<(Follower, Issuers)> {
        let begun = snapshots.begin_alone(|book| {
            let issuers = self.issuers(book, kept);
            (issuers.keys(), issuers)
        });
        let (follower, issuers) = begun?;
        // It is heard when the mark has risen to it, like everything else.
        follower.table().hear(Freshness::default());
        let _ = self.planned.set(self.plans(follower.table(), &follower.book()));
        // Which change was the last is not known; none was later than what the ledger last said of itself.
        self.see_changes(Some(follower.head().time), |_| true);
        Some((follower, issuers))
    }

    fn try_to_begin(
        &self,
        ledger: &dyn Ledger,
        snapshots: &Snapshots,
        kept: &mut Kept,
    ) -> Result<(Follower, Issuers), FollowError> {
        let before = ledger.book()?.1;
        let issuers = self.issuers(&before, kept);
        let follower = match snapshots.begin(ledger, &issuers.keys()) {
            Some(mut follower) => {
                while follower.step(ledger)?.more {}
                // It is heard when the mark has risen to it, like everything else.
                follower.table().hear(Freshness::default());
                follower
            }
            None => Follower::bootstrap(ledger, &HashKey::new(clock::entropy()))?,
        };
        let book = follower.book();
        let issuers = if book.issuers == before.issuers { issuers } else { self.issuers(&book, kept) };
        // Nobody else sets it.
        let _ = self.planned.set(self.plans(follower.table(), &book));
        // Which change was the last is not known; none was later than the last event.
        self.see_changes(last_event(ledger, follower.head().position)?, |_| true);
        Ok((follower, issuers))
    }

    /// The names of the keys that sign now.
    fn keys(&self) -> Vec<[u8; 20]> {
        self.found.get().map(|responder| responder.keys()).unwrap_or_default()
    }

    /// Says how fresh what is known is, once that can't be forgotten any more.
    fn hear(&self, follower: &Follower, mark: &mut Mark) {
        let Some(responder) = self.found.get() else { return };
        let heard = match follower.freshness().known_at {
            None => Freshness::default(),
            Some(known_at) => match mark.raise(known_at) {
                Ok(()) => Freshness { known_at: Some(known_at) },
                Err(error) => {
                    self.vitals.note(|signs| signs.answers.mark = Some(error.to_string()));
                    return;
                }
            },
        };
        let now = self.moment();
        if heard != responder.table().freshness() {
            responder.hear(heard, now);
        }
        let clock = responder.clock_fault(now).map(|fault| fault.to_string());
        let following = Following::Reading { freshness: heard, tiers: responder.tiers() };
        self.vitals.note(|signs| {
            signs.answers = AnswerSign { following, clock, mark: None, ..std::mem::take(&mut signs.answers) };
        });
    }

    /// Tells the responder what is new.
    fn spread(&self, follower: &Follower, stepped: &Stepped, kept: &mut Kept) {
        let Some(responder) = self.found.get() else { return };
        if stepped.issuers > 0 {
            responder.set_issuers(self.issuers(&follower.book(), kept));
        }
        self.note_changes(follower, stepped);
        if stepped.sets > 0 {
            responder.changed_sets();
        }
        if !stepped.changed.is_empty() {
            responder.changed(stepped.changed.iter().copied());
        }
    }

    /// The issuers with who signs for them; those for whom nobody does are noted by name.
    fn issuers(&self, book: &Book, kept: &mut Kept) -> Issuers {
        faces::lay_issuers(&self.shelf, book);
        let promised = self.promise(book, kept);
        let mut without = Vec::new();
        let mut list = Vec::new();
        let mut signs = Vec::new();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        for found in SignerFolder::of(&self.config).all(book, clock::now()) {
            let Some(registered) = book.issuers.iter().find(|issuer| issuer.no == found.issuer) else { continue };
            let policy = self.config.ocsp.policy_of(&found.name);
            signs.push(IssuerSign {
                no: found.issuer,
                name: found.name.clone(),
                kind: found.signer.as_ref().ok().and_then(|signer| planning::kind_of(signer).ok()),
                not_after: found.signer.as_ref().ok().map(OcspSigner::not_after),
                promises: kept.promises.as_ref().map(|all| all.of(&found.name).to_vec()).unwrap_or_default(),
                changed: None,
            });
            let signatory = match (found.signer, &promised) {
                (Ok(signer), Ok(())) => {
                    let number = keys.of(registered.no, signer.certificate());
                    Some(Signatory::new(number, signer, policy.named))
                }
                // What couldn't be written down can't be stood by: nothing is signed.
                (Ok(_), Err(why)) => {
                    without.push((found.name.clone(), why.clone()));
                    None
                }
                (Err(why), _) => {
                    without.push((found.name.clone(), why.to_string()));
                    None
                }
            };
            match Issuer::new(registered, policy, signatory) {
                Ok(issuer) => list.push(issuer),
                Err(error) => without.push((found.name, unreadable(&error))),
            }
        }
        self.vitals.note(|noted| {
            let before = std::mem::take(&mut noted.answers.issuers);
            for sign in &mut signs {
                sign.changed = before.iter().find(|known| known.no == sign.no).and_then(|known| known.changed);
            }
            (noted.answers.issuers, noted.answers.without_signer) = (signs, without);
        });
        Issuers::new(list)
    }

    fn lose(&self, error: &LedgerError) {
        self.vitals.note(|signs| signs.answers.trouble = Some(error.to_string()));
    }

    fn mark_file(&self) -> PathBuf {
        self.config.state.join("answered-until")
    }
}

/// How many threads sign.
pub(super) fn signing_threads(ocsp: &OcspSettings) -> usize {
    ocsp.sign_threads.signing(crate::app::cores())
}

fn unreadable(error: &Asn1Error) -> String {
    format!("its certificate can't be read: {error}")
}

/// Without a hint from the ledger, as often as its heart beats, and a little more often.
const FOLLOW_PAUSE: Duration = Duration::from_millis(250);
const RETRY_PAUSE: Duration = Duration::from_millis(250);
const OPEN_PAUSE: Duration = Duration::from_millis(5);
const WORK_PAUSE: Duration = Duration::from_millis(100);
/// Between looks at how far the follower is, and between questions to the ledger.
const FENCE_PAUSE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_another_s_place_has_another_number() {
        let mut keys = KeyNumbers::default();
        let [one, other] = [IssuerNo(1), IssuerNo(2)];
        assert_eq!([keys.of(one, b"first 7"), keys.of(other, b"its own 7")], [b'7'; 2]);
        assert_eq!(keys.of(one, b"first 7"), b'7', "read again, and the same");
        assert_eq!(keys.of(one, b"second 7"), b'8', "alike, and yet another");
        assert_eq!(keys.of(one, b"third 1"), b'1');
        assert_eq!(keys.of(other, b"its own 7"), b'7');
        assert_eq!(KeyNumbers::default().of(one, b"third 1"), b'1', "after a restart as before");
    }
}
