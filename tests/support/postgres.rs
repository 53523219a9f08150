//! A throw-away PostgreSQL: a cluster of its own in a temporary folder, durable as a real one, gone when the test ends,
//! also when it is killed. Used by every test that needs a server.
//!
//! PostgreSQL refuses to run as root, so the server runs as another user then. What it needs is installed by
//! `cargo xtask setup`; where it is missing, the test fails and says so.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::sleep;
use std::time::Duration;

/// A running cluster. Its superuser is `postgres`; nobody needs a password.
pub struct Cluster {
    programs: PathBuf,
    base: PathBuf,
    user: Option<(u32, u32)>,
    settings: Vec<(String, String)>,
    server: Mutex<Option<Server>>,
    first_port: Mutex<Option<u16>>,
    databases: AtomicU32,
}

/// The server, and the shell that watches it: the shell ends it as soon as this process is gone or lets go of its input.
struct Server {
    shell: Child,
    leash: Option<ChildStdin>,
    port: u16,
}

impl Cluster {
    /// The one that the tests of a program share. Each makes databases of its own in it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// One of the test's own, with further settings.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let cluster = Self::stopped(settings);
        let mut initdb = run_as(&cluster.program("initdb"), cluster.user);
        initdb.arg("-D").arg(cluster.base.join("data"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        let made = initdb.output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.restart();
        cluster
    }

    /// One that follows another and can be read.
    pub fn replica_of(primary: &Self) -> Self {
        let cluster = Self::stopped(&[]);
        let mut backup = run_as(&cluster.program("pg_basebackup"), cluster.user);
        backup.arg("-D").arg(cluster.base.join("data")).args(["-R", "-c", "fast", "-d"]);
        let made = backup.arg(primary.url("postgres", "postgres")).output().expect("pg_basebackup runs");
        assert!(made.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&made.stderr));
        cluster.restart();
        cluster
    }

    fn stopped(settings: &[(&str, &str)]) -> Self {
        let user = unprivileged();
        let base = tempfile::Builder::new().prefix("tashika-postgres-").tempdir().expect("a temporary folder").keep();
        if let Some((uid, gid)) = user {
            chown(&base, Some(uid), Some(gid)).expect("root may give a folder away");
        }
        Self {
            programs: programs(),
            base,
            user,
            settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            server: Mutex::new(None),
            first_port: Mutex::new(None),
            databases: AtomicU32::new(0),
        }
    }

