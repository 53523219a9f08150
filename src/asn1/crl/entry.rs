//! One entry of a CRL: as it is stated, and its octets.

use super::CrlError;
use super::cursor::Cursor;
use super::date::{self, Calendar, DATE_LEN_MAX, date_len};
use super::extension::{self, Weight, id};
use super::write::{self, element_len, tag};
use crate::asn1::raw::TAG_DIRECTORY;
use crate::model::{Listed, Reason, SERIAL_OCTETS_MAX, Serial, Time};

/// What a CRL says of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlEntry<'a> {
    /// Its number at its issuer.
    pub serial: Serial,
    /// revocationDate.
    pub date: Time,
    /// As what it is listed; `Revoked(Unspecified)` is said by leaving the reason out (RFC 5280 §5.3.1).
    pub listed: Listed,
    /// When the key was lost, or is feared to have been.
    pub invalidity_date: Option<Time>,
    /// The DER of its issuer's name, on an indirect CRL; none: the CRL's own issuer.
    pub issuer: Option<&'a [u8]>,
}

/// What nearly every entry of a long list is, in words that processors keep at hand: a number of 16 octets of the CRL's own
/// issuer, a date and a reason. A [`CrlEntry`] says the same in many octets, which take longer to move than to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainEntry {
    /// The serial number; its highest octet is not zero.
    pub number: u128,
    /// revocationDate.
    pub date: Time,
    /// As what it is listed.
    pub listed: Listed,
}

impl PlainEntry {
    /// The same, if it can be said so.
    pub fn of(entry: &CrlEntry<'_>) -> Option<Self> {
        let CrlEntry { serial, date, listed, invalidity_date: None, issuer: None } = *entry else { return None };
        let number = u128::from_be_bytes(serial.as_octets().try_into().ok()?);
        Some(Self { number, date, listed })
    }
}

impl From<PlainEntry> for CrlEntry<'_> {
    fn from(plain: PlainEntry) -> Self {
        let PlainEntry { number, date, listed } = plain;
        let serial = Serial::from_unsigned(&number.to_be_bytes()).expect("it is not zero, and has 16 octets");
        Self { serial, date, listed, invalidity_date: None, issuer: None }
    }
}

/// Puts entries behind each other. An issuer is named where it changes, for an entry that names none has that of the
/// entry before (RFC 5280 §5.3.3).
pub(super) struct EntryWriter<'a> {
    own: &'a [u8],
    issuer: Option<&'a [u8]>,
    calendar: Calendar,
}

/// Reads entries one behind the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryReader<'a> {
    own: &'a [u8],
    issuer: Option<&'a [u8]>,
}

impl<'a> EntryWriter<'a> {
    /// For a CRL of the issuer with that name.
    pub fn new(own: &'a [u8]) -> Self {
        Self { own, issuer: None, calendar: Calendar::new() }
    }

    /// How many octets the next entry takes. Of one list, all of them are measured by one writer and written by another.
    #[inline]
    pub fn measure(&mut self, entry: &CrlEntry<'a>) -> usize {
        let extensions = self.extensions_len(entry);
        self.issuer = entry.issuer;
        element_len(contents_len(entry, extensions))
    }

    /// Writes the next entry.
    #[inline(always)]
    pub fn write(&mut self, out: &mut Vec<u8>, entry: &CrlEntry<'a>) {
        let extensions = self.extensions_len(entry);
        let contents = contents_len(entry, extensions);
        if contents >= 0x80 || entry.invalidity_date.is_some() || self.issuer != entry.issuer {
            return self.write_long(out, entry, contents, extensions);
        }
        // Nearly every entry of a list is of this kind, and lists are long: it is put together in one place of known size.
        let mut short = [0; SHORT_LEN_MAX];
        let digits = entry.serial.as_octets();
        let sign = sign_len(digits);
        let date_at = 4 + sign + digits.len();
        short[..4].copy_from_slice(&[tag::SEQUENCE, contents as u8, tag::INTEGER, (sign + digits.len()) as u8]);
        // As many octets each time; those behind the digits are written over.
        short[4 + sign..4 + sign + SERIAL_OCTETS_MAX].copy_from_slice(entry.serial.padded());
        let date: &mut [u8; DATE_LEN_MAX] =
            (&mut short[date_at..date_at + DATE_LEN_MAX]).try_into().expect("a slice of that length");
        let mut end = date_at + self.calendar.put(date, entry.date);
        if extensions > 0 {
            short[end..end + REASON_ONLY.len()].copy_from_slice(&REASON_ONLY);
            end += REASON_ONLY.len();
            short[end - 1] = entry.listed.code();
        }
        out.extend_from_slice(&short[..end]);
    }

