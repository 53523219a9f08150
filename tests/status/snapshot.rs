//! The snapshot's file: what comes back from it, what is refused and as what, and that a name always stands for a whole one.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tashika::model::{
    CertificateNo, Change, Epoch, HoldKind, Issuer, IssuerNo, LedgerId, Position, Reason, Scope, ScopeNo, Seconds,
    Serial, Time, Usage,
};
use tashika::status::{
    About, Capture, Changed, HashKey, Keeping, Part, ReadTo, Registers, Salt, Signature, SignedFor, Snapshot,
    SnapshotError, SnapshotKey, Table, View,
};

use crate::nation;

/// What another process has after this one wrote its table down.
pub fn through_a_file(table: &Arc<Table>, folder: &Path, now: Time, threads: usize) -> Table {
    let path = folder.join("status.snapshot");
    write(table, &path, now);
    let opened = Snapshot::open(&path, &key()).expect("what was just written");
    assert_eq!((opened.ledger(), opened.read_to(), opened.context()), (ledger(), table.read_to(), &b"context"[..]));
    assert_eq!(opened.registers().expect("what was just written"), Some(registers()));
    let loaded = opened.load(NonZeroUsize::new(threads).unwrap()).expect("what was just written");
    assert_eq!(loaded.count(), table.count());
    loaded
}

fn write(table: &Arc<Table>, path: &Path, now: Time) {
    let written = Capture::begin(table).expect("between two batches").write(path, &about(), &key(), Salt([8; 32]), now);
    let written = written.expect("room on the disk");
    assert_eq!((written.certificates, written.octets), (table.count(), fs::metadata(path).unwrap().len()));
}

/// A hundred and twenty certificates of every kind, with replies of three lengths.
fn table() -> Arc<Table> {
    let table = Arc::new(Table::empty(HashKey::new([5; 16])));
    let certificates: Vec<_> = (1..=COUNT)
        .map(|no| {
            let mut key = nation::key(1 + (no % 2) as u16, no);
            if no % 3 == 0 {
                key.serial = Serial::from_unsigned(&[[1; 19].as_slice(), &[no as u8]].concat()).unwrap();
            }
            nation::on_card(key, no, Usage::Auth)
        })
        .collect();
    table.register(Position(1), CertificateNo(1), &certificates).unwrap();
    for (no, position) in (1..=COUNT).step_by(5).zip(2..) {
        let held = Change::Held { kind: HoldKind::CallCentre, lost_at: Some(nation::at(3)), becomes: None };
        let revoked = Change::Revoked { reason: Reason::KeyCompromise, at: nation::at(4), lost_at: None };
        let change = if no % 2 == 0 { &held } else { &revoked };
        let (position, key) = (Position(position), certificates[no as usize - 1].key);
        let changed = Changed { position, time: nation::at(9), cause: position, no: CertificateNo(no), key, change };
        table.change(&changed).unwrap();
    }
    table.publish(ReadTo { epoch: Epoch(2), position: Position(LAST) }).unwrap();
    for no in (1..=COUNT).filter(|no| no % 4 != 0) {
        let (this_update, next_update) = (nation::at(no as i64), nation::at(no as i64 + 600));
        let signed = SignedFor {
            reflects: Position(LAST),
            signer: no as u8,
            this_update,
            produced_at: this_update,
            next_update,
        };
        let len = [64, 72, 256][no as usize % 3];
        assert_eq!(table.keep_reply(CertificateNo(no), &signed, &vec![no as u8; len]), Keeping::Kept);
    }
    table
}

/// Every certificate as readers see it.
fn views(table: &Table) -> Vec<(View, Vec<u8>)> {
    let mut signature = Signature::default();
    let mut view =
        |no| table.at(CertificateNo(no), &mut signature).map(|(_, view)| (view, signature.octets().to_vec()));
    (1..=COUNT).map(|no| view(no).expect("registered")).collect()
}

fn about() -> About {
    About { ledger: ledger(), context: b"context".to_vec(), registers: registers() }
}

/// An issuer with a scope.
fn registers() -> Registers {
    let issuer = Issuer {
        no: IssuerNo(1),
        name: "card".to_owned(),
        certificate: vec![0x30, 0],
        name_sha1: [1; 20],
        key_sha1: [2; 20],
        name_sha256: [3; 32],
        key_sha256: [4; 32],
    };
    let (no, distribution_point, path) = (ScopeNo(1), vec![5; 9], "card".to_owned());
    Registers { issuers: vec![issuer], scopes: vec![Scope { no, issuer: IssuerNo(1), distribution_point, path }] }
}

