//! Which part of a file a client asks for (RFC 9110 §14). Asked by `files`.

use std::ops::Range;

use hyper::header::{HeaderMap, IF_RANGE, RANGE};

/// What of a file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These octets.
    Octets(Range<usize>),
    /// Octets behind its end.
    Unsatisfiable,
    /// All of it; also if several parts are asked for, or in words that mean nothing: a server may ignore a range
    /// (RFC 9110 §14.2), and many small parts are a way to ask for much.
    Whole,
}

impl Part {
    /// What the headers of a GET ask for, of a file of this length and tag.
    pub fn of(headers: &HeaderMap, length: usize, tag: &[u8]) -> Self {
        let mut ranges = headers.get_all(RANGE).iter();
        let (Some(range), None) = (ranges.next(), ranges.next()) else { return Self::Whole };
        // Only the tag tells for certain that the client has the beginning of this very file (RFC 9110 §13.1.5): a date
        // doesn't, for two may be of one second.
        if headers.get_all(IF_RANGE).iter().any(|known| known.as_bytes() != tag) {
            return Self::Whole;
        }
        Self::read(range.as_bytes(), length as u64)
    }

    fn read(text: &[u8], length: u64) -> Self {
        let Some((unit, wanted)) = str::from_utf8(text).ok().and_then(|text| text.split_once('=')) else {
            return Self::Whole;
        };
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return Self::Whole;
        }
        let Some((first, last)) = wanted.trim().split_once('-') else { return Self::Whole };
        let range = match (first, last) {
            ("", suffix) => number(suffix).map(|suffix| length.saturating_sub(suffix)..length),
            (first, "") => number(first).map(|first| first..length),
            (first, last) => match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => Some(first..last.saturating_add(1).min(length)),
                _ => None,
            },
        };
        match range {
            None => Self::Whole,
            Some(range) if range.is_empty() => Self::Unsatisfiable,
            // Within the file, whose length is a usize.
            Some(range) => Self::Octets(range.start as usize..range.end as usize),
        }
    }
}

/// Digits and nothing else; more than can be counted is beyond every end.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: &str, length: usize) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        Part::of(&headers, length, b"\"t\"")
    }

    #[test]
    fn one_range_is_that_part() {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..10),
            ("bytes=3-5", 3..6),
            ("Bytes=9-", 9..10),
            ("bytes=3-99", 3..10),
            ("bytes=3-99999999999999999999999", 3..10),
            ("bytes=-4", 6..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
        ] {
            assert_eq!(part(range, 10), Part::Octets(expected), "{range}");
        }
    }

    #[test]
    fn behind_the_end_there_is_nothing() {
        for range in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(part(range, 10), Part::Unsatisfiable, "{range}");
        }
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(part(range, 0), Part::Unsatisfiable, "{range} of nothing");
        }
    }

    #[test]
    fn what_means_nothing_or_is_more_than_one_part_is_the_whole() {
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-3",
            "bytes=a-",
            "bytes=1-b",
            "bytes=+1-2",
            "bytes=0-0,2-2",
            "lines=0-1",
        ] {
            assert_eq!(part(range, 10), Part::Whole, "{range}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(Part::of(&headers, 10, b"\"t\""), Part::Whole);
        headers.append(RANGE, "bytes=0-0".parse().unwrap());
        headers.append(RANGE, "bytes=1-1".parse().unwrap());
        assert_eq!(Part::of(&headers, 10, b"\"t\""), Part::Whole);
    }

    #[test]
    fn a_part_is_for_who_has_the_beginning_of_the_same_file() {
        let with = |known: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, "bytes=5-".parse().unwrap());
            headers.insert(IF_RANGE, known.parse().unwrap());
            Part::of(&headers, 10, b"\"t\"")
        };
        assert_eq!(with("\"t\""), Part::Octets(5..10));
        for other in ["\"u\"", "W/\"t\"", "Sun, 06 Nov 1994 08:49:37 GMT", "*"] {
            assert_eq!(with(other), Part::Whole, "{other}");
        }
    }
}
