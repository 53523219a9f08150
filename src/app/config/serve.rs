//! The listeners' settings as they are written, and what `serve` runs with. Part of reading a configuration.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use serde::Deserialize;

use super::Faults;
use crate::http::MetricsFor;
use crate::model::Seconds;
use crate::parties::Strangers;

/// How the public listener treats connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// How many threads accept and answer.
    pub threads: Threads,
    /// How many connections may be open at once.
    pub connections_max: u32,
    /// How many long files may be sent at once.
    pub downloads_max: u32,
    /// How a stop goes.
    pub drain: Drain,
    /// How long a connection may take.
    pub patience: Patience,
}

/// How many threads do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// As the machine's cores have it.
    ByCores,
    /// So many.
    Exactly(NonZeroU16),
}

/// How a stop goes: requests that are on their way are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// It ends when nothing has arrived for this long,
    pub grace: Seconds,
    /// or after this long at the latest.
    pub max: Seconds,
}

/// How long a connection may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request, from its first octet.
    pub header: Seconds,
    /// For its body.
    pub body: Seconds,
    /// Between requests.
    pub idle: Seconds,
}

/// `[serve]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct RawServe {
    /// For relying parties.
    pub listen: SocketAddr,
    /// For operators; loopback, since it has no TLS yet.
    pub admin: SocketAddr,
    /// What certificates name; a name that outlives the address.
    pub public_url: Option<String>,
    /// Where this node keeps what a restart must find; a folder of its own for each process.
    pub state: PathBuf,
    /// Lower: an ailing ledger is noticed earlier; higher: a pause of it isn't an alarm.
    heartbeat_max_seconds: u32,
    /// Lower: a wrong clock does less harm; higher: a ledger may stand still for longer without a person's word.
    clock_leap_max_hours: u32,
    /// 0: one for each core. Fewer leave cores to signing and to the database.
    threads: u16,
    /// Higher: more slow clients at once; each takes a descriptor and some kilobytes.
    connections_max: u32,
    /// Higher: more verifiers fetch long CRLs at once; each takes a quarter of a megabyte while it does.
    downloads_max: u32,
    /// `token`: figures are for operators; `open`: a collector on this machine needs no secret.
    metrics: RawMetrics,
    /// Whether requests without a `/p/{party}/{service}/` are answered: open to everybody, or an account for each request.
    anonymous: bool,
    /// Longer: a balancer that is slow to notice sends into nothing less often; shorter: a restart is quicker.
    drain_grace_seconds: u32,
    /// The same for clients that never stop sending.
    drain_max_seconds: u32,
    /// Shorter: slow attackers hold connections for less; longer: poor lines get through.
    header_seconds: u32,
    /// Likewise.
    body_seconds: u32,
    /// Longer: callers keep connections and save handshakes; shorter: connections are free earlier.
    idle_seconds: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawMetrics {
    Open,
    Token,
}

/// What `[serve]` comes to, beside addresses and URL.
pub(super) struct Served {
    pub heartbeat_max: Seconds,
    pub clock_leap_max: Option<Seconds>,
    pub strangers: Strangers,
    pub metrics_for: MetricsFor,
    pub edge: Edge,
}

impl RawServe {
    /// The settings, those that are no good among them.
    pub fn check(&self, faults: &mut Faults) -> Served {
        if !(2..=3_600).contains(&self.heartbeat_max_seconds) {
            faults.add("serve.heartbeat_max_seconds", "must be 2 to 3,600: the heart beats about once a second");
        }
        if self.clock_leap_max_hours > LEAP_HOURS_MAX {
            faults.add("serve.clock_leap_max_hours", "must be 0 (any) to 8,760");
        }
        if !(1..=1_000_000).contains(&self.connections_max) {
            faults.add("serve.connections_max", "must be 1 to 1,000,000");
        }
        if !(1..=1_000_000).contains(&self.downloads_max) {
            faults.add("serve.downloads_max", "must be 1 to 1,000,000");
        }
        if self.drain_max_seconds > 3_600 {
            faults.add("serve.drain_max_seconds", "must be at most 3,600");
        }
        if self.drain_grace_seconds > self.drain_max_seconds {
            faults.add("serve.drain_grace_seconds", "must be at most serve.drain_max_seconds, which ends it");
        }
        for (key, seconds) in [
            ("serve.header_seconds", self.header_seconds),
            ("serve.body_seconds", self.body_seconds),
            ("serve.idle_seconds", self.idle_seconds),
        ] {
            if !(1..=3_600).contains(&seconds) {
                faults.add(key, "must be 1 to 3,600");
            }
        }
        Served {
            heartbeat_max: Seconds(self.heartbeat_max_seconds),
            clock_leap_max: match self.clock_leap_max_hours {
                0 => None,
                hours => Some(Seconds(hours.saturating_mul(3_600))),
            },
            strangers: if self.anonymous { Strangers::Answered } else { Strangers::Refused },
            metrics_for: match self.metrics {
                RawMetrics::Open => MetricsFor::Everybody,
                RawMetrics::Token => MetricsFor::TokenBearers,
            },
            edge: Edge {
                threads: Threads::check(self.threads, "serve.threads", faults),
                connections_max: self.connections_max,
                downloads_max: self.downloads_max,
                drain: Drain { grace: Seconds(self.drain_grace_seconds), max: Seconds(self.drain_max_seconds) },
                patience: Patience {
                    header: Seconds(self.header_seconds),
                    body: Seconds(self.body_seconds),
                    idle: Seconds(self.idle_seconds),
                },
            },
        }
    }
}

impl Threads {
    /// For whatever serves: one for each core.
    pub fn serving(self, cores: usize) -> usize {
        self.or(cores)
    }

    /// For whatever signs beside it: one for each two cores.
    pub fn signing(self, cores: usize) -> usize {
        self.or(cores / 2)
    }

    /// As it is written: 0 leaves it to the machine.
    pub fn written(self) -> u16 {
        match self {
            Self::ByCores => 0,
            Self::Exactly(threads) => threads.get(),
        }
    }

    pub(super) fn check(written: u16, key: &'static str, faults: &mut Faults) -> Self {
        if written > THREADS_MAX {
            faults.add(key, "must be 0 (by the machine's cores) to 1,024");
        }
        NonZeroU16::new(written).map_or(Self::ByCores, Self::Exactly)
    }

    fn or(self, by_cores: usize) -> usize {
        match self {
            Self::ByCores => by_cores.max(1),
            Self::Exactly(threads) => usize::from(threads.get()),
        }
    }
}

impl Default for RawServe {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin: SocketAddr::from(([127, 0, 0, 1], 8081)),
            public_url: None,
            state: "state".into(),
            heartbeat_max_seconds: 5,
            clock_leap_max_hours: 72,
            threads: 0,
            connections_max: 10_000,
            downloads_max: 256,
            metrics: RawMetrics::Token,
            anonymous: false,
            drain_grace_seconds: 1,
            drain_max_seconds: 10,
            header_seconds: 10,
            body_seconds: 10,
            idle_seconds: 60,
        }
    }
}

/// A year: a ledger that stood still for longer is looked at by a person.
const LEAP_HOURS_MAX: u32 = 8_760;
/// More than any machine has cores.
const THREADS_MAX: u16 = 1_024;
