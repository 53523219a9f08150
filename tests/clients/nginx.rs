//! A bank's nginx with `ssl_verify_client on` and `ssl_ocsp leaf`: it admits and refuses logins as the ledger says.

use crate::bank::{Bank, Login, WELCOME, known};
use crate::house::{self, CAS, House, Leaf, Said};
use crate::program::until;
use crate::tap::Tap;
use crate::tool;

/// With that line about the responder; without one, certificates say whom to ask.
pub fn bank(known: &[String], responder: &str) -> Bank {
    let mut bank = Bank::new(known);
    let (port, welcome) = (bank.port, WELCOME.trim_end());
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};\n", bank.file(name)))
        .concat();
    let (pid, errors) = (bank.file("pid"), bank.file("errors"));
    let (certificate, key, known) = (bank.file("server.pem"), bank.file("server.key"), bank.file("customers.pem"));
    let text = format!(
        "daemon off; master_process off; pid {pid}; error_log {errors} info;
         events {{ }}
         http {{
             access_log off;
             {folders}
             server {{
                 listen 127.0.0.1:{port} ssl;
                 ssl_certificate {certificate};
                 ssl_certificate_key {key};
                 ssl_client_certificate {known};
                 ssl_verify_client on;
                 ssl_verify_depth 2;
                 ssl_ocsp leaf;
                 {responder}
                 location / {{ return 200 '{welcome}\\n'; }}
             }}
         }}"
    );
    bank.write("nginx.conf", text.as_bytes());
    let (program, config) = (tool::server(&["nginx"]), bank.file("nginx.conf"));
    bank.start(tool::quiet(&program).args(["-e", &errors, "-c", &config]));
    bank
}

#[test]
fn logins_as_the_ledger_says() {
    let house = House::open();
    let tap = Tap::before(&house.address);
    let bank = bank(&known(), &format!("ssl_ocsp_responder {};", tap.url("/p/bank/login/ocsp")));
    let mut asked = 0;
    for ca in CAS {
        for leaf in Leaf::ALL {
            let before = bank.told().len();
            let login = bank.login(&leaf.path(ca));
            let told = bank.told().split_off(before);
            let (expected, says) = match (leaf, leaf.said()) {
                (Leaf::Expired, _) => (Login::Refused, "certificate has expired"),
                (_, Said::Good) => (Login::Admitted, ""),
                (_, Said::Held | Said::Revoked(_)) => (Login::Refused, "certificate revoked"),
                (_, Said::Unknown) => (Login::Refused, "unknown"),
            };
            assert_eq!(login, expected, "{ca} {leaf:?}: {told}");
            assert!(told.contains(says), "{ca} {leaf:?}: {told}");
            asked += usize::from(leaf != Leaf::Expired);
        }
    }
    let heard = tap.heard();
    assert_eq!(heard.len(), asked, "asked once for each login");
    assert!(heard.iter().all(|one| one.method == "GET" && !one.has_nonce()), "{heard:?}");
}

#[test]
fn a_hold_refuses_the_next_login_and_its_release_admits_again() {
    let house = House::open();
    let bank = bank(&known(), &format!("ssl_ocsp_responder {};", house.url()));
    let (ca, path) = house::of_nginx();
    let serial = house::serial(&path);
    let of = |verb| ["cert", verb, "--issuer", ca, "--serial", &serial];
    let window = ["--as", "window/a"];
    assert_eq!(bank.login(&path), Login::Admitted);
    house.command(&[&of("hold")[..], &window].concat());
    until("the hold refuses", || bank.login(&path) == Login::Refused);
    let shown = house.command(&of("show"));
    let hold = shown["holds"][0]["id"].as_str().unwrap();
    house.command(&[&of("release")[..], &window, &["--hold", hold]].concat());
    until("its release admits", || bank.login(&path) == Login::Admitted);
}
