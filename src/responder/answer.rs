//! THE HOT PATH: a request in, a kept reply out, or what must be done to make one. Called by the network's edge for each.
//!
//! Above the line in [`Responder::answer`] there is no lock, no waiting, and no allocation but the reply itself.

use crate::asn1::ocsp::{Request, SerialAsked};
use crate::model::{Caller, CertificateKey, Time};
use crate::status::{Signature, Tier};

use super::Responder;
use super::issuers::{Form, Issuer, Issuers};
use super::order::{Fenced, Keep, Order};
use super::reply::{Refusal, Reply};

/// What comes of a request.
#[derive(Debug)]
pub enum Answer {
    /// A reply that was kept.
    Kept(Reply),
    /// None, and none will be made.
    Refused(Refusal),
    /// None yet: hand it to [`Responder::order`].
    Sign(Order),
}

impl Responder {
    /// Answers a request as of now. `signature` is the caller's own memory, used again for each request.
    pub fn answer(&self, caller: Caller, request: &Request<'_>, now: Time, signature: &mut Signature) -> Answer {
        let tier = self.table.freshness().tier(now, self.tiers);
        if tier == Tier::Past {
            return Answer::Refused(Refusal::TooOld);
        }
        let issuers = self.issuers.load();
        let ([question], None) = (request.questions(), &request.nonce) else {
            return self.answer_now(&issuers, caller, request);
        };
        let Some((issuer, form)) = issuers.asked(&question.issuer) else {
            return Answer::Refused(Refusal::OtherIssuer);
        };
        let SerialAsked::Serial(serial) = question.serial else {
            return self.answer_missing(issuer, caller, request, Fenced::Done);
        };
        let key = CertificateKey { issuer: issuer.no(), serial };
        // Set events, status and kept reply, as one: a reply that a change has overtaken is not in the view.
        let Some(view) = self.table.look_up(&key, signature) else {
            return self.answer_missing(issuer, caller, request, self.fence_for(&key, tier));
        };
        self.asked.mark(view.no);
        if form != Form::in_table(issuer.policy().forms) {
            return self.answer_beside(issuer, form, caller, request, &view, now);
        }
        let kept = view.reply.filter(|signed| now < signed.next_update);
        if let Some((signed, by)) = kept.and_then(|signed| Some((signed, issuer.signed_by(signed.signer)?))) {
            let by = (&by.id, &by.credentials);
            return Answer::Kept(Reply::of_kept(&question.cert_id, &view, issuer, by, &signed, signature.octets()));
        }
        // ══ above this line: no lock, no waiting, no allocation but the reply itself ══
        sign(issuer, Order::new(caller, issuer.no(), request, Keep::Table, Fenced::Done))
    }

    /// A nonce, or several questions: one signature, made now, for all of them.
    fn answer_now(&self, issuers: &Issuers, caller: Caller, request: &Request<'_>) -> Answer {
        let mut asked = request.questions().iter().map(|question| issuers.asked(&question.issuer).map(|(one, _)| one));
        let Some(Some(issuer)) = asked.next() else { return Answer::Refused(Refusal::OtherIssuer) };
        // One signer can't speak for two CAs, and clients refuse such an answer whole (RFC 6960 §4.2.2.2).
        for other in asked {
            match other {
                None => return Answer::Refused(Refusal::OtherIssuer),
                Some(other) if other.no() != issuer.no() => return Answer::Refused(Refusal::TwoIssuers),
                Some(_) => {}
            }
        }
        let missing = request.questions().iter().any(|question| match question.serial {
            SerialAsked::Impossible => false,
            SerialAsked::Serial(serial) => self.is_missing(&CertificateKey { issuer: issuer.no(), serial }),
        });
        let fence = if missing { Fenced::Wanted } else { Fenced::Done };
        sign(issuer, Order::new(caller, issuer.no(), request, Keep::Nowhere, fence))
    }

    /// A certificate that the table doesn't have.
    fn answer_missing(&self, issuer: &Issuer, caller: Caller, request: &Request<'_>, fence: Fenced) -> Answer {
        sign(issuer, Order::new(caller, issuer.no(), request, Keep::Nowhere, fence))
    }
}

/// To be signed, if somebody can.
fn sign(issuer: &Issuer, order: Order) -> Answer {
    if issuer.signatory().is_some() { Answer::Sign(order) } else { Answer::Refused(Refusal::NoSigner) }
}
