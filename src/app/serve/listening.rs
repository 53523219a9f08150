//! The listeners: bound or taken over, served until a signal or a successor comes, and ended so that nobody is reset. Part of
//! `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::answering::Planned;
use super::clerk::Counter;
use super::vitals::{Stopping, Vitals};
use super::{ServeError, Told, log};
use crate::app::config::Config;
use crate::app::demo::Sockets;
use crate::app::{clock, cores, state};
use crate::http::{
    self, Admin, EdgeLimits, Ending, Health as _, Offer, Offered, Public, Readiness, Taken, TimeLimits, Token,
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

/// The listeners of a configuration.
pub fn enter(config: &Config, entrance: Entrance) -> Result<Sockets, ServeError> {
    if entrance == Entrance::TakeOver
        && let Some(mut taken) = http::take(&handover(config)).map_err(ServeError::Handover)?
    {
        let admin = taken.sockets.pop().ok_or_else(|| ServeError::Handover(std::io::ErrorKind::InvalidData.into()))?;
        return Ok(Sockets { public: std::mem::take(&mut taken.sockets), admin, taken: Some(taken) });
    }
    bind(config)
}

fn handover(config: &Config) -> PathBuf {
    config.state.join("handover")
}

fn bind(config: &Config) -> Result<Sockets, ServeError> {
    let refused = |address| move |source| ServeError::Listen { address, source };
    let threads = config.edge.threads.serving(cores());
    Ok(Sockets {
        public: http::listen(config.listen, threads).map_err(refused(config.listen))?,
        admin: std::net::TcpListener::bind(config.admin).map_err(refused(config.admin))?,
        taken: None,
    })
}

/// The listeners, until a signal comes.
pub(super) fn listen(
    sockets: Sockets,
    (mut counter, tallies): (Counter, Vec<Tally>),
    token: Option<Token>,
    planned: &Planned,
    tell: &mut dyn FnMut(Told),
) -> Result<(), ServeError> {
    let (config, vitals) = (counter.config.clone(), counter.vitals.clone());
    let admin = sockets.admin.local_addr()?;
    let public = sockets.public.first().map_or(Ok(config.listen), std::net::TcpListener::local_addr)?;
    let (stop, stopped) = http::stopping();
    let (responder, refusals) = (counter.found.clone(), counter.refusals.clone());
    let register = config.parties.clone();
    let door = Arc::new(Public { responder, register, now: clock::now_millis, refusals });
    let limits = edge_limits(&config);
    let (offered, succeeded) = offer(&config, &sockets);
    let mut edges = Vec::new();
    for seat in http::seats(sockets.public, tallies) {
        counter.connections = Some(seat.connections());
        let (door, stopped) = (door.clone(), stopped.clone());
        edges.push(std::thread::Builder::new().name("edge".into()).spawn(move || seat.serve(door, limits, stopped))?);
    }
    let at_the_desk = Admin::new(vitals.clone(), Arc::new(counter), token, config.metrics_for);
    let mut told = Waiting { addresses: (public, admin), vitals: &vitals, planned, taken: sockets.taken, succeeded };
    let served = told.until_told(sockets.admin, at_the_desk, tell);
    tell(Told::Stopping);
    vitals.note(|signs| signs.stopping = Stopping::Yes);
    offered.iter().for_each(Offered::withdraw);
    let ending = *served.as_ref().unwrap_or(&Ending::Drained);
    // Nobody listens only if every edge has ended by itself, which is told when they are joined.
    let _ = stop.send(ending);
    for edge in edges {
        edge.join().map_err(|_| ServeError::Thread("edge"))??;
    }
    served.map(drop)
}

/// Offers the listeners to a successor, who tells when it answers. Without that, a restart is one with a gap.
fn offer(config: &Config, sockets: &Sockets) -> (Option<Offered>, Arc<Notify>) {
    let succeeded = Arc::new(Notify::new());
    let offered = (|| {
        let all = sockets.public.iter().chain([&sockets.admin]).map(std::net::TcpListener::try_clone);
        state::make(&config.state)?;
        Offer::new(&handover(config), all.collect::<Result<_, _>>()?)
    })();
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

/// What is waited for while it is served, and with what.
struct Waiting<'s> {
    addresses: (SocketAddr, SocketAddr),
    vitals: &'s Arc<Vitals>,
    planned: &'s Planned,
    taken: Option<Taken>,
    succeeded: Arc<Notify>,
}

impl Waiting<'_> {
    /// The admin listener, until a signal or a successor comes.
    fn until_told(
        &mut self,
        socket: std::net::TcpListener,
        answers: Admin,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Ending, ServeError> {
        use tokio::signal::unix::{SignalKind, signal};
        let (public, admin) = self.addresses;
        let succeeded = self.succeeded.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = runtime.block_on(async {
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let serving = tokio::spawn(http::serve(socket, answers, std::future::pending()));
            tell(Told::Listening { public, admin });
            tokio::select! {
                _ = terminate.recv() => Ok(Ending::Drained),
                _ = interrupt.recv() => Ok(Ending::Drained),
                () = succeeded.notified() => Ok(Ending::Succeeded),
                ended = serving => ended.map_err(|_| ServeError::Thread("admin"))?.map(|()| Ending::Drained).map_err(Into::into),
                () = self.announce(tell) => Ok(Ending::Drained),
            }
        });
        // A request that hangs on the ledger doesn't keep the program.
        runtime.shutdown_timeout(LAST_REQUESTS_MAX);
        served
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

fn edge_limits(config: &Config) -> EdgeLimits {
    let seconds = |seconds: Seconds| Duration::from_secs(seconds.0.into());
    let (patience, drain) = (config.edge.patience, config.edge.drain);
    EdgeLimits {
        connections_max: config.edge.connections_max as usize,
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
