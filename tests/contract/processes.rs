//! Writers in processes of their own: this test program, started again. They can be killed as nothing else can.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tashika::ledger::Ledger;

use crate::writer::mark;

/// How a process of its own opens a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub kind: Kind,
    /// A path or URL.
    pub place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Sqlite,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

impl Address {
    pub fn open(&self) -> Box<dyn Ledger> {
        match self.kind {
            Kind::Postgres => crate::postgres::open(&self.place).expect("a ledger"),
            Kind::Sqlite => crate::sqlite::open(self.place.as_ref()).expect("a ledger"),
        }
    }

    fn to_text(&self) -> String {
        format!("{} {}", self.kind.name(), self.place)
    }

    fn from_text(text: &str) -> Self {
        let (kind, place) = text.split_once(' ').expect("a kind and a place");
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).expect("a known ledger");
        Self { kind, place: place.to_owned() }
    }
}

/// A process that appends one marked event after the other and says which were acknowledged.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    acknowledged: Vec<String>,
}

impl Process {
    /// Starts it; its events are marked `NAME-0`, `NAME-1`, … up to `count`.
    pub fn start(address: &Address, name: &str, count: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "processes::a_process_of_its_own", "--nocapture", "--test-threads=1"])
            .env(PLACE, address.to_text())
            .env(NAME, name)
            .env(COUNT, count.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(mark) = line.strip_prefix(ACKNOWLEDGED) {
                    // The test may have seen enough.
                    drop(send.send(mark.to_owned()));
                }
            }
        });
        Self { child, lines, acknowledged: Vec::new() }
    }

    /// Waits until so many were acknowledged.
    pub fn wait_for(&mut self, count: usize) {
        while self.acknowledged.len() < count {
            let line = self.lines.recv_timeout(PATIENCE);
            self.acknowledged.push(line.expect("the process writes"));
        }
    }

    /// Kills it with SIGKILL; says everything that was acknowledged before.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("it can be killed");
        self.end()
    }

    /// Lets it end; says everything that was acknowledged.
    pub fn finish(mut self) -> Vec<String> {
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
        self.end()
    }

    fn end(mut self) -> Vec<String> {
        self.child.wait().expect("it ends");
        self.acknowledged.extend(self.lines.iter());
        self.acknowledged
    }
}

/// What the child does; without being one, it starts one and sees that it works.
#[test]
fn a_process_of_its_own() {
    let Ok(place) = std::env::var(PLACE) else {
        let world = crate::sqlite::Embedded::new();
        let address = crate::world::World::address(&world).expect("a file has a path");
        assert_eq!(Address::from_text(&address.to_text()), address);
        assert_eq!(Process::start(&address, "child", 3).finish(), ["child-0", "child-1", "child-2"]);
        return;
    };
    let setting = |name: &str| std::env::var(name).expect("set by whoever started this");
    let (name, count): (_, usize) = (setting(NAME), setting(COUNT).parse().expect("a number"));
    let ledger = Address::from_text(&place).open();
    for number in 0..count {
        let tag = format!("{name}-{number}");
        mark(&*ledger, &tag);
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{ACKNOWLEDGED}{tag}").and_then(|()| out.flush()).expect("a parent that listens");
    }
}

const PLACE: &str = "TASHIKA_CONTRACT_PLACE";
const NAME: &str = "TASHIKA_CONTRACT_NAME";
const COUNT: &str = "TASHIKA_CONTRACT_COUNT";
const ACKNOWLEDGED: &str = "acknowledged ";
const PATIENCE: Duration = Duration::from_secs(60);
