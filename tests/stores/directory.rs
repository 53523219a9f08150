//! A folder's own troubles: what others left in it, modes, links, pipes, a lock that is held, thousands of objects.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tashika::publisher::directory::DirectoryStore;
use tashika::publisher::{Object, ObjectName, Store, StoreError};

use crate::contract::{crl, index, put};

fn is_strange(error: &StoreError) -> bool {
    matches!(error, StoreError::Strange { .. }) && !error.may_pass()
}

#[test]
fn what_others_left_in_the_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(folder.path()).unwrap();
    put(&store, &crl("a", 1), b"crl").unwrap();
    let foreign = ["README", "crl/a.1.crl.bak", "crl/a.01.crl", "crl/deep/er/x", "round/1.json", "lost+found/1.crl"];
    for name in foreign {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "foreign").unwrap();
    }
    symlink(folder.path(), folder.path().join("crl/around")).unwrap();
    assert_eq!(store.names().unwrap(), [crl("a", 1)]);
    store.remove(&[crl("a", 1)]).unwrap();
    for name in foreign {
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"foreign");
    }
}

#[test]
fn what_no_store_writes_is_strange_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(folder.path()).unwrap();
    put(&store, &crl("a", 1), b"crl").unwrap();
    let at = |name: &ObjectName| folder.path().join(name.to_string());
    symlink(at(&crl("a", 1)), at(&crl("link", 1))).unwrap();
    symlink("nowhere", at(&crl("broken", 1))).unwrap();
    fs::create_dir(at(&crl("folder", 1))).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at(&crl("pipe", 1))).status().unwrap().success());
    for path in ["link", "broken", "folder", "pipe"] {
        assert!(is_strange(&store.get(&crl(path, 1)).unwrap_err()), "{path}");
        assert!(is_strange(&put(&store, &crl(path, 1), b"crl").unwrap_err()), "{path}");
    }
    assert_eq!(store.names().unwrap(), [crl("a", 1)]);
}

#[test]
fn a_pointer_that_says_nothing_is_strange() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(folder.path()).unwrap();
    put(&store, &index(1), b"{}").unwrap();
    for text in ["", "1", "1\n\n", "01\n", "one\n", "-1\n", "1\n2\n", "\u{0}\n"] {
        fs::write(folder.path().join("tip"), text).unwrap();
        assert!(is_strange(&store.tip().unwrap_err()), "{text:?}");
        assert!(is_strange(&store.advance(None, 1.into()).unwrap_err()), "{text:?}");
    }
    fs::write(folder.path().join("tip"), "1\n").unwrap();
    assert_eq!(store.tip().unwrap().unwrap().number, 1.into());
}

#[test]
fn whoever_holds_the_lock_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(folder.path()).unwrap();
    put(&store, &index(1), b"{}").unwrap();
    let other = File::open(folder.path()).unwrap();
    other.lock().unwrap();
    let error = store.advance(None, 1.into()).unwrap_err();
    assert!(matches!(error, StoreError::Medium { passing: true, .. }), "{error}");
    assert_eq!(store.tip().unwrap(), None);
    drop(other);
    // What was left by one who died with the lock is no obstacle.
    fs::write(folder.path().join("tip.next"), "9\n").unwrap();
    assert_eq!(store.advance(None, 1.into()).unwrap().number, 1.into());
    assert_eq!(fs::read(folder.path().join("tip")).unwrap(), b"1\n");
}

#[test]
fn only_the_last_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    DirectoryStore::open(&folder.path().join("crls")).unwrap();
    let error = DirectoryStore::open(&folder.path().join("not/mounted")).unwrap_err();
    assert!(matches!(error, StoreError::Medium { passing: false, .. }), "{error}");
    fs::write(folder.path().join("file"), "").unwrap();
    DirectoryStore::open(&folder.path().join("file")).unwrap_err();
}

#[test]
fn a_folder_that_went_away_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(&folder.path().join("crls")).unwrap();
    fs::remove_dir(folder.path().join("crls")).unwrap();
    for error in [put(&store, &crl("a", 1), b"crl").unwrap_err(), store.advance(None, 1.into()).unwrap_err()] {
        assert!(matches!(error, StoreError::Medium { .. }), "{error}");
    }
}

#[test]
fn thousands_of_objects_in_one_batch_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(folder.path()).unwrap();
    let all: Vec<(ObjectName, Vec<u8>)> =
        (0..3_000_u64).map(|at| (crl(&format!("card/{}", at % 700), at), at.to_be_bytes().repeat(40))).collect();
    let objects: Vec<Object> = all.iter().map(|(name, octets)| Object { name, octets }).collect();
    store.put(&objects).unwrap();
    assert_eq!(store.names().unwrap().len(), all.len());
    for (name, octets) in &all {
        assert_eq!(store.get(name).unwrap().as_ref(), Some(octets));
    }
    store.remove(&all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()).unwrap();
    assert_eq!(store.names().unwrap(), []);
}

/// Every file and folder below, with its mode.
pub fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        all.push((entry.file_name().into_string().unwrap(), mode));
        if entry.file_type().unwrap().is_dir() {
            all.extend(modes(&entry.path()));
        }
    }
    all.sort();
    all
}