fn ledger() -> LedgerId {
    LedgerId(*b"the ledger's id.")
}

fn key() -> SnapshotKey {
    SnapshotKey::new([6; 32])
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

/// Opens and loads.
fn read(path: &Path) -> Result<Table, SnapshotError> {
    Snapshot::open(path, &key())?.load(one())
}

#[test]
fn replies_that_have_ended_stay_out_and_their_room_is_not_taken() {
    let (table, folder) = (table(), tempfile::tempdir().unwrap());
    let path = folder.path().join("status.snapshot");
    // Certificate 60 is signed for until here: valid until the second before.
    let now = nation::at(660);
    let written = Capture::begin(&table).unwrap().write(&path, &about(), &key(), Salt([1; 32]), now).unwrap();
    assert_eq!(written.replies, (61..=COUNT).filter(|no| no % 4 != 0).count() as u64);
    let loaded = read(&path).unwrap();
    for (before, after) in views(&table).into_iter().zip(views(&loaded)) {
        let ended = before.0.reply.is_none_or(|reply| reply.next_update <= now);
        if ended {
            assert_eq!(after, (View { reply: None, ..before.0 }, Vec::new()));
        } else {
            assert_eq!(after, before);
        }
    }
}

#[test]
fn a_loaded_table_goes_on_growing_changing_and_being_signed_for() {
    let (table, folder) = (table(), tempfile::tempdir().unwrap());
    let loaded = through_a_file(&table, folder.path(), nation::at(0), 2);
    let new: Vec<_> = (1_000..21_000).map(|no| nation::on_card(nation::key(1, no), no, Usage::Auth)).collect();
    let first = CertificateNo(COUNT + 1);
    loaded.register(Position(LAST + 1), first, &new).unwrap();
    let (position, no) = (Position(LAST + 2), CertificateNo(2));
    let change = Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None };
    let key = table.row(no).unwrap().key;
    loaded.change(&Changed { position, time: nation::at(20), cause: position, no, key, change: &change }).unwrap();
    loaded.publish(ReadTo { epoch: Epoch(2), position }).unwrap();
    let mut signature = Signature::default();
    for (certificate, index) in new.iter().zip(0..) {
        assert_eq!(loaded.look_up(&certificate.key, &mut signature).unwrap().no, first.plus(index));
        let signed = SignedFor {
            reflects: position,
            signer: 1,
            this_update: nation::at(30),
            produced_at: nation::at(30),
            next_update: nation::at(30) + Seconds(600),
        };
        assert_eq!(loaded.keep_reply(first.plus(index), &signed, &[0xee; 64]), Keeping::Kept);
    }
    // Nothing of it lies where something else was.
    let expected = views(&table);
    for (before, after) in expected.iter().zip(views(&loaded)).filter(|(before, _)| before.0.no != no) {
        assert_eq!(after, (View { read_to: loaded.read_to(), ..before.0 }, before.1.clone()));
    }
    assert_eq!(loaded.count(), COUNT + 20_000);
    let again = through_a_file(&Arc::new(loaded), folder.path(), nation::at(0), 2);
    assert_eq!(again.count(), COUNT + 20_000);
}

#[test]
fn what_is_added_among_the_numbers_that_belong_to_it_stays_out() {
    let (table, folder) = (table(), tempfile::tempdir().unwrap());
    let register = |table: &Table, position, no| {
        let new = nation::on_card(nation::key(1, no), no, Usage::Auth);
        table.register(Position(position), CertificateNo(no), &[new]).unwrap();
        table.publish(ReadTo { epoch: Epoch(2), position: Position(position) }).unwrap();
    };
    register(&table, LAST + 1, COUNT + 10);
    let capture = Capture::begin(&table).unwrap();
    register(&table, LAST + 2, COUNT + 5);
    let no = CertificateNo(COUNT + 5);
    let held = Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None };
    let (position, key_of) = (Position(LAST + 3), nation::key(1, COUNT + 5));
    let changed = Changed { position, time: nation::at(20), cause: position, no, key: key_of, change: &held };
    table.change(&changed).unwrap();
    let path = folder.path().join("status.snapshot");
    let written = capture.write(&path, &about(), &key(), Salt([2; 32]), nation::at(0)).unwrap();
    assert_eq!(written.certificates, COUNT + 1);
    let loaded = read(&path).unwrap();
    assert!(loaded.row(no).is_none() && loaded.row(CertificateNo(COUNT + 10)).is_some());
    assert!(loaded.look_up(&key_of, &mut Signature::default()).is_none());
    register(&loaded, LAST + 2, COUNT + 5);
    loaded.change(&changed).unwrap();
    assert_eq!(loaded.row(no), table.row(no));
}

