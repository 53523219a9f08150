//! Asking responders.

use crate::asn1::CertificateFields;
use crate::asn1::ocsp::Nonce;
use crate::http::Fetcher;
use crate::publisher::verifier::{Question, Vouched, judge};

use super::{By, Check, Link, OfOne, Said};

impl Check {
    /// Asks about a certificate until one responder's answer counts.
    pub(super) fn ask(&self, link: Link<'_>, nonce: Nonce<'static>, fetcher: &mut Fetcher, one: &mut OfOne) {
        let Link { certificate, issuer, now } = link;
        // The responder that was named is for the certificate that was asked about.
        let named = self.ocsp_url.as_ref().filter(|_| *certificate == self.certificate);
        let urls = match named {
            Some(url) => std::slice::from_ref(url),
            None => &certificate.extensions.authority_access.ocsp,
        };
        let question = Question::new(issuer, certificate.serial, nonce);
        for url in urls {
            let reply = match fetcher.ask_ocsp(url, &question.to_der()) {
                Ok(reply) => reply,
                Err(error) => {
                    one.unheard.push(format!("OCSP: {error}"));
                    continue;
                }
            };
            match judge(&reply, &question, issuer, now) {
                Ok(vouched) => {
                    one.said.push(said(&vouched, url, issuer));
                    return;
                }
                Err(fault) => one.unheard.push(format!("OCSP: {url}: {fault}")),
            }
        }
    }
}

fn said(vouched: &Vouched, url: &str, issuer: &CertificateFields) -> Said {
    let signer = match &vouched.delegate {
        None => format!("signed by {}", issuer.subject),
        Some(delegate) => format!("signed by {}, to whom {} delegated it", delegate.subject, issuer.subject),
    };
    let ours = if vouched.is_for_us { "made for this question" } else { "signed in advance: it repeats no nonce" };
    Said {
        by: By::Ocsp,
        status: vouched.status,
        this_update: vouched.this_update,
        next_update: vouched.next_update,
        place: url.to_owned(),
        because: format!("{signer}; {ours}"),
    }
}
