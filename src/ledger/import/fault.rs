//! What can be wrong with one entry of an imported file: the cause that is named beside its line.

use crate::asn1::Asn1Error;
use crate::model::{IdError, Reason, ReasonError, Serial, SerialError, Time, enrolled_in_doubt};

/// Why an entry can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a certificate.
    #[error("{0}")]
    Asn1(#[from] Asn1Error),
    /// Not the number of columns that OpenSSL's index has.
    #[error("{found} columns, an OpenSSL index has 6, separated by tabs")]
    Columns {
        /// How many there are.
        found: usize,
    },
    /// The ledger already knows the certificate with another value.
    #[error("contradicts what is registered: {}", contradiction(field, registered, stated))]
    Contradicts {
        /// Which fact.
        field: &'static str,
        /// As it is registered.
        registered: String,
        /// As the file states it.
        stated: String,
    },
    /// The ledger already knows the certificate with another value than the import was asked to take for the whole file.
    #[error("contradicts what is registered: {field} is {registered} in the ledger, {asked} was asked for")]
    ContradictsOption {
        /// Which fact, by the name of its option.
        field: &'static str,
        /// As it is registered.
        registered: String,
        /// As it was asked for.
        asked: String,
    },
    /// A set event ended or holds everything that this certificate would belong to.
    #[error("nothing can be registered with this {what} any more: event {event} closed it")]
    Closed {
        /// Issuer or batch.
        what: &'static str,
        /// The set event's position.
        event: u64,
    },
    /// Fewer octets than the certificate says it has.
    #[error("the file ends in the middle of this certificate: it was cut off")]
    CutOff,
    /// A date in none of OpenSSL's two forms.
    #[error("{field} '{text}' is not a date such as 261120093000Z or 20561120093000Z")]
    Date {
        /// Which.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// The serial number occurred before.
    #[error("its serial number stands in {unit} {first} already")]
    Duplicate {
        /// Line or certificate.
        unit: super::Unit,
        /// The first place.
        first: u64,
    },
    /// Enrolled under a card's certificate after that was lost, held or revoked.
    #[error("{}", enrolled_in_doubt(under, *since))]
    EnrolledInDoubt {
        /// The card's certificate.
        under: Serial,
        /// Since when it has been in doubt.
        since: Time,
    },
    /// Marked as expired, with an end of validity still to come.
    #[error("marked expired (E), but it is valid until {0}: run 'openssl ca -updatedb' or correct the flag")]
    ExpiredTooSoon(String),
    /// A flag other than V, R, E.
    #[error("status flag '{0}' is not one of V, R, E")]
    Flag(String),
    /// A certificate that isn't one for people.
    #[error("this is {0}, not a person's certificate: leave it out")]
    NotAPersons(&'static str),
    /// A certificate signed by another key than the issuer's, of the same name.
    #[error("issued by {0}")]
    ForeignIssuer(&'static str),
    /// A list of serials names one that isn't registered.
    #[error("issuer '{issuer}' has no certificate {serial} registered")]
    NotRegistered {
        /// Which.
        serial: String,
        /// Whose it would be.
        issuer: String,
    },
    /// The file held it, and now says valid.
    #[error(
        "the file held it before and now says valid (V): an import lifts no hold: use 'tashika cert release', \
         then import again"
    )]
    HoldNotLifted,
    /// An identifier that is empty or too long.
    #[error("{field} has {octets} octets, 1 to 256 are allowed")]
    Identifier {
        /// Which field.
        field: &'static str,
        /// Its length.
        octets: usize,
    },
    /// A name that isn't one.
    #[error("{0}")]
    Id(#[from] IdError),
    /// Not the JSON that is asked for.
    #[error("this is not a certificate's JSON object: correct it ({0}; docs/IMPORTING.md has the fields)")]
    Json(String),
    /// A link to what is neither registered nor earlier in the file.
    #[error("it links to a certificate that is neither registered nor earlier in this file")]
    LinkUnknown,
    /// A word that isn't one of those a field takes.
    #[error("{field} '{text}' is not one of {known}")]
    NotOneOf {
        /// Which field.
        field: &'static str,
        /// What stands there.
        text: String,
        /// What may stand there.
        known: &'static str,
    },
    /// Octets that aren't text.
    #[error("not UTF-8")]
    NotUtf8,
    /// A reason or a date where the flag allows none, or the other way round.
    #[error("{0}")]
    RevocationColumn(&'static str),
    /// A reason that isn't one.
    #[error("{0}")]
    Reason(#[from] ReasonError),
    /// The file says something milder than the ledger.
    #[error("revoked for {known} in the ledger, {stated} in the file: a final reason is never weakened")]
    ReasonWeaker {
        /// The ledger's.
        known: Reason,
        /// The file's.
        stated: Reason,
    },
    /// The ledger has it revoked, the file doesn't.
    #[error("revoked in the ledger ({known}), which is final, but {stated} in the file: correct the file")]
    Revoked {
        /// The ledger's reason.
        known: Reason,
        /// What the file says.
        stated: &'static str,
    },
    /// Not a serial number.
    #[error("serial number: {0}")]
    Serial(#[from] SerialError),
    /// The SIM's three facts belong together.
    #[error("{0}")]
    Sim(&'static str),
    /// The certificate's own distribution points lead to no one scope.
    #[error("{0}")]
    ScopeOfCertificate(String),
    /// The signature doesn't verify.
    #[error("the signature does not verify with the issuer's key")]
    Signature,
    /// Longer than any entry.
    #[error("longer than {} octets", super::ENTRY_OCTETS_MAX)]
    TooLong,
    /// The certificate's status doesn't take what the file says.
    #[error("{0}")]
    Status(#[from] crate::model::StatusRefusal),
    /// Not a time.
    #[error("{field}: {why}")]
    Time {
        /// Which field.
        field: &'static str,
        /// Why.
        why: String,
    },
    /// A time to come where only a past one makes sense.
    #[error("{field} {time} lies in the future")]
    TimeAhead {
        /// Which field.
        field: &'static str,
        /// What it says.
        time: String,
    },
    /// An issuer or scope that isn't in the book.
    #[error("no {what} '{name}' is registered{hint}")]
    Unknown {
        /// Issuer or scope.
        what: &'static str,
        /// As the file names it.
        name: String,
        /// What to do.
        hint: &'static str,
    },
    /// The end before the beginning.
    #[error("the validity ends before it begins")]
    ValidityReversed,
    /// A serial of nobody's.
    #[error("serial {0} of which issuer? name it with --issuer, or write ISSUER/{0}")]
    WhoseSerial(Serial),
    /// Several scopes, none chosen.
    #[error("the issuer has several CRL scopes: say which one")]
    WhichScope,
}

/// Holders, media and SIMs are never shown, pseudonyms or not.
fn contradiction(field: &str, registered: &str, stated: &str) -> String {
    if PERSONAL.contains(&field) {
        format!("{field} is another one in the ledger")
    } else {
        format!("{field} is {registered} in the ledger, {stated} in the file")
    }
}

const PERSONAL: [&str; 4] = ["SIM", "a link", "holder", "medium id"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pseudonym_is_shown() {
        let fault = |field| Fault::Contradicts { field, registered: "0123".into(), stated: "4567".into() }.to_string();
        assert!(fault("batch").contains("0123") && fault("batch").contains("4567"));
        for field in PERSONAL {
            assert!(!fault(field).contains("0123") && !fault(field).contains("4567"), "{}", fault(field));
        }
    }
}
