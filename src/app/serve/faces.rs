//! What lies on the shelf beside publications: the certificate of each CA, and the newest checkpoint. Laid there by the
//! follower's thread and the notary's.

use std::sync::Arc;

use crate::app::config::CrlSettings;
use crate::asn1::{CertificateFields, certificates_in};
use crate::ledger::{CheckpointFile, sha256};
use crate::model::{Book, Time};
use crate::publisher::{File, Media, Shelf};
use crate::status::ReadTo;

/// Lays each CA's certificate at `ca/{issuer}.cer` (RFC 5280 §4.2.2.1), for whoever builds a chain.
pub(super) fn lay_issuers(shelf: &Shelf, book: &Book) {
    for issuer in &book.issuers {
        // One that can't be read is told of where its answers are missed.
        let Ok(fields) = CertificateFields::from_der(&issuer.certificate) else { continue };
        let made = fields.validity.not_before;
        lay(shelf, &format!("ca/{}.cer", issuer.name), &issuer.certificate, (Media::Certificate, made, None));
    }
}

/// Lays the certificates of those who sign CRLs and are no CAs of the ledger, beside the CAs': of the combined one, and of those that
/// are brought.
pub(super) fn lay_crl_signers(shelf: &Shelf, crl: &CrlSettings) {
    let combined = crl.combined.iter().map(|files| ("combined", &files.certificate));
    let external = crl.external.iter().map(|external| (external.path.as_str(), &external.certificate));
    for (name, file) in combined.chain(external) {
        // What can't be read is told of where the CRL is missed.
        let Ok(der) = std::fs::read(file).map(|octets| certificates_in(&octets)) else { continue };
        let Some(der) = der.ok().and_then(|all| all.into_iter().next()) else { continue };
        let Ok(fields) = CertificateFields::from_der(&der) else { continue };
        lay(shelf, &format!("ca/{name}.cer"), &der, (Media::Certificate, fields.validity.not_before, None));
    }
}

/// Lays the newest checkpoint at `checkpoint`, as it is seen at this time.
pub(super) fn lay_checkpoint(shelf: &Shelf, file: &CheckpointFile, now: Time) {
    // A file that can't be read is told of by the notary; what lies there stays.
    let Ok(Some(note)) = file.latest() else { return };
    let reflects = ReadTo { epoch: note.checkpoint.epoch, position: note.checkpoint.position };
    lay(shelf, "checkpoint", note.to_string().as_bytes(), (Media::Text, now, Some(reflects)));
}

fn lay(shelf: &Shelf, path: &str, octets: &[u8], (media, made, reflects): (Media, Time, Option<ReadTo>)) {
    if shelf.file(path).is_some_and(|there| *there.octets == octets) {
        return;
    }
    let sha256 = sha256(&[octets]);
    let octets = Arc::new(octets.to_vec());
    shelf.lay(path, &Arc::new(File { octets, media, sha256, made, ends: None, reflects }));
}