    /// The URL of a database, over TCP.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port())
    }

    /// A new, empty database; its URL as the superuser.
    pub fn new_database(&self) -> (String, String) {
        let name = format!("ledger_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.must("postgres", "postgres", &format!("CREATE DATABASE {name}"));
        (self.url("postgres", &name), name)
    }

    /// Runs SQL by psql, stopping at the first error.
    pub fn psql(&self, user: &str, database: &str, sql: &str) -> Output {
        self.client(user, database).args(["-c", sql]).output().expect("psql runs")
    }

    /// Runs a file by psql, stopping at the first error.
    pub fn psql_file(&self, user: &str, database: &str, file: &Path) -> Output {
        self.client(user, database).arg("-f").arg(file).output().expect("psql runs")
    }

    /// Where one of PostgreSQL's programs is.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// What SQL says, which must succeed.
    pub fn must(&self, user: &str, database: &str, sql: &str) -> String {
        let output = self.psql(user, database, sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.server.lock().unwrap().as_ref().expect("the server runs").port
    }

    /// Where its data is, and sockets and log beside it.
    pub fn folder(&self) -> &Path {
        &self.base
    }

    /// Kills every process of the server with SIGKILL, as a power failure would end them.
    pub fn kill(&self) {
        let Some(mut server) = self.server.lock().unwrap().take() else { return };
        let pid = self.postmaster();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        // The parent first, or it would put its children back on their feet.
        let mut kill = Command::new("kill");
        kill.arg("-KILL").arg(&pid).args(children.split_whitespace()).stderr(Stdio::null());
        kill.status().expect("kill runs");
        let mut leash = server.leash.take().expect("taken once");
        // It may have noticed already.
        drop(leash.write_all(b"keep\n"));
        drop(leash);
        server.shell.wait().expect("the shell ends with its server");
    }

    /// Starts the server again on the data that is there.
    pub fn restart(&self) {
        let mut running = self.server.lock().unwrap();
        assert!(running.is_none(), "it is running");
        let mut kept = self.first_port.lock().unwrap();
        for _ in 0..STARTS_MAX {
            let free =
                || TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
            // Where its clients know it, if it ran before.
            let port = kept.unwrap_or_else(free);
            let mut server = self.spawn(port);
            if self.comes_up(&mut server) {
                *kept = Some(port);
                *running = Some(server);
                return;
            }
        }
        panic!("PostgreSQL doesn't start: {}", fs::read_to_string(self.base.join("log")).unwrap_or_default());
    }

    fn client(&self, user: &str, database: &str) -> Command {
        let mut psql = Command::new(self.program("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"]).arg(&self.base);
        psql.args(["-p", &self.port().to_string(), "-U", user, "-d", database]).env_remove("PGOPTIONS");
        psql
    }

    fn spawn(&self, port: u16) -> Server {
        let mut shell = run_as(Path::new("/bin/sh"), self.user);
        shell.args(["-c", GUARD, "guard"]).arg(self.programs.join("postgres")).arg(&self.base);
        let own = [("port", port.to_string()), ("unix_socket_directories", self.base.display().to_string())];
        for (name, value) in SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned())).chain(own) {
            shell.arg(format!("--{name}={value}"));
        }
        for (name, value) in &self.settings {
            shell.arg(format!("--{name}={value}"));
        }
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("a shell");
        let leash = shell.stdin.take();
        Server { shell, leash, port }
    }

    fn comes_up(&self, server: &mut Server) -> bool {
        for _ in 0..READY_POLLS_MAX {
            if server.shell.try_wait().expect("a child").is_some() {
                return false;
            }
            let mut ready = Command::new(self.programs.join("pg_isready"));
            ready.arg("-h").arg(&self.base).args(["-q", "-p", &server.port.to_string()]);
            if ready.status().expect("pg_isready runs").success() {
                return true;
            }
            sleep(READY_POLL);
        }
        false
    }

    fn postmaster(&self) -> String {
        let file = fs::read_to_string(self.base.join("data/postmaster.pid")).expect("the server runs");
        file.lines().next().expect("its number").to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let server = self.server.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        match server.take() {
            Some(mut server) => {
                drop(server.leash.take());
                drop(server.shell.wait());
            }
            None => drop(fs::remove_dir_all(&self.base)),
        }
    }
}

/// The folder that has all programs, on PATH or where distributions keep the server.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    debian.sort();
    folders.extend(debian.into_iter().rev());
    let pgdg = fs::read_dir("/usr").into_iter().flatten().flatten().map(|entry| entry.path());
    folders.extend(pgdg.filter(|path| path.to_string_lossy().starts_with("/usr/pgsql-")).map(|path| path.join("bin")));
    let whole = |folder: &PathBuf| PROGRAMS.iter().all(|program| is_program(&folder.join(program)));
    let searched = folders.iter().fold(String::new(), |mut list, folder| {
        let _ = write!(list, " {}", folder.display());
        list
    });
    folders
        .iter()
        .find(|folder| whole(folder))
        .cloned()
        .unwrap_or_else(|| panic!("PostgreSQL's {PROGRAMS:?} are in none of{searched}: run `cargo xtask setup`"))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// As whom the server runs: as we do, or as somebody else if that would be root.
fn unprivileged() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").expect("Linux").uid();
    if own != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("users");
    let user = |name: &str| {
        users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|user| user[0] == name)
            .map(|user| (user[2].parse().expect("a user's number"), user[3].parse().expect("a group's number")))
    };
    Some(user("postgres").or_else(|| user("nobody")).expect("a user that is not root"))
}

fn run_as(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Starts the server and waits for a line. "keep" means that its data are still wanted; the end of the input, that nobody
/// wants anything any more. Should the server end by itself, the shell ends as well.
const GUARD: &str = r#"
postgres=$1; base=$2; shift 2
trap 'exit 1' TERM
("$postgres" -D "$base/data" "$@" >>"$base/log" 2>&1 </dev/null; kill -TERM $$) &
server=$!
read -r word
trap '' TERM
kill -QUIT "$(head -n 1 "$base/data/postmaster.pid")" 2>/dev/null
wait $server
[ "$word" = keep ] || rm -rf "$base"
"#;

const PROGRAMS: [&str; 7] = ["initdb", "pg_basebackup", "pg_ctl", "pg_dump", "pg_isready", "postgres", "psql"];

/// Durable as in production, and small.
const SETTINGS: [(&str, &str); 6] = [
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("max_connections", "200"),
    ("shared_buffers", "64MB"),
];

const STARTS_MAX: u32 = 5;
const READY_POLL: Duration = Duration::from_millis(50);
const READY_POLLS_MAX: u32 = 1_200;
