//! Plans for what there is: who signs, how fast, for how many certificates. Called by `tashika plan` and by `serve`.

use std::time::Duration;

use super::clock::Stopwatch;
use super::config::{Config, OcspSettings};
use super::cores;
use crate::keys::{KeyError, OcspSigner};
use crate::model::{Book, CertificateNo};
use crate::responder::{Demand, KeyKind, Plan, Signing};
use crate::status::{Day, Signature, Table};

/// Valid certificates by issuer, in the order of the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census(pub Vec<u64>);

impl Census {
    /// Of a table: counted where that is quick, else from a sample, so that a start doesn't wait for it.
    pub fn of(table: &Table, book: &Book, today: Day) -> Self {
        let all = table.count();
        let step = all.div_ceil(SAMPLE).max(1);
        let mut counts = vec![0; book.issuers.len()];
        let mut signature = Signature::default();
        for no in (1..=all).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let Some((key, view)) = table.at(CertificateNo(no), &mut signature) else { continue };
            let count = usize::from(key.issuer.0).checked_sub(1).and_then(|at| counts.get_mut(at));
            if let Some(count) = count.filter(|_| view.expires >= today) {
                *count += step;
            }
        }
        Self(counts)
    }
}

/// What sort of key signs; found out by a signature.
pub fn kind_of(signer: &OcspSigner) -> Result<KeyKind, KeyError> {
    Ok(KeyKind::of(signer.algorithm(), signer.sign(TRIAL)?.len()))
}

/// What `serve` is about to run for an issuer with so many certificates.
pub fn running(config: &Config, issuer: &str, kind: KeyKind, certificates: u64) -> Plan {
    let signing = usual_signing(&config.ocsp, kind);
    Plan::of(issuer, Demand::usual(certificates), kind, signing, config.ocsp.policy_of(issuer))
}

/// How fast the threads of this machine that sign make signatures of a kind.
pub fn usual_signing(ocsp: &OcspSettings, kind: KeyKind) -> Signing {
    let threads = ocsp.sign_threads.signing(cores()).min(cores());
    Signing::Cores { cores: u32::try_from(threads).unwrap_or(u32::MAX), each: kind.usual_rate() }
}

/// Signatures a second, of one caller who does nothing else for a second.
pub fn measured<E>(sign: impl FnMut(&[u8]) -> Result<Vec<u8>, E>) -> Result<f64, E> {
    measured_for(MEASURED, sign)
}

/// The same for so long.
pub fn measured_for<E>(span: Duration, mut sign: impl FnMut(&[u8]) -> Result<Vec<u8>, E>) -> Result<f64, E> {
    let watch = Stopwatch::start();
    let mut made = 0_u32;
    while watch.elapsed() < span {
        sign(TRIAL)?;
        made += 1;
    }
    Ok(f64::from(made) / watch.elapsed().as_secs_f64())
}

/// As long as what is signed of an answer. Nobody takes it for one: it says what it is.
const TRIAL: &[u8] = &{
    let mut octets = [b'.'; 200];
    let text = b"tashika: a signature for a plan, worth nothing";
    let mut at = 0;
    while at < text.len() {
        octets[at] = text[at];
        at += 1;
    }
    octets
};
/// Certificates that are looked at: some ten milliseconds.
const SAMPLE: u64 = 100_000;
const MEASURED: Duration = Duration::from_secs(1);
