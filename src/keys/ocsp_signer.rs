//! OCSP signers: a key with the certificate by which a CA delegated the answers about its certificates to it.
//!
//! What verifiers refuse (measured: nearly all of them refuse another CA's signer, or one without its purpose) is refused
//! here, before anything is signed. Made by composition, used by whoever signs answers. Never renews itself.

use std::fmt;

use crate::asn1::{
    Asn1Error, CertificateFields, ExtendedKeyUsage, KeyUsage, Name, SignatureAlgorithm, Validity, verifies,
};
use crate::model::Time;

use super::{Algorithm, KeyError, Signer};

/// A signer of answers about one CA's certificates, whose papers are in order.
pub struct OcspSigner {
    key: Box<dyn Signer>,
    algorithm: SignatureAlgorithm,
    certificate: Vec<u8>,
    subject: Name,
    key_identifier: [u8; 20],
    validity: Validity,
}

/// Why a key or certificate is no signer of a CA's answers.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// One of the certificates can't be read.
    #[error("the certificate can't be read: {0}")]
    Certificate(#[from] Asn1Error),
    /// Another CA issued it, or another key generation under the same name.
    #[error("the certificate was not issued by this CA: ask this CA, with this key, for one")]
    OtherIssuer,
    /// It lacks id-kp-OCSPSigning.
    #[error("the certificate lacks the purpose OCSPSigning: verifiers refuse what it signs")]
    NoPurpose,
    /// It lacks id-pkix-ocsp-nocheck.
    #[error("the certificate lacks ocsp-nocheck: verifiers would ask for its status, and nobody answers")]
    NoNoCheck,
    /// Its key usage leaves out digitalSignature.
    #[error("the certificate's key usage lacks digitalSignature")]
    NoSignature,
    /// It has critical extensions that nobody here knows.
    #[error("the certificate has critical extensions that this program does not know")]
    UnknownCritical,
    /// It isn't this key's.
    #[error("the certificate is another key's")]
    OtherKey,
    /// It isn't valid at this time.
    #[error("the certificate is valid from {} to {}, and it is {now}", validity.not_before, validity.not_after)]
    NotValid {
        /// When it is.
        validity: Validity,
        /// What time it is.
        now: Time,
    },
    /// Verifiers of answers don't know such keys.
    #[error("{0} keys sign no answers: use P-256, P-384 or RSA")]
    NoSuchAnswers(Algorithm),
    /// The key signs, but not what it is asked to.
    #[error("a signature made with this key for a trial does not verify: the key or its device is faulty")]
    Faulty,
    /// The key doesn't sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl OcspSigner {
    /// Takes up a key and its certificate for the CA with that certificate, if everything fits at `now`.
    pub fn new(key: Box<dyn Signer>, certificate: &[u8], ca: &[u8], now: Time) -> Result<Self, Unfit> {
        let algorithm = key.algorithm().in_answers().ok_or(Unfit::NoSuchAnswers(key.algorithm()))?;
        let fields = CertificateFields::from_der(certificate)?;
        issued_by(&fields, &CertificateFields::from_der(ca)?)?;
        delegated(&fields)?;
        if fields.public_key.as_der() != key.public_key() {
            return Err(Unfit::OtherKey);
        }
        if !fields.validity.covers(now) {
            return Err(Unfit::NotValid { validity: fields.validity, now });
        }
        if !verifies(&fields.public_key, algorithm, TRIAL, &key.sign(TRIAL)?) {
            return Err(Unfit::Faulty);
        }
        let key_identifier = fields.public_key.key_identifier();
        Ok(Self {
            key,
            algorithm,
            certificate: certificate.to_vec(),
            subject: fields.subject,
            key_identifier: key_identifier.try_into().expect("SHA-1 has 20 octets"),
            validity: fields.validity,
        })
    }

    /// Signs the octets of an answer.
    pub fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.key.sign(octets)
    }

    /// What sort of signature it makes, as answers name it.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Its certificate, which is sent along with each answer.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// SHA-1 of its public key: how answers name it by key.
    pub fn key_identifier(&self) -> &[u8; 20] {
        &self.key_identifier
    }

    /// How answers name it by name.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// No answer may be valid after this (RFC 9919 §3.2.2, Mozilla's policy §6).
    pub fn not_after(&self) -> Time {
        self.validity.not_after
    }
}

impl fmt::Debug for OcspSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OcspSigner").field("algorithm", &self.algorithm).field("validity", &self.validity).finish()
    }
}

impl Algorithm {
    /// How answers and CRLs name it; none: nobody verifies such answers.
    pub fn in_answers(self) -> Option<SignatureAlgorithm> {
        match self {
            Self::EcdsaP256 => Some(SignatureAlgorithm::EcdsaSha256),
            Self::EcdsaP384 => Some(SignatureAlgorithm::EcdsaSha384),
            Self::Ed25519 => None,
            Self::RsaSha256 => Some(SignatureAlgorithm::RsaSha256),
        }
    }
}

/// Names may be shared by key generations, so only the signature says who issued it.
fn issued_by(certificate: &CertificateFields, ca: &CertificateFields) -> Result<(), Unfit> {
    let signed = certificate
        .signature_algorithm
        .is_some_and(|algorithm| verifies(&ca.public_key, algorithm, certificate.tbs_der(), &certificate.signature));
    if certificate.issuer == ca.subject && signed { Ok(()) } else { Err(Unfit::OtherIssuer) }
}

