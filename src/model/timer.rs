//! What the clock does by itself: an uncontradicted hold becomes final, an unacknowledged certificate is given up.

use super::{Certificate, Life, Policy, Reason, Status, Time, Wish};

/// When the clock will next do something to this certificate, if nothing else happens before.
pub fn next_due(certificate: &Certificate, status: &Status, policy: &Policy) -> Option<Time> {
    let overdue = match status.life {
        Life::Revoked(_) => return None,
        Life::Active => None,
        Life::Pending => Some(certificate.not_before + policy.delivery_within),
    };
    status.holds.iter().filter_map(|hold| hold.becomes).map(|end| end.due).chain(overdue).min()
}

/// What the clock wants now.
pub fn timer_wish(certificate: &Certificate, status: &Status, policy: &Policy, now: Time) -> Option<Wish> {
    if next_due(certificate, status, policy)? > now {
        return None;
    }
    let mut ends: Vec<_> = status.holds.iter().filter_map(|hold| hold.becomes).collect();
    ends.sort_unstable_by_key(|end| end.due);
    // Once one hold has become final, the worst that any open hold would have become is the reason.
    let reason = match ends.first() {
        Some(first) if first.due <= now => {
            let worst = |worst: Reason, reason: Reason| if reason.outweighs(worst) { reason } else { worst };
            ends.iter().map(|end| end.reason).fold(first.reason, worst)
        }
        _ => Reason::Unspecified,
    };
    Some(Wish::Revoke { reason, lost_at: None })
}
