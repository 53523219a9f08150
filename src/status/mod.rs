//! What is true now, in memory: the status table, from issuer and serial to status and kept reply, for hundreds of
//! millions of certificates.
//!
//! `follow` fills a [`Table`] and keeps it in step with the ledger: [`register`](Table::register),
//! [`change`](Table::change), [`change_set`](Table::change_set), then [`publish`](Table::publish) after each batch.
//! Whoever drives the follower says when what it knows was true ([`hear`](Table::hear)).
//! `responder` reads it ([`look_up`](Table::look_up), [`at`](Table::at)) and hands back what it signed
//! ([`keep_reply`](Table::keep_reply)). A table is filled at the start by [`restore`](Table::restore), from a scan of the
//! ledger or from what another gave by [`row`](Table::row), or comes whole out of a file ([`Snapshot`]) that another wrote while it
//! moved on ([`Capture`]).
//!
//! ## What is promised
//!
//! - **Readers never wait.** A look-up takes no lock, allocates nothing, and writes nothing that other readers read. It
//!   begins anew only where the very certificate it reads was changed meanwhile (`slots`), its part of the index grew while
//!   nothing was found (`shard`), or a set event came (`present`), and then finds all of it complete.
//! - **Exact.** Issuer and serial are compared whole, whatever the length of the serial. The hash that finds them is
//!   keyed, so chosen serials crowd nothing.
//! - **In step.** What a look-up says was true at one instant, at or after the position that it reports: the position
//!   is loaded first, then the sets, then the entry (`table`).
//! - **A change beats a reply.** A reply states the position that it reflects. It is kept only if its certificate has not
//!   changed since, and shown only as long as neither it nor a set over it has. No clock takes part. A reply that is
//!   being signed while its certificate changes is refused when it arrives.
//! - **Growth copies little.** Entries and records never move; the index is 4,096 shards, of which one at a time is copied
//!   into one an eighth larger, whose blocks were left by another (`shard`).
//!
//! Writers take turns behind a lock: the follower for each row or change, and each signer for each reply it keeps
//! (a fraction of a microsecond, beside the fifteen that the cheapest signature takes). Readers know nothing of it.
//!
//! ## What a certificate costs
//!
//! Worked out before it was built, for 10 million certificates with serials of 16 octets of which 3 % were changed.
//! `benches/status_table.rs` measures it, all that is resident included, and finds 36.8 at 10 million and 37.3 at 11.5:
//!
//! | part | octets |
//! |---|---|
//! | entry: serial 16, third word 8 (group 30 bits, record 32, kind 2) | 24 |
//! | index: one word at 76 to 85 % full, evenly spread over shards | 9.9 |
//! | details of the changed: 4 words each, 3 % | 1.0 |
//! | open holds, in the writer's map: 1 % | 1.5 |
//! | groups (issuer, batch, day of expiry), pointers to chunks, names of blocks | 0.2 |
//! | **status only** | **36.6** |
//! | kept P-256 reply: stamp with position and signer 8, times 8, signature 64 | 80 |
//! | kept RSA-2048 reply: the same with 256 | 272 |
//!
//! Most certificates are good and were never changed: they have an entry and nothing else. Serials of more than 16
//! octets take 4 more. The two ways to make it smaller, a digest in place of the serial or a shorter word in the index,
//! would lose exactness, or the serial that is needed to sign a reply anew, or cost a second miss for each step of growth.
//!
//! A look-up touches one cache line of the index, one of the entry, and those of its reply. In a nation's table each of them
//! comes from far away, so all arrays lie in large pages (`sheet`): the way to a line would otherwise cost as much as the line.
//! What leads to a line lies in arrays of some hundred kilobytes, and nothing on the way keeps later loads from beginning early.
//!
//! Beside the table, [`Revoked`] holds what CRLs are made from, scope by scope (`revoked`).
//!
//! Never reads a clock, never signs, never decides what may happen to a certificate, never asks the ledger.

mod entries;
mod error;
mod freshness;
mod index;
mod members;
mod own;
mod present;
mod reply;
mod revoked;
mod sets;
mod shard;
mod sheet;
mod slots;
mod snapshot;
mod sync;
mod table;
mod view;
mod words;
mod writer;

pub use error::{Kind, StatusError};
pub use freshness::{Freshness, Tier, Tiers};
pub use index::HashKey;
pub use members::{Members, MembersError};
pub use revoked::{Before, Fact, Gone, Iter, Known, LossDates, Revoked, RevokedError, ScopeList, Seen, Waiting};
pub use sets::Belongs;
pub use snapshot::{About, Capture, Part, Registers, Salt, Snapshot, SnapshotError, SnapshotKey, Written};
pub use table::{Keeping, Table};
pub use view::{Day, ReadTo, SIGNATURE_OCTETS_MAX, Signature, SignedFor, Standing, View};
pub use writer::{Changed, Row};
