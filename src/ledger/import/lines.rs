//! Lines of bounded length: a file without line ends must not fill the memory.

use std::io::{self, BufRead, Read};

use super::Fault;

/// Reads line by line into one buffer and counts.
pub(super) struct Lines<R> {
    pub(super) input: R,
    /// The number of the line in the buffer, from 1.
    pub(super) place: u64,
    /// The line, without its end.
    pub(super) buffer: Vec<u8>,
}

/// What came of asking for a line.
pub(super) enum Line {
    /// There is none.
    End,
    /// It is in the buffer.
    Fits,
    /// It was passed over.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// Before the first line.
    pub(super) fn new(input: R) -> Self {
        Self { input, place: 0, buffer: Vec::new() }
    }

    /// The next line as text.
    pub(super) fn next_text(&mut self) -> io::Result<Option<Result<&str, Fault>>> {
        match self.advance()? {
            Line::End => return Ok(None),
            Line::TooLong => return Ok(Some(Err(Fault::TooLong))),
            Line::Fits => {}
        }
        let octets = match self.place {
            1 => self.buffer.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.buffer),
            _ => &self.buffer,
        };
        Ok(Some(std::str::from_utf8(octets).map_err(|_| Fault::NotUtf8)))
    }

    /// Moves on by a line.
    pub(super) fn advance(&mut self) -> io::Result<Line> {
        self.buffer.clear();
        let read = self.input.by_ref().take(ENTRY_OCTETS_MAX as u64 + 1).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(Line::End);
        }
        self.place += 1;
        if self.buffer.ends_with(b"\n") {
            self.buffer.pop();
            if self.buffer.ends_with(b"\r") {
                self.buffer.pop();
            }
        } else if read > ENTRY_OCTETS_MAX {
            self.pass_over()?;
            return Ok(Line::TooLong);
        }
        Ok(Line::Fits)
    }

    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            self.buffer.clear();
            let read = self.input.by_ref().take(ENTRY_OCTETS_MAX as u64).read_until(b'\n', &mut self.buffer)?;
            if read == 0 || self.buffer.ends_with(b"\n") {
                return Ok(());
            }
        }
    }
}

/// A line or certificate longer than this is refused: certificates of this kind have two kilobytes, lines less.
pub const ENTRY_OCTETS_MAX: usize = 64 * 1024;

/// Some editors put it before the first line.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
