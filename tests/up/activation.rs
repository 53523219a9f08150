//! A service manager that keeps the sockets and wants to know how things go, as systemd does.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{Program, ask, readiness};
use crate::serving::demonstration;

/// A command that starts `serve` with these sockets from descriptor 3 on, and these variables: `PID` stands for
/// its own, and what it says of errors goes where `SAID` says.
fn activated(config: &Path, sockets: [Stdio; 2], variables: &[(&str, &str)]) -> Command {
    let [first, second] = sockets;
    let mut command = Command::new("sh");
    // As it comes there: standard input and errors are given to the shell, which moves them.
    let script = r#"exec 3<&0 4<&2 0</dev/null 2>"${SAID:-/dev/null}"
        [ "$LISTEN_PID" != PID ] || export LISTEN_PID=$$
        exec "$@""#;
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tashika"), "serve", "--config", config.to_str().unwrap()]);
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.envs(variables.iter().copied()).stdin(first).stderr(second);
    command
}

fn listener() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

/// A copy, as a service manager gives one and keeps its own.
fn given(socket: &TcpListener) -> Stdio {
    Stdio::from(OwnedFd::from(socket.try_clone().unwrap()))
}

const TWO: [(&str, &str); 3] = [("LISTEN_PID", "PID"), ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "public:admin")];

#[test]
fn who_connects_between_two_processes_waits_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let [(public, at_public), (admin, at_admin)] = [listener(), listener()];
    for _ in 0..2 {
        // Nobody is there yet who would answer.
        let mut early = TcpStream::connect(&at_public).unwrap();
        early.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut serve = Program::start_by(&mut activated(&config, [given(&public), given(&admin)], &TWO));
        let at = serve.ready();
        assert_eq!((&at.public, &at.admin), (&at_public, &at_admin));
        let mut answer = String::new();
        early.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert_eq!(ask(&at.public, "POST", "/ocsp").0, 200);
        assert_eq!(readiness(&at.admin).0, 200);
        assert!(serve.end("TERM").success());
    }
}

#[test]
fn several_sockets_may_be_public_and_what_is_not_given_is_bound() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let [(first, at_first), (second, at_second)] = [listener(), listener()];
    let both = [TWO[0], TWO[1], ("LISTEN_FDNAMES", "public:public")];
    let mut serve = Program::start_by(&mut activated(&config, [given(&first), given(&second)], &both));
    let at = serve.ready();
    assert!(at.public == at_first && at.admin != at_second, "{at:?}");
    for address in [&at_first, &at_second] {
        (0..10).for_each(|_| assert_eq!(ask(address, "POST", "/ocsp").0, 200));
    }
    assert_eq!(readiness(&at.admin).0, 200);
    assert!(serve.end("TERM").success());
    // Those of another process are not looked at.
    let others = [("LISTEN_PID", "1"), TWO[1], TWO[2]];
    let mut serve = Program::start_by(&mut activated(&config, [given(&first), given(&second)], &others));
    assert!(![at_first, at_second].contains(&serve.ready().public));
}

#[test]
fn what_can_t_be_used_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let (public, at_public) = listener();
    let connection = || Stdio::from(OwnedFd::from(TcpStream::connect(&at_public).unwrap()));
    let local = std::os::unix::net::UnixListener::bind(dir.path().join("local")).unwrap();
    let local = || Stdio::from(OwnedFd::from(local.try_clone().unwrap()));
    for (second, names, says) in [
        (connection(), "public:admin", "descriptor 4 is a socket that doesn't listen"),
        (Stdio::null(), "public:admin", "descriptor 4 is no socket"),
        (local(), "public:admin", "descriptor 4 doesn't listen at an address of TCP"),
        (given(&public), "", "2 sockets and 0 names"),
        (given(&public), "tashika.socket:admin", "'tashika.socket'"),
        (given(&public), "admin:admin", "one admin listener"),
    ] {
        let variables = [TWO[0], TWO[1], ("LISTEN_FDNAMES", names)];
        let mut command = activated(&config, [given(&public), second], &variables);
        let said = dir.path().join("said");
        let ended = command.env("SAID", &said).stdout(Stdio::null()).status().unwrap();
        let said = std::fs::read_to_string(said).unwrap();
        assert_eq!(ended.code(), Some(2), "{said}");
        assert!(said.contains(says) && said.trim().lines().count() == 1, "{said}");
    }
}

#[test]
fn a_manager_that_wants_to_know_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = demonstration(dir.path());
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let none = [Stdio::null(), Stdio::null()];
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let mut serve = Program::start_by(&mut activated(&config, none, &variables));
    serve.ready();
    assert!(serve.end("TERM").success());
    manager.set_nonblocking(true).unwrap();
    let mut told = String::new();
    let mut octets = [0; 1_024];
    while let Ok(count) = manager.recv(&mut octets) {
        told.push_str(std::str::from_utf8(&octets[..count]).unwrap());
    }
    let words: Vec<_> = told.lines().filter(|line| !line.starts_with("STATUS=")).collect();
    assert_eq!(words, ["READY=1", "STOPPING=1"], "{told}");
    assert!(told.find("STATUS=listening").unwrap() < told.find("READY=1").unwrap());
}
