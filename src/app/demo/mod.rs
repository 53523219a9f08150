//! The demonstration that `tashika up` makes: a PKI, an embedded ledger full of sample certificates, a configuration.
//!
//! Called by the command line. What is missing is made and what is there is left as it is, so that one run and ten, or
//! one broken off and the next, come to the same. Never touches a folder that isn't its own, never overwrites a key.

mod country;
mod error;
mod fill;
mod folder;
mod people;
mod pki;
mod places;
mod settings;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use error::DemoError;
pub use settings::Sockets;

use super::config::Config;
use super::pseudonym::Pseudonyms;
use super::witness::{self, Copy::Whole};
use super::{clock, compose};
use crate::desk::Desk;
use crate::keys::KeyError;
use crate::ledger::{CheckpointFile, LedgerError};

use country::Founding;
use folder::{Folder, Readers};
use people::People;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Where to.
    pub dir: PathBuf,
    /// The public listener, if it is named.
    pub listen: Option<std::net::SocketAddr>,
    /// The admin listener, if it is named.
    pub admin: Option<std::net::SocketAddr>,
    /// How relying parties reach the public listener, if not by its address.
    pub public_url: Option<String>,
    /// How many sample certificates.
    pub certificates: u64,
}

/// Keeps every other `up` out of the folder, as long as it lives.
#[derive(Debug)]
pub struct Held {
    _folder: Folder,
}

/// What is made at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// Keys, tokens and the configuration.
    Folder,
    /// The root, the CAs and their leaves.
    Certificates,
    /// The ledger with its issuers, scopes and leaves.
    Ledger,
    /// The sample certificates: so many are registered.
    Samples(u64),
}

/// Makes what is missing; tells `progress` what it is at.
pub fn make(wishes: &Wishes, progress: &mut dyn FnMut(Making)) -> Result<(Config, Sockets, Held), DemoError> {
    let now = clock::now();
    let folder = Folder::enter(&wishes.dir)?;
    progress(Making::Folder);
    let (config, sockets) = settings::settle(&folder, wishes)?;
    belong_together(&config)?;
    secrets(&folder)?;
    progress(Making::Certificates);
    let pki = pki::make(&folder, &config.public_url, now)?;
    progress(Making::Ledger);
    let names = Pseudonyms::open(&config.pseudonym_key)?;
    let ledger = country::open(&config, &names, now)?;
    let desk = Desk::new(ledger.clone(), config.policy.clone());
    let operators = OPERATORS.map(|name| name.parse().expect("they are short lower-case names"));
    let mut founding = Founding { desk, names: &names, public_url: &config.public_url, now };
    let cas = founding.found(&pki, operators[0])?;
    let cas = cas.try_into().expect("there are as many CAs as parts of a person's set");
    let people = People { cas, names: &names, founded: pki.founded, operators };
    let mut samples = |count| progress(Making::Samples(count));
    fill::fill(&*ledger, &people, &config.policy, wishes.certificates, now, &mut samples)?;
    Ok((config, sockets, Held { _folder: folder }))
}

/// Refuses to make keys beside a ledger that knows others, or a ledger beside checkpoints of another.
fn belong_together(config: &Config) -> Result<(), DemoError> {
    let stranger = |path: &Path, why| Err(DemoError::Stranger { path: path.display().to_string(), why });
    match compose::open_ledger(&config.ledger) {
        Ok(ledger) => match [&config.pseudonym_key, &config.checkpoint_key].into_iter().find(|key| !key.exists()) {
            Some(key) => stranger(key, "the ledger is there, and this key of it is missing"),
            // Before anything is registered in it.
            None => Ok(witness::compare(&*ledger, &CheckpointFile::at(&config.checkpoint_file), Whole)?),
        },
        Err(LedgerError::Missing(_)) if config.checkpoint_file.exists() => {
            let why = "it speaks of a ledger that is missing ('tashika ledger restore' brings a backup of it)";
            stranger(&config.checkpoint_file, why)
        }
        Err(LedgerError::Missing(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Renames a demonstration's folder, so that a new one can be made in its place; says where it is now.
pub fn set_aside(dir: &Path) -> Result<PathBuf, DemoError> {
    Folder::enter(dir)?.set_aside(&clock::now().to_string().replace(':', ""))
}

/// Keys and tokens, each made once.
fn secrets(folder: &Folder) -> Result<(), DemoError> {
    if !folder.has(TOKEN) {
        let octets: [u8; 32] = clock::entropy();
        let text: Zeroizing<String> = Zeroizing::new(octets.iter().map(|octet| format!("{octet:02x}")).collect());
        folder.write(TOKEN, Readers::Owner, &text)?;
    }
    if !folder.has(PSEUDONYM_KEY) {
        folder.place(PSEUDONYM_KEY, |draft| Pseudonyms::create(draft, &Zeroizing::new(clock::entropy())))?;
    }
    if !folder.has(CHECKPOINT_KEY) {
        folder.place(CHECKPOINT_KEY, |draft| -> Result<(), KeyError> {
            compose::create_checkpoint_key(draft, &Zeroizing::new(clock::entropy()))
        })?;
    }
    Ok(())
}

const TOKEN: &str = "admin.token";
const PSEUDONYM_KEY: &str = "pseudonym.key";
const CHECKPOINT_KEY: &str = "checkpoint.key";
/// The operators of the demonstration's SIMs.
const OPERATORS: [&str; 3] = ["mno-a", "mno-b", "mvno-a"];
