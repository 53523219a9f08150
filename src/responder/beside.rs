//! Replies to questions in other forms than the one that the table keeps: signed when first asked for, kept within bounds.
//!
//! Used by `answer` and `sign`. Its locks are for those who ask so; who asks in the usual form never comes here.

use dashmap::DashMap;

use crate::asn1::ocsp::Request;
use crate::model::{Caller, CertificateNo, Time};
use crate::status::{SignedFor, View};

use super::Responder;
use super::answer::Answer;
use super::issuers::{Form, Issuer};
use super::order::{Fenced, Keep, Order};
use super::reply::{Refusal, Reply};

/// Kept signatures by certificate and form.
pub(super) struct Beside {
    kept: DashMap<(CertificateNo, Form), Kept>,
    kept_max: usize,
}

struct Kept {
    signed: SignedFor,
    signature: Box<[u8]>,
}

impl Beside {
    pub fn new(kept_max: usize) -> Self {
        Self { kept: DashMap::new(), kept_max }
    }

    /// Keeps a signature unless there is no room, or a later one is there.
    pub fn keep(&self, no: CertificateNo, form: Form, signed: SignedFor, signature: &[u8]) {
        let at = (no, form);
        if self.kept.len() >= self.kept_max && !self.kept.contains_key(&at) {
            return;
        }
        let age = |signed: &SignedFor| (signed.reflects, signed.this_update);
        let mut kept = self.kept.entry(at).or_insert_with(|| Kept { signed, signature: signature.into() });
        if age(&kept.signed) < age(&signed) {
            *kept = Kept { signed, signature: signature.into() };
        }
    }

    /// Throws out what is no longer valid. For whoever sweeps.
    pub fn sweep(&self, now: Time) {
        self.kept.retain(|_, kept| now < kept.signed.next_update);
    }

    pub fn count(&self) -> usize {
        self.kept.len()
    }
}

impl Responder {
    /// The answer to a question in another form than the table's.
    pub(super) fn answer_beside(
        &self,
        issuer: &Issuer,
        form: Form,
        caller: Caller,
        request: &Request<'_>,
        view: &View,
        now: Time,
    ) -> Answer {
        if let Some(kept) = self.beside.kept.get(&(view.no, form)) {
            // As in the table: a change beats a reply by its position.
            let holds = view.changed.is_none_or(|changed| changed <= kept.signed.reflects);
            let by = issuer.signed_by(kept.signed.signer).filter(|_| holds && now < kept.signed.next_update);
            if let (Some(by), [question]) = (by, request.questions()) {
                let by = (&by.id, &by.credentials);
                let (signed, signature) = (&kept.signed, &kept.signature);
                return Answer::Kept(Reply::of_kept(&question.cert_id, view, issuer, by, signed, signature));
            }
        }
        if issuer.signatory().is_none() {
            return Answer::Refused(Refusal::NoSigner);
        }
        Answer::Sign(Order::new(caller, issuer.no(), request, Keep::Beside(form), Fenced::Done))
    }
}
