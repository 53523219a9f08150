//! The issuers that are answered for, each with its settings and the key that signs for it.
//!
//! Made by composition from the ledger's register and the keys at hand, swapped as a whole when one of them changes; read
//! by every request.

use crate::asn1::SignatureAlgorithm;
use crate::asn1::ocsp::{Credentials, HashedIssuer, IssuerAsked, Parameters, ResponderId};
use crate::asn1::{Asn1Error, CertificateFields};
use crate::keys::OcspSigner;
use crate::model::{Issuer as Registered, IssuerNo, Time};

use super::policy::{Forms, Named, Policy};

/// All of them.
#[derive(Debug, Default)]
pub struct Issuers {
    list: Vec<Issuer>,
    /// By the first octets of the key's hash, then where it stands in `list`; sorted. Only our own issuers are in it, so
    /// nobody can crowd it.
    by_key: Vec<(u64, usize)>,
}

/// One issuer: a key generation of a CA.
#[derive(Debug)]
pub struct Issuer {
    no: IssuerNo,
    sha1: HashedIssuer,
    sha256: HashedIssuer,
    policy: Policy,
    /// From when on its certificates can have expired: statuses are kept for all of them.
    since: Time,
    signatory: Option<Signatory>,
}

/// Who signs an issuer's answers: a key, and what stands around its signatures.
#[derive(Debug)]
pub struct Signatory {
    /// By which kept replies name it.
    number: u8,
    signer: OcspSigner,
    pub(super) id: ResponderId,
    pub(super) credentials: Credentials,
}

/// The form of question that a reply is for. With issuer and serial it determines every octet of the CertID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Sha1(Parameters),
    Sha256(Parameters),
}

impl Issuers {
    /// These.
    pub fn new(list: Vec<Issuer>) -> Self {
        let hashes = list.iter().enumerate().flat_map(|(at, issuer)| [(issuer.sha1, at), (issuer.sha256, at)]);
        let mut by_key: Vec<_> = hashes.map(|(hashed, at)| (prefix(&hashed), at)).collect();
        by_key.sort_unstable();
        Self { list, by_key }
    }

    /// The issuer that a question names, and in which form it asks.
    #[inline]
    pub(super) fn asked(&self, asked: &IssuerAsked) -> Option<(&Issuer, Form)> {
        let IssuerAsked::By(hashed, parameters) = asked else { return None };
        let wanted = prefix(hashed);
        let first = self.by_key.partition_point(|(key, _)| *key < wanted);
        let candidates = self.by_key[first..].iter().take_while(|(key, _)| *key == wanted);
        let mut issuers = candidates.map(|(_, at)| &self.list[*at]);
        match hashed {
            HashedIssuer::Sha1 { .. } => {
                issuers.find(|issuer| issuer.sha1 == *hashed).map(|issuer| (issuer, Form::Sha1(*parameters)))
            }
            HashedIssuer::Sha256 { .. } => {
                issuers.find(|issuer| issuer.sha256 == *hashed).map(|issuer| (issuer, Form::Sha256(*parameters)))
            }
        }
    }

    /// The issuer with that number.
    pub(super) fn get(&self, no: IssuerNo) -> Option<&Issuer> {
        self.list.iter().find(|issuer| issuer.no == no)
    }

    /// The names of the keys that sign for them, each once for each issuer, in their order.
    pub fn keys(&self) -> Vec<[u8; 20]> {
        self.list.iter().filter_map(Issuer::signatory).map(|signatory| *signatory.signer.key_identifier()).collect()
    }

    /// All of them, for whoever looks after them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.list.iter()
    }
}

impl Issuer {
    /// An issuer as the ledger has it, with its settings and its key, if there is one that can be used.
    pub fn new(registered: &Registered, policy: Policy, signatory: Option<Signatory>) -> Result<Self, Asn1Error> {
        let fields = CertificateFields::from_der(&registered.certificate)?;
        Ok(Self {
            no: registered.no,
            sha1: HashedIssuer::Sha1 { name: registered.name_sha1, key: registered.key_sha1 },
            sha256: HashedIssuer::Sha256 { name: registered.name_sha256, key: registered.key_sha256 },
            policy,
            since: fields.validity.not_before,
            signatory,
        })
    }

    pub(super) fn no(&self) -> IssuerNo {
        self.no
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// Who signs for it now.
    #[inline]
    pub(super) fn signatory(&self) -> Option<&Signatory> {
        self.signatory.as_ref()
    }

    /// Who signed with that number, if such signatures can still be served.
    #[inline]
    pub(super) fn signed_by(&self, number: u8) -> Option<&Signatory> {
        self.signatory.as_ref().filter(|signatory| signatory.number == number)
    }

    /// The issuer's half of a CertID in that form.
    pub(super) fn in_form(&self, form: Form) -> (&HashedIssuer, Parameters) {
        match form {
            Form::Sha1(parameters) => (&self.sha1, parameters),
            Form::Sha256(parameters) => (&self.sha256, parameters),
        }
    }
}

impl Signatory {
    /// A key whose papers are in order; kept replies will name it by `number`, which no other key of this issuer may have
    /// as long as one of its replies is kept.
    pub fn new(number: u8, signer: OcspSigner, named: Named) -> Self {
        let id = match named {
            Named::ByKey => ResponderId::of_key_hash(signer.key_identifier()),
            Named::ByName => ResponderId::by_name(signer.subject()),
        };
        let credentials = Credentials::new(signer.algorithm(), &[signer.certificate()]);
        Self { number, signer, id, credentials }
    }

    pub(super) fn number(&self) -> u8 {
        self.number
    }

    pub(super) fn signer(&self) -> &OcspSigner {
        &self.signer
    }

    /// What a signature costs, beside one of P-256: measured on one core of the machine in `docs/PERFORMANCE.md`.
    pub(super) fn cost(&self) -> u64 {
        match self.signer.algorithm() {
            SignatureAlgorithm::EcdsaSha256 => 1,
            SignatureAlgorithm::EcdsaSha384 => 5,
            SignatureAlgorithm::RsaSha256 => 20,
        }
    }
}

impl Form {
    /// The form in which the table keeps an issuer's replies.
    #[inline]
    pub fn in_table(forms: Forms) -> Self {
        match forms {
            Forms::Both | Forms::Sha1 => Self::Sha1(Parameters::Null),
            Forms::Sha256 => Self::Sha256(Parameters::Null),
        }
    }
}

/// The first octets of the hash of the key: as good as random.
#[inline]
fn prefix(hashed: &HashedIssuer) -> u64 {
    let key: &[u8] = match hashed {
        HashedIssuer::Sha1 { key, .. } => key,
        HashedIssuer::Sha256 { key, .. } => key,
    };
    u64::from_ne_bytes(*key.first_chunk().expect("hashes have more than eight octets"))
}
