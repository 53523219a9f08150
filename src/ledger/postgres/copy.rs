//! PostgreSQL's binary COPY format, read as it arrives: <https://www.postgresql.org/docs/current/sql-copy.html>.
//!
//! Used by the scan, which moves a hundred million rows: tuples that have arrived whole are read where they lie.

use crate::ledger::LedgerError;

use super::read::damaged;

/// A stream of tuples of `N` columns.
#[derive(Default)]
pub(super) struct Tuples<const N: usize> {
    /// What arrived of a tuple that is not complete yet.
    part: Vec<u8>,
    stage: Stage,
}

/// A tuple's columns; `None` is NULL.
pub(super) type Tuple<'a, const N: usize> = [Option<&'a [u8]>; N];

/// How far a stream has been read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Header,
    Tuples,
    Ended,
}

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

impl<const N: usize> Tuples<N> {
    /// Takes in what arrived and shows every tuple that is whole to `visit`.
    pub(super) fn take(
        &mut self,
        arrived: &[u8],
        visit: &mut dyn FnMut(Tuple<'_, N>) -> Result<Visit, LedgerError>,
    ) -> Result<Visit, LedgerError> {
        // Nearly always whole tuples arrive, and nothing is copied.
        if self.part.is_empty() {
            let (read, done) = self.read(arrived, visit)?;
            self.part.extend_from_slice(&arrived[read..]);
            return Ok(done);
        }
        let mut bytes = std::mem::take(&mut self.part);
        bytes.extend_from_slice(arrived);
        let (read, done) = self.read(&bytes, visit)?;
        bytes.drain(..read);
        self.part = bytes;
        Ok(done)
    }

    /// Whether what was taken in is a whole stream: its end came, and nothing after it.
    pub(super) fn is_whole(&self) -> bool {
        self.stage == Stage::Ended && self.part.is_empty()
    }

    /// Reads as far as it goes; says how far that was.
    fn read(
        &mut self,
        bytes: &[u8],
        visit: &mut dyn FnMut(Tuple<'_, N>) -> Result<Visit, LedgerError>,
    ) -> Result<(usize, Visit), LedgerError> {
        let mut at = 0;
        if self.stage == Stage::Header {
            let Some(octets) = header(bytes)? else { return Ok((0, Visit::More)) };
            at = octets;
            self.stage = Stage::Tuples;
        }
        while self.stage == Stage::Tuples {
            match next::<N>(&bytes[at..])? {
                Next::End => {
                    at += 2;
                    self.stage = Stage::Ended;
                }
                Next::Part => break,
                Next::Tuple(tuple, octets) => {
                    at += octets;
                    if let Visit::Enough = visit(tuple)? {
                        return Ok((at, Visit::Enough));
                    }
                }
            }
        }
        Ok((at, Visit::More))
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

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9]);
        bytes.extend([0, 2, 0, 0, 0, 2, 7, 8, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend([0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 5]);
        bytes.extend([0xff, 0xff]);
        bytes
    }

    type Columns = [Option<Vec<u8>>; 2];

    /// What is read when so many octets arrive at a time, and whether it is whole.
    fn read(bytes: &[u8], step: usize) -> Result<(Vec<Columns>, bool), LedgerError> {
        let (mut seen, mut tuples) = (Vec::new(), Tuples::<2>::default());
        for arrived in bytes.chunks(step) {
            tuples.take(arrived, &mut |tuple| {
                seen.push(tuple.map(|column| column.map(<[u8]>::to_vec)));
                Ok(Visit::More)
            })?;
        }
        Ok((seen, tuples.is_whole()))
    }

    #[test]
    fn tuples_are_the_same_however_the_octets_arrive() {
        let expected = vec![[Some(vec![7, 8]), None], [Some(vec![]), Some(vec![5])]];
        for step in 1..80 {
            assert_eq!(read(&stream(), step).unwrap(), (expected.clone(), true), "{step} octets at a time");
        }
    }

    #[test]
    fn what_ends_too_soon_or_goes_on_after_the_end_is_not_whole() {
        let whole = stream();
        for length in 0..whole.len() {
            assert!(!read(&whole[..length], 7).unwrap().1, "{length} octets");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(!read(&longer, 7).unwrap().1);
        assert!(!read(&longer, 100).unwrap().1);
        assert!(read(b"PGCOPX 0123456789", 100).is_err());
    }
}
