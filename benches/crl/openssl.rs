//! `openssl ca -gencrl` on the same entries.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Instant;

use crate::population::Population;

/// Seconds that it takes, the quicker of two times.
pub fn gencrl(population: &Population) -> f64 {
    let folder = population.folder.path();
    let mut index = String::new();
    for number in 1..=population.entries {
        let entry = population.entry(number);
        let at = entry.at.to_string();
        let digits: String = at.chars().filter(char::is_ascii_digit).collect();
        let reason = entry.reason.name();
        writeln!(index, "R\t291120030000Z\t{}Z,{reason}\t{}\tunknown\t/CN=x", &digits[2..], entry.serial)
            .expect("text");
    }
    fs::write(folder.join("index.txt"), index).expect("the index");
    fs::write(folder.join("index.txt.attr"), "unique_subject = no\n").expect("its attributes");
    fs::write(folder.join("crlnumber"), "01\n").expect("the number");
    let key = population.key_file();
    let settings = format!(
        "[ca]\ndefault_ca = it\n[it]\ndatabase = {0}/index.txt\ncrlnumber = {0}/crlnumber\ncertificate = {1}\n\
         private_key = {2}\ndefault_md = sha256\ndefault_crl_hours = 30\ncrl_extensions = with\n[with]\n\
         authorityKeyIdentifier = keyid\n",
        folder.display(),
        population.issuer().display(),
        key.display()
    );
    fs::write(folder.join("openssl.cnf"), settings).expect("its settings");
    let one = |_| {
        let began = Instant::now();
        let ran = Command::new("openssl")
            .args(["ca", "-gencrl", "-batch", "-config"])
            .arg(folder.join("openssl.cnf"))
            .arg("-out")
            .arg(folder.join("theirs.pem"))
            .output()
            .expect("openssl");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        began.elapsed().as_secs_f64()
    };
    (0..2).map(one).fold(f64::INFINITY, f64::min)
}
