//! The signed-now lane: who waits for a signature, and whose turn it is.
//!
//! Orders come from the network's edge, turns are taken by the threads that sign. Bounded everywhere: over a bound, who
//! comes last is told to come again. Turns go by rank, within a rank by issuer (in proportion to what its signatures
//! cost), within an issuer from caller to caller, within a caller in the order of arrival: so a storm waits behind itself.

use std::collections::{HashMap, VecDeque};

use crate::model::{IssuerNo, Millis, Rank, Share};

use super::order::{Done, Flight, Ticket};

/// Everybody who waits.
#[derive(Default)]
pub(super) struct Lane {
    accredited: Line,
    anonymous: Line,
    /// Who waits for a signature that another has ordered.
    flights: HashMap<Flight, Vec<Done>>,
}

/// Those of one rank.
#[derive(Default)]
struct Line {
    issuers: HashMap<IssuerNo, Turns>,
    waiting: usize,
    /// What the issuer that was served last had spent: who comes anew begins there.
    spent: u64,
}

/// Those who wait for one issuer's signatures.
#[derive(Default)]
struct Turns {
    waiting: HashMap<Share, VecDeque<Ticket>>,
    /// Everybody who has something waiting, next first.
    turn: VecDeque<Share>,
    /// What was signed for them, in signatures of P-256.
    spent: u64,
}

/// What became of an order at the lane's door.
pub(super) enum Entered {
    /// It waits, with others for the same signature or alone.
    Waits,
    /// There is no room: its caller is told to come again.
    Full(Done),
}

/// How many may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneLimits {
    /// For one caller; less when places are short.
    pub share_max: [usize; 2],
    /// Of one rank.
    pub rank_max: [usize; 2],
}

impl Lane {
    /// Takes an order in. `cost` is that of its issuer's signatures.
    pub fn enter(&mut self, ticket: Ticket, limits: LaneLimits) -> Entered {
        let flight = ticket.order.flight();
        if let Some(others) = flight.and_then(|flight| self.flights.get_mut(&flight)) {
            if others.len() >= FLIGHT_MAX {
                return Entered::Full(ticket.done);
            }
            others.push(ticket.done);
            return Entered::Waits;
        }
        let rank = ticket.order.caller.rank;
        match self.line(rank).enter(ticket, limits.share_max[at(rank)], limits.rank_max[at(rank)]) {
            Entered::Full(done) => Entered::Full(done),
            Entered::Waits => {
                if let Some(flight) = flight {
                    self.flights.insert(flight, Vec::new());
                }
                Entered::Waits
            }
        }
    }

    /// The next in turn of a rank, with what its signature costs taken down.
    pub fn next(&mut self, rank: Rank, cost: impl Fn(IssuerNo) -> u64) -> Option<Ticket> {
        self.line(rank).next(cost)
    }

    /// Whether anybody of that rank waits.
    pub fn waits(&self, rank: Rank) -> bool {
        self.waiting(rank) > 0
    }

    pub fn waiting(&self, rank: Rank) -> usize {
        match rank {
            Rank::Accredited => self.accredited.waiting,
            Rank::Anonymous => self.anonymous.waiting,
        }
    }

    /// Those who waited for the same signature; from now on it must be ordered anew.
    pub fn land(&mut self, flight: Flight) -> Vec<Done> {
        self.flights.remove(&flight).unwrap_or_default()
    }

    fn line(&mut self, rank: Rank) -> &mut Line {
        match rank {
            Rank::Accredited => &mut self.accredited,
            Rank::Anonymous => &mut self.anonymous,
        }
    }
}

impl Line {
    fn enter(&mut self, ticket: Ticket, share_max: usize, rank_max: usize) -> Entered {
        if self.waiting >= rank_max {
            return Entered::Full(ticket.done);
        }
        let (issuer, share) = (ticket.order.issuer, ticket.order.caller.share);
        let turns = self.issuers.entry(issuer).or_default();
        if turns.turn.is_empty() {
            // What it didn't use while nobody asked is not saved up.
            turns.spent = turns.spent.max(self.spent);
        }
        let own = turns.waiting.entry(share).or_default();
        // The fewer places are left, the fewer of them for who has some: however many addresses a storm comes from, who
        // has nothing waiting finds a place.
        let left = rank_max - self.waiting;
        if own.len() >= share_max.min((left / 2).max(1)) {
            return Entered::Full(ticket.done);
        }
        if own.is_empty() {
            turns.turn.push_back(share);
        }
        own.push_back(ticket);
        self.waiting += 1;
        Entered::Waits
    }

    fn next(&mut self, cost: impl Fn(IssuerNo) -> u64) -> Option<Ticket> {
        let waiting = self.issuers.iter_mut().filter(|(_, turns)| !turns.turn.is_empty());
        let (issuer, turns) = waiting.min_by_key(|(issuer, turns)| (turns.spent, issuer.0))?;
        self.spent = turns.spent;
        turns.spent += cost(*issuer);
        self.waiting -= 1;
        turns.next()
    }
}

impl Turns {
    fn next(&mut self) -> Option<Ticket> {
        let share = self.turn.pop_front()?;
        let own = self.waiting.get_mut(&share)?;
        let ticket = own.pop_front();
        if own.is_empty() {
            // Strangers come and go: nothing of them stays.
            self.waiting.remove(&share);
        } else {
            self.turn.push_back(share);
        }
        ticket
    }
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self { share_max: [4_096, 256], rank_max: [16_384, 4_096] }
    }
}

fn at(rank: Rank) -> usize {
    match rank {
        Rank::Accredited => 0,
        Rank::Anonymous => 1,
    }
}

/// How long an order may wait before its caller is told to come again: clients give up after a few seconds.
pub(super) const WAIT_MS_MAX: i64 = 2_000;

/// Whether it has waited for too long.
pub(super) fn waited_too_long(since: Millis, now: Millis) -> bool {
    now.0.saturating_sub(since.0) > WAIT_MS_MAX
}

/// Who may wait for one signature; each has an open connection, of which there are not many more.
const FLIGHT_MAX: usize = 4_096;
