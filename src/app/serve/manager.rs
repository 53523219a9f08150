//! The service manager that started this process, if it speaks systemd's protocol: the sockets that it gives, and the line
//! on which it is told how things go. The only place that reads these variables; used by the command line for `serve`.
//!
//! They are left where they are: this program starts no other, and `LISTEN_PID` says that they are for nobody else.

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use super::{Told, log};
use crate::http::{self, Unfit};

/// What there is of it.
#[derive(Debug)]
pub struct Manager {
    given: Result<Vec<Name>, ManagerError>,
    line: Option<Line>,
}

/// Why its sockets can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// What says how many there are is no number of sockets.
    #[error("LISTEN_FDS is '{0}', and should be a number of sockets")]
    Count(String),
    /// A socket that isn't called what one here is called.
    #[error(
        "the service manager gives a socket that is called '{0}', and they are called 'public' or 'admin': set \
         FileDescriptorName= in its socket unit"
    )]
    Name(String),
    /// Not as many names as sockets.
    #[error(
        "the service manager gives {sockets} sockets and {names} names: set FileDescriptorName= in their socket units"
    )]
    Names {
        /// How many sockets.
        sockets: u16,
        /// How many names.
        names: usize,
    },
    /// There is one admin listener.
    #[error("the service manager gives several sockets that are called 'admin', and there is one admin listener")]
    Admins,
    /// One is no listening socket.
    #[error("the service manager's sockets can't be used: {0}")]
    Unfit(#[from] Unfit),
}

/// The sockets that it gives.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub public: Vec<TcpListener>,
    pub admin: Option<TcpListener>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Admin,
    Public,
}

/// Where it wants to be told.
#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    to: SocketAddr,
}

impl Manager {
    /// As this process's environment has it.
    pub fn of_environment() -> Self {
        let line = std::env::var_os("NOTIFY_SOCKET").and_then(|name| match Line::to(&name) {
            Ok(line) => Some(line),
            Err(error) => {
                log::line(&format!("the service manager can't be told how things go: {error}"));
                None
            }
        });
        Self { given: names(|key| std::env::var_os(key), std::process::id()), line }
    }

    /// The sockets that it gives, the first time.
    pub(super) fn sockets(&mut self) -> Result<Given, ManagerError> {
        let names = std::mem::replace(&mut self.given, Ok(Vec::new()))?;
        let mut given = Given::default();
        // There are no more than were counted in 16 bits.
        for (name, socket) in names.iter().zip(http::inherited(names.len() as u16)?) {
            match name {
                Name::Admin => given.admin = Some(socket),
                Name::Public => given.public.push(socket),
            }
        }
        Ok(given)
    }

    /// Tells it what it wants to know of what is told.
    pub fn hear(&self, told: &Told) {
        let Some(line) = &self.line else { return };
        let word = match told {
            Told::Listening { .. } => "STATUS=listening; /readyz says what is still missing\n",
            Told::Waiting { .. } => "STATUS=waits until it can take the place of the process before it\n",
            Told::Ready { .. } => "READY=1\nSTATUS=ready\n",
            Told::Stopping => "STOPPING=1\nSTATUS=answering its last requests\n",
            Told::Plan(_) | Told::Stopped => return,
        };
        if let Err(error) = line.socket.send_to_addr(word.as_bytes(), &line.to) {
            log::line(&format!("the service manager can't be told how things go: {error}"));
        }
    }
}

impl Line {
    /// To a path, or, after an `@`, to a name that is none.
    fn to(name: &OsString) -> io::Result<Self> {
        let to = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // It has a queue of its own; whoever doesn't empty it keeps nobody waiting here.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, to })
    }
}

/// What the sockets are for that are given to this process; those of another are left to it.
fn names(variable: impl Fn(&str) -> Option<OsString>, process: u32) -> Result<Vec<Name>, ManagerError> {
    let text = |key: &str| variable(key).map(|value| value.to_string_lossy().into_owned());
    if text("LISTEN_PID").is_none_or(|pid| pid != process.to_string()) {
        return Ok(Vec::new());
    }
    let count = text("LISTEN_FDS").unwrap_or_default();
    let sockets: u16 = count.parse().map_err(|_| ManagerError::Count(count))?;
    let words = text("LISTEN_FDNAMES").unwrap_or_default();
    let words: Vec<_> = words.split(':').filter(|word| !word.is_empty()).collect();
    let name = |word: &&str| match *word {
        "admin" => Ok(Name::Admin),
        "public" => Ok(Name::Public),
        other => Err(ManagerError::Name(other.to_owned())),
    };
    let names = words.iter().map(name).collect::<Result<Vec<_>, _>>()?;
    if names.len() != usize::from(sockets) {
        return Err(ManagerError::Names { sockets, names: names.len() });
    }
    if names.iter().filter(|name| **name == Name::Admin).count() > 1 {
        return Err(ManagerError::Admins);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pid: &str, count: &str, words: &str) -> Result<Vec<Name>, String> {
        let of = |key: &str| match key {
            "LISTEN_PID" => Some(pid.into()),
            "LISTEN_FDS" => Some(count.into()),
            "LISTEN_FDNAMES" => Some(words.into()),
            _ => None,
        };
        names(of, 7).map_err(|error| error.to_string())
    }

    #[test]
    fn sockets_have_names_and_are_for_one_process() {
        assert_eq!(names(|_| None, 7).unwrap(), []);
        assert_eq!(said("8", "nonsense", ""), Ok(vec![]), "another's");
        assert_eq!(said("7", "0", ""), Ok(vec![]));
        assert_eq!(said("7", "3", "public:admin:public"), Ok(vec![Name::Public, Name::Admin, Name::Public]));
        for (count, words, says) in [
            ("nonsense", "", "LISTEN_FDS is 'nonsense'"),
            ("-1", "public", "LISTEN_FDS is '-1'"),
            ("1", "", "1 sockets and 0 names"),
            ("1", "public:public", "1 sockets and 2 names"),
            ("1", "tashika.socket", "called 'tashika.socket'"),
            ("2", "admin:admin", "several"),
        ] {
            let error = said("7", count, words).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
