//! The public listener: one thread for each core, each with its own runtime and its own listening socket.
//!
//! The system spreads connections over the sockets by a hash, which is unkind to few long ones; so a thread that has
//! more open than another hands a new one over. Run by `app` on threads of its own.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::connection::converse;
use super::ocsp::{Door, Guest, Public};
use super::reception::{Arrival, Reception};
use super::sockets::Ending;
use super::watch::{TICK, TimeLimits, Watch, Word};
use super::wire::Wire;
use crate::parties::Tally;

/// What bounds the public listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeLimits {
    /// Open connections, of all threads.
    pub connections_max: usize,
    /// Files longer than a write that are sent at once, by all threads.
    pub downloads_max: usize,
    /// How long each phase of a connection may last.
    pub times: TimeLimits,
    /// After the word to stop: how long nothing must have arrived before it is believed that nothing will. So long, too,
    /// connections are kept that nothing is asked over.
    pub drain_grace: Duration,
    /// And how long that is waited for.
    pub drain_max: Duration,
}

/// One thread's place at the edge.
pub struct Seat {
    socket: TcpListener,
    tally: Tally,
    at: usize,
    table: Arc<Vec<Neighbour>>,
    handed: mpsc::UnboundedReceiver<Arrival>,
}

/// What threads know of each other.
struct Neighbour {
    open: AtomicUsize,
    hand: mpsc::UnboundedSender<Arrival>,
}

/// Places for as many threads as there are sockets and tallies.
pub fn seats(sockets: Vec<TcpListener>, tallies: Vec<Tally>) -> Vec<Seat> {
    let (hands, handed): (Vec<_>, Vec<_>) = sockets.iter().map(|_| mpsc::unbounded_channel()).unzip();
    let neighbours = hands.into_iter().map(|hand| Neighbour { open: AtomicUsize::new(0), hand });
    let table = Arc::new(neighbours.collect::<Vec<_>>());
    let sockets = sockets.into_iter().zip(tallies).zip(handed).enumerate();
    sockets.map(|(at, ((socket, tally), handed))| Seat { socket, tally, at, table: table.clone(), handed }).collect()
}

/// How many connections are open, for whoever reports it.
#[derive(Clone)]
pub struct Connections(Arc<Vec<Neighbour>>);

impl Connections {
    /// Of all threads together.
    pub fn open(&self) -> usize {
        self.0.iter().map(|neighbour| neighbour.open.load(Ordering::Relaxed)).sum()
    }
}

impl Seat {
    /// The connections of this seat and its neighbours.
    pub fn connections(&self) -> Connections {
        Connections(self.table.clone())
    }

    /// Serves on this thread until it is told to stop and has drained.
    pub fn serve(self, public: Arc<Public>, limits: EdgeLimits, stop: watch::Receiver<Ending>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.run(public, limits, stop))
    }

    async fn run(self, public: Arc<Public>, limits: EdgeLimits, mut stop: watch::Receiver<Ending>) -> io::Result<()> {
        // The only copy of the socket here: as long as there is one, the system lets callers in.
        let Self { socket, tally, at, table, mut handed } = self;
        socket.set_nonblocking(true)?;
        let socket = watched(socket)?;
        let downloads_max = limits.downloads_max / table.len();
        let door = Arc::new(Door::new(public, tally, downloads_max, limits.times.body));
        let spare = AtomicUsize::new(0);
        let floor = Floor { at, table, door, limits, watches: Mutex::default(), spare };
        let mailbox = floor.door.mailbox.clone();
        tokio::spawn(async move { mailbox.deliver().await });
        let mut ticker = tokio::time::interval(TICK);
        let mut reception = Reception::default();
        reception.allow(HANDED_PER_SECOND);
        let mut ticks = 0_u32;
        let (mut drain, mut accepts): (Option<Drain>, bool) = (None, true);
        loop {
            tokio::select! {
                biased;
                _ = ticker.tick() => {
                    ticks = ticks.wrapping_add(1);
                    floor.sweep();
                    if ticks.is_multiple_of(TICKS_PER_SECOND) {
                        reception.allow(HANDED_PER_SECOND);
                    }
                    if let Some(drain) = &mut drain
                        && (drain.is_over(&limits, floor.door.files.sending()) || !accepts && floor.open() == 0)
                    {
                        break;
                    }
                }
                _ = stop.changed(), if drain.is_none() => {
                    // What waits in the socket is its successor's.
                    accepts = *stop.borrow() != Ending::Succeeded;
                    drain = Some(Drain::default());
                    floor.retire();
                }
                Some(arrival) = handed.recv() => floor.take(arrival),
                ready = socket.readable(), if accepts => {
                    match reception.receive(&floor, &mut ready?) {
                        Ok(0) => {}
                        Ok(_) => drain.iter_mut().for_each(|drain| drain.quiet = Duration::ZERO),
                        // Out of descriptors, or a caller that has gone again: neither gets better by hurrying.
                        Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                    }
                    // Those that are here already have their turn, too.
                    tokio::task::yield_now().await;
                }
            }
        }
        // Who was let in by the system is answered: a closed socket resets whoever waits to be accepted.
        while accepts && let Ok((stream, from)) = socket.get_ref().accept() {
            stream.set_nonblocking(true)?;
            floor.keep(Arrival { stream, from: from.ip(), first: Vec::new() });
        }
        drop(socket);
        handed.close();
        while let Some(arrival) = handed.recv().await {
            floor.take(arrival);
        }
        floor.close().await;
        Ok(())
    }
}

