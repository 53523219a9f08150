//! `cargo xtask setup`: what the tests need besides the Rust toolchain. Called by `test` as well.
//!
//! Look, plan, then execute: [`Machine::look`] asks the machine, [`Plan::for_machine`] decides without
//! touching anything, [`run`] is dull. Packages are only ever installed by root on a Debian-like system;
//! anybody else is told the one command that does it. What comes from Python's registry goes into a folder
//! under `target/`, whoever asks.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::step;

mod needs;
mod python;

use needs::{APT, MANAGERS, Manager, Need};

/// Brings the machine to where the tests can run, or says how.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    if let Some(extra) = arguments.first() {
        return Err(Failure::Usage(format!("`setup` takes no argument, not `{extra}`")));
    }
    packages()?;
    python::environments()
}

/// What the system's package manager brings.
fn packages() -> Result<(), Failure> {
    match Plan::for_machine(&Machine::look()) {
        Plan::Nothing => {
            eprintln!("==> set-up: the databases, clients and servers that the tests call are there");
            return Ok(());
        }
        Plan::Tell { missing, remedy } => {
            return Err(Failure::Missing { what: listed(&missing), remedy });
        }
        Plan::Install { missing, packages } => {
            eprintln!("==> set-up: missing {}", listed(&missing));
            step::run("package lists", &mut apt("update"))?;
            let mut install = apt("install");
            step::run("install packages", install.args(["--yes", "--no-install-recommends"]).args(packages))?;
        }
    }
    match Plan::for_machine(&Machine::look()) {
        Plan::Nothing => Ok(()),
        Plan::Tell { missing, .. } | Plan::Install { missing, .. } => Err(Failure::Missing {
            what: format!("{}, although its package was installed", listed(&missing)),
            remedy: "look at the output of apt-get above".to_owned(),
        }),
    }
}

/// What matters about the machine, and nothing that can't be made up by a test.
struct Machine {
    /// The folders of `PATH`.
    path: Vec<PathBuf>,
    /// Folders that hold one PostgreSQL each: distributions keep the server's programs off `PATH`.
    postgres: Vec<PathBuf>,
    /// `/usr`: where libraries lie, and the servers that aren't on an ordinary user's `PATH`.
    usr: PathBuf,
    python: Python,
    user: User,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Python {
    /// It can make an environment of its own: some distributions part that from the language.
    Complete,
    Lacking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    Root,
    Other,
}

impl Machine {
    fn look() -> Self {
        let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        // The owner of /proc/self is the process's effective user.
        let user = match fs::metadata("/proc/self") {
            Ok(own) if own.uid() == 0 => User::Root,
            _ => User::Other,
        };
        let usr = PathBuf::from("/usr");
        Self { path, postgres: postgres_folders(&usr), usr, python: python::look(), user }
    }

    fn has(&self, need: Need) -> bool {
        let programs = |names: &[&str], folder: &Path| names.iter().all(|name| is_executable(&folder.join(name)));
        let on_path = |names: &[&str]| self.path.iter().any(|folder| programs(names, folder));
        let server = |names: &[&str]| on_path(names) || programs(names, &self.usr.join("sbin"));
        let file = |places: &[&str]| places.iter().any(|place| self.usr.join(place).is_file());
        match need {
            Need::PostgresServer | Need::PostgresClient => {
                self.path.iter().chain(&self.postgres).any(|folder| programs(need.programs(), folder))
            }
            Need::Apache => need.programs().iter().any(|name| server(&[name])) && file(needs::APACHE_TLS),
            Need::BouncyCastle => needs::JARS.iter().all(|places| file(places)),
            Need::Nginx => server(need.programs()),
            Need::Python => on_path(need.programs()) && self.python == Python::Complete,
            Need::Jdk | Need::Ocsptool | Need::Openssl => on_path(need.programs()),
        }
    }

    fn manager(&self) -> Option<&'static Manager> {
        MANAGERS.iter().find(|manager| self.path.iter().any(|folder| is_executable(&folder.join(manager.program))))
    }
}

/// What there is to do, decided before anything is touched.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Everything is there.
    Nothing,
    /// Root on a Debian-like system: install these packages.
    Install { missing: Vec<Need>, packages: Vec<&'static str> },
    /// Not ours to install: the one command that a person runs.
    Tell { missing: Vec<Need>, remedy: String },
}

impl Plan {
    fn for_machine(machine: &Machine) -> Self {
        let missing: Vec<Need> = Need::ALL.into_iter().filter(|need| !machine.has(*need)).collect();
        if missing.is_empty() {
            return Plan::Nothing;
        }
        let Some(manager) = machine.manager() else {
            let remedy = format!("install {} the way this system installs software", listed(&missing));
            return Plan::Tell { missing, remedy };
        };
        let packages: Vec<&str> = missing.iter().filter_map(|need| manager.package(*need)).collect();
        let by_hand: Vec<Need> = missing.iter().copied().filter(|need| manager.package(*need).is_none()).collect();
        if machine.user == User::Root && manager.program == APT {
            return Plan::Install { missing, packages };
        }
        let line = format!("{} {}", manager.install, packages.join(" "));
        let mut remedy = match machine.user {
            User::Root => line,
            User::Other => format!("sudo sh -c '{line}'"),
        };
        if !by_hand.is_empty() {
            remedy += &format!("; by hand, since this system has no package of it: {}", listed(&by_hand));
        }
        Plan::Tell { missing, remedy }
    }
}

