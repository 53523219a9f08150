//! Checking a certificate as a verifier does: the chain, then what OCSP and CRLs say of each certificate on it. Called by
//! `check`.
//!
//! What counts, and why not, is decided by `publisher::verifier`; here it is fetched and put together.

mod ask;
mod lists;

use std::path::PathBuf;

use crate::asn1::CertificateFields;
use crate::asn1::ocsp::{CertStatus, Nonce};
use crate::http::Fetcher;
use crate::model::{Serial, Time};
use crate::publisher::verifier::{ChainFault, chain};

/// A certificate to check, and how.
#[derive(Debug)]
pub struct Check {
    /// The certificate.
    pub certificate: CertificateFields,
    /// Certificates that may stand between it and an anchor, or sign its CRLs.
    pub others: Vec<CertificateFields>,
    /// Trusted without further proof.
    pub anchors: Vec<CertificateFields>,
    /// Whom to ask.
    pub ways: Ways,
    /// The responder, instead of the one that the certificate names.
    pub ocsp_url: Option<String>,
    /// A folder of CRLs, instead of the places that the certificate names.
    pub crl_dir: Option<PathBuf>,
    /// The publication that says where directory names are fetched.
    pub index: Option<String>,
}

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// Responders and CRLs.
    Both,
    /// CRLs only.
    Crls,
    /// Responders only.
    Ocsp,
}

/// What came of it.
#[derive(Debug)]
pub struct Checked {
    /// From the certificate to the anchor, by subject.
    pub chain: Vec<String>,
    /// Each certificate of the chain but the anchor, from the one that was asked about on.
    pub certificates: Vec<OfOne>,
}

/// A certificate on the chain.
#[derive(Clone, Copy)]
struct Link<'a> {
    certificate: &'a CertificateFields,
    issuer: &'a CertificateFields,
    now: Time,
}

/// What is said of one certificate.
#[derive(Debug)]
pub struct OfOne {
    /// Whose.
    pub subject: String,
    /// Its number.
    pub serial: Serial,
    /// Everything that counts.
    pub said: Vec<Said>,
    /// What doesn't count, and why.
    pub unheard: Vec<String>,
}

/// One statement that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// OCSP or CRL.
    pub by: By,
    /// What is so.
    pub status: CertStatus,
    /// When it was known to be so.
    pub this_update: Time,
    /// Until when it counts.
    pub next_update: Option<Time>,
    /// Where it came from.
    pub place: String,
    /// Why it is believed.
    pub because: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A CRL.
    Crl,
    /// A responder.
    Ocsp,
}

/// What it all comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good, as far as anybody was asked.
    Good,
    /// Held, by the newest word.
    Held,
    /// Revoked.
    Revoked,
    /// Nobody says.
    Undecided,
}

impl Check {
    /// Checks at that time, with entropy for nonces.
    pub fn run(
        &mut self,
        fetcher: &mut Fetcher,
        now: Time,
        nonces: &mut dyn FnMut() -> [u8; 32],
    ) -> Result<Checked, ChainFault> {
        self.complete(fetcher, now);
        let path: Vec<CertificateFields> =
            chain(&self.certificate, &self.others, &self.anchors, now)?.into_iter().cloned().collect();
        let mut certificates = Vec::new();
        for pair in path.windows(2) {
            let link = Link { certificate: &pair[0], issuer: &pair[1], now };
            let mut one = OfOne {
                subject: link.certificate.subject.to_string(),
                serial: link.certificate.serial,
                said: Vec::new(),
                unheard: Vec::new(),
            };
            if self.ways != Ways::Crls {
                let nonce = Nonce::new(nonces().to_vec()).expect("32 octets are a nonce");
                self.ask(link, nonce, fetcher, &mut one);
            }
            if self.ways != Ways::Ocsp {
                self.look_up(link, fetcher, &mut one);
            }
            certificates.push(one);
        }
        Ok(Checked { chain: path.iter().map(|one| one.subject.to_string()).collect(), certificates })
    }

