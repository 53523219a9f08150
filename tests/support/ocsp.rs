//! A client of OCSP for tests, of nothing that the program answers with: requests and replies by `rasn-ocsp`, signatures
//! by `p256`, `p384` and `rsa`. Used by the suites that look at answers.

use p256::ecdsa::signature::Verifier as _;
use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
use rasn::types::{Any, Integer, ObjectIdentifier, OctetString};
use rasn_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspRequest, OcspResponse, OcspResponseStatus, Request, ResponderId,
    SingleResponse, TbsRequest,
};
use rasn_pkix::{AlgorithmIdentifier, Certificate, Extension};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::sha2::{Digest as _, Sha256, Sha384};

use tashika::asn1::CertificateFields;

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    Sha1Null,
    Sha1Absent,
    Sha256Null,
    Sha256Absent,
}

impl Form {
    pub const ALL: [Self; 4] = [Self::Sha1Null, Self::Sha1Absent, Self::Sha256Null, Self::Sha256Absent];
}

/// The CertID of a certificate of the CA with that certificate.
pub fn cert_id(ca: &[u8], serial: &[u8], form: Form) -> CertId {
    let hashes = CertificateFields::from_der(ca).unwrap().issuer_hashes();
    let (oid, name, key) = match form {
        Form::Sha1Null | Form::Sha1Absent => {
            (&[1, 3, 14, 3, 2, 26][..], hashes.name_sha1.to_vec(), hashes.key_sha1.to_vec())
        }
        Form::Sha256Null | Form::Sha256Absent => {
            (&[2, 16, 840, 1, 101, 3, 4, 2, 1][..], hashes.name_sha256.to_vec(), hashes.key_sha256.to_vec())
        }
    };
    let parameters = matches!(form, Form::Sha1Null | Form::Sha256Null).then(|| Any::new(vec![5, 0]));
    CertId {
        hash_algorithm: AlgorithmIdentifier {
            algorithm: ObjectIdentifier::new_unchecked(oid.to_vec().into()),
            parameters,
        },
        issuer_name_hash: OctetString::from(name),
        issuer_key_hash: OctetString::from(key),
        serial_number: number(serial),
    }
}

fn number(octets: &[u8]) -> Integer {
    let whole: Vec<u8> = std::iter::once(0).chain(octets.iter().copied()).collect();
    let skip = (0..whole.len() - 1).take_while(|at| whole[*at] == 0 && whole[at + 1] < 0x80).count();
    let mut der = vec![2, (whole.len() - skip) as u8];
    der.extend_from_slice(&whole[skip..]);
    rasn::der::decode(&der).unwrap()
}

/// A request of these questions, with a nonce of these octets.
pub fn request(cert_ids: &[CertId], nonce: Option<&[u8]>) -> Vec<u8> {
    let extension = |octets: &[u8]| Extension {
        extn_id: ObjectIdentifier::new_unchecked(NONCE.to_vec().into()),
        critical: false,
        extn_value: rasn::der::encode(&OctetString::from(octets.to_vec())).unwrap().into(),
    };
    let one = |req_cert: &CertId| Request { req_cert: req_cert.clone(), single_request_extensions: None };
    let tbs_request = TbsRequest {
        version: Integer::from(0),
        requestor_name: None,
        request_list: cert_ids.iter().map(one).collect(),
        request_extensions: nonce.map(|octets| vec![extension(octets)].into()),
    };
    rasn::der::encode(&OcspRequest { tbs_request, optional_signature: None }).unwrap()
}

