//! Who acts, as it is written: `ORG/PERSON`, on the command line (`--as`) and in what is sent to the admin listener.

use std::str::FromStr;

use crate::model::{Book, Municipality, Operator, Role};

/// An organisation and maybe a person, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The organisation.
    pub org: Org,
    /// The person or terminal.
    pub person: Option<String>,
}

/// Organisations as they are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Org {
    /// Reads only.
    Auditor,
    /// The CA behind an issuer of that name.
    Ca(String),
    /// The loss call centre.
    CallCentre,
    /// A carrier.
    Carrier(Operator),
    /// A holder.
    Holder,
    /// Operations.
    Ops,
    /// The resident registry.
    Registry,
    /// The download manager.
    SpTsm,
    /// A municipal window.
    Window(Option<Municipality>),
}

impl Org {
    /// The role that this names; a CA is looked up by its issuer's name. `Err` is the name of one that is unknown.
    pub fn role(&self, book: &Book) -> Result<Role, String> {
        Ok(match self {
            Self::Auditor => Role::Auditor,
            Self::Ca(issuer) => Role::Ca(book.issuer_named(issuer).ok_or_else(|| issuer.clone())?.no),
            Self::CallCentre => Role::CallCentre,
            Self::Carrier(operator) => Role::Carrier(*operator),
            Self::Holder => Role::Holder { presented: None },
            Self::Ops => Role::Ops,
            Self::Registry => Role::Registry,
            Self::SpTsm => Role::SpTsm,
            Self::Window(municipality) => Role::Window(*municipality),
        })
    }
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (org, person) = match text.split_once('/') {
            None => (text, None),
            Some((_, "")) => return Err("the person after '/' is missing".into()),
            Some((org, person)) => (org, Some(person.to_owned())),
        };
        Ok(Self { org: org.parse()?, person })
    }
}

impl FromStr for Org {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, of) = text.split_once(':').map_or((text, None), |(name, of)| (name, Some(of)));
        Ok(match (name, of) {
            ("auditor", None) => Self::Auditor,
            ("ca", Some(issuer)) if !issuer.is_empty() => Self::Ca(issuer.to_owned()),
            ("ca", _) => return Err("which CA: write ca:ISSUER".into()),
            ("call-centre", None) => Self::CallCentre,
            ("carrier", Some(operator)) => Self::Carrier(operator.parse().map_err(|error| format!("{error}"))?),
            ("carrier", None) => return Err("which carrier: write carrier:OPERATOR".into()),
            ("holder", None) => Self::Holder,
            ("ops", None) => Self::Ops,
            ("registry", None) => Self::Registry,
            ("sp-tsm", None) => Self::SpTsm,
            ("window", None) => Self::Window(None),
            ("window", Some(code)) => Self::Window(Some(municipality(code)?)),
            _ => return Err(format!("'{text}' is not one of {ORGS}")),
        })
    }
}

/// A municipality's code.
pub fn municipality(code: &str) -> Result<Municipality, String> {
    match code.parse() {
        Ok(code @ 1..) => Ok(Municipality(code)),
        _ => Err(format!("'{code}' is not a municipality's code such as 13101")),
    }
}

const ORGS: &str =
    "window[:MUNICIPALITY], call-centre, carrier:OPERATOR, holder, registry, sp-tsm, ca:ISSUER, ops, auditor";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisations_are_read_as_they_are_written() {
        let who: Who = "window:13101/tanaka".parse().unwrap();
        assert_eq!(who, Who { org: Org::Window(Some(Municipality(13_101))), person: Some("tanaka".into()) });
        assert_eq!("ca:card-sign".parse::<Who>().unwrap().org, Org::Ca("card-sign".into()));
        let who: Who = "carrier:mno-1/shop/7".parse().unwrap();
        assert_eq!(who.person.as_deref(), Some("shop/7"));
        for wrong in
            ["", "windows", "window:", "window:0", "ca", "ca:", "carrier", "carrier:MNO", "ops/", "ops:1", "system"]
        {
            assert!(wrong.parse::<Who>().is_err(), "{wrong}");
        }
    }
}
