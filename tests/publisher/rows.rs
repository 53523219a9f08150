//! The table of transitions, row by row: what the full CRL says and what the delta says.

use tashika::asn1::crl::CrlEntry;
use tashika::model::{
    Batch, Cutoff, Delivery, HoldId, HoldKind, Listed, Reason, ScopeNo, Seconds, SetChange, Time, Wish,
};
use tashika::publisher::{Content, Lists, Relist};

use crate::rng::Rng;
use crate::world::{WITHIN, World, rules, start};

/// Two certificates of scope 1, delivered.
const ONE: usize = 0;
const OTHER: usize = 3;

/// A world in which both are registered, and its cut-off then: that of the base.
fn world() -> (World, Cutoff) {
    let mut world = World::new(10, &mut Rng::new(1));
    for index in [ONE, OTHER] {
        world.certificates[index].not_after = start() + Seconds::days(900);
        world.register(index, Delivery::Delivered);
    }
    world.pass(100);
    let base = world.cutoff();
    world.pass(100);
    (world, base)
}

type Line = (usize, Listed, Time);

fn lines<'a>(world: &World, entries: impl Iterator<Item = CrlEntry<'a>>) -> Vec<Line> {
    let index =
        |entry: &CrlEntry<'_>| world.certificates.iter().position(|one| one.key.serial == entry.serial).unwrap();
    let mut lines: Vec<_> = entries.map(|entry| (index(&entry), entry.listed, entry.date)).collect();
    lines.sort_by_key(|line| line.0);
    lines
}

fn full_after(world: &World, regular: &[Cutoff]) -> Vec<Line> {
    let lists = Lists::of_scope(world.revoked.list(ScopeNo(1)).unwrap());
    lines(world, Content { lists: &lists, cutoff: world.cutoff(), rules: rules(), regular }.full())
}

fn full(world: &World) -> Vec<Line> {
    full_after(world, &[])
}

fn delta_after(world: &World, base: Cutoff, regular: &[Cutoff]) -> Vec<Line> {
    let lists = Lists::of_scope(world.revoked.list(ScopeNo(1)).unwrap());
    let content = Content { lists: &lists, cutoff: world.cutoff(), rules: rules(), regular };
    lines(world, content.delta(base, Relist::Changed))
}

fn delta(world: &World, base: Cutoff) -> Vec<Line> {
    delta_after(world, base, &[])
}

fn says(index: usize, listed: Listed, date: Time) -> Vec<Line> {
    vec![(index, listed, date)]
}

#[test]
fn row_1_and_2_what_waits_is_silent_until_it_is_overdue() {
    let (mut world, base) = world();
    world.certificates[6].not_before = world.time;
    world.register(6, Delivery::Awaited);
    let made = world.time;
    world.pass(WITHIN.0 - 1);
    assert_eq!((full(&world), delta(&world, base)), (vec![], vec![]));
    let silent = world.cutoff();
    world.pass(1);
    assert_eq!(full(&world), says(6, Listed::Held, made));
    // Against a base from before no event: the clock alone brought it about.
    assert_eq!(delta(&world, silent), says(6, Listed::Held, made));
    let overdue = world.cutoff();
    assert_eq!(delta(&world, overdue), vec![]);
    world.wish(6, &Wish::Acknowledge);
    assert_eq!((full(&world), delta(&world, base)), (vec![], says(6, Listed::Removed, made)));
}

#[test]
fn row_2_who_acknowledges_in_time_was_never_on_a_list() {
    let (mut world, base) = world();
    world.certificates[6].not_before = world.time;
    world.register(6, Delivery::Awaited);
    world.pass(WITHIN.0 - 1);
    world.wish(6, &Wish::Acknowledge);
    assert_eq!((full(&world), delta(&world, base)), (vec![], vec![]));
}

#[test]
fn row_3_what_is_not_delivered_is_revoked_without_a_reason() {
    let (mut world, base) = world();
    world.register(6, Delivery::Awaited);
    world.revoke(6, Reason::Unspecified);
    let revoked = says(6, Listed::Revoked(Reason::Unspecified), world.time);
    assert_eq!((full(&world), delta(&world, base)), (revoked.clone(), revoked));
}

#[test]
fn row_5_and_6_a_new_reason_is_listed_again_with_the_date_of_the_first_hold() {
    for (reason, other) in [(Reason::CessationOfOperation, 5_000), (Reason::KeyCompromise, 90_000)] {
        let (mut world, _) = world();
        world.hold(ONE);
        let held = world.time;
        world.pass(other);
        let base = world.cutoff();
        assert_eq!(full(&world), says(ONE, Listed::Held, held));
        world.wish(ONE, &Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None });
        assert_eq!(delta(&world, base), vec![], "another hold changes nothing that is listed");
        world.revoke(ONE, reason);
        let revoked = says(ONE, Listed::Revoked(reason), held);
        assert_eq!((full(&world), delta(&world, base)), (revoked.clone(), revoked));
    }
}