/// What a client makes of a reply.
#[derive(Clone, Debug)]
pub struct Seen {
    /// 0 is successful; nothing else is signed.
    pub status: u8,
    pub singles: Vec<Single>,
    pub produced_at: i64,
    pub nonce: Option<Vec<u8>>,
    /// Whether id-pkix-ocsp-extended-revoke stands in it.
    pub extended_revoke: bool,
    pub responder: Option<ResponderId>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Single {
    /// Its DER.
    pub cert_id: Vec<u8>,
    pub status: Said,
    pub this_update: i64,
    pub next_update: i64,
    pub archive_cutoff: Option<i64>,
    pub invalidity_date: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Good,
    /// With the reason's number, if one is told.
    Revoked(i64, Option<u8>),
    Unknown,
}

impl Said {
    pub fn held(since: i64) -> Self {
        Self::Revoked(since, Some(6))
    }
}

impl Seen {
    /// Reads a reply as `rasn-ocsp` does, and checks its signature, if it has one, against the signer that it must be by.
    pub fn of(der: &[u8], signer: &[u8]) -> Self {
        let response: OcspResponse = rasn::der::decode(der).unwrap();
        assert_eq!(rasn::der::encode(&response).unwrap(), der, "a reply is DER");
        let status = match response.status {
            OcspResponseStatus::Successful => 0,
            OcspResponseStatus::MalformedRequest => 1,
            OcspResponseStatus::InternalError => 2,
            OcspResponseStatus::TryLater => 3,
            OcspResponseStatus::SigRequired => 5,
            OcspResponseStatus::Unauthorized => 6,
        };
        let Some(bytes) = response.bytes else {
            assert_ne!(status, 0, "who is successful says something");
            let (singles, produced_at, nonce) = (Vec::new(), 0, None);
            return Self { status, singles, produced_at, nonce, extended_revoke: false, responder: None };
        };
        assert_eq!(status, 0, "what isn't successful says nothing");
        let basic: BasicOcspResponse = rasn::der::decode(&bytes.response).unwrap();
        let certificates = basic.certs.as_deref().unwrap_or_default();
        assert_eq!(certificates.len(), 1, "the signer's certificate, and no other");
        assert_eq!(rasn::der::encode(&certificates[0]).unwrap(), signer, "the signer's own certificate");
        assert!(verifies(&certificates[0], &basic), "the signature is wrong");
        let data = basic.tbs_response_data;
        let extensions = data.response_extensions.as_ref().map_or(&[][..], |all| all.as_slice());
        let value = |id: &[u32]| extensions.iter().find(|one| *one.extn_id == *id).map(|one| one.extn_value.to_vec());
        assert!(extensions.iter().all(|one| !one.critical));
        let nonce = value(&NONCE).map(|der| rasn::der::decode::<OctetString>(&der).unwrap().to_vec());
        Self {
            status,
            singles: data.responses.iter().map(Single::of).collect(),
            produced_at: data.produced_at.timestamp(),
            nonce,
            extended_revoke: value(&EXTENDED_REVOKE).is_some(),
            responder: Some(data.responder_id),
        }
    }

    /// The answer to the only question.
    pub fn single(&self) -> &Single {
        assert_eq!((self.status, self.singles.len()), (0, 1), "{self:?}");
        &self.singles[0]
    }

    /// What is said in answer to the only question.
    pub fn said(&self) -> Said {
        self.single().status
    }
}

impl Single {
    fn of(single: &SingleResponse) -> Self {
        let extensions = single.single_extensions.as_ref().map_or(&[][..], |all| all.as_slice());
        let time = |id: &[u32]| {
            let found = extensions.iter().find(|one| *one.extn_id == *id)?;
            assert!(!found.critical, "Go refuses critical ones");
            Some(rasn::der::decode::<rasn::types::GeneralizedTime>(&found.extn_value).unwrap().timestamp())
        };
        Self {
            cert_id: rasn::der::encode(&single.cert_id).unwrap(),
            status: match &single.cert_status {
                CertStatus::Good => Said::Good,
                CertStatus::Revoked(info) => Said::Revoked(
                    info.revocation_time.timestamp(),
                    info.revocation_reason.as_ref().map(|reason| rasn::der::encode(reason).unwrap()[2]),
                ),
                CertStatus::Unknown(()) => Said::Unknown,
            },
            this_update: single.this_update.timestamp(),
            next_update: single.next_update.as_ref().expect("always there").timestamp(),
            archive_cutoff: time(&ARCHIVE_CUTOFF),
            invalidity_date: time(&INVALIDITY_DATE),
        }
    }
}

fn verifies(certificate: &Certificate, basic: &BasicOcspResponse) -> bool {
    let octets = rasn::der::encode(&basic.tbs_response_data).unwrap();
    let key = certificate.tbs_certificate.subject_public_key_info.subject_public_key.as_raw_slice();
    let (signature, algorithm) = (basic.signature.as_raw_slice(), basic.signature_algorithm.algorithm.to_vec());
    match algorithm[..] {
        [1, 2, 840, 10_045, 4, 3, 2] => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).unwrap();
            key.verify(&octets, &p256::ecdsa::Signature::from_der(signature).unwrap()).is_ok()
        }
        [1, 2, 840, 10_045, 4, 3, 3] => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).unwrap();
            let hash = Sha384::digest(&octets);
            key.verify_prehash(&hash, &p384::ecdsa::Signature::from_der(signature).unwrap()).is_ok()
        }
        [1, 2, 840, 113_549, 1, 1, 11] => {
            let key = rsa::RsaPublicKey::from_pkcs1_der(key).unwrap();
            key.verify(rsa::Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&octets), signature).is_ok()
        }
        _ => panic!("a signature that clients don't know: {algorithm:?}"),
    }
}

pub const MALFORMED: u8 = 1;
pub const TRY_LATER: u8 = 3;
pub const UNAUTHORIZED: u8 = 6;
const NONCE: [u32; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2];
const ARCHIVE_CUTOFF: [u32; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 6];
const EXTENDED_REVOKE: [u32; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 9];
const INVALIDITY_DATE: [u32; 4] = [2, 5, 29, 24];
