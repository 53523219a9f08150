//! What the tests need on the machine, and what it is called by each package manager. Read by `setup`.

use std::fmt;

/// A program, or a few that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// With its TLS: a bank's server that asks who may come in, and demands its nonce back.
    Apache,
    /// Java's other implementation of OCSP: a strict reader and writer.
    BouncyCastle,
    /// A Java that compiles: its revocation check is what banks' programs have.
    Jdk,
    /// A bank's server that asks who may come in.
    Nginx,
    /// GnuTLS's client of OCSP.
    Ocsptool,
    /// The `openssl` command: an independent judge of everything that is encoded or signed.
    Openssl,
    /// `psql`: the tests attack the database's roles with it.
    PostgresClient,
    /// `initdb`, `pg_ctl` and `postgres`, in one folder: the tests start throw-away clusters.
    PostgresServer,
    /// With what makes an environment: pyca and pkilint judge every field.
    Python,
}

impl Need {
    pub const ALL: [Need; 9] = [
        Need::Apache,
        Need::BouncyCastle,
        Need::Jdk,
        Need::Nginx,
        Need::Ocsptool,
        Need::Openssl,
        Need::PostgresClient,
        Need::PostgresServer,
        Need::Python,
    ];

    /// All of them, in one folder; of Apache's names any.
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Need::Apache => &["apache2", "httpd"],
            Need::BouncyCastle => &[],
            Need::Jdk => &["java", "javac"],
            Need::Nginx => &["nginx"],
            Need::Ocsptool => &["ocsptool"],
            Need::Openssl => &["openssl"],
            Need::PostgresClient => &["psql"],
            Need::PostgresServer => &["initdb", "pg_ctl", "postgres"],
            Need::Python => &["python3"],
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Need::Apache => "Apache with mod_ssl",
            Need::BouncyCastle => return write!(f, "BouncyCastle (bcprov, bcpkix, bcutil in /usr/share/java)"),
            Need::Jdk => "a JDK, 17 or later",
            Need::Nginx => "nginx",
            Need::Ocsptool => "GnuTLS's tools",
            Need::Openssl => "the openssl command",
            Need::PostgresClient => "psql",
            Need::PostgresServer => "PostgreSQL's server",
            Need::Python => "Python with venv and ensurepip",
        };
        let parting = if *self == Need::Apache { " or " } else { ", " };
        write!(f, "{name} ({})", self.programs().join(parting))
    }
}

/// A distribution's way of installing packages.
pub struct Manager {
    pub program: &'static str,
    /// Everything before the packages, as typed by root.
    pub install: &'static str,
    /// In the order of [`Need::ALL`]; none where the distribution has no such package.
    packages: [Option<&'static str>; Need::ALL.len()],
}

impl Manager {
    pub fn package(&self, need: Need) -> Option<&'static str> {
        Need::ALL.iter().zip(self.packages).find(|(of, _)| **of == need).and_then(|(_, package)| package)
    }
}

pub const APT: &str = "apt-get";

/// Apache's TLS, under `/usr`: distributions differ in the folder, some in a package of its own.
pub const APACHE_TLS: &[&str] = &[
    "lib/apache2/modules/mod_ssl.so",
    "lib64/httpd/modules/mod_ssl.so",
    "lib/httpd/modules/mod_ssl.so",
    "lib64/apache2/mod_ssl.so",
    "lib/apache2/mod_ssl.so",
];

/// BouncyCastle's libraries, under `/usr`.
pub const JARS: [&[&str]; 3] = [
    &["share/java/bcprov.jar", "share/java/bouncycastle/bcprov.jar"],
    &["share/java/bcpkix.jar", "share/java/bouncycastle/bcpkix.jar"],
    &["share/java/bcutil.jar", "share/java/bouncycastle/bcutil.jar"],
];

/// The first that is on `PATH` counts.
pub const MANAGERS: &[Manager] = &[
    Manager {
        program: APT,
        install: "apt-get update && apt-get install --yes --no-install-recommends",
        packages: [
            // The server alone: the whole package would start one.
            Some("apache2-bin"),
            Some("libbcpkix-java"),
            Some("openjdk-17-jdk-headless"),
            Some("nginx"),
            Some("gnutls-bin"),
            Some("openssl"),
            Some("postgresql-client"),
            Some("postgresql"),
            Some("python3-venv"),
        ],
    },
    Manager {
        program: "dnf",
        install: "dnf install --assumeyes",
        packages: [
            Some("mod_ssl"),
            Some("bouncycastle-pkix"),
            Some("java-17-openjdk-devel"),
            Some("nginx"),
            Some("gnutls-utils"),
            Some("openssl"),
            Some("postgresql"),
            Some("postgresql-server"),
            Some("python3"),
        ],
    },
    Manager {
        program: "zypper",
        install: "zypper --non-interactive install",
        packages: [
            Some("apache2"),
            Some("bouncycastle-pkix"),
            Some("java-17-openjdk-devel"),
            Some("nginx"),
            Some("gnutls"),
            Some("openssl"),
            Some("postgresql"),
            Some("postgresql-server"),
            Some("python3"),
        ],
    },
    Manager {
        program: "pacman",
        install: "pacman -S --noconfirm",
        packages: [
            Some("apache"),
            None,
            Some("jdk17-openjdk"),
            Some("nginx"),
            Some("gnutls"),
            Some("openssl"),
            Some("postgresql"),
            Some("postgresql"),
            Some("python"),
        ],
    },
    Manager {
        program: "apk",
        install: "apk add",
        packages: [
            Some("apache2-ssl"),
            None,
            Some("openjdk17-jdk"),
            Some("nginx"),
            Some("gnutls-utils"),
            Some("openssl"),
            Some("postgresql-client"),
            Some("postgresql"),
            Some("python3"),
        ],
    },
];
