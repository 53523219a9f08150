//! The test data's generator: every certificate and key under `certs-testdata/`, the same bytes every time.
//!
//! Run by `cargo xtask testdata`, which writes the files, and compiled into `tests/testdata`, which compares them with
//! what is committed and with what openssl says of them. Keys come from seeds, ECDSA is RFC 6979, RSA is PKCS#1 v1.5:
//! nothing is drawn and no clock is read. Signs with `p256`, `p384` and `rsa`, never with the library that the program
//! itself signs with, so that the data is an independent witness.

mod authorities;
mod keys;
mod leaves;
mod malformed;
mod names;
mod readme;
mod signers;

use std::collections::BTreeMap;

use tashika::asn1::{CertificateProfile, to_pem};

use authorities::Authority;
use keys::TestKey;

/// Everything that is generated, with what must hold of it.
pub struct TestData {
    /// Well-formed certificates, good and bad.
    pub certificates: Vec<TestCertificate>,
    /// Certificates whose encoding is wrong.
    pub malformed: Vec<Malformed>,
    /// Private keys, by path.
    pub keys: BTreeMap<String, KeyFile>,
}

/// A certificate with what it says and how a verifier must take it.
pub struct TestCertificate {
    /// Below `certs-testdata/`.
    pub path: String,
    /// A sentence for the table.
    pub about: String,
    /// What it is for.
    pub role: Role,
    /// What was asked of the builder: the reader must find the same.
    pub profile: CertificateProfile,
    /// The certificate of the CA that signed it; itself for the two roots.
    pub issuer: String,
    /// Its private key.
    pub key: String,
    /// What a verifier says that trusts the root and knows the CA of the certificate's folder.
    pub verdict: Verdict,
    /// The certificate.
    pub der: Vec<u8>,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Issues certificates and signs CRLs.
    Authority,
    /// Signs the combined CRL.
    CrlSigner,
    /// A holder's.
    Leaf,
    /// Signs OCSP answers.
    OcspSigner,
}

/// What a verifier has to say of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The signature is not its issuer's.
    BadSignature,
    /// Its validity is over.
    Expired,
    /// The chain is good.
    Good,
    /// Its validity has not begun.
    NotYetValid,
    /// It vouches for itself and isn't trusted.
    SelfSigned,
    /// No CA known to the verifier has issued it.
    UnknownIssuer,
}

/// A file that no reader may take for a certificate of this PKI, and what openssl makes of it.
pub struct Malformed {
    /// Below `certs-testdata/`.
    pub path: String,
    /// A sentence for the table.
    pub about: String,
    /// The octets of the certificate.
    pub der: Vec<u8>,
    /// What openssl makes of it.
    pub openssl: OpensslOpinion,
}

/// openssl is laxer than this house in some points and stricter in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpensslOpinion {
    /// Can't be read.
    Refuses,
    /// Is read without complaint.
    Reads,
    /// Is read and shows this line in its text.
    Shows(&'static str),
    /// Is read, but doesn't verify, for this reason.
    VerifyFails(&'static str),
}

/// A private key and its sentence.
pub struct KeyFile {
    /// PKCS#8 in PEM.
    pub pem: String,
    /// A sentence for the table.
    pub about: String,
}

impl TestData {
    /// All of it. Takes seconds: six RSA keys are searched for.
    pub fn generate() -> Self {
        let mut data = Self { certificates: Vec::new(), malformed: Vec::new(), keys: BTreeMap::new() };
        let root = authorities::add_root(&mut data);
        let combined = signers::add_combined(&mut data, &root);
        let authorities: Vec<Authority> =
            authorities::SPECS.iter().map(|spec| authorities::add(&mut data, &root, spec)).collect();
        for index in 0..authorities.len() {
            signers::add_ocsp(&mut data, &authorities, index);
            leaves::add(&mut data, &authorities[index], &combined);
        }
        leaves::add_of_strangers(&mut data, &authorities, &combined);
        malformed::add(&mut data, &authorities, &combined);
        data
    }

    /// Contents by path below `certs-testdata/`.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::from([("README.md".to_owned(), readme::text(self).into_bytes())]);
        let certificates = self.certificates.iter().map(|certificate| (&certificate.path, &certificate.der));
        for (path, der) in certificates.chain(self.malformed.iter().map(|file| (&file.path, &file.der))) {
            let contents = if path.ends_with(".pem") { to_pem("CERTIFICATE", der).into_bytes() } else { der.clone() };
            assert!(files.insert(path.clone(), contents).is_none(), "{path} is made once");
        }
        for (path, key) in &self.keys {
            assert!(files.insert(path.clone(), key.pem.clone().into_bytes()).is_none(), "{path} is made once");
        }
        files
    }

    /// Makes the key of that path, named by the path alone: the same path has the same key for ever.
    fn key(&mut self, path: &str, kind: keys::Kind, about: &str) -> TestKey {
        let key = TestKey::from_label(kind, path);
        self.keys.insert(path.to_owned(), KeyFile { pem: key.to_pem(), about: about.to_owned() });
        key
    }

    /// Signs and keeps a certificate.
    fn issue(&mut self, signer: &Authority, certificate: Draft<'_>) {
        let unsigned = certificate.profile.unsigned(signer.key.algorithm()).expect("the profiles can be encoded");
        let der = unsigned.assemble(&signer.key.sign(unsigned.tbs_der()));
        self.certificates.push(TestCertificate {
            path: certificate.path,
            about: certificate.about.to_owned(),
            role: certificate.role,
            profile: certificate.profile,
            issuer: signer.certificate.clone(),
            key: certificate.key.to_owned(),
            verdict: certificate.verdict,
            der,
        });
    }
}

/// A certificate to be signed.
struct Draft<'a> {
    path: String,
    about: &'a str,
    role: Role,
    profile: CertificateProfile,
    key: &'a str,
    verdict: Verdict,
}
