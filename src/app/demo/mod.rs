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
mod root_crl;
mod settings;
mod signer;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use error::DemoError;
pub use settings::Sockets;

use super::config::Config;
use super::fingerprint::{self, Kept, fingerprint_of};
use super::pseudonym::Pseudonyms;
use super::witness::{self, Copy::Whole};
use super::{clock, compose, token};
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

/// What has been done, told in this order.
#[derive(Debug)]
pub enum Made {
    /// Keys, tokens and the configuration are there.
    Folder(Was),
    /// The root, the CAs and their leaves are there.
    Certificates(Was),
    /// The ledger is there, still without what is registered.
    Ledger(Was),
    /// There was a ledger, and what was beside its pseudonym key.
    Fingerprint(Kept),
    /// So many of the sample certificates are registered, with those of before.
    Samples(u64),
    /// Everything is registered.
    Filled {
        /// Sample certificates that this run has registered.
        samples: u64,
        /// All certificates in the ledger.
        certificates: u64,
    },
}

/// What was there of a part before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// Some of it; the rest is made.
    Begun,
    /// All of it.
    Found,
    /// Nothing; it is made.
    Missing,
}

/// Makes what is missing; tells `progress` what is done.
pub fn make(wishes: &Wishes, progress: &mut dyn FnMut(Made)) -> Result<(Config, Sockets, Held), DemoError> {
    let now = clock::now();
    let folder = Folder::enter(&wishes.dir)?;
    let was = folder.watch(settings::FILE);
    let (config, sockets) = match settings::settle(&folder, wishes) {
        Ok(settled) => settled,
        Err(error) => {
            folder.leave();
            return Err(error);
        }
    };
    let place = belong_together(&config, progress)?;
    secrets(&folder)?;
    progress(Made::Folder(was.now(&folder)));
    let was = folder.watch(pki::FIRST);
    let pki = pki::make(&folder, &config.public_url, now)?;
    progress(Made::Certificates(was.now(&folder)));
    let ledger = country::open(&config, &fingerprint::open(&config.pseudonym_key)?, now)?;
    // Beside a new ledger none was to be expected; what there was beside another has been told.
    let (names, Kept::Before | Kept::Now(_) | Kept::NotNow { .. }) =
        fingerprint::open_for(&config.pseudonym_key, ledger.head()?.ledger)?;
    progress(Made::Ledger(place));
    let desk = Desk::new(ledger.clone(), config.policy.clone());
    let operators = OPERATORS.map(|name| name.parse().expect("they are short lower-case names"));
    let mut founding = Founding { desk, names: &names, public_url: &config.public_url, now };
    let cas = founding.found(&pki, operators[0])?;
    let cas = cas.try_into().expect("there are as many CAs as parts of a person's set");
    let people = People { cas, names: &names, founded: pki.founded, operators };
    let mut told = |count| progress(Made::Samples(count));
    let samples = fill::fill(&*ledger, &people, &config.policy, wishes.certificates, now, &mut told)?;
    progress(Made::Filled { samples, certificates: ledger.head()?.certificates });
    Ok((config, sockets, Held { _folder: folder }))
}

/// Refuses to make keys beside a ledger that knows others, or a ledger beside checkpoints or names of another. Says
/// whether there is a ledger.
fn belong_together(config: &Config, progress: &mut dyn FnMut(Made)) -> Result<Was, DemoError> {
    let stranger = |path: &Path, why| Err(DemoError::Stranger { path: path.display().to_string(), why });
    match compose::open_ledger(&config.ledger) {
        Ok(ledger) => match [&config.pseudonym_key, &config.checkpoint_key].into_iter().find(|key| !key.exists()) {
            Some(key) => stranger(key, "the ledger is there, and this key of it is missing"),
            None => {
                // Before anything is registered in it.
                witness::compare(&*ledger, &CheckpointFile::at(&config.checkpoint_file), Whole)?;
                progress(Made::Fingerprint(fingerprint::open_for(&config.pseudonym_key, ledger.head()?.ledger)?.1));
                Ok(Was::Found)
            }
        },
        Err(LedgerError::Missing(_)) => {
            // Each of them was made beside a ledger, and a new one would go on under its keys as if nothing were lost.
            let fingerprint = fingerprint_of(&config.pseudonym_key);
            match [&config.checkpoint_file, &fingerprint].into_iter().find(|file| file.exists()) {
                Some(file) => {
                    let why = "it speaks of a ledger that is missing ('tashika ledger restore' brings a backup of it)";
                    stranger(file, why)
                }
                None => Ok(Was::Missing),
            }
        }
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
        let text = token::written(&Zeroizing::new(clock::entropy()));
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