/// A socket whose connections are accepted by hand, as many at a time as there are, and looked at before the reactor knows
/// them: `tokio`'s own listener registers each.
#[allow(unsafe_code, reason = "the reactor takes any descriptor, and must be promised that this one stays what it is")]
fn watched(socket: TcpListener) -> io::Result<AsyncFd<TcpListener>> {
    // SAFETY: a `TcpListener` owns its descriptor, returns the same one as long as it lives, and is owned by the `AsyncFd`,
    // which hands it out by reference only and lives on the thread that drops it; nothing takes it out again.
    unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }.map_err(io::Error::from)
}

/// Waiting, after the word to stop, until nothing arrives any more.
#[derive(Default)]
struct Drain {
    quiet: Duration,
    lasted: Duration,
}

impl Drain {
    /// Files that are on their way are waited for, too.
    fn is_over(&mut self, limits: &EdgeLimits, sending: usize) -> bool {
        self.quiet += TICK;
        self.lasted += TICK;
        self.quiet > limits.drain_grace && sending == 0 || self.lasted > limits.drain_max
    }
}

/// One thread's connections.
pub(super) struct Floor {
    at: usize,
    table: Arc<Vec<Neighbour>>,
    pub(super) door: Arc<Door>,
    limits: EdgeLimits,
    /// For the sweep. What a connection had is freed when it ends; only its watch's place waits for the next sweep.
    watches: Mutex<Vec<Weak<Watch>>>,
    /// Connections that were told to leave for newcomers, less the newcomers that have had their places since.
    spare: AtomicUsize,
}

