//! The request in the path of a GET (RFC 6960 appendix A.1): base64, escaped or not, into octets.
//!
//! The network's edge calls this with the raw path, as it came over the wire, less its own prefix. Nothing may have
//! normalised it before: base64 has `//` in it and may have `/./` and `/../`.

use super::Malformed;
use crate::model::RequestLimits;

/// The octets in `path`, decoded into `buffer`, which is emptied first and can be used for one request after another.
///
/// Read as clients in the field write it:
/// - slashes before it belong to the URL, for the DER of a request begins with `M` in base64;
/// - any octet may be escaped, in either case, and `+`, `/` and `=` need not be;
/// - a space, escaped or not, is a `+` that somebody took for a form;
/// - padding is there in full or not at all: what is missing is unambiguous.
///
/// Everything else is refused: base64url, line breaks, half an escape, bits left over.
pub fn from_path<'b>(path: &[u8], limits: RequestLimits, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Malformed> {
    buffer.clear();
    let slashes = path.iter().take_while(|octet| **octet == b'/').count();
    let mut rest = &path[slashes..];
    // A symbol of six bits takes at most three octets, so these are too many before any is looked at.
    if rest.len() / (3 * 4) > limits.octets_max / 3 + 1 {
        return Err(Malformed::TooLong);
    }
    // Each group of four symbols makes three octets; the last may be written with fewer symbols than four.
    buffer.resize(rest.len() / 4 * 3 + 3, 0);
    let mut length = 0;
    loop {
        let groups = plain_groups(rest, &mut buffer[length..]);
        rest = &rest[4 * groups..];
        length += 3 * groups;
        if rest.is_empty() {
            break;
        }
        let (octets, count) = any_group(&mut rest)?;
        buffer[length..length + count].copy_from_slice(&octets[..count]);
        length += count;
    }
    buffer.truncate(length);
    match length {
        0 => Err(Malformed::Path),
        _ if length > limits.octets_max => Err(Malformed::TooLong),
        _ => Ok(buffer),
    }
}

/// Decodes as many groups as stand there without an escape, and says how many. Most paths are nothing else.
fn plain_groups(path: &[u8], out: &mut [u8]) -> usize {
    let mut done = 0;
    for (symbols, octets) in path.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<3>().0) {
        let values = symbols.map(|octet| VALUES[usize::from(octet)]);
        if values.iter().fold(0, |all, value| all | value) >= 64 {
            break;
        }
        *octets = octets_of(values);
        done += 1;
    }
    done
}

/// The octets of the next group, however it is written: three of them, or fewer at the end.
fn any_group(rest: &mut &[u8]) -> Result<([u8; 3], usize), Malformed> {
    let (mut values, mut symbols) = ([0; 4], 0);
    while symbols < 4 {
        let Some(octet) = unescaped(rest)? else { break };
        if octet == b'=' {
            return padded(values, symbols, rest);
        }
        values[symbols] = match VALUES[usize::from(octet)] {
            NO_SYMBOL => return Err(Malformed::Path),
            value => value,
        };
        symbols += 1;
    }
    ended(values, symbols)
}

/// After the first `=` come as many as make four, and nothing else.
fn padded(values: [u8; 4], symbols: usize, rest: &mut &[u8]) -> Result<([u8; 3], usize), Malformed> {
    for _ in symbols + 1..4 {
        if unescaped(rest)? != Some(b'=') {
            return Err(Malformed::Path);
        }
    }
    if !rest.is_empty() || symbols < 2 {
        return Err(Malformed::Path);
    }
    ended(values, symbols)
}

/// So many symbols carry so many octets; the bits beyond are zero (RFC 4648 §3.5).
fn ended(values: [u8; 4], symbols: usize) -> Result<([u8; 3], usize), Malformed> {
    let octets = octets_of(values);
    match (symbols, octets) {
        (2, [_, 0, 0]) => Ok((octets, 1)),
        (3, [_, _, 0]) => Ok((octets, 2)),
        (4, _) => Ok((octets, 3)),
        _ => Err(Malformed::Path),
    }
}

