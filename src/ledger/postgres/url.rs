//! From a URL to where and how to connect: what may go in the clear, what must be encrypted and verified.
//!
//! `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&sslrootcert=FILE&…`. To anything but a Unix socket or a
//! loopback address there is one way: TLS, with the certificate and the host's name verified.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::ledger::LedgerError;

/// Where and how to connect.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) wire: Wire,
    /// What errors call it: host and database, without the password.
    pub(super) name: String,
}

/// What goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// Bytes as they are; within one machine only.
    Plain,
    /// TLS, certificate and name verified against these roots, or the system's.
    Verified {
        /// PEM.
        roots: Option<PathBuf>,
    },
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, LedgerError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        if !base.starts_with("postgres://") && !base.starts_with("postgresql://") {
            return Err(settings("a PostgreSQL ledger's URL begins with postgres://".to_owned()));
        }
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(decoded(value)?)),
                _ => rest.push(pair),
            }
        }
        let plain_url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        // The parser's own message may quote a part of the URL, and so of the password.
        let mut config = Config::from_str(&plain_url)
            .map_err(|_| settings("the PostgreSQL URL can't be read: check its form and its options".to_owned()))?;
        if config.get_hosts().is_empty() {
            return Err(settings("the PostgreSQL URL names no host".to_owned()));
        }
        let name = name(&config);
        let wire = wire(&config, mode.as_deref(), roots, &name)?;
        config.ssl_mode(if wire == Wire::Plain { SslMode::Disable } else { SslMode::Require });
        set_defaults(&mut config);
        Ok(Self { config, wire, name })
    }
}

fn wire(config: &Config, mode: Option<&str>, roots: Option<PathBuf>, name: &str) -> Result<Wire, LedgerError> {
    let verified = Wire::Verified { roots };
    match (mode, is_local(config)) {
        (Some("require" | "verify-ca" | "verify-full"), _) => Ok(verified),
        (None | Some("prefer" | "allow" | "disable"), true) => Ok(Wire::Plain),
        (None | Some("prefer" | "allow"), false) => Ok(verified),
        (Some("disable"), false) => Err(settings(format!(
            "{name} is on another machine: a ledger is never sent in the clear; leave out sslmode=disable, and name the server's CA with sslrootcert=FILE"
        ))),
        (Some(other), _) => {
            Err(settings(format!("'{other}' is no sslmode: verify-full, or disable within one machine")))
        }
    }
}

/// Whether every host is this machine, by its name: a name that leads to an address given beside it is still verified.
fn is_local(config: &Config) -> bool {
    config.get_hostaddrs().iter().all(|address| address.is_loopback())
        && config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        })
}

fn name(config: &Config) -> String {
    // One port for each host, or one for all.
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(USUAL_PORT);
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(at, host)| match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", port(at)),
            Host::Tcp(name) => format!("{name}:{}", port(at)),
            Host::Unix(path) => format!("{}:{}", path.display(), port(at)),
        })
        .collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{}/{database}", hosts.join(","))
}

fn set_defaults(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WITHIN);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_MAX);
    }
    config.keepalives(true);
    config.keepalives_idle(SILENCE_MAX);
    config.keepalives_interval(Duration::from_secs(3));
    config.keepalives_retries(3);
    if config.get_application_name().is_none() {
        config.application_name("tashika");
    }
    // Plans are made once per session and hold for tables of any size; compiling them costs more than running them.
    // A process that is stopped in its turn gives it back.
    let ours = "-c jit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
                -c idle_in_transaction_session_timeout=10s";
    let options = config.get_options().map_or_else(|| ours.to_owned(), |theirs| format!("{theirs} {ours}"));
    config.options(&options);
}

/// `%XX` in a query value.
fn decoded(value: &str) -> Result<String, LedgerError> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        let plain = if octet == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
        } else {
            Some(octet)
        };
        octets.push(plain.ok_or_else(|| settings(format!("'{value}' is not percent-encoded")))?);
    }
    String::from_utf8(octets).map_err(|_| settings(format!("'{value}' is not UTF-8")))
}

fn settings(what: String) -> LedgerError {
    LedgerError::Settings(what)
}

/// Longer than any healthy network takes; shorter than a caller's patience.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// PostgreSQL's own.
const USUAL_PORT: u16 = 5432;
/// A server that acknowledges nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn wire_of(url: &str) -> Result<Wire, String> {
        Address::parse(url).map(|address| address.wire).map_err(|error| error.to_string())
    }

    #[test]
    fn within_one_machine_nothing_need_be_encrypted() {
        for url in [
            "postgres://u@localhost/l",
            "postgres://u@127.0.0.1:5433/l?sslmode=disable",
            "postgres://u@[::1]/l",
            "postgresql://u@%2Fvar%2Frun%2Fpostgresql/l",
            "postgres://u@localhost/l?hostaddr=127.0.0.1",
        ] {
            assert_eq!(wire_of(url), Ok(Wire::Plain), "{url}");
        }
    }

    #[test]
    fn to_another_machine_there_is_only_verified_tls() {
        let verified = |roots: Option<&str>| Ok(Wire::Verified { roots: roots.map(PathBuf::from) });
        assert_eq!(wire_of("postgres://u@db.example/l"), verified(None));
        assert_eq!(wire_of("postgres://u@db.example/l?sslmode=prefer"), verified(None));
        assert_eq!(
            wire_of("postgres://u@db.example/l?sslmode=require&sslrootcert=/a%20b.pem"),
            verified(Some("/a b.pem"))
        );
        assert_eq!(wire_of("postgres://u@192.0.2.1/l?application_name=x"), verified(None));
        // One host elsewhere is enough, and so is a name that is merely said to live here.
        assert_eq!(wire_of("postgres://u@localhost,db.example/l"), verified(None));
        assert_eq!(wire_of("postgres://u@db.example/l?hostaddr=127.0.0.1"), verified(None));
        assert_eq!(wire_of("postgres://u@localhost/l?hostaddr=192.0.2.1"), verified(None));
        assert_eq!(wire_of("postgres://u@localhost/l?sslmode=verify-full"), verified(None));
    }

    #[test]
    fn in_the_clear_to_another_machine_is_refused_and_says_what_to_do() {
        let error = wire_of("postgres://u:secret@db.example/l?sslmode=disable").unwrap_err();
        assert!(
            error.contains("db.example:5432/l") && error.contains("sslrootcert") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn errors_name_host_and_port_and_no_password() {
        for (url, name) in [
            ("postgres://u:secret@db.example/l?sslmode=verify-full", "postgres://db.example:5432/l"),
            ("postgres://u@[::1]:5433/l", "postgres://[::1]:5433/l"),
            ("postgres://u@a:1,b:2/l?sslmode=verify-full", "postgres://a:1,b:2/l"),
            ("postgresql://u@%2Fvar%2Frun%2Fpostgresql/l", "postgres:///var/run/postgresql:5432/l"),
        ] {
            assert_eq!(Address::parse(url).unwrap().name, name);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_showing_the_password() {
        for url in [
            "mysql://u:secret@h/l",
            "postgres://u:secret@h/l?sslmode=maybe",
            "postgres://u:secret@h/l?colour=blue",
            "postgres://u:secret@h:port/l",
            "postgres:///l",
            "postgres://u:secret@h/l?sslrootcert=%zz",
        ] {
            let error = wire_of(url).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
