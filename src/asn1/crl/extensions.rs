//! The extensions of a CRL, as values that are read; the parts of them that are written, too.

use rasn_pkix::AuthorityKeyIdentifier;

use super::CrlError;
use super::cursor::Cursor;
use super::extension::{self, Found, Seen, Weight, id};
use super::write::{self, element_len, tag};
use crate::asn1::raw::{RawDistributionPoint, encode};
use crate::asn1::{Asn1Error, DistributionPoint, DistributionPointName};
use crate::model::{CrlNumber, Epoch, Position, Time};

/// The extensions of a CRL that was read. `Default` is none at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrlExtensions {
    /// The identifier of the key that signed it.
    pub authority_key_id: Option<Vec<u8>>,
    /// cRLNumber.
    pub number: Option<CrlNumber>,
    /// BaseCRLNumber: there is one on deltas, and on deltas only.
    pub base: Option<CrlNumber>,
    /// Which certificates it speaks of, if not of all of its issuer's.
    pub issuing_point: Option<IssuingPoint>,
    /// Where its deltas are; empty: it has none.
    pub freshest: Vec<DistributionPoint>,
    /// Certificates that expired at or after this time are still listed.
    pub expired_since: Option<Time>,
    /// Up to which event of a ledger of this house it speaks.
    pub reflects: Option<Reflects>,
}

/// issuingDistributionPoint (RFC 5280 §5.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuingPoint {
    /// The name that certificates carry, octet for octet. This house writes none without (rustls and the root
    /// programmes want it in every one).
    pub name: Option<DistributionPointName>,
    /// Of which kind of certificate it speaks.
    pub contains: Contains,
    /// Whose certificates are listed.
    pub lists: Lists,
}

/// Of which kind of certificate a CRL speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contains {
    /// All.
    All,
    /// CA certificates only.
    Authorities,
    /// Holders' certificates only.
    Users,
}

/// Whose certificates a CRL lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// Those of whoever issues the CRL.
    Own,
    /// Those of issuers that its entries name: an indirect CRL.
    Others,
}

/// The last event that a CRL includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reflects {
    /// In which history.
    pub epoch: Epoch,
    /// Its position.
    pub position: Position,
}

impl CrlExtensions {
    /// The extensions in that list.
    pub(super) fn read(mut list: Cursor<'_>) -> Result<Self, CrlError> {
        let (mut extensions, mut seen) = (Self::default(), Seen::default());
        if list.is_empty() {
            return Err(CrlError::Malformed { part: "the CRL's extensions", at: list.at() });
        }
        while !list.is_empty() {
            let found = extension::read(&mut list)?;
            seen.add(&found)?;
            extensions.absorb(&found)?;
        }
        Ok(extensions)
    }

    fn absorb(&mut self, found: &Found<'_>) -> Result<(), CrlError> {
        let octets = found.value.rest();
        match found.id {
            id::AUTHORITY_KEY => {
                let read: AuthorityKeyIdentifier =
                    rasn::der::decode(octets).map_err(Asn1Error::malformed("the CRL's authorityKeyIdentifier"))?;
                self.authority_key_id = read.key_identifier.map(|id| id.to_vec());
            }
            id::NUMBER => self.number = Some(number(found.value)?),
            id::DELTA => {
                critical(found, "deltaCRLIndicator")?;
                self.base = Some(number(found.value)?);
            }
            id::ISSUING_POINT => {
                critical(found, IDP)?;
                self.issuing_point = Some(IssuingPoint::read(found.value)?);
            }
            id::FRESHEST => {
                let points: Vec<RawDistributionPoint> =
                    rasn::der::decode(octets).map_err(Asn1Error::malformed("freshestCRL"))?;
                self.freshest = points.into_iter().map(DistributionPoint::decode).collect::<Result<_, _>>()?;
            }
            id::EXPIRED => self.expired_since = Some(extension::generalized(found.value)?),
            id::REFLECTS => self.reflects = Some(Reflects::read(found.value)?),
            _ if found.weight == Weight::Critical => return Err(CrlError::UnknownCritical { at: found.at }),
            _ => {}
        }
        Ok(())
    }
}

impl IssuingPoint {
    /// Of the certificates of its issuer that carry this name.
    pub fn of(name: DistributionPointName) -> Self {
        Self { name: Some(name), contains: Contains::All, lists: Lists::Own }
    }

    /// Of the certificates that carry this name with its issuer as their cRLIssuer.
    pub fn indirect(name: DistributionPointName) -> Self {
        Self { name: Some(name), contains: Contains::All, lists: Lists::Others }
    }

