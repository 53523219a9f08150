//! What must be signed before it can be answered, and how whoever waits for it gets it.
//!
//! Made by `answer` where nothing is kept; handed to the fence and to the lane by the network's edge.

use std::task::Waker;

use crate::asn1::ocsp::Question;
use crate::asn1::ocsp::{Request, SerialAsked};
use crate::model::{Caller, IssuerNo, Millis, Serial};

use super::issuers::Form;
use super::reply::{Refusal, Reply};

/// A request that waits for a signature.
#[derive(Clone, Debug)]
pub struct Order {
    pub(super) caller: Caller,
    pub(super) issuer: IssuerNo,
    pub(super) questions: Vec<Asked>,
    pub(super) nonce: Option<Box<[u8]>>,
    /// Where the signature goes when it is made.
    pub(super) keep: Keep,
    /// Whether the ledger must be asked first if a certificate was issued a moment ago.
    pub(super) fence: Fenced,
}

/// One question of an order.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub cert_id: Box<[u8]>,
    /// None: a number that no certificate can have.
    pub serial: Option<Serial>,
}

/// Where a signature goes when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// To nobody but who asked.
    Nowhere,
    /// Beside the table, with other forms of question.
    Beside(Form),
    /// Into the table.
    Table,
}

/// Whether the ledger must be asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fenced {
    /// Nothing in it is missing, or what is missing was asked for.
    Done,
    /// Something in it is missing from the table.
    Wanted,
}

/// How an order ends: takes the answer, and says whom to wake once all that were made together are handed out. Waking
/// after each would let the one who is woken run after each, where both share a core.
pub type Done = Box<dyn FnOnce(Result<Reply, Refusal>) -> Option<Waker> + Send>;

/// Those who are to be woken, each once.
#[derive(Default)]
pub(super) struct Bells(Vec<Waker>);

/// An order with who waits for it.
pub struct Ticket {
    pub(super) order: Order,
    pub(super) since: Millis,
    pub(super) done: Done,
}

/// What makes two orders the same: one signature answers both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flight {
    issuer: IssuerNo,
    serial: Serial,
    form: Option<Form>,
    rank: crate::model::Rank,
}

impl Bells {
    /// Hands an answer out.
    pub fn tell(&mut self, done: Done, answer: Result<Reply, Refusal>) {
        if let Some(waker) = done(answer)
            && !self.0.iter().any(|known| known.will_wake(&waker))
        {
            self.0.push(waker);
        }
    }

    /// Wakes whoever was told anything.
    pub fn ring(self) {
        self.0.into_iter().for_each(Waker::wake);
    }

    /// Hands one answer out, and wakes.
    pub fn tell_one(done: Done, answer: Result<Reply, Refusal>) {
        let mut bells = Self::default();
        bells.tell(done, answer);
        bells.ring();
    }
}

impl Order {
    pub(super) fn new(caller: Caller, issuer: IssuerNo, request: &Request<'_>, keep: Keep, fence: Fenced) -> Self {
        let questions = request.questions().iter().map(Asked::new).collect();
        let nonce = request.nonce.as_ref().map(|nonce| nonce.as_octets().into());
        Self { caller, issuer, questions, nonce, keep, fence }
    }

    /// The flight that it may share; none if nobody else can have asked the same.
    pub(super) fn flight(&self) -> Option<Flight> {
        let ([question], None) = (&self.questions[..], &self.nonce) else { return None };
        let form = match self.keep {
            Keep::Nowhere => return None,
            Keep::Beside(form) => Some(form),
            Keep::Table => None,
        };
        // Whoever comes first in rank must not wait with whoever doesn't.
        Some(Flight { issuer: self.issuer, serial: question.serial?, form, rank: self.caller.rank })
    }
}

impl Asked {
    fn new(question: &Question<'_>) -> Self {
        let serial = match question.serial {
            SerialAsked::Serial(serial) => Some(serial),
            SerialAsked::Impossible => None,
        };
        Self { cert_id: question.cert_id.as_ref().into(), serial }
    }
}
