//! What the openssl command line reads in each kind of CRL, and whether it admits and refuses the certificates of the test
//! data as the lists say.

use std::collections::HashMap;
use std::fs;

use tashika::asn1::crl::{Crl, IssuingPoint, Reflects};
use tashika::asn1::{CertificateFields, DistributionPointName, to_pem};
use tashika::model::{
    Certificate, CrlLimits, CrlNumber, Cutoff, Epoch, HoldKind, LastHold, Position, Reason, ScopeNo, Seconds, Status,
    Time, Wish,
};
use tashika::publisher::{
    Base, Content, Expired, Exposed, Kind, Lists, Planned, Relist, Rules, Slot, build, preflight,
};
use tashika::status::{LossDates, Revoked, Seen};

use crate::openssl::{Call, openssl};
use crate::rng::Rng;
use crate::world::{self, World, certificate_der, rules, signer, start, testdata};

/// Lists, and whoever signs for them, at a time at which every good certificate of the test data is valid.
pub struct Town {
    pub revoked: Revoked,
    statuses: HashMap<(String, String), Status>,
    position: Position,
    time: Time,
    folder: tempfile::TempDir,
}

impl Town {
    pub fn new() -> Self {
        Self {
            revoked: Revoked::new(LossDates::Kept, Seconds::days(90)),
            statuses: HashMap::new(),
            position: Position(0),
            time: start(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Something happens to a certificate of the test data, which belongs to that scope.
    pub fn happens(&mut self, no: ScopeNo, folder: &str, leaf: &str, wishes: &[Wish]) {
        let certificate = certificate(no, folder, leaf);
        let fresh = Status::at_registration(&certificate, Position(0));
        let status = self.statuses.entry((folder.to_owned(), leaf.to_owned())).or_insert(fresh);
        for wish in wishes {
            for change in status.decide_all(wish, self.time).unwrap() {
                self.position = self.position.next();
                self.time = self.time + Seconds(60);
                status.apply(&change, self.position, self.time, self.position);
                let seen = Seen { position: self.position, time: self.time, certificate: &certificate, status };
                self.revoked.change(&seen).unwrap();
            }
        }
    }

    /// All its holds are lifted.
    pub fn release(&mut self, no: ScopeNo, folder: &str, leaf: &str) {
        let status = &self.statuses[&(folder.to_owned(), leaf.to_owned())];
        let holds = status.holds.iter().map(|hold| hold.id).collect();
        self.happens(no, folder, leaf, &[Wish::Release { holds, last: LastHold::MayBeLifted }]);
    }

    pub fn cutoff(&self) -> Cutoff {
        Cutoff { position: self.position, time: self.time }
    }

    /// A CRL that passed its preflight.
    pub fn issue(
        &self,
        slot: &Slot,
        folder: &str,
        lists: &Lists<'_>,
        number: u64,
        kind: Kind,
        base: Base<'_>,
    ) -> Vec<u8> {
        let rules = Rules { expired: Expired::Kept { since: start() }, ..rules() };
        let content = Content { lists, cutoff: self.cutoff(), rules, regular: &[] };
        let next_update = self.time + Seconds::hours(30);
        let reflects = Some(Reflects { epoch: Epoch(1), position: self.position });
        let planned = Planned { number: CrlNumber::from(number), kind, next_update, reflects };
        let der = build(slot, &planned, &content, signer(folder).as_ref()).unwrap();
        preflight(&der, slot, &planned, &content, &Exposed::default(), base).unwrap();
        der
    }

    /// What openssl shows of a CRL.
    fn text(&self, der: &[u8]) -> String {
        let path = self.folder.path().join("shown.crl");
        fs::write(&path, der).unwrap();
        let shown = openssl(&["crl", "-inform", "DER", "-noout", "-text", "-in", path.to_str().unwrap()]);
        assert!(shown.success, "{shown:?}");
        shown.text
    }

    /// Whether openssl admits a leaf, knowing these CRLs.
    fn verify(&self, flags: &[&str], folder: &str, leaf: &str, crls: &[&[u8]]) -> Call {
        let pem: String = crls.iter().map(|der| to_pem("X509 CRL", der)).collect();
        let (crls, known) = (self.folder.path().join("crls.pem"), self.folder.path().join("known.pem"));
        fs::write(&crls, pem).unwrap();
        let authorities = [testdata(folder).join("issuer.pem"), testdata("combined").join("issuer.pem")];
        fs::write(&known, authorities.map(|path| fs::read_to_string(path).unwrap()).concat()).unwrap();
        let at = (self.time + Seconds(60)).unix().to_string();
        let root = testdata("").join("root.pem");
        let leaf = testdata(folder).join(leaf);
        let mut arguments = vec!["verify", "-attime", &at, "-crl_check"];
        arguments.extend(flags);
        arguments.extend(["-CAfile", root.to_str().unwrap(), "-untrusted", known.to_str().unwrap()]);
        arguments.extend(["-CRLfile", crls.to_str().unwrap(), leaf.to_str().unwrap()]);
        openssl(&arguments)
    }
}

/// The slot of the scope that a leaf names, with deltas.
pub fn slot_of(folder: &str, leaf: &str) -> Slot {
    let name = fields(folder, leaf).extensions.crl_distribution_points[0].name.clone().unwrap();
    let deltas = DistributionPointName::uri("http://status.example/crl/it.delta.crl").unwrap();
    Slot::new(&world::ca(folder), Some(IssuingPoint::of(name))).unwrap().with_deltas_at(deltas)
}

/// The slot of the combined CRL, which leaves name second.
pub fn combined_slot() -> Slot {
    let name = fields("phone-auth-p256", "leaf-good.pem").extensions.crl_distribution_points[1].name.clone().unwrap();
    let deltas = DistributionPointName::uri("http://status.example/crl/combined.delta.crl").unwrap();
    Slot::new(&world::ca("combined"), Some(IssuingPoint::indirect(name))).unwrap().with_deltas_at(deltas)
}

fn fields(folder: &str, leaf: &str) -> CertificateFields {
    CertificateFields::from_der(&certificate_der(folder, leaf)).unwrap()
}

fn certificate(no: ScopeNo, folder: &str, leaf: &str) -> Certificate {
    let fields = fields(folder, leaf);
    let mut certificate = World::new(1, &mut Rng::new(1)).certificates.remove(0);
    certificate.key.serial = fields.serial;
    certificate.not_before = fields.validity.not_before;
    certificate.not_after = fields.validity.not_after;
    certificate.scope = no;
    certificate
}

pub fn held() -> Wish {
    Wish::Hold { kind: HoldKind::CallCentre, lost_at: Some(start() - Seconds(500)), becomes: None }
}

pub fn revoked(reason: Reason) -> Wish {
    Wish::Revoke { reason, lost_at: None }
}

const NO: ScopeNo = ScopeNo(1);
const REVOKED: &str = "error 23 at 0 depth lookup: certificate revoked";
/// Both: without `-extended_crl` openssl 3.0 takes the newest CRL of a scope for a complete one, even a delta.
const DELTAS: [&str; 2] = ["-extended_crl", "-use_deltas"];
const OTHER_SCOPE: &str = "error 44 at 0 depth lookup: different CRL scope";

#[track_caller]
fn admits(call: &Call) {
    assert!(call.success, "{call:?}");
}

#[track_caller]
fn refuses(call: &Call, why: &str) {
    assert!(!call.success && call.text.contains(why), "{why}: {call:?}");
}

#[test]
fn full_and_delta_of_every_kind_of_key_admit_and_refuse_as_the_lists_say() {
    for (folder, other) in [
        ("phone-auth-p256", "leaf-of-another-shard.pem"),
        ("card-auth-p384", "leaf-of-another-municipality.pem"),
        ("card-sign-g1-rsa2048", "leaf-of-a-kanji-municipality.pem"),
    ] {
        let (leaf, twenty) = ("leaf-good.pem", "leaf-serial-of-20-octets-top-bit.pem");
        let slot = slot_of(folder, leaf);
        let mut town = Town::new();
        town.happens(NO, folder, twenty, &[revoked(Reason::KeyCompromise)]);
        town.happens(NO, folder, leaf, &[held()]);
        let since = town.cutoff();
        let lists = Lists::of_scope(town.revoked.list(NO).unwrap());
        let base = town.issue(&slot, folder, &lists, 1, Kind::Full, Base::None);
        refuses(&town.verify(&[], folder, twenty, &[&base]), REVOKED);
        refuses(&town.verify(&[], folder, leaf, &[&base]), REVOKED);
        admits(&town.verify(&[], folder, "leaf-serial-of-1-octet-top-bit.pem", &[&base]));
        // A certificate of another scope: neither good nor revoked by this list.
        refuses(&town.verify(&[], folder, other, &[&base]), OTHER_SCOPE);

        // The hold is lifted and another certificate is held: only the delta says so.
        town.release(NO, folder, leaf);
        town.happens(NO, folder, "leaf-serial-of-1-octet-top-bit.pem", &[held()]);
        let crl = Crl::read(&base, CrlLimits::WIDEST).unwrap();
        let kind = Kind::Delta { base: CrlNumber::from(1), since, relist: Relist::Changed };
        let lists = Lists::of_scope(town.revoked.list(NO).unwrap());
        let delta = town.issue(&slot, folder, &lists, 2, kind, Base::OfDelta(&crl));
        let both: [&[u8]; 2] = [&base, &delta];
        admits(&town.verify(&DELTAS, folder, leaf, &both));
        refuses(&town.verify(&DELTAS, folder, leaf, &[&base]), REVOKED);
        refuses(&town.verify(&DELTAS, folder, "leaf-serial-of-1-octet-top-bit.pem", &both), REVOKED);
        refuses(&town.verify(&DELTAS, folder, twenty, &both), REVOKED);
        refuses(&town.verify(&DELTAS, folder, other, &both), OTHER_SCOPE);
    }
}

#[test]
fn what_openssl_reads_is_what_was_written() {
    let (folder, leaf) = ("card-sign-g2-p256", "leaf-good.pem");
    let slot = slot_of(folder, leaf);
    let mut town = Town::new();
    let empty = Lists::of_scope(town.revoked.list(NO).unwrap());
    let text = town.text(&town.issue(&slot, folder, &empty, 1, Kind::Full, Base::None));
    assert!(text.contains("No Revoked Certificates."), "{text}");
    town.happens(NO, folder, "leaf-serial-of-20-octets-top-bit.pem", &[revoked(Reason::Unspecified)]);
    town.happens(NO, folder, "leaf-serial-of-1-octet-top-bit.pem", &[revoked(Reason::Superseded)]);
    town.happens(NO, folder, leaf, &[held()]);
    let lists = Lists::of_scope(town.revoked.list(NO).unwrap());
    let base = town.issue(&slot, folder, &lists, 258, Kind::Full, Base::None);
    let text = town.text(&base).split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "Version 2 (0x1) Signature Algorithm: ecdsa-with-SHA256",
        "Last Update: Nov 20 03:03:00 2026 GMT Next Update: Nov 21 09:03:00 2026 GMT",
        "X509v3 CRL Number: 258",
        "X509v3 Issuing Distribution Point: critical Full Name: DirName:C = JP",
        "X509v3 Freshest CRL: Full Name: URI:http://status.example/crl/it.delta.crl",
        "2.5.29.60:",
        "2.999.392.3.1:",
        // Renewed: dated by the day, in Japan.
        "Serial Number: 80 Revocation Date: Nov 19 15:00:00 2026 GMT CRL entry extensions: X509v3 CRL Reason Code: Superseded",
        "Reason Code: Certificate Hold Invalidity Date: Nov 20 02:51:40 2026 GMT",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // Unspecified is said by leaving the reason out.
    assert_eq!((text.matches("Serial Number:").count(), text.matches("Reason Code:").count()), (3, 2));
    assert!(!text.contains("Remove From CRL") && !text.contains("Delta CRL"));

    let since = town.cutoff();
    town.release(NO, folder, leaf);
    let crl = Crl::read(&base, CrlLimits::WIDEST).unwrap();
    let kind = Kind::Delta { base: CrlNumber::from(258), since, relist: Relist::Changed };
    let lists = Lists::of_scope(town.revoked.list(NO).unwrap());
    let text = town.text(&town.issue(&slot, folder, &lists, 259, kind, Base::OfDelta(&crl)));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in ["X509v3 Delta CRL Indicator: critical 258", "X509v3 CRL Number: 259", "Reason Code: Remove From CRL"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!((text.matches("Serial Number:").count(), text.contains("Freshest")), (1, false));
}

#[test]
fn one_combined_crl_speaks_for_card_and_phone_cas() {
    let slot = combined_slot();
    let mut town = Town::new();
    let scopes = [(ScopeNo(1), "phone-auth-p256"), (ScopeNo(2), "card-auth-p384"), (ScopeNo(3), "card-sign-g2-p256")];
    town.happens(ScopeNo(1), scopes[0].1, "leaf-good.pem", &[revoked(Reason::KeyCompromise)]);
    town.happens(ScopeNo(2), scopes[1].1, "leaf-good.pem", &[held()]);
    let names = scopes.map(|(_, folder)| world::ca(folder).subject);
    let of = |town: &Town, kind, number, base: Base<'_>| {
        let each = scopes.iter().zip(&names);
        let lists = Lists::of_issuers(each.map(|((no, _), name)| (name.as_der(), town.revoked.list(*no).unwrap())));
        town.issue(&slot, "combined", &lists, number, kind, base)
    };
    let base = of(&town, Kind::Full, 1, Base::None);
    let extended = ["-extended_crl"];
    refuses(&town.verify(&extended, scopes[0].1, "leaf-good.pem", &[&base]), REVOKED);
    refuses(&town.verify(&extended, scopes[1].1, "leaf-good.pem", &[&base]), REVOKED);
    admits(&town.verify(&extended, scopes[2].1, "leaf-good.pem", &[&base]));
    admits(&town.verify(&extended, scopes[0].1, "leaf-of-another-shard.pem", &[&base]));
    // It counts only where the certificate's own distribution point names its issuer (RFC 5280 §6.3.3).
    let not_named = town.verify(&extended, scopes[0].1, "leaf-without-combined-point.pem", &[&base]);
    refuses(&not_named, OTHER_SCOPE);

    let since = town.cutoff();
    town.release(ScopeNo(2), scopes[1].1, "leaf-good.pem");
    town.happens(ScopeNo(3), scopes[2].1, "leaf-good.pem", &[held()]);
    let crl = Crl::read(&base, CrlLimits::WIDEST).unwrap();
    let kind = Kind::Delta { base: CrlNumber::from(1), since, relist: Relist::Changed };
    let delta = of(&town, kind, 2, Base::OfDelta(&crl));
    let both: [&[u8]; 2] = [&base, &delta];
    refuses(&town.verify(&DELTAS, scopes[0].1, "leaf-good.pem", &both), REVOKED);
    admits(&town.verify(&DELTAS, scopes[1].1, "leaf-good.pem", &both));
    refuses(&town.verify(&DELTAS, scopes[2].1, "leaf-good.pem", &both), REVOKED);
    // Every entry after the first of an issuer inherits it; each issuer is named once.
    let text = town.text(&base);
    assert_eq!(text.matches("Certificate Issuer").count(), 2, "{text}");
}
