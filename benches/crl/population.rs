//! A million revoked certificates, the same for this program and for openssl.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tashika::asn1::crl::IssuingPoint;
use tashika::asn1::{CertificateFields, DistributionPointName};
use tashika::keys::{Signer, software};
use tashika::model::{
    Batch, Certificate, CertificateKey, Change, DatedByDay, Delivery, Hold, HoldId, HoldKind, HolderId, IssuerNo,
    KeyOrigin, Life, Links, Medium, MediumId, MediumKind, Municipality, Position, Proofing, Reason, Revocation,
    ScopeNo, Seconds, Serial, Status, Time, Usage,
};
use tashika::publisher::{Expired, Rules, Slot};
use tashika::status::{LossDates, Revoked, Seen};

pub struct Population {
    pub entries: u64,
    pub folder: tempfile::TempDir,
}

/// One entry.
pub struct Entry {
    pub serial: Serial,
    pub at: Time,
    pub reason: Reason,
}

impl Population {
    pub fn new(entries: u64) -> Self {
        Self { entries, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn entry(&self, number: u64) -> Entry {
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&(mix(number) | 1 << 62).to_be_bytes());
        octets[8..].copy_from_slice(&number.to_be_bytes());
        let reasons =
            [Reason::KeyCompromise, Reason::AffiliationChanged, Reason::Superseded, Reason::CessationOfOperation];
        Entry {
            serial: Serial::from_unsigned(&octets).expect("a serial number"),
            at: now() - Seconds((mix(number ^ 0x55) % (5 * 365 * 86_400)) as u32),
            reason: reasons[(mix(number ^ 0xaa) % 4) as usize],
        }
    }

    /// The lists with all of them.
    pub fn fed(&self) -> Revoked {
        let mut revoked = Revoked::new(LossDates::Ignored, Seconds::days(90));
        for number in 1..=self.entries {
            let entry = self.entry(number);
            let by = Position(number);
            let life = Life::Revoked(Revocation { reason: entry.reason, at: entry.at, lost_at: None, by });
            let status = Status { life, holds: Vec::new(), handed_to: None, as_of: by };
            revoked.restore(&certificate(entry.serial), &status).expect("it fits");
        }
        revoked.reach(Position(self.entries)).expect("positions rise");
        revoked
    }

    /// As many changes as a busy quarter of an hour of a nation in one scope: how many.
    pub fn change(&self, revoked: &mut Revoked) -> u64 {
        let changes = self.entries / 100;
        for number in 0..changes {
            let position = revoked.at().next();
            // Half of them are new holds, a quarter worse reasons, a quarter holds that were lifted at once.
            let (at, released) = match number % 4 {
                0 => (number * 97 + 1, false),
                1 | 2 => (self.entries + number + 1, false),
                _ => (self.entries + number + 1, true),
            };
            let entry = self.entry(at);
            let hold = Hold {
                id: HoldId(position),
                kind: HoldKind::CallCentre,
                since: now(),
                cause: position,
                lost_at: None,
                becomes: None,
            };
            let mut status = Status { life: Life::Active, holds: vec![hold], handed_to: None, as_of: position };
            if at <= self.entries {
                let life = Revocation { reason: Reason::CaCompromise, at: entry.at, lost_at: None, by: position };
                status = Status { life: Life::Revoked(life), holds: Vec::new(), handed_to: None, as_of: position };
            }
            let certificate = certificate(entry.serial);
            let seen = Seen { position, time: now(), certificate: &certificate, status: &status };
            revoked.change(&seen).expect("it fits");
            if released {
                let next = position.next();
                status.apply(&Change::Released { holds: vec![HoldId(position)] }, next, now(), next);
                let seen = Seen { position: next, time: now(), certificate: &certificate, status: &status };
                revoked.change(&seen).expect("it fits");
            }
        }
        changes
    }

    pub fn slot(&self) -> Slot {
        let fields = CertificateFields::from_file(&fs::read(self.issuer()).expect("the CA")).expect("a certificate");
        let shard = DistributionPointName::uri("http://status.example/crl/phone-7.crl").expect("an address");
        Slot::new(&fields, Some(IssuingPoint::of(shard))).expect("a CA")
    }

    pub fn key(&self) -> Box<dyn Signer> {
        software::open(&self.key_file(), None).expect("the CA's key")
    }

    pub fn issuer(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata/phone-auth-p256/issuer.pem")
    }

    /// A copy that only its owner may read.
    pub fn key_file(&self) -> PathBuf {
        let to = self.folder.path().join("issuer.key");
        fs::copy(self.issuer().with_file_name("issuer.key"), &to).expect("the CA's key");
        fs::set_permissions(&to, Permissions::from_mode(0o600)).expect("its permissions");
        to
    }
}

pub fn rules() -> Rules {
    Rules { dates: DatedByDay::NONE, expired: Expired::Dropped, delivery_within: Seconds::days(90) }
}

pub fn now() -> Time {
    "2026-11-20T03:00:00Z".parse().expect("a time")
}

fn certificate(serial: Serial) -> Certificate {
    certificate_in(serial, SCOPE)
}

pub fn certificate_in(serial: Serial, scope: ScopeNo) -> Certificate {
    Certificate {
        key: CertificateKey { issuer: IssuerNo(1), serial },
        usage: Usage::Auth,
        medium: Medium { kind: MediumKind::Sim, id: MediumId([0; 16]) },
        holder: HolderId([0; 16]),
        sim: None,
        batch: Batch(0),
        not_before: now() - Seconds::days(700),
        not_after: now() + Seconds::days(1_100),
        scope,
        municipality: Municipality(0),
        key_origin: KeyOrigin::Unknown,
        proofing: Proofing::Unknown,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

/// The finisher of SplitMix64.
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

pub const SCOPE: ScopeNo = ScopeNo(1);
