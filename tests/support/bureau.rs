//! A responder with everything around it, in one hand: a real table, real keys, a ledger's events and time as the test has
//! them. Used by the suites that look at answers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::Digest;
use tashika::app::compose;
use tashika::asn1::{CertificateFields, certificates_in, ocsp};
use tashika::keys::{Algorithm, KeyError, OcspSigner, Signer};
use tashika::model::{
    Caller, Certificate, CertificateKey, CertificateNo, Change, Epoch, Issuer as Registered, IssuerNo, Millis,
    Position, Rank, RequestLimits, Seconds, SetChange, SetEvent, SetTarget, Share, Time, Usage,
};
use tashika::responder::{
    Answer, Issuer, Issuers, Moment, Named, Policy, Presign, Profile, Refusal, Reply, Responder, Signatory, Worked,
};
use tashika::status::{Belongs, Changed, Freshness, HashKey, Members, ReadTo, Signature, Table, Tiers};

use crate::nation;
use crate::ocsp::{Form, Seen, cert_id, request};

/// A CA of the test data, as it is answered for.
#[derive(Clone)]
pub struct Ca {
    pub folder: &'static str,
    pub signer: &'static str,
    pub no: IssuerNo,
    pub policy: Policy,
    pub key: KeyNo,
}

/// Whether a CA has a key, and by which number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyNo {
    None,
    No(u8),
}

/// What a test does to the key of everybody.
#[derive(Default)]
pub struct Hand {
    pub fails: AtomicBool,
    pub signed: AtomicU64,
    /// Done once, while the next signature is being made.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

struct HeldKey {
    key: Box<dyn Signer>,
    hand: Arc<Hand>,
}

pub struct Bureau {
    pub responder: Arc<Responder>,
    pub table: Arc<Table>,
    pub hand: Arc<Hand>,
    pub cas: Vec<Ca>,
    /// The last event.
    pub at: Position,
    /// The ledger's time.
    pub time: Time,
    pub now: Moment,
    newest: u64,
}

/// What came of asking.
pub enum Got {
    Kept(Reply),
    Refused(Refusal),
    Waits(Receiver<Result<Reply, Refusal>>),
}

impl Ca {
    pub fn new(no: u16, folder: &'static str) -> Self {
        let policy = Policy { presign: Presign::Off, ..Policy::of(Profile::National) };
        Self { folder, signer: "ocsp-good.pem", no: IssuerNo(no), policy, key: KeyNo::No(1) }
    }

    pub fn p256() -> Self {
        Self::new(1, "card-sign-g2-p256")
    }

    pub fn p384() -> Self {
        Self::new(2, "card-auth-p384")
    }

    pub fn rsa() -> Self {
        Self::new(3, "phone-sign-rsa2048")
    }

    pub fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Its own certificate.
    pub fn certificate(&self) -> Vec<u8> {
        pem(self.folder, "issuer.pem")
    }

    /// Its signer's.
    pub fn signer(&self) -> Vec<u8> {
        pem(self.folder, self.signer)
    }

    /// As the ledger has it.
    pub fn registered(&self) -> Registered {
        let certificate = self.certificate();
        let hashes = CertificateFields::from_der(&certificate).unwrap().issuer_hashes();
        Registered {
            no: self.no,
            name: self.folder.into(),
            name_sha1: hashes.name_sha1,
            key_sha1: hashes.key_sha1,
            name_sha256: hashes.name_sha256,
            key_sha256: hashes.key_sha256,
            certificate,
        }
    }

    pub fn issuer(&self, hand: &Arc<Hand>, now: Time) -> Issuer {
        let signatory = match self.key {
            KeyNo::None => None,
            KeyNo::No(number) => {
                let key = Box::new(HeldKey { key: key(self.folder), hand: hand.clone() });
                let signer = OcspSigner::new(key, &self.signer(), &self.certificate(), now).unwrap();
                hand.signed.store(0, Ordering::Relaxed);
                Some(Signatory::new(number, signer, Named::ByKey))
            }
        };
        Issuer::new(&self.registered(), self.policy, signatory).unwrap()
    }
}

impl Signer for HeldKey {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.hand.signed.fetch_add(1, Ordering::Relaxed);
        let meanwhile = self.hand.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        if self.hand.fails.load(Ordering::Relaxed) { Err(KeyError::Failed) } else { self.key.sign(octets) }
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        if self.hand.fails.load(Ordering::Relaxed) { Err(KeyError::Failed) } else { self.key.sign_digest(digest) }
    }
}

