//! Whole rounds over all scopes: from the lists in memory to what is exposed and durable in a folder.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use tashika::asn1::crl::IssuingPoint;
use tashika::asn1::{CertificateFields, DistributionPointName};
use tashika::keys::Signer;
use tashika::ledger::Head;
use tashika::model::{
    Cutoff, DatedByDay, Hold, HoldId, HoldKind, LedgerId, Life, Position, Reason, Revocation, ScopeNo, Seconds, Serial,
    Status,
};
use tashika::publisher::directory::DirectoryStore;
use tashika::publisher::{
    Covers, Deltas, Due, Expired, Issuing, Place, Press, Published, Round, Rules, Schedule, Shelf, Slot, Terms, Why,
};
use tashika::status::{LossDates, Revoked, Seen};

use super::population::{Population, certificate_in, mix, now};

/// A nation's scopes, or a part of them.
pub struct Rounds {
    revoked: Revoked,
    places: BTreeMap<String, Place>,
    press: Press,
    head: Head,
    scopes: u32,
    number: u64,
    _folder: tempfile::TempDir,
}

impl Rounds {
    /// That many entries, evenly over that many scopes.
    pub fn new(population: &Population, scopes: u32, entries: u64) -> Self {
        let signer: Arc<dyn Signer> = Arc::from(population.key());
        let ca = CertificateFields::from_file(&std::fs::read(population.issuer()).expect("the CA")).expect("a CA");
        let places = (1..=scopes).map(|no| {
            let path = format!("phone-auth-{no}");
            let address =
                |ending| DistributionPointName::uri(&format!("{URL}/crl/{path}{ending}")).expect("an address");
            let slot = Slot::new(&ca, Some(IssuingPoint::of(address(".crl")))).expect("a CA");
            let deltas = Deltas { every: Seconds(900), last_for: Seconds(2_700) };
            let place = Place {
                path: path.clone(),
                issuer: "phone-auth".into(),
                slot: slot.with_deltas_at(address(".delta.crl")),
                covers: Covers::Scope(ScopeNo(no)),
                schedule: Schedule {
                    full_at: 0,
                    full_for: Seconds::hours(30),
                    deltas: Some(deltas),
                    delay: Seconds(0),
                },
                budget: None,
                signer: signer.clone(),
            };
            (path, place)
        });
        let mut revoked = Revoked::new(LossDates::Ignored, Seconds::days(90));
        for number in 1..=entries {
            let scope = ScopeNo((mix(number) % u64::from(scopes)) as u32 + 1);
            let entry = population.entry(number);
            let by = Position(number);
            let life = Life::Revoked(Revocation { reason: entry.reason, at: entry.at, lost_at: None, by });
            let status = Status { life, holds: Vec::new(), handed_to: None, as_of: by };
            revoked.restore(&certificate_in(entry.serial, scope), &status).expect("it fits");
        }
        revoked.reach(Position(entries)).expect("positions rise");
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(DirectoryStore::open(&folder.path().join("crl")).expect("a store"));
        let press = Press::open(store, Arc::new(Shelf::default())).expect("an empty store");
        let places = places.collect();
        let head = Head { position: revoked.at(), ..Head::before_first(LedgerId([7; 16])) };
        Self { revoked, places, press, head, scopes, number: entries, _folder: folder }
    }

    /// A round at all places, so many seconds after the first; how long it took.
    pub fn publish(&mut self, issuing: Issuing, why: Why, later: u32) -> (Published, f64) {
        let due: Vec<_> = self.places.keys().map(|path| Due { path: path.clone(), issuing, why }).collect();
        self.number += 1;
        self.head.position = self.revoked.at();
        let terms = Terms {
            rules: Rules { dates: DatedByDay::NONE, expired: Expired::Dropped, delivery_within: Seconds::days(90) },
            tells_position: false,
            public_url: URL,
            places: &self.places,
            threads: NonZeroUsize::new(2).expect("two"),
            signs_index: None,
        };
        let cutoff = Cutoff { position: self.revoked.at(), time: now() + Seconds(later) };
        let round = Round {
            number: self.number.into(),
            cutoff,
            head: &self.head,
            due: &due,
            brought: &[],
            revoked: &self.revoked,
            terms: &terms,
        };
        let began = Instant::now();
        let published = self.press.publish(&round).expect("it is published");
        let took = began.elapsed().as_secs_f64();
        assert!(published.refused.is_empty(), "{:?}", published.refused.first());
        self.press.sweep(cutoff.time + Seconds(3_600)).expect("old objects go");
        (published, took)
    }

    /// So many new holds, anywhere, by events so many seconds after the first round.
    pub fn hold(&mut self, count: u64, later: u32) {
        for _ in 0..count {
            let position = self.revoked.at().next();
            let scope = ScopeNo((mix(position.0 ^ 0x77) % u64::from(self.scopes)) as u32 + 1);
            let mut octets = [0x40; 16];
            octets[8..].copy_from_slice(&position.0.to_be_bytes());
            let serial = Serial::from_unsigned(&octets).expect("a serial number");
            let time = now() + Seconds(later);
            let hold = Hold {
                id: HoldId(position),
                kind: HoldKind::CallCentre,
                since: time,
                cause: position,
                lost_at: None,
                becomes: None,
            };
            let mut status = Status { life: Life::Active, holds: vec![hold], handed_to: None, as_of: position };
            if position.0.is_multiple_of(3) {
                let reason = Reason::AffiliationChanged;
                let life = Revocation { reason, at: time, lost_at: None, by: position };
                status = Status { life: Life::Revoked(life), holds: Vec::new(), handed_to: None, as_of: position };
            }
            let certificate = certificate_in(serial, scope);
            let seen = Seen { position, time, certificate: &certificate, status: &status };
            self.revoked.change(&seen).expect("it fits");
        }
    }
}

const URL: &str = "http://status.example";
