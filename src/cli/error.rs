//! What can go wrong on the command line, and the exit code for it. Every verb's error is a [`CliError`].

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app::config::ConfigError;
use crate::app::crls::PublishError;
use crate::app::demo::DemoError;
use crate::app::promises::PromisesError;
use crate::app::pseudonym::PseudonymError;
use crate::app::pull::FolderError;
use crate::app::serve::ServeError;
use crate::app::sheet::SheetError;
use crate::app::signers::NoSigner;
use crate::app::token::TokenError;
use crate::app::witness::WitnessError;
use crate::app::words::refused_file;
use crate::asn1::Asn1Error;
use crate::asn1::crl::CrlError;
use crate::desk::DeskError;
use crate::desk::bulk::BulkError;
use crate::follow::FollowError;
use crate::http::FetchError;
use crate::keys::KeyError;
use crate::ledger::{CheckpointFileError, LedgerError, NoteError, Severity};
use crate::model::{Position, Refusal};
use crate::publisher::{PressError, StoreError};

/// Exit codes. Scripts build on them: they never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or it was so already.
    Done = 0,
    /// The rules refuse it; nothing was changed.
    Refused = 1,
    /// The command line or the configuration makes no sense.
    Usage = 2,
    /// Something that was named does not exist.
    NotFound = 3,
    /// It waits for a second person.
    Waits = 4,
    /// The ledger can't be reached, or not now: try again.
    Unavailable = 5,
    /// The ledger is damaged, not the expected one, or newer than this program: a person must look.
    Damaged = 6,
    /// A file can't be read or written, or does not hold what it should.
    File = 7,
    /// Nobody who is trusted says what was asked.
    Undecided = 8,
    /// What is installed has expired, or will before there is anything newer.
    Stale = 9,
}

