//! Lists of certificates to revoke or hold together: one serial number a line, or `ISSUER/SERIAL`.
//!
//! Called by `desk/bulk` for listed sets. Empty lines and lines that begin with `#` are passed over.

use std::io::{self, BufRead};

use super::lines::Lines;
use super::ndjson::named;
use super::{Fault, NamedLink};
use crate::model::{Book, IssuerNo};

/// The certificates that a list names, with their lines.
pub struct SerialList<'a, R> {
    lines: Lines<R>,
    issuer: Option<IssuerNo>,
    book: &'a Book,
}

impl<'a, R: BufRead> SerialList<'a, R> {
    /// A list of certificates of `issuer`, unless a line names another; without one, every line names its own.
    pub fn new(input: R, issuer: Option<IssuerNo>, book: &'a Book) -> Self {
        Self { lines: Lines::new(input), issuer, book }
    }

    fn entry(&mut self) -> io::Result<Option<(u64, Result<NamedLink, Fault>)>> {
        loop {
            let place = self.lines.place + 1;
            let Some(text) = self.lines.next_text()? else { return Ok(None) };
            match text.map(str::trim_ascii) {
                Ok("") => {}
                Ok(text) if text.starts_with('#') => {}
                Ok(text) => return Ok(Some((place, of(self.book, self.issuer, text)))),
                Err(fault) => return Ok(Some((place, Err(fault)))),
            }
        }
    }
}

fn of(book: &Book, issuer: Option<IssuerNo>, text: &str) -> Result<NamedLink, Fault> {
    match issuer {
        Some(issuer) => named(book, issuer, text),
        // The number stands for nobody: what has a slash says whose it is.
        None if text.contains('/') => named(book, IssuerNo(0), text),
        None => Err(Fault::WhoseSerial(text.parse()?)),
    }
}

impl<R: BufRead> Iterator for SerialList<'_, R> {
    type Item = io::Result<(u64, Result<NamedLink, Fault>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entry().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::import::samples;

    #[test]
    fn serials_come_with_their_lines_and_causes() {
        let text = b"# lost in transit\n0A\n\nother/0b \r\nzz\nnobody/01\n\xff\n0C";
        let listed: Vec<_> = samples::with_context(|context| {
            SerialList::new(&text[..], Some(context.issuer), context.book)
                .map(|entry| {
                    let (line, named) = entry.unwrap();
                    let named = named.map(|named| format!("{}/{}", named.issuer, named.serial));
                    (line, named.map_err(|fault| fault.to_string().split(' ').next().unwrap().to_owned()))
                })
                .collect()
        });
        let expected = [
            (2, Ok("1/0A".to_owned())),
            (4, Ok("2/0B".to_owned())),
            (5, Err("serial".to_owned())),
            (6, Err("no".to_owned())),
            (7, Err("not".to_owned())),
            (8, Ok("1/0C".to_owned())),
        ];
        assert_eq!(listed, expected);
    }
}
