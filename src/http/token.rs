//! The token of the admin listener: what it is compared with, and how. Asked by `admin` for each request.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

/// What tells the right token: its hash. The token itself isn't kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// That of a token.
    pub fn of(token: &str) -> Self {
        let hash = digest(&SHA256, token.as_bytes());
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 octets"))
    }

    /// Whether a request brings it (`Authorization: Bearer`, RFC 6750 §2.1). How long that takes says nothing of how near a
    /// wrong one is: hashes are compared, and all of them.
    pub(super) fn is_brought_by(&self, headers: &HeaderMap) -> bool {
        let mut brought = headers.get_all(AUTHORIZATION).iter();
        let (Some(one), None) = (brought.next(), brought.next()) else { return false };
        let Some((scheme, token)) = one.to_str().ok().and_then(|text| text.split_once(' ')) else { return false };
        scheme.eq_ignore_ascii_case("bearer") && verify_slices_are_equal(&self.0, &Self::of(token.trim()).0).is_ok()
    }
}

impl std::fmt::Debug for Token {
    /// Says that there is one, and nothing of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_counts_and_only_once() {
        let token = Token::of("abc");
        let brings = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            token.is_brought_by(&headers)
        };
        assert!(brings(&["Bearer abc"]) && brings(&["bearer abc"]));
        for wrong in
            [&[][..], &["abc"], &["Bearer"], &["Bearer ab"], &["Bearer abcd"], &["Basic abc"], &["Bearer abc"; 2]]
        {
            assert!(!brings(wrong), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "Token");
    }
}
