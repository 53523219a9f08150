//! NDJSON: one certificate a line, as a JSON object with everything that the ledger keeps of it.
//!
//! Field by field in `docs/IMPORTING.md`. Unknown and repeated fields are refused: a misspelt `succeeds` must not be
//! lost silently. Called by `reading`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::moment::rfc3339;
use super::{Context, Fault, Kind, NamedLink, NamedLinks, Record, Remarks, Standing, States};
use crate::ledger::json_object::Object;
use crate::model::{
    AppletId, Batch, Book, Certificate, CertificateKey, Delivery, HolderId, IssuerNo, KeyOrigin, Links, Medium,
    MediumId, MediumKind, Municipality, Proofing, ScopeNo, Sim, SimId, Usage,
};

/// What one line says; `None` for an empty line.
pub(super) fn read_line(line: &str, context: &Context<'_>) -> Result<Option<Record>, Fault> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let Object(fields): Object<Fields<'_>> = serde_json::from_str(line).map_err(|error| Fault::Json(cause(&error)))?;
    let links = NamedLinks {
        issued_under: link(context, fields.issued_under.as_ref())?,
        parallel_of: link(context, fields.parallel_of.as_ref())?,
        succeeds: link(context, fields.succeeds.as_ref())?,
    };
    let certificate = fields.certificate(context)?;
    let (states, standing) = (States::Everything, Standing::Unsaid);
    Ok(Some(Record { certificate, states, standing, links, remarks: Remarks::default() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow)]
    serial: Text<'a>,
    #[serde(borrow)]
    not_before: Text<'a>,
    #[serde(borrow)]
    not_after: Text<'a>,
    #[serde(borrow, rename = "type")]
    usage: Text<'a>,
    #[serde(borrow)]
    holder: Text<'a>,
    #[serde(borrow)]
    medium: Option<Object<MediumFields<'a>>>,
    #[serde(borrow)]
    medium_kind: Option<Text<'a>>,
    #[serde(borrow)]
    medium_id: Option<Text<'a>>,
    #[serde(borrow)]
    operator: Option<Text<'a>>,
    #[serde(borrow)]
    sim: Option<Text<'a>>,
    #[serde(borrow)]
    applet: Option<Text<'a>>,
    #[serde(borrow)]
    scope: Option<Text<'a>>,
    municipality: Option<Code>,
    batch: Option<Code>,
    #[serde(borrow)]
    key_origin: Option<Text<'a>>,
    #[serde(borrow)]
    proofing: Option<Text<'a>>,
    #[serde(default)]
    pending: bool,
    #[serde(borrow)]
    issued_under: Option<Text<'a>>,
    #[serde(borrow)]
    parallel_of: Option<Text<'a>>,
    #[serde(borrow)]
    succeeds: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediumFields<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
}

impl Fields<'_> {
    fn certificate(&self, context: &Context<'_>) -> Result<Certificate, Fault> {
        let usage = one_of("type", &self.usage, &[("SIGN", Usage::Sign), ("AUTH", Usage::Auth)], "SIGN, AUTH")?;
        let medium = self.medium(context)?;
        let not_before = rfc3339("not_before", &self.not_before)?;
        let not_after = rfc3339("not_after", &self.not_after)?;
        if not_after < not_before {
            return Err(Fault::ValidityReversed);
        }
        Ok(Certificate {
            key: CertificateKey { issuer: context.issuer, serial: self.serial.parse()? },
            usage,
            medium,
            holder: HolderId(context.pseudonym(Kind::Holder, "holder", &self.holder)?),
            sim: self.sim(context, medium.kind)?,
            batch: self.batch.as_ref().map_or(context.defaults.batch.unwrap_or_default(), |code| Batch(code.0)),
            not_before,
            not_after,
            scope: self.scope(context)?,
            municipality: self
                .municipality
                .as_ref()
                .map_or(context.defaults.municipality.unwrap_or_default(), |code| Municipality(code.0)),
            key_origin: self.key_origin.as_ref().map_or(Ok(KeyOrigin::Unknown), |text| {
                let known = [("medium", KeyOrigin::Medium), ("service", KeyOrigin::Service)];
                one_of("key_origin", text, &known, "medium, service")
            })?,
            proofing: self.proofing.as_ref().map_or(Ok(Proofing::Unknown), |text| {
                let known = [("in-person", Proofing::InPerson), ("card-signature", Proofing::CardSignature)];
                one_of("proofing", text, &known, "in-person, card-signature")
            })?,
            delivery: if self.pending { Delivery::Awaited } else { Delivery::Delivered },
            links: Links::default(),
        })
    }

    fn medium(&self, context: &Context<'_>) -> Result<Medium, Fault> {
        let (kind, id) = match (&self.medium, &self.medium_kind, &self.medium_id) {
            (Some(Object(medium)), None, None) => (&medium.kind, &medium.id),
            (None, Some(kind), Some(id)) => (kind, id),
            (Some(_), _, _) => return Err(Fault::Json("medium is given twice: as an object and flat".into())),
            (None, _, _) => {
                return Err(Fault::Json("missing field `medium` (or `medium_kind` and `medium_id`)".into()));
            }
        };
        let known = [MediumKind::Card, MediumKind::EseAndroid, MediumKind::SeApple, MediumKind::Sim]
            .map(|kind| (kind.name(), kind));
        let kind = one_of("medium kind", kind, &known, "CARD, ESE_ANDROID, SE_APPLE, SIM")?;
        Ok(Medium { kind, id: MediumId(context.pseudonym(Kind::Medium, "medium id", id)?) })
    }

    fn sim(&self, context: &Context<'_>, kind: MediumKind) -> Result<Option<Sim>, Fault> {
        match (&self.operator, &self.sim, &self.applet, kind) {
            (Some(operator), Some(sim), Some(applet), MediumKind::Sim) => Ok(Some(Sim {
                operator: operator.parse()?,
                sim: SimId(context.pseudonym(Kind::Sim, "sim", sim)?),
                applet: AppletId(context.pseudonym(Kind::Applet, "applet", applet)?),
            })),
            (None, None, None, MediumKind::Sim) => {
                Err(Fault::Sim("a certificate in a SIM needs operator, sim and applet: its carrier reports by them"))
            }
            (None, None, None, _) => Ok(None),
            (_, _, _, MediumKind::Sim) => Err(Fault::Sim("operator, sim and applet go together")),
            _ => Err(Fault::Sim("operator, sim and applet belong to a medium of kind SIM")),
        }
    }

    /// By path, by the address in the distribution point, or by `der:` and the distribution point's name in hexadecimal.
    fn scope(&self, context: &Context<'_>) -> Result<ScopeNo, Fault> {
        let Some(text) = &self.scope else { return context.default_scope() };
        let own = |scope: &&crate::model::Scope| scope.issuer == context.issuer;
        if let Some(scope) = context.book.scopes.iter().filter(own).find(|scope| scope.path == **text) {
            return Ok(scope.no);
        }
        let point = match text.strip_prefix("der:") {
            Some(hex) => octets(hex),
            None => crate::asn1::DistributionPointName::uri(text).ok().map(|name| name.as_der().to_vec()),
        };
        point
            .filter(|point| !point.is_empty())
            .and_then(|point| context.book.scope_of(context.issuer, &point))
            .map(|scope| scope.no)
            .ok_or_else(|| Fault::Unknown {
                what: "CRL scope",
                name: text.escape_debug().to_string(),
                hint: " for this issuer: add it with 'tashika scope add'",
            })
    }
}