    #[cold]
    fn write_long(&mut self, out: &mut Vec<u8>, entry: &CrlEntry<'a>, contents: usize, extensions: usize) {
        let digits = entry.serial.as_octets();
        write::header(out, tag::SEQUENCE, contents);
        write::header(out, tag::INTEGER, sign_len(digits) + digits.len());
        out.extend_from_slice(&[0][..sign_len(digits)]);
        out.extend_from_slice(digits);
        let mut buffer = [0; DATE_LEN_MAX];
        let length = self.calendar.put(&mut buffer, entry.date);
        out.extend_from_slice(&buffer[..length]);
        if extensions == 0 {
            return;
        }
        write::header(out, tag::SEQUENCE, extensions);
        if says_reason(entry.listed) {
            out.extend_from_slice(&REASON_ONLY[2..REASON_ONLY.len() - 1]);
            out.push(entry.listed.code());
        }
        if let Some(lost) = entry.invalidity_date {
            extension::write(out, id::INVALIDITY_DATE, Weight::Ordinary, &date::generalized(lost));
        }
        if self.issuer != entry.issuer {
            let value = general_names(entry.issuer.unwrap_or(self.own));
            extension::write(out, id::CERTIFICATE_ISSUER, Weight::Critical, &value);
            self.issuer = entry.issuer;
        }
    }

    /// The contents of the extensions' SEQUENCE.
    #[inline]
    fn extensions_len(&self, entry: &CrlEntry<'a>) -> usize {
        let reason = if says_reason(entry.listed) { REASON_ONLY.len() - 2 } else { 0 };
        if entry.invalidity_date.is_none() && self.issuer == entry.issuer {
            return reason;
        }
        let ordinary = Weight::Ordinary;
        let lost = entry.invalidity_date.map_or(0, |_| extension::len(id::INVALIDITY_DATE, ordinary, DATE_LEN_MAX));
        let issuer = if self.issuer == entry.issuer {
            0
        } else {
            let name = entry.issuer.unwrap_or(self.own).len();
            extension::len(id::CERTIFICATE_ISSUER, Weight::Critical, element_len(element_len(name)))
        };
        reason + lost + issuer
    }
}

impl<'a> EntryReader<'a> {
    /// Of a CRL of the issuer with that name.
    pub fn new(own: &'a [u8]) -> Self {
        Self { own, issuer: None }
    }

