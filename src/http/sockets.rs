//! Listening sockets: several on one address, so that each thread has its own queue of new connections.
//!
//! Bound by `app` before anything names them; handed to the edge's seats.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;

use rustix::net::sockopt::{set_socket_reuseaddr, set_socket_reuseport, set_tcp_nodelay};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen as listen_on, socket_with};
use tokio::sync::watch;

/// So many sockets that listen on one address; where it has port 0, all on the port that the first was given.
pub fn listen(address: SocketAddr, sockets: usize) -> io::Result<Vec<TcpListener>> {
    // Sockets that share an address would share it with another process, too, and nobody would be told.
    drop(bound(address, Sharing::Refused)?);
    let first = bound(address, Sharing::Allowed)?;
    let address = first.local_addr()?;
    let mut all = vec![first];
    for _ in 1..sockets {
        all.push(bound(address, Sharing::Allowed)?);
    }
    Ok(all)
}

/// How the public listener ends, and whether it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It doesn't.
    None,
    /// What arrives is answered until nothing arrives any more.
    Drained,
    /// A successor has the same sockets: what arrives from now on is its.
    Succeeded,
}

/// The word to stop, and who hears it.
pub fn stopping() -> (watch::Sender<Ending>, watch::Receiver<Ending>) {
    watch::channel(Ending::None)
}

/// Whether an address may have several sockets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Allowed,
    Refused,
}

fn bound(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
    // A restart must not wait until the last connections of the one before are forgotten.
    set_socket_reuseaddr(&socket, true)?;
    set_socket_reuseport(&socket, sharing == Sharing::Allowed)?;
    bind(&socket, &address)?;
    let socket = socket.into();
    prepare(&socket)?;
    Ok(socket)
}

/// Has a bound socket listen as the public listener's do; one that listens already, too.
pub(super) fn prepare(socket: &TcpListener) -> io::Result<()> {
    // Inherited by connections: a reply leaves as soon as it is written.
    set_tcp_nodelay(socket, true)?;
    // Connections are accepted when their first octets are here: most bring their one request along, and are answered
    // without waiting. Who connects and says nothing is accepted, and timed, a little later.
    set_tcp(socket, libc::TCP_DEFER_ACCEPT, SILENT_SECONDS)?;
    // Inherited, too: the system takes no more of a file than it will soon send, so that a slow download costs little memory,
    // and what it takes is a measure of what the other side takes.
    set_tcp(socket, libc::TCP_NOTSENT_LOWAT, UNSENT_OCTETS_MAX)?;
    Ok(listen_on(socket, BACKLOG)?)
}

#[allow(unsafe_code, reason = "no safe interface sets these options")]
fn set_tcp(socket: &TcpListener, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the system reads one `c_int`, which lives until the
    // call returns and whose length is told, and keeps no pointer to it.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            option,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How long the system keeps a connection that says nothing to itself.
const SILENT_SECONDS: i32 = 5;
/// What the system keeps of a connection beyond what is on its way.
const UNSENT_OCTETS_MAX: i32 = 256 * 1_024;
/// Connections that wait to be accepted, as far as the system allows (net.core.somaxconn).
const BACKLOG: i32 = 4_096;
