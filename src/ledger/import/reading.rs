//! Streaming: a file of any size, one entry in memory, each entry with its place.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::certificates::{Authority, read_der};
use super::lines::{BYTE_ORDER_MARK, Line, Lines};
use super::{Context, ENTRY_OCTETS_MAX, Fault, Record, ndjson, openssl_index};
use crate::asn1::{Asn1Error, pem_blocks};

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One or more DER certificates, one behind the other.
    Der,
    /// One JSON object a line.
    Ndjson,
    /// OpenSSL's `index.txt`.
    OpensslIndex,
    /// PEM, with any text between the blocks.
    Pem,
}

/// What the places of a file count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Certificates, from 1.
    Certificate,
    /// Lines, from 1.
    Line,
}

/// Why reading can't even begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The issuer's own certificate can't be read.
    #[error("the issuer's own certificate: {0}")]
    Authority(Fault),
    /// The file can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The issuer isn't in the book.
    #[error("there is no issuer {0}")]
    NoIssuer(crate::model::IssuerNo),
    /// Neither JSON nor PEM nor DER.
    #[error("neither NDJSON nor PEM nor DER: the file must begin with '{{', '-----BEGIN' or a DER certificate")]
    Unrecognised,
}

/// The entries of a file, with their places.
pub struct Records<'a, R> {
    lines: Lines<R>,
    format: Format,
    context: Context<'a>,
    authority: Option<Authority>,
    found_any: bool,
    ended: bool,
}

impl Format {
    /// What the beginning of a file says: `index.txt` is never guessed, its caller knows.
    ///
    /// `beginning` should reach as far as is cheap: `openssl x509 -text` puts some kilobytes before the first block.
    pub fn detect(beginning: &[u8]) -> Result<Self, OpenError> {
        let text = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(beginning).trim_ascii_start();
        match text {
            [b'{', ..] => Ok(Self::Ndjson),
            // A SEQUENCE with a long-form length, as every certificate has; no text begins so.
            [0x30, 0x81..=0x84, ..] => Ok(Self::Der),
            _ if text.windows(BEGIN.len()).any(|window| window == BEGIN) => Ok(Self::Pem),
            _ => Err(OpenError::Unrecognised),
        }
    }

    /// What its places count.
    pub fn unit(self) -> Unit {
        match self {
            Self::Der => Unit::Certificate,
            Self::Ndjson | Self::OpensslIndex | Self::Pem => Unit::Line,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Line => "line",
        })
    }
}

impl<'a, R: BufRead> Records<'a, R> {
    /// Begins to read.
    pub fn open(input: R, format: Format, context: Context<'a>) -> Result<Self, OpenError> {
        let issuer = context.book.issuer(context.issuer).ok_or(OpenError::NoIssuer(context.issuer))?;
        let authority = match format {
            Format::Der | Format::Pem => Some(Authority::of(issuer).map_err(OpenError::Authority)?),
            Format::Ndjson | Format::OpensslIndex => None,
        };
        let lines = Lines::new(input);
        Ok(Self { lines, format, context, authority, found_any: false, ended: false })
    }

    /// The next entry. Empty lines, comments and text between PEM blocks are passed over.
    fn entry(&mut self) -> io::Result<Option<(u64, Result<Record, Fault>)>> {
        match self.format {
            Format::Der => self.der_entry(),
            Format::Pem => self.pem_entry(),
            Format::Ndjson => self.line_entry(ndjson::read_line),
            Format::OpensslIndex => self.line_entry(openssl_index::read_line),
        }
    }

