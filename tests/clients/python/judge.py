"""pyca/cryptography as a client: makes requests, reads replies strictly. Run by tests/clients/pyca.rs.

judge.py ask     standard input: a JSON array of {"issuer": PEM file, "leaf": PEM file, "hash": "sha1", "nonce": hex or
                 null}; prints a JSON array of requests in hex
judge.py read    standard input: a JSON array of {"issuer": PEM file, "reply": hex}; verifies each reply and its signer,
                 prints a JSON array of what it says
"""

import json
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}


def ask(job):
    leaf, issuer = read_pem(job["leaf"]), read_pem(job["issuer"])
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, HASHES[job["hash"]]())
    if job["nonce"]:
        builder = builder.add_extension(x509.OCSPNonce(bytes.fromhex(job["nonce"])), critical=False)
    return builder.build().public_bytes(Encoding.DER).hex()


def read(job):
    octets, issuer = bytes.fromhex(job["reply"]), read_pem(job["issuer"])
    reply = ocsp.load_der_ocsp_response(octets)
    said = {"status": reply.response_status.name, "der": reply.public_bytes(Encoding.DER) == octets}
    if reply.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return said
    [signer] = reply.certificates
    signer.verify_directly_issued_by(issuer)
    verify(signer.public_key(), reply)
    said["signature"] = reply.signature_algorithm_oid._name
    said["signer_usage"] = [usage._name for usage in extension(signer, x509.ExtendedKeyUsage)]
    said["signer_nocheck"] = extension(signer, x509.OCSPNoCheck) is not None
    said["signer_until"] = stamp(signer.not_valid_after_utc)
    said["responder_name"] = reply.responder_name and reply.responder_name.rfc4514_string()
    key = reply.responder_key_hash
    said["responder_key_is_signers"] = key == key_hash(signer.public_key())
    said["produced_at"] = stamp(reply.produced_at_utc)
    said["extensions"] = {each.oid.dotted_string: plain(each) for each in reply.extensions}
    said["answers"] = [single(each) for each in reply.responses]
    [only] = reply.responses
    said["single_extensions"] = {each.oid.dotted_string: plain(each) for each in reply.single_extensions}
    said["is_of_issuer"] = only.issuer_key_hash == key_hash(issuer.public_key(), only.hash_algorithm)
    return said


def single(each):
    return {
        "status": each.certificate_status.name,
        "at": each.revocation_time_utc and stamp(each.revocation_time_utc),
        "reason": each.revocation_reason and each.revocation_reason.value,
        "this_update": stamp(each.this_update_utc),
        "next_update": each.next_update_utc and stamp(each.next_update_utc),
        "hash": each.hash_algorithm.name,
        "serial": f"{each.serial_number:X}",
    }


def verify(key, reply):
    signed = (reply.signature, reply.tbs_response_bytes)
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(*signed, ec.ECDSA(reply.signature_hash_algorithm))
    else:
        key.verify(*signed, padding.PKCS1v15(), reply.signature_hash_algorithm)


def key_hash(key, algorithm=None):
    """Over the content of the key's BIT STRING."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        content = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        content = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    digest = hashes.Hash(algorithm or hashes.SHA1())
    digest.update(content)
    return digest.finalize()


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


def plain(each):
    """A nonce is its octets; what has no class of its own is DER."""
    return (each.value.nonce if isinstance(each.value, x509.OCSPNonce) else each.value.public_bytes()).hex()


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_pem(file):
    return x509.load_pem_x509_certificate(Path(file).read_bytes())


if __name__ == "__main__":
    verb = {"ask": ask, "read": read}[sys.argv[1]]
    json.dump([verb(job) for job in json.load(sys.stdin)], sys.stdout)
