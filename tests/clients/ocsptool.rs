//! `ocsptool` of GnuTLS: a second stack, which with `--nonce` refuses an answer without one.

use std::path::Path;

use crate::house::{self, CAS, House, Leaf, Said};
use crate::tool::{self, Call};

/// Its trust file must be the direct issuer: it builds no chain for the signer.
fn ask(ca: &str, leaf: &str, url: &str, trust: &str, more: &[&str]) -> Call {
    let (ask, issuer) = (format!("--ask={url}"), house::issuer(ca));
    let known = [&ask, "--load-cert", leaf, "--load-issuer", &issuer, "--load-trust", trust];
    tool::call(Path::new("ocsptool"), &[&known[..], more].concat(), b"")
}

/// What follows a name in its report, of each line that begins so.
fn fields<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[test]
fn every_state_with_and_without_a_nonce() {
    let house = House::open();
    for ca in CAS {
        for leaf in Leaf::ALL {
            for more in [&[][..], &["--nonce"]] {
                let call = ask(ca, &leaf.path(ca), &house.url(), &house::issuer(ca), more);
                let text = call.text();
                let told = format!("{ca} {leaf:?} {more:?}: {text}");
                assert!(call.success && text.contains("Verifying OCSP Response: Success."), "{told}");
                assert_eq!(fields(&text, "Nonce").len(), more.len(), "{told}");
                let (status, time) = match leaf.said() {
                    Said::Good => ("good", None),
                    Said::Held | Said::Revoked(_) => ("revoked", Some(house.time(ca, leaf))),
                    Said::Unknown => ("unknown", None),
                };
                assert_eq!(fields(&text, "Certificate Status"), [status], "{told}");
                let shown: Vec<String> = fields(&text, "Revocation time").into_iter().map(of_day).collect();
                assert_eq!(shown, time.map(of_day_in_rfc3339).into_iter().collect::<Vec<_>>(), "{told}");
            }
        }
    }
}

#[test]
fn an_answer_by_another_ca_s_signer_is_refused() {
    let house = House::open();
    let (ca, other) = (CAS[0], house::issuer(CAS[1]));
    let call = ask(ca, &Leaf::Good.path(ca), &house.url(), &other, &[]);
    assert!(!call.text().contains("Verifying OCSP Response: Success."), "{}", call.text());
}

/// `Fri Nov 20 18:26:31 UTC 2026`: day, time and year.
fn of_day(text: &str) -> String {
    let [_, _, day, time, _, year] = text.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{text}") };
    format!("{year} {day} {time}")
}

/// The same of `2026-11-20T18:26:31Z`.
fn of_day_in_rfc3339(text: &str) -> String {
    format!("{} {} {}", &text[..4], &text[8..10], &text[11..19])
}
