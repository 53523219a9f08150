//! A bank's nginx with `ssl_verify_client on` and `ssl_ocsp leaf`: it admits and refuses logins as the ledger says. And with
//! `ssl_stapling`, for its own certificate.

use std::path::Path;

use crate::bank::{Bank, Login, WELCOME, known};
use crate::house::{self, CAS, House, Leaf, Said, data};
use crate::program::until;
use crate::tap::Tap;
use crate::tool;

/// Lets in whom the responder finds good, with that line about it; without one, certificates say whom to ask.
pub fn bank(known: &[String], responder: &str) -> Bank {
    let mut bank = Bank::new(known);
    let own = [bank.file("server.pem"), bank.file("server.key")];
    let known = bank.file("customers.pem");
    let asks = format!(
        "ssl_client_certificate {known};
         ssl_verify_client on;
         ssl_verify_depth 2;
         ssl_ocsp leaf;
         {responder}"
    );
    start(&mut bank, &own, &asks);
    bank
}

/// One process, with that certificate and key, and those further directives.
fn start(bank: &mut Bank, [certificate, key]: &[String; 2], directives: &str) {
    let (port, welcome) = (bank.port, WELCOME.trim_end());
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};\n", bank.file(name)))
        .concat();
    let (pid, errors, config) = (bank.file("pid"), bank.file("errors"), bank.file("nginx.conf"));
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
                 {directives}
                 location / {{ return 200 '{welcome}\\n'; }}
             }}
         }}"
    );
    bank.write("nginx.conf", text.as_bytes());
    let program = tool::server(&["nginx"]);
    bank.start(tool::quiet(&program).args(["-e", &errors, "-c", &config]));
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
    // With a slash behind it, as some write it: nginx then asks with two.
    let bank = bank(&known(), &format!("ssl_ocsp_responder {}/;", house.url()));
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

/// The other way round: nginx fetches what is said of its own certificate, and hands it to whoever connects.
#[test]
fn an_answer_is_stapled_and_a_revocation_is_not_hidden() {
    let house = House::open();
    for ca in CAS {
        for leaf in [Leaf::Good, Leaf::Revoked] {
            let mut bank = Bank::new(&known());
            let own = [leaf.path(ca), data(&format!("{ca}/leaf.key"))];
            let (url, known) = (house.url(), bank.file("customers.pem"));
            let staples = format!(
                "ssl_stapling on;
                 ssl_stapling_verify on;
                 ssl_stapling_responder {url};
                 ssl_trusted_certificate {known};"
            );
            start(&mut bank, &own, &staples);
            let at = format!("127.0.0.1:{}", bank.port);
            let visit = || {
                let arguments = ["s_client", "-status", "-connect", &at, "-CAfile", &known];
                tool::call(Path::new("openssl"), &arguments, b"").text()
            };
            // It fetches the answer when somebody first asks for it, and has it for the next.
            if leaf == Leaf::Good {
                until("it is stapled", || visit().contains("OCSP Response Status: successful"));
                assert!(visit().contains("Cert Status: good"), "{ca}: {}", bank.told());
            } else {
                until("nginx has heard of it", || {
                    assert!(visit().contains("OCSP response: no response sent"), "{ca}: {}", bank.told());
                    bank.told().contains("certificate status \"revoked\"")
                });
            }
        }
    }
}
