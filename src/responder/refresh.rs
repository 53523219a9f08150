//! Signing in advance: which kept replies are signed again, and when.
//!
//! A sweep goes through the certificates by number, a slice at a time, as often as the shortest validity asks for, and
//! signs what has no reply or one that is about to end. Where only what is hot is wanted, it goes from one certificate that
//! was asked for to the next: a nation's others cost nothing. Each certificate's hour is its own, so that what was signed at once
//! isn't signed at once for ever. What has just changed comes before all sweeps; in a sweep after a set event, what isn't
//! good comes before the rest. Called through `sign` by the threads that sign.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::asn1::ocsp::{NotIssued, cert_id};
use crate::model::{CertificateKey, CertificateNo, Seconds, Time};
use crate::status::{Day, Signature, Standing, View};

use super::Responder;
use super::guard::Moment;
use super::issuers::{Form, Issuer, Issuers};
use super::policy::{Forms, Presign};
use super::reply::{Refusal, Said, stated};

/// The state of signing in advance.
#[derive(Default)]
pub(super) struct Refresh(Mutex<State>);

#[derive(Default)]
struct State {
    /// What has just changed, oldest first.
    urgent: VecDeque<CertificateNo>,
    sweep: Option<Sweep>,
    /// When the last one began, and how long it is until the next; none: that begins at once.
    rests: Option<(Time, Seconds)>,
    /// Whether the next one takes what isn't good first.
    hurry: bool,
    /// Whether any issuer wants anything signed in advance.
    wanted: bool,
}

/// One way through the certificates.
#[derive(Clone, Copy)]
struct Sweep {
    next: u64,
    last: u64,
    pass: Pass,
}

/// Which certificates a sweep looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    All,
    NotGoodFirst,
}

/// What a thread does next.
enum Piece {
    One(CertificateNo),
    Slice { first: u64, end: u64, pass: Pass },
}

impl Refresh {
    /// Whether there is something to do.
    pub fn wants(&self, now: Time) -> bool {
        let state = self.state();
        !state.urgent.is_empty() || state.sweep.is_some() || state.is_due(now)
    }

    /// Certificates that have just changed.
    pub fn urge(&self, changed: impl IntoIterator<Item = CertificateNo>) {
        let mut state = self.state();
        if !state.wanted {
            return;
        }
        for no in changed {
            if state.urgent.len() >= URGENT_MAX {
                // The sweep finds them, and what isn't good first.
                (state.hurry, state.rests) = (true, None);
                return;
            }
            state.urgent.push_back(no);
        }
    }

    /// A set event has changed more than can be listed.
    pub fn hurry(&self) {
        let mut state = self.state();
        (state.hurry, state.rests) = (true, None);
        // One that is under way would sign what is still good before what isn't any more.
        state.sweep = None;
    }

    pub fn set_wanted(&self, issuers: &Issuers) {
        let mut state = self.state();
        state.wanted = issuers.iter().any(|issuer| issuer.policy().presign != Presign::Off);
        if !state.wanted {
            (state.urgent, state.sweep) = Default::default();
        }
    }

    /// What is next, if anything is. `wanted` says which is the first certificate from a number on that may be wanted.
    fn next(
        &self,
        now: Time,
        last: impl FnOnce() -> u64,
        every: Seconds,
        wanted: impl Fn(u64) -> Option<u64>,
    ) -> (Option<Piece>, Begun) {
        let mut state = self.state();
        if let Some(no) = state.urgent.pop_front() {
            return (Some(Piece::One(no)), Begun::Before);
        }
        let mut begun = Begun::Before;
        if state.sweep.is_none() {
            if !state.is_due(now) {
                return (None, Begun::Before);
            }
            state.rests = Some((now, every));
            if !state.wanted {
                return (None, Begun::Now);
            }
            let pass = if std::mem::take(&mut state.hurry) { Pass::NotGoodFirst } else { Pass::All };
            state.sweep = Some(Sweep { next: 1, last: last(), pass });
            begun = Begun::Now;
        }
        while let Some(Sweep { next, last, pass }) = state.sweep {
            if let Some(first) = wanted(next).filter(|first| *first <= last) {
                let end = (first + SLICE).min(last + 1);
                state.sweep = Some(Sweep { next: end, last, pass });
                return (Some(Piece::Slice { first, end, pass }), begun);
            }
            state.sweep = match pass {
                Pass::All => None,
                Pass::NotGoodFirst => Some(Sweep { next: 1, last, pass: Pass::All }),
            };
        }
        (None, begun)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a sweep begins. A clock that was set back behind the last one's beginning keeps none waiting.
    fn is_due(&self, now: Time) -> bool {
        self.rests.is_none_or(|(began, rest)| now < began || began + rest <= now)
    }
}

/// Whether a sweep began with this piece: a time to tidy up, also where nothing is signed in advance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Before,
    Now,
}

impl Responder {
    /// These certificates have just changed: what is kept hot for them is signed again first. For the follower's thread.
    pub fn changed(&self, changed: impl IntoIterator<Item = CertificateNo>) {
        self.refresh.urge(changed);
        self.bell.notify_one();
    }

    /// A set event has changed any number of certificates.
    pub fn changed_sets(&self) {
        self.refresh.hurry();
        self.bell.notify_one();
    }

