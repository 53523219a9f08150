//! A beginning from a snapshot: it comes to what a beginning from a scan comes to, and only on the ledger that it is of.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use tashika::follow::{FollowError, Follower, Frozen, Opened, SnapshotRefused};
use tashika::ledger::Ledger;
use tashika::model::{Epoch, Seconds};
use tashika::status::{Salt, SnapshotError, SnapshotKey, Tier, Tiers};

use crate::history::{self, CERTIFICATES, Version};
use crate::in_step::{agrees, catch_up, key};
use crate::memory_ledger::MemoryLedger;
use crate::nation;

struct Scene {
    ledger: MemoryLedger,
    follower: Follower,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// A whole history, its last heartbeat at 100,000, and a snapshot of it.
    fn new() -> Self {
        let ledger = MemoryLedger::create(&nation::genesis(1));
        let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
        history::write(&writer, Version::True, &mut || {});
        ledger.beat(nation::at(100_000)).unwrap();
        let mut follower = Follower::bootstrap(&ledger, &key()).unwrap();
        catch_up(&mut follower, &ledger);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.snapshot");
        write(&follower, &path);
        Self { ledger, follower, path, _folder: folder }
    }

    fn begin(&self, ledger: &dyn Ledger) -> Result<Follower, SnapshotRefused> {
        Follower::from_snapshot(ledger, self.open(), threads())
    }

    fn open(&self) -> Opened {
        Opened::open(&self.path, &secret()).unwrap()
    }
}

fn write(follower: &Follower, path: &std::path::Path) {
    let written = follower.snapshot().unwrap().write(path, &secret(), Salt([4; 32]), nation::at(0)).unwrap();
    assert_eq!(written.certificates, follower.table().count());
}

fn secret() -> SnapshotKey {
    SnapshotKey::new([3; 32])
}

fn threads() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

fn go_on(ledger: &MemoryLedger, numbers: std::ops::Range<u64>) {
    let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
    history::go_on(&writer, numbers);
}

#[test]
fn it_stands_where_it_stood_and_goes_on_from_there() {
    let scene = Scene::new();
    let mut follower = scene.begin(&scene.ledger).unwrap();
    assert_eq!((follower.head(), follower.freshness()), (scene.follower.head(), scene.follower.freshness()));
    assert_eq!(follower.table().read_to(), scene.follower.table().read_to());
    assert_eq!(agrees(&follower, &scene.ledger), CERTIFICATES);
    go_on(&scene.ledger, 190..195);
    catch_up(&mut follower, &scene.ledger);
    let stored = scene.ledger.head().unwrap();
    assert_eq!((&follower.head().link, &follower.head().tree), (&stored.link, &stored.tree));
    assert_eq!(agrees(&follower, &scene.ledger), CERTIFICATES);
    // And one that begins after the ledger has gone on is behind, and catches up.
    let mut late = scene.begin(&scene.ledger).unwrap();
    assert!(late.head().position < stored.position);
    catch_up(&mut late, &scene.ledger);
    assert_eq!(agrees(&late, &scene.ledger), CERTIFICATES);
}

#[test]
fn from_every_step_of_a_history_it_comes_to_the_same() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::create(&nation::genesis(1)));
    let folder = tempfile::tempdir().unwrap();
    let (reading, mut paths) = (ledger.clone(), Vec::new());
    let mut follower = Follower::bootstrap(&*ledger, &key()).unwrap();
    history::write(&ledger, Version::True, &mut || {
        catch_up(&mut follower, &*reading);
        let path = folder.path().join(format!("{}", paths.len()));
        write(&follower, &path);
        paths.push(path);
    });
    assert!(paths.len() > 10);
    for path in paths {
        let opened = Opened::open(&path, &secret()).unwrap();
        let mut follower = Follower::from_snapshot(&*ledger, opened, threads()).unwrap();
        catch_up(&mut follower, &*ledger);
        assert_eq!(agrees(&follower, &*ledger), CERTIFICATES);
    }
}

#[test]
fn what_is_written_while_it_steps_on_is_of_where_it_stood() {
    let mut scene = Scene::new();
    let (before, taken) = (scene.follower.head().clone(), scene.follower.snapshot().unwrap());
    assert!(matches!(scene.follower.snapshot(), Err(SnapshotError::Busy)));
    let there = scene.ledger.fork();
    go_on(&scene.ledger, 190..195);
    catch_up(&mut scene.follower, &scene.ledger);
    taken.write(&scene.path, &secret(), Salt([5; 32]), nation::at(0)).unwrap();
    let mut follower = scene.begin(&scene.ledger).unwrap();
    assert_eq!(follower.head(), &before);
    assert_eq!(agrees(&follower, &there), CERTIFICATES);
    catch_up(&mut follower, &scene.ledger);
    assert_eq!(agrees(&follower, &scene.ledger), CERTIFICATES);
}

