//! Signatures and delegation of sampled answers, on a thread of their own: a slow curve must not look like a slow server.
//!
//! Each sampled answer is decoded a second time, by `rasn-ocsp`, and must say what `answer` read. Used by `engine`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rasn_ocsp::{BasicOcspResponse, CertStatus, OcspResponse};
use rsa::sha2::{Digest as _, Sha256};

use crate::answer::{Answer, Basic, Responder, Status};
use crate::certificate::Certificate;
use crate::judge::Fault;

/// How many answers have their signature checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    All,
    /// Every n-th, from the first; not zero.
    Every(u32),
    None,
}

/// Hands answers to the thread that verifies.
#[derive(Debug)]
pub struct Verifier {
    sender: SyncSender<Job>,
    thread: JoinHandle<Checked>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Answers whose signature was checked; the same octets again count, but are not computed again.
    pub answers: u64,
    pub faults: BTreeMap<Fault, u64>,
}

struct Job {
    body: Vec<u8>,
    now: i64,
}

impl Verifier {
    pub fn start(issuer: Arc<Certificate>) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let work = move || Bench::new(&issuer).work(&receiver);
        let thread = std::thread::Builder::new().name("verify".into()).spawn(work)?;
        Ok(Self { sender, thread })
    }

    /// Waits while `WAITING_MAX` answers wait: no sample is left out, and none piles up without bound.
    pub fn check(&self, body: &[u8], now: i64) {
        // The thread ends only when this sender is gone, so there is always somebody who receives.
        let _ = self.sender.send(Job { body: body.to_vec(), now });
    }

    /// What was found, once all that waited is done.
    pub fn finish(self) -> Checked {
        drop(self.sender);
        self.thread.join().expect("a verifier does not panic on any octets")
    }
}

/// Checks one answer after another, and remembers what it has checked.
#[derive(Debug)]
pub struct Bench<'a> {
    issuer: &'a Certificate,
    /// By their octets; `None` is one that the issuer hasn't delegated.
    signers: HashMap<Vec<u8>, Option<Certificate>>,
    /// Digests of answers whose signature is right, with the validity of their signer.
    right: HashMap<[u8; 32], (i64, i64)>,
    wrong: HashSet<[u8; 32]>,
}

impl<'a> Bench<'a> {
    pub fn new(issuer: &'a Certificate) -> Self {
        Self { issuer, signers: HashMap::new(), right: HashMap::new(), wrong: HashSet::new() }
    }

    fn work(mut self, jobs: &Receiver<Job>) -> Checked {
        let mut checked = Checked::default();
        for job in jobs {
            checked.answers += 1;
            if let Err(fault) = self.check(&job.body, job.now) {
                *checked.faults.entry(fault).or_default() += 1;
            }
        }
        checked
    }

    /// Errors of OCSP carry no signature; they are always right.
    pub fn check(&mut self, body: &[u8], now: i64) -> Result<(), Fault> {
        let basic = match Answer::read(body) {
            Ok(Answer::Basic(basic)) => basic,
            Ok(Answer::Refused(_)) => return Ok(()),
            Err(_) => return Err(Fault::Undecodable),
        };
        let digest: [u8; 32] = Sha256::digest(body).into();
        if self.wrong.contains(&digest) {
            return Err(Fault::Signature);
        }
        let validity = match self.right.get(&digest) {
            Some(validity) => *validity,
            None => self.first(&basic, body, digest)?,
        };
        let (from, to) = validity;
        if (from..=to).contains(&now) { Ok(()) } else { Err(Fault::Signer) }
    }

    fn first(&mut self, basic: &Basic<'_>, body: &[u8], digest: [u8; 32]) -> Result<(i64, i64), Fault> {
        if !agrees(basic, body) {
            return Err(Fault::Undecodable);
        }
        let signer = self.signer(basic)?;
        let (validity, is_right) =
            (signer.validity, signer.has_signed(basic.to_be_signed, basic.algorithm, basic.signature));
        if self.right.len() + self.wrong.len() >= REMEMBERED_MAX {
            self.right.clear();
            self.wrong.clear();
        }
        if !is_right {
            self.wrong.insert(digest);
            return Err(Fault::Signature);
        }
        self.right.insert(digest, validity);
        Ok(validity)
    }

    /// RFC 6960 4.2.2.2: the issuer itself, or who it has delegated, with a certificate sent along.
    fn signer(&mut self, basic: &Basic<'_>) -> Result<&Certificate, Fault> {
        if is_named(self.issuer, basic.responder) {
            return Ok(self.issuer);
        }
        let mut found = None;
        for bytes in basic.certificates() {
            let bytes = bytes.map_err(|_| Fault::Undecodable)?;
            if !self.signers.contains_key(bytes) {
                if self.signers.len() >= SIGNERS_MAX {
                    self.signers.clear();
                }
                let delegated = Certificate::from_der(bytes)
                    .ok()
                    .filter(|signer| signer.may_sign_ocsp && signer.is_issued_by(self.issuer));
                self.signers.insert(bytes.to_vec(), delegated);
            }
            if self.signers[bytes].as_ref().is_some_and(|signer| is_named(signer, basic.responder)) {
                found = Some(bytes);
                break;
            }
        }
        found.and_then(|bytes| self.signers[bytes].as_ref()).ok_or(Fault::Signer)
    }
}

fn is_named(certificate: &Certificate, responder: Responder<'_>) -> bool {
    match responder {
        Responder::Key(key) => key == certificate.key_identifier(),
        Responder::Name(name) => name == certificate.subject,
    }
}

/// Whether `rasn` reads the same as `answer` did.
fn agrees(basic: &Basic<'_>, body: &[u8]) -> bool {
    let decoded = rasn::der::decode::<OcspResponse>(body).ok().and_then(|response| response.bytes);
    let Some(decoded) = decoded.and_then(|bytes| rasn::der::decode::<BasicOcspResponse>(&bytes.response).ok()) else {
        return false;
    };
    let data = decoded.tbs_response_data;
    let singles: Result<Vec<_>, _> = basic.singles().collect();
    singles.is_ok_and(|singles| {
        data.produced_at.timestamp() == basic.produced_at
            && decoded.signature.as_raw_slice() == basic.signature
            && data.responses.len() == singles.len()
            && data.responses.iter().zip(singles).all(|(theirs, ours)| {
                rasn::der::encode(&theirs.cert_id).is_ok_and(|cert_id| cert_id == ours.cert_id)
                    && same_status(&theirs.cert_status, ours.status)
                    && theirs.this_update.timestamp() == ours.this_update
                    && theirs.next_update.as_ref().map(|time| time.timestamp()) == ours.next_update
            })
    })
}

fn same_status(theirs: &CertStatus, ours: Status) -> bool {
    match (theirs, ours) {
        (CertStatus::Good, Status::Good) | (CertStatus::Unknown(()), Status::Unknown) => true,
        (CertStatus::Revoked(theirs), Status::Revoked { at, reason }) => {
            theirs.revocation_time.timestamp() == at && theirs.revocation_reason.map(|reason| reason as u8) == reason
        }
        _ => false,
    }
}

/// Answers that may wait for their verification: some 64 MB.
const WAITING_MAX: usize = 1 << 16;
const REMEMBERED_MAX: usize = 1 << 20;
const SIGNERS_MAX: usize = 64;