impl Hand {
    pub fn meanwhile(&self, does: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(does));
    }

    pub fn signed(&self) -> u64 {
        self.signed.load(Ordering::Relaxed)
    }
}

impl Bureau {
    pub fn new(cas: Vec<Ca>) -> Self {
        Self::at(cas, nation::at(0))
    }

    /// As of another time than the nation's noon; what is known is known since then.
    pub fn at(cas: Vec<Ca>, time: Time) -> Self {
        let (table, hand) = (Arc::new(Table::empty(HashKey::new([7; 16]))), Arc::<Hand>::default());
        let issuers = Issuers::new(cas.iter().map(|ca| ca.issuer(&hand, time)).collect());
        let responder = Arc::new(Responder::new(table.clone(), Tiers::default(), issuers, &[9; 32]));
        let now = Moment { wall: Millis(time.unix() * 1_000), steady_ms: 0 };
        let mut bureau = Self { responder, table, hand, cas, at: Position(0), time, now, newest: 0 };
        bureau.hear();
        bureau
    }

    /// Other settings or keys for the same issuers.
    pub fn become_these(&mut self, cas: Vec<Ca>) {
        let issuers = Issuers::new(cas.iter().map(|ca| ca.issuer(&self.hand, self.now.wall.time())).collect());
        self.responder.set_issuers(issuers);
        self.cas = cas;
    }

    /// So much later, on this machine.
    pub fn pass(&mut self, seconds: i64) {
        self.now.wall.0 += seconds * 1_000;
        self.now.steady_ms += seconds as u64 * 1_000;
    }

    /// The ledger's heart beats: its time is ours, and all events are published.
    pub fn hear(&mut self) {
        self.time = self.time.max(self.now.wall.time());
        self.publish();
        self.responder.hear(Freshness { known_at: Some(self.time) }, self.now);
    }

    /// Both.
    pub fn pass_and_hear(&mut self, seconds: i64) {
        self.pass(seconds);
        self.hear();
    }

    pub fn publish(&mut self) {
        self.table.publish(self.read_to()).unwrap();
    }

    /// Where the ledger's head is.
    pub fn read_to(&self) -> ReadTo {
        ReadTo { epoch: Epoch(1), position: self.at }
    }

    /// Registers one certificate; its serial is its number and the issuer's.
    pub fn register(&mut self, ca: usize) -> (CertificateNo, CertificateKey) {
        self.register_as(ca, |_| {})
    }

    pub fn register_as(&mut self, ca: usize, as_: impl FnOnce(&mut Certificate)) -> (CertificateNo, CertificateKey) {
        let number = self.newest + 1;
        let mut certificate = nation::on_card(self.key(ca, number), number, Usage::Auth);
        as_(&mut certificate);
        self.at = self.at.next();
        self.table.register(self.at, CertificateNo(number), [&certificate]).unwrap();
        self.newest = number;
        self.publish();
        (CertificateNo(number), certificate.key)
    }

    pub fn key(&self, ca: usize, number: u64) -> CertificateKey {
        nation::key(self.cas[ca].no.0, 0x1234_0000_0000 + number)
    }

    /// Changes one certificate; published.
    pub fn change(&mut self, (no, key): (CertificateNo, CertificateKey), change: &Change) -> Position {
        self.at = self.at.next();
        let changed = Changed { position: self.at, time: self.time, cause: self.at, no, key, change };
        self.table.change(&changed).unwrap();
        self.publish();
        self.at
    }

    /// A set event; with members if they are given; published.
    pub fn set(&mut self, target: SetTarget, change: SetChange, members: &[CertificateNo]) -> Position {
        self.at = self.at.next();
        let event = SetEvent { position: self.at, time: self.time, cause: self.at, target, change };
        let belongs = match event.target {
            SetTarget::Listed { .. } => {
                let mut listed = Members::default();
                members.iter().for_each(|no| listed.push(*no).unwrap());
                Belongs::Listed(Arc::new(listed))
            }
            SetTarget::Batch(_) | SetTarget::Issuer(_) => Belongs::AsTargeted,
        };
        self.table.change_set(&event, belongs).unwrap();
        self.publish();
        self.at
    }

    /// The usual request for a certificate.
    pub fn usual(&self, ca: usize, key: &CertificateKey) -> Vec<u8> {
        self.asking(ca, key, Form::Sha1Null)
    }

