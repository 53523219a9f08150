//! Publishing CRLs: which places there are and who signs there (`places`), and the next round from ledger, lists and store
//! (`publishing`), and whether the settings fit (`checking`). Used by `serve`'s thread and by the command line.

mod checking;
mod external;
mod index_signer;
mod places;
mod publishing;

pub use checking::{check_paths, check_signers, check_store};
pub use external::brought;
pub use index_signer::seal;
pub use places::{Places, places};
pub use publishing::{Demand, PublishError, Publisher, Wanted, alarm_text};
