//! The choice of adapters: the one file of the program that names them. Everybody else sees the traits.
//!
//! Called by the command line, by `serve` and by the demonstration.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::keys::software::{self, EcdsaKey, Ed25519Key};
use crate::keys::{KeyError, Signer};
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Batch, Head, Ledger, LedgerError};
use crate::publisher::bucket::BucketStore;
use crate::publisher::directory::DirectoryStore;
use crate::publisher::{Store, StoreError};

use super::clock;
use super::config::{LedgerPlace, StorePlace};
use crate::responder::KeyKind;

/// Opens the ledger at a place.
pub fn open_ledger(place: &LedgerPlace) -> Result<Arc<dyn Ledger>, LedgerError> {
    match place {
        LedgerPlace::Postgres(url) => Ok(Arc::new(PostgresLedger::open(url)?)),
        LedgerPlace::Sqlite(path) => Ok(Arc::new(SqliteLedger::open(path)?)),
    }
}

/// Opens the ledger at a place for whoever proves it, however damaged it is.
pub fn open_ledger_to_verify(place: &LedgerPlace) -> Result<Arc<dyn Ledger>, LedgerError> {
    match place {
        LedgerPlace::Postgres(_) => open_ledger(place),
        LedgerPlace::Sqlite(path) => Ok(Arc::new(SqliteLedger::open_to_verify(path)?)),
    }
}

/// Makes a ledger at a place where there is none, with its first batch.
pub fn create_ledger(place: &LedgerPlace, genesis: &Batch) -> Result<Arc<dyn Ledger>, LedgerError> {
    match place {
        LedgerPlace::Postgres(url) => Ok(Arc::new(PostgresLedger::create(url, genesis)?)),
        LedgerPlace::Sqlite(path) => Ok(Arc::new(SqliteLedger::create(path, genesis)?)),
    }
}

/// Copies the ledger at that place into a new file; says how far the copy reaches.
pub fn backup_ledger(place: &LedgerPlace, to: &Path) -> Result<Head, LedgerError> {
    match place {
        LedgerPlace::Postgres(_) => Err(own_tools()),
        LedgerPlace::Sqlite(file) => SqliteLedger::open(file)?.backup(to),
    }
}

/// Brings a backup to that place, which must have no ledger, once `prove` has taken the copy for good.
pub fn restore_ledger<E: From<LedgerError>>(
    place: &LedgerPlace,
    from: &Path,
    prove: impl FnOnce(&dyn Ledger) -> Result<(), E>,
) -> Result<Head, E> {
    match place {
        LedgerPlace::Postgres(_) => Err(own_tools().into()),
        LedgerPlace::Sqlite(file) => SqliteLedger::restore(from, file, prove),
    }
}

/// Opens the store of CRLs at a place; a bucket's credentials are in the environment, as Amazon's tools have them.
pub fn open_store(place: &StorePlace) -> Result<Arc<dyn Store>, StoreError> {
    match place {
        StorePlace::Bucket(place) => {
            let variables = std::env::vars_os();
            let texts =
                variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
            Ok(Arc::new(BucketStore::open(place, texts)?))
        }
        StorePlace::Directory(path) => Ok(Arc::new(DirectoryStore::open(path)?)),
    }
}

/// Opens the key that signs checkpoints.
pub fn open_checkpoint_key(path: &Path) -> Result<Box<dyn Signer>, KeyError> {
    Ok(Box::new(Ed25519Key::open(path)?))
}

/// Makes a key that signs checkpoints.
pub fn create_checkpoint_key(path: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<(), KeyError> {
    Ed25519Key::create(path, entropy).map(drop)
}

/// Opens a key that signs certificates, replies or CRLs; if it is encrypted, with the passphrase in that file.
pub fn open_signing_key(path: &Path, passphrase_file: Option<&Path>) -> Result<Box<dyn Signer>, KeyError> {
    match (software::open(path, None), passphrase_file) {
        // Read only now, so that a passphrase that nobody needs may be missing, and that none is kept.
        (Err(KeyError::Locked(_)), Some(file)) => software::open(path, Some(&software::passphrase(file)?)),
        (opened, _) => opened,
    }
}

/// Makes a key that signs for a measurement, and is written nowhere.
pub fn trial_key(kind: KeyKind) -> Result<Box<dyn Signer>, KeyError> {
    let der = clock::trial_key(kind).ok_or(KeyError::Failed)?;
    software::of_der(&der).ok_or(KeyError::Failed)
}

/// Whether a signing key may be put to where it is opened from: no other lies there.
pub fn may_install_signing_key(from: &Path, to: &Path) -> Result<(), KeyError> {
    software::may_copy(from, to)
}

/// Puts a signing key to where it is opened from.
pub fn install_signing_key(from: &Path, to: &Path) -> Result<(), KeyError> {
    software::copy(from, to)
}

/// Makes a P-256 key.
pub fn create_p256_key(path: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<(), KeyError> {
    EcdsaKey::create_p256(path, entropy).map(drop)
}

fn own_tools() -> LedgerError {
    let why = "PostgreSQL is copied and restored with its own tools (pg_basebackup, pg_dump): prove the result with \
               'tashika ledger verify'";
    LedgerError::Settings(why.into())
}
