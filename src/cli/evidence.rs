//! What stands outside the database: checkpoints, the key that signs them, and the keys whose word counts.

use std::path::PathBuf;

use crate::app::compose::open_checkpoint_key;
use crate::app::config::Config;
use crate::keys::{KeyError, Signer};
use crate::ledger::{Checkpoint, CheckpointFile, KeyKind, Note, VerifierKey};
use crate::model::LedgerId;

use super::error::CliError;
use super::house::House;

/// Checkpoints and keys to hold a ledger against.
pub struct Evidence {
    /// The checkpoints.
    pub notes: Vec<Note>,
    /// Whose word counts.
    pub keys: Vec<VerifierKey>,
}

impl Evidence {
    /// From the named files, or else the configured one if it exists.
    pub fn gather(
        config: &Config,
        ledger: LedgerId,
        files: &[PathBuf],
        more: Vec<VerifierKey>,
    ) -> Result<Self, CliError> {
        let usual = std::slice::from_ref(&config.checkpoint_file);
        let files = if files.is_empty() && config.checkpoint_file.exists() { usual } else { files };
        let mut notes = Vec::new();
        for file in files {
            notes.extend(CheckpointFile::at(file).all()?.notes);
        }
        let mut keys = more;
        keys.extend(config.checkpoints_trusted.iter().cloned());
        // The writer's own: a machine that only verifies doesn't have it, and names it in checkpoints.trusted.
        match open_checkpoint_key(&config.checkpoint_key) {
            Ok(signer) => keys.push(verifier_of(&*signer, ledger)?),
            Err(KeyError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self { notes, keys })
    }
}

/// Signs where the ledger stands, checks the signature, and keeps the note.
pub fn sign_checkpoint(house: &House) -> Result<Note, CliError> {
    let signer = open_checkpoint_key(&house.config().checkpoint_key)?;
    let head = house.ledger().head()?;
    let key = verifier_of(&*signer, head.ledger)?;
    let mut note = Note::unsigned(Checkpoint::of(&head));
    note.sign(&key, |octets| signer.sign(octets))?;
    note.check(std::slice::from_ref(&key))?;
    CheckpointFile::at(&house.config().checkpoint_file).append(&note)?;
    Ok(note)
}

/// The key that checks what `signer` signs as the ledger's writer.
fn verifier_of(signer: &dyn Signer, ledger: LedgerId) -> Result<VerifierKey, CliError> {
    let public = signer.public_key().try_into().map_err(|_| KeyError::Failed)?;
    Ok(VerifierKey::new(&Checkpoint::origin(ledger), KeyKind::Writer, public)?)
}
