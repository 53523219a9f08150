//! The demonstration's ledger: made if it is missing, with its CAs, their scopes, and the leaves in their states.
//!
//! Called by `up`. Every step finds out first whether it was done, so that one broken off is completed. The states are
//! reached as they are in life: by reports to the desk.

use std::sync::Arc;

use crate::app::compose;
use crate::app::config::Config;
use crate::app::pseudonym::{Named, Pseudonyms};
use crate::app::{clock, demo::pki::Leaf};
use crate::asn1::CertificateFields;
use crate::desk::{Desk, Task};
use crate::ledger::{Batch as LedgerBatch, Ledger, LedgerError};
use crate::model::{
    Actor, AppletId, Batch, Certificate, CertificateKey, CertificateNo, Channel, Command, Delivery, HolderId,
    IdempotencyKey, Issuer, IssuerNo, KeyOrigin, Links, Medium, MediumId, MediumKind, Operator, Outcome, PersonId,
    Proofing, Report, ReportKind, Request, Role, Scope, ScopeNo, Sim, SimId, Subject, Time,
};

use super::error::DemoError;
use super::people::CaNumbers;
use super::pki::{Issued, LEAVES, Pki};
use super::places::{Ca, TOWNS};

/// Opens the ledger, or makes it.
pub(super) fn open(config: &Config, names: &Pseudonyms, now: Time) -> Result<Arc<dyn Ledger>, LedgerError> {
    match compose::open_ledger(&config.ledger) {
        Err(LedgerError::Missing(_)) => {
            let genesis = LedgerBatch::genesis(clock::new_ledger_id(), maker(names), now);
            compose::create_ledger(&config.ledger, &genesis)
        }
        opened => opened,
    }
}

/// Founds the country: what is missing of issuers, scopes, leaves and their states.
pub(super) struct Founding<'a> {
    pub desk: Desk,
    pub names: &'a Pseudonyms,
    pub public_url: &'a str,
    pub now: Time,
}

