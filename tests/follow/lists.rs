//! The lists that CRLs are made from: wherever the following began and however often it stepped, what they say is what the
//! ledger says, and a delta against any earlier moment leads to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tashika::asn1::crl::CrlEntry;
use tashika::follow::{Beginning, FollowError, Frozen, ListFollower};
use tashika::ledger::{Ledger, decode_event};
use tashika::model::{Body, DatedByDay, Position, ScopeNo};
use tashika::publisher::{Content, Expired, Lists, Relist, Rules, replay};
use tashika::status::LossDates;

use crate::between::{Between, What};
use crate::memory_ledger::MemoryLedger;
use crate::town::{Entries, Moment, Town, WITHIN};

const SCOPES: [ScopeNo; 3] = [ScopeNo(1), ScopeNo(2), ScopeNo(3)];
const RULES: Rules = Rules { dates: DatedByDay::NONE, expired: Expired::Dropped, delivery_within: WITHIN };

#[test]
fn wherever_they_begin_they_say_what_the_ledger_says() {
    let (mut removals, mut listed) = (0, 0);
    for seed in 0..40 {
        let mut town = Town::new(seed);
        let mut moments: Vec<Moment> = Vec::new();
        // In step, now and then, and from each fourth moment on with the oldest base before it.
        let mut in_step = vec![(begin(&town.ledger, None), 0)];
        let mut now_and_then = begin(&town.ledger, None);
        for turn in 0..24 {
            town.live(1 + (seed as usize + turn) % 9);
            let moment = town.moment();
            in_step.iter_mut().for_each(|(follower, _)| catch_up(follower, &town.ledger));
            for (follower, oldest) in &in_step {
                let (removed, said) = agrees(follower, &moment, &moments[*oldest..]);
                removals += removed;
                listed += said;
            }
            moments.push(moment);
            if turn % 4 == 3 {
                let oldest = turn / 2;
                let follower = begin(&town.ledger, Some(moments[oldest].position()));
                in_step.push((follower, oldest));
            }
            if turn % 8 == 7 {
                catch_up(&mut now_and_then, &town.ledger);
                agrees(&now_and_then, moments.last().unwrap(), &moments);
            }
        }
        let all = town.ledger.events_after(Position(0), usize::MAX).unwrap();
        let numbers = all.iter().filter_map(|sealed| match decode_event(&sealed.bytes).unwrap().body {
            Body::CrlsNumbered { number } => Some(number),
            _ => None,
        });
        let (first, _) = &in_step[0];
        assert_eq!(first.numbered(), numbers.max(), "seed {seed}");
    }
    assert!(removals > 3_000 && listed > 30_000, "much was listed, and much removed: {listed}, {removals}");
}

fn begin(ledger: &dyn Ledger, oldest_base: Option<Position>) -> ListFollower {
    try_to_begin(ledger, oldest_base).unwrap()
}

fn try_to_begin(ledger: &dyn Ledger, oldest_base: Option<Position>) -> Result<ListFollower, FollowError> {
    let beginning = Beginning { losses: LossDates::Kept, delivery_within: WITHIN, oldest_base, matters: &|_, _| true };
    ListFollower::bootstrap(ledger, beginning)
}

fn catch_up(follower: &mut ListFollower, ledger: &dyn Ledger) {
    while follower.step(ledger).unwrap().more {}
}

/// Compares the full CRL of each scope, and the delta against each earlier moment; how many removals and entries there were.
fn agrees(follower: &ListFollower, moment: &Moment, bases: &[Moment]) -> (u64, usize) {
    let (mut removals, mut listed) = (0, 0);
    assert_eq!(follower.cutoff(), Some(moment.cutoff));
    for no in SCOPES {
        let lists = Lists::of_scope(follower.revoked().list(no).unwrap());
        let rules = Rules { dates: DatedByDay::default(), ..RULES };
        let content = Content { lists: &lists, cutoff: moment.cutoff, rules, regular: &[] };
        let expected = moment.entries(no);
        let said: Entries = content.full().map(|entry| (entry.serial, CrlEntry { issuer: None, ..entry })).collect();
        assert_eq!(said, expected, "scope {no} at {:?}", moment.cutoff);
        listed += said.len();
        for base in bases {
            let news = content.delta(base.cutoff, Relist::Changed).map(Ok);
            let before = base.entries(no).into_values().map(Ok);
            let replayed = replay(before, news, expected.values().copied().map(Ok));
            let replayed = replayed
                .unwrap_or_else(|wrong| panic!("scope {no}, from {:?} to {:?}: {wrong}", base.cutoff, moment.cutoff));
            removals += replayed.removals;
        }
    }
    (removals, listed)
}

