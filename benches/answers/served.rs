//! The responder as it is measured: a table of made-up certificates, real keys, the real edge, in a process of its own.
//!
//! Started by the table's other half with what it shall be; prints `ready` and serves until it is killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use tashika::app::{compose, give_way};
use tashika::asn1::ocsp::HashedIssuer;
use tashika::asn1::{CertificateFields, certificates_in};
use tashika::http::{self, EdgeLimits, FileCounts, Public, Refusals, TimeLimits};
use tashika::keys::OcspSigner;
use tashika::ledger::sha256;
use tashika::model::{
    Certificate, CertificateKey, CertificateNo, Epoch, Issuer as Registered, IssuerNo, Millis, Position, Rank, Seconds,
    Serial, Time,
};
use tashika::parties::{Counters, Party, Register, Strangers};
use tashika::publisher::{File, Media, Shelf};
use tashika::responder::{Issuer, Issuers, Moment, Named, Policy, Presign, Profile, Responder, Signatory, Worked};
use tashika::status::{Freshness, HashKey, ReadTo, SignedFor, Table, Tiers};

use crate::fill;

/// What is served.
pub struct Wanted {
    pub listen: SocketAddr,
    pub certificates: u64,
    /// A folder of `certs-testdata`.
    pub ca: String,
    pub kept: KeptReplies,
    pub threads: usize,
    pub signers: usize,
    /// The length of a file at `crl/a.crl`.
    pub file: usize,
}

impl Wanted {
    fn shelf(&self) -> Arc<Shelf> {
        let octets = vec![0x5a; self.file];
        let file = File {
            media: Media::Crl,
            sha256: sha256(&[&octets]),
            octets: Arc::new(octets),
            made: time(),
            ends: Some(time() + Seconds::days(1)),
            reflects: None,
        };
        let shelf = Shelf::default();
        shelf.lay("crl/a.crl", &Arc::new(file));
        Arc::new(shelf)
    }
}

/// Which replies are kept before anybody asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeptReplies {
    /// None.
    None,
    /// Signatures of the right length that are none: for what a look-up among millions costs.
    Filled,
    /// All, signed.
    Signed,
}

/// Serves until it is killed.
pub fn serve(wanted: &Wanted) {
    let (responder, _) = responder(&wanted.ca, wanted.certificates, wanted.kept);
    let heard = responder.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            hear(&heard);
        }
    });
    for _ in 0..wanted.signers {
        let responder = responder.clone();
        let signs = move || {
            give_way();
            loop {
                match responder.work_with_pauses(moment(), std::thread::yield_now) {
                    Worked::Done => std::thread::yield_now(),
                    Worked::Nothing => responder.wait_for_work(Duration::from_millis(100)),
                }
            }
        };
        std::thread::Builder::new().name("signer".into()).spawn(signs).expect("a thread");
    }
    edge(wanted, &responder);
}

/// A responder for so many certificates, and the issuer as SHA-1 names it.
pub fn responder(ca: &str, certificates: u64, kept: KeptReplies) -> (Arc<Responder>, HashedIssuer) {
    let table = Arc::new(Table::empty(HashKey::new([0x5a; 16])));
    fill(&table, certificates);
    let presign = if kept == KeptReplies::Signed { Presign::All } else { Presign::Off };
    let (issuer, hashed) = issuer(ca, presign);
    let responder = Responder::new(table.clone(), Tiers::default(), Issuers::new(vec![issuer]), &[7; 32]);
    hear(&responder);
    match kept {
        KeptReplies::None => {}
        KeptReplies::Filled => keep_filled(&table, certificates),
        KeptReplies::Signed => while responder.work(moment()) == Worked::Done {},
    }
    (Arc::new(responder), hashed)
}

/// Lets it sign everything in advance.
pub fn presign(responder: &Responder, ca: &str) {
    responder.set_issuers(Issuers::new(vec![issuer(ca, Presign::All).0]));
}

/// The key that signs for a CA of the test data.
pub fn signer(ca: &str) -> OcspSigner {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(ca);
    OcspSigner::new(key(&folder.join("ocsp.key")), &pem(&folder, "ocsp-good.pem"), &pem(&folder, "issuer.pem"), time())
        .expect("a signer")
}