    pub fn asking(&self, ca: usize, key: &CertificateKey, form: Form) -> Vec<u8> {
        request(&[cert_id(&self.cas[ca].certificate(), key.serial.as_octets(), form)], None)
    }

    /// Asks, and waits for nobody.
    pub fn ask(&self, caller: Caller, request: &[u8]) -> Got {
        let limits = match caller.rank {
            Rank::Accredited => RequestLimits::ACCREDITED,
            Rank::Anonymous => RequestLimits::ANONYMOUS,
        };
        let request = match ocsp::read(request, limits) {
            Ok(request) => request,
            Err(malformed) => return Got::Refused(Refusal::Malformed(malformed)),
        };
        match self.responder.answer(caller, &request, self.now.wall.time(), &mut Signature::default()) {
            Answer::Kept(reply) => Got::Kept(reply),
            Answer::Refused(refusal) => Got::Refused(refusal),
            Answer::Sign(order) => {
                let (tell, told) = channel();
                self.responder.order(order, self.now.wall, Box::new(move |answer| tell.send(answer).err().and(None)));
                Got::Waits(told)
            }
        }
    }

    /// Signs until nothing is left to do.
    pub fn work(&self) {
        while self.responder.work(self.now) == Worked::Done {}
    }

    /// Lets who waits at the fence pass, as far as the table has read.
    pub fn fence(&self) {
        if let Some(crowd) = self.responder.crowd() {
            let late = self.responder.pass(crowd, self.read_to(), self.now.wall);
            assert!(late.is_none(), "the table has read all");
        }
    }

    /// Asks and has the answer, whatever it takes.
    pub fn answer(&self, request: &[u8]) -> Result<Reply, Refusal> {
        match self.ask(stranger(1), request) {
            Got::Kept(reply) => Ok(reply),
            Got::Refused(refusal) => Err(refusal),
            Got::Waits(told) => {
                self.fence();
                self.work();
                told.try_recv().expect("everybody is told")
            }
        }
    }

    /// The same as a client reads it, checked against the first CA's signer.
    pub fn seen(&self, request: &[u8]) -> Seen {
        self.read(0, &self.answer(request))
    }

    pub fn read(&self, ca: usize, answer: &Result<Reply, Refusal>) -> Seen {
        match answer {
            Ok(reply) => Seen::of(&reply.der, &self.cas[ca].signer()),
            Err(refusal) => Seen::of(refusal.reply().der(), &[]),
        }
    }
}

impl Got {
    pub fn kept(self) -> Reply {
        match self {
            Self::Kept(reply) => reply,
            Self::Refused(refusal) => panic!("a kept reply is wanted, not {refusal:?}"),
            Self::Waits(_) => panic!("a kept reply is wanted, none is there"),
        }
    }

    pub fn waits(self) -> Receiver<Result<Reply, Refusal>> {
        match self {
            Self::Waits(told) => told,
            Self::Refused(refusal) => panic!("it should wait, not be refused ({refusal:?})"),
            Self::Kept(_) => panic!("it should wait; a reply was kept"),
        }
    }
}

/// What somebody who waits was told, if anything.
pub fn told(receiver: &Receiver<Result<Reply, Refusal>>) -> Option<Result<Reply, Refusal>> {
    match receiver.try_recv() {
        Ok(answer) => Some(answer),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Disconnected) => panic!("everybody is told"),
    }
}

pub fn stranger(address: u64) -> Caller {
    Caller { rank: Rank::Anonymous, share: Share::Address(address) }
}

pub fn party(party: u16) -> Caller {
    Caller { rank: Rank::Accredited, share: Share::Party { party, service: 0 } }
}

/// A certificate of the test data.
pub fn pem(folder: &str, name: &str) -> Vec<u8> {
    certificates_in(&std::fs::read(data(folder).join(name)).unwrap()).unwrap().remove(0)
}

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(folder)
}

/// The test data's keys are public, and so are their files; a key's own file may not be.
pub fn key(folder: &str) -> Box<dyn Signer> {
    use std::os::unix::fs::PermissionsExt as _;
    let own = tempfile::tempdir().unwrap();
    let copy = own.path().join("ocsp.key");
    std::fs::copy(data(folder).join("ocsp.key"), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o600)).unwrap();
    compose::open_signing_key(&copy, None).unwrap()
}

/// The end of the validity that the signers `ocsp-expired.pem` have.
pub fn signers_end() -> Time {
    "2020-12-31T14:59:59Z".parse().unwrap()
}

/// The national profile's.
pub const VALIDITY: Seconds = Seconds(600);
