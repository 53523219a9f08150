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

/// The DER within the one PEM block of a text.
pub(super) fn read(text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let inside = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or(NOT_A_KEY)?;
    let mut digits = Zeroizing::new(Vec::with_capacity(inside.len()));
    digits.extend(inside.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    let mut der = Zeroizing::new(vec![0; digits.len() / 4 * 3 + 3]);
    let octets = STANDARD.decode_slice(&digits[..], &mut der[..]).map_err(|_| "its base64 is damaged")?;
    der.truncate(octets);
    Ok(der)
}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
const LINE: usize = 64;
const NOT_A_KEY: &str = "not one unencrypted PKCS#8 key in PEM ('-----BEGIN PRIVATE KEY-----')";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(der in prop::collection::vec(any::<u8>(), 1..300)) {
            let text = write(&der);
            prop_assert_eq!(&read(&text).unwrap()[..], &der[..]);
            prop_assert!(text.lines().all(|line| line.len() <= LINE));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,100}") {
            let _ = read(&text);
            let _ = read(&format!("{BEGIN}{text}{END}"));
        }
    }
}
