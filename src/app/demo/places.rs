//! The demonstration's country: its CAs, towns and shards, and where its certificates say they are listed.
//!
//! All of it is fictional. Used by the other files of the demonstration.

use crate::asn1::NameAttribute::{CommonName, Country, Organization, OrganizationalUnit};
use crate::asn1::{Asn1Error, AuthorityAccess, DistributionPoint, DistributionPointName, Name};
use crate::model::{MediumKind, Municipality, Usage};

/// An issuing CA of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ca {
    /// The name that commands, files and URLs use.
    pub name: &'static str,
    /// Its common name.
    pub title: &'static str,
    /// What its certificates are for.
    pub usage: Usage,
    /// What carries their keys.
    pub medium: MediumKind,
}

/// A municipality.
#[derive(Clone, Copy, Debug)]
pub(super) struct Town {
    /// Its code, above those that are in use.
    pub code: Municipality,
    /// Its name.
    pub name: &'static str,
}

/// One CRL scope of a CA.
#[derive(Clone, Debug)]
pub(super) struct DemoScope {
    /// Where it is served, and its name.
    pub path: String,
    /// What certificates of the scope say.
    pub point: DistributionPointName,
}

impl Ca {
    /// Its distinguished name.
    pub fn distinguished(self) -> Result<Name, Asn1Error> {
        service(self.title)
    }

    /// The name of who signs its answers.
    pub fn signer(self) -> Result<Name, Asn1Error> {
        service(&format!("{} OCSP signer", self.title))
    }

    /// Its scopes: a town's for cards, a shard's for phones.
    pub fn scopes(self, public_url: &str) -> Result<Vec<DemoScope>, Asn1Error> {
        match self.medium {
            MediumKind::Card => TOWNS
                .iter()
                .map(|town| {
                    let path = format!("{}-{}", self.name, town.code);
                    let name = self.distinguished()?.with(&[(OrganizationalUnit, POINTS), (CommonName, town.name)])?;
                    Ok(DemoScope { path, point: DistributionPointName::directory(&name) })
                })
                .collect(),
            MediumKind::EseAndroid | MediumKind::SeApple | MediumKind::Sim => (0..SHARDS)
                .map(|shard| {
                    let path = format!("{}-{shard}", self.name);
                    let point = crl_address(public_url, &path)?;
                    Ok(DemoScope { path, point })
                })
                .collect(),
        }
    }

    /// Where its certificates can be asked about.
    pub fn access(self, public_url: &str) -> AuthorityAccess {
        AuthorityAccess {
            ocsp: vec![ocsp_address(public_url)],
            ca_issuers: vec![format!("{public_url}/ca/{}.cer", self.name)],
        }
    }
}

/// Where OCSP requests go.
pub(super) fn ocsp_address(public_url: &str) -> String {
    format!("{public_url}/ocsp")
}

/// The second distribution point of every certificate: RFC 5280 §6.3.3 lets the combined CRL count only if it names
/// that CRL's issuer.
pub(super) fn combined_point(public_url: &str) -> Result<DistributionPoint, Asn1Error> {
    Ok(DistributionPoint::indirect(crl_address(public_url, "combined")?, combined()?))
}

/// The name of the root.
pub(super) fn root() -> Result<Name, Asn1Error> {
    service("Demonstration Root")
}

/// The name of the combined CRL's issuer.
pub(super) fn combined() -> Result<Name, Asn1Error> {
    service("Demonstration Combined CRL")
}

fn crl_address(public_url: &str, path: &str) -> Result<DistributionPointName, Asn1Error> {
    DistributionPointName::uri(&format!("{public_url}/crl/{path}.crl"))
}

fn service(title: &str) -> Result<Name, Asn1Error> {
    Name::new(&[
        (Country, "JP"),
        (Organization, "Tashika Demonstration"),
        (OrganizationalUnit, "Not for use outside of demonstrations"),
        (CommonName, title),
    ])
}

/// The issuing CAs, in the order in which their certificates are registered: a phone's names the card's before it.
pub(super) const CAS: [Ca; 3] = [
    Ca { name: "card-sign", title: "Demonstration Card SIGN CA", usage: Usage::Sign, medium: MediumKind::Card },
    Ca { name: "card-auth", title: "Demonstration Card AUTH CA", usage: Usage::Auth, medium: MediumKind::Card },
    Ca { name: "phone-auth", title: "Demonstration Phone AUTH CA", usage: Usage::Auth, medium: MediumKind::Sim },
];

/// The towns. The codes begin above those of the 47 prefectures.
pub(super) const TOWNS: [Town; 6] = [
    Town { code: Municipality(91_101), name: "Hanamizu-shi" },
    Town { code: Municipality(91_102), name: "Kawabe-cho" },
    Town { code: Municipality(91_103), name: "Yunohara-mura" },
    Town { code: Municipality(92_101), name: "Minatogawa-shi" },
    Town { code: Municipality(92_102), name: "Asagiri-shi" },
    Town { code: Municipality(92_103), name: "Tsukimi-cho" },
];

/// How many shards the phones' CRLs have.
pub(super) const SHARDS: u32 = 4;
const POINTS: &str = "CRL Distribution Points";