fn octets_of([a, b, c, d]: [u8; 4]) -> [u8; 3] {
    [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
}

/// The next octet, its escape undone once; none at the end.
fn unescaped(rest: &mut &[u8]) -> Result<Option<u8>, Malformed> {
    let (octet, length) = match **rest {
        [] => return Ok(None),
        [b'%', high, low, ..] => (hex(high)? << 4 | hex(low)?, 3),
        [b'%', ..] => return Err(Malformed::Path),
        [octet, ..] => (octet, 1),
    };
    *rest = &rest[length..];
    Ok(Some(octet))
}

fn hex(digit: u8) -> Result<u8, Malformed> {
    char::from(digit).to_digit(16).map(|digit| digit as u8).ok_or(Malformed::Path)
}

const NO_SYMBOL: u8 = 0xff;
/// What each octet stands for. No valid value has one of the upper two bits.
const VALUES: [u8; 256] = {
    let mut values = [NO_SYMBOL; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    while at < alphabet.len() {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values[b' ' as usize] = values[b'+' as usize];
    values
};

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn decoded(path: &str) -> Result<Vec<u8>, Malformed> {
        from_path(path.as_bytes(), RequestLimits::ANONYMOUS, &mut vec![7; 3]).map(<[u8]>::to_vec)
    }

    /// Has `/`, `//`, `+`, `++` and `==` in its base64.
    const OCTETS: &[u8] = b"0\xff\xff\xfb\xef\xbe\x3f\xff\xfe\xfb\x00\x01\x02";

    fn base64() -> String {
        let text = STANDARD.encode(OCTETS);
        for part in ["//", "++", "=="] {
            assert!(text.contains(part), "{text} has {part}");
        }
        text
    }

    fn escaped(text: &str, which: impl Fn(char) -> bool, lower: bool) -> String {
        text.chars()
            .map(|symbol| match (which(symbol), lower) {
                (false, _) => symbol.to_string(),
                (true, false) => format!("%{:02X}", symbol as u32),
                (true, true) => format!("%{:02x}", symbol as u32),
            })
            .collect()
    }

    #[test]
    fn h2_every_encoding_of_the_field_gives_the_same_octets() {
        let text = base64();
        let special = |symbol: char| "/+=".contains(symbol);
        for path in [
            text.clone(),
            escaped(&text, special, false),
            escaped(&text, special, true),
            escaped(&text, |symbol| symbol == '=', true),
            escaped(&text, |symbol| symbol == '/', false),
            escaped(&text, |_| true, false),
            escaped(&text, |_| true, true),
            format!("/{text}"),
            format!("//{}", escaped(&text, special, false)),
        ] {
            assert_eq!(decoded(&path).as_deref(), Ok(OCTETS), "{path}");
        }
    }

    #[test]
    fn h3_a_space_is_a_plus_and_padding_may_be_missing() {
        let text = base64();
        for path in [
            text.replace('+', " "),
            text.replace('+', "%20"),
            text.trim_end_matches('=').to_owned(),
            escaped(text.trim_end_matches('='), |_| true, true),
        ] {
            assert_eq!(decoded(&path).as_deref(), Ok(OCTETS), "{path}");
        }
        for octets in [&b"0"[..], b"01", b"012"] {
            let text = STANDARD.encode(octets);
            assert_eq!(decoded(text.trim_end_matches('=')).as_deref(), Ok(octets));
            assert_eq!(decoded(&text).as_deref(), Ok(octets));
        }
    }

    #[test]
    fn h3_nothing_is_normalised() {
        // "MA//" with what a file system would call detours: no symbols, or other octets than without them.
        assert_ne!(decoded("MA//MA//"), decoded("MA/MA/"));
        for path in ["MA/./A==", "MA/../MAAA", "./MAAA", "../MAAA"] {
            assert_eq!(decoded(path), Err(Malformed::Path), "{path}");
        }
    }

    #[test]
    fn h3_everything_else_is_refused() {
        let text = base64();
        let url = text.replace('/', "_").replace('+', "-");
        for path in [
            "",
            "/",
            "//",
            "=",
            "====",
            "M",
            "M===",
            "MA=",
            "MA=A",
            "MA===",
            "MA==MA==",
            "MAA=A",
            "MB==",
            "MAB=",
            "MAAA=",
            "MAAA%",
            "MAAA%4",
            "MAAA%zz",
            "MAAA%0A",
            "MAAA%0D%0A",
            "MAAA%00",
            "%00",
            "MAAA\n",
            "MAAA%252B",
            "MAAA?MAAA",
            "MAAA#",
            "MÄAA",
            "MA%3D",
            "MA%3",
            "M%",
            &url,
        ] {
            assert_eq!(decoded(path), Err(Malformed::Path), "{path}");
        }
    }

    #[test]
    fn h3_h4_long_paths_are_read_up_to_the_limit_and_refused_beyond() {
        let limits = RequestLimits { octets_max: 3000, questions_max: 1 };
        let mut buffer = Vec::new();
        for (length, every) in
            [(3000, false), (3000, true), (3001, false), (3001, true), (100_000, false), (100_000, true)]
        {
            let octets = vec![b'0'; length];
            let path = escaped(&STANDARD.encode(&octets), |_| every, false);
            let read = from_path(path.as_bytes(), limits, &mut buffer);
            if length == 3000 {
                assert_eq!(read, Ok(&octets[..]));
            } else {
                assert_eq!(read, Err(Malformed::TooLong), "{length}");
            }
            assert!(buffer.capacity() <= 4 * 3 * limits.octets_max, "{}", buffer.capacity());
        }
    }

    proptest! {
        #[test]
        fn equals_an_independent_decoder(octets in prop::collection::vec(any::<u8>(), 1..200), seed in any::<u64>()) {
            prop_assume!(octets[0] < 0xfc); // its base64 doesn't begin with a slash
            let text = STANDARD.encode(&octets);
            let mut at = 0;
            let path = escaped(&text, |_| { false }, false);
            prop_assert_eq!(decoded(&path), Ok(octets.clone()));
            let path: String = text.chars().map(|symbol| {
                at += 1;
                escaped(&symbol.to_string(), |_| seed >> (at % 64) & 1 == 1, at % 3 == 0)
            }).collect();
            prop_assert_eq!(decoded(&path), Ok(octets));
        }

        #[test]
        fn whatever_is_read_is_what_an_independent_decoder_reads(path in "[A-D+/=% 23Bb]{0,12}") {
            if let Ok(octets) = decoded(&path) {
                let text = path.trim_start_matches('/').replace("%2B", "+").replace("%2b", "+").replace("%20", "+");
                let text = text.replace("%2D", "-").replace("%3D", "=").replace("%3d", "=").replace(' ', "+");
                let text = text.replace("%32", "2").replace("%33", "3").replace("%22", "\"");
                if !text.contains('%') {
                    let mut text = text.trim_end_matches('=').to_owned();
                    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
                    prop_assert_eq!(STANDARD.decode(text).ok(), Some(octets));
                }
            }
        }

        #[test]
        fn any_octets_are_survived(path in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut buffer = Vec::new();
            let read = from_path(&path, RequestLimits::ANONYMOUS, &mut buffer).map(<[u8]>::len);
            prop_assert!(read.is_err() || read.is_ok_and(|length| (1..=path.len()).contains(&length)));
        }
    }
}
