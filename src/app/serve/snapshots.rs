//! This node's snapshot: where the follower begins after a restart, and when a new one is written. Used by the follower's
//! thread.
//!
//! It is a convenience and no truth: whatever is wrong with it, the ledger is read instead, and the log says why.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::log;
use crate::app::clock::{self, Stopwatch};
use crate::app::config::OcspSettings;
use crate::app::state;
use crate::app::words::counted;
use crate::follow::{Follower, Opened, SnapshotRefused, Taken};
use crate::ledger::Ledger;
use crate::model::Book;
use crate::status::{Salt, SnapshotError, SnapshotKey};

/// Where snapshots of this node lie, and the one that is being written.
pub(super) struct Snapshots {
    folder: PathBuf,
    every: Duration,
    /// The settings that stand in replies.
    settings: String,
    last: Stopwatch,
    writing: Option<JoinHandle<()>>,
}

impl Snapshots {
    /// In that folder, for replies that are made with these settings.
    pub fn at(folder: PathBuf, ocsp: &OcspSettings) -> Self {
        let every = Duration::from_secs(ocsp.snapshot_every.0.into());
        Self { folder, every, settings: in_replies(ocsp), last: Stopwatch::start(), writing: None }
    }

    /// The follower that the last snapshot makes, if there is one that can be trusted. Its replies were signed by the keys
    /// whose names these are: with others it is another file's business.
    pub fn begin(&self, ledger: &dyn Ledger, keys: &[[u8; 20]]) -> Option<Follower> {
        let file = self.file(keys);
        if !file.exists() {
            return None;
        }
        match self.opened(&file).and_then(|opened| Follower::from_snapshot(ledger, opened, threads())) {
            Ok(follower) => Some(follower),
            Err(why) => {
                log::line(&format!("does not begin from the snapshot, reads the ledger instead: {why}"));
                None
            }
        }
    }

    /// The follower that a snapshot makes by itself, when the ledger can't be reached, with what `prepare` makes of its
    /// book: among other things the names of the keys that sign now, which must be those that signed its replies.
    pub fn begin_alone<T>(&self, mut prepare: impl FnMut(&Book) -> (Vec<[u8; 20]>, T)) -> Option<(Follower, T)> {
        let refused = |why: &dyn std::fmt::Display| {
            log::line(&format!("does not begin from the snapshot, waits for the ledger instead: {why}"));
        };
        for file in files(&self.folder) {
            let follower = match self.opened(&file).and_then(|opened| Follower::from_snapshot_alone(opened, threads()))
            {
                Ok(follower) => follower,
                Err(why) => {
                    refused(&why);
                    continue;
                }
            };
            let (keys, prepared) = prepare(&follower.book());
            if self.file(&keys) == file {
                return Some((follower, prepared));
            }
            refused(&"its replies were signed by other keys, or under other settings");
        }
        None
    }

    fn opened(&self, file: &Path) -> Result<Opened, SnapshotRefused> {
        let key = self.key().map_err(|source| SnapshotRefused::File(SnapshotError::Io(source)))?;
        Opened::open(file, &key)
    }

    /// Has one written beside everything else, if it is time and none is being written.
    pub fn write_when_due(&mut self, follower: &Follower, keys: &[[u8; 20]]) {
        if self.last.elapsed() < self.every || self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        self.last = Stopwatch::start();
        match (follower.snapshot(), self.key()) {
            (Ok(taken), Ok(key)) => {
                let (folder, file) = (self.folder.clone(), self.file(keys));
                let writes = move || write(taken, &folder, &file, &key);
                self.writing = std::thread::Builder::new().name("snapshot".into()).spawn(writes).ok();
            }
            (Err(why), _) => log::line(&format!("no snapshot: {why}")),
            (_, Err(why)) => log::line(&format!("no snapshot: its key: {why}")),
        }
    }

    /// Writes a last one.
    pub fn write_last(mut self, follower: &Follower, keys: &[[u8; 20]]) {
        if let Some(writing) = self.writing.take() {
            // If it has died there is nothing to wait for.
            let _ = writing.join();
        }
        if let (Ok(taken), Ok(key)) = (follower.snapshot(), self.key()) {
            write(taken, &self.folder, &self.file(keys), &key);
        }
    }

