//! A TCP proxy in front of a server, which breaks connections at the moment a test chooses.
//!
//! What is on its way to the client can be swallowed after the server has sent it, what is on its way to the server before
//! it arrives, and a connection can be cut on the client's side only, so that the server goes on unaware.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

/// The proxy. It ends with the process.
pub struct Proxy {
    port: u16,
    trap: Arc<AtomicU8>,
}

/// What happens next, once.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Trap {
    /// Nothing.
    None = 0,
    /// The next answer of the server is swallowed and the connection broken.
    LoseAnswer = 1,
    /// The next message to the server is swallowed and the connection broken.
    LoseRequest = 2,
    /// The next message is passed on, and then the client is cut off; the server isn't told.
    ForgetClient = 3,
}

impl Proxy {
    /// In front of a local port.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let trap = Arc::new(AtomicU8::new(Trap::None as u8));
        let armed = Arc::clone(&trap);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("a socket");
                }
                let (client2, server2) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
                let (up, down) = (Arc::clone(&armed), Arc::clone(&armed));
                thread::spawn(move || requests(client, server, &up));
                thread::spawn(move || answers(server2, client2, &down));
            }
        });
        Self { port, trap }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets the trap.
    pub fn arm(&self, trap: Trap) {
        self.trap.store(trap as u8, Ordering::SeqCst);
    }

    /// Whether the trap has closed.
    pub fn has_sprung(&self) -> bool {
        self.trap.load(Ordering::SeqCst) == Trap::None as u8
    }
}

fn requests(mut client: TcpStream, mut server: TcpStream, armed: &AtomicU8) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        if springs(armed, Trap::LoseRequest) {
            break;
        }
        let forget = springs(armed, Trap::ForgetClient);
        if server.write_all(&buffer[..length]).is_err() {
            break;
        }
        if forget {
            drop(client.shutdown(Shutdown::Both));
            // Kept open for as long as the server likes: it must not learn that nobody listens.
            let mut rest = server.try_clone().expect("a socket");
            while matches!(rest.read(&mut buffer), Ok(1..)) {}
            return;
        }
    }
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Both));
}

fn answers(mut server: TcpStream, mut client: TcpStream, armed: &AtomicU8) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        if springs(armed, Trap::LoseAnswer) {
            break;
        }
        if client.write_all(&buffer[..length]).is_err() {
            // Cut off on purpose: the other direction decides when the server is told.
            return;
        }
    }
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Both));
}

fn springs(armed: &AtomicU8, trap: Trap) -> bool {
    armed.compare_exchange(trap as u8, Trap::None as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}
