//! The demonstration's people: which sample certificates there are, all of them computed from their number.
//!
//! Used by `fill`. Twenty certificates belong to seven people with a card (SIGN and AUTH), six of them with a phone, too:
//! seven in ten are card certificates. In every full hundred two are revoked and one is held.

use crate::app::pseudonym::{Named, Pseudonyms};
use crate::model::{
    AppletId, Batch, Certificate, CertificateKey, Delivery, HolderId, IssuerNo, KeyOrigin, Links, Medium, MediumId,
    MediumKind, Operator, Proofing, Reason, ScopeNo, Seconds, Serial, Sim, SimId, Time, Usage,
};

use super::places::{SHARDS, TOWNS};

/// A CA as the ledger knows it.
#[derive(Clone, Debug)]
pub(super) struct CaNumbers {
    /// Its number.
    pub issuer: IssuerNo,
    /// Its scopes' numbers: one for each town, or shard.
    pub scopes: Vec<ScopeNo>,
}

/// Makes sample certificates.
pub(super) struct People<'a> {
    /// Card SIGN, card AUTH, phone AUTH.
    pub cas: [CaNumbers; 3],
    /// What names people.
    pub names: &'a Pseudonyms,
    /// When the country was founded.
    pub founded: Time,
    /// The operators of its SIMs.
    pub operators: [Operator; 3],
}

/// Which of a person's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// On the card, for signing.
    CardSign = 0,
    /// On the card, for logging in.
    CardAuth = 1,
    /// On the phone, for logging in.
    PhoneAuth = 2,
}

/// What became of a sample certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// In use.
    Good,
    /// Held.
    Held,
    /// Revoked.
    Revoked {
        /// Why.
        reason: Reason,
        /// When.
        at: Time,
    },
}

/// Which person a certificate belongs to, and what it is to them.
pub(super) fn place_of(number: u64) -> (u64, Part) {
    let (group, slot) = (number / GROUP, number % GROUP);
    let (person, part) = if slot < 18 { (slot / 3, slot % 3) } else { (6, slot - 18) };
    let part = [Part::CardSign, Part::CardAuth, Part::PhoneAuth][part as usize];
    (group * PEOPLE_PER_GROUP + person, part)
}

impl People<'_> {
    /// The name of a certificate.
    pub fn key(&self, number: u64) -> CertificateKey {
        let (_, part) = place_of(number);
        let serial = Serial::from_unsigned(&(FIRST_SERIAL + number).to_be_bytes()).expect("far above zero");
        CertificateKey { issuer: self.cas[part as usize].issuer, serial }
    }

    /// A certificate; its links name what stands before it.
    pub fn certificate(&self, number: u64, links: Links) -> Certificate {
        let (person, part) = place_of(number);
        let card_from = self.founded - Seconds(draw(person, "card") as u32 % CARD_AGE_MAX.0);
        let card_until = card_from + CARD_LIFE;
        let town = draw(person, "town") as usize % TOWNS.len();
        let is_phone = part == Part::PhoneAuth;
        let id = |kind, what: &str| self.names.of(kind, &format!("sample-{what}-{person}"));
        let medium = match part {
            Part::CardAuth | Part::CardSign => {
                Medium { kind: MediumKind::Card, id: MediumId(id(Named::Medium, "card")) }
            }
            Part::PhoneAuth => Medium { kind: MediumKind::Sim, id: MediumId(id(Named::Medium, "sim")) },
        };
        let sim = is_phone.then(|| Sim {
            operator: self.operators[draw(person, "operator") as usize % self.operators.len()],
            sim: SimId(id(Named::Sim, "sim")),
            applet: AppletId(id(Named::Applet, "applet")),
        });
        let own_scope = if is_phone { draw(person, "shard") as usize % SHARDS as usize } else { town };
        Certificate {
            key: self.key(number),
            usage: if part == Part::CardSign { Usage::Sign } else { Usage::Auth },
            medium,
            holder: HolderId(self.names.of(Named::Holder, &format!("sample-{person}"))),
            sim,
            // Chips are made in lots; those of cards and of SIMs are numbered apart.
            batch: Batch((person / CHIPS_PER_BATCH) as u32 + if is_phone { 5_001 } else { 1 }),
            not_before: if is_phone { self.enrolled(person, card_from) } else { card_from },
            not_after: card_until,
            scope: self.cas[part as usize].scopes[own_scope],
            municipality: TOWNS[town].code,
            key_origin: if is_phone { KeyOrigin::Service } else { KeyOrigin::Medium },
            proofing: if is_phone { Proofing::CardSignature } else { Proofing::InPerson },
            delivery: Delivery::Delivered,
            links,
        }
    }

    /// What became of a certificate.
    pub fn fate(&self, certificate: &Certificate, number: u64) -> Fate {
        let (hundred, place) = (number / 100, number % 100);
        if place == 75 + draw(hundred, "held") % 25 {
            return Fate::Held;
        }
        let revoked = [draw(hundred, "first") % 50, 50 + draw(hundred, "second") % 25];
        if !revoked.contains(&place) {
            return Fate::Good;
        }
        let reasons: &[Reason] = if certificate.usage == Usage::Sign {
            &[Reason::AffiliationChanged, Reason::KeyCompromise, Reason::Superseded, Reason::CessationOfOperation]
        } else {
            &[Reason::KeyCompromise, Reason::Superseded, Reason::CessationOfOperation]
        };
        let age = self.founded.since(certificate.not_before).max(1);
        Fate::Revoked {
            reason: reasons[draw(number, "reason") as usize % reasons.len()],
            at: certificate.not_before + Seconds((draw(number, "date") % age) as u32),
        }
    }

    /// A phone's certificate was asked for with the card at hand, some time after the card was.
    fn enrolled(&self, person: u64, card_from: Time) -> Time {
        card_from + Seconds((draw(person, "enrolled") % self.founded.since(card_from).max(1)) as u32)
    }
}

