//! Whether CRLs can be published as a configuration says, without publishing any. Called by `config check`.

use crate::app::compose;
use crate::app::config::{Config, CrlRole, StorePlace};
use crate::model::{Book, Time};
use crate::publisher::StoreError;

use super::places::{COMBINED, combined};
use super::{brought, external, seal};

/// Whether the store can be read, or made.
pub fn check_store(config: &Config) -> Result<(), StoreError> {
    if config.crl.role == CrlRole::Off {
        return Ok(());
    }
    match &config.crl.store {
        // Whoever publishes makes the folder; a check makes nothing.
        StorePlace::Directory(folder) if !folder.exists() && folder.parent().is_some_and(|parent| parent.is_dir()) => {
            Ok(())
        }
        place => compose::open_store(place)?.tip().map(drop),
    }
}

/// What is wrong with who signs the combined CRL and the index, and with what is signed elsewhere, by setting. A process that
/// only serves needs no key, but the certificate by which it knows the index.
pub fn check_signers(config: &Config, now: Time) -> Vec<(String, String)> {
    let signer = match (config.crl.role, &config.crl.combined) {
        (CrlRole::Publish, Some(files)) => combined(config, files, Vec::new()).err(),
        (CrlRole::Serve, Some(_)) => seal(config).err(),
        (CrlRole::Off, _) | (_, None) => None,
    };
    let mut wrong: Vec<_> = signer.into_iter().map(|why| ("crl.combined".to_owned(), why)).collect();
    if config.crl.role != CrlRole::Publish {
        return wrong;
    }
    wrong.extend(brought(config, None, now).1.into_iter().map(|(path, why)| (external::key_of(&path), why)));
    wrong
}

/// What the settings say of paths, beside those that there are in the ledger.
pub fn check_paths(config: &Config, book: &Book) -> Vec<(String, String)> {
    let is_own = |path: &str| {
        book.scopes.iter().any(|scope| scope.path == path) || book.issuers.iter().any(|issuer| issuer.name == path)
    };
    let unknown = config.crl.own_hours.keys().filter(|path| !is_own(path) && *path != COMBINED).map(|path| {
        let why = "no scope and no issuer of the ledger has this path: 'tashika scope list' shows them";
        (format!("crl.scope.{path:?}"), why.to_owned())
    });
    let taken = config.crl.external.iter().map(|external| &external.path).filter(|path| is_own(path)).map(|path| {
        (external::key_of(path), "a scope or an issuer of the ledger has this path: name another".to_owned())
    });
    unknown.chain(taken).collect()
}
