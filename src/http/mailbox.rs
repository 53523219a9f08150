//! Answers on their way from the threads that sign to one thread of the edge: however many arrive together, it is woken
//! once. Filled through `ocsp`, emptied by a task of `edge`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use tokio::sync::{Notify, oneshot};

use crate::responder::{Refusal, Reply};

/// One thread's mailbox.
#[derive(Default)]
pub(super) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    arrived: Notify,
}

/// Whoever waits for an answer.
pub(super) type Addressee = oneshot::Sender<Result<Reply, Refusal>>;

struct Letter {
    to: Addressee,
    answer: Result<Reply, Refusal>,
}

impl Mailbox {
    /// Puts an answer in, from any thread; says whom to wake then, if nobody has been told to yet.
    pub fn post(self: &Arc<Self>, to: Addressee, answer: Result<Reply, Refusal>) -> Option<Waker> {
        let mut letters = self.letters();
        let first = letters.is_empty();
        letters.push(Letter { to, answer });
        drop(letters);
        // Waking a thread is a call to the system; those that follow are found with the first.
        first.then(|| Waker::from(self.clone()))
    }

    /// Hands out what arrives, for ever. For the thread whose mailbox it is: there, handing out is no call to the system.
    pub async fn deliver(&self) {
        loop {
            self.arrived.notified().await;
            let letters = std::mem::take(&mut *self.letters());
            for letter in letters {
                // Whoever has gone meanwhile isn't told.
                let _ = letter.to.send(letter.answer);
            }
        }
    }

    fn letters(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Mailbox {
    fn wake(self: Arc<Self>) {
        self.arrived.notify_one();
    }
}
