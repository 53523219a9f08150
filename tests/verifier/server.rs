//! A server of files that does what it is told: answers, breaks off, never ends, sends from place to place, keeps silent.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it does when it is asked for a path.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Half of these octets, and then the end.
    BrokenOff(Vec<u8>),
    /// A body without a length that goes on and on.
    Endless,
    Octets(Vec<u8>),
    Redirect(String),
    /// Nothing, for as long as the other side waits.
    Silence,
}

/// The server; it ends with the process.
#[derive(Clone)]
pub struct Server {
    pub at: String,
    files: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { at, files: Arc::default(), asked: Arc::default() };
        let shared = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.serve(&stream));
            }
        });
        server
    }

    pub fn put(&self, path: &str, answer: Answer) {
        self.files.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub fn octets(&self, path: &str) -> Vec<u8> {
        match self.files.lock().unwrap().get(path) {
            Some(Answer::Octets(octets)) => octets.clone(),
            other => panic!("{path}: {other:?}"),
        }
    }

    pub fn remove(&self, path: &str) {
        self.files.lock().unwrap().remove(path);
    }

    /// What was asked for since this was asked last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while self.one(&mut reader, stream).is_some() {}
    }

    /// One request; none: the connection is done with.
    fn one(&self, reader: &mut BufReader<TcpStream>, mut stream: &TcpStream) -> Option<()> {
        let mut first = String::new();
        reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
        let path = first.split(' ').nth(1)?.to_owned();
        let (mut line, mut tag) = (String::new(), None);
        while reader.read_line(&mut line).ok()? > 2 {
            tag = line.to_ascii_lowercase().strip_prefix("if-none-match: ").map(|tag| tag.trim().to_owned()).or(tag);
            line.clear();
        }
        self.asked.lock().unwrap().push(path.clone());
        let answer = self.files.lock().unwrap().get(&path).cloned();
        let head = |status: &str, more: String| format!("HTTP/1.1 {status}\r\n{more}\r\n");
        match answer {
            None => stream.write_all(head("404 Not Found", "Content-Length: 0\r\n".into()).as_bytes()).ok(),
            Some(Answer::Octets(octets)) => {
                let etag = format!(
                    "\"{:x}\"",
                    octets.iter().fold(7_u64, |sum, octet| sum.wrapping_mul(31) + u64::from(*octet))
                );
                if tag.as_deref() == Some(&etag) {
                    return stream.write_all(head("304 Not Modified", format!("ETag: {etag}\r\n")).as_bytes()).ok();
                }
                let more = format!("ETag: {etag}\r\nContent-Length: {}\r\n", octets.len());
                stream.write_all(&[head("200 OK", more).as_bytes(), &octets].concat()).ok()
            }
            Some(Answer::BrokenOff(octets)) => {
                let more = format!("Content-Length: {}\r\n", octets.len());
                let _ = stream.write_all(&[head("200 OK", more).as_bytes(), &octets[..octets.len() / 2]].concat());
                None
            }
            Some(Answer::Endless) => {
                stream.write_all(head("200 OK", "Connection: close\r\n".into()).as_bytes()).ok()?;
                while stream.write_all(&[0x30; 65_536]).is_ok() {}
                None
            }
            Some(Answer::Redirect(to)) => {
                stream.write_all(head("302 Found", format!("Location: {to}\r\nContent-Length: 0\r\n")).as_bytes()).ok()
            }
            Some(Answer::Silence) => {
                let _ = reader.read(&mut [0]);
                None
            }
        }
    }
}
