//! A ledger that isn't the one that was followed: nothing more is taken in, and what was known stays.

use std::sync::Arc;

use tashika::follow::{FollowError, Follower, Frozen};
use tashika::ledger::Ledger;
use tashika::model::CertificateNo;

use crate::history::{self, CERTIFICATES, Version};
use crate::in_step::{agrees, catch_up, key};
use crate::memory_ledger::MemoryLedger;
use crate::nation;

struct Scene {
    ledger: MemoryLedger,
    follower: Follower,
}

impl Scene {
    fn new() -> Self {
        let ledger = MemoryLedger::create(&nation::genesis(1));
        let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
        history::write(&writer, Version::True, &mut || {});
        let mut follower = Follower::bootstrap(&ledger, &key()).unwrap();
        catch_up(&mut follower, &ledger);
        Self { ledger, follower }
    }

    /// Freezes on another ledger, and stays frozen on its own.
    fn freezes(mut self, other: &MemoryLedger, right: fn(&Frozen) -> bool) {
        let held = self.follower.table().read_to();
        for ledger in [other, &self.ledger] {
            match self.follower.step(ledger) {
                Err(FollowError::Frozen(frozen)) => assert!(right(&frozen), "{frozen}"),
                went_on => panic!("{went_on:?}"),
            }
        }
        assert_eq!(self.follower.table().read_to(), held, "nothing of it was taken in");
        assert_eq!(agrees(&self.follower, &self.ledger), CERTIFICATES, "and what was known stands");
    }
}

fn go_on(ledger: &MemoryLedger, numbers: std::ops::Range<u64>) {
    let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
    history::go_on(&writer, numbers);
}

#[test]
fn a_rolled_back_ledger_freezes_it() {
    let mut scene = Scene::new();
    let backup = scene.ledger.fork();
    go_on(&scene.ledger, 190..192);
    catch_up(&mut scene.follower, &scene.ledger);
    scene.freezes(&backup, |frozen| matches!(frozen, Frozen::RolledBack { .. }));
}

#[test]
fn a_forked_ledger_of_the_same_length_freezes_it() {
    let mut scene = Scene::new();
    let fork = scene.ledger.fork();
    go_on(&scene.ledger, 190..192);
    go_on(&fork, 192..194);
    catch_up(&mut scene.follower, &scene.ledger);
    scene.freezes(&fork, |frozen| matches!(frozen, Frozen::Rewritten(_)));
}

#[test]
fn a_forked_ledger_that_went_further_freezes_it() {
    let mut scene = Scene::new();
    let fork = scene.ledger.fork();
    go_on(&scene.ledger, 190..192);
    go_on(&fork, 192..196);
    catch_up(&mut scene.follower, &scene.ledger);
    scene.freezes(&fork, |frozen| matches!(frozen, Frozen::Forked(_)));
}

#[test]
fn a_heartbeat_of_another_history_freezes_it() {
    let scene = Scene::new();
    let fork = scene.ledger.fork();
    fork.beat(nation::at(100_000)).unwrap();
    fork.state().heartbeat.as_mut().unwrap().link = [9; 32];
    scene.freezes(&fork, |frozen| matches!(frozen, Frozen::Rewritten(_)));
}

/// What is registered must be what the event counted and hashed.
#[test]
fn altered_rows_freeze_it() {
    let scene = Scene::new();
    let altered = scene.ledger.fork();
    let writer: Arc<dyn Ledger> = Arc::new(altered.clone());
    let mut desk = tashika::desk::Desk::new(writer, tashika::model::Policy::default());
    desk.one(&history::register(CERTIFICATES + 1, 1), nation::at(86_400)).unwrap();
    altered.state().rows.get_mut(&CertificateNo(CERTIFICATES + 1)).unwrap()[20] ^= 1;
    scene.freezes(&altered, |frozen| matches!(frozen, Frozen::RowsDiffer(_)));
}

/// And what a list names must be what the event that names it counted and hashed, wherever a follower begins.
#[test]
fn altered_lists_freeze_it() {
    let scene = Scene::new();
    let altered = scene.ledger.fork();
    let writer: Arc<dyn Ledger> = Arc::new(altered.clone());
    let mut desk = tashika::desk::Desk::new(writer, tashika::model::Policy::default());
    desk.one(&history::hold_listed(&altered, &[90, 91, 92]), nation::at(86_400)).unwrap();
    altered.state().lists.values_mut().last().unwrap().remove(&CertificateNo(91));
    let begun = Follower::bootstrap(&altered, &key());
    assert!(matches!(begun.err().unwrap(), FollowError::Frozen(Frozen::MembersDiffer(_))));
    scene.freezes(&altered, |frozen| matches!(frozen, Frozen::MembersDiffer(_)));
}
