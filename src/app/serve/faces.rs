//! What lies on the shelf beside publications: the certificate of each CA, and the newest checkpoint. Laid there by the
//! follower's thread and the notary's.

use std::sync::Arc;

use crate::asn1::CertificateFields;
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
