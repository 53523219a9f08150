//! A publication made here: CRLs signed with the keys of the test data, an index, and certificates whose points lead to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use tashika::app::clock;
use tashika::asn1::crl::{CrlEntry, CrlKind, CrlProfile, IssuingPoint};
use tashika::asn1::{
    AuthorityAccess, CertificateFields, CertificateProfile, CmsProfile, DistributionPoint, DistributionPointName,
    Extensions, KeyAlgorithm, Name, NameAttribute, SignatureAlgorithm, Validity, certificates_in, pem_blocks, to_pem,
};
use tashika::keys::{Signer, software};
use tashika::ledger::{Hash, sha256};
use tashika::model::{CrlNumber, Epoch, LedgerId, Listed, Position, Reason, Seconds, Serial, Time};
use tashika::publisher::{At, Hex, Index, Issue, Listing};

use crate::server::{Answer, Server};

pub const PHONES: &str = "phone-auth-p256";
pub const CARDS: &str = "card-auth-p384";

/// Publishes on a server.
pub struct Press {
    pub server: Server,
    pub ledger: LedgerId,
    pub epoch: u32,
    pub previous: Option<Hash>,
    pub number: u64,
    pub now: Time,
    pub slots: Vec<Listing>,
}

/// A CRL to be made.
#[derive(Clone, Debug)]
pub struct Made {
    pub path: String,
    pub folder: &'static str,
    pub point: Option<DistributionPointName>,
    pub number: u64,
    pub base: Option<u64>,
    pub this_update: Time,
    pub valid: Seconds,
    pub entries: Vec<(u8, Listed)>,
}

impl Press {
    pub fn new() -> Self {
        let (server, now) = (Server::start(), clock::now());
        for folder in [PHONES, CARDS] {
            server.put(&format!("/ca/{folder}.cer"), Answer::Octets(authority_der(folder)));
        }
        Self { server, ledger: LedgerId([7; 16]), epoch: 1, previous: None, number: 0, now, slots: Vec::new() }
    }

    /// A full CRL of phones, whose point is its address, an hour old.
    pub fn phones(&self, number: u64, entries: &[(u8, Listed)]) -> Made {
        let path = "phone-auth-07".to_owned();
        let point = DistributionPointName::uri(&format!("{}/crl/{path}.crl", self.server.at)).unwrap();
        let this_update = self.now - Seconds(3_600) + Seconds(number as u32);
        let entries = entries.to_vec();
        Made {
            path,
            folder: PHONES,
            point: Some(point),
            number,
            base: None,
            this_update,
            valid: Seconds::hours(30),
            entries,
        }
    }

    /// A full CRL of cards, whose point is a directory name.
    pub fn cards(&self, number: u64, entries: &[(u8, Listed)]) -> Made {
        let point = DistributionPointName::directory(&municipality());
        Made { path: "card/13101".into(), folder: CARDS, point: Some(point), ..self.phones(number, entries) }
    }

    /// Puts it on the server and into the index that comes next.
    pub fn publish(&mut self, made: &Made) {
        let der = self.der(made);
        self.server.put(&format!("/crl/{}", self.name(made)), Answer::Octets(der.clone()));
        let issue = Issue {
            number: made.number.into(),
            base: made.base.map(CrlNumber::from),
            reflects: Some(At { epoch: Epoch(self.epoch), position: Position(made.number) }),
            this_update: made.this_update,
            next_update: made.this_update + made.valid,
            size: der.len() as u64,
            sha256: Hex(sha256(&[&der])),
            url: format!("{}/crl/{}", self.server.at, self.name(made)),
        };
        match self.slots.iter_mut().find(|slot| slot.path == made.path) {
            Some(slot) if made.base.is_some() => slot.delta = Some(issue),
            Some(slot) => (slot.full, slot.delta) = (issue, None),
            None => {
                let distribution_point = made.point.as_ref().map(|point| STANDARD.encode(point.as_der()));
                let (path, issuer) = (made.path.clone(), Some(made.folder.to_owned()));
                self.slots.push(Listing { path, issuer, distribution_point, full: issue, delta: None });
            }
        }
    }

    /// Publishes the index; its octets.
    pub fn index(&mut self) -> Vec<u8> {
        self.number += 1;
        let time = self.now - Seconds(60) + Seconds(self.number as u32);
        let index = Index::new(self.ledger, self.number.into(), time, self.previous, self.slots.clone());
        let octets = index.to_json();
        self.previous = Some(sha256(&[&octets]));
        self.server.put("/crl/index.json", Answer::Octets(octets.clone()));
        octets
    }

    /// Signs the index as it is served, with the key of that folder.
    pub fn seal(&self, folder: &str) {
        let (content, certificate) = (self.server.octets("/crl/index.json"), authority_der(folder));
        let profile = CmsProfile { content: &content, certificate: &certificate, signing_time: self.now };
        let unsigned = profile.unsigned().unwrap();
        let signature = signer(folder).sign(unsigned.to_be_signed()).unwrap();
        self.server.put("/crl/index.json.p7s", Answer::Octets(unsigned.assemble(&signature)));
    }

