//! Listening sockets: several on one address, so that each thread has its own queue of new connections.
//!
//! Bound by `app` before anything names them; handed to the edge's seats.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::watch;

/// So many sockets that listen on one address; where it has port 0, all on the port that the first was given.
pub fn listen(address: SocketAddr, sockets: usize) -> io::Result<Vec<TcpListener>> {
    // Sockets that share an address would share it with another process, too, and nobody would be told.
    drop(bind(address, Sharing::Refused)?);
    let first = bind(address, Sharing::Allowed)?;
    let bound = first.local_addr()?;
    let mut all = vec![first];
    for _ in 1..sockets {
        all.push(bind(bound, Sharing::Allowed)?);
    }
    Ok(all)
}

/// The word to stop, and who hears it.
pub fn stopping() -> (watch::Sender<()>, watch::Receiver<()>) {
    watch::channel(())
}

/// Whether an address may have several sockets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Allowed,
    Refused,
}

fn bind(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait until the last connections of the one before are forgotten.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(sharing == Sharing::Allowed)?;
    // Inherited by connections: a reply leaves as soon as it is written.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Connections that wait to be accepted, as far as the system allows (net.core.somaxconn).
const BACKLOG: i32 = 4_096;
