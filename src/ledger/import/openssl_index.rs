//! OpenSSL's `index.txt`, the database of `openssl ca`: one line a certificate, six columns separated by tabs.
//!
//! Flag (V, R, E), end of validity, revocation (date, reason, and what the reason asks for), serial number, file name,
//! subject. Lines that begin with `#` are comments, as they are for OpenSSL. Called by `reading`.

use std::borrow::Cow;

use super::moment::openssl_date;
use super::{Context, Fault, NamedLinks, Record, Remarks, Standing, States};
use crate::model::{Reason, ReasonError, Time};

/// What one line says; `None` for a comment or an empty line.
pub(super) fn read_line(line: &str, context: &Context<'_>) -> Result<Option<Record>, Fault> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let columns = columns(line);
    let [flag, expiry, revocation, serial, _file, subject] = &columns[..] else {
        return Err(Fault::Columns { found: columns.len() });
    };
    let serial = serial.parse()?;
    let not_after = openssl_date("expiry", expiry)?;
    let standing = standing(flag, revocation)?;
    let not_before = context.defaults.known_from.min(not_after);
    let mut certificate = context.bare(serial, not_before, not_after, subject)?;
    certificate.scope = context.default_scope()?;
    let (links, remarks) = (NamedLinks::default(), Remarks::default());
    Ok(Some(Record { certificate, states: States::Expiry, standing, links, remarks }))
}

/// The columns; a tab behind a backslash belongs to its column (OpenSSL's TXT_DB).
fn columns(line: &str) -> Vec<Cow<'_, str>> {
    let mut columns: Vec<Cow<'_, str>> = Vec::with_capacity(6);
    let mut continued = false;
    for piece in line.split('\t') {
        let (piece, goes_on) = match piece.strip_suffix('\\') {
            Some(escaped) => (escaped, true),
            None => (piece, false),
        };
        match columns.last_mut() {
            Some(last) if continued => *last = Cow::Owned(format!("{last}\t{piece}")),
            _ => columns.push(Cow::Borrowed(piece)),
        }
        continued = goes_on;
    }
    columns
}

fn standing(flag: &str, revocation: &str) -> Result<Standing, Fault> {
    match (flag, revocation) {
        ("V", "") => Ok(Standing::Valid),
        ("E", "") => Ok(Standing::Expired),
        ("V" | "E", _) => Err(Fault::RevocationColumn("a revocation date in a line that is not flagged R")),
        ("R", "") => Err(Fault::RevocationColumn("flagged R without a revocation date")),
        ("R", revocation) => revoked(revocation),
        (flag, _) => Err(Fault::Flag(flag.escape_debug().to_string())),
    }
}

/// `date`, `date,reason`, `date,holdInstruction,OID` or `date,keyTime|CAkeyTime,time`.
fn revoked(column: &str) -> Result<Standing, Fault> {
    let mut parts = column.splitn(3, ',');
    let at = openssl_date("revocation date", parts.next().unwrap_or_default())?;
    let (reason, extra) = (parts.next(), parts.next());
    let revoked = |reason, lost_at| Standing::Revoked { reason, at, lost_at };
    let Some(name) = reason else { return Ok(revoked(None, None)) };
    match (name.to_ascii_lowercase().as_str(), extra) {
        ("certificatehold", None) => Ok(Standing::Held),
        // The instruction itself was never defined for anything but "call" and "reject", and RFC 5280 dropped both.
        ("holdinstruction", Some(instruction)) if !instruction.is_empty() => Ok(Standing::Held),
        ("holdinstruction", _) => Err(Fault::RevocationColumn("holdInstruction without an instruction")),
        ("keytime", Some(time)) => Ok(revoked(Some(Reason::KeyCompromise), Some(invalidity(time)?))),
        ("cakeytime", Some(time)) => Ok(revoked(Some(Reason::CaCompromise), Some(invalidity(time)?))),
        ("keytime" | "cakeytime", None) => Err(Fault::RevocationColumn("keyTime or CAkeyTime without a time")),
        (_, Some(_)) => Err(Fault::RevocationColumn("something follows a reason that takes nothing")),
        (_, None) => match Reason::ALL.into_iter().find(|reason| reason.name().eq_ignore_ascii_case(name)) {
            Some(reason) => Ok(revoked(Some(reason), None)),
            None => Err(ReasonError::Name(name.escape_debug().to_string()).into()),
        },
    }
}

