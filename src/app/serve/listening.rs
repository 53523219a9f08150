//! The listeners: bound or taken over, served until a signal or a successor comes, and ended so that nobody is reset. Part of
//! `serve`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot, watch};

use super::answering::Planned;
use super::clerk::Counter;
use super::manager::Manager;
use super::vitals::{Stopping, Vitals};
use super::{ServeError, Told, log};
use crate::app::config::Config;
use crate::app::demo::Sockets;
use crate::app::{clock, cores, state};
use crate::http::{
    self, Admin, EdgeLimits, Ending, Health as _, Offer, Offered, Public, Readiness, Seat, Taken, TimeLimits, Token,
};
use crate::model::Seconds;
use crate::parties::Tally;

/// How a process comes by its listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// It binds them.
    Bind,
    /// From the process with the same `serve.state` that has them, or else it binds them.
    TakeOver,
}

/// The listeners of a configuration: a predecessor's, or else those that the service manager gives, or else its own.
pub fn enter(config: &Config, entrance: Entrance, manager: &mut Manager) -> Result<Sockets, ServeError> {
    // Taken in any case: what is inherited and nobody's would keep callers waiting.
    let given = manager.sockets()?;
    if entrance == Entrance::TakeOver
        && let Some(mut taken) = http::take(&handover(config)).map_err(ServeError::Handover)?
    {
        let admin = taken.sockets.pop().ok_or_else(|| ServeError::Handover(io::ErrorKind::InvalidData.into()))?;
        return Ok(Sockets { public: std::mem::take(&mut taken.sockets), admin, taken: Some(taken) });
    }
    let refused = |address| move |source| ServeError::Listen { address, source };
    let threads = config.edge.threads.serving(cores());
    let public = match &given.public[..] {
        [] => http::listen(config.listen, threads).map_err(refused(config.listen))?,
        public => http::spread(public, threads)?,
    };
    let bound = || TcpListener::bind(config.admin).map_err(refused(config.admin));
    let admin = given.admin.map_or_else(bound, Ok)?;
    Ok(Sockets { public, admin, taken: None })
}

fn handover(config: &Config) -> PathBuf {
    config.state.join("handover")
}

/// The listeners, until a signal comes and all that they were asked is answered.
pub(super) fn listen(
    sockets: Sockets,
    (mut counter, tallies): (Counter, Vec<Tally>),
    token: Option<Token>,
    planned: &Planned,
    tell: &mut dyn FnMut(Told),
) -> Result<(), ServeError> {
    let (config, vitals) = (counter.config.clone(), counter.vitals.clone());
    let admin = sockets.admin.local_addr()?;
    let public = sockets.public.first().map_or(Ok(config.listen), TcpListener::local_addr)?;
    let (responder, refusals) = (counter.found.clone(), counter.refusals.clone());
    let (shelf, files) = (counter.shelf.clone(), counter.files.clone());
    let register = config.parties.clone();
    let door = Arc::new(Public { responder, register, now: clock::now_millis, refusals, shelf, files });
    let offerable = sockets.public.iter().chain([&sockets.admin]).map(TcpListener::try_clone);
    let offerable = offerable.collect::<Result<Vec<_>, _>>()?;
    let seats = http::seats(sockets.public, tallies);
    counter.connections = seats.last().map(Seat::connections);
    let at_the_desk = Admin::new(vitals.clone(), Arc::new(counter), token, config.metrics_for);
    let addresses = (public, admin);
    let listening = Listening { config, addresses, vitals, planned, taken: sockets.taken };
    let open = Open { offerable, seats, door, admin: sockets.admin, at_the_desk };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(listening.run(open, tell));
    // A request that hangs on the ledger doesn't keep the program.
    runtime.shutdown_timeout(LAST_REQUESTS_MAX);
    served
}

