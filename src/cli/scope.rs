//! `scope`: CRL scopes, one for each distribution point that an issuer's certificates name.

use std::fs;
use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::asn1::{CertificateFields, DistributionPointName, Name, NameAttribute};
use crate::desk::Task;
use crate::model::{Issuer, Scope, ScopeNo};

use super::describe::{self, point_text};
use super::error::CliError;
use super::house::House;
use super::reply::Reply;
use super::table::table;
use super::who::{Acting, Org};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add a CRL scope to an issuer.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// List the CRL scopes.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only this issuer's.
        #[arg(long, value_name = "NAME")]
        issuer: Option<String>,
    },
}

/// `scope add`.
#[derive(Debug, Args)]
pub struct Add {
    /// Whose certificates.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The distribution point that they name: a URI, 'C=JP, O=…, CN=…', or @CERT.pem [default: none, no IDP].
    #[arg(long, value_name = "DP")]
    cdp: Option<String>,
    /// Where its CRLs are served, below /crl/.
    #[arg(long, value_parser = check_path)]
    path: String,
    #[command(flatten)]
    acting: Acting,
}

impl Verb {
    /// Runs it.
    pub fn run(self, house: &mut House) -> Result<Reply, CliError> {
        match self {
            Self::Add(add) => {
                house.may_change()?;
                let authority = house.issuer(&add.issuer)?;
                let distribution_point = match &add.cdp {
                    Some(text) => point(text, &authority)?,
                    None => Vec::new(),
                };
                let issuer = authority.no;
                let actor = add.acting.actor(house, Org::Ops)?;
                let scope = Scope { no: ScopeNo(0), issuer, distribution_point, path: add.path };
                let outcome = house.submit(&Task::AddScope { actor, scope })?;
                describe::outcome(house.ledger(), &house.book()?, outcome)
            }
            Self::List { issuer } => list(house, issuer.as_deref()),
        }
    }
}

fn list(house: &House, only: Option<&str>) -> Result<Reply, CliError> {
    let book = house.book()?;
    let only = only.map(|name| house.issuer(name)).transpose()?;
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for scope in book.scopes.iter().filter(|scope| only.as_ref().is_none_or(|issuer| issuer.no == scope.issuer)) {
        let issuer = book.issuer(scope.issuer).map(|issuer| issuer.name.clone()).unwrap_or_default();
        let point = point_text(&scope.distribution_point);
        rows.push(vec![issuer.clone(), scope.path.clone(), point.clone().unwrap_or_else(|| "all, without IDP".into())]);
        json.push(json!({ "issuer": issuer, "path": scope.path, "distribution_point": point }));
    }
    let text = table(&["issuer", "path", "distribution point"], &rows, "no CRL scopes");
    Ok(Reply::done(text, json!({ "scopes": Value::Array(json) })))
}