impl Founding<'_> {
    /// Does it all; says by which numbers the ledger knows the CAs.
    pub fn found(&mut self, pki: &Pki, operator: Operator) -> Result<Vec<CaNumbers>, DemoError> {
        let numbers = pki.authorities.iter().map(|issued| self.issuer(issued)).collect::<Result<Vec<_>, _>>()?;
        let mut before: Vec<Option<CertificateNo>> = Vec::new();
        for (issued, ca) in pki.authorities.iter().zip(&numbers) {
            before.extend(self.leaves(issued, ca, operator, &before)?);
        }
        let town = Some(TOWNS[0].code);
        self.report(ReportKind::CardNotFound, Leaf::Revoked, Role::Window(town))?;
        self.report(ReportKind::CardLost, Leaf::Held, Role::CallCentre)?;
        self.report(ReportKind::PhoneLost, Leaf::Held, Role::CallCentre)?;
        Ok(numbers)
    }

    fn issuer(&mut self, issued: &Issued) -> Result<CaNumbers, DemoError> {
        let file = || format!("demo/{}/issuer.pem", issued.ca.name);
        let in_file = |source| DemoError::Certificate { path: file(), source };
        let fields = CertificateFields::from_file(issued.pem.as_bytes()).map_err(in_file)?;
        let der = crate::asn1::certificates_in(issued.pem.as_bytes()).map_err(in_file)?.swap_remove(0);
        let hashes = fields.issuer_hashes();
        let known = self.desk.ledger().book()?.1;
        match known.issuer_named(issued.ca.name) {
            Some(issuer) if issuer.key_sha256 == hashes.key_sha256 => {}
            Some(_) => {
                let why = "the ledger knows an issuer of this name with another key";
                return Err(DemoError::Stranger { path: file(), why });
            }
            None => {
                let issuer = Issuer {
                    no: IssuerNo(0),
                    name: issued.ca.name.to_owned(),
                    certificate: der,
                    name_sha1: hashes.name_sha1,
                    key_sha1: hashes.key_sha1,
                    name_sha256: hashes.name_sha256,
                    key_sha256: hashes.key_sha256,
                };
                let (actor, scopes) = (maker(self.names), Vec::new());
                self.desk.one(&Task::AddIssuer { actor, issuer, scopes }, self.now)?;
            }
        }
        self.scopes(issued.ca)
    }

    fn scopes(&mut self, ca: Ca) -> Result<CaNumbers, DemoError> {
        let wrong = |source| DemoError::Certificate { path: ca.name.to_owned(), source };
        let mut numbers = None;
        for scope in ca.scopes(self.public_url).map_err(wrong)? {
            let book = self.desk.ledger().book()?.1;
            let issuer = book.issuer_named(ca.name).map(|issuer| issuer.no).unwrap_or_default();
            let point = scope.point.as_der();
            if book.scope_of(issuer, point).is_none() {
                let scope =
                    Scope { no: ScopeNo(0), issuer, distribution_point: point.to_vec(), path: scope.path.clone() };
                self.desk.one(&Task::AddScope { actor: maker(self.names), scope }, self.now)?;
            }
            let book = self.desk.ledger().book()?.1;
            let no = book.scope_of(issuer, point).map(|scope| scope.no).unwrap_or_default();
            numbers.get_or_insert(CaNumbers { issuer, scopes: Vec::new() }).scopes.push(no);
        }
        Ok(numbers.expect("every CA has scopes"))
    }

    /// Registers the leaves of a CA, but for the one that nobody issued; `before` are the numbers of the CAs before it.
    fn leaves(
        &mut self,
        issued: &Issued,
        ca: &CaNumbers,
        operator: Operator,
        before: &[Option<CertificateNo>],
    ) -> Result<Vec<Option<CertificateNo>>, DemoError> {
        let keys: Vec<_> =
            issued.leaves.iter().map(|leaf| CertificateKey { issuer: ca.issuer, serial: leaf.serial }).collect();
        let known = self.desk.ledger().registered(&keys)?;
        let mut missing = Vec::new();
        for ((leaf, fields), place) in LEAVES.into_iter().zip(&issued.leaves).zip(0..) {
            if leaf != Leaf::Unissued && known[place].is_none() {
                let earlier = |ca: usize| before.get(ca * LEAVES.len() + place).copied().flatten();
                let links = Links { issued_under: earlier(0), parallel_of: earlier(1), succeeds: None };
                missing.push(self.certificate(issued.ca, leaf, fields, ca, operator, links));
            }
        }
        if !missing.is_empty() {
            let actor = Actor { role: Role::Ca(ca.issuer), person: PersonId::default(), channel: Channel::Import };
            self.desk.one(&Task::Register { actor, certificates: missing }, self.now)?;
        }
        Ok(self.desk.ledger().registered(&keys)?)
    }

    fn certificate(
        &self,
        ca: Ca,
        leaf: Leaf,
        fields: &CertificateFields,
        numbers: &CaNumbers,
        operator: Operator,
        links: Links,
    ) -> Certificate {
        let is_card = ca.medium == MediumKind::Card;
        let of = |kind, what: &str| self.names.of(kind, &format!("demo-{what}-{}", leaf.name()));
        let medium = MediumId(of(Named::Medium, if is_card { "card" } else { "sim" }));
        let sim = (!is_card).then(|| Sim {
            operator,
            sim: SimId(of(Named::Sim, "sim")),
            applet: AppletId(of(Named::Applet, "applet")),
        });
        Certificate {
            key: CertificateKey { issuer: numbers.issuer, serial: fields.serial },
            usage: ca.usage,
            medium: Medium { kind: ca.medium, id: medium },
            holder: self.holder(leaf),
            sim,
            batch: Batch(if is_card { 1 } else { 5_001 }),
            not_before: fields.validity.not_before,
            not_after: fields.validity.not_after,
            scope: numbers.scopes[0],
            municipality: TOWNS[0].code,
            key_origin: if is_card { KeyOrigin::Medium } else { KeyOrigin::Service },
            proofing: if is_card { Proofing::InPerson } else { Proofing::CardSignature },
            delivery: Delivery::Delivered,
            links: if is_card { Links::default() } else { links },
        }
    }

    fn holder(&self, leaf: Leaf) -> HolderId {
        HolderId(self.names.of(Named::Holder, &format!("demo-{}", leaf.name())))
    }

    /// A report about the holder of a leaf, made once and for all.
    fn report(&mut self, kind: ReportKind, leaf: Leaf, role: Role) -> Result<(), DemoError> {
        let key = self.names.of(Named::Command, &format!("up {kind} demo-{}", leaf.name()));
        let report = Report {
            kind,
            subject: Subject::Holder(self.holder(leaf)),
            lost_at: None,
            reported_at: self.now,
            moved_to: None,
            evidence: None,
        };
        let actor = Actor { role, ..maker(self.names) };
        let idempotency = Some(IdempotencyKey(key));
        let request = Request { actor, command: Command::Report(report), idempotency };
        match self.desk.one(&Task::Request(request), self.now)? {
            Outcome::AlreadySo | Outcome::Done { .. } => Ok(()),
            Outcome::Queued { .. } => {
                let why = "its settings send the demonstration's own reports to a second person";
                Err(DemoError::Stranger { path: "tashika.toml".into(), why })
            }
        }
    }
}

/// Who makes the demonstration.
fn maker(names: &Pseudonyms) -> Actor {
    let person = PersonId(names.of(Named::Person, "tashika up"));
    Actor { role: Role::Ops, person, channel: Channel::Cli }
}
