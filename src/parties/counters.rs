//! What became of everybody's requests: one row for each thread, party and service, one cell for each outcome.
//!
//! Each serving thread counts into rows of its own ([`Tally`], which neither is shared nor copied), by a plain load and
//! store: no thread waits for another's cache line. Whoever reports ([`Counters::sums`]) reads all rows at any time; a sum is
//! then at most behind by what is being counted, and a counter never goes back.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Register;
use crate::model::{Caller, Share};

/// What became of a question. One is counted for each certificate in a signed answer, and one for each request that got none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Outcome {
    /// Good.
    Good,
    /// Held: revoked for now.
    Held,
    /// The program failed.
    InternalError,
    /// It was no request.
    Malformed,
    /// Whoever sent it may not ask.
    NotAllowed,
    /// Refused by HTTP before it was read: too long, too slow, a wrong method or type.
    Refused,
    /// Revoked for good.
    Revoked,
    /// Come again later.
    TryLater,
    /// Not our issuer, or more than one.
    Unauthorized,
    /// Never issued.
    Unknown,
}

/// Whose account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// A service of a party, by their names.
    Party {
        /// Which party.
        party: &'a str,
        /// Which of its services.
        service: &'a str,
    },
    /// Everybody else, and whoever may not be whom they claim to be.
    Strangers,
}

/// All counters, for whoever reports them.
#[derive(Debug)]
pub struct Counters {
    layout: Arc<Layout>,
    threads: Vec<Arc<[Row]>>,
}

/// The counters that one thread writes.
#[derive(Debug)]
pub struct Tally {
    layout: Arc<Layout>,
    rows: Arc<[Row]>,
    /// One thread at a time: the store after the load would lose what another counted in between.
    _alone: PhantomData<Cell<()>>,
}

/// Which row is whose.
#[derive(Debug)]
struct Layout {
    /// The row of each party's first service; those of its other services follow.
    first: Vec<u32>,
    /// The names of each row, but for the first, which is the strangers'.
    names: Vec<(Box<str>, Box<str>)>,
}

/// One account on one thread. Two cache lines of its own: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Row([AtomicU64; Outcome::ALL.len()]);

impl Counters {
    /// Counters for the parties of a register, and one tally for each of so many threads.
    pub fn new(register: &Register, threads: usize) -> (Self, Vec<Tally>) {
        let mut layout = Layout { first: Vec::new(), names: Vec::new() };
        for party in register.parties() {
            layout.first.push(layout.rows() as u32);
            for service in &party.services {
                layout.names.push((party.name.as_str().into(), service.as_str().into()));
            }
        }
        let layout = Arc::new(layout);
        let rows = || (0..layout.rows()).map(|_| Row::default()).collect::<Arc<[Row]>>();
        let threads: Vec<_> = (0..threads).map(|_| rows()).collect();
        let tally = |rows: &Arc<[Row]>| Tally { layout: layout.clone(), rows: rows.clone(), _alone: PhantomData };
        let tallies = threads.iter().map(tally).collect();
        (Self { layout, threads }, tallies)
    }

    /// Every account and outcome with its sum over the threads, also where that is nothing.
    pub fn sums(&self) -> impl Iterator<Item = (Account<'_>, Outcome, u64)> {
        (0..self.layout.rows()).flat_map(move |row| {
            let account = self.layout.account(row);
            Outcome::ALL.into_iter().map(move |outcome| {
                let cells = self.threads.iter().map(|rows| &rows[row].0[outcome as usize]);
                (account, outcome, cells.map(|cell| cell.load(Ordering::Relaxed)).sum())
            })
        })
    }
}

impl Tally {
    /// Counts what became of a caller's question. The caller comes from the register that the counters were made for.
    pub fn count(&self, caller: Caller, outcome: Outcome) {
        self.add(self.layout.row(caller.share), outcome);
    }

    /// Counts the request of somebody who is no caller: a false claim, or nothing that could be read.
    pub fn count_stranger(&self, outcome: Outcome) {
        self.add(STRANGERS, outcome);
    }