/// What `--cdp` names, as the octets that stand in certificates.
fn point(text: &str, issuer: &Issuer) -> Result<Vec<u8>, CliError> {
    let usage = |why: String| CliError::Usage(format!("--cdp '{text}': {why}"));
    if let Some(file) = text.strip_prefix('@') {
        return point_of(Path::new(file), issuer);
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let point = match scheme {
        Some("http" | "https" | "ldap" | "ldaps" | "ftp") => DistributionPointName::uri(text),
        _ => directory_name(text).map_err(usage).map(|name| Ok(DistributionPointName::directory(&name)))?,
    };
    Ok(point.map_err(|error| usage(error.to_string()))?.as_der().to_vec())
}

/// The one distribution point of a certificate whose CRL its own issuer signs.
fn point_of(file: &Path, issuer: &Issuer) -> Result<Vec<u8>, CliError> {
    let octets = fs::read(file).map_err(|error| CliError::io(file, error))?;
    let fields = CertificateFields::from_file(&octets)
        .map_err(|source| CliError::Certificate { file: file.to_owned(), source })?;
    must_be_of(file, &fields, issuer)?;
    let own = fields.extensions.crl_distribution_points.iter().filter(|point| point.crl_issuer.is_none());
    let names: Vec<_> = own.filter_map(|point| point.name.as_ref()).collect();
    match names[..] {
        [one] => Ok(one.as_der().to_vec()),
        _ => {
            let why = format!("it has {} distribution points of its own issuer, not one: write it out", names.len());
            Err(CliError::Contents { file: file.to_owned(), why })
        }
    }
}

/// A distribution point taken from another CA's certificate would be a scope that none of the issuer's names.
fn must_be_of(file: &Path, fields: &CertificateFields, issuer: &Issuer) -> Result<(), CliError> {
    let wrong = |why: String| CliError::Contents { file: file.to_owned(), why };
    let authority = CertificateFields::from_der(&issuer.certificate)
        .map_err(|source| wrong(format!("the certificate of {} can't be read: {source}", issuer.name)))?;
    if fields.issuer != authority.subject {
        return Err(wrong(format!("it was not issued by {} (its issuer name differs)", issuer.name)));
    }
    let own_id = authority.public_key.key_identifier();
    match &fields.extensions.authority_key_id {
        Some(id) if *id != own_id && Some(id) != authority.extensions.subject_key_id.as_ref() => Err(wrong(format!(
            "it was not issued by {} (another key generation: its authority key identifier differs)",
            issuer.name
        ))),
        _ => Ok(()),
    }
}

/// `C=JP, O=Example, CN=…`, the most general first, as certificates are printed. A comma within a value is `\,`.
fn directory_name(text: &str) -> Result<Name, String> {
    let separated = text.replace("\\,", "\u{0}");
    let pairs: Vec<(NameAttribute, String)> = separated
        .split(',')
        .map(|pair| {
            let (label, value) = pair.trim().split_once('=').ok_or("neither a URI nor a name such as C=JP, CN=x")?;
            Ok((attribute(label.trim())?, value.trim().replace('\u{0}', ",")))
        })
        .collect::<Result<_, String>>()?;
    let pairs: Vec<_> = pairs.iter().map(|(attribute, value)| (*attribute, value.as_str())).collect();
    Name::new(&pairs).map_err(|error| error.to_string())
}

fn attribute(label: &str) -> Result<NameAttribute, String> {
    Ok(match label.to_ascii_uppercase().as_str() {
        "C" => NameAttribute::Country,
        "CN" => NameAttribute::CommonName,
        "L" => NameAttribute::Locality,
        "O" => NameAttribute::Organization,
        "OU" => NameAttribute::OrganizationalUnit,
        "SERIALNUMBER" => NameAttribute::SerialNumber,
        "ST" => NameAttribute::State,
        _ => return Err(format!("'{label}' is not one of C, ST, L, O, OU, CN, serialNumber: use @CERT.pem")),
    })
}

/// A path below `/crl/` that can stand in a URL as it is, and that nothing else is served under.
pub fn check_path(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
    };
    if text.is_empty() || text.len() > 255 || !text.split('/').all(part) {
        return Err(
            "a path has parts of A-Z, a-z, 0-9, '.', '-' and '_' between slashes, 255 characters at most".into()
        );
    }
    if RESERVED.contains(&text) {
        return Err(format!("'{text}' is kept for the house itself, as are {}", RESERVED.join(", ")));
    }
    Ok(text.to_owned())
}

/// Served below `/crl/` by the house itself.
const RESERVED: [&str; 5] = ["root", "combined", "index.json", "index.json.p7s", "bundle.tar.zst"];

const LIST_EXAMPLES: &str = "\
Examples:
  tashika scope list
  tashika scope list --issuer card-sign --json";

const ADD_EXAMPLES: &str = "\
Examples:
  tashika scope add --issuer card-sign --cdp 'C=JP, O=Example, OU=Chiyoda-ku' --path card-sign-13101
  tashika scope add --issuer phone-auth --cdp http://crl.example.jp/crl/phone-auth-07.crl --path phone-auth-07
  tashika scope add --issuer card-sign --cdp @leaf.pem --path card-sign-13101

A scope is named in the certificates and never changes: the distribution point must be the same octet for octet,
which @CERT.pem makes sure of.";

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Issuer {
        Issuer {
            no: crate::model::IssuerNo(1),
            name: "x".into(),
            certificate: Vec::new(),
            name_sha1: [0; 20],
            key_sha1: [0; 20],
            name_sha256: [0; 32],
            key_sha256: [0; 32],
        }
    }

    #[test]
    fn directory_names_are_read_as_they_are_printed() {
        let text = "C=JP, O=Hana\\, Mizu, CN=Chiyoda-ku";
        let der = point(text, &nobody()).unwrap();
        let name = directory_name(text).unwrap();
        assert_eq!(der, DistributionPointName::directory(&name).as_der());
        assert_eq!(point_text(&der).unwrap(), name.to_string());
        for wrong in ["chiyoda", "X=1", "", "C=JP,", "C=JPN"] {
            assert!(point(wrong, &nobody()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_stay_where_they_are_served() {
        for good in ["card-sign", "crls/card/13101", "A_b.crl"] {
            assert_eq!(check_path(good).unwrap(), good);
        }
        for wrong in ["", "/x", "x/", "../x", "a//b", "a b", "root", "combined", "index.json", "a/./b", "%41"] {
            assert!(check_path(wrong).is_err(), "{wrong}");
        }
    }
}