    pub fn der(&self, made: &Made) -> Vec<u8> {
        let (signer, ca) = (signer(made.folder), authority(made.folder));
        let deltas = DistributionPointName::uri(&format!("{}/crl/{}.delta.crl", self.server.at, made.path)).unwrap();
        let kind = match made.base {
            Some(base) => CrlKind::Delta { base: base.into() },
            None => CrlKind::Full { freshest: Some(deltas) },
        };
        let algorithm = algorithm(made.folder);
        let profile = CrlProfile {
            algorithm,
            issuer: ca.subject.clone(),
            this_update: made.this_update,
            next_update: made.this_update + made.valid,
            authority_key_id: ca.public_key.key_identifier(),
            number: made.number.into(),
            kind,
            issuing_point: made.point.clone().map(IssuingPoint::of),
            expired_since: None,
            reflects: None,
        };
        let date = made.this_update - Seconds(5);
        let entries = made.entries.iter().map(|(last, listed)| CrlEntry {
            serial: serial(*last),
            date,
            listed: *listed,
            invalidity_date: None,
            issuer: None,
        });
        let unsigned = profile.write(entries);
        let signature = signer.sign_digest(unsigned.digest()).unwrap();
        unsigned.assemble(&signature)
    }

    /// A certificate of a phone or a card, with points that lead here; its file.
    pub fn leaf(&self, made: &Made, last: u8, ocsp: Option<&str>, folder: &Path) -> PathBuf {
        let ca = authority(made.folder);
        let key = authority(PHONES).public_key;
        let mut extensions = Extensions::for_authentication(&key, &ca.public_key);
        extensions.crl_distribution_points = made.point.iter().cloned().map(DistributionPoint::own).collect();
        extensions.authority_access = AuthorityAccess {
            ocsp: ocsp.map(str::to_owned).into_iter().collect(),
            ca_issuers: vec![format!("{}/ca/{}.cer", self.server.at, made.folder)],
        };
        let profile = CertificateProfile {
            serial: serial(last),
            issuer: ca.subject.clone(),
            validity: Validity { not_before: self.now - Seconds::days(9), not_after: self.now + Seconds::days(9) },
            subject: Name::new(&[(NameAttribute::CommonName, &format!("holder {last}"))]).unwrap(),
            public_key: key,
            extensions,
        };
        let algorithm = algorithm(made.folder);
        let unsigned = profile.unsigned(algorithm).unwrap();
        let der = unsigned.assemble(&signer(made.folder).sign(unsigned.tbs_der()).unwrap());
        let file = folder.join(format!("{}-{last}.pem", made.folder));
        fs::write(&file, to_pem("CERTIFICATE", &der)).unwrap();
        file
    }

    fn name(&self, made: &Made) -> String {
        format!("{}{}.crl", made.path, if made.base.is_some() { ".delta" } else { "" })
    }
}

impl Made {
    /// A delta against it, issued later.
    pub fn delta(&self, number: u64, entries: &[(u8, Listed)]) -> Self {
        let later = Seconds((number - self.number) as u32);
        let base = Some(self.number);
        Self { number, base, this_update: self.this_update + later, entries: entries.to_vec(), ..self.clone() }
    }
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn tashika(arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tashika")).args(arguments).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

pub fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(name)
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn authority_der(folder: &str) -> Vec<u8> {
    certificates_in(&fs::read(testdata(folder).join("issuer.pem")).unwrap()).unwrap().remove(0)
}

pub fn authority(folder: &str) -> CertificateFields {
    CertificateFields::from_der(&authority_der(folder)).unwrap()
}

fn algorithm(folder: &str) -> SignatureAlgorithm {
    match authority(folder).public_key.algorithm() {
        KeyAlgorithm::EcP384 => SignatureAlgorithm::EcdsaSha384,
        KeyAlgorithm::Rsa { .. } => SignatureAlgorithm::RsaSha256,
        _ => SignatureAlgorithm::EcdsaSha256,
    }
}

pub fn root() -> CertificateFields {
    CertificateFields::from_file(&fs::read(testdata("root.pem")).unwrap()).unwrap()
}

pub fn signer(folder: &str) -> Box<dyn Signer> {
    let pem = fs::read_to_string(testdata(folder).join("issuer.key")).unwrap();
    software::of_der(&pem_blocks(&pem).unwrap()[0].der).unwrap()
}

pub fn serial(last: u8) -> Serial {
    Serial::from_unsigned(&[0x4a, 0, last]).unwrap()
}

pub fn municipality() -> Name {
    let ca = authority(CARDS).subject;
    ca.with(&[(NameAttribute::CommonName, "Chiyoda-ku")]).unwrap()
}

pub const LOST: Listed = Listed::Revoked(Reason::KeyCompromise);
