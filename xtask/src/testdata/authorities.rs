//! The root and the issuing CAs. Called by `TestData::generate`.

use tashika::asn1::{CertificateProfile, Extensions, Name};

use super::keys::{Kind, TestKey};
use super::{Draft, Role, TestData, Verdict, names};

/// A CA with its key.
pub struct Authority {
    /// What is special about it; none for the root.
    pub spec: Option<&'static AuthoritySpec>,
    /// Its name: three of them share one.
    pub name: Name,
    /// Its key.
    pub key: TestKey,
    /// The path of its certificate.
    pub certificate: String,
}

/// An issuing CA of the table below.
pub struct AuthoritySpec {
    /// Its folder.
    pub folder: &'static str,
    /// The kind of its key and of the keys below it.
    pub kind: Kind,
    /// The population, as `card-sign`: names the issuer.
    pub population: &'static str,
    /// On what the certificates live.
    pub medium: TestMedium,
    /// What they are for.
    pub purpose: Purpose,
    /// The folder of the next generation under the same name, where there are several.
    pub next_generation: Option<&'static str>,
    /// The folder of the CA that issues the signer which is wrong here.
    pub stranger: &'static str,
}

/// On what the certificates of a CA live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestMedium {
    /// Distribution points by municipality.
    Card,
    /// Distribution points by shard.
    Phone,
}

/// What the certificates of a CA are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Logging in.
    Auth,
    /// Signing documents.
    Sign,
}

/// The issuing CAs: every algorithm, every medium with every purpose, and three generations under one name.
pub const SPECS: [AuthoritySpec; 6] = [
    AuthoritySpec {
        folder: "card-sign-g1-rsa2048",
        kind: Kind::Rsa2048,
        population: "card-sign",
        medium: TestMedium::Card,
        purpose: Purpose::Sign,
        next_generation: Some("card-sign-g2-p256"),
        stranger: "phone-sign-rsa2048",
    },
    AuthoritySpec {
        folder: "card-sign-g2-p256",
        kind: Kind::P256,
        population: "card-sign",
        medium: TestMedium::Card,
        purpose: Purpose::Sign,
        next_generation: Some("card-sign-g3-p384"),
        stranger: "phone-auth-p256",
    },
    AuthoritySpec {
        folder: "card-sign-g3-p384",
        kind: Kind::P384,
        population: "card-sign",
        medium: TestMedium::Card,
        purpose: Purpose::Sign,
        next_generation: Some("card-sign-g1-rsa2048"),
        stranger: "card-auth-p384",
    },
    AuthoritySpec {
        folder: "card-auth-p384",
        kind: Kind::P384,
        population: "card-auth",
        medium: TestMedium::Card,
        purpose: Purpose::Auth,
        next_generation: None,
        stranger: "card-sign-g3-p384",
    },
    AuthoritySpec {
        folder: "phone-auth-p256",
        kind: Kind::P256,
        population: "phone-auth",
        medium: TestMedium::Phone,
        purpose: Purpose::Auth,
        next_generation: None,
        stranger: "card-sign-g2-p256",
    },
    AuthoritySpec {
        folder: "phone-sign-rsa2048",
        kind: Kind::Rsa2048,
        population: "phone-sign",
        medium: TestMedium::Phone,
        purpose: Purpose::Sign,
        next_generation: None,
        stranger: "card-sign-g1-rsa2048",
    },
];

/// The root, P-384.
pub fn add_root(data: &mut TestData) -> Authority {
    let root = Authority {
        spec: None,
        name: names::service(&["Root CA"]),
        key: data.key("root.key", Kind::P384, "of the root"),
        certificate: "root.pem".to_owned(),
    };
    add_self_signed(data, &root, "root.key", "the root of every good chain here", Verdict::Good);
    root
}

/// A CA that signs its own certificate.
pub fn add_self_signed(data: &mut TestData, authority: &Authority, key: &str, about: &str, verdict: Verdict) {
    let public = authority.key.public();
    let profile = CertificateProfile {
        serial: names::serial(&authority.certificate),
        issuer: authority.name.clone(),
        validity: names::validity(names::AUTHORITY_YEARS),
        subject: authority.name.clone(),
        extensions: Extensions::for_authority(&public, &public, None),
        public_key: public,
    };
    let path = authority.certificate.clone();
    data.issue(authority, Draft { path, about, role: Role::Authority, profile, key, verdict });
}

/// An issuing CA below the root.
pub fn add(data: &mut TestData, root: &Authority, spec: &'static AuthoritySpec) -> Authority {
    let key_path = format!("{}/issuer.key", spec.folder);
    let authority = Authority {
        spec: Some(spec),
        name: spec.name(),
        key: data.key(&key_path, spec.kind, "of the CA"),
        certificate: format!("{}/issuer.pem", spec.folder),
    };
    let (public, issuer) = (authority.key.public(), root.key.public());
    let profile = CertificateProfile {
        serial: names::serial(&authority.certificate),
        issuer: root.name.clone(),
        validity: names::validity(names::AUTHORITY_YEARS),
        subject: authority.name.clone(),
        extensions: Extensions {
            crl_distribution_points: vec![names::scope("root")],
            authority_access: names::access("root"),
            ..Extensions::for_authority(&public, &issuer, Some(0))
        },
        public_key: public,
    };
    let about = spec.about();
    let path = authority.certificate.clone();
    let draft = Draft { path, about: &about, role: Role::Authority, profile, key: &key_path, verdict: Verdict::Good };
    data.issue(root, draft);
    authority
}

/// The CA of that folder.
pub fn find<'a>(authorities: &'a [Authority], folder: &str) -> &'a Authority {
    let is_it = |authority: &&Authority| authority.spec.is_some_and(|spec| spec.folder == folder);
    authorities.iter().find(is_it).expect("the table names its own folders")
}

impl AuthoritySpec {
    fn name(&self) -> Name {
        let (medium, purpose) = match (self.medium, self.purpose) {
            (TestMedium::Card, Purpose::Auth) => ("card", "login"),
            (TestMedium::Card, Purpose::Sign) => ("card", "signature"),
            (TestMedium::Phone, Purpose::Auth) => ("phone", "login"),
            (TestMedium::Phone, Purpose::Sign) => ("phone", "signature"),
        };
        names::service(&[&format!("For {purpose} by {medium}"), "Agency of Fictional Municipalities"])
    }

    /// The last arc of the policy that its leaves are issued under.
    pub fn policy(&self) -> u32 {
        match (self.medium, self.purpose) {
            (TestMedium::Card, Purpose::Sign) => 1,
            (TestMedium::Card, Purpose::Auth) => 2,
            (TestMedium::Phone, Purpose::Sign) => 3,
            (TestMedium::Phone, Purpose::Auth) => 4,
        }
    }

    fn about(&self) -> String {
        let kind = match self.kind {
            Kind::P256 => "P-256",
            Kind::P384 => "P-384",
            Kind::Rsa2048 => "RSA-2048",
        };
        match self.next_generation {
            None => format!("the CA {}, {kind}", self.population),
            Some(_) => format!("one of three key generations of {} under one name, {kind}", self.population),
        }
    }
}