fn edge(wanted: &Wanted, responder: &Arc<Responder>) {
    let party = Party {
        name: "demo".parse().expect("a name"),
        services: vec!["login".parse().expect("a name")],
        networks: vec!["127.0.0.0/8".parse().expect("a network")],
        rank: Rank::Accredited,
    };
    let register = Register::new(vec![party], Strangers::Answered).expect("one party");
    let (_counters, tallies) = Counters::new(&register, wanted.threads);
    let found = OnceLock::new();
    assert!(found.set(responder.clone()).is_ok());
    let (responder, refusals, shelf) = (Arc::new(found), Refusals::default(), wanted.shelf());
    let public = Arc::new(Public { responder, register, now, refusals, shelf, files: FileCounts::default() });
    let limits = EdgeLimits {
        connections_max: 10_000,
        downloads_max: 256,
        times: TimeLimits {
            header: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        },
        drain_grace: Duration::from_secs(1),
        drain_max: Duration::from_secs(10),
    };
    let sockets = http::listen(wanted.listen, wanted.threads).expect("an address that is free");
    let (_stop, stopped) = http::stopping();
    let threads: Vec<_> = http::seats(sockets, tallies)
        .into_iter()
        .map(|seat| {
            let (public, stopped) = (public.clone(), stopped.clone());
            let serves = move || seat.serve(public, limits, stopped);
            std::thread::Builder::new().name("edge".into()).spawn(serves).expect("a thread")
        })
        .collect();
    println!("ready");
    for thread in threads {
        thread.join().expect("serves for ever").expect("serves");
    }
}

/// Serials as anybody can compute them: the same for who asks.
pub fn serial(number: u64) -> Serial {
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&(fill::mix(number) >> 1 | 1 << 62).to_be_bytes());
    octets[8..].copy_from_slice(&fill::mix(!number).to_be_bytes());
    Serial::from_unsigned(&octets).expect("sixteen octets")
}

fn pem(folder: &Path, name: &str) -> Vec<u8> {
    certificates_in(&std::fs::read(folder.join(name)).expect("test data")).expect("a certificate").remove(0)
}

fn issuer(ca: &str, presign: Presign) -> (Issuer, HashedIssuer) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(ca);
    let certificate = pem(&folder, "issuer.pem");
    let hashes = CertificateFields::from_der(&certificate).expect("a certificate").issuer_hashes();
    let registered = Registered {
        no: IssuerNo(1),
        name: "measured".into(),
        certificate,
        name_sha1: hashes.name_sha1,
        key_sha1: hashes.key_sha1,
        name_sha256: hashes.name_sha256,
        key_sha256: hashes.key_sha256,
    };
    // A day: what is measured is not what is signed again meanwhile.
    let policy = Policy { validity: Seconds::days(1), presign, ..Policy::of(Profile::National) };
    let signatory = Signatory::new(1, signer(ca), Named::ByKey);
    (Issuer::new(&registered, policy, Some(signatory)).expect("a certificate"), hashes.sha1())
}

/// The test data's keys are public, and so are their files; a key's own file may not be.
fn key(path: &Path) -> Box<dyn tashika::keys::Signer> {
    use std::os::unix::fs::PermissionsExt as _;
    let copy: PathBuf = std::env::temp_dir().join(format!("tashika-bench-{}.key", std::process::id()));
    std::fs::copy(path, &copy).expect("a copy");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o600)).expect("its own file");
    let key = compose::open_signing_key(&copy, None).expect("a key");
    std::fs::remove_file(&copy).expect("its own file");
    key
}

fn fill(table: &Table, count: u64) {
    let mut position = Position(0);
    let mut first = 1;
    while first <= count {
        let last = (first + 4_999).min(count);
        let certificates: Vec<_> = (first..=last).map(certificate).collect();
        position = position.next();
        table.register(position, CertificateNo(first), &certificates).expect("new certificates");
        first = last + 1;
    }
    table.publish(ReadTo { epoch: Epoch(1), position }).expect("a later position");
}

fn keep_filled(table: &Table, count: u64) {
    let at = time();
    let signed = SignedFor {
        reflects: table.read_to().position,
        signer: 1,
        this_update: at,
        produced_at: at,
        next_update: at + Seconds::days(1),
    };
    for number in 1..=count {
        let _ = table.keep_reply(CertificateNo(number), &signed, &[0x77; 71]);
    }
}

/// The n-th certificate of the issuer with the number 1.
pub fn certificate(number: u64) -> Certificate {
    let key = CertificateKey { issuer: IssuerNo(1), serial: serial(number) };
    Certificate { key, not_before: time(), ..fill::certificate(number) }
}

fn hear(responder: &Responder) {
    responder.hear(Freshness { known_at: Some(time()) }, moment());
}

/// Both clocks.
pub fn moment() -> Moment {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    Moment { wall: now(), steady_ms: BEGAN.get_or_init(Instant::now).elapsed().as_millis() as u64 }
}

/// The present second.
pub fn time() -> Time {
    now().time()
}

fn now() -> Millis {
    Millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as i64)
}