    fn line_entry(
        &mut self,
        read: fn(&str, &Context<'_>) -> Result<Option<Record>, Fault>,
    ) -> io::Result<Option<(u64, Result<Record, Fault>)>> {
        loop {
            let Some(text) = self.lines.next_text()? else { return Ok(None) };
            let outcome = text.and_then(|text| read(text, &self.context));
            if let Some(outcome) = outcome.transpose() {
                return Ok(Some((self.lines.place, outcome)));
            }
        }
    }

    /// One PEM block with the label of a certificate; others are passed over.
    fn pem_entry(&mut self) -> io::Result<Option<(u64, Result<Record, Fault>)>> {
        while self.next_pem_begin()? {
            let begin = self.lines.place;
            self.found_any |=
                CERTIFICATE_LABELS.iter().any(|label| self.lines.buffer == [BEGIN, label.as_bytes(), DASHES].concat());
            let label = self.lines.buffer[BEGIN.len()..self.lines.buffer.len().saturating_sub(DASHES.len())].to_vec();
            let end = [END, &label[..], DASHES].concat();
            let mut block = [&self.lines.buffer[..], b"\n"].concat();
            let unterminated =
                || Asn1Error::PemUnterminated { label: String::from_utf8_lossy(&label).into(), line: begin as usize };
            loop {
                match self.lines.advance()? {
                    Line::Fits if block.len() + self.lines.buffer.len() < ENTRY_OCTETS_MAX => {}
                    Line::End => return Ok(Some((begin, Err(unterminated().into())))),
                    Line::Fits | Line::TooLong => return Ok(Some((begin, Err(Fault::TooLong)))),
                }
                let line = self.lines.buffer.trim_ascii();
                block.extend_from_slice(line);
                block.push(b'\n');
                if line == end {
                    break;
                }
            }
            let blocks = match std::str::from_utf8(&block) {
                Err(_) => return Ok(Some((begin, Err(Fault::NotUtf8)))),
                Ok(text) => pem_blocks(text),
            };
            match blocks {
                // The armour was read alone, so that its own line is always 1.
                Err(Asn1Error::PemNotBase64 { label, .. }) => {
                    let error = Asn1Error::PemNotBase64 { label, line: begin as usize };
                    return Ok(Some((begin, Err(error.into()))));
                }
                Err(_) => return Ok(Some((begin, Err(unterminated().into())))),
                Ok(blocks) => {
                    let block = blocks.into_iter().find(|block| CERTIFICATE_LABELS.contains(&block.label.as_str()));
                    if let Some(block) = block {
                        return Ok(Some((begin, self.certificate(&block.der))));
                    }
                }
            }
        }
        // A key given by mistake must not look like an import of nothing.
        if self.found_any {
            Ok(None)
        } else {
            Ok(Some((self.lines.place.max(1), Err(Asn1Error::NoCertificate.into()))))
        }
    }

    fn next_pem_begin(&mut self) -> io::Result<bool> {
        loop {
            match self.lines.advance()? {
                Line::End => return Ok(false),
                Line::TooLong => {}
                Line::Fits => {
                    let trimmed = self.lines.buffer.trim_ascii();
                    if trimmed.starts_with(BEGIN) && trimmed.ends_with(DASHES) && trimmed.len() > BEGIN.len() {
                        self.lines.buffer = trimmed.to_vec();
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn der_entry(&mut self) -> io::Result<Option<(u64, Result<Record, Fault>)>> {
        if self.lines.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.lines.place += 1;
        let mut header = [0; 2];
        let whole = self.read_der(&mut header)?;
        if let Err(fault) = whole {
            // Without a length nobody knows where the next certificate begins.
            self.ended = true;
            return Ok(Some((self.lines.place, Err(fault))));
        }
        let der = std::mem::take(&mut self.lines.buffer);
        let record = self.certificate(&der);
        self.lines.buffer = der;
        Ok(Some((self.lines.place, record)))
    }

    /// Reads one SEQUENCE into the buffer.
    fn read_der(&mut self, header: &mut [u8; 2]) -> io::Result<Result<(), Fault>> {
        let malformed = || Fault::Asn1(Asn1Error::NotDer("the file"));
        if !self.fill(header)? {
            return Ok(Err(Fault::CutOff));
        }
        let mut length = [0; 4];
        let octets = match header {
            [0x30, long @ 0x81..=0x84] => usize::from(*long & 0x7f),
            _ => return Ok(Err(malformed())),
        };
        if !self.fill(&mut length[4 - octets..])? {
            return Ok(Err(Fault::CutOff));
        }
        let contents = u32::from_be_bytes(length) as usize;
        if contents > ENTRY_OCTETS_MAX {
            return Ok(Err(Fault::TooLong));
        }
        self.lines.buffer.clear();
        self.lines.buffer.extend_from_slice(header);
        self.lines.buffer.extend_from_slice(&length[4 - octets..]);
        let read = self.lines.input.by_ref().take(contents as u64).read_to_end(&mut self.lines.buffer)?;
        Ok(if read == contents { Ok(()) } else { Err(Fault::CutOff) })
    }

    /// Whether the file had as much as was asked for.
    fn fill(&mut self, wanted: &mut [u8]) -> io::Result<bool> {
        match self.lines.input.read_exact(wanted) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            read => read.map(|()| true),
        }
    }

    fn certificate(&self, der: &[u8]) -> Result<Record, Fault> {
        let authority = self.authority.as_ref().expect("made when a file of certificates was opened");
        read_der(der, authority, &self.context)
    }
}

impl<R: BufRead> Iterator for Records<'_, R> {
    /// The place, and what stands there. After an I/O error nothing more comes.
    type Item = io::Result<(u64, Result<Record, Fault>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.entry().transpose();
        // A PEM file without a certificate says so once.
        self.ended |= !matches!(next, Some(Ok((_, ref entry))) if *entry != Err(Fault::Asn1(Asn1Error::NoCertificate)));
        next
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const CERTIFICATE_LABELS: [&str; 2] = ["CERTIFICATE", "X509 CERTIFICATE"];