fn link(context: &Context<'_>, text: Option<&Text<'_>>) -> Result<Option<NamedLink>, Fault> {
    text.map(|text| named(context.book, context.issuer, text)).transpose()
}

/// `SERIAL` of the same issuer, or `ISSUER/SERIAL`.
pub(super) fn named(book: &Book, issuer: IssuerNo, text: &str) -> Result<NamedLink, Fault> {
    let (issuer, serial) = match text.split_once('/') {
        None => (issuer, text),
        Some((name, serial)) => match book.issuer_named(name) {
            Some(issuer) => (issuer.no, serial),
            None => {
                let name = name.escape_debug().to_string();
                return Err(Fault::Unknown { what: "issuer", name, hint: ": see 'tashika issuer list'" });
            }
        },
    };
    Ok(NamedLink { issuer, serial: serial.parse()? })
}

fn one_of<T: Copy>(field: &'static str, text: &str, known: &[(&str, T)], names: &'static str) -> Result<T, Fault> {
    known
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, value)| *value)
        .ok_or_else(|| Fault::NotOneOf { field, text: text.escape_debug().to_string(), known: names })
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.bytes().map(|c| (c as char).to_digit(16).map(|digit| digit as u8)).collect::<Option<Vec<_>>>()?;
    (digits.len() % 2 == 0).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// What serde_json says, with the column; its line is always 1 here and the true one is named beside the fault.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => format!("{} (column {})", &text[..at], error.column()),
        None => text,
    }
}

