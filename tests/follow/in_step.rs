//! What the table says after each step is what the ledger says.

use std::sync::Arc;

use tashika::follow::Follower;
use tashika::ledger::{Ledger, Wanted};
use tashika::model::{CertificateNo, Life, Seconds, Status};
use tashika::status::{HashKey, Signature, Standing, Tier, Tiers};

use crate::history::{self, CERTIFICATES, Version};
use crate::memory_ledger::MemoryLedger;
use crate::nation;

#[test]
fn it_is_in_step_after_every_batch() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::create(&nation::genesis(1)));
    let mut follower = Follower::bootstrap(&*ledger, &key()).unwrap();
    let (reading, mut batches) = (ledger.clone(), 0);
    history::write(&ledger, Version::True, &mut || {
        catch_up(&mut follower, &*reading);
        batches += usize::from(agrees(&follower, &*reading) > 0);
    });
    assert!(batches > 10);
    assert_eq!(agrees(&follower, &*ledger), CERTIFICATES);
}

#[test]
fn wherever_it_begins_it_comes_to_the_same() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::create(&nation::genesis(1)));
    let (reading, mut followers) = (ledger.clone(), Vec::new());
    history::write(&ledger, Version::True, &mut || followers.push(Follower::bootstrap(&*reading, &key()).unwrap()));
    history::go_on(&ledger, 190..195);
    let last = ledger.head().unwrap();
    for follower in &mut followers {
        catch_up(follower, &*ledger);
        assert_eq!(follower.table().read_to().position, last.position);
        assert_eq!((&follower.head().link, &follower.head().tree), (&last.link, &last.tree));
        assert_eq!(agrees(follower, &*ledger), CERTIFICATES);
    }
}

/// A replica that is paused shows no newer heartbeat, however few events it lacks.
#[test]
fn it_is_as_fresh_as_the_last_heartbeat_that_it_has_read_up_to() {
    let ledger = MemoryLedger::create(&nation::genesis(1));
    let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
    history::write(&writer, Version::True, &mut || {});
    let mut follower = Follower::bootstrap(&ledger, &key()).unwrap();
    let now = nation::at(100_000);
    assert_eq!(follower.freshness().tier(now, Tiers::default()), Tier::Past, "nobody has said yet how old this is");
    ledger.beat(now).unwrap();
    catch_up(&mut follower, &ledger);
    let lag = |follower: &Follower, seconds| follower.freshness().lag(now + Seconds(seconds)).unwrap();
    assert_eq!(lag(&follower, 2), Seconds(2));
    // A paused copy: the writer goes on, the copy doesn't.
    let paused = ledger.fork();
    history::go_on(&writer, 190..191);
    ledger.beat(now + Seconds(10)).unwrap();
    catch_up(&mut follower, &paused);
    assert_eq!(lag(&follower, 10), Seconds(10));
    assert_eq!(follower.freshness().tier(now + Seconds(10), Tiers::default()), Tier::Degraded);
    catch_up(&mut follower, &ledger);
    assert_eq!(lag(&follower, 10), Seconds(0));
}

/// Reading a list takes its time: what was committed before the set doesn't wait for it.
#[test]
fn what_comes_before_a_listed_set_is_there_before_it() {
    let ledger = MemoryLedger::create(&nation::genesis(1));
    let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
    history::write(&writer, Version::True, &mut || {});
    let mut follower = Follower::bootstrap(&ledger, &key()).unwrap();
    history::go_on(&writer, 190..192);
    let before = ledger.head().unwrap().position;
    let mut desk = tashika::desk::Desk::new(writer.clone(), tashika::model::Policy::default());
    desk.one(&history::hold_listed(&ledger, &[90, 91]), nation::at(86_400)).unwrap();
    history::go_on(&writer, 193..195);
    let first = follower.step(&ledger).unwrap();
    assert_eq!((follower.table().read_to().position, first.more, first.sets), (before, true, 0));
    assert_eq!(first.changed, [CertificateNo(190), CertificateNo(191)]);
    catch_up(&mut follower, &ledger);
    assert_eq!(follower.table().read_to().position, ledger.head().unwrap().position);
    assert_eq!(agrees(&follower, &ledger), CERTIFICATES);
}

pub fn key() -> HashKey {
    HashKey::new([7; 16])
}

pub fn catch_up(follower: &mut Follower, ledger: &dyn Ledger) {
    while follower.step(ledger).unwrap().more {}
}

/// Compares every certificate; says how many there are.
pub fn agrees(follower: &Follower, ledger: &dyn Ledger) -> u64 {
    let count = ledger.head().unwrap().certificates;
    let numbers = (1..=count).map(CertificateNo).collect();
    let entries = ledger.find(&Wanted { numbers, ..Wanted::default() }).unwrap().entries;
    assert_eq!(entries.len() as u64, count);
    let mut signature = Signature::default();
    for entry in entries {
        let view = follower.table().look_up(&entry.certificate.key, &mut signature).unwrap();
        let expected = standing(&entry.status, entry.certificate.not_before);
        assert_eq!((view.no, view.standing), (entry.no, expected), "certificate {}", entry.no);
    }
    assert!(follower.table().at(CertificateNo(count + 1), &mut signature).is_none());
    assert_eq!(follower.book(), ledger.book().unwrap().1);
    count
}

fn standing(status: &Status, not_before: tashika::model::Time) -> Standing {
    match &status.life {
        Life::Revoked(revocation) => {
            Standing::Revoked { reason: revocation.reason, at: revocation.at, lost_at: revocation.lost_at }
        }
        Life::Active | Life::Pending if !status.holds.is_empty() => Standing::Held {
            since: status.holds.iter().map(|hold| hold.since).min().unwrap(),
            lost_at: status.holds.iter().filter_map(|hold| hold.lost_at).min(),
        },
        Life::Pending => Standing::Pending { since: not_before },
        Life::Active => Standing::Good,
    }
}
