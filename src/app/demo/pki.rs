//! The demonstration's certificates and keys, made at run time: a root, the CAs, the combined CRL's issuer, and for each
//! CA the signer of its answers and five leaves to try things on. What is there stays; what is missing is made.
//!
//! Called by `up`. Keys are made and used through `keys`; none leaves its file.

use std::fs;

use zeroize::Zeroizing;

use crate::app::{clock, compose};
use crate::asn1::{
    Asn1Error, CertificateFields, CertificateProfile, DistributionPoint, Extensions, Name, NameAttribute, PublicKey,
    SignatureAlgorithm, Validity, to_pem, verifies,
};
use crate::keys::{Algorithm, KeyError, Signer};
use crate::model::{Seconds, Serial, Time, Usage};

use super::error::DemoError;
use super::folder::{Folder, Readers, at};
use super::places::{self, CAS, Ca};
use super::root_crl;
use super::signer;

/// Everything that was made or found.
pub(super) struct Pki {
    /// The CAs, in the order of [`CAS`].
    pub authorities: Vec<Issued>,
    /// When the country was founded: all sample certificates are dated from it.
    pub founded: Time,
}

/// One CA with its leaves.
pub(super) struct Issued {
    /// Which.
    pub ca: Ca,
    /// Its certificate, PEM.
    pub pem: String,
    /// Its leaves, in the order of [`LEAVES`].
    pub leaves: Vec<CertificateFields>,
}

/// A leaf to try things on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Its validity has ended.
    Expired,
    /// In use.
    Good,
    /// Held.
    Held,
    /// Revoked.
    Revoked,
    /// Validly signed, and never registered.
    Unissued,
}

/// Whoever issues certificates here.
pub(super) struct Authority {
    /// Its name.
    pub name: Name,
    key: Box<dyn Signer>,
    /// Its public key.
    pub public: PublicKey,
}

impl Leaf {
    /// Its file's name, and its holder's in the demonstration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Good => "good",
            Self::Held => "held",
            Self::Revoked => "revoked",
            Self::Unissued => "unissued",
        }
    }
}

/// Makes what is missing.
pub(super) fn make(folder: &Folder, public_url: &str, now: Time) -> Result<Pki, DemoError> {
    let root_key = key(folder, FIRST)?;
    let root_public = public_of(FIRST, &*root_key)?;
    let root = Authority { name: in_file("demo/root.pem", places::root())?, key: root_key, public: root_public };
    let profile = |validity| authority_profile(&root, &root, Some(1), validity);
    let fields = certificate(folder, "demo/root.pem", &root, || profile(years(now, YEARS_BACK, 20)))?;
    let founded = fields.validity.not_before + Seconds::days(YEARS_BACK * DAYS_PER_YEAR);

    root_crl::make(folder, &fields, &*root.key, now)?;
    let combined = "demo/combined/issuer";
    let combined_name = in_file(combined, places::combined())?;
    let combined_public = public_of(combined, &*key(folder, &format!("{combined}.key"))?)?;
    certificate(folder, &format!("{combined}.pem"), &root, || {
        Ok(CertificateProfile {
            serial: fresh_serial()?,
            issuer: root.name.clone(),
            validity: years(founded, 0, 10),
            subject: combined_name,
            extensions: Extensions::for_crl_signer(&combined_public, &root.public),
            public_key: combined_public,
        })
    })?;

    let authorities =
        CAS.iter().map(|ca| issued(folder, *ca, &root, public_url, (founded, now))).collect::<Result<_, _>>()?;
    Ok(Pki { authorities, founded })
}

/// The URL that the certificates already made lead to, if there are any.
pub(super) fn named_url(folder: &Folder) -> Result<Option<String>, DemoError> {
    let first = format!("demo/{}/{}.pem", CAS[0].name, LEAVES[0].name());
    if !folder.has(&first) {
        return Ok(None);
    }
    let fields = read(folder, &first)?;
    let url = fields.extensions.authority_access.ocsp.first().and_then(|url| url.strip_suffix("/ocsp"));
    Ok(url.map(str::to_owned))
}

