//! What a scan of the ledger doesn't show and CRLs must know: who was released or acknowledged since the oldest base that is
//! in use, and which number a round was given last. Read back from the events, once, when lists begin.

use std::ops::ControlFlow;

use crate::ledger::{Ledger, decode_event};
use crate::model::{Body, Position, SetChange, SetEvent};
use crate::status::{Belongs, Gone, Revoked};

use super::bootstrap::belongs;
use super::follower::{FollowError, Frozen};
use super::page::Touched;

/// What was read back.
pub(super) struct Past {
    /// The highest number that a round of CRLs was given.
    pub numbered: Option<u64>,
}

/// Puts into lists that were filled from a scan at `until` what events since the oldest base took away. Without a base
/// there is nothing to be removed, and only the number is looked for.
pub(super) fn recall(
    ledger: &dyn Ledger,
    revoked: &mut Revoked,
    oldest_base: Option<Position>,
    until: Position,
) -> Result<Past, FollowError> {
    let (mut past, mut touched, mut lifted) = (Past { numbered: None }, Touched::default(), Vec::new());
    let mut at = oldest_base.unwrap_or_default();
    while at < until {
        let page = ledger.events_after(at, EVENTS_MAX)?;
        let Some(last) = page.last() else { break };
        at = last.position;
        for sealed in page.iter().take_while(|sealed| sealed.position <= until) {
            let event = decode_event(&sealed.bytes)
                .map_err(|_| Frozen::Forked(crate::ledger::BrokenLink::Forked(sealed.position)))?;
            match &event.body {
                Body::CrlsNumbered { number } => past.numbered = past.numbered.max(Some(*number)),
                Body::Changed { no, change, .. } if oldest_base.is_some() => {
                    touched.note(*no, change, sealed.position, event.time);
                }
                Body::SetChanged { target, change: change @ SetChange::Released { .. } } if oldest_base.is_some() => {
                    let (position, time) = (sealed.position, event.time);
                    lifted.push(SetEvent { position, time, cause: position, target: target.clone(), change: *change });
                }
                _ => {}
            }
        }
        touched.keep_losers();
        if touched.count() >= LOSERS_MAX {
            take_away(ledger, revoked, std::mem::take(&mut touched))?;
        }
    }
    take_away(ledger, revoked, touched)?;
    if !lifted.is_empty() {
        lift(ledger, revoked, &lifted)?;
    }
    Ok(past)
}

fn take_away(ledger: &dyn Ledger, revoked: &mut Revoked, touched: Touched) -> Result<(), FollowError> {
    for changed in touched.look_up(ledger)?.into_values() {
        for (gone, at, time) in changed.gone {
            revoked.recall(&changed.entry.certificate, gone, at, time).map_err(Frozen::from)?;
        }
    }
    Ok(())
}

/// The end of a set's hold is one for each of its members.
fn lift(ledger: &dyn Ledger, revoked: &mut Revoked, sets: &[SetEvent]) -> Result<(), FollowError> {
    let all: Vec<Belongs> = sets.iter().map(|set| belongs(ledger, set)).collect::<Result<_, _>>()?;
    let mut refused = None;
    ledger.scan(&mut |entry| {
        for (set, belongs) in sets.iter().zip(&all) {
            let is_member = match belongs {
                Belongs::AsTargeted => set.target.covers(&entry.certificate, &[]),
                Belongs::Listed(members) => members.contain(entry.no),
            };
            if !is_member || entry.certificate.is_expired(set.time) {
                continue;
            }
            if let Err(error) = revoked.recall(&entry.certificate, Gone::Released, set.position, set.time) {
                refused = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    refused.map_or(Ok(()), |error| Err(Frozen::from(error).into()))
}

const EVENTS_MAX: usize = 5_000;
/// Certificates that are looked up at once.
const LOSERS_MAX: usize = 5_000;