    fn add(&self, row: usize, outcome: Outcome) {
        let cell = &self.rows[row].0[outcome as usize];
        // No read-modify-write: nobody else writes here, and each cell stands for itself, so no order is needed.
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

impl Layout {
    fn rows(&self) -> usize {
        self.names.len() + 1
    }

    fn row(&self, share: Share) -> usize {
        match share {
            Share::Address(_) => STRANGERS,
            Share::Party { party, service } => self.first[usize::from(party)] as usize + usize::from(service),
        }
    }

    fn account(&self, row: usize) -> Account<'_> {
        match row.checked_sub(1) {
            Some(named) => Account::Party { party: &self.names[named].0, service: &self.names[named].1 },
            None => Account::Strangers,
        }
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Good,
        Self::Held,
        Self::InternalError,
        Self::Malformed,
        Self::NotAllowed,
        Self::Refused,
        Self::Revoked,
        Self::TryLater,
        Self::Unauthorized,
        Self::Unknown,
    ];

    /// Its name in metrics and accounts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Held => "held",
            Self::InternalError => "internal-error",
            Self::Malformed => "malformed",
            Self::NotAllowed => "not-allowed",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::TryLater => "try-later",
            Self::Unauthorized => "unauthorized",
            Self::Unknown => "unknown",
        }
    }
}

/// The first row.
const STRANGERS: usize = 0;
// A row takes two lines and no more.
const _: () = assert!(size_of::<Row>() == 128);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rank;
    use crate::parties::{Claim, Party, Strangers};

    fn register() -> Register {
        let party = |name: &str, services: &[&str]| Party {
            name: name.parse().unwrap(),
            services: services.iter().map(|service| service.parse().unwrap()).collect(),
            networks: vec!["127.0.0.0/8".parse().unwrap()],
            rank: Rank::Accredited,
        };
        Register::new(vec![party("a", &["x", "y"]), party("b", &["x"])], Strangers::Answered).unwrap()
    }

    fn caller(register: &Register, claim: Option<(&str, &str)>) -> Caller {
        let claim = claim.map(|(party, service)| Claim { party, service });
        register.caller(register.origin("127.0.0.1".parse().unwrap()), claim).unwrap()
    }

    #[test]
    fn every_account_and_outcome_has_a_cell_of_its_own() {
        let register = register();
        let (counters, tallies) = Counters::new(&register, 2);
        let accounts = [None, Some(("a", "x")), Some(("a", "y")), Some(("b", "x"))];
        // A different count for each, spread over both threads.
        let mut expected = Vec::new();
        for (claim, row) in accounts.into_iter().zip(0..) {
            for (outcome, place) in Outcome::ALL.into_iter().zip(0..) {
                let times = row * 10 + place;
                (0..times).for_each(|time| tallies[time % 2].count(caller(&register, claim), outcome));
                let account = match claim {
                    Some((party, service)) => Account::Party { party, service },
                    None => Account::Strangers,
                };
                expected.push((account, outcome, times as u64));
            }
        }
        assert_eq!(counters.sums().collect::<Vec<_>>(), expected);
        tallies[0].count_stranger(Outcome::NotAllowed);
        let at = Outcome::NotAllowed as usize;
        assert_eq!(counters.sums().nth(at), Some((Account::Strangers, Outcome::NotAllowed, at as u64 + 1)));
    }

    #[test]
    fn nothing_is_lost_between_threads_and_no_sum_goes_back() {
        let register = register();
        let (counters, tallies) = Counters::new(&register, 3);
        let sum =
            || counters.sums().filter(|(_, outcome, _)| *outcome == Outcome::Good).map(|(_, _, count)| count).sum();
        std::thread::scope(|scope| {
            for tally in tallies {
                let caller = caller(&register, Some(("b", "x")));
                scope.spawn(move || (0..EACH).for_each(|_| tally.count(caller, Outcome::Good)));
            }
            let mut last: u64 = 0;
            while last < 3 * EACH {
                let now: u64 = sum();
                assert!(now >= last);
                last = now;
            }
        });
        assert_eq!(sum(), 3 * EACH);
    }

    const EACH: u64 = 100_000;
}
