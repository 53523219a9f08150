//! What a file's word about a status amounts to: the one table for first imports and for later ones.
//!
//! A file may say what is worse, never what is better: revoked stays revoked, a hold is lifted by whoever may lift it, a
//! reason is never weakened. `docs/IMPORTING.md` shows the same table to operators.

use crate::ledger::import::{Fault, Record, Standing};
use crate::model::{Change, Decided, HoldKind, Life, Reason, Revocation, Status, Time, Wish};

/// The change that brings `status` to what the record says; `None` if it is so already.
pub(super) fn change_for(record: &Record, status: &Status, now: Time) -> Result<Option<Change>, Fault> {
    match (record.standing, &status.life) {
        (Standing::Unsaid, _) => Ok(None),
        (Standing::Expired, _) if record.certificate.not_after >= now => {
            Err(Fault::ExpiredTooSoon(record.certificate.not_after.to_string()))
        }
        (Standing::Expired, Life::Revoked(known)) => contradicted(known, "expired (E)"),
        (Standing::Held, Life::Revoked(known)) => contradicted(known, "only held"),
        (Standing::Valid, Life::Revoked(known)) => contradicted(known, "valid (V)"),
        (Standing::Expired | Standing::Valid, Life::Active | Life::Pending) => {
            // Other holds are none of the file's business: the CA may not even know of them.
            let imported = status.holds.iter().any(|hold| hold.kind == HoldKind::Imported);
            if imported { Err(Fault::HoldNotLifted) } else { Ok(None) }
        }
        (Standing::Held, Life::Active | Life::Pending) => {
            let wish = Wish::Hold { kind: HoldKind::Imported, lost_at: None, becomes: None };
            Ok(recorded(status.decide(&wish, now)?))
        }
        (Standing::Revoked { reason, at, lost_at }, life) => {
            if let Some(lost) = lost_at.filter(|lost| *lost > now) {
                return Err(Fault::TimeAhead { field: "compromise time", time: lost.to_string() });
            }
            let reason = match (life, reason) {
                (Life::Revoked(known), Some(stated)) if stated != known.reason && !stated.outweighs(known.reason) => {
                    return Err(Fault::ReasonWeaker { known: known.reason, stated });
                }
                // A line without a reason doesn't deny the one that is known.
                (Life::Revoked(known), None) => known.reason,
                (_, reason) => reason.unwrap_or(Reason::Unspecified),
            };
            let decided = status.decide(&Wish::Revoke { reason, lost_at }, now)?;
            Ok(recorded(decided).map(|change| dated(change, at)))
        }
    }
}

fn contradicted(known: &Revocation, stated: &'static str) -> Result<Option<Change>, Fault> {
    Err(Fault::Revoked { known: known.reason, stated })
}

fn recorded(decided: Decided) -> Option<Change> {
    match decided {
        Decided::Do(change) => Some(change),
        Decided::AlreadySo => None,
    }
}

/// The file's revocation date, if it is earlier than the present or the start of the first hold.
fn dated(change: Change, stated: Time) -> Change {
    match change {
        Change::Revoked { reason, at, lost_at } => Change::Revoked { reason, at: at.min(stated), lost_at },
        other => other,
    }
}
