//! Index files as the real `openssl ca` writes them.

use std::fs;
use std::path::Path;
use std::process::Command;

use tashika::ledger::import::Format;
use tashika::model::{HoldKind, Life, Reason};

use crate::town::{Imported, Town};

/// A small CA of OpenSSL in a folder of its own.
struct OpensslCa {
    folder: tempfile::TempDir,
}

impl OpensslCa {
    fn new() -> Self {
        let ca = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(ca.path().join("ca.cnf"), CONFIG).unwrap();
        fs::write(ca.path().join("index.txt"), "").unwrap();
        fs::write(ca.path().join("serial"), "0A1B\n").unwrap();
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf"];
        ca.openssl(
            &[&["req", "-x509", "-subj", "/CN=CA", "-keyout", "ca.key", "-out", "ca.pem"], &new_key[..]].concat(),
        );
        ca.openssl(&[&["req", "-subj", "/C=JP/CN=a\tb", "-keyout", "l.key", "-out", "l.csr"], &new_key[..]].concat());
        ca
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn ca(&self, arguments: &[&str]) {
        self.openssl(&[&["ca", "-batch", "-config", "ca.cnf"], arguments].concat());
    }

    fn issue(&self, until: &str) {
        let dates = ["-startdate", "20200101000000Z", "-enddate", until];
        self.ca(&[&["-in", "l.csr", "-out", "out.pem"], &dates[..]].concat());
    }

    fn revoke(&self, serial: &str, how: &[&str]) {
        self.ca(&[&["-revoke", &format!("{serial}.pem")], how].concat());
    }

    fn index(&self) -> String {
        fs::read_to_string(self.path().join("index.txt")).unwrap()
    }
}

#[test]
fn what_openssl_writes_is_what_the_ledger_then_says() {
    let ca = OpensslCa::new();
    ca.issue("20560101000000Z");
    ca.issue("20210101000000Z");
    for _ in 0..7 {
        ca.issue("20310101000000Z");
    }
    ca.revoke("0A1D", &[]);
    ca.revoke("0A1E", &["-crl_reason", "keyCompromise"]);
    ca.revoke("0A1F", &["-crl_reason", "certificateHold"]);
    ca.revoke("0A20", &["-crl_hold", "holdInstructionReject"]);
    ca.revoke("0A21", &["-crl_compromise", "20240101000000Z"]);
    ca.revoke("0A22", &["-crl_CA_compromise", "20240102000000Z"]);
    ca.ca(&["-updatedb"]);

    let town = Town::new();
    town.clock.now.set("2049-01-01T00:00:00Z".parse().unwrap());
    let Imported { counts, bad, .. } = town.import(ca.index(), Format::OpensslIndex).unwrap();
    assert_eq!((counts.registered, counts.revoked, counts.held, bad.len()), (9, 4, 2, 0));

    let entry = |serial: &str| town.entry(serial).unwrap();
    assert!(entry("0A1B").status.is_good());
    assert_eq!(entry("0A1B").certificate.not_after.to_string(), "2056-01-01T00:00:00Z");
    assert!(entry("0A1C").status.is_good());
    assert_eq!(entry("0A1C").certificate.not_after.to_string(), "2021-01-01T00:00:00Z");
    assert_eq!(entry("0A1C").certificate.holder, entry("0A1B").certificate.holder);
    for (serial, reason, lost_at) in [
        ("0A1D", Reason::Unspecified, None),
        ("0A1E", Reason::KeyCompromise, None),
        ("0A21", Reason::KeyCompromise, Some("2024-01-01T00:00:00Z")),
        ("0A22", Reason::CaCompromise, Some("2024-01-02T00:00:00Z")),
    ] {
        let Life::Revoked(revocation) = entry(serial).status.life else { panic!("{serial}") };
        assert_eq!(revocation.reason, reason, "{serial}");
        assert_eq!(revocation.lost_at, lost_at.map(|time| time.parse().unwrap()), "{serial}");
        let line = ca.index();
        let line = line.lines().find(|line| line.contains(serial)).unwrap();
        let date = line.split(['\t', ',']).nth(2).unwrap().to_owned();
        let kept = revocation.at.to_string().replace(['-', ':', 'T'], "");
        assert_eq!(format!("20{date}"), kept, "{serial}: the revocation date");
    }
    for serial in ["0A1F", "0A20"] {
        let kinds: Vec<_> = entry(serial).status.holds.iter().map(|hold| hold.kind).collect();
        assert_eq!(kinds, [HoldKind::Imported], "{serial}");
    }
    assert!(entry("0A23").status.is_good());
}

#[test]
fn later_imports_bring_only_what_happened_since() {
    let ca = OpensslCa::new();
    for _ in 0..3 {
        ca.issue("20560101000000Z");
    }
    let town = Town::new();
    town.clock.now.set("2049-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(town.import(ca.index(), Format::OpensslIndex).unwrap().counts.registered, 3);
    let before = town.ledger.head().unwrap();
    assert!(town.import(ca.index(), Format::OpensslIndex).unwrap().plan.is_empty());
    assert_eq!(town.ledger.head().unwrap(), before);

    ca.revoke("0A1C", &["-crl_reason", "superseded"]);
    ca.issue("20560101000000Z");
    let imported = town.import(ca.index(), Format::OpensslIndex).unwrap();
    assert_eq!((imported.counts.registered, imported.counts.revoked, imported.counts.unchanged), (1, 1, 2));
    assert_eq!(imported.counts, imported.plan.counts);
    let head = town.ledger.head().unwrap();
    assert_eq!((head.position.0, head.certificates), (before.position.0 + 2, 4));

    // What OpenSSL's index says of the revoked is not taken back by an older copy of it.
    let index = ca.index().replace('R', "V");
    let older = index.lines().map(|line| {
        let mut columns: Vec<_> = line.split('\t').collect();
        columns[2] = "";
        columns.join("\t") + "\n"
    });
    let refused = town.import(older.collect::<String>(), Format::OpensslIndex).unwrap_err();
    assert_eq!(refused.only().0, 2);
    assert!(refused.only().1.contains("valid (V) in the file"), "{refused:?}");
}

const CONFIG: &str = "\
[ca]
default_ca = d
[d]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
private_key = ca.key
certificate = ca.pem
default_md = sha256
policy = p
unique_subject = no
[p]
countryName = optional
commonName = supplied
[req]
distinguished_name = dn
[dn]
";
