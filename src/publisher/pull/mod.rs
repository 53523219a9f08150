//! Pulling CRLs, as a verifier does: what the index offers against what is held ([`Plan`]), what may be taken ([`admit()`]),
//! how old it is ([`alarms`]), and under which names openssl finds it ([`hash_names`]).
//!
//! What is held is written down in [`Marks`]: yesterday's genuine index or CRL is refused, and so is another ledger's. All
//! of it is pure; `app` fetches and installs.
//!
//! Never lets a number or a time go back, never takes a CRL for verified because the index says so.

mod admit;
mod age;
mod hashed;
mod marks;
mod plan;

pub use admit::{Admitted, Known, Offered, Untaken, admit};
pub use age::{Ages, Alarm, alarms};
pub use hashed::hash_names;
pub use marks::{Backward, Form, Held, History, Marks, MarksError, Seal};
pub use plan::{Plan, Scopes, Step, Wanted};