    /// Signs in advance what is next; says what that cost, in signatures of P-256.
    pub(super) fn sign_in_advance(&self, issuers: &Issuers, now: Moment) -> u64 {
        let shortest = issuers.iter().map(|issuer| issuer.policy().validity).min().unwrap_or(Seconds(600));
        let every = Seconds((shortest.0 / SWEEPS).clamp(1, SWEEP_EVERY_MAX));
        let all = issuers.iter().any(|issuer| issuer.policy().presign == Presign::All);
        let wanted = |from| if all { Some(from) } else { self.asked.next(from) };
        let (piece, begun) = self.refresh.next(now.wall.time(), || self.table.count(), every, wanted);
        if begun == Begun::Now {
            self.beside.sweep(now.wall.time());
            let hot_for = issuers.iter().filter_map(|issuer| match issuer.policy().presign {
                Presign::Hot(hot_for) => Some(hot_for),
                Presign::All | Presign::Off => None,
            });
            if let Some(hot_for) = hot_for.max() {
                self.asked.turn(now.wall.time(), hot_for);
            }
        }
        let mut signature = Signature::default();
        match piece {
            None => 0,
            Some(Piece::One(no)) => self.refresh_one(issuers, no, Pass::All, now, &mut signature),
            Some(Piece::Slice { first, end, pass }) => {
                (first..end).map(|no| self.refresh_one(issuers, CertificateNo(no), pass, now, &mut signature)).sum()
            }
        }
    }

    /// Signs one reply in advance if it is due.
    fn refresh_one(
        &self,
        issuers: &Issuers,
        no: CertificateNo,
        pass: Pass,
        now: Moment,
        signature: &mut Signature,
    ) -> u64 {
        let Ok(known_at) = self.known_at(now) else { return 0 };
        let Some((key, view)) = self.table.at(no, signature) else { return 0 };
        let Some(issuer) = issuers.get(key.issuer) else { return 0 };
        let wanted = match issuer.policy().presign {
            Presign::All => view.expires >= Day::of(known_at),
            Presign::Hot(_) => self.asked.lately(no),
            Presign::Off => false,
        };
        let in_this_pass = pass == Pass::All || view.standing != Standing::Good;
        if !wanted || !in_this_pass || !is_due(&view, issuer, known_at) {
            return 0;
        }
        // A failure is told where it matters: by readiness, and by whoever asks.
        self.sign_ahead(issuer, &key, &view, known_at, now).unwrap_or_default()
    }

    fn sign_ahead(
        &self,
        issuer: &Issuer,
        key: &CertificateKey,
        view: &View,
        known_at: Time,
        now: Moment,
    ) -> Result<u64, Refusal> {
        let by = self.may_sign(issuer, now)?;
        let said = Said::of(view);
        let signed = self.dated(issuer, by, known_at, said.latest(), view.read_to, now)?;
        let forms: &[Form] = match issuer.policy().forms {
            Forms::Both => &[Form::in_table(Forms::Sha1), Form::in_table(Forms::Sha256)],
            Forms::Sha1 => &[Form::in_table(Forms::Sha1)],
            Forms::Sha256 => &[Form::in_table(Forms::Sha256)],
        };
        for form in forms {
            let (hashed, parameters) = issuer.in_form(*form);
            let cert_id = cert_id(hashed, parameters, &key.serial);
            let singles = [said.single(&cert_id, issuer, &signed)];
            let tbs = stated(&by.id, &signed, &singles, None, NotIssued::Unknown).to_be_signed();
            let signature = self.signature(by, &tbs)?;
            if *form == Form::in_table(issuer.policy().forms) {
                self.kept(self.table.keep_reply(view.no, &signed, &signature));
            } else {
                self.beside.keep(view.no, *form, signed, &signature);
            }
        }
        Ok(by.cost() * forms.len() as u64)
    }
}

/// Whether a certificate needs a new reply: it has none, or one that is near its end, or one of a key that is gone.
fn is_due(view: &View, issuer: &Issuer, known_at: Time) -> bool {
    let Some(signed) = view.reply else { return true };
    if issuer.signed_by(signed.signer).is_none() {
        return true;
    }
    let validity = signed.next_update.unix() - signed.this_update.unix();
    let age = known_at.unix() - signed.this_update.unix();
    // Spread over a fifth of the validity, by the certificate's number and when it was signed: with an interval of its own
    // for ever, many would meet again and again.
    let mixed = view.no.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ signed.this_update.unix() as u64;
    let spread = i64::from(mixed.wrapping_mul(0xd6e8_feb8_6659_fd93).to_be_bytes()[0]);
    age > 0 && age >= validity * (DUE_FROM * 256 + spread * (DUE_UNTIL - DUE_FROM)) / (256 * DUE_OF)
}

/// A reply is due between a quarter of its validity and a sweep before half of it, so that it is signed again before half
/// of it, as the root programmes want it for short ones, and with as much left for when nobody can sign.
const DUE_FROM: i64 = 5;
const DUE_UNTIL: i64 = 9;
const DUE_OF: i64 = 20;
/// What follows for whoever plans: in parts of the validity, how old a reply is on average when it is due.
pub(super) const MEAN_AGE: f64 = (DUE_FROM + DUE_UNTIL) as f64 / (2 * DUE_OF) as f64;
/// Sweeps in one validity.
pub(super) const SWEEPS: u32 = 20;
pub(super) const SWEEP_EVERY_MAX: u32 = 600;
/// Certificates in one piece of work: some microseconds if nothing is due, some milliseconds if everything is.
const SLICE: u64 = 64;
/// What is listed one by one.
const URGENT_MAX: usize = 100_000;

const _: () =
    assert!(DUE_UNTIL * 2 + 2 * DUE_OF / SWEEPS as i64 <= DUE_OF, "the sweep that finds it due comes before half");