#[test]
fn another_ledger_is_refused() {
    let scene = Scene::new();
    let other = MemoryLedger::create(&nation::genesis(2));
    assert!(matches!(scene.begin(&other), Err(SnapshotRefused::Foreign { .. })));
}

#[test]
fn a_ledger_that_was_rolled_back_is_refused() {
    let mut scene = Scene::new();
    let backup = scene.ledger.fork();
    go_on(&scene.ledger, 190..192);
    catch_up(&mut scene.follower, &scene.ledger);
    write(&scene.follower, &scene.path);
    let refused = |scene: &Scene, ledger: &MemoryLedger| match scene.begin(ledger) {
        Err(SnapshotRefused::OtherHistory(frozen)) => frozen,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("begun"),
    };
    assert!(matches!(refused(&scene, &backup), Frozen::RolledBack { .. }));
    // And filled up again with something else: as far as the snapshot, and further.
    go_on(&backup, 192..194);
    assert_eq!(backup.head().unwrap().position, scene.ledger.head().unwrap().position);
    assert!(matches!(refused(&scene, &backup), Frozen::Rewritten(_)));
    go_on(&backup, 194..196);
    assert!(matches!(refused(&scene, &backup), Frozen::Rewritten(_)));
}

#[test]
fn another_epoch_at_the_same_place_is_refused() {
    let scene = Scene::new();
    let adopted = scene.ledger.fork();
    adopted.state().head.epoch = Epoch(9);
    assert!(matches!(scene.begin(&adopted), Err(SnapshotRefused::OtherHistory(Frozen::Rewritten(_)))));
}

#[test]
fn alone_it_is_as_old_as_it_is_and_good_to_nobody_after_three_days() {
    let scene = Scene::new();
    let mut follower = Follower::from_snapshot_alone(scene.open(), threads()).unwrap();
    assert_eq!(agrees(&follower, &scene.ledger), CERTIFICATES);
    let tier =
        |follower: &Follower, seconds| follower.freshness().tier(nation::at(100_000) + seconds, Tiers::default());
    assert_eq!(follower.table().freshness(), scene.follower.freshness(), "whoever asks the table is told the same");
    assert_eq!(tier(&follower, Seconds(2)), Tier::Fresh);
    assert_eq!(tier(&follower, Seconds(60)), Tier::Degraded);
    assert_eq!(tier(&follower, Seconds::days(3)), Tier::Past);
    // A ledger that comes back makes it fresh again.
    scene.ledger.beat(nation::at(100_000) + Seconds::days(3)).unwrap();
    catch_up(&mut follower, &scene.ledger);
    assert_eq!(tier(&follower, Seconds::days(3)), Tier::Fresh);
}

#[test]
fn alone_it_freezes_on_the_first_ledger_that_is_another() {
    let mut scene = Scene::new();
    let backup = scene.ledger.fork();
    go_on(&scene.ledger, 190..192);
    catch_up(&mut scene.follower, &scene.ledger);
    write(&scene.follower, &scene.path);
    let frozen_by = |ledger: &dyn Ledger| {
        let mut follower = Follower::from_snapshot_alone(scene.open(), threads()).unwrap();
        match follower.step(ledger) {
            Err(FollowError::Frozen(frozen)) => frozen,
            went_on => panic!("{went_on:?}"),
        }
    };
    assert!(matches!(frozen_by(&backup), Frozen::RolledBack { .. }));
    go_on(&backup, 192..196);
    assert!(matches!(frozen_by(&backup), Frozen::Forked(_)));
    assert!(matches!(frozen_by(&MemoryLedger::create(&nation::genesis(2))), Frozen::RolledBack { .. }));
}

/// It never knew how fresh it was: nobody is answered before a heartbeat is heard.
#[test]
fn a_follower_that_never_heard_a_heartbeat_writes_that_too() {
    let ledger = MemoryLedger::create(&nation::genesis(1));
    let follower = Follower::bootstrap(&ledger, &key()).unwrap();
    let path = tempfile::tempdir().unwrap();
    let path = path.path().join("status.snapshot");
    write(&follower, &path);
    let alone = Follower::from_snapshot_alone(Opened::open(&path, &secret()).unwrap(), threads()).unwrap();
    assert_eq!(alone.freshness().tier(nation::at(0), Tiers::default()), Tier::Past);
    let altered = std::fs::read(&path).unwrap().into_iter().rev().collect::<Vec<_>>();
    std::fs::write(&path, altered).unwrap();
    let refused = Opened::open(&path, &secret()).err().expect("turned round");
    assert!(matches!(refused, SnapshotRefused::File(SnapshotError::NotASnapshot)), "{refused}");
}
