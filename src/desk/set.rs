//! Set events: who may order one, and whether what it names exists.

use crate::ledger::{Ledger, LedgerError, MemberDigest};
use crate::model::{Actor, Book, CertificateNo, Policy, Refusal, Role, SetChange, SetRule, SetTarget};

use super::campaign::is_open;

/// Checks a set command against the book. The list of a listed set is checked by [`check_list`].
pub(super) fn check(book: &Book, actor: &Actor, target: &SetTarget, change: SetChange) -> Result<(), Refusal> {
    match (target, actor.role) {
        (SetTarget::Issuer(issuer), _) if book.issuer(*issuer).is_none() => {
            return Err(Refusal::UnknownSet(format!("there is no issuer {issuer}")));
        }
        (SetTarget::Issuer(issuer), Role::Ca(own)) if own != *issuer => {
            return Err(Refusal::NotCompetent { role: actor.role, why: "the set is another CA's" });
        }
        (SetTarget::Batch(_), Role::Ca(_)) => {
            let why = "a chip batch may hold other CAs' certificates";
            return Err(Refusal::NotCompetent { role: actor.role, why });
        }
        (SetTarget::Listed { count: 0, .. }, _) => {
            return Err(Refusal::UnknownSet("the list names no certificate".into()));
        }
        _ => {}
    }
    if let SetChange::Released { hold } = change {
        let opened = book
            .sets
            .iter()
            .any(|set| set.position == hold.0 && set.target == *target && set.change == SetChange::Held);
        if !opened {
            return Err(Refusal::UnknownSet(format!("no set event at {hold} opened a hold on just this set")));
        }
        if !is_open(book, hold) {
            return Err(Refusal::UnknownSet(format!("the hold {hold} was lifted from this set already")));
        }
    }
    Ok(())
}

/// Whether every member is so already by a revocation of just this set: it stays, and takes in nobody new. A hold beside a
/// hold is another hold.
pub(super) fn is_so(book: &Book, target: &SetTarget, change: SetChange) -> bool {
    book.sets.iter().filter(|set| set.target == *target).any(|set| match (set.change, change) {
        (SetChange::Revoked { .. }, SetChange::Held) => true,
        (SetChange::Revoked { reason: known }, SetChange::Revoked { reason }) => !reason.outweighs(known),
        _ => false,
    })
}

/// Whether a second person must approve it. An issuing CA speaks for its own certificates alone.
pub(super) fn needs_two(actor: &Actor, policy: &Policy) -> bool {
    policy.sets == SetRule::TwoPeople && !matches!(actor.role, Role::Ca(_))
}

/// Whether a list is what a command says of it: as many members, of that digest, and all of the CA's if a CA asks.
pub(super) fn check_list(
    ledger: &dyn Ledger,
    actor: &Actor,
    target: &SetTarget,
) -> Result<Option<Refusal>, LedgerError> {
    let SetTarget::Listed { list, count, digest } = target else { return Ok(None) };
    let (mut after, mut seen) = (CertificateNo(0), MemberDigest::default());
    loop {
        let members = ledger.list_members(*list, after, LIST_PAGE)?;
        let Some(last) = members.last() else { break };
        after = *last;
        seen.add(&members);
        if let Role::Ca(own) = actor.role
            && !all_of_issuer(ledger, &members, own)?
        {
            return Ok(Some(Refusal::NotCompetent {
                role: actor.role,
                why: "the list names another CA's certificates",
            }));
        }
    }
    let same = seen.finish() == (*count, *digest);
    Ok((!same).then(|| Refusal::UnknownSet(format!("list {list} does not hold what the command says of it"))))
}

fn all_of_issuer(
    ledger: &dyn Ledger,
    members: &[CertificateNo],
    issuer: crate::model::IssuerNo,
) -> Result<bool, LedgerError> {
    let wanted = crate::ledger::Wanted { numbers: members.to_vec(), ..Default::default() };
    Ok(ledger.find(&wanted)?.entries.iter().all(|entry| entry.certificate.key.issuer == issuer))
}

const LIST_PAGE: usize = 4096;