/// A number that looks random, of a certificate's or person's number and what it is drawn for: the same every time.
fn draw(number: u64, purpose: &str) -> u64 {
    let seed = purpose.bytes().fold(SEED, |seed, octet| scatter(seed ^ u64::from(octet)));
    // The upper bits are the better mixed ones; what is left fits every use.
    scatter(seed ^ number) >> 32
}

/// The finishing function of SplitMix64 (Steele, Lea, Flood 2014): a one-to-one scattering of 64 bits.
fn scatter(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Certificates of seven people.
pub(super) const GROUP: u64 = 20;
const PEOPLE_PER_GROUP: u64 = 7;
const CHIPS_PER_BATCH: u64 = 20_000;
/// Serials of samples are short and rise, as the real ones do; those of the leaves are long, so they never meet.
const FIRST_SERIAL: u64 = 0x10_0000_0000;
/// No card of the sample has expired when the demonstration is made.
const CARD_AGE_MAX: Seconds = Seconds::days(4 * 365);
const CARD_LIFE: Seconds = Seconds::days(5 * 365);
const SEED: u64 = 0x7461_7368_696b_6100;

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn people(names: &Pseudonyms) -> People<'_> {
        let ca = |no: u16, scopes: u32| CaNumbers { issuer: IssuerNo(no), scopes: (1..=scopes).map(ScopeNo).collect() };
        People {
            cas: [ca(1, TOWNS.len() as u32), ca(2, TOWNS.len() as u32), ca(3, SHARDS)],
            names,
            founded: "2026-11-20T00:00:00Z".parse().unwrap(),
            operators: ["mno-a", "mno-b", "mvno-a"].map(|name| name.parse().unwrap()),
        }
    }

    #[test]
    fn the_mix_is_what_it_is_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pseudonym.key");
        Pseudonyms::create(&path, &Zeroizing::new([7; 32])).unwrap();
        let names = Pseudonyms::open(&path).unwrap();
        let people = people(&names);
        let (mut card, mut revoked, mut held) = (0, 0, 0);
        for number in 0..2_000 {
            let certificate = people.certificate(number, Links::default());
            assert_eq!(certificate, people.certificate(number, Links::default()), "the same every time");
            assert!(certificate.not_before <= people.founded && people.founded < certificate.not_after);
            card += u32::from(certificate.medium.kind == MediumKind::Card);
            match people.fate(&certificate, number) {
                Fate::Good => {}
                Fate::Held => held += 1,
                Fate::Revoked { at, .. } => {
                    assert!(certificate.not_before <= at && at <= people.founded);
                    revoked += 1;
                }
            }
        }
        assert_eq!((card, revoked, held), (1_400, 40, 20));
    }

    #[test]
    fn a_person_has_one_holder_and_one_town_on_all_media() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pseudonym.key");
        Pseudonyms::create(&path, &Zeroizing::new([7; 32])).unwrap();
        let names = Pseudonyms::open(&path).unwrap();
        let people = people(&names);
        let [sign, auth, phone] = [20, 21, 22].map(|number| people.certificate(number, Links::default()));
        assert_eq!(place_of(22), (7, Part::PhoneAuth));
        assert_eq!((sign.holder, sign.municipality, sign.medium), (auth.holder, auth.municipality, auth.medium));
        assert_eq!((sign.holder, sign.municipality), (phone.holder, phone.municipality));
        assert!(phone.not_before >= sign.not_before && phone.sim.is_some());
        assert_eq!(place_of(39), (13, Part::CardAuth));
    }
}
