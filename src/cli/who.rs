//! Who acts: `--as ORG/PERSON` and `--presenting MEDIUM`, for every verb that changes something.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use clap::Args;

use crate::app::pseudonym::Named;
pub use crate::app::who::{Org, Who, municipality};
use crate::ledger::Wanted;
use crate::model::{Actor, Channel, HolderId, MediumId, PersonId, Refusal, Role};

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

impl Acting {
    /// The actor; `usual` unless told otherwise.
    pub fn actor(&self, house: &mut House, usual: Org) -> Result<Actor, CliError> {
        named(self.who.as_ref().unwrap_or(&Who { org: usual, person: None }), house)
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

/// The actor that somebody names.
pub fn named(who: &Who, house: &mut House) -> Result<Actor, CliError> {
    let role = who.org.role(&house.book()?).map_err(CliError::NoIssuer)?;
    let person = who.person.clone().unwrap_or_else(system_user);
    let person = PersonId(house.pseudonym(Named::Person, &person)?);
    Ok(Actor { role, person, channel: Channel::Cli })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_knows_who_runs_this() {
        assert!(!system_user().is_empty());
    }
}
