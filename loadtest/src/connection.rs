//! One connection of a load, on a non-blocking socket: opens, writes a request, reads an answer, is kept or closed. Used by
//! `engine`, which tells it when its socket is ready (edge-triggered).

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};

use crate::http::{Head, Length, Position};
use crate::request::Reuse;

#[derive(Debug, Default)]
pub struct Connection {
    stream: Option<TcpStream>,
    phase: Phase,
    /// The request; `written` octets of it are gone.
    pub out: Vec<u8>,
    written: usize,
    inbox: Vec<u8>,
    filled: usize,
    head: Option<Head>,
    /// The highest that this connection has shown.
    pub position: Option<Position>,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Closed,
    /// The handshake is under way; nothing is asked yet.
    Opening,
    Idle,
    /// A request is on its way, or its answer (or the handshake in front of both).
    Asking,
    /// Answered; the server is about to close.
    Leaving,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Pending,
    /// The answer is there: see `answer`; then `release`.
    Answered(Head),
    /// No answer will come.
    Failed(Failure),
    /// Nothing was asked, and the connection is open or closed now.
    Quiet,
}

/// Why there was no answer. Each is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// The connection was closed before the answer was whole.
    Closed,
    Connect,
    /// Something that no OCSP client could use.
    NotHttp,
    Reset,
    Timeout,
}

/// Where a load goes.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub to: SocketAddr,
    pub from: Option<IpAddr>,
}

