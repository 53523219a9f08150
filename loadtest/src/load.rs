//! One load as it is asked for (flags, or a table `[[load]]` of a file) and as it is run: checked, with its list of
//! certificates read. Used by `cli` and `engine`.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::certificate::{Certificate, CertificateError};
use crate::connection::Route;
use crate::random::Choice;
use crate::request::{HashName, Method, Reuse, Writer};
use crate::serials::{Expected, Key, SerialsError, read_list};
use crate::verify::Sample;

/// What is asked for. The fields of a `[[load]]` are named like these flags.
#[derive(Clone, Debug, Default, clap::Args, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoadArgs {
    /// Name of this load in the report
    #[arg(long)]
    pub name: Option<String>,
    /// Where the responder listens: http://HOST:PORT/PATH
    #[arg(long, required_unless_present = "loads")]
    pub url: Option<String>,
    /// Certificate (PEM) of the CA whose certificates are asked about
    #[arg(long, required_unless_present = "loads")]
    pub issuer: Option<PathBuf>,
    /// List of serials: one in hex a line, then optionally good, revoked, held or unknown
    #[arg(long, value_name = "FILE")]
    pub serials: Option<PathBuf>,
    /// Certificates (PEM) to ask about
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub cert: Vec<PathBuf>,
    /// What is expected of every --cert
    #[arg(long, value_enum)]
    pub expect: Option<Expected>,
    /// Open loop: so many requests a second are due, whether or not earlier ones were answered
    #[arg(long, value_name = "N", conflicts_with = "closed")]
    pub rate: Option<f64>,
    /// How requests of an open loop arrive [default: poisson]
    #[arg(long, value_enum)]
    pub arrivals: Option<Arrivals>,
    /// Closed loop: each connection asks again as soon as it is answered
    #[arg(long)]
    pub closed: bool,
    /// For how long requests are due, such as 10s or 500ms [default: 10s]
    #[arg(long)]
    pub duration: Option<Span>,
    /// Connections at most [default: 64]
    #[arg(long, value_name = "N")]
    pub connections: Option<usize>,
    /// HTTP/1.0, a new connection for each request
    #[arg(long)]
    pub close: bool,
    /// How requests travel [default: post]
    #[arg(long, value_enum)]
    pub method: Option<Method>,
    /// By which hash CertIDs name the issuer [default: sha1]
    #[arg(long, value_enum)]
    pub hash: Option<HashName>,
    /// Whether each request carries a nonce [default: none]
    #[arg(long, value_enum)]
    pub nonce: Option<NonceUse>,
    /// CertIDs in each request [default: 1]
    #[arg(long, value_name = "K")]
    pub per_request: Option<usize>,
    /// Address that connections come from; on Linux any of 127.0.0.0/8 will do
    #[arg(long, value_name = "A")]
    pub source_address: Option<IpAddr>,
    /// How certificates are chosen [default: uniform]
    #[arg(long, value_enum)]
    pub keys: Option<Choice>,
    /// Whose signatures are checked: all, sample=N (every N-th), none [default: sample=100]
    #[arg(long)]
    pub verify: Option<SampleText>,
    /// How long an answer may take [default: 5s]
    #[arg(long)]
    pub timeout: Option<Span>,
    /// How far the responder's clock may differ, in whole seconds [default: 2s]
    #[arg(long)]
    pub skew: Option<Span>,
    /// Seed of arrivals, choices and nonces [default: from the clock]
    #[arg(long)]
    pub seed: Option<u64>,
}

/// How requests of an open loop arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    Constant,
    #[default]
    Poisson,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NonceUse {
    #[default]
    None,
    Random,
}

/// A duration as people write it: 10s, 500ms, 200us, 2m.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

/// all, sample=N, none
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct SampleText(pub Sample);

/// A load that can be run.
#[derive(Debug)]
pub struct Load {
    pub name: String,
    pub route: Route,
    pub issuer: Arc<Certificate>,
    pub keys: Vec<Key>,
    pub pace: Pace,
    pub duration: Duration,
    pub connections: usize,
    pub reuse: Reuse,
    pub writer: Writer,
    pub nonce: NonceUse,
    pub per_request: usize,
    pub choice: Choice,
    pub sample: Sample,
    pub timeout: Duration,
    pub skew: i64,
    pub seed: u64,
}

/// When requests are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    Open { rate: f64, arrivals: Arrivals },
    Closed,
}

/// What can't be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Serials(#[from] SerialsError),
    #[error("{url}: {what}")]
    Url { url: String, what: String },
    #[error("{0}")]
    Nonsense(&'static str),
}

impl LoadArgs {
    /// Checks everything and reads the files; `place` numbers loads without a name.
    pub fn check(self, place: usize) -> Result<Load, LoadError> {
        self.check_with(place, None)
    }