    /// The value of the extension.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut inside = Vec::new();
        if let Some(name) = &self.name {
            write::element(&mut inside, TAG_NAME, name.as_der());
        }
        match self.contains {
            Contains::All => {}
            Contains::Authorities => write::element(&mut inside, TAG_AUTHORITIES, &[TRUE]),
            Contains::Users => write::element(&mut inside, TAG_USERS, &[TRUE]),
        }
        if self.lists == Lists::Others {
            write::element(&mut inside, TAG_INDIRECT, &[TRUE]);
        }
        let mut out = Vec::with_capacity(element_len(inside.len()));
        write::element(&mut out, tag::SEQUENCE, &inside);
        out
    }

    fn read(mut value: Cursor<'_>) -> Result<Self, CrlError> {
        let at = value.at();
        let mut inside = value.enter(tag::SEQUENCE, IDP)?;
        value.end(IDP)?;
        if inside.is_empty() {
            return Err(CrlError::Malformed { part: IDP, at });
        }
        let name = if inside.is_next(TAG_NAME) {
            Some(DistributionPointName::from_der(inside.contents(TAG_NAME, IDP)?)?)
        } else {
            None
        };
        let users = flag(&mut inside, TAG_USERS)?;
        let authorities = flag(&mut inside, TAG_AUTHORITIES)?;
        if inside.is_next(TAG_REASONS) {
            return Err(CrlError::Partial("some reasons"));
        }
        let indirect = flag(&mut inside, TAG_INDIRECT)?;
        if flag(&mut inside, TAG_ATTRIBUTES)? == Flag::Set {
            return Err(CrlError::Partial("attribute certificates"));
        }
        inside.end(IDP)?;
        let contains = match (users, authorities) {
            (Flag::Unset, Flag::Unset) => Contains::All,
            (Flag::Unset, Flag::Set) => Contains::Authorities,
            (Flag::Set, Flag::Unset) => Contains::Users,
            (Flag::Set, Flag::Set) => return Err(CrlError::Malformed { part: IDP, at }),
        };
        let lists = if indirect == Flag::Set { Lists::Others } else { Lists::Own };
        Ok(Self { name, contains, lists })
    }
}

impl Reflects {
    /// `SEQUENCE { epoch INTEGER, position INTEGER }`.
    pub(super) fn encode(self) -> Vec<u8> {
        let mut inside = Vec::new();
        integer(&mut inside, CrlNumber::from(u64::from(self.epoch.0)));
        integer(&mut inside, CrlNumber::from(self.position.0));
        let mut out = Vec::with_capacity(element_len(inside.len()));
        write::element(&mut out, tag::SEQUENCE, &inside);
        out
    }

    fn read(mut value: Cursor<'_>) -> Result<Self, CrlError> {
        const PART: &str = "the position that the CRL reflects";
        let malformed = CrlError::Malformed { part: PART, at: value.at() };
        let mut inside = value.enter(tag::SEQUENCE, PART)?;
        value.end(PART)?;
        let mut next = || -> Result<Option<u64>, CrlError> { Ok(small(unsigned(&mut inside)?)) };
        let (epoch, position) = (next()?, next()?);
        inside.end(PART)?;
        let epoch = epoch.and_then(|epoch| u32::try_from(epoch).ok());
        match (epoch, position) {
            (Some(epoch), Some(position)) => Ok(Self { epoch: Epoch(epoch), position: Position(position) }),
            _ => Err(malformed),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Set,
    Unset,
}

/// A BOOLEAN DEFAULT FALSE: if it is there, it is TRUE.
fn flag(inside: &mut Cursor<'_>, tag: u8) -> Result<Flag, CrlError> {
    if !inside.is_next(tag) {
        return Ok(Flag::Unset);
    }
    let at = inside.at();
    if inside.contents(tag, IDP)? == [TRUE] { Ok(Flag::Set) } else { Err(CrlError::Malformed { part: IDP, at }) }
}

fn critical(found: &Found<'_>, part: &'static str) -> Result<(), CrlError> {
    if found.weight == Weight::Critical { Ok(()) } else { Err(CrlError::Malformed { part, at: found.at }) }
}

/// The value of freshestCRL with one place.
pub(super) fn freshest(name: &DistributionPointName) -> Vec<u8> {
    let point = DistributionPoint::own(name.clone()).encode().expect("it has a name and isn't limited");
    encode(&vec![point])
}

/// The value of authorityKeyIdentifier.
pub(super) fn authority_key(identifier: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(identifier.len() + 8);
    write::header(&mut out, tag::SEQUENCE, element_len(identifier.len()));
    write::element(&mut out, TAG_KEY_IDENTIFIER, identifier);
    out
}

/// A number as a whole INTEGER.
pub(super) fn integer(out: &mut Vec<u8>, number: CrlNumber) {
    let octets = number.as_octets();
    let sign = usize::from(octets.first().is_none_or(|first| first & 0x80 != 0));
    write::header(out, tag::INTEGER, sign + octets.len());
    out.extend_from_slice(&[0][..sign]);
    out.extend_from_slice(octets);
}

/// The number that is all of a value.
fn number(mut value: Cursor<'_>) -> Result<CrlNumber, CrlError> {
    let number = CrlNumber::from_unsigned(unsigned(&mut value)?)?;
    value.end("a CRL number")?;
    Ok(number)
}

/// The octets of an INTEGER that isn't negative, in its shortest form.
fn unsigned<'a>(from: &mut Cursor<'a>) -> Result<&'a [u8], CrlError> {
    const PART: &str = "a number";
    let at = from.at();
    match from.contents(tag::INTEGER, PART)? {
        [] | [0x80..=0xff, ..] | [0x00, 0x00..=0x7f, ..] => Err(CrlError::Malformed { part: PART, at }),
        octets => Ok(octets),
    }
}

fn small(octets: &[u8]) -> Option<u64> {
    let digits = octets.strip_prefix(&[0]).unwrap_or(octets);
    (digits.len() <= 8).then(|| digits.iter().fold(0, |sum, digit| sum << 8 | u64::from(*digit)))
}

const IDP: &str = "issuingDistributionPoint";
const TRUE: u8 = 0xff;
const TAG_KEY_IDENTIFIER: u8 = 0x80;
/// distributionPoint: a CHOICE, hence explicitly tagged.
const TAG_NAME: u8 = 0xa0;
const TAG_USERS: u8 = 0x81;
const TAG_AUTHORITIES: u8 = 0x82;
const TAG_REASONS: u8 = 0x83;
const TAG_INDIRECT: u8 = 0x84;
const TAG_ATTRIBUTES: u8 = 0x85;