/// Offers the listeners to a successor, who tells when it answers. Without that, a restart is one with a gap.
fn offer(config: &Config, sockets: Vec<TcpListener>) -> (Option<Offered>, Arc<Notify>) {
    let succeeded = Arc::new(Notify::new());
    let offered = state::make(&config.state).and_then(|()| Offer::new(&handover(config), sockets));
    match offered {
        Ok(offer) => {
            let (offered, tell) = (offer.offered(), succeeded.clone());
            let waits = move || {
                if offer.succeeded().is_ok() {
                    tell.notify_one();
                }
            };
            // It ends with the process.
            drop(std::thread::Builder::new().name("handover".into()).spawn(waits));
            (Some(offered), succeeded)
        }
        Err(error) => {
            log::line(&format!("no successor can take the listeners over: {error}"));
            (None, succeeded)
        }
    }
}

/// The public listener's threads.
struct Edges {
    threads: Vec<JoinHandle<io::Result<()>>>,
    stop: watch::Sender<Ending>,
}

impl Edges {
    fn open(seats: Vec<Seat>, door: &Arc<Public>, limits: EdgeLimits) -> io::Result<Self> {
        let (stop, stopped) = http::stopping();
        let edge = |seat: Seat| {
            let (door, stopped) = (door.clone(), stopped.clone());
            std::thread::Builder::new().name("edge".into()).spawn(move || seat.serve(door, limits, stopped))
        };
        Ok(Self { threads: seats.into_iter().map(edge).collect::<Result<_, _>>()?, stop })
    }

    /// Has them end, and waits until what they were asked is answered.
    fn end(self, ending: Ending) -> Result<(), ServeError> {
        // Nobody listens only if every edge has ended by itself, which is told when they are joined.
        let _ = self.stop.send(ending);
        for thread in self.threads {
            thread.join().map_err(|_| ServeError::Thread("edge"))??;
        }
        Ok(())
    }
}

/// What is opened when its turn has come.
struct Open {
    /// Copies, for a successor.
    offerable: Vec<TcpListener>,
    seats: Vec<Seat>,
    door: Arc<Public>,
    admin: TcpListener,
    at_the_desk: Admin,
}

/// What is waited for while it is served, and with what.
struct Listening<'s> {
    config: Config,
    addresses: (SocketAddr, SocketAddr),
    vitals: Arc<Vitals>,
    planned: &'s Planned,
    taken: Option<Taken>,
}