    /// The same, with one more certificate to ask about.
    pub fn check_with(self, place: usize, key: Option<Key>) -> Result<Load, LoadError> {
        let url = self.url.as_deref().ok_or(LoadError::Nonsense("a load needs `url`"))?;
        let issuer = self.issuer.as_deref().ok_or(LoadError::Nonsense("a load needs `issuer`"))?;
        let issuer = Arc::new(Certificate::from_file(issuer)?);
        let target = Target::read(url)?;
        let pace = match (self.rate, self.closed) {
            (Some(rate), false) if rate > 0.0 && rate <= RATE_MAX => {
                Pace::Open { rate, arrivals: self.arrivals.unwrap_or_default() }
            }
            (None, true) => Pace::Closed,
            (Some(_), false) => return Err(LoadError::Nonsense("`rate` is above 0 and at most a million")),
            _ => return Err(LoadError::Nonsense("either `rate` (open loop) or `closed`, one of both")),
        };
        let connections = self.connections.unwrap_or(64);
        if !(1..=CONNECTIONS_MAX).contains(&connections) {
            return Err(LoadError::Nonsense("`connections` is 1 to 20000"));
        }
        let per_request = self.per_request.unwrap_or(1);
        if !(1..=PER_REQUEST_MAX).contains(&per_request) {
            return Err(LoadError::Nonsense("`per-request` is 1 to 10000"));
        }
        let keys = self.read_keys(key)?;
        let reuse = if self.close { Reuse::Close } else { Reuse::Keep };
        let (hash, method) = (self.hash.unwrap_or_default(), self.method.unwrap_or_default());
        Ok(Load {
            name: self.name.unwrap_or_else(|| format!("load-{place}")),
            route: Route { to: target.address, from: self.source_address },
            writer: Writer::new(&issuer, hash, method, reuse, &target.host, &target.path),
            issuer,
            keys,
            pace,
            duration: self.duration.map_or(Duration::from_secs(10), |span| span.0),
            connections,
            reuse,
            nonce: self.nonce.unwrap_or_default(),
            per_request,
            choice: self.keys.unwrap_or_default(),
            sample: self.verify.map_or(Sample::Every(100), |text| text.0),
            timeout: self.timeout.map_or(Duration::from_secs(5), |span| span.0),
            skew: self.skew.map_or(2, |span| span.0.as_secs() as i64),
            seed: self.seed.unwrap_or_else(seed_from_clock),
        })
    }

    fn read_keys(&self, key: Option<Key>) -> Result<Vec<Key>, LoadError> {
        let mut keys = self.serials.as_deref().map(read_list).transpose()?.unwrap_or_default();
        keys.extend(key);
        for file in &self.cert {
            keys.push(Certificate::from_file(file)?.question(self.expect.unwrap_or_default())?);
        }
        if keys.is_empty() {
            return Err(LoadError::Nonsense("nothing to ask about: `serials` or `cert`"));
        }
        Ok(keys)
    }
}

/// A URL taken apart, its host looked up.
#[derive(Debug)]
pub struct Target {
    pub address: std::net::SocketAddr,
    /// With its port.
    pub host: String,
    pub path: String,
}

impl Target {
    pub fn read(url: &str) -> Result<Self, LoadError> {
        let wrong = |what: &str| LoadError::Url { url: url.into(), what: what.into() };
        let rest = url.strip_prefix("http://").ok_or_else(|| wrong("only http:// is known"))?;
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let after_brackets = host.rsplit(']').next().unwrap_or(host);
        let host = if after_brackets.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let addresses = host.to_socket_addrs().map_err(|error| wrong(&error.to_string()))?;
        let address = addresses.into_iter().next().ok_or_else(|| wrong("no address"))?;
        Ok(Self { address, host, path: path.to_owned() })
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let unit = match &text[at..] {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(format!("{text}: a number with us, ms, s, m or h")),
        };
        let number: f64 = text[..at].parse().map_err(|_| format!("{text}: not a duration"))?;
        Duration::try_from_secs_f64(number * unit).map(Self).map_err(|error| format!("{text}: {error}"))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for SampleText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sample = match text {
            "all" => Some(Sample::All),
            "none" => Some(Sample::None),
            _ => {
                let every = text.strip_prefix("sample=").and_then(|every| every.parse().ok());
                every.filter(|every| *every > 0).map(Sample::Every)
            }
        };
        sample.map(Self).ok_or_else(|| format!("{text}: all, sample=N or none"))
    }
}

impl TryFrom<String> for SampleText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

fn seed_from_clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos() as u64
}

/// More than a core can send; keeps the list of requests that are due within memory.
const RATE_MAX: f64 = 1e6;
/// Below the ephemeral ports of one address.
const CONNECTIONS_MAX: usize = 20_000;
/// Ten times what a batch of the national mix holds.
const PER_REQUEST_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_samples_are_read_as_people_write_them() {
        let span = |text: &str| text.parse::<Span>().ok().map(|span| span.0);
        assert_eq!(span("10s"), Some(Duration::from_secs(10)));
        assert_eq!(span("200us"), Some(Duration::from_micros(200)));
        assert_eq!(span("1.5m"), Some(Duration::from_secs(90)));
        for text in ["10", "s", "", "-1s", "1d"] {
            assert_eq!(span(text), None, "{text}");
        }
        let sample = |text: &str| text.parse::<SampleText>().ok().map(|text| text.0);
        assert_eq!(sample("sample=7"), Some(Sample::Every(7)));
        assert_eq!((sample("all"), sample("none")), (Some(Sample::All), Some(Sample::None)));
        assert_eq!((sample("sample=0"), sample("some")), (None, None));
    }

    #[test]
    fn a_url_is_taken_apart() {
        let read = |url: &str| Target::read(url).map(|target| (target.host, target.path)).ok();
        assert_eq!(read("http://127.0.0.1:8080/ocsp"), Some(("127.0.0.1:8080".into(), "/ocsp".into())));
        assert_eq!(read("http://127.0.0.1"), Some(("127.0.0.1:80".into(), "/".into())));
        assert_eq!(read("http://[::1]/x"), Some(("[::1]:80".into(), "/x".into())));
        assert_eq!(read("https://127.0.0.1/"), None);
    }
}