/// What the certificate must say for verifiers to take its answers.
fn delegated(certificate: &CertificateFields) -> Result<(), Unfit> {
    let extensions = &certificate.extensions;
    if !certificate.unknown_critical.is_empty() {
        return Err(Unfit::UnknownCritical);
    }
    if !extensions.extended_key_usage.contains(&ExtendedKeyUsage::OcspSigning) {
        return Err(Unfit::NoPurpose);
    }
    if !extensions.ocsp_no_check {
        return Err(Unfit::NoNoCheck);
    }
    if extensions.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        return Err(Unfit::NoSignature);
    }
    Ok(())
}

/// Signed once when a key is taken up; no answer begins like this.
const TRIAL: &[u8] = b"tashika: a trial signature, not an answer";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::certificates_in;
    use crate::keys::software;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};

    use aws_lc_rs::digest::Digest;

    const CAS: [(&str, SignatureAlgorithm); 4] = [
        ("card-sign-g1-rsa2048", SignatureAlgorithm::RsaSha256),
        ("card-sign-g2-p256", SignatureAlgorithm::EcdsaSha256),
        ("card-auth-p384", SignatureAlgorithm::EcdsaSha384),
        ("phone-auth-p256", SignatureAlgorithm::EcdsaSha256),
    ];

    fn testdata(ca: &str, name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-testdata").join(ca).join(name)
    }

    fn certificate(ca: &str, name: &str) -> Vec<u8> {
        certificates_in(&fs::read(testdata(ca, name)).unwrap()).unwrap().remove(0)
    }

    /// The test data's keys are public, and so are their files.
    fn key(ca: &str, name: &str) -> Box<dyn Signer> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::copy(testdata(ca, name), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        software::open(&path, None).unwrap()
    }

    fn now() -> Time {
        "2026-11-20T00:00:00Z".parse().unwrap()
    }

    fn taken(ca: &str, name: &str) -> Result<OcspSigner, Unfit> {
        OcspSigner::new(key(ca, "ocsp.key"), &certificate(ca, name), &certificate(ca, "issuer.pem"), now())
    }

    #[test]
    fn a_good_signer_of_every_algorithm_is_taken() {
        for (ca, algorithm) in CAS {
            let signer = taken(ca, "ocsp-good.pem").unwrap_or_else(|unfit| panic!("{ca}: {unfit}"));
            assert_eq!(signer.algorithm(), algorithm);
            let fields = CertificateFields::from_der(signer.certificate()).unwrap();
            assert_eq!(signer.not_after(), fields.validity.not_after);
            let signature = signer.sign(b"an answer").unwrap();
            assert!(verifies(&fields.public_key, algorithm, b"an answer", &signature));
            assert!(!verifies(&fields.public_key, algorithm, b"another", &signature));
        }
    }

    #[test]
    fn whatever_verifiers_refuse_is_refused_before_it_signs() {
        type Right = fn(&Unfit) -> bool;
        let cases: [(&str, Right); 4] = [
            ("ocsp-expired.pem", |unfit| matches!(unfit, Unfit::NotValid { .. })),
            ("ocsp-of-wrong-ca.pem", |unfit| matches!(unfit, Unfit::OtherIssuer)),
            ("ocsp-without-eku.pem", |unfit| matches!(unfit, Unfit::NoPurpose)),
            ("ocsp-without-nocheck.pem", |unfit| matches!(unfit, Unfit::NoNoCheck)),
        ];
        for (ca, _) in CAS {
            for (name, right) in cases {
                let unfit = taken(ca, name).unwrap_err();
                assert!(right(&unfit), "{ca}/{name}: {unfit}");
            }
        }
        let unfit = taken("card-sign-g2-p256", "ocsp-of-wrong-generation.pem").unwrap_err();
        assert!(
            matches!(unfit, Unfit::OtherIssuer),
            "under the right name, signed with another generation's key: {unfit}"
        );
    }

    #[test]
    fn key_and_certificate_must_belong_together() {
        let ca = "card-sign-g2-p256";
        let issuer = certificate(ca, "issuer.pem");
        let others = OcspSigner::new(key(ca, "leaf.key"), &certificate(ca, "ocsp-good.pem"), &issuer, now());
        assert!(matches!(others, Err(Unfit::OtherKey)));
        let leaf = OcspSigner::new(key(ca, "leaf.key"), &certificate(ca, "leaf-good.pem"), &issuer, now());
        assert!(matches!(leaf, Err(Unfit::NoPurpose)), "a person's certificate answers for nobody");
        let itself = OcspSigner::new(key(ca, "issuer.key"), &issuer, &issuer, now());
        assert!(
            matches!(itself, Err(Unfit::OtherIssuer | Unfit::NoPurpose)),
            "the CA delegates; it doesn't answer itself"
        );
    }

    /// A device that answers, but not with signatures of the key that it is said to hold.
    struct Broken(Box<dyn Signer>);

    impl Signer for Broken {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }

        fn public_key(&self) -> &[u8] {
            self.0.public_key()
        }

        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, KeyError> {
            self.0.sign(b"something else")
        }

        fn sign_digest(&self, _: &Digest) -> Result<Vec<u8>, KeyError> {
            self.0.sign(b"something else")
        }
    }

    #[test]
    fn a_faulty_device_is_noticed_before_it_is_relied_on() {
        let ca = "card-sign-g2-p256";
        let broken = Box::new(Broken(key(ca, "ocsp.key")));
        let taken = OcspSigner::new(broken, &certificate(ca, "ocsp-good.pem"), &certificate(ca, "issuer.pem"), now());
        assert!(matches!(taken, Err(Unfit::Faulty)));
    }
}