/// `lib/postgresql/VERSION/bin` (Debian), `pgsql-VERSION/bin` (PGDG's rpm), under `usr`.
fn postgres_folders(usr: &Path) -> Vec<PathBuf> {
    let children = |folder: PathBuf| {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let debian = children(usr.join("lib/postgresql"));
    let pgdg = children(usr.to_path_buf())
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgsql-")));
    debian.into_iter().chain(pgdg).map(|version| version.join("bin")).collect()
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// `apt-get VERB` that asks nothing, and waits while another installation holds the lock.
fn apt(verb: &str) -> Command {
    let mut command = Command::new(APT);
    command.args(["-o", "DPkg::Lock::Timeout=300", verb]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn listed(needs: &[Need]) -> String {
    needs.iter().map(Need::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up machine in a folder of its own, removed when the test ends.
    struct Fake {
        folder: PathBuf,
        user: User,
    }

    impl Fake {
        fn new(name: &str, user: User, programs: &[&str]) -> Self {
            let folder = std::env::temp_dir().join(format!("tashika-xtask-{}-{name}", std::process::id()));
            let fake = Self { folder, user };
            for program in programs {
                fake.write(program, 0o755);
            }
            fake
        }

        fn write(&self, program: &str, mode: u32) {
            let path = self.folder.join(program);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        /// With what the judges of the answers need.
        fn with_clients(self) -> Self {
            for program in ["bin/java", "bin/javac", "bin/nginx", "bin/ocsptool", "bin/python3", "sbin/apache2"] {
                self.write(program, 0o755);
            }
            for file in needs::JARS.iter().map(|places| places[0]).chain([needs::APACHE_TLS[0]]) {
                self.write(file, 0o644);
            }
            self
        }

        fn plan(&self) -> Plan {
            self.plan_with(Python::Complete)
        }

        fn plan_with(&self, python: Python) -> Plan {
            Plan::for_machine(&Machine {
                path: vec![self.folder.join("absent"), self.folder.join("bin")],
                postgres: postgres_folders(&self.folder),
                usr: self.folder.clone(),
                python,
                user: self.user,
            })
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    const SERVER: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

    #[test]
    fn a_server_off_the_path_is_found_where_debian_and_pgdg_keep_it() {
        for home in ["lib/postgresql/15/bin", "pgsql-17/bin", "bin"] {
            let fake = Fake::new(&home.replace('/', "-"), User::Root, &["bin/psql", "bin/openssl", "bin/apt-get"])
                .with_clients();
            for program in SERVER {
                fake.write(&format!("{home}/{program}"), 0o755);
            }
            assert_eq!(fake.plan(), Plan::Nothing, "{home}");
        }
    }

    #[test]
    fn half_a_server_or_a_file_that_is_no_program_does_not_count() {
        let fake =
            Fake::new("half", User::Root, &["bin/apt-get", "bin/openssl", "bin/psql", "bin/initdb"]).with_clients();
        fake.write("lib/postgresql/15/bin/pg_ctl", 0o755);
        fake.write("bin/openssl", 0o644);
        let Plan::Install { missing, packages } = fake.plan() else { panic!("{:?}", fake.plan()) };
        assert_eq!(missing, [Need::Openssl, Need::PostgresServer]);
        assert_eq!(packages, ["openssl", "postgresql"]);
    }

    #[test]
    fn who_is_not_root_is_told_one_command_and_nothing_is_installed() {
        let fake = Fake::new("other", User::Other, &["bin/apt-get", "bin/openssl"]).with_clients();
        let Plan::Tell { missing, remedy } = fake.plan() else { panic!("{:?}", fake.plan()) };
        assert_eq!(missing, [Need::PostgresClient, Need::PostgresServer]);
        assert_eq!(
            remedy,
            "sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends postgresql-client postgresql'"
        );
    }

    #[test]
    fn other_systems_are_told_their_own_command_even_as_root() {
        let fake = Fake::new("dnf", User::Root, &["bin/dnf", "bin/psql", "bin/openssl"]).with_clients();
        let expected = "dnf install --assumeyes postgresql-server".to_owned();
        assert_eq!(fake.plan(), Plan::Tell { missing: vec![Need::PostgresServer], remedy: expected });
    }

    #[test]
    fn half_a_client_does_not_count_and_what_has_no_package_is_named() {
        let fake = Fake::new("clients", User::Root, &["bin/pacman", "bin/openssl", "bin/psql"]).with_clients();
        for program in SERVER {
            fake.write(&format!("bin/{program}"), 0o755);
        }
        assert_eq!(fake.plan(), Plan::Nothing);
        fs::remove_file(fake.folder.join("bin/javac")).unwrap();
        fs::remove_file(fake.folder.join(needs::JARS[1][0])).unwrap();
        fs::remove_file(fake.folder.join(needs::APACHE_TLS[0])).unwrap();
        let Plan::Tell { missing, remedy } = fake.plan_with(Python::Lacking) else { panic!("{:?}", fake.plan()) };
        assert_eq!(missing, [Need::Apache, Need::BouncyCastle, Need::Jdk, Need::Python]);
        assert!(remedy.starts_with("pacman -S --noconfirm apache jdk17-openjdk python; by hand"), "{remedy}");
        assert!(remedy.contains("bcpkix"), "{remedy}");
    }

    #[test]
    fn a_system_without_a_known_package_manager_is_told_what_is_missing() {
        let fake = Fake::new("bare", User::Root, &["bin/sh"]);
        let Plan::Tell { missing, remedy } = fake.plan() else { panic!("{:?}", fake.plan()) };
        assert_eq!(missing, Need::ALL);
        assert!(remedy.contains("initdb") && remedy.contains("openssl"), "{remedy}");
    }
}