/// Text borrowed from the line unless it has escapes. (Behind an `Option`, serde would copy a plain `Cow`.)
struct Text<'a>(Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A code as a number, or as a string of digits: municipal codes are often written with a leading zero.
struct Code(u32);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeVisitor;
        impl Visitor<'_> for CodeVisitor {
            type Value = Code;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number below 2³², or a string of its digits")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Code, E> {
                u32::try_from(number)
                    .map(Code)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Code, E> {
                let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
                let invalid = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                if digits { text.parse().map(Code).map_err(|_| invalid()) } else { Err(invalid()) }
            }
        }
        deserializer.deserialize_any(CodeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::import::samples;
    use crate::model::Operator;

    const CARD: &str = r#"{"serial":"0a1b","not_before":"2026-01-01T09:00:00+09:00","not_after":"2031-01-01T00:00:00Z","type":"SIGN","medium":{"kind":"CARD","id":"card 1"},"holder":"taro","scope":"http://s.example/crl/sign-1.crl","municipality":"01100","batch":7,"key_origin":"medium","proofing":"in-person"}"#;
    const PHONE: &str = r#"{"serial":"A1C","not_before":"2026-01-01T00:00:00Z","not_after":"2031-01-01T00:00:00Z","type":"AUTH","medium_kind":"SIM","medium_id":"00000000000000000000000000000001","holder":"taro","operator":"mno-1","sim":"89811","applet":"A000","scope":"sign-2.crl","pending":true,"issued_under":"0A1B","parallel_of":"other/0F","succeeds":"0xFF"}"#;

    fn read(line: &str) -> Result<Option<Record>, Fault> {
        samples::with_context(|context| read_line(line, context))
    }

    #[test]
    fn a_card_and_a_phone_are_read_whole() {
        let card = read(CARD).unwrap().unwrap().certificate;
        assert_eq!(card.not_before.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!((card.municipality, card.batch, card.scope), (Municipality(1100), Batch(7), ScopeNo(1)));
        assert_eq!((card.key_origin, card.proofing), (KeyOrigin::Medium, Proofing::InPerson));
        assert_eq!(card.medium.id, MediumId(samples::pseudonym(Kind::Medium, "card 1")));
        let phone = read(PHONE).unwrap().unwrap();
        assert_eq!(phone.certificate.holder, card.holder);
        assert_eq!(phone.certificate.medium.id.to_string(), "00000000000000000000000000000001");
        assert_eq!(phone.certificate.sim.unwrap().operator, "mno-1".parse::<Operator>().unwrap());
        assert_eq!(phone.certificate.delivery, Delivery::Awaited);
        assert_eq!(phone.certificate.scope, ScopeNo(2));
        let links: Vec<_> = phone.links.iter().map(|link| (link.issuer.0, link.serial.to_string())).collect();
        assert_eq!(links, [(1, "0A1B".into()), (2, "0F".into()), (1, "FF".into())]);
    }

    #[test]
    fn every_bad_line_has_its_cause() {
        let long = "x".repeat(257);
        let cases: [(&str, &str, &str); 22] = [
            ("\"taro\"", "\"taro\",\"succeds\":\"01\"", "unknown field `succeds`"),
            ("\"serial\":\"0a1b\",", "", "missing field `serial`"),
            ("\"batch\":7", "\"batch\":7,\"batch\":8", "duplicate field `batch`"),
            ("\"batch\":7", "\"batch\":-7", "a number below"),
            ("\"batch\":7", "\"batch\":4294967296", "a number below"),
            ("\"01100\"", "\"1x\"", "a number below"),
            ("\"in-person\"}", "\"in-person\"", "EOF"),
            ("\"0a1b\"", "\"-0a1b\"", "positive"),
            ("\"0a1b\"", "7", "expected a string"),
            ("2026-01-01T09:00:00+09:00", "2026-01-01T09:00:00", "not_before"),
            ("2031-01-01", "2021-01-01", "ends before it begins"),
            ("\"SIGN\"", "\"ENCRYPT\"", "type 'ENCRYPT' is not one of SIGN, AUTH"),
            ("\"CARD\"", "\"CD\"", "medium kind 'CD'"),
            ("\"medium\":", "\"medium_kind\":\"CARD\",\"medium\":", "given twice"),
            (",\"medium\":{\"kind\":\"CARD\",\"id\":\"card 1\"}", "", "missing field `medium`"),
            ("\"taro\"", "\"\"", "holder has 0 octets"),
            ("taro", &long, "holder has 257 octets"),
            ("\"batch\":7", "\"sim\":\"8981\"", "belong to a medium of kind SIM"),
            ("\"CARD\"", "\"SIM\"", "needs operator, sim and applet"),
            ("http://s.example/crl/sign-1.crl", "http://elsewhere/", "no CRL scope 'http://elsewhere/'"),
            ("\"batch\":7", "\"succeeds\":\"nobody/01\"", "no issuer 'nobody'"),
            ("\"in-person\"", "\"by post\"", "proofing 'by post'"),
        ];
        for (old, new, cause) in cases {
            let line = CARD.replacen(old, new, 1);
            assert_ne!(line, CARD, "{old}");
            let fault = read(&line).unwrap_err().to_string();
            assert!(fault.contains(cause), "{line}: {fault}");
            assert!(!fault.contains("at line"), "{fault}");
        }
        let medium = "{\"kind\":\"CARD\",\"id\":\"card 1\"}";
        for (line, found) in [
            ("[\"0a1b\",\"taro\"]".to_owned(), "sequence"),
            (CARD.replace(medium, "[\"CARD\",\"card 1\"]"), "sequence"),
            (CARD.replace(medium, "\"card 1\""), "string"),
            ("7".to_owned(), "integer"),
        ] {
            let fault = read(&line).unwrap_err().to_string();
            assert!(fault.contains(found) && fault.contains("expected an object in braces"), "{line}: {fault}");
            assert!(!fault.contains("struct"), "the program's own names: {fault}");
        }
        let fault = read(&PHONE.replace("\"applet\":\"A000\",", "")).unwrap_err();
        assert_eq!(fault, Fault::Sim("operator, sim and applet go together"));
    }
}
