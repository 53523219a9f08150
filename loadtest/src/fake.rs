//! For tests: a CA with its delegated signer out of the test data, and answers made with them, right or wrong.

use std::path::PathBuf;

use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use rasn::prelude::*;
use rasn_ocsp::{
    BasicOcspResponse, CertStatus, OcspRequest, OcspResponse, OcspResponseStatus, ResponderId, ResponseBytes,
    ResponseData, RevokedInfo, SingleResponse,
};
use rasn_pkix::{AlgorithmIdentifier, CrlReason};

use crate::certificate::Certificate;

/// An issuer and who answers for it.
pub struct Ca {
    pub issuer: Certificate,
    folder: PathBuf,
    key: SigningKey,
}

enum SigningKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(Box<rsa::pkcs1v15::SigningKey<rsa::sha2::Sha256>>),
}

/// How an answer is made. Times are relative to now, in seconds.
#[derive(Clone)]
pub struct Recipe {
    pub status: CertStatus,
    pub this_update: i64,
    pub produced_at: i64,
    pub next_update: Option<i64>,
    pub nonce: Echo,
    pub cert_ids: Echo,
    /// File of the signer's certificate, in the CA's folder.
    pub signer: &'static str,
    pub signature: Truth,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Same,
    Other,
    Missing,
    Twice,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    Right,
    Wrong,
}

impl Ca {
    pub fn p256() -> Self {
        Self::in_folder("card-sign-g2-p256")
    }

    pub fn in_folder(name: &str) -> Self {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../certs-testdata")).join(name);
        let issuer = Certificate::from_file(&folder.join("issuer.pem")).unwrap();
        let pem = std::fs::read_to_string(folder.join("ocsp.key")).unwrap();
        let key = if name.contains("p256") {
            SigningKey::P256(p256::ecdsa::SigningKey::from_pkcs8_pem(&pem).unwrap())
        } else if name.contains("p384") {
            SigningKey::P384(p384::ecdsa::SigningKey::from_pkcs8_pem(&pem).unwrap())
        } else {
            SigningKey::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(rsa::RsaPrivateKey::from_pkcs8_pem(&pem).unwrap())))
        };
        Self { issuer, folder, key }
    }

    /// The OCSPResponse to `request`, made at `now`.
    pub fn answer(&self, request: &[u8], recipe: &Recipe, now: i64) -> Vec<u8> {
        let request: OcspRequest = rasn::der::decode(request).unwrap();
        let pem = std::fs::read(self.folder.join(recipe.signer)).unwrap();
        let pem = String::from_utf8(pem).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let signer = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
        let signer: rasn_pkix::Certificate = rasn::der::decode(&signer).unwrap();
        let data = ResponseData {
            version: 0.into(),
            responder_id: ResponderId::ByName(signer.tbs_certificate.subject.clone()),
            produced_at: time(now + recipe.produced_at),
            responses: singles(&request, recipe, now),
            response_extensions: extensions(&request, recipe),
        };
        let mut tbs = rasn::der::encode(&data).unwrap();
        if recipe.signature == Truth::Wrong {
            *tbs.last_mut().unwrap() ^= 1;
        }
        let (arcs, signature): (&[u32], Vec<u8>) = match &self.key {
            SigningKey::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(&tbs);
                (&[1, 2, 840, 10045, 4, 3, 2], signature.as_bytes().to_vec())
            }
            SigningKey::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.sign(&tbs);
                (&[1, 2, 840, 10045, 4, 3, 3], signature.as_bytes().to_vec())
            }
            SigningKey::Rsa(key) => {
                let signature = rsa::signature::SignatureEncoding::to_vec(&key.sign(&tbs));
                (&[1, 2, 840, 113_549, 1, 1, 11], signature)
            }
        };
        let algorithm = ObjectIdentifier::new(arcs.to_vec()).unwrap();
        let basic = BasicOcspResponse {
            tbs_response_data: data,
            signature_algorithm: AlgorithmIdentifier { algorithm, parameters: None },
            signature: BitString::from_slice(&signature),
            certs: Some(vec![signer]),
        };
        let response = rasn::der::encode(&basic).unwrap().into();
        let r#type = ObjectIdentifier::new(vec![1, 3, 6, 1, 5, 5, 7, 48, 1, 1]).unwrap();
        let bytes = Some(ResponseBytes { r#type, response });
        rasn::der::encode(&OcspResponse { status: OcspResponseStatus::Successful, bytes }).unwrap()
    }
}

fn singles(request: &OcspRequest, recipe: &Recipe, now: i64) -> Vec<SingleResponse> {
    let mut singles: Vec<_> = request
        .tbs_request
        .request_list
        .iter()
        .map(|asked| SingleResponse {
            cert_id: asked.req_cert.clone(),
            cert_status: recipe.status.clone(),
            this_update: time(now + recipe.this_update),
            next_update: recipe.next_update.map(|next| time(now + next)),
            single_extensions: None,
        })
        .collect();
    match recipe.cert_ids {
        Echo::Same => {}
        Echo::Other => singles[0].cert_id.serial_number = 99.into(),
        Echo::Missing => drop(singles.pop()),
        Echo::Twice => singles.push(singles[0].clone()),
    }
    singles
}

fn extensions(request: &OcspRequest, recipe: &Recipe) -> Option<rasn_pkix::Extensions> {
    let mut extensions: Vec<_> =
        request.tbs_request.request_extensions.iter().flat_map(|list| list.iter().cloned()).collect();
    match recipe.nonce {
        Echo::Same => {}
        Echo::Missing => extensions.clear(),
        Echo::Other => {
            for extension in &mut extensions {
                let mut value = extension.extn_value.to_vec();
                *value.last_mut().unwrap() ^= 1;
                extension.extn_value = value.into();
            }
        }
        Echo::Twice => extensions.push(extensions[0].clone()),
    }
    (!extensions.is_empty()).then(|| extensions.into())
}

impl Recipe {
    /// Nothing wrong with it.
    pub fn good() -> Self {
        Self {
            status: CertStatus::Good,
            this_update: 0,
            produced_at: 0,
            next_update: Some(600),
            nonce: Echo::Same,
            cert_ids: Echo::Same,
            signer: "ocsp-good.pem",
            signature: Truth::Right,
        }
    }

    pub fn revoked(reason: CrlReason) -> Self {
        let info = RevokedInfo { revocation_time: time(1_700_000_000), revocation_reason: Some(reason) };
        Self { status: CertStatus::Revoked(info), ..Self::good() }
    }
}

pub fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
}

fn time(seconds: i64) -> GeneralizedTime {
    // The type is chrono's, which rasn does not hand on by name: by way of its own encoding.
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let form = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
    let text = time.format(form).unwrap();
    rasn::der::decode(&[&[0x18, text.len() as u8], text.as_bytes()].concat()).unwrap()
}
