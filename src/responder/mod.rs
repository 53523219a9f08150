//! OCSP answers: signed in advance, or now.
//!
//! The network's edge asks a [`Responder`] for each request ([`Responder::answer`], the hot path), and hands back what must
//! be signed first ([`Responder::order`]). Threads of `app` sign ([`Responder::work`]), ask the ledger for all who look for
//! something that may have been issued a moment ago ([`Responder::crowd`], [`Responder::pass`]), and say what has changed.
//!
//! Never waits for the ledger where the table knows, never reads a clock, never opens a socket, never holds a secret.

mod answer;
mod asked;
mod beside;
mod fence;
mod guard;
mod issuers;
mod lane;
mod order;
mod plan;
mod policy;
mod refresh;
mod reply;
mod residual;
mod sign;
mod turns;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::model::{Rank, Time};
use crate::status::{Freshness, Table, Tiers};

pub use answer::Answer;
pub use fence::Crowd;
pub use guard::{ClockFault, Moment};
pub use issuers::{Issuer, Issuers, Signatory};
pub use lane::LaneLimits;
pub use order::{Done, Order};
pub use plan::{Demand, KeyKind, Load, Plan, Proposal, Signing, span};
pub use policy::{Forms, HOT_FOR, Named, NotIssued, Policy, Presign, Profile};
pub use reply::{Refusal, Reply, Reuse, Sayings, Says};
pub use residual::{Promise, SKEWS, promised, residual_good};
pub use sign::Worked;

use asked::Asked;
use beside::Beside;
use fence::Fence;
use guard::Guard;
use lane::Lane;
use refresh::Refresh;
use turns::Shares;

/// Answers about the certificates in one table.
pub struct Responder {
    /// Read by every request, written by the follower and by who signs.
    table: Arc<Table>,
    tiers: Tiers,
    /// Swapped as a whole.
    issuers: ArcSwap<Issuers>,
    asked: Asked,
    beside: Beside,
    fence: Fence,
    /// Who waits for a signature, and whose turn it is. Held for as long as taking one in or out lasts.
    desk: Mutex<Desk>,
    bell: Condvar,
    limits: LaneLimits,
    refresh: Refresh,
    guard: Guard,
    high: HighWater,
    tally: Tally,
}

#[derive(Default)]
struct Desk {
    lane: Lane,
    turns: Shares,
    /// Threads that wait for work: who has some wakes one, and nobody where there is none.
    sleeping: usize,
}

/// The latest thisUpdate that was ever signed here; no later signature says an earlier one.
///
/// It is the time of something that is in the table: who reads it here finds that, and all before it, there.
struct HighWater(AtomicI64);

/// Counters of what is signed, for whoever watches.
#[derive(Default)]
struct Tally {
    signed_now: AtomicU64,
    kept: AtomicU64,
    overtaken: AtomicU64,
    not_kept: AtomicU64,
    signer_failed: AtomicU64,
}

/// What is so at this moment, for whoever watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Answers signed when they were asked for.
    pub signed_now: u64,
    /// Signatures that were put into the table.
    pub kept: u64,
    /// Signatures that a change had overtaken.
    pub overtaken: u64,
    /// Signatures for which there was no room.
    pub not_kept: u64,
    /// Signatures that a key failed to make.
    pub signer_failed: u64,
    /// Accredited callers' orders that wait.
    pub waiting_accredited: usize,
    /// Everybody else's.
    pub waiting_anonymous: usize,
    /// Replies kept beside the table.
    pub beside: usize,
}

impl Responder {
    /// A responder for the certificates in a table. `seed` is secret, so that nobody can fill the memory of what was denied
    /// with the same few bits.
    pub fn new(table: Arc<Table>, tiers: Tiers, issuers: Issuers, seed: &[u8; 32]) -> Self {
        let refresh = Refresh::default();
        refresh.set_wanted(&issuers);
        Self {
            table,
            tiers,
            issuers: ArcSwap::from_pointee(issuers),
            asked: Asked::new(),
            beside: Beside::new(BESIDE_MAX),
            fence: Fence::new(seed),
            desk: Mutex::default(),
            bell: Condvar::new(),
            limits: LaneLimits::default(),
            refresh,
            guard: Guard::default(),
            high: HighWater(AtomicI64::new(i64::MIN)),
            tally: Tally::default(),
        }
    }

    /// Answers for these from now on.
    pub fn set_issuers(&self, issuers: Issuers) {
        self.refresh.set_wanted(&issuers);
        self.issuers.store(Arc::new(issuers));
        self.bell.notify_all();
    }

    /// The names of the keys that sign now, in the order of their issuers.
    pub fn keys(&self) -> Vec<[u8; 20]> {
        self.issuers.load().keys()
    }

    /// Something was heard of the ledger: how fresh what is known is. Before this it must be in the table.
    pub fn hear(&self, freshness: Freshness, at: Moment) {
        self.table.hear(freshness);
        if let Some(known_at) = freshness.known_at {
            self.guard.hear(known_at, at);
        }
    }

    /// What is wrong with this machine's clock, if anything is.
    pub fn clock_fault(&self, now: Moment) -> Option<ClockFault> {
        self.guard.judge(now).err()
    }

    /// The table that it answers from.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// How old what is known may be.
    pub fn tiers(&self) -> Tiers {
        self.tiers
    }

    /// What is so at this moment.
    pub fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        Figures {
            signed_now: read(&self.tally.signed_now),
            kept: read(&self.tally.kept),
            overtaken: read(&self.tally.overtaken),
            not_kept: read(&self.tally.not_kept),
            signer_failed: read(&self.tally.signer_failed),
            waiting_accredited: desk.lane.waiting(Rank::Accredited),
            waiting_anonymous: desk.lane.waiting(Rank::Anonymous),
            beside: self.beside.count(),
        }
    }
}

impl HighWater {
    /// Raises it to a time; says where it stands then, which may be later.
    fn raise(&self, to: Time) -> Time {
        // Acquire and release: who finds a time here that another put, finds in the table what that one found.
        let before = self.0.fetch_max(to.unix(), Ordering::AcqRel);
        Time::from_unix(before).map_or(to, |before| before.max(to))
    }
}

/// Replies in unusual forms: some hundred megabytes.
const BESIDE_MAX: usize = 500_000;