/// Somebody writes between any two reads of a step, or of a beginning: what is known is never called known up to a moment
/// that it doesn't show.
#[test]
fn a_writer_in_between_never_makes_them_say_what_was_not_so() {
    let (mut held_back, mut told) = (0, 0);
    for seed in 0..30 {
        let mut call = 0;
        loop {
            let mut town = Town::new(seed);
            let mut follower = begin(&town.ledger, None);
            let first = town.moment();
            town.live(10);
            let before = town.moment();
            let ledger = town.ledger.clone();
            let (town, after) = (Arc::new(std::sync::Mutex::new(town)), Arc::new(std::sync::Mutex::new(None)));
            let what = {
                let (town, after) = (town.clone(), after.clone());
                What::Meanwhile(Box::new(move || {
                    let mut town = town.lock().unwrap();
                    town.live(6);
                    *after.lock().unwrap() = Some(town.moment());
                }))
            };
            let between = Between::new(&ledger, call, what);
            let mut more = true;
            while more {
                more = follower.step(&between).unwrap().more;
                let Some(cutoff) = follower.cutoff() else {
                    held_back += 1;
                    continue;
                };
                // Of events in between nobody has a copy; at both ends it must be just so.
                let after = after.lock().unwrap();
                for moment in [Some(&before), after.as_ref()].into_iter().flatten() {
                    if moment.cutoff.position == cutoff.position {
                        let at = Moment { cutoff, ledger: moment.ledger.clone() };
                        agrees(&follower, &at, std::slice::from_ref(&first));
                        told += 1;
                    }
                }
            }
            if !between.has_been() {
                break;
            }
            catch_up(&mut follower, &ledger);
            let last = town.lock().unwrap().moment();
            agrees(&follower, &last, &[first.clone(), before]);
            call += 1;
        }
        assert!(call >= 3, "heartbeat, events, statuses: {call}");
    }
    assert!(held_back > 30 && told > 100, "{held_back} times nothing could be said, {told} times it was right");
}

/// A reading call fails, any of them: what was known stays as it was, and the next step gets there.
#[test]
fn a_broken_read_leaves_no_half_of_it() {
    let failed = AtomicUsize::new(0);
    for seed in 0..30 {
        for call in 0.. {
            let mut town = Town::new(seed);
            let mut follower = begin(&town.ledger, None);
            let first = town.moment();
            town.live(14);
            let between = Between::new(&town.ledger, call, What::Fails);
            let mut more = true;
            while more && !between.has_been() {
                let (known, head, cutoff) = (shown(&follower), follower.head().clone(), follower.cutoff());
                match follower.step(&between) {
                    Ok(stepped) => more = stepped.more,
                    Err(FollowError::Ledger(_)) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        assert_eq!((shown(&follower), follower.head()), (known, &head));
                        assert_eq!(follower.cutoff(), cutoff);
                    }
                    Err(frozen) => panic!("{frozen}"),
                }
            }
            if !between.has_been() {
                break;
            }
            catch_up(&mut follower, &between);
            agrees(&follower, &town.moment(), std::slice::from_ref(&first));
            // A beginning that breaks off is none.
            let between = Between::new(&town.ledger, call, What::Fails);
            match try_to_begin(&between, Some(first.position())) {
                Err(FollowError::Ledger(_)) => assert!(between.has_been()),
                Err(frozen) => panic!("{frozen}"),
                Ok(mut begun) => {
                    catch_up(&mut begun, &town.ledger);
                    agrees(&begun, &town.moment(), std::slice::from_ref(&first));
                }
            }
        }
    }
    let failed = failed.into_inner();
    assert!(failed > 100, "{failed}");
}

/// What each scope would list; none: it waits for members of a set.
fn shown(follower: &ListFollower) -> Vec<Option<String>> {
    let show =
        |no: ScopeNo| follower.revoked().list(no).ok().map(|list| format!("{:?}", list.iter().collect::<Vec<_>>()));
    SCOPES.map(show).to_vec()
}

#[test]
fn another_history_freezes_them() {
    let histories: [fn(&MemoryLedger, &mut Town) -> MemoryLedger; 3] = [
        // Rolled back.
        |backup, _| backup.clone(),
        // Gone another way, and further.
        |backup, town| {
            let mut other = town.on(backup);
            other.live(100);
            assert!(backup.head().unwrap().position > town.ledger.head().unwrap().position);
            backup.clone()
        },
        // A heartbeat of another history.
        |_, town| {
            let fork = town.ledger.fork();
            fork.state().heartbeat.as_mut().unwrap().link = [9; 32];
            fork
        },
    ];
    let right: [fn(&Frozen) -> bool; 3] = [
        |frozen| matches!(frozen, Frozen::RolledBack { .. }),
        |frozen| matches!(frozen, Frozen::Forked(_)),
        |frozen| matches!(frozen, Frozen::Rewritten(_)),
    ];
    for (history, right) in histories.into_iter().zip(right) {
        let mut town = Town::new(2);
        town.live(10);
        let backup = town.ledger.fork();
        town.live(10);
        let mut follower = begin(&town.ledger, None);
        catch_up(&mut follower, &town.ledger);
        let (known, own) = (shown(&follower), town.ledger.clone());
        let other = history(&backup, &mut town);
        // And it stays so, on its own ledger, too.
        for ledger in [&other, &own] {
            match follower.step(ledger) {
                Err(FollowError::Frozen(frozen)) => assert!(right(&frozen), "{frozen}"),
                went_on => panic!("{went_on:?}"),
            }
        }
        assert_eq!(shown(&follower), known);
    }
}