#[test]
fn row_8_a_lifted_hold_is_removed_even_if_both_fall_after_the_base() {
    let (mut world, base) = world();
    world.hold(ONE);
    let held = world.time;
    let between = world.cutoff();
    world.pass(50);
    world.release(ONE);
    for base in [base, between] {
        assert_eq!((full(&world), delta(&world, base)), (vec![], says(ONE, Listed::Removed, held)));
    }
    let after = world.cutoff();
    world.pass(50);
    assert_eq!(delta(&world, after), vec![], "a base from afterwards has nothing to remove");
    world.hold(ONE);
    assert_eq!(delta(&world, base), says(ONE, Listed::Held, world.time));
}

#[test]
fn row_12_13_14_moved_renewed_and_died_are_dated_by_the_day_and_never_later() {
    let (mut world, base) = world();
    world.revoke(ONE, Reason::Superseded);
    world.pass(7);
    world.revoke(OTHER, Reason::AffiliationChanged);
    let midnight = "2026-11-20T00:00:00+09:00".parse().unwrap();
    let both = vec![
        (ONE, Listed::Revoked(Reason::Superseded), midnight),
        (OTHER, Listed::Revoked(Reason::AffiliationChanged), midnight),
    ];
    assert!(midnight <= world.time);
    assert_eq!((full(&world), delta(&world, base)), (both.clone(), both));
}

#[test]
fn row_17_what_expires_stays_for_one_regular_full_and_then_leaves_the_deltas_too() {
    let (mut world, base) = world();
    world.certificates[6].not_after = world.time + Seconds(1_000);
    world.register(6, Delivery::Delivered);
    world.revoke(6, Reason::KeyCompromise);
    let revoked = says(6, Listed::Revoked(Reason::KeyCompromise), world.time);
    world.pass(500);
    let before_its_end = world.cutoff();
    world.pass(501);
    // A full CRL issued before its end doesn't count, and neither does one that was not regular.
    assert_eq!(full_after(&world, &[before_its_end]), revoked);
    let last = world.cutoff();
    assert_eq!(delta_after(&world, base, &[before_its_end]), revoked, "first revoked on a delta, then expired");
    world.pass(60);
    let regular = [before_its_end, last];
    assert_eq!(full_after(&world, &regular), vec![]);
    let removed = says(6, Listed::Removed, revoked[0].2);
    // On the base, or on a delta since: removed. On none of them: nothing to be said.
    for base in [base, before_its_end, last] {
        assert_eq!(delta_after(&world, base, &regular), removed);
    }
    let without = world.cutoff();
    world.pass(60);
    assert_eq!(delta_after(&world, without, &regular), vec![]);
}

#[test]
fn row_19_and_21_a_set_is_listed_scope_by_scope_and_removed_when_the_campaign_is_undone() {
    let (mut world, base) = world();
    let batch = Batch(1);
    world.set(batch, SetChange::Held);
    let held = vec![(ONE, Listed::Held, world.time), (OTHER, Listed::Held, world.time)];
    assert_eq!((full(&world), delta(&world, base)), (held.clone(), held));
    let hold = HoldId(world.set_hold(batch).unwrap());
    world.revoke(ONE, Reason::KeyCompromise);
    let since = world.time;
    world.pass(30);
    world.set(batch, SetChange::Released { hold });
    // Never a revoked one.
    let revoked = (ONE, Listed::Revoked(Reason::KeyCompromise), since);
    assert_eq!(full(&world), vec![revoked]);
    assert_eq!(delta(&world, base), vec![revoked, (OTHER, Listed::Removed, since)]);
}

#[test]
fn row_20_a_duplicate_is_not_listed_again_unless_the_reason_is_worse() {
    let (mut world, _) = world();
    world.revoke(ONE, Reason::Superseded);
    world.pass(10);
    let base = world.cutoff();
    world.revoke(ONE, Reason::Superseded);
    world.revoke(ONE, Reason::CessationOfOperation);
    world.hold(ONE);
    assert_eq!(delta(&world, base), vec![]);
    world.revoke(ONE, Reason::KeyCompromise);
    // Dated to the second now, for the first doubtful signature is of that day.
    assert_eq!(delta(&world, base), full(&world));
    assert_eq!(full(&world)[0].1, Listed::Revoked(Reason::KeyCompromise));
}
