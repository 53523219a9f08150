//! Why a demonstration can't be made, in one line that says what to do.

use std::path::PathBuf;

use crate::app::config::ConfigError;
use crate::app::pseudonym::PseudonymError;
use crate::app::witness::WitnessError;
use crate::app::words::refused_file;
use crate::asn1::Asn1Error;
use crate::desk::DeskError;
use crate::keys::KeyError;
use crate::ledger::LedgerError;
use crate::model::{Refusal, SerialError};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A certificate can't be built or read.
    #[error("{path}: {source}")]
    Certificate {
        /// Which.
        path: String,
        /// Why.
        source: Asn1Error,
    },
    /// The configuration in the folder can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The desk didn't do what was asked.
    #[error("the demonstration's ledger: {0}")]
    Desk(#[from] DeskError),
    /// A file can't be read or written.
    #[error("{path}: {}", refused_file(source))]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds something else.
    #[error("{0} is not empty and holds no demonstration: name another folder with --dir")]
    Foreign(PathBuf),
    /// A key can't be made, read or used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}: name another with {flag}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// The flag that says it.
        flag: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The root's CRL can't be made.
    #[error("{}: {why}", path.display())]
    RootCrl {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another `up` is at work in the same folder.
    #[error("another 'tashika up' is at work in {0}: stop it first, or name another folder with --dir")]
    Locked(PathBuf),
    /// An address that nobody could reach from outside.
    #[error("certificates can't name {0}: say with --public-url how relying parties reach it")]
    Nameless(std::net::SocketAddr),
    /// The certificates lead somewhere else.
    #[error(
        "the certificates in {dir} lead to {named}, not to {asked}: leave the address out to go on with them, or add \
         --renew-demo to set them aside and make new ones",
        dir = dir.display()
    )]
    OtherAddress {
        /// Which folder.
        dir: PathBuf,
        /// The URL that they name.
        named: String,
        /// The URL that was asked for.
        asked: String,
    },
    /// The secret of the pseudonyms can't be used.
    #[error(transparent)]
    Pseudonym(#[from] PseudonymError),
    /// The rules forbid it.
    #[error("the demonstration's ledger: {0}")]
    Refused(#[from] Refusal),
    /// A number that can't be a serial.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// The ledger isn't the one that was signed for.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// Parts that don't belong together.
    #[error("{path}: {why}: put it back as it was, or add --renew-demo to set everything aside and begin anew")]
    Stranger {
        /// Which file, or register of the ledger.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
}
