//! Listening sockets that a service manager has opened before it started this process: taken by their descriptors, looked
//! at before anybody trusts them, and spread over threads. Called by `app`, which knows how many there are.

use std::io;
use std::net::TcpListener;
use std::os::fd::{FromRawFd as _, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_setfd};

use super::sockets::prepare;

/// Why a descriptor that should be a listening socket isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// There is nothing, or no socket.
    #[error("descriptor {0} is no socket")]
    NoSocket(RawFd),
    /// A connection, or a socket that was bound and does not listen.
    #[error("descriptor {0} is a socket that doesn't listen (in a socket unit: ListenStream=, with Accept=no)")]
    NotListening(RawFd),
    /// It listens at something else than an address and a port.
    #[error("descriptor {0} doesn't listen at an address of TCP")]
    NotTcp(RawFd),
}

/// Takes so many of them, from descriptor 3 on, in order. To be called before this process listens by itself; a second
/// time there are none.
pub fn inherited(count: u16) -> Result<Vec<TcpListener>, Unfit> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if count == 0 || TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    (FIRST..FIRST + RawFd::from(count)).map(take).collect()
}

/// So many sockets for as many threads, each of those that are given for as many of them as any other. Threads that have
/// the same socket share its queue; whoever has more connections than another hands new ones over, as always.
pub fn spread(given: &[TcpListener], threads: usize) -> io::Result<Vec<TcpListener>> {
    given.iter().try_for_each(prepare)?;
    given.iter().cycle().take(threads.max(given.len())).map(TcpListener::try_clone).collect()
}

#[allow(unsafe_code, reason = "a descriptor that is inherited is a number, and no safe interface makes an owner of it")]
fn take(descriptor: RawFd) -> Result<TcpListener, Unfit> {
    match listens(descriptor) {
        Some(true) => {}
        Some(false) => return Err(Unfit::NotListening(descriptor)),
        None => return Err(Unfit::NoSocket(descriptor)),
    }
    // SAFETY: the descriptor is open, for it has just been asked, and it is a listening socket. Nothing in this process owns
    // it: `app` calls this before it binds anything, nobody else here makes sockets that listen, and `TAKEN` lets nobody
    // come twice.
    let socket = unsafe { TcpListener::from_raw_fd(descriptor) };
    let address = socket.local_addr().map_err(|_| Unfit::NotTcp(descriptor))?;
    // Nobody that this process might start is to keep callers waiting in it.
    fcntl_setfd(&socket, FdFlags::CLOEXEC).map_err(|_| Unfit::NoSocket(descriptor))?;
    debug_assert!(address.port() > 0, "what listens has a port");
    Ok(socket)
}

/// Whether a descriptor is a socket that listens; none: it is no socket, or not even open.
#[allow(unsafe_code, reason = "a safe interface takes only descriptors that are known to be open")]
fn listens(descriptor: RawFd) -> Option<bool> {
    let (mut listens, mut octets): (libc::c_int, _) = (0, size_of::<libc::c_int>() as libc::socklen_t);
    // SAFETY: any number may be asked about; the system writes at most `octets` octets to one `c_int`, both live until the
    // call returns, and it keeps no pointer to them.
    let done = unsafe {
        libc::getsockopt(descriptor, libc::SOL_SOCKET, libc::SO_ACCEPTCONN, (&raw mut listens).cast(), &raw mut octets)
    };
    (done == 0).then_some(listens != 0)
}

/// Behind standard input, output and errors.
const FIRST: RawFd = 3;
