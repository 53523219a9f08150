//! PostgreSQL's binary COPY format, read as it arrives: <https://www.postgresql.org/docs/current/sql-copy.html>.
//!
//! Used by the scan, which moves a hundred million rows: tuples that have arrived whole are read where they lie.

use std::io::BufRead;

use crate::ledger::LedgerError;

use super::read::damaged;

/// A stream of tuples of `N` columns.
pub(super) struct Tuples<R, const N: usize> {
    input: R,
    /// What arrived of a tuple that is not complete yet.
    part: Vec<u8>,
    begun: bool,
}

/// A tuple's columns; `None` is NULL.
pub(super) type Tuple<'a, const N: usize> = [Option<&'a [u8]>; N];

/// What stands at the beginning of some bytes.
enum Next<'a, const N: usize> {
    /// The stream's end.
    End,
    /// More is needed.
    Part,
    /// A tuple, and how many octets it takes.
    Tuple(Tuple<'a, N>, usize),
}

/// Whether a visitor wants more.
pub(super) enum Visit {
    /// Yes.
    More,
    /// No.
    Enough,
}

impl<R: BufRead, const N: usize> Tuples<R, N> {
    pub(super) fn new(input: R) -> Self {
        Self { input, part: Vec::new(), begun: false }
    }

    /// Shows every tuple to `visit`; says whether the stream was read to its end.
    pub(super) fn each(
        mut self,
        mut visit: impl FnMut(Tuple<'_, N>) -> Result<Visit, LedgerError>,
    ) -> Result<Visit, LedgerError> {
        loop {
            let arrived = self.input.fill_buf().map_err(|error| LedgerError::Unreachable(error.to_string()))?;
            if arrived.is_empty() {
                return Err(LedgerError::Unreachable("the copy ended too soon".to_owned()));
            }
            let length = arrived.len();
            // Nearly always whole tuples arrive, and nothing is copied.
            let in_place = self.part.is_empty();
            if !in_place {
                self.part.extend_from_slice(arrived);
            }
            let bytes = if in_place { arrived } else { &self.part[..] };
            let mut at = 0;
            if !self.begun {
                match header(bytes)? {
                    None => at = bytes.len() + 1,
                    Some(octets) => {
                        at = octets;
                        self.begun = true;
                    }
                }
            }
            let mut end = false;
            while at < bytes.len() {
                match next::<N>(&bytes[at..])? {
                    Next::End => {
                        at += 2;
                        end = true;
                        break;
                    }
                    Next::Part => break,
                    Next::Tuple(tuple, octets) => {
                        if let Visit::Enough = visit(tuple)? {
                            return Ok(Visit::Enough);
                        }
                        at += octets;
                    }
                }
            }
            let at = if self.begun { at } else { 0 };
            if in_place {
                self.part.extend_from_slice(&arrived[at..]);
            } else {
                self.part.drain(..at);
            }
            self.input.consume(length);
            if end {
                return self.finish();
            }
        }
    }

    /// After the end nothing may come, and the server says that it is done.
    fn finish(mut self) -> Result<Visit, LedgerError> {
        let rest = self.input.fill_buf().map_err(|error| LedgerError::Unreachable(error.to_string()))?;
        if rest.is_empty() && self.part.is_empty() { Ok(Visit::More) } else { Err(damaged("the end of a copy")) }
    }
}

/// The length of the header, if it is there.
fn header(bytes: &[u8]) -> Result<Option<usize>, LedgerError> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<15>() else { return Ok(None) };
    if &fixed[..11] != SIGNATURE {
        return Err(damaged("the beginning of a copy"));
    }
    let Some((extension, rest)) = rest.split_first_chunk() else { return Ok(None) };
    let extension = u32::from_be_bytes(*extension) as usize;
    Ok((rest.len() >= extension).then_some(19 + extension))
}

fn next<const N: usize>(bytes: &[u8]) -> Result<Next<'_, N>, LedgerError> {
    let Some((count, mut rest)) = bytes.split_first_chunk() else { return Ok(Next::Part) };
    match i16::from_be_bytes(*count) {
        -1 => return Ok(Next::End),
        count if usize::try_from(count) == Ok(N) => {}
        _ => return Err(damaged("the number of columns in a copy")),
    }
    let mut tuple = [None; N];
    for column in &mut tuple {
        let Some((length, after)) = rest.split_first_chunk() else { return Ok(Next::Part) };
        rest = after;
        // -1 is NULL.
        if let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) {
            let Some((value, after)) = rest.split_at_checked(length) else { return Ok(Next::Part) };
            *column = Some(value);
            rest = after;
        }
    }
    Ok(Next::Tuple(tuple, bytes.len() - rest.len()))
}

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Read};

    /// Hands out so many octets at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let octets = self.1.min(into.len()).min(self.0.len());
            into[..octets].copy_from_slice(&self.0[..octets]);
            self.0 = &self.0[octets..];
            Ok(octets)
        }
    }

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9]);
        bytes.extend([0, 2, 0, 0, 0, 2, 7, 8, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend([0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 5]);
        bytes.extend([0xff, 0xff]);
        bytes
    }

    fn read(bytes: &[u8], step: usize) -> Result<Vec<[Option<Vec<u8>>; 2]>, LedgerError> {
        let mut seen = Vec::new();
        Tuples::<_, 2>::new(BufReader::with_capacity(step, Dribble(bytes, step))).each(|tuple| {
            seen.push(tuple.map(|column| column.map(<[u8]>::to_vec)));
            Ok(Visit::More)
        })?;
        Ok(seen)
    }

    #[test]
    fn tuples_are_the_same_however_the_octets_arrive() {
        let expected = vec![[Some(vec![7, 8]), None], [Some(vec![]), Some(vec![5])]];
        for step in 1..80 {
            assert_eq!(read(&stream(), step).unwrap(), expected, "{step} octets at a time");
        }
    }

    #[test]
    fn what_ends_too_soon_or_goes_on_after_the_end_is_an_error() {
        let whole = stream();
        for length in 0..whole.len() {
            assert!(read(&whole[..length], 7).is_err(), "{length} octets");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(read(&longer, 7).is_err());
        assert!(read(&longer, 100).is_err());
    }
}