    /// Named after the keys that signed its replies, and the settings that stand in them: an answer is put together from
    /// a kept signature, the certificate of whoever signs now, and the form in which settings have it today. Of other
    /// settings than it was signed under, the signature would be wrong.
    fn file(&self, keys: &[[u8; 20]]) -> PathBuf {
        let mut context = Context::new(&SHA256);
        context.update(self.settings.as_bytes());
        keys.iter().for_each(|key| context.update(key));
        let digest = context.finish();
        let name: String = digest.as_ref()[..8].iter().map(|octet| format!("{octet:02x}")).collect();
        self.folder.join(format!("{PREFIX}{name}"))
    }

    /// The key that snapshots are sealed with, made when there is none that can be used: what it sealed can be had again.
    fn key(&self) -> io::Result<SnapshotKey> {
        let file = self.folder.join("snapshot.key");
        let private = fs::metadata(&file).is_ok_and(|about| about.permissions().mode() & 0o077 == 0);
        if private && let Ok(octets) = <[u8; 32]>::try_from(fs::read(&file)?) {
            return Ok(SnapshotKey::new(octets));
        }
        state::make(&self.folder)?;
        let octets = clock::entropy();
        let draft = file.with_extension("draft");
        let _ = fs::remove_file(&draft);
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        made.write_all(&octets)?;
        made.sync_data()?;
        fs::rename(&draft, &file)?;
        Ok(SnapshotKey::new(octets))
    }
}

/// What replies owe to settings: how they name the responder, which question they answer, and for how long they are
/// valid, which isn't to outlive the setting. For all issuers, known or not.
fn in_replies(ocsp: &OcspSettings) -> String {
    let issuers = ocsp.issuers.iter().map(|(name, policy)| (name.as_str(), policy));
    let all = issuers.chain([("", &ocsp.default)]);
    all.map(|(name, policy)| format!("{name} {:?} {:?} {}\n", policy.named, policy.forms, policy.validity.0)).collect()
}

/// Writes one and takes those of other keys away.
fn write(taken: Taken, folder: &Path, file: &Path, key: &SnapshotKey) {
    match taken.write(file, key, Salt(clock::entropy()), clock::now()) {
        Ok(written) => {
            let certificates = counted(written.certificates, "certificate");
            log::line(&format!("wrote a snapshot of {certificates}, {} octets", written.octets));
        }
        Err(why) => return log::line(&format!("no snapshot: {why}")),
    }
    for path in files(folder).filter(|path| path != file) {
        // What stays is looked at by nobody who has the ledger.
        let _ = fs::remove_file(path);
    }
}

/// Whatever lies there as a snapshot, or as the beginning of one.
fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let is_snapshot =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_bytes().starts_with(PREFIX.as_bytes()));
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_snapshot)
}

fn threads() -> NonZeroUsize {
    NonZeroUsize::new(crate::app::cores()).unwrap_or(NonZeroUsize::MIN)
}

const PREFIX: &str = "snapshot-";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::Config;
    use crate::model::Seconds;
    use crate::responder::{Forms, Named, Presign};

    #[test]
    fn replies_of_other_keys_or_settings_are_in_another_file() {
        let ocsp = Config::parse("ledger.url = 'sqlite:l.db'", Path::new("")).unwrap().ocsp;
        let file = |change: &dyn Fn(&mut OcspSettings), keys| {
            let mut ocsp = ocsp.clone();
            change(&mut ocsp);
            Snapshots::at(PathBuf::new(), &ocsp).file(keys)
        };
        let (key, other) = ([[1; 20]], [[2; 20]]);
        let first = file(&|_| {}, &key);
        assert_eq!(first, file(&|ocsp| ocsp.default.presign = Presign::Off, &key), "which are signed isn't in them");
        assert_ne!(first, file(&|_| {}, &other));
        assert_ne!(first, file(&|ocsp| ocsp.default.named = Named::ByName, &key));
        assert_ne!(first, file(&|ocsp| ocsp.default.forms = Forms::Sha256, &key));
        assert_ne!(first, file(&|ocsp| ocsp.default.validity = Seconds(601), &key));
        let of_one = |ocsp: &mut OcspSettings| {
            ocsp.issuers.insert("card".into(), ocsp.default);
        };
        assert_ne!(first, file(&of_one, &key));
    }
}