#[test]
fn an_empty_table_comes_back_empty() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = through_a_file(&Arc::new(Table::empty(HashKey::new([1; 16]))), folder.path(), nation::at(0), 2);
    assert!(loaded.look_up(&nation::key(1, 1), &mut Signature::default()).is_none());
    loaded.register(Position(1), CertificateNo(1), &[nation::on_card(nation::key(1, 1), 1, Usage::Auth)]).unwrap();
    assert!(loaded.look_up(&nation::key(1, 1), &mut Signature::default()).is_some());
}

#[test]
fn a_torn_file_is_refused_wherever_it_ends() {
    let (path, whole, _folder) = written();
    let cut = |len: usize| {
        fs::write(&path, &whole[..len]).unwrap();
        read(&path).err().unwrap_or_else(|| panic!("{len} octets of {}", whole.len()))
    };
    for len in 0..16 {
        assert!(matches!(cut(len), SnapshotError::NotASnapshot), "{len}");
    }
    for len in (16..whole.len()).step_by(61).chain(whole.len() - 40..whole.len()).filter(|len| *len >= 20) {
        let error = cut(len);
        assert!(matches!(error, SnapshotError::Torn { found, .. } if found == len as u64), "{len}: {error}");
    }
    fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    assert!(matches!(read(&path), Err(SnapshotError::Torn { .. })));
    // What a disk makes of a file that grew before its octets arrived.
    for len in (4096..whole.len()).step_by(997) {
        let mut zeroed = whole.clone();
        zeroed[len..].fill(0);
        fs::write(&path, zeroed).unwrap();
        assert!(matches!(read(&path), Err(SnapshotError::Altered(_))), "{len}");
    }
}

#[test]
fn an_altered_octet_is_refused_wherever_it_is() {
    let (path, whole, _folder) = written();
    let altered = |at: usize| {
        let mut octets = whole.clone();
        octets[at] ^= 1 << (at % 8);
        fs::write(&path, octets).unwrap();
        read(&path).err().unwrap_or_else(|| panic!("octet {at} of {}", whole.len()))
    };
    for at in 0..4096 {
        let error = altered(at);
        let right = match at {
            0..16 => matches!(error, SnapshotError::NotASnapshot),
            // Of another version, or of the one before, whose tag it doesn't have.
            16..20 => matches!(error, SnapshotError::UnknownVersion(_) | SnapshotError::Altered(Part::Header)),
            _ => matches!(error, SnapshotError::Altered(Part::Header)),
        };
        assert!(right, "octet {at}: {error}");
    }
    let mut frames = std::collections::BTreeSet::new();
    for at in (4096..whole.len()).step_by(53).chain(whole.len() - 60..whole.len()) {
        match altered(at) {
            SnapshotError::Altered(Part::Frame(index)) => _ = frames.insert(index),
            SnapshotError::Altered(Part::Directory) => {}
            error => panic!("octet {at}: {error}"),
        }
    }
    assert!(frames.len() > 8, "a flipped octet in most kinds of frames: {frames:?}");
    fs::write(&path, &whole).unwrap();
    assert!(read(&path).is_ok(), "and the whole one is read");
}

#[test]
fn frames_of_two_files_are_not_mixed() {
    let (path, whole, folder) = written();
    let other = folder.path().join("other");
    let capture = Capture::begin(&table()).unwrap();
    capture.write(&other, &about(), &key(), Salt([9; 32]), nation::at(0)).unwrap();
    let other = fs::read(other).unwrap();
    assert_eq!(other.len(), whole.len());
    for mixed in [[&whole[..4096], &other[4096..]].concat(), [&other[..4096], &whole[4096..]].concat()] {
        fs::write(&path, mixed).unwrap();
        assert!(matches!(read(&path), Err(SnapshotError::Altered(Part::Directory))));
    }
}

