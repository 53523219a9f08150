//! Who fetches files: so many at once, each over and over on one connection, as fast as it gets them or at a pace. In a
//! process of its own on the second core; prints how many octets it was sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What is fetched.
pub struct Wanted {
    pub at: String,
    pub downloads: usize,
    /// Of each download; 0: as fast as it comes.
    pub octets_a_second: u64,
    pub seconds: u64,
}

/// Fetches until the time is over.
pub fn fetch(wanted: &Wanted) {
    let until = Instant::now() + Duration::from_secs(wanted.seconds);
    let fetched: u64 = std::thread::scope(|scope| {
        let one = |_| scope.spawn(|| one(wanted, until));
        let running: Vec<_> = (0..wanted.downloads).map(one).collect();
        running.into_iter().map(|download| download.join().expect("a download")).sum()
    });
    println!("{fetched}");
}

fn one(wanted: &Wanted, until: Instant) -> u64 {
    let began = Instant::now();
    let mut stream = BufReader::new(TcpStream::connect(&wanted.at).expect("the server"));
    let mut piece = vec![0; PIECE];
    let mut fetched = 0;
    while Instant::now() < until {
        stream.get_mut().write_all(b"GET /crl/a.crl HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
        let mut left = length(&mut stream);
        while left > 0 && Instant::now() < until {
            let taken = stream.read(&mut piece[..left.min(PIECE)]).expect("octets");
            assert!(taken > 0, "a file that is cut short");
            left -= taken;
            fetched += taken as u64;
            if wanted.octets_a_second > 0 {
                let due = began + Duration::from_secs_f64(fetched as f64 / wanted.octets_a_second as f64);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        }
    }
    fetched
}

fn length(stream: &mut BufReader<TcpStream>) -> usize {
    let mut length = None;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a header");
        if line.trim().is_empty() {
            return length.expect("a length");
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
    }
}

const PIECE: usize = 64 * 1_024;
