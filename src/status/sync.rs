//! The atomics, the lock and the swap that the table is made of: the standard ones, or loom's under
//! `--cfg tashika_loom`.
//!
//! Every file of this room that shares memory takes these names from here and nowhere else, so that
//! `tests/loom_status.rs` checks the very code that runs in production.

use std::sync::Arc;

#[cfg(tashika_loom)]
pub use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(tashika_loom)]
pub use loom::sync::{Mutex, MutexGuard};
#[cfg(not(tashika_loom))]
pub use std::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(tashika_loom))]
pub use std::sync::{Mutex, MutexGuard};

/// A value that is replaced as a whole. Readers see the old one or the new one and wait for nobody; the old one is freed
/// when its last reader has left it.
#[cfg(not(tashika_loom))]
pub struct Swap<T>(arc_swap::ArcSwap<T>);

/// The same for the model checker: what `arc-swap` promises (a load sees some stored value, and all that was written
/// before it was stored), without its insides, which have a model of their own upstream.
#[cfg(tashika_loom)]
pub struct Swap<T>(Mutex<Arc<T>>);

#[cfg(not(tashika_loom))]
impl<T> Swap<T> {
    pub fn new(value: T) -> Self {
        Self(arc_swap::ArcSwap::from_pointee(value))
    }

    /// Looks at the present value.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.load())
    }

    /// The present value, to keep.
    pub fn get(&self) -> Arc<T> {
        self.0.load_full()
    }

    pub fn put(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

#[cfg(tashika_loom)]
impl<T> Swap<T> {
    pub fn new(value: T) -> Self {
        Self(Mutex::new(Arc::new(value)))
    }

    /// Looks at the present value.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.get())
    }

    /// The present value, to keep.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.lock().expect("a model never panics while it holds a lock"))
    }

    pub fn put(&self, value: T) {
        *self.0.lock().expect("a model never panics while it holds a lock") = Arc::new(value);
    }
}