impl Listening<'_> {
    /// Answers until it has ended. The admin listener says so as long as the public one has something to answer.
    async fn run(mut self, open: Open, tell: &mut dyn FnMut(Told)) -> Result<(), ServeError> {
        let mut signals = Signals::new()?;
        if self.turn(&mut signals, tell).await == Turn::Never {
            self.vitals.note(|signs| signs.stopping = Stopping::Yes);
            tell(Told::Stopping);
            return Ok(());
        }
        let edges = Edges::open(open.seats, &open.door, edge_limits(&self.config))?;
        let (offered, succeeded) = offer(&self.config, open.offerable);
        let (close, closed) = oneshot::channel();
        let closed = async { closed.await.unwrap_or(Ending::Drained) };
        let mut admin = tokio::spawn(http::serve(open.admin, open.at_the_desk, closed));
        let ending = tokio::select! {
            ending = self.until_told(signals, &succeeded, tell) => Ok(ending),
            ended = &mut admin => Err(ended.map_or(ServeError::Thread("admin"), refused)),
        };
        // From here on nobody is sent here who asks first.
        self.vitals.note(|signs| signs.stopping = Stopping::Yes);
        tell(Told::Stopping);
        offered.iter().for_each(Offered::withdraw);
        let last = *ending.as_ref().unwrap_or(&Ending::Drained);
        let ends = tokio::task::spawn_blocking(move || edges.end(last));
        // Who comes from now on is the successor's, here too. Without one it says until the end that this one stops.
        let ended = match last {
            Ending::Succeeded => {
                let _ = close.send(last);
                ends.await
            }
            Ending::Drained | Ending::None => {
                let ended = ends.await;
                let _ = close.send(last);
                ended
            }
        };
        // Unless it has been told already how it ended; after it there is nobody left to tell.
        if ending.is_ok() {
            let _ = admin.await;
        }
        ending.and(ended.map_err(|_| ServeError::Thread("edge"))?)
    }

    /// Until it may let callers in. On sockets of its own that is at once: whoever comes before it can answer is told to come
    /// again. On a predecessor's, only when it answers at least as well, or when there is nobody else any more.
    async fn turn(&self, signals: &mut Signals, tell: &mut dyn FnMut(Told)) -> Turn {
        let (Some(taken), (public, admin)) = (&self.taken, self.addresses) else { return Turn::Now };
        tell(Told::Waiting { public, admin });
        let ready = async {
            let mut looks = 0_u32;
            while let Readiness::NotReady { obstacles } = self.vitals.readiness()
                && !taken.is_alone()
            {
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(LOOKS_UNTIL_TOLD) {
                    obstacles.iter().for_each(|obstacle| log::line(&format!("not ready yet: {}", obstacle.detail)));
                }
                tokio::time::sleep(READY_PAUSE).await;
            }
        };
        tokio::select! {
            () = signals.any() => Turn::Never,
            () = ready => Turn::Now,
        }
    }

    /// Until a signal or a successor comes.
    async fn until_told(&mut self, mut signals: Signals, succeeded: &Notify, tell: &mut dyn FnMut(Told)) -> Ending {
        let (public, admin) = self.addresses;
        tell(Told::Listening { public, admin });
        tokio::select! {
            () = signals.any() => Ending::Drained,
            () = succeeded.notified() => Ending::Succeeded,
            () = self.announce(tell) => Ending::Drained,
        }
    }

    /// Says that it is ready, when it is: to whoever started it, and to whom it succeeds. Never ends.
    async fn announce(&mut self, tell: &mut dyn FnMut(Told)) {
        let (public, admin) = self.addresses;
        while !matches!(self.vitals.readiness(), Readiness::Ready { .. }) {
            tokio::time::sleep(READY_PAUSE).await;
        }
        // Set before there was anything to be ready with.
        self.planned.get().into_iter().flatten().for_each(|plan| tell(Told::Plan(Box::new(plan.clone()))));
        tell(Told::Ready { public, admin });
        if let Some(taken) = self.taken.take()
            && let Err(error) = taken.answers()
        {
            log::line(&format!("the process that was succeeded has ended before it was told: {error}"));
        }
        std::future::pending::<()>().await;
    }
}

/// Whether callers are let in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Now,
    /// It was told to stop before its turn had come.
    Never,
}

/// What tells a process to stop.
struct Signals(Signal, Signal);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// Why an admin listener ended that wasn't told to.
fn refused(ended: io::Result<()>) -> ServeError {
    ended.map_or_else(ServeError::System, |()| ServeError::Thread("admin"))
}

fn edge_limits(config: &Config) -> EdgeLimits {
    let seconds = |seconds: Seconds| Duration::from_secs(seconds.0.into());
    let (patience, drain) = (config.edge.patience, config.edge.drain);
    EdgeLimits {
        connections_max: config.edge.connections_max as usize,
        downloads_max: config.edge.downloads_max as usize,
        times: TimeLimits {
            header: seconds(patience.header),
            body: seconds(patience.body),
            idle: seconds(patience.idle),
        },
        drain_grace: seconds(drain.grace),
        drain_max: seconds(drain.max),
    }
}

/// For what is being done for the admin listener when it closes.
const LAST_REQUESTS_MAX: Duration = Duration::from_secs(2);
const READY_PAUSE: Duration = Duration::from_millis(20);
/// Ten seconds: its probes, which would say so, are its predecessor's still.
const LOOKS_UNTIL_TOLD: u32 = 500;