/// One CA, its leaves, and the signer of its answers.
fn issued(
    folder: &Folder,
    ca: Ca,
    root: &Authority,
    public_url: &str,
    (founded, now): (Time, Time),
) -> Result<Issued, DemoError> {
    let file = format!("demo/{}/issuer", ca.name);
    let signer = key(folder, &format!("{file}.key"))?;
    let public = public_of(&file, &*signer)?;
    let authority = Authority { name: in_file(&file, ca.distinguished())?, key: signer, public };
    let pem = format!("{file}.pem");
    let profile = || authority_profile(&authority, root, Some(0), years(founded, YEARS_BACK, 15));
    let fields = certificate(folder, &pem, root, profile)?;
    signer::make(folder, ca, &authority, fields.validity, founded, now)?;
    signer::lend_key(folder, ca, &format!("{file}.key"))?;
    let mut leaves = Vec::with_capacity(LEAVES.len());
    for leaf in LEAVES {
        leaves.push(issued_leaf(folder, ca, leaf, &authority, public_url, founded)?);
    }
    let path = folder.file(&pem);
    Ok(Issued { ca, pem: fs::read_to_string(&path).map_err(at(&path))?, leaves })
}

fn issued_leaf(
    folder: &Folder,
    ca: Ca,
    leaf: Leaf,
    authority: &Authority,
    public_url: &str,
    founded: Time,
) -> Result<CertificateFields, DemoError> {
    let file = format!("demo/{}/{}", ca.name, leaf.name());
    let public = public_of(&file, &*key(folder, &format!("{file}.key"))?)?;
    certificate(folder, &format!("{file}.pem"), authority, || {
        let base = match ca.usage {
            Usage::Auth => Extensions::for_authentication(&public, &authority.public),
            Usage::Sign => Extensions::for_signature(&public, &authority.public),
        };
        let asn1 = |source| DemoError::Certificate { path: file.clone(), source };
        // All leaves lie in the first scope, so that one CRL shows them side by side.
        let scopes = ca.scopes(public_url).map_err(asn1)?;
        let own = DistributionPoint::own(scopes[0].point.clone());
        let serial = fresh_serial()?;
        // Opaque, as AUTH certificates are: no person is named.
        let subject = authority.name.with(&[(NameAttribute::SerialNumber, &format!("{}-{serial}", leaf.name()))]);
        Ok(CertificateProfile {
            serial,
            issuer: authority.name.clone(),
            validity: if leaf == Leaf::Expired { years(founded, 6, 0) } else { years(founded, 0, 5) },
            subject: subject.map_err(asn1)?,
            extensions: Extensions {
                crl_distribution_points: vec![own, places::combined_point(public_url).map_err(asn1)?],
                authority_access: ca.access(public_url),
                ..base
            },
            public_key: public.clone(),
        })
    })
}

fn authority_profile(
    authority: &Authority,
    issuer: &Authority,
    path_length: Option<u8>,
    validity: Validity,
) -> Result<CertificateProfile, DemoError> {
    Ok(CertificateProfile {
        serial: fresh_serial()?,
        issuer: issuer.name.clone(),
        validity,
        subject: authority.name.clone(),
        extensions: Extensions::for_authority(&authority.public, &issuer.public, path_length),
        public_key: authority.public.clone(),
    })
}

/// The certificate in a file, made and signed first if it is missing; checked either way.
pub(super) fn certificate(
    folder: &Folder,
    name: &str,
    issuer: &Authority,
    profile: impl FnOnce() -> Result<CertificateProfile, DemoError>,
) -> Result<CertificateFields, DemoError> {
    if !folder.has(name) {
        renewed(folder, name, issuer, profile)?;
    }
    let fields = read(folder, name)?;
    // What was signed is read back and verified, whether it was signed just now or a year ago.
    let verified = verifies(&issuer.public, SignatureAlgorithm::EcdsaSha256, fields.tbs_der(), &fields.signature);
    if fields.issuer != issuer.name || !verified {
        let why = "it was not signed by the CA beside it";
        return Err(DemoError::Stranger { path: folder.file(name).display().to_string(), why });
    }
    Ok(fields)
}