    /// Fetches issuers' certificates that are missing, from where certificates say that they are. An anchor must vouch for
    /// them, so nothing is believed here.
    fn complete(&mut self, fetcher: &mut Fetcher, now: Time) {
        let mut at = self.certificate.clone();
        for _ in 0..FETCHED_MAX {
            if chain(&self.certificate, &self.others, &self.anchors, now).is_ok() {
                return;
            }
            let found =
                at.extensions.authority_access.ca_issuers.iter().find_map(|url| lists::certificate(fetcher, url));
            let Some(found) = found else { return };
            at = found.clone();
            self.others.push(found);
        }
    }
}

impl OfOne {
    /// What everything that counts comes to. Revoked is final; of a hold and a good answer the newer counts; a responder
    /// that doesn't know the certificate outweighs a list on which it isn't.
    pub fn verdict(&self) -> Verdict {
        let revoked = self.said.iter().any(|said| matches!(said.status, CertStatus::Revoked { .. }));
        let newest = |wanted: fn(&CertStatus) -> bool| {
            self.said.iter().filter(|said| wanted(&said.status)).map(|said| said.this_update).max()
        };
        let held = newest(|status| matches!(status, CertStatus::Held { .. }));
        let good = newest(|status| *status == CertStatus::Good);
        let unknown = newest(|status| *status == CertStatus::Unknown);
        match (revoked, held, good, unknown) {
            (true, ..) => Verdict::Revoked,
            (false, Some(held), good, _) if good.is_none_or(|good| good <= held) => Verdict::Held,
            (false, _, Some(_), None) => Verdict::Good,
            _ => Verdict::Undecided,
        }
    }

    /// Whether the certificate names anybody who could be asked.
    pub fn was_asked(&self) -> bool {
        !self.said.is_empty() || !self.unheard.is_empty()
    }
}

impl Checked {
    /// Of the certificate that was asked about and its CAs: the worst, where a CA of which nobody could be asked is no
    /// objection.
    pub fn verdict(&self) -> Verdict {
        let Some((first, others)) = self.certificates.split_first() else { return Verdict::Undecided };
        let others = others.iter().filter(|one| one.was_asked()).map(OfOne::verdict);
        let all: Vec<Verdict> = std::iter::once(first.verdict()).chain(others).collect();
        let worst = [Verdict::Revoked, Verdict::Held, Verdict::Undecided];
        worst.into_iter().find(|verdict| all.contains(verdict)).unwrap_or(Verdict::Good)
    }
}

/// No chain is longer.
const FETCHED_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reason;

    fn verdict(said: &[(CertStatus, i64)]) -> Verdict {
        let time = |at| Time::from_unix(at).unwrap();
        let said = said.iter().map(|(status, at)| Said {
            by: By::Crl,
            status: *status,
            this_update: time(*at),
            next_update: None,
            place: String::new(),
            because: String::new(),
        });
        let serial = Serial::from_unsigned(&[1]).unwrap();
        OfOne { subject: String::new(), serial, said: said.collect(), unheard: Vec::new() }.verdict()
    }

    #[test]
    fn the_newer_word_counts_but_revoked_is_final_and_unknown_is_never_good() {
        let at = Time::from_unix(5).unwrap();
        let (good, held, unknown) = (CertStatus::Good, CertStatus::Held { since: at }, CertStatus::Unknown);
        let revoked = CertStatus::Revoked { at, reason: Reason::KeyCompromise };
        assert_eq!(verdict(&[(good, 9), (revoked, 1)]), Verdict::Revoked);
        assert_eq!(verdict(&[(good, 9), (held, 1)]), Verdict::Good);
        assert_eq!(verdict(&[(good, 9), (held, 9)]), Verdict::Held);
        assert_eq!(verdict(&[(held, 9), (unknown, 9)]), Verdict::Held);
        assert_eq!(verdict(&[(unknown, 1), (good, 9)]), Verdict::Undecided);
        assert_eq!(verdict(&[(unknown, 1), (good, 9), (held, 8)]), Verdict::Undecided);
        assert_eq!(verdict(&[(good, 1), (good, 2)]), Verdict::Good);
        assert_eq!(verdict(&[]), Verdict::Undecided);
    }
}