fn invalidity(text: &str) -> Result<Time, Fault> {
    openssl_date("compromise time", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::import::samples;

    fn read(line: &str) -> Result<Option<Record>, Fault> {
        samples::with_context(|context| read_line(line, context))
    }

    fn standing_of(line: &str) -> Standing {
        read(line).unwrap().unwrap().standing
    }

    #[test]
    fn every_form_of_a_line_is_understood() {
        let revoked = |reason, lost_at: Option<&str>| Standing::Revoked {
            reason,
            at: "2026-11-20T11:16:27Z".parse().unwrap(),
            lost_at: lost_at.map(|text| text.parse().unwrap()),
        };
        let cases = [
            ("V\t261220111627Z\t\t0A24\tunknown\t/CN=x", Standing::Valid),
            ("E\t210101000000Z\t\t0A1E\tunknown\t/CN=x", Standing::Expired),
            ("R\t20560101000000Z\t261120111627Z\tA1B\tunknown\t/CN=x", revoked(None, None)),
            (
                "R\t261220111626Z\t261120111627Z,keyCompromise\t0A1C\tunknown\t/CN=x",
                revoked(Some(Reason::KeyCompromise), None),
            ),
            (
                "R\t261220111626Z\t20261120111627Z,CACompromise\t0A1C\tunknown\t/CN=x",
                revoked(Some(Reason::CaCompromise), None),
            ),
            (
                "R\t261220111627Z\t261120111627Z,keyTime,20240101000000Z\t0A1F\tunknown\t/CN=x",
                revoked(Some(Reason::KeyCompromise), Some("2024-01-01T00:00:00Z")),
            ),
            (
                "R\t261220111627Z\t261120111627Z,CAkeyTime,20240101000000Z\t0A1F\tunknown\t/CN=x",
                revoked(Some(Reason::CaCompromise), Some("2024-01-01T00:00:00Z")),
            ),
            ("R\t261220111627Z\t261120111627Z,certificateHold\t0A21\tunknown\t/CN=x", Standing::Held),
            ("R\t261220111627Z\t261120111627Z,holdInstruction,1.2.840.10040.2.2\t0A1D\tunknown\t/CN=x", Standing::Held),
        ];
        for (line, expected) in cases {
            assert_eq!(standing_of(line), expected, "{line}");
        }
        assert_eq!(read("# made by hand").unwrap(), None);
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn odd_serials_and_escaped_tabs_are_tolerated() {
        let record = read("V\t261220111627Z\t\tA1B\tunknown\t/CN=a\\\tb").unwrap().unwrap();
        assert_eq!(record.certificate.key.serial.to_string(), "0A1B");
        let same = read("V\t261220111627Z\t\tB1B\tunknown\t/CN=a\\\tb").unwrap().unwrap();
        assert_eq!(record.certificate.holder, same.certificate.holder);
        assert_eq!(columns("a\\\tb\tc"), ["a\tb", "c"]);
    }

    #[test]
    fn every_bad_line_has_its_cause() {
        let cases: [(&str, &str); 15] = [
            ("V\t261220111627Z\t0A24\tunknown\t/CN=x", "5 columns"),
            ("V\t261220111627Z\t\t0A24\tunknown\t/CN=x\t", "7 columns"),
            ("X\t261220111627Z\t\t0A24\tunknown\t/CN=x", "status flag 'X'"),
            ("V\t261220111627Z\t261120111627Z\t0A24\tunknown\t/CN=x", "not flagged R"),
            ("R\t261220111627Z\t\t0A24\tunknown\t/CN=x", "without a revocation date"),
            ("V\t2612201116Z\t\t0A24\tunknown\t/CN=x", "expiry '2612201116Z'"),
            ("R\t261220111627Z\tyesterday\t0A24\tunknown\t/CN=x", "revocation date 'yesterday'"),
            ("R\t261220111627Z\t261120111627Z,lost\t0A24\tunknown\t/CN=x", "'lost' is not a revocation reason"),
            ("R\t261220111627Z\t261120111627Z,1\t0A24\tunknown\t/CN=x", "'1' is not a revocation reason"),
            ("R\t261220111627Z\t261120111627Z,removeFromCRL\t0A24\tunknown\t/CN=x", "'removeFromCRL' is not"),
            ("R\t261220111627Z\t261120111627Z,keyTime\t0A24\tunknown\t/CN=x", "without a time"),
            ("R\t261220111627Z\t261120111627Z,keyTime,now\t0A24\tunknown\t/CN=x", "compromise time 'now'"),
            ("R\t261220111627Z\t261120111627Z,superseded,x\t0A24\tunknown\t/CN=x", "something follows"),
            ("V\t261220111627Z\t\t00\tunknown\t/CN=x", "not zero"),
            ("V\t261220111627Z\t\t-0A\tunknown\t/CN=x", "positive"),
        ];
        for (line, cause) in cases {
            let fault = read(line).unwrap_err().to_string();
            assert!(fault.contains(cause), "{line}: {fault}");
        }
    }
}