/// Makes and signs a certificate, in the place of any that is there.
pub(super) fn renewed(
    folder: &Folder,
    name: &str,
    issuer: &Authority,
    profile: impl FnOnce() -> Result<CertificateProfile, DemoError>,
) -> Result<(), DemoError> {
    let unsigned = in_file(name, profile()?.unsigned(SignatureAlgorithm::EcdsaSha256))?;
    let der = unsigned.assemble(&issuer.key.sign(unsigned.tbs_der())?);
    folder.write(name, Readers::Public, &to_pem("CERTIFICATE", &der))
}

/// What a certificate's file says.
pub(super) fn read(folder: &Folder, name: &str) -> Result<CertificateFields, DemoError> {
    let path = folder.file(name);
    let text = fs::read(&path).map_err(at(&path))?;
    CertificateFields::from_file(&text)
        .map_err(|source| DemoError::Certificate { path: path.display().to_string(), source })
}

/// The key in a file, made first if it is missing and nothing was signed for it yet.
pub(super) fn key(folder: &Folder, name: &str) -> Result<Box<dyn Signer>, DemoError> {
    if !folder.has(name) {
        if folder.has(&name.replace(".key", ".pem")) {
            let why = "the certificate is there and its key is missing";
            return Err(DemoError::Stranger { path: folder.file(name).display().to_string(), why });
        }
        folder.place(name, |draft| -> Result<(), KeyError> {
            let entropy = Zeroizing::new(clock::entropy());
            match compose::create_p256_key(draft, &entropy) {
                // One draw in 2³² is no key; the next one is.
                Err(KeyError::Failed) => compose::create_p256_key(draft, &Zeroizing::new(clock::entropy())),
                other => other,
            }
        })?;
    }
    let key = compose::open_signing_key(&folder.file(name), None)?;
    if key.algorithm() != Algorithm::EcdsaP256 {
        let why = "the demonstration's keys are P-256 keys, and this is another";
        return Err(DemoError::Stranger { path: folder.file(name).display().to_string(), why });
    }
    Ok(key)
}

pub(super) fn public_of(file: &str, key: &dyn Signer) -> Result<PublicKey, DemoError> {
    in_file(file, PublicKey::from_der(key.public_key()))
}

pub(super) fn in_file<T>(file: &str, result: Result<T, Asn1Error>) -> Result<T, DemoError> {
    result.map_err(|source| DemoError::Certificate { path: file.to_owned(), source })
}

/// Sixteen octets of entropy, no sign among them.
pub(super) fn fresh_serial() -> Result<Serial, DemoError> {
    let mut octets: [u8; 16] = clock::entropy();
    octets[0] = octets[0] & 0x3f | 0x40;
    Ok(Serial::from_unsigned(&octets)?)
}

/// From so many years before `at` to so many after; what ends before `at` does so by one more year.
pub(super) fn years(at: Time, before: u32, after: u32) -> Validity {
    let span = |years: u32| Seconds::days(years * DAYS_PER_YEAR);
    let not_after = if after == 0 { at - span(1) } else { at + span(after) };
    Validity { not_before: at - span(before), not_after }
}

/// The leaves of each CA.
/// The first file that is made.
pub(super) const FIRST: &str = "demo/root.key";
pub(super) const LEAVES: [Leaf; 5] = [Leaf::Good, Leaf::Revoked, Leaf::Held, Leaf::Unissued, Leaf::Expired];
/// The CAs are that much older than the demonstration, so that an expired certificate lies within their time.
const YEARS_BACK: u32 = 8;
const DAYS_PER_YEAR: u32 = 365;
