//! The bytes of a registered certificate's row. A registration event carries the digest of exactly these bytes, so they
//! never change once written; a new layout gets a new version number and the old one stays readable.
//!
//! Used by the adapters, which store them, and by `verify`, which hashes them again. Described in `docs/EVENTS.md`.

use crate::model::{
    AppletId, Batch, Certificate, CertificateKey, CertificateNo, Delivery, HolderId, IssuerNo, KeyOrigin, Links,
    Medium, MediumId, MediumKind, Municipality, Operator, Proofing, ScopeNo, Sim, SimId, Usage,
};

use super::bytes::{Malformed, Reader, Writer};

/// The row of a certificate.
pub fn encode_certificate(certificate: &Certificate) -> Vec<u8> {
    let mut w = Writer::with_capacity(176);
    w.u8(ROW_VERSION);
    w.u16(certificate.key.issuer.0);
    w.serial(&certificate.key.serial);
    w.u8(usage_tag(certificate.usage));
    w.u8(medium_tag(certificate.medium.kind));
    w.raw(&certificate.medium.id.0);
    w.raw(&certificate.holder.0);
    w.u32(certificate.batch.0);
    w.time(certificate.not_before);
    w.time(certificate.not_after);
    w.u32(certificate.scope.0);
    w.u32(certificate.municipality.0);
    w.u8(match certificate.key_origin {
        KeyOrigin::Unknown => 0,
        KeyOrigin::Medium => 1,
        KeyOrigin::Service => 2,
    });
    w.u8(match certificate.proofing {
        Proofing::Unknown => 0,
        Proofing::InPerson => 1,
        Proofing::CardSignature => 2,
    });
    w.u8(match certificate.delivery {
        Delivery::Delivered => 0,
        Delivery::Awaited => 1,
    });
    w.option(certificate.sim, |w, sim| {
        w.text(sim.operator.as_str());
        w.raw(&sim.sim.0);
        w.raw(&sim.applet.0);
    });
    let links = &certificate.links;
    for link in [links.issued_under, links.parallel_of, links.succeeds] {
        w.option(link, |w, no| w.u64(no.0));
    }
    w.finish()
}

/// The certificate of a row.
pub fn decode_certificate(bytes: &[u8]) -> Result<Certificate, Malformed> {
    let mut r = Reader::new(bytes);
    match r.u8()? {
        ROW_VERSION => {}
        version => return Err(Malformed::Tag { what: "row version", tag: version.into() }),
    }
    let key = CertificateKey { issuer: IssuerNo(r.u16()?), serial: r.serial()? };
    let certificate = Certificate {
        key,
        usage: usage_of(r.u8()?)?,
        medium: Medium { kind: medium_of(r.u8()?)?, id: MediumId(r.array()?) },
        holder: HolderId(r.array()?),
        batch: Batch(r.u32()?),
        not_before: r.time()?,
        not_after: r.time()?,
        scope: ScopeNo(r.u32()?),
        municipality: Municipality(r.u32()?),
        key_origin: match r.u8()? {
            0 => KeyOrigin::Unknown,
            1 => KeyOrigin::Medium,
            2 => KeyOrigin::Service,
            tag => return Err(Malformed::Tag { what: "key origin", tag: tag.into() }),
        },
        proofing: match r.u8()? {
            0 => Proofing::Unknown,
            1 => Proofing::InPerson,
            2 => Proofing::CardSignature,
            tag => return Err(Malformed::Tag { what: "proofing", tag: tag.into() }),
        },
        delivery: match r.u8()? {
            0 => Delivery::Delivered,
            1 => Delivery::Awaited,
            tag => return Err(Malformed::Tag { what: "delivery", tag: tag.into() }),
        },
        sim: r.option(|r| {
            Ok(Sim { operator: read_operator(r)?, sim: SimId(r.array()?), applet: AppletId(r.array()?) })
        })?,
        links: Links {
            issued_under: r.option(|r| r.u64().map(CertificateNo))?,
            parallel_of: r.option(|r| r.u64().map(CertificateNo))?,
            succeeds: r.option(|r| r.u64().map(CertificateNo))?,
        },
    };
    r.end()?;
    Ok(certificate)
}

/// An operator's name as it stands in any of the formats.
pub(super) fn read_operator(r: &mut Reader<'_>) -> Result<Operator, Malformed> {
    let name = std::str::from_utf8(r.short()?).map_err(|_| Malformed::Value("operator"))?;
    name.parse().map_err(|_| Malformed::Value("operator"))
}

fn usage_tag(usage: Usage) -> u8 {
    match usage {
        Usage::Sign => 1,
        Usage::Auth => 2,
    }
}

fn usage_of(tag: u8) -> Result<Usage, Malformed> {
    match tag {
        1 => Ok(Usage::Sign),
        2 => Ok(Usage::Auth),
        _ => Err(Malformed::Tag { what: "usage", tag: tag.into() }),
    }
}

fn medium_tag(kind: MediumKind) -> u8 {
    match kind {
        MediumKind::Card => 1,
        MediumKind::Sim => 2,
        MediumKind::EseAndroid => 3,
        MediumKind::SeApple => 4,
    }
}

fn medium_of(tag: u8) -> Result<MediumKind, Malformed> {
    match tag {
        1 => Ok(MediumKind::Card),
        2 => Ok(MediumKind::Sim),
        3 => Ok(MediumKind::EseAndroid),
        4 => Ok(MediumKind::SeApple),
        _ => Err(Malformed::Tag { what: "medium", tag: tag.into() }),
    }
}

const ROW_VERSION: u8 = 1;
