//! Publishing CRLs: which places there are and who signs there (`places`), and the next round from ledger, lists and store
//! (`publishing`). Used by `serve`'s thread and by the command line.

mod external;
mod index_signer;
mod places;
mod publishing;

pub use external::brought;
pub use places::{Places, places};
pub use publishing::{Demand, PublishError, Publisher, Wanted, alarm_text};
