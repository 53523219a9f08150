//! One connection that waits for its answers, for the verbs that ask one question at a time: `probe` and `capture`.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::connection::Route;
use crate::http::{Head, Length, NotHttp};

/// Kept open; opened again by the next question after any failure.
#[derive(Debug)]
pub struct Client {
    route: Route,
    timeout: Duration,
    stream: Option<TcpStream>,
    inbox: Vec<u8>,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    NotHttp(#[from] NotHttp),
    #[error("closed before the answer was whole")]
    Closed,
}

impl Client {
    pub fn new(route: Route, timeout: Duration) -> Self {
        Self { route, timeout, stream: None, inbox: Vec::new() }
    }

    /// Sends a request as it stands; returns the head and all octets of the answer.
    pub fn ask(&mut self, request: &[u8]) -> Result<(Head, &[u8]), ClientError> {
        // Taken out, and put back only when the answer was whole.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open()?,
        };
        stream.write_all(request)?;
        self.inbox.clear();
        let mut chunk = [0; 8192];
        loop {
            let count = match stream.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                count => count?,
            };
            self.inbox.extend_from_slice(&chunk[..count]);
            let head = Head::read(&self.inbox)?;
            match head.map(|head| (head, head.length)) {
                Some((head, Length::Octets(length))) if self.inbox.len() >= head.body_at + length => {
                    if head.after == crate::request::Reuse::Keep {
                        self.stream = Some(stream);
                    }
                    return Ok((head, &self.inbox[..head.body_at + length]));
                }
                Some((head, Length::UntilClosed)) if count == 0 => return Ok((head, &self.inbox)),
                _ if count == 0 => return Err(ClientError::Closed),
                _ => {}
            }
        }
    }

    fn open(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.route.to, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        Ok(stream)
    }
}
