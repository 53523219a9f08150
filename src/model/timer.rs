//! What the clock does by itself: an uncontradicted hold becomes final, an unacknowledged certificate is given up.

use super::{Certificate, Final, Life, Policy, Position, Reason, Status, Time, Wish};

/// What the clock wants of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub wish: Wish,
    /// The event that it follows from: the one that opened the hold whose term ended. `None` if nobody acknowledged the
    /// certificate in time, which follows from no event.
    pub cause: Option<Position>,
}

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
pub fn timer_wish(certificate: &Certificate, status: &Status, policy: &Policy, now: Time) -> Option<Due> {
    if next_due(certificate, status, policy)? > now {
        return None;
    }
    let mut ends: Vec<(Final, Position)> =
        status.holds.iter().filter_map(|hold| Some((hold.becomes?, hold.id.0))).collect();
    ends.sort_by_key(|(end, _)| end.due);
    let (reason, cause) = match ends.first() {
        Some((first, hold)) if first.due <= now => {
            // Once one hold has become final, the worst that any open hold would have become is the reason.
            let worst = |worst: Reason, reason: Reason| if reason.outweighs(worst) { reason } else { worst };
            (ends.iter().map(|(end, _)| end.reason).fold(first.reason, worst), Some(*hold))
        }
        _ => (Reason::Unspecified, None),
    };
    Some(Due { wish: Wish::Revoke { reason, lost_at: None }, cause })
}