/// A connection that is counted as open, here.
pub(super) struct Counted {
    table: Arc<Vec<Neighbour>>,
    at: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.table[self.at].open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Floor {
    /// Keeps a new connection, or hands it to a thread that has fewer.
    pub fn take_or_hand_over(&self, arrival: Arrival, allowance: &mut u32) {
        let Some(other) = self.idler().filter(|_| *allowance > 0) else { return self.keep(arrival) };
        *allowance -= 1;
        // Counted where it goes before it arrives, so that the next one isn't sent after it.
        self.table[other].open.fetch_add(1, Ordering::Relaxed);
        if let Err(mpsc::error::SendError(arrival)) = self.table[other].hand.send(arrival) {
            // That thread has ended.
            self.table[other].open.fetch_sub(1, Ordering::Relaxed);
            self.keep(arrival);
        }
    }

    /// Keeps a new connection.
    fn keep(&self, arrival: Arrival) {
        self.table[self.at].open.fetch_add(1, Ordering::Relaxed);
        self.take(arrival);
    }

    /// A thread with fewer connections than this one.
    fn idler(&self) -> Option<usize> {
        let open = |at: usize| self.table[at].open.load(Ordering::Relaxed);
        let idlest = (0..self.table.len()).min_by_key(|at| open(*at))?;
        (open(idlest) < open(self.at)).then_some(idlest)
    }

    /// Takes a connection that is counted here already.
    fn take(&self, arrival: Arrival) {
        let counted = Counted { table: self.table.clone(), at: self.at };
        let open = counted.table[self.at].open.load(Ordering::Relaxed);
        if open <= self.limits.connections_max / self.table.len() {
            self.spare.store(0, Ordering::Relaxed);
        } else if !self.has_room() {
            return;
        }
        let Ok(stream) = TcpStream::from_std(arrival.stream) else { return };
        let watch = Arc::new(Watch::new(&self.door.ticks));
        if !arrival.first.is_empty() {
            watch.octets_came(&self.door.ticks);
        }
        if self.door.is_retiring() {
            watch.tell(Word::Retire);
        }
        self.watches().push(Arc::downgrade(&watch));
        let guest = Guest { origin: self.door.origin(arrival.from), watch: watch.clone() };
        let wire = Wire::new(stream, arrival.first, watch, self.door.ticks.clone());
        tokio::spawn(converse(wire, guest, self.door.clone(), counted));
    }

    /// Whether one more finds a place although all are taken. Who has been without a request for longest leaves, or else
    /// who has been sending one for longest; never who waits for an answer. Some leave at a time, so that the next ones
    /// needn't look.
    fn has_room(&self) -> bool {
        let spare = self.spare.load(Ordering::Relaxed);
        if spare > 0 {
            self.spare.store(spare - 1, Ordering::Relaxed);
            return true;
        }
        let staying: Vec<_> = self.watches().iter().filter_map(Weak::upgrade).collect();
        let dispensable = |watch: Arc<Watch>| Some((watch.dispensable(&self.door.ticks)?, watch));
        let mut staying: Vec<_> = staying.into_iter().filter_map(dispensable).collect();
        staying.sort_by_key(|(most, _)| std::cmp::Reverse(*most));
        staying.truncate((staying.len() / LEAVING_PART).max(1));
        staying.iter().for_each(|(_, watch)| watch.tell(Word::Leave));
        self.spare.store(staying.len().saturating_sub(1), Ordering::Relaxed);
        !staying.is_empty()
    }

    /// Moves the clock, and ends connections that take too long.
    fn sweep(&self) {
        self.door.ticks.tick();
        self.watches().retain(|watch| match watch.upgrade() {
            None => false,
            Some(watch) => {
                if watch.is_over(&self.door.ticks, &self.limits.times) {
                    watch.tell(Word::Leave);
                }
                true
            }
        });
    }

    /// Callers that keep their connections are told with their next answer to take the following request elsewhere.
    fn retire(&self) {
        self.door.retire();
        self.tell_all(Word::Retire);
    }

    /// Lets what is under way end.
    async fn close(&self) {
        self.tell_all(Word::Finish);
        let ended = async {
            while self.open() > 0 {
                tokio::time::sleep(FAREWELL_LOOK).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL_MAX, ended).await;
    }

    /// How many connections are open, here.
    fn open(&self) -> usize {
        self.table[self.at].open.load(Ordering::Relaxed)
    }

    fn tell_all(&self, word: Word) {
        self.watches().iter().filter_map(Weak::upgrade).for_each(|watch| watch.tell(word));
    }

    fn watches(&self) -> MutexGuard<'_, Vec<Weak<Watch>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of a thread's connections, new ones that it hands over in a second: enough to balance long ones, too few to matter where
/// each request has a connection of its own.
const HANDED_PER_SECOND: u32 = 256;
const TICKS_PER_SECOND: u32 = 4;
/// Of the connections that may, the part that leaves at once when there is no room for a new one.
const LEAVING_PART: usize = 64;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// For what is under way when the listener closes.
const FAREWELL_MAX: Duration = Duration::from_secs(3);
const FAREWELL_LOOK: Duration = Duration::from_millis(10);
