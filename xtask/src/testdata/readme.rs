//! The page that lists every file. Called by `TestData::files`: the table is made from the files, so it can't lag.

use std::fmt::Write;

use super::{Malformed, OpensslOpinion, TestCertificate, TestData, Verdict};

/// `certs-testdata/README.md`.
pub fn text(data: &TestData) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Certificates\n\n| file | what it is | chain |\n|---|---|---|\n");
    for certificate in &data.certificates {
        row(&mut text, &[&code(&certificate.path), &certificate.about, verdict(certificate)]);
    }
    text.push_str("\n## Certificates that are none\n\n");
    text.push_str("Issued and signed by `card-sign-g2-p256`; the reader refuses every one.\n\n");
    text.push_str("| file | what is wrong | openssl |\n|---|---|---|\n");
    for file in &data.malformed {
        row(&mut text, &[&code(&file.path), &file.about, &opinion(file)]);
    }
    text.push_str("\n## Private keys, public to everybody\n\n| file | whose |\n|---|---|\n");
    for (path, key) in &data.keys {
        row(&mut text, &[&code(path), &key.about]);
    }
    text
}

fn row(text: &mut String, cells: &[&str]) {
    writeln!(text, "| {} |", cells.join(" | ")).expect("writing to a String can't fail");
}

fn code(path: &str) -> String {
    format!("`{path}`")
}

fn verdict(certificate: &TestCertificate) -> &'static str {
    match certificate.verdict {
        Verdict::BadSignature => "signature wrong",
        Verdict::Expired => "expired",
        Verdict::Good => "good",
        Verdict::NotYetValid => "not yet valid",
        Verdict::SelfSigned => "self-signed, not trusted",
        Verdict::UnknownIssuer => "issuer unknown",
    }
}

fn opinion(file: &Malformed) -> String {
    match file.openssl {
        OpensslOpinion::Reads => "reads it without complaint".to_owned(),
        OpensslOpinion::Refuses => "can't read it".to_owned(),
        OpensslOpinion::Shows(line) => format!("reads it, shows `{line}`"),
        OpensslOpinion::VerifyFails(reason) => format!("reads it; verifying: {reason}"),
    }
}

const INTRODUCTION: &str = "\
# Test certificates

**Every private key in this folder is public. Never trust, install or reuse anything here outside of tests.**

A small fictional PKI in the manner of Japan's: cards and phones, certificates for signing and for logging in, three
key generations of one CA under one name. All files, this page among them, are written by

    cargo xtask testdata          write the files
    cargo xtask testdata --check  compare only

from fixed seeds, with deterministic signatures, so the same generator always writes the same bytes;
`tests/testdata` proves it and has the openssl command line confirm every row.

- Good certificates are valid until 2049, expired ones ended in 2020.
- The certificates in a folder belong to the CA `issuer.pem` beside them. OCSP signers share one key and one subject,
  leaves share one key: what the name of the file says is the only difference from the good one.
- Leaves carry two CRL distribution points: their scope's own (for cards the directoryName of the municipality, for
  phones the address of a shard) and the combined CRL's, whose cRLIssuer is the subject of `combined/issuer.pem`.
- \"Chain\" is the verdict of a verifier that trusts `root.pem` and knows the `issuer.pem` of the folder (in
  `stranger`, that of `card-sign-g2-p256`).
";
