//! PEM armour: certificates and CRLs in files, several to a file, and DER put into armour.
//!
//! Called by the importers, `issuer add`, whoever reads CRLs, the demonstration PKI and the test data.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Asn1Error;

/// One block of a PEM file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemBlock {
    /// What stands between `-----BEGIN ` and `-----`.
    pub label: String,
    /// The line of its `BEGIN`, counted from 1.
    pub line: usize,
    /// The decoded contents.
    pub der: Vec<u8>,
}

/// Every block of a PEM text, whatever its label; text outside of blocks is explanation (RFC 7468 §2) and skipped.
///
/// Header lines inside a block (encrypted keys of the old form) are not base64 and refused.
pub fn pem_blocks(text: &str) -> Result<Vec<PemBlock>, Asn1Error> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim_ascii).enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) else { continue };
        let (label, line) = (label.to_owned(), index + 1);
        let end = format!("{END}{label}{DASHES}");
        let mut base64 = String::new();
        loop {
            match lines.next() {
                Some((_, text)) if text == end => break,
                Some((_, text)) if !text.starts_with(DASHES) => base64.push_str(text),
                _ => return Err(Asn1Error::PemUnterminated { label, line }),
            }
        }
        match STANDARD.decode(&base64) {
            Ok(der) => blocks.push(PemBlock { label, line, der }),
            Err(_) => return Err(Asn1Error::PemNotBase64 { label, line }),
        }
    }
    Ok(blocks)
}

/// The DER of every certificate in a file that is either PEM (other blocks are skipped) or one DER certificate.
pub fn certificates_in(file: &[u8]) -> Result<Vec<Vec<u8>>, Asn1Error> {
    // A SEQUENCE with a long-form length, as every certificate has; in text the second octet would be no character.
    if matches!(file, [0x30, 0x80..=0xff, ..]) {
        return if is_cut_off(file) { Err(Asn1Error::CutOff) } else { Ok(vec![file.to_vec()]) };
    }
    let text = str::from_utf8(file).map_err(|_| Asn1Error::NoCertificate)?;
    let certificates = labelled(text, &CERTIFICATE_LABELS)?;
    if certificates.is_empty() { Err(Asn1Error::NoCertificate) } else { Ok(certificates) }
}

/// The DER of the one CRL in a file, PEM (other blocks are skipped) or DER.
pub fn crl_in(file: &[u8]) -> Result<Cow<'_, [u8]>, Asn1Error> {
    if matches!(file, [0x30, 0x80..=0xff, ..]) {
        return if is_cut_off(file) { Err(Asn1Error::CutOff) } else { Ok(Cow::Borrowed(file)) };
    }
    let text = str::from_utf8(file).map_err(|_| Asn1Error::NoCrl)?;
    let mut crls = labelled(text, &[CRL_LABEL])?;
    match (crls.pop(), crls.len()) {
        (None, _) => Err(Asn1Error::NoCrl),
        (Some(crl), 0) => Ok(Cow::Owned(crl)),
        (Some(_), others) => Err(Asn1Error::SeveralCrls(others + 1)),
    }
}

fn labelled(text: &str, labels: &[&str]) -> Result<Vec<Vec<u8>>, Asn1Error> {
    let blocks = pem_blocks(text)?;
    Ok(blocks.into_iter().filter(|block| labels.contains(&block.label.as_str())).map(|block| block.der).collect())
}

/// Whether one DER element says that it is longer than what there is of it.
fn is_cut_off(der: &[u8]) -> bool {
    let Some((octets, rest)) = der.get(1).map(|length| (usize::from(length & 0x7f), &der[2..])) else { return true };
    if octets > LENGTH_OCTETS_MAX {
        return false;
    }
    let length = rest.iter().take(octets).fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
    rest.len() < octets || ((rest.len() - octets) as u64) < length
}

/// `der` in armour with that label, in lines of 64 characters.
pub fn to_pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(LINE_LENGTH));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str(&format!("{END}{label}{DASHES}\n"));
    text
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The second is what older tools write.
const CERTIFICATE_LABELS: [&str; 2] = ["CERTIFICATE", "X509 CERTIFICATE"];
/// What armour around a CRL is called (RFC 7468 §6).
pub const CRL_LABEL: &str = "X509 CRL";
const LINE_LENGTH: usize = 64;
/// 2^32 octets are far beyond any certificate; the decoder says what it thinks of more.
const LENGTH_OCTETS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_every_certificate_between_explanations_and_keys() {
        let text = format!(
            "subject=…\r\n{}\r\nkey:\n{}{}",
            to_pem("CERTIFICATE", &[1; 100]).replace('\n', "\r\n"),
            to_pem("PRIVATE KEY", &[2; 3]),
            to_pem("CERTIFICATE", &[3])
        );
        assert_eq!(certificates_in(text.as_bytes()).unwrap(), [vec![1; 100], vec![3]]);
        assert_eq!(pem_blocks(&text).unwrap()[1].label, "PRIVATE KEY");
    }

    #[test]
    fn refuses_broken_armour_by_line() {
        let good = to_pem("CERTIFICATE", &[7; 40]);
        let cut = good.replace("-----END CERTIFICATE-----\n", "");
        let other = good.replace("END CERTIFICATE", "END PRIVATE KEY");
        for text in [&cut, &other, &format!("{cut}{good}")] {
            let error = Asn1Error::PemUnterminated { label: "CERTIFICATE".into(), line: 1 };
            assert_eq!(certificates_in(text.as_bytes()), Err(error), "{text}");
        }
        let error = Asn1Error::PemNotBase64 { label: "CERTIFICATE".into(), line: 2 };
        assert_eq!(certificates_in(format!("\n{}", good.replace("Bwc", "B*c")).as_bytes()), Err(error));
        let der = [&[0x30, 0x82, 0x01, 0x00][..], &[5; 0x100]].concat();
        assert_eq!(certificates_in(&der), Ok(vec![der.clone()]));
        for cut in [2, 3, 4, 100, der.len() - 1] {
            assert_eq!(certificates_in(&der[..cut]), Err(Asn1Error::CutOff), "{cut}");
        }
        for nothing in ["", "hello", &to_pem("PRIVATE KEY", &[1])] {
            assert_eq!(certificates_in(nothing.as_bytes()), Err(Asn1Error::NoCertificate));
        }
        assert_eq!(certificates_in(&[0xff, 0xfe]), Err(Asn1Error::NoCertificate));
    }

    proptest! {
        #[test]
        fn what_is_put_into_armour_comes_out(der in prop::collection::vec(any::<u8>(), 0..200)) {
            let blocks = pem_blocks(&to_pem("X", &der)).unwrap();
            prop_assert_eq!(blocks, vec![PemBlock { label: "X".into(), line: 1, der }]);
        }
    }
}
