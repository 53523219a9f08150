//! A bank's Apache with `SSLVerifyClient require` and `SSLOCSPEnable leaf`, which demands that its nonce comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bank::{Bank, Login, known};
use crate::house::{CAS, House, Leaf, Said};
use crate::tap::Tap;
use crate::tool;

/// Asks there whatever certificates say.
fn bank(responder: &str) -> Bank {
    let mut bank = Bank::new(&known());
    let folders = ["lib/apache2/modules", "lib64/httpd/modules", "lib/httpd/modules", "lib64/apache2", "lib/apache2"];
    let places = folders.map(|folder| format!("/usr/{folder}/mod_ssl.so"));
    let modules = tool::installed(&places.each_ref().map(String::as_str));
    let modules = modules.parent().unwrap();
    let load = ["mpm_event", "unixd", "authz_core", "ssl"].map(|name| loading(modules, name)).concat();
    let user = if rights_of_root() { "User nobody\nGroup #65534\n" } else { "" };
    let (port, dir) = (bank.port, bank.file(""));
    let text = format!(
        "{load}{user}ServerRoot {dir}
         ServerName bank.example
         Listen 127.0.0.1:{port}
         PidFile {dir}pid
         DefaultRuntimeDir {dir}
         ErrorLog {dir}errors
         LogLevel info
         DocumentRoot {dir}shown
         SSLEngine on
         SSLCertificateFile {dir}server.pem
         SSLCertificateKeyFile {dir}server.key
         SSLCACertificateFile {dir}customers.pem
         SSLVerifyClient require
         SSLVerifyDepth 2
         SSLOCSPEnable leaf
         SSLOCSPDefaultResponder {responder}
         SSLOCSPOverrideResponder on\n"
    );
    bank.write("apache.conf", text.as_bytes());
    let (program, config) = (tool::server(&["apache2", "httpd"]), bank.file("apache.conf"));
    bank.start(tool::quiet(&program).args(["-X", "-f", &config]));
    bank
}

/// Some distributions compile a module in that others load.
fn loading(modules: &Path, name: &str) -> String {
    let file: PathBuf = modules.join(format!("mod_{name}.so"));
    if file.exists() { format!("LoadModule {name}_module {}\n", file.display()) } else { String::new() }
}

/// Apache wants a user then whose rights it takes.
fn rights_of_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn logins_as_the_ledger_says() {
    let house = House::open();
    let tap = Tap::before(&house.address);
    let bank = bank(&tap.url("/p/bank/login/ocsp"));
    let mut asked = 0;
    for ca in CAS {
        for leaf in Leaf::ALL {
            let before = fs::read_to_string(bank.path("errors")).unwrap().len();
            let login = bank.login(&leaf.path(ca));
            let told = fs::read_to_string(bank.path("errors")).unwrap().split_off(before);
            let (expected, says) = match (leaf, leaf.said()) {
                (Leaf::Expired, _) => (Login::Refused, "certificate has expired"),
                (_, Said::Good) => (Login::Admitted, "certificate status: good"),
                (_, Said::Held | Said::Revoked(_)) => (Login::Refused, "certificate status: revoked"),
                (_, Said::Unknown) => (Login::Refused, "certificate status: unknown"),
            };
            assert_eq!(login, expected, "{ca} {leaf:?}: {told}");
            assert!(told.contains(says), "{ca} {leaf:?}: {told}");
            asked += usize::from(leaf != Leaf::Expired);
        }
    }
    let heard = tap.heard();
    assert_eq!(heard.len(), asked, "asked once for each login");
    assert!(heard.iter().all(|one| one.method == "POST" && one.has_nonce()), "{heard:?}");
}
