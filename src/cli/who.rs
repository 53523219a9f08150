//! Who acts: `--as ORG/PERSON` and `--presenting MEDIUM`, for every verb that changes something.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::str::FromStr;

use clap::Args;

use crate::app::pseudonym::Named;
use crate::ledger::Wanted;
use crate::model::{Actor, Channel, HolderId, MediumId, Municipality, Operator, PersonId, Refusal, Role};

use super::error::CliError;
use super::house::House;

/// Who acts.
#[derive(Clone, Debug, Default, Args)]
pub struct Acting {
    /// Who acts, such as window:13101/tanaka or ops/suzuki (see 'tashika --help').
    #[arg(long = "as", value_name = "ORG/PERSON")]
    pub who: Option<Who>,
}

/// Who acts on somebody's certificates; a holder shows one of their media.
#[derive(Clone, Debug, Default, Args)]
pub struct Sender {
    #[command(flatten)]
    acting: Acting,
    /// The medium that the holder shows (with --as holder).
    #[arg(long, value_name = "MEDIUM")]
    presenting: Option<String>,
}

/// An organisation and maybe a person, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The organisation.
    pub org: Org,
    /// The person or terminal.
    pub person: Option<String>,
}

/// Organisations as they are named on the command line.
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

impl Acting {
    /// The actor; `usual` unless told otherwise.
    pub fn actor(&self, house: &mut House, usual: Org) -> Result<Actor, CliError> {
        self.who.clone().unwrap_or(Who { org: usual, person: None }).actor(house)
    }
}

impl Sender {
    /// The actor; `usual` unless told otherwise.
    pub fn actor(&self, house: &mut House, usual: Org) -> Result<Actor, CliError> {
        let mut actor = self.acting.actor(house, usual)?;
        if let Some(medium) = &self.presenting {
            let Role::Holder { presented } = &mut actor.role else {
                let why = "--presenting says what a holder shows: use it with --as holder/PERSON";
                return Err(CliError::Usage(why.into()));
            };
            let medium = MediumId(house.pseudonym(Named::Medium, medium)?);
            *presented = Some(medium);
            self.must_own(medium, &actor, house)?;
        }
        Ok(actor)
    }
}

impl Sender {
    /// Whoever says that they are a holder shows a medium of just that holder's: the desk only asks whether it is one of
    /// those on which they act.
    fn must_own(&self, medium: MediumId, actor: &Actor, house: &mut House) -> Result<(), CliError> {
        let named = self.acting.who.as_ref().and_then(|who| who.person.as_deref());
        let Some(named) = named else {
            return Err(CliError::Usage("say which holder shows it: --as holder/ID, by their identifier".into()));
        };
        let holder = HolderId(house.pseudonym(Named::Holder, named)?);
        let wanted = Wanted { media: vec![medium], ..Wanted::default() };
        let on_medium = house.ledger().find(&wanted)?.entries;
        if on_medium.iter().any(|entry| entry.certificate.holder == holder) {
            return Ok(());
        }
        let why = "the medium that was shown belongs to somebody else";
        Err(Refusal::NotCompetent { role: actor.role, why }.into())
    }
}

impl Who {
    /// The actor that this names.
    pub fn actor(&self, house: &mut House) -> Result<Actor, CliError> {
        let role = match &self.org {
            Org::Auditor => Role::Auditor,
            Org::Ca(issuer) => Role::Ca(house.issuer(issuer)?.no),
            Org::CallCentre => Role::CallCentre,
            Org::Carrier(operator) => Role::Carrier(*operator),
            Org::Holder => Role::Holder { presented: None },
            Org::Ops => Role::Ops,
            Org::Registry => Role::Registry,
            Org::SpTsm => Role::SpTsm,
            Org::Window(municipality) => Role::Window(*municipality),
        };
        let person = self.person.clone().unwrap_or_else(system_user);
        let person = PersonId(house.pseudonym(Named::Person, &person)?);
        Ok(Actor { role, person, channel: Channel::Cli })
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

/// The user who logged in, also behind `sudo`; else the one that the process runs as.
pub fn system_user() -> String {
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|uid| uid.trim().parse::<u32>().ok());
    let process = fs::metadata("/proc/self").map(|process| process.uid()).ok();
    let uid = login.filter(|uid| *uid != u32::MAX).or(process).unwrap_or(u32::MAX);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut columns = line.split(':');
        let name = columns.next()?;
        (columns.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {uid}"))
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

    #[test]
    fn the_system_knows_who_runs_this() {
        assert!(!system_user().is_empty());
    }
}