impl Route {
    /// A socket whose handshake has begun.
    fn open(&self) -> io::Result<TcpStream> {
        let family = if self.to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket: OwnedFd = socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if let Some(from) = self.from {
            // Ports that rest after an earlier connection may be used again.
            sockopt::set_socket_reuseaddr(&socket, true)?;
            bind(&socket, &SocketAddr::new(from, 0))?;
        }
        match connect(&socket, &self.to) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Connection {
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Begins the handshake; events of this socket will carry `token`.
    pub fn open(&mut self, route: &Route, poll: &OwnedFd, token: u64) -> io::Result<()> {
        self.close();
        let stream = route.open()?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        epoll::add(poll, &stream, epoll::EventData::new_u64(token), flags)?;
        self.stream = Some(stream);
        self.phase = Phase::Opening;
        Ok(())
    }

    /// Sends what stands in `out`, now or when the handshake is done.
    pub fn ask(&mut self) -> Step {
        (self.written, self.filled, self.head) = (0, 0, None);
        let opening = self.phase == Phase::Opening;
        self.phase = Phase::Asking;
        if opening { Step::Pending } else { self.flush() }
    }

    /// The socket is ready for something.
    pub fn advance(&mut self, flags: epoll::EventFlags) -> Step {
        match self.phase {
            Phase::Closed => Step::Quiet,
            Phase::Opening if flags.intersects(BROKEN) => self.quiet_close(),
            Phase::Opening => {
                if flags.contains(epoll::EventFlags::OUT) {
                    self.phase = Phase::Idle;
                }
                Step::Quiet
            }
            // Nothing is asked: all that can come is the end.
            Phase::Idle | Phase::Leaving => match self.read_once() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Quiet,
                _ => self.quiet_close(),
            },
            Phase::Asking if self.written == 0 && flags.contains(epoll::EventFlags::ERR) => {
                self.failed(if self.head.is_none() { Failure::Connect } else { Failure::Reset })
            }
            Phase::Asking => {
                if self.written < self.out.len() {
                    let step = self.flush();
                    if step != Step::Pending {
                        return step;
                    }
                }
                if flags.intersects(READABLE) { self.read(flags.intersects(BROKEN)) } else { Step::Pending }
            }
        }
    }

    /// The body of the answer, after `Step::Answered`.
    pub fn body(&self, head: &Head) -> &[u8] {
        let end = match head.length {
            Length::Octets(length) => head.body_at + length,
            Length::UntilClosed => self.filled,
        };
        &self.inbox[head.body_at..end]
    }

    /// The answer was looked at: ready for the next request, or waits for the server's end.
    pub fn release(&mut self, head: &Head, reuse: Reuse) {
        match (reuse, head.after, head.length) {
            (Reuse::Keep, Reuse::Keep, _) => self.phase = Phase::Idle,
            (_, _, Length::UntilClosed) => self.close(),
            // Who closes first keeps the port resting: that is the server's part, or ports here would run out.
            _ => {
                self.phase = Phase::Leaving;
                if !matches!(self.read_once(), Err(error) if error.kind() == ErrorKind::WouldBlock) {
                    self.close();
                }
            }
        }
    }

    pub fn close(&mut self) {
        self.stream = None;
        self.phase = Phase::Closed;
        self.position = None;
    }

    fn quiet_close(&mut self) -> Step {
        self.close();
        Step::Quiet
    }

    fn failed(&mut self, failure: Failure) -> Step {
        self.close();
        Step::Failed(failure)
    }

    fn flush(&mut self) -> Step {
        let Some(stream) = &mut self.stream else { return Step::Failed(Failure::Closed) };
        while self.written < self.out.len() {
            match stream.write(&self.out[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.broken(&error),
            }
        }
        Step::Pending
    }

    /// `ending`: the server has closed its side. No other edge will say so, therefore it is read up to the end.
    fn read(&mut self, ending: bool) -> Step {
        loop {
            let room = self.make_room();
            match self.read_once() {
                Ok(0) => return self.ended(),
                Ok(count) => {
                    self.filled += count;
                    match self.looked_at() {
                        // A short read has emptied the socket; the next edge comes with the next octet.
                        Step::Pending if count < room && !ending => return Step::Pending,
                        Step::Pending => {}
                        Step::Answered(head) if ending => return Step::Answered(Head { after: Reuse::Close, ..head }),
                        step => return step,
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Pending,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.broken(&error),
            }
        }
    }

    fn looked_at(&mut self) -> Step {
        if self.head.is_none() {
            match Head::read(&self.inbox[..self.filled]) {
                Ok(head) => self.head = head,
                Err(_) => return self.failed(Failure::NotHttp),
            }
        }
        let Some(head) = self.head else {
            return if self.filled > HEAD_MAX { self.failed(Failure::NotHttp) } else { Step::Pending };
        };
        match head.length {
            Length::Octets(length) if self.filled == head.body_at + length => Step::Answered(head),
            Length::Octets(length) if self.filled > head.body_at + length => self.failed(Failure::NotHttp),
            Length::UntilClosed if self.filled > ANSWER_MAX => self.failed(Failure::NotHttp),
            _ => Step::Pending,
        }
    }

    fn ended(&mut self) -> Step {
        match self.head {
            Some(head) if head.length == Length::UntilClosed => Step::Answered(head),
            _ => self.failed(Failure::Closed),
        }
    }

    fn broken(&mut self, error: &io::Error) -> Step {
        self.failed(match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => Failure::Reset,
            _ => Failure::Connect,
        })
    }

    fn make_room(&mut self) -> usize {
        if self.filled == self.inbox.len() {
            self.inbox.resize((self.inbox.len() * 2).max(INBOX), 0);
        }
        self.inbox.len() - self.filled
    }

    fn read_once(&mut self) -> io::Result<usize> {
        self.make_room();
        match &mut self.stream {
            Some(stream) => stream.read(&mut self.inbox[self.filled..]),
            None => Ok(0),
        }
    }
}

impl Failure {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed-before-answered",
            Self::Connect => "connect-failed",
            Self::NotHttp => "not-http",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
        }
    }
}

const READABLE: epoll::EventFlags = epoll::EventFlags::IN.union(BROKEN);
const BROKEN: epoll::EventFlags = epoll::EventFlags::RDHUP.union(epoll::EventFlags::HUP).union(epoll::EventFlags::ERR);
/// An answer about one certificate fits with room to spare.
const INBOX: usize = 8 << 10;
const HEAD_MAX: usize = 64 << 10;
const ANSWER_MAX: usize = HEAD_MAX + crate::http::BODY_MAX as usize;