/// A failure of a verb.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A backup that can't be restored.
    #[error("{}: {why}", file.display())]
    Backup {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A file that bulk work reads.
    #[error("{}: {source}", file.display())]
    Bulk {
        /// Which file.
        file: PathBuf,
        /// Why it stopped.
        source: BulkError,
    },
    /// A certificate that can't be used.
    #[error("{}: {source}", file.display())]
    Certificate {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: Asn1Error,
    },
    /// A file of checkpoints.
    #[error(transparent)]
    CheckpointFile(#[from] CheckpointFileError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The demonstration.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The desk, which hands on refusals and the ledger's failures.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The configuration forbids what this would be.
    #[error(
        "{} keeps the command line from changing the ledger (desk.direct_changes = \"refuse\"): \
         ask the server, or allow it there", .0.display()
    )]
    DirectChangesRefused(PathBuf),
    /// A file's contents.
    #[error("{}: {why}", file.display())]
    Contents {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A CRL that can't be used.
    #[error("{}: {source}", file.display())]
    Crl {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: CrlError,
    },
    /// What is published, or was to be.
    #[error(transparent)]
    Press(#[from] PressError),
    /// A round of CRLs that was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Something is there already.
    #[error("{0}")]
    Exists(String),
    /// The store of CRLs.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder.
    #[error("{}: {}", file.display(), refused_file(source))]
    Io {
        /// Which.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder that CRLs are pulled into.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No configuration to be found.
    #[error(
        "there is no ./tashika.toml and no ./tashika-demo/tashika.toml: name one with --config FILE, \
         or make one with 'tashika init --dir DIR'"
    )]
    NoConfig,
    /// No such issuer.
    #[error("there is no issuer '{0}': see 'tashika issuer list', add one with 'tashika issuer add'")]
    NoIssuer(String),
    /// No such set.
    #[error("no set event opened hold {0}: see 'cert show' for the holds of one of its certificates")]
    NoSet(Position),
    /// No such scope.
    #[error("the issuer has no CRL scope '{0}': see 'tashika scope list'")]
    NoScope(String),
    /// The network.
    #[error(transparent)]
    Network(#[from] FetchError),
    /// No such event.
    #[error("there is no event {0}: the ledger does not reach so far")]
    NoEvent(Position),
    /// A checkpoint that isn't what was to be signed, or was signed wrongly.
    #[error("the checkpoint was not signed as it should be: {0}: check the key")]
    Note(#[from] NoteError),
    /// The pseudonym key.
    #[error(transparent)]
    Pseudonym(#[from] PseudonymError),
    /// The desk's refusal, with issuers by their names.
    #[error("{text}")]
    Refused {
        /// What it says no to.
        refusal: Refusal,
        /// In words.
        text: String,
    },
    /// What was promised of answers.
    #[error(transparent)]
    Promises(#[from] PromisesError),
    /// Serving.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Nobody signs for an issuer.
    #[error("issuer '{issuer}': {source}")]
    Signer {
        /// Which issuer.
        issuer: String,
        /// Why.
        source: NoSigner,
    },
    /// The admin listener's token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The ledger isn't the one that was signed for.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The arguments contradict each other or what is registered.
    #[error("{0}")]
    Usage(String),
}

impl CliError {
    /// A file that the system refuses.
    pub fn io(file: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io { file: file.as_ref().to_owned(), source }
    }

    /// What stopped bulk work on a file: only some of it is about the file.
    pub fn bulk(file: &Path, source: BulkError) -> Self {
        match source {
            BulkError::Io(source) => Self::io(file, source),
            BulkError::Ledger(error) => Self::Ledger(error),
            source => Self::Bulk { file: file.to_owned(), source },
        }
    }

    /// Standard output that takes nothing.
    pub fn output(source: io::Error) -> Self {
        Self::io("standard output", source)
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Bulk { source, .. } => of_bulk(source),
            Self::Press(error) => of_press(error),
            Self::Publish(error) => of_publish(error),
            Self::Store(error) => of_store(error),
            Self::Certificate { .. }
            | Self::CheckpointFile(CheckpointFileError::Io { .. })
            | Self::Contents { .. }
            | Self::Crl { .. }
            | Self::Io { .. }
            | Self::Key(_)
            | Self::Note(_)
            | Self::Promises(_)
            | Self::Pseudonym(_)
            | Self::Token(_) => Exit::File,
            Self::Backup { .. } | Self::CheckpointFile(_) => Exit::Damaged,
            Self::Folder(FolderError::Busy(_)) | Self::Network(_) => Exit::Unavailable,
            Self::Folder(_) => Exit::File,
            Self::Config(_) | Self::Usage(_) | Self::NoConfig => Exit::Usage,
            Self::Demo(error) => of_demo(error),
            Self::Serve(error) => of_serve(error),
            Self::Witness(error) => of_witness(error),
            Self::Desk(DeskError::Ledger(error)) | Self::Ledger(error) => of_ledger(error),
            Self::Desk(DeskError::Overtaken(_)) => Exit::Unavailable,
            Self::Desk(DeskError::Refused(refusal)) | Self::Refused { refusal, .. } => of_refusal(refusal),
            Self::Signer { source: NoSigner::Key(KeyError::Exists(_)) | NoSigner::OtherCertificate(_), .. } => {
                Exit::Refused
            }
            Self::Signer { .. } => Exit::File,
            Self::DirectChangesRefused(_) | Self::Exists(_) => Exit::Refused,
            Self::NoEvent(_) | Self::NoIssuer(_) | Self::NoSet(_) | Self::NoScope(_) => Exit::NotFound,
        }
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        Self::Desk(refusal.into())
    }
}

impl From<SheetError> for CliError {
    fn from(error: SheetError) -> Self {
        match error {
            SheetError::Ledger(error) => Self::Ledger(error),
            SheetError::Promises(error) => Self::Promises(error),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn of_demo(error: &DemoError) -> Exit {
    match error {
        DemoError::Certificate { .. }
        | DemoError::File { .. }
        | DemoError::Key(_)
        | DemoError::Pseudonym(_)
        | DemoError::RootCrl { .. }
        | DemoError::Serial(_)
        | DemoError::Stranger { .. } => Exit::File,
        DemoError::Config(_) | DemoError::Listen { .. } | DemoError::Nameless(_) => Exit::Usage,
        DemoError::Desk(DeskError::Ledger(error)) | DemoError::Ledger(error) => of_ledger(error),
        DemoError::Witness(error) => of_witness(error),
        DemoError::Desk(DeskError::Overtaken(_)) => Exit::Unavailable,
        DemoError::Desk(DeskError::Refused(_))
        | DemoError::Foreign(_)
        | DemoError::Locked(_)
        | DemoError::OtherAddress { .. }
        | DemoError::Refused(_) => Exit::Refused,
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Medium { passing: false, .. } => Exit::File,
        StoreError::Medium { passing: true, .. } | StoreError::Moved => Exit::Unavailable,
        StoreError::NotLater { .. } | StoreError::Strange { .. } | StoreError::Taken(_) => Exit::Damaged,
    }
}

fn of_press(error: &PressError) -> Exit {
    match error {
        PressError::Signature(_) => Exit::File,
        PressError::Store(error) => of_store(error),
        PressError::Index { .. }
        | PressError::OtherLedger { .. }
        | PressError::Seal { .. }
        | PressError::State { .. }
        | PressError::Untrue(_)
        | PressError::WentBack { .. } => Exit::Damaged,
    }
}

fn of_publish(error: &PublishError) -> Exit {
    match error {
        PublishError::Desk(DeskError::Ledger(error))
        | PublishError::Follow(FollowError::Ledger(error))
        | PublishError::Ledger(error) => of_ledger(error),
        PublishError::Desk(DeskError::Overtaken(_)) | PublishError::NoTime => Exit::Unavailable,
        PublishError::Desk(DeskError::Refused(_)) => Exit::Refused,
        PublishError::IndexSigner(_) => Exit::File,
        PublishError::NoPlace(_) => Exit::NotFound,
        PublishError::Press(error) => of_press(error),
        PublishError::Follow(FollowError::Frozen(_))
        | PublishError::Lists(_)
        | PublishError::Reconcile(_)
        | PublishError::Restored { .. } => Exit::Damaged,
    }
}

fn of_serve(error: &ServeError) -> Exit {
    match error {
        ServeError::Key(_) | ServeError::Token(_) => Exit::File,
        ServeError::Witness(error) => of_witness(error),
        ServeError::Ledger(error) => of_ledger(error),
        ServeError::Listen { .. } | ServeError::Manager(_) => Exit::Usage,
        ServeError::Handover(_) | ServeError::System(_) | ServeError::Thread(_) => Exit::Unavailable,
    }
}

fn of_witness(error: &WitnessError) -> Exit {
    match error {
        WitnessError::Disagree { .. } => Exit::Damaged,
        WitnessError::File(CheckpointFileError::Io { .. }) => Exit::File,
        WitnessError::File(_) => Exit::Damaged,
        WitnessError::Ledger(error) => of_ledger(error),
    }
}

fn of_ledger(error: &LedgerError) -> Exit {
    match error {
        LedgerError::Denied(_) => Exit::File,
        LedgerError::Missing(_) | LedgerError::NoDatabase(_) => Exit::NotFound,
        LedgerError::Settings(_) => Exit::Usage,
        _ => match error.severity() {
            Severity::Fatal => Exit::Damaged,
            Severity::Reject => Exit::Refused,
            Severity::Retry => Exit::Unavailable,
        },
    }
}

fn of_bulk(error: &BulkError) -> Exit {
    match error {
        BulkError::Ledger(error) => of_ledger(error),
        BulkError::List { .. } | BulkError::Overtaken(_) => Exit::Unavailable,
        BulkError::Scope(_) => Exit::NotFound,
        BulkError::SimUnsaid => Exit::Usage,
        BulkError::Bad { .. }
        | BulkError::Changed { .. }
        | BulkError::Io(_)
        | BulkError::Open(_)
        | BulkError::TooMany => Exit::File,
    }
}

fn of_refusal(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::NotQueued(_)
        | Refusal::UnknownCause(_)
        | Refusal::UnknownCertificate
        | Refusal::UnknownSet(_)
        | Refusal::UnknownSubject(_) => Exit::NotFound,
        _ => Exit::Refused,
    }
}

/// A message without line breaks, whoever wrote it.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line on standard error beside whatever else is said.
pub fn warn(text: &str) {
    // Nobody is there to be told that a warning can't be written.
    let _ = writeln!(io::stderr(), "tashika: warning: {}", one_line(text));
}
