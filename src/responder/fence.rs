//! Issued a moment ago: a certificate that the table doesn't have may have been issued since it last read.
//!
//! All who wait share one question to the ledger, where its head is; once the table has read up to there, the table
//! decides. Serials that were denied so are remembered for a while, so that whoever asks for the same ones again doesn't
//! wait again. Used by `answer`; driven by a thread of `app`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bloomfilter::Bloom;

use crate::model::{CertificateKey, Millis, Rank, Seconds};
use crate::status::{ReadTo, Tier};

use super::Responder;
use super::lane::waited_too_long;
use super::order::{Bells, Fenced, Ticket};
use super::reply::Refusal;

/// Who waits at the fence, and what was denied lately.
pub(super) struct Fence {
    waiting: Mutex<Vec<Ticket>>,
    bell: Condvar,
    denied: Mutex<Denied>,
}

/// Serials that the ledger has denied lately: the present generation, and the one before it.
struct Denied {
    present: Bloom<CertificateKey>,
    before: Bloom<CertificateKey>,
    count: usize,
    began: Millis,
}

/// Those who share one question to the ledger.
#[must_use = "they wait for an answer"]
pub struct Crowd(Vec<Ticket>);

impl Fence {
    pub fn new(seed: &[u8; 32]) -> Self {
        let denied = Denied { present: bloom(seed), before: bloom(seed), count: 0, began: Millis(0) };
        Self { waiting: Mutex::default(), bell: Condvar::new(), denied: Mutex::new(denied) }
    }

    /// Takes an order in, or gives it back if there is no room.
    pub fn enter(&self, ticket: Ticket) -> Option<Ticket> {
        let mut waiting = self.waiting();
        let most = match ticket.order.caller.rank {
            Rank::Accredited => CROWD_MAX,
            // The rest is for those who come first.
            Rank::Anonymous => CROWD_MAX / 2,
        };
        if waiting.len() >= most {
            return Some(ticket);
        }
        waiting.push(ticket);
        drop(waiting);
        self.bell.notify_one();
        None
    }

    pub fn was_denied(&self, key: &CertificateKey) -> bool {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.present.check(key) || denied.before.check(key)
    }

    /// Remembers a serial that the ledger has denied.
    pub fn deny(&self, key: &CertificateKey, now: Millis) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        if denied.count >= DENIED_MAX || now.0.saturating_sub(denied.began.0) > i64::from(DENIED_FOR.0) * 1_000 {
            let Denied { present, before, .. } = &mut *denied;
            std::mem::swap(present, before);
            denied.present.clear();
            (denied.count, denied.began) = (0, now);
        }
        denied.present.set(key);
        denied.count += 1;
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Ticket>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Responder {
    /// Waits for somebody to come to the fence, at most so long. For the thread that asks the ledger.
    pub fn wait_for_crowd(&self, at_most: Duration) {
        let waiting = self.fence.waiting();
        let waited = self.fence.bell.wait_timeout_while(waiting, at_most, |waiting| waiting.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Those who wait now; none: nobody. What the ledger's head is asked for afterwards holds for all of them.
    pub fn crowd(&self) -> Option<Crowd> {
        let crowd = std::mem::take(&mut *self.fence.waiting());
        (!crowd.is_empty()).then_some(Crowd(crowd))
    }

    /// Lets them pass once the table has read up to where the ledger's head was; gives them back as long as it hasn't.
    pub fn pass(&self, crowd: Crowd, head: ReadTo, now: Millis) -> Option<Crowd> {
        if self.table.read_to() < head {
            let (late, on_time): (Vec<_>, Vec<_>) =
                crowd.0.into_iter().partition(|ticket| waited_too_long(ticket.since, now));
            Self::turn_away(late);
            return (!on_time.is_empty()).then_some(Crowd(on_time));
        }
        for mut ticket in crowd.0 {
            ticket.order.fence = Fenced::Done;
            let issuer = ticket.order.issuer;
            for serial in ticket.order.questions.iter().filter_map(|asked| asked.serial) {
                let key = CertificateKey { issuer, serial };
                if self.is_missing(&key) {
                    self.fence.deny(&key, now);
                }
            }
            self.enter_lane(ticket);
        }
        None
    }

    /// The ledger can't be asked: nobody is told that a certificate is unknown.
    pub fn turn_back(&self, crowd: Crowd) {
        Self::turn_away(crowd.0);
    }

    fn turn_away(tickets: Vec<Ticket>) {
        for ticket in tickets {
            Bells::tell_one(ticket.done, Err(Refusal::NoFence));
        }
    }

    /// Whether the ledger must be asked for a certificate that the table doesn't have. That it was denied before counts only
    /// while what is known is fresh: an event that issues it since would be here by now.
    pub(super) fn fence_for(&self, key: &CertificateKey, tier: Tier) -> Fenced {
        if tier == Tier::Fresh && self.fence.was_denied(key) { Fenced::Done } else { Fenced::Wanted }
    }
}

fn bloom(seed: &[u8; 32]) -> Bloom<CertificateKey> {
    Bloom::new_for_fp_rate_with_seed(DENIED_MAX, DENIED_WRONGLY, seed).expect("the bounds below are sound")
}

/// Who waits at once: some milliseconds' worth of the fiercest flood.
const CROWD_MAX: usize = 8_192;
/// Serials in one generation.
const DENIED_MAX: usize = 500_000;
/// How long a generation lasts.
const DENIED_FOR: Seconds = Seconds(60);
/// Of those never denied, that many are taken for denied: such a serial, issued within the last moment, is answered as of
/// the moment before.
const DENIED_WRONGLY: f64 = 0.0001;
