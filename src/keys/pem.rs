//! PEM (RFC 7468) of private keys, in buffers that are wiped. Used by `software.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The armoured form of a PKCS#8 key.
pub(super) fn write(der: &[u8]) -> Zeroizing<String> {
    // With its room reserved, so that growing doesn't leave copies of the secret behind.
    let digits = der.len().div_ceil(3) * 4;
    let mut text = Zeroizing::new(String::with_capacity(digits + digits.div_ceil(LINE) + BEGIN.len() + END.len() + 2));
    text.push_str(BEGIN);
    text.push('\n');
    for chunk in der.chunks(LINE / 4 * 3) {
        STANDARD.encode_string(chunk, &mut text);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// What a PEM block says that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Armour {
    /// `ENCRYPTED PRIVATE KEY`
    EncryptedPkcs8,
    /// `RSA PRIVATE KEY`
    Pkcs1,
    /// `PRIVATE KEY`
    Pkcs8,
    /// `EC PRIVATE KEY`
    Sec1,
}

/// The DER within the one private key of a text, and what it is said to be. `openssl ecparam -genkey` writes the curve's
/// parameters in front of the key, which says the same itself.
pub(super) fn read(text: &str) -> Result<(Armour, Zeroizing<Vec<u8>>), &'static str> {
    let text = text.trim();
    let text = match text.strip_prefix(PARAMETERS_BEGIN).and_then(|rest| rest.split_once(PARAMETERS_END)) {
        Some((_, key)) => key.trim_start(),
        None => text,
    };
    let (armour, inside) = LABELS
        .iter()
        .find_map(|(armour, label)| {
            let rest = text.strip_prefix("-----BEGIN ")?.strip_prefix(label)?.strip_prefix("-----")?;
            let inside = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
            Some((*armour, inside))
        })
        .ok_or(NOT_A_KEY)?;
    let mut digits = Zeroizing::new(Vec::with_capacity(inside.len()));
    digits.extend(inside.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    let mut der = Zeroizing::new(vec![0; digits.len() / 4 * 3 + 3]);
    let octets = STANDARD.decode_slice(&digits[..], &mut der[..]).map_err(|_| "its base64 is damaged")?;
    der.truncate(octets);
    Ok((armour, der))
}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
const LINE: usize = 64;
const LABELS: [(Armour, &str); 4] = [
    (Armour::EncryptedPkcs8, "ENCRYPTED PRIVATE KEY"),
    (Armour::Pkcs1, "RSA PRIVATE KEY"),
    (Armour::Pkcs8, "PRIVATE KEY"),
    (Armour::Sec1, "EC PRIVATE KEY"),
];
const PARAMETERS_BEGIN: &str = "-----BEGIN EC PARAMETERS-----";
const PARAMETERS_END: &str = "-----END EC PARAMETERS-----";
const NOT_A_KEY: &str = "not one private key in PEM ('-----BEGIN PRIVATE KEY-----', or ENCRYPTED, EC or RSA before it)";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(der in prop::collection::vec(any::<u8>(), 1..300)) {
            let text = write(&der);
            let (armour, read) = read(&text).unwrap();
            prop_assert_eq!((armour, &read[..]), (Armour::Pkcs8, &der[..]));
            prop_assert!(text.lines().all(|line| line.len() <= LINE));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,100}") {
            let _ = read(&text);
            let _ = read(&format!("{BEGIN}{text}{END}"));
        }
    }
}
