//! How the admin listener ends: nobody who has been let in goes without an answer. Part of `listener`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::oneshot;

use super::*;
use crate::http::{Asked, AskedCrls, Clerk, ClerkError, Health, MetricsFor, Obstacle, Readiness, Token};
use crate::model::{Outcome, Position, Serial};

/// Stops, and takes its time for events: both sides meet there, once when it begins and once before it ends.
struct Stopping {
    events: Arc<Barrier>,
}

impl Health for Stopping {
    fn readiness(&self) -> Readiness {
        Readiness::NotReady { obstacles: vec![Obstacle { kind: "stopping", detail: String::new() }] }
    }
}

impl Clerk for Stopping {
    fn metrics(&self) -> String {
        String::new()
    }

    fn events(&self, _: Position, _: usize) -> Result<Value, ClerkError> {
        self.events.wait();
        self.events.wait();
        Err(ClerkError::Away("this process is stopping".to_owned()))
    }

    fn certificate(&self, _: &str, _: Serial) -> Result<Value, ClerkError> {
        unreachable!("nobody asks for it")
    }

    fn crls(&self) -> Result<Value, ClerkError> {
        unreachable!("nobody asks for it")
    }

    fn publish(&self, _: &AskedCrls) -> Result<Value, ClerkError> {
        unreachable!("nobody asks for it")
    }

    fn change(&self, _: &str, _: Serial, _: &Asked) -> Result<(Outcome, Value), ClerkError> {
        unreachable!("nobody asks for it")
    }
}

const ASKED: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
const TOKEN: &str = "a-token-of-forty-three-letters-or-some-more";

fn listener() -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Serves on a thread of its own until it is told.
fn serving(socket: TcpListener, events: &Arc<Barrier>, stopped: oneshot::Receiver<Ending>) -> JoinHandle<()> {
    let knows = Arc::new(Stopping { events: events.clone() });
    let admin = Admin::new(knows.clone(), knows, Some(Token::of(TOKEN)), MetricsFor::Everybody);
    let serves = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(socket, admin, async { stopped.await.unwrap() })).unwrap();
    };
    std::thread::spawn(serves)
}

/// One answer to a request that was sent whole.
fn answered(stream: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"}\n") {
        let mut octets = [0; 1_024];
        let count = stream.read(&mut octets).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&octets[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 503"));
}

fn ended(mut stream: TcpStream) {
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_is_under_way_is_answered_and_idle_connections_are_closed() {
    let (socket, at) = listener();
    let [mut idle, mut busy] = [(); 2].map(|()| TcpStream::connect(at).unwrap());
    let events = Arc::new(Barrier::new(2));
    let (stop, stopped) = oneshot::channel();
    let thread = serving(socket, &events, stopped);
    for stream in [&mut idle, &mut busy] {
        stream.write_all(ASKED).unwrap();
        answered(stream);
    }
    let asked = format!("GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    busy.write_all(asked.as_bytes()).unwrap();
    events.wait();
    stop.send(Ending::Drained).unwrap();
    ended(idle);
    events.wait();
    answered(&mut busy);
    ended(busy);
    thread.join().unwrap();
    assert!(TcpStream::connect(at).is_err(), "nobody listens any more");
}

#[test]
fn who_waits_in_the_queue_is_answered_by_this_one_or_by_its_successor() {
    for ending in [Ending::Drained, Ending::Succeeded] {
        let (socket, at) = listener();
        let successor = socket.try_clone().unwrap();
        let mut waiting = TcpStream::connect(at).unwrap();
        waiting.write_all(ASKED).unwrap();
        // Told before it has accepted anybody.
        let (stop, stopped) = oneshot::channel();
        stop.send(ending).unwrap();
        let thread = serving(socket, &Arc::new(Barrier::new(2)), stopped);
        match ending {
            Ending::Succeeded => {}
            Ending::Drained | Ending::None => answered(&mut waiting),
        }
        thread.join().unwrap();
        if ending == Ending::Succeeded {
            successor.set_nonblocking(false).unwrap();
            drop(successor.accept().unwrap());
        }
    }
}