    /// The next entry of the list.
    #[inline(always)]
    pub fn read(&mut self, list: &mut Cursor<'a>) -> Result<CrlEntry<'a>, CrlError> {
        let mut inside = list.enter(tag::SEQUENCE, ENTRY)?;
        let at = inside.at();
        let serial = serial(inside.contents(tag::INTEGER, "an entry's serial number")?, at)?;
        let date = date(&mut inside)?;
        let mut entry =
            CrlEntry { serial, date, listed: Listed::Revoked(UNSPECIFIED), invalidity_date: None, issuer: self.issuer };
        if inside.is_empty() {
            return Ok(entry);
        }
        let rest = inside.rest();
        if let Some(&[code]) = rest.strip_prefix(&REASON_ONLY[..REASON_ONLY.len() - 1])
            && let Some(listed) = Listed::of_code(code)
        {
            entry.listed = listed;
            return Ok(entry);
        }
        self.read_extensions(&mut inside, &mut entry)?;
        Ok(entry)
    }

    /// The next entry, if it is plain: exactly if [`read`](Self::read) reads the same of it.
    #[inline(always)]
    pub fn read_plain(&self, list: &mut Cursor<'a>) -> Option<PlainEntry> {
        let mut inside = list.enter(tag::SEQUENCE, ENTRY).ok()?;
        let contents = inside.contents(tag::INTEGER, ENTRY).ok()?;
        // The octet for the sign is there exactly if the number's top bit is set.
        let number = u128::from_be_bytes(*contents.last_chunk::<NUMBER_OCTETS>()?);
        let (sign, is_short) = ((number >> 127) as usize, number >> 120 == 0);
        if is_short | (contents.len() != NUMBER_OCTETS + sign) | (sign == 1 && contents[0] != 0) {
            return None;
        }
        let date = date::utc_time(inside.contents(tag::UTC_TIME, DATE).ok()?)?;
        let listed = match inside.rest().split_last() {
            None => Listed::Revoked(UNSPECIFIED),
            Some((code, said)) if *said == REASON_ONLY[..REASON_ONLY.len() - 1] => Listed::of_code(*code)?,
            Some(_) => return None,
        };
        self.issuer.is_none().then_some(PlainEntry { number, date, listed })
    }

    #[cold]
    fn read_extensions(&mut self, inside: &mut Cursor<'a>, entry: &mut CrlEntry<'a>) -> Result<(), CrlError> {
        let mut list = inside.enter(tag::SEQUENCE, "an entry's extensions")?;
        inside.end(ENTRY)?;
        if list.is_empty() {
            return Err(CrlError::Malformed { part: "an entry's extensions", at: list.at() });
        }
        let mut seen = extension::Seen::default();
        while !list.is_empty() {
            let (found, at) = (extension::read(&mut list)?, list.at());
            seen.add(&found)?;
            match found.id {
                id::REASON_CODE => entry.listed = reason(found.value)?,
                id::INVALIDITY_DATE => entry.invalidity_date = Some(extension::generalized(found.value)?),
                id::CERTIFICATE_ISSUER => {
                    if found.weight != Weight::Critical {
                        return Err(CrlError::Malformed { part: "an entry's certificateIssuer", at });
                    }
                    let name = directory_name(found.value)?;
                    self.issuer = (name != self.own).then_some(name);
                    entry.issuer = self.issuer;
                }
                _ if found.weight == Weight::Critical => return Err(CrlError::UnknownCritical { at }),
                _ => {}
            }
        }
        Ok(())
    }
}

#[inline]
fn contents_len(entry: &CrlEntry<'_>, extensions: usize) -> usize {
    let digits = entry.serial.as_octets();
    let extensions = if extensions == 0 { 0 } else { element_len(extensions) };
    2 + sign_len(digits) + digits.len() + date_len(entry.date) + extensions
}

/// A zero octet for the sign, where the number begins with its top bit.
#[inline]
fn sign_len(digits: &[u8]) -> usize {
    usize::from(digits.first().is_some_and(|first| first & 0x80 != 0))
}

fn says_reason(listed: Listed) -> bool {
    listed != Listed::Revoked(UNSPECIFIED)
}

#[inline(always)]
fn serial(contents: &[u8], at: usize) -> Result<Serial, CrlError> {
    // Asked at once: whether there is an octet for the sign is a matter of chance.
    if let [first, second, ..] = contents
        && (*first == 0) & (*second < 0x80)
    {
        return Err(CrlError::Malformed { part: "an entry's serial number", at });
    }
    Serial::from_der_integer(contents).map_err(|cause| CrlError::Serial { at, cause })
}

/// A time in the one form that its year demands.
#[inline(always)]
pub(super) fn date(from: &mut Cursor<'_>) -> Result<Time, CrlError> {
    let at = from.at();
    let read = if from.is_next(tag::UTC_TIME) {
        date::utc_time(from.contents(tag::UTC_TIME, DATE)?)
    } else {
        let time = date::generalized_time(from.contents(tag::GENERALIZED_TIME, DATE)?);
        time.filter(|time| !date::is_utc_time(*time))
    };
    read.ok_or(CrlError::Malformed { part: DATE, at })
}

fn reason(mut value: Cursor<'_>) -> Result<Listed, CrlError> {
    let malformed = CrlError::Malformed { part: "a reasonCode", at: value.at() };
    let contents = value.contents(tag::ENUMERATED, "a reasonCode")?;
    value.end("a reasonCode")?;
    match contents {
        [code] => Listed::of_code(*code).ok_or(malformed),
        _ => Err(malformed),
    }
}

/// GeneralNames of one directoryName.
fn general_names(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 12);
    write::header(&mut out, tag::SEQUENCE, element_len(name.len()));
    write::element(&mut out, TAG_DIRECTORY, name);
    out
}

/// The directoryName among those GeneralNames.
fn directory_name(mut value: Cursor<'_>) -> Result<&[u8], CrlError> {
    const PART: &str = "an entry's certificateIssuer";
    let at = value.at();
    let mut names = value.enter(tag::SEQUENCE, PART)?;
    value.end(PART)?;
    while !names.is_empty() {
        if names.is_next(TAG_DIRECTORY) {
            let mut inside = names.enter(TAG_DIRECTORY, PART)?;
            let name = inside.element(tag::SEQUENCE, PART)?;
            inside.end(PART)?;
            return Ok(name);
        }
        let other = names.rest()[0];
        names.enter(other, PART)?;
    }
    Err(CrlError::Malformed { part: PART, at })
}

const UNSPECIFIED: Reason = Reason::Unspecified;
const ENTRY: &str = "an entry";
const DATE: &str = "a date";
/// What serial numbers of this house have.
const NUMBER_OCTETS: usize = 16;
/// crlEntryExtensions of nothing but a reasonCode, which is the last octet.
const REASON_ONLY: [u8; 14] = [0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0];
/// Two headers, a serial of 21 octets, a date, a reason.
const SHORT_LEN_MAX: usize = 4 + 21 + DATE_LEN_MAX + REASON_ONLY.len();
