//! `check_world`: after every step, all that must be true of the ledger, compared with the independent model.

use std::collections::{BTreeMap, BTreeSet};

use tashika::ledger::{Answer, Heartbeat};
use tashika::model::{CertificateNo, Command, IdempotencyKey, Life, Policy, Time};

use crate::clients::Clients;
use crate::memory_ledger::{MemoryLedger, State};
use crate::naive::{Naive, Naked, check};

/// What has been seen so far and must not be unseen.
#[derive(Default)]
pub struct Seen {
    pub links: Vec<[u8; 32]>,
    answers: BTreeMap<IdempotencyKey, Answer>,
    heartbeat: Option<Heartbeat>,
    acknowledged: usize,
    timers: BTreeSet<(Time, CertificateNo)>,
}

/// Takes in what is new and compares. The first thing that is wrong, in words.
pub fn check_world(ledger: &MemoryLedger, naive: &mut Naive, seen: &mut Seen, clients: &Clients) -> Result<(), String> {
    let state = ledger.state();
    check(state.complaints.is_empty(), || format!("a malformed batch: {:?}", state.complaints))?;
    let known = seen.links.len();
    check(state.events.len() >= known, || format!("{known} events were there, now {}", state.events.len()))?;
    check(known == 0 || state.events[known - 1].link == seen.links[known - 1], || "history was rewritten".into())?;
    for sealed in &state.events[known..] {
        naive.take(sealed, &state)?;
        if let (Some(beat), Some(event)) = (&seen.heartbeat, naive.events.last()) {
            check(event.time >= beat.time, || {
                format!("an event of {} after a heartbeat of {}", event.time, beat.time)
            })?;
        }
        seen.links.push(sealed.link);
    }
    naive.settled()?;
    check(state.head.position.0 == state.events.len() as u64, || "the head is not at the end".into())?;
    acknowledged(seen, clients)?;
    small_things(&state, naive, seen)?;
    // Statuses and timers change by events alone, but for timers that are done with.
    if state.events.len() == known && state.timers == seen.timers {
        return Ok(());
    }
    seen.timers = state.timers.clone();
    for (no, naked) in &naive.certificates {
        same_status(&state, *no, naked)?;
        timer(&state, *no, naked, &naive.policy)?;
    }
    Ok(())
}

/// Nothing acknowledged is lost (the history before what was compared is covered by its link).
fn acknowledged(seen: &mut Seen, clients: &Clients) -> Result<(), String> {
    for (first, last, link) in &clients.acknowledged[seen.acknowledged..] {
        let there = seen.links.get(last.0 as usize - 1);
        check(there == Some(link), || format!("{first} to {last} was acknowledged and is not there"))?;
    }
    // Links never change once seen, so each has to be compared once.
    seen.acknowledged = clients.acknowledged.len();
    Ok(())
}

fn small_things(state: &State, naive: &Naive, seen: &mut Seen) -> Result<(), String> {
    for (key, answer) in &seen.answers {
        check(state.answers.get(key) == Some(answer), || format!("the answer to {key} has changed"))?;
    }
    seen.answers = state.answers.clone();
    check(state.queue.iter().eq(naive.waiting.keys()), || {
        format!("{:?} wait, the queue says {:?}", naive.waiting.keys(), state.queue)
    })?;
    nothing_waits_twice(naive)?;
    if let (Some(before), Some(now)) = (&seen.heartbeat, &state.heartbeat) {
        let forward = now.time >= before.time && now.position >= before.position;
        check(forward, || format!("the heart went back from {before:?} to {now:?}"))?;
    }
    seen.heartbeat = state.heartbeat.clone();
    let policy = &naive.policy;
    for ((key, hour), used) in &naive.used {
        let earlier = |day: i64| naive.used.get(&(key.clone(), hour - 24 * day)).copied().unwrap_or(0);
        let peak = (1..=28).map(earlier).max().unwrap_or(0);
        let limit = policy.budget_floor.max(peak * policy.budget_factor);
        check(*used <= limit, || format!("{used} times '{key}' in hour {hour}, the budget is {limit}"))?;
    }
    Ok(())
}

/// Who says the same again is told where it waits.
fn nothing_waits_twice(naive: &Naive) -> Result<(), String> {
    let mut said = BTreeSet::new();
    for (queued, request) in &naive.waiting {
        let (role, person) = (request.actor.role, request.actor.person);
        // Who orders an undo makes no difference to it.
        let by = if matches!(request.command, Command::Undo(_)) { String::new() } else { format!("{role:?}/{person}") };
        check(said.insert(format!("{by} {:?}", request.command)), || format!("{queued} waits twice: {request:?}"))?;
    }
    Ok(())
}

/// What the ledger tells of a certificate is what the independent model says; and only what is good is told as good.
fn same_status(state: &State, no: CertificateNo, naked: &Naked) -> Result<(), String> {
    let told = state.entry(no).map_err(|error| error.to_string())?.status;
    let differs = || format!("certificate {no} is {naked:?}, the ledger tells {told:?}");
    check(told.is_good() == naked.is_good(), differs)?;
    let life = match (&told.life, naked.ended) {
        (Life::Active, None) => !naked.pending,
        (Life::Pending, None) => naked.pending,
        (Life::Revoked(told), Some(ended)) => {
            (told.reason, told.at, told.lost_at) == (ended.reason, ended.at, ended.lost_at)
        }
        _ => false,
    };
    check(life && told.handed_to == naked.town, differs)?;
    check(told.holds.len() == naked.holds.len(), differs)?;
    for hold in &told.holds {
        let known = naked.holds.get(&hold.id);
        let same = known.is_some_and(|known| {
            (known.kind, known.since, known.lost_at, known.becomes)
                == (hold.kind, hold.since, hold.lost_at, hold.becomes)
        });
        check(same, differs)?;
    }
    Ok(())
}

/// Whatever the clock must do, a timer reminds it in time.
fn timer(state: &State, no: CertificateNo, naked: &Naked, policy: &Policy) -> Result<(), String> {
    let Some(due) = naked.due(policy) else { return Ok(()) };
    let reminded = state.timers.iter().any(|(at, of)| *of == no && *at <= due);
    check(reminded, || format!("certificate {no} is due at {due} and nothing will remind the clock: {naked:?}"))
}

/// After the clock was let run to its end: nothing that was due is left.
pub fn nothing_overdue(naive: &Naive, now: Time) -> Result<(), String> {
    for (no, naked) in &naive.certificates {
        let due = naked.due(&naive.policy);
        check(due.is_none_or(|due| due > now), || format!("certificate {no} was due at {due:?} and nothing was done"))?;
    }
    Ok(())
}
