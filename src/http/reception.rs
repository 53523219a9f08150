//! Where new connections are looked at: most bring their one request along, and are answered and gone before anything is set
//! up for them. Used by `edge`, on each thread.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use rustix::net::{RecvFlags, SendFlags, SocketFlags, acceptfrom_with, recv, send};
use tokio::io::unix::AsyncFdReadyGuard;

use super::edge::Floor;
use super::plain::{Plain, recognise};
use super::replies::After;

/// A connection that has just come, with what was read from it and not answered.
pub(super) struct Arrival {
    pub stream: TcpStream,
    pub from: IpAddr,
    pub first: Vec<u8>,
}

/// One thread's memory for new connections.
pub(super) struct Reception {
    octets: Vec<u8>,
    out: Vec<u8>,
    /// How many connections may still be handed over in this second.
    allowance: u32,
}

impl Default for Reception {
    fn default() -> Self {
        Self { octets: vec![0; FIRST_OCTETS], out: Vec::new(), allowance: 0 }
    }
}

impl Reception {
    /// So many connections may be handed over from now on.
    pub fn allow(&mut self, connections: u32) {
        self.allowance = connections;
    }

    /// Accepts what waits, some at a time; says how many.
    pub fn receive(&mut self, floor: &Floor, ready: &mut AsyncFdReadyGuard<'_, TcpListener>) -> io::Result<usize> {
        for count in 0..ACCEPTED_AT_ONCE {
            let accepted = ready
                .try_io(|socket| Ok(acceptfrom_with(socket.get_ref(), SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?));
            match accepted {
                Ok(Ok((stream, from))) => {
                    let from = from.and_then(|from| SocketAddr::try_from(from).ok());
                    // Every TCP connection comes from somewhere.
                    let Some(from) = from else { continue };
                    self.look(floor, stream.into(), from.ip());
                }
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => return Ok(count),
            }
        }
        Ok(ACCEPTED_AT_ONCE)
    }

    /// Answers a connection that has brought its only request along; keeps any other.
    fn look(&mut self, floor: &Floor, stream: TcpStream, from: IpAddr) {
        let came = match recv(&stream, &mut self.octets[..], RecvFlags::DONTWAIT) {
            // Somebody who only looked whether anybody is here.
            Ok((0, _)) => return,
            Ok((came, _)) => came,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => 0,
            Err(_) => return,
        };
        let octets = &self.octets[..came];
        if let Plain::Request(plain, length) = recognise(octets)
            && plain.after == After::Close
            && length == came
        {
            self.out.clear();
            if floor.door.answer_plain(floor.door.origin(from), &plain, &mut self.out).is_ok() {
                // A new connection's buffer takes more than any reply; what it doesn't take, its reader isn't there for.
                let _ = send(&stream, &self.out, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
                return;
            }
        }
        floor.take_or_hand_over(Arrival { stream, from, first: octets.to_vec() }, &mut self.allowance);
    }
}

/// What most requests fit into.
const FIRST_OCTETS: usize = 2 * 1_024;
/// New connections before those that are here have their turn.
const ACCEPTED_AT_ONCE: usize = 32;