#[test]
fn another_key_opens_nothing_and_another_file_is_none() {
    let (path, _, folder) = written();
    let other = SnapshotKey::new([7; 32]);
    assert!(matches!(Snapshot::open(&path, &other), Err(SnapshotError::Altered(Part::Header))));
    fs::write(&path, vec![b'x'; 10_000]).unwrap();
    assert!(matches!(read(&path), Err(SnapshotError::NotASnapshot)));
    assert!(matches!(read(&folder.path().join("nothing")), Err(SnapshotError::Io(_))));
}

/// A crash at any octet leaves what an interrupted writer leaves: an unfinished file under another name.
#[test]
fn the_name_stands_for_the_old_one_until_the_new_one_is_whole() {
    let (path, whole, folder) = written();
    let unfinished = folder.path().join("status.snapshot.new");
    for len in (0..whole.len()).step_by(2_003) {
        let mut begun = whole[..len].to_vec();
        begun[..len.min(4096)].fill(0);
        fs::write(&unfinished, begun).unwrap();
        assert!(matches!(read(&unfinished), Err(SnapshotError::NotASnapshot)), "not even under its own name");
        assert!(read(&path).is_ok());
    }
    write(&table(), &path, nation::at(0));
    assert!(!unfinished.exists() && read(&path).is_ok(), "the next one takes its place");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // A writer that fails leaves the old one, and nothing else.
    fs::create_dir(&unfinished).unwrap();
    let failed = Capture::begin(&table()).unwrap().write(&path, &about(), &key(), Salt([1; 32]), nation::at(0));
    assert!(matches!(failed, Err(SnapshotError::Io(_))) && read(&path).is_ok());
}

#[test]
fn one_at_a_time_and_only_between_two_batches() {
    let table = table();
    let capture = Capture::begin(&table).unwrap();
    assert!(matches!(Capture::begin(&table), Err(SnapshotError::Busy)));
    drop(capture);
    let new = nation::on_card(nation::key(1, 900), 900, Usage::Auth);
    table.register(Position(LAST + 1), CertificateNo(COUNT + 1), &[new]).unwrap();
    let between = Capture::begin(&table).err().expect("not published");
    assert!(matches!(between, SnapshotError::BetweenPositions { published, taken } if published < taken));
    table.publish(ReadTo { epoch: Epoch(2), position: Position(LAST + 1) }).unwrap();
    let long = About { context: vec![0; 3_073], ..about() };
    let path = tempfile::tempdir().unwrap().path().join("x");
    let refused = Capture::begin(&table).unwrap().write(&path, &long, &key(), Salt([1; 32]), nation::at(0));
    assert!(matches!(refused, Err(SnapshotError::TooLarge(_))));
    assert!(Capture::begin(&table).is_ok(), "a refused one is given up");
}

fn golden(version: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/snapshots");
    folder.join(format!("version-{version}.snapshot"))
}

/// The first file of version 1, never changed, and no longer written.
#[test]
fn version_1_is_read_as_it_always_was() {
    let opened = Snapshot::open(&golden(1), &key()).expect("the golden file is read by every later program");
    assert_eq!(opened.registers().unwrap(), None);
    let loaded = opened.load(one()).unwrap();
    assert_eq!(views(&loaded), views(&table()));
    assert!((1..=COUNT).map(CertificateNo).all(|no| loaded.row(no) == table().row(no)));
}

/// The first file of version 2, never changed: `GOLDEN=add` writes it if it is missing.
#[test]
fn version_2_is_read_and_written_as_it_always_was() {
    let golden = golden(2);
    if !golden.exists() && std::env::var_os("GOLDEN").is_some_and(|value| value == "add") {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        write(&table(), &golden, nation::at(0));
    }
    let opened = Snapshot::open(&golden, &key()).expect("the golden file is read by every later program");
    assert_eq!(opened.registers().unwrap(), Some(registers()));
    let loaded = opened.load(one()).unwrap();
    assert_eq!(views(&loaded), views(&table()));
    assert!((1..=COUNT).map(CertificateNo).all(|no| loaded.row(no) == table().row(no)));
    let (_, whole, _folder) = written();
    assert!(fs::read(golden).unwrap() == whole, "the same table, key and salt make the same file");
}

/// A file, what is in it, and the folder that it is in.
fn written() -> (PathBuf, Vec<u8>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("status.snapshot");
    write(&table(), &path, nation::at(0));
    let whole = fs::read(&path).unwrap();
    (path, whole, folder)
}

const COUNT: u64 = 120;
/// One registration and 24 changes.
const LAST: u64 = 25;
