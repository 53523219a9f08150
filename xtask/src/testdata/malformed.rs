//! Certificates whose encoding is wrong in one place, signed all the same. Called by `TestData::generate`.

use tashika::asn1::{CertificateProfile, Extensions};

use super::authorities::{Authority, find};
use super::{Malformed, OpensslOpinion, TestData, names};

/// All of them, issued by card-sign-g2-p256.
pub fn add(data: &mut TestData, authorities: &[Authority], combined: &Authority) {
    let authority = find(authorities, "card-sign-g2-p256");
    let sample = Sample { authority, profile: profile(authority, combined) };
    for fault in &FAULTS {
        let path = format!("malformed/{}", fault.file);
        let der = (fault.make)(&sample);
        data.malformed.push(Malformed { path, about: fault.about.to_owned(), der, openssl: fault.openssl });
    }
}

struct Fault {
    file: &'static str,
    about: &'static str,
    openssl: OpensslOpinion,
    make: fn(&Sample<'_>) -> Vec<u8>,
}

struct Sample<'a> {
    authority: &'a Authority,
    profile: CertificateProfile,
}

const FAULTS: [Fault; 10] = [
    Fault {
        file: "octet-behind-the-end.der",
        about: "a good certificate with one zero octet behind it",
        openssl: OpensslOpinion::Reads,
        make: |sample| [sample.signed(&TWENTY_ONE, |_| ()), vec![0]].concat(),
    },
    Fault {
        file: "cut-off.der",
        about: "a good certificate without its last octet",
        openssl: OpensslOpinion::Refuses,
        make: |sample| {
            let mut der = sample.signed(&TWENTY_ONE, |_| ());
            der.pop();
            der
        },
    },
    Fault {
        file: "serial-negative.pem",
        about: "the serial is -1",
        openssl: OpensslOpinion::Shows("(Negative)01"),
        make: |sample| sample.signed(&[0x7f], |tbs| replace(tbs, &serial(&[0x7f]), &serial(&[0xff]))),
    },
    Fault {
        file: "serial-zero.pem",
        about: "the serial is 0",
        openssl: OpensslOpinion::Shows("Serial Number: 0 (0x0)"),
        make: |sample| sample.signed(&[0x7f], |tbs| replace(tbs, &serial(&[0x7f]), &serial(&[0x00]))),
    },
    Fault {
        file: "serial-of-21-octets.pem",
        about: "the serial is a positive number of 21 octets",
        openssl: OpensslOpinion::Shows("01:f0:f1:f2:f3:f4:f5:f6:f7:f8:f9:fa:fb:fc:fd:fe:ff:f0:f1:f2:f3"),
        make: |sample| sample.signed(&TWENTY_ONE, |tbs| replace(tbs, &[0x00, 0xf0, 0xf1], &[0x01, 0xf0, 0xf1])),
    },
    Fault {
        file: "serial-with-needless-zero.pem",
        about: "the serial begins with a zero octet that DER forbids",
        openssl: OpensslOpinion::Refuses,
        make: |sample| sample.signed(&TWENTY_ONE, |tbs| replace(tbs, &[0x00, 0xf0, 0xf1], &[0x00, 0x70, 0xf1])),
    },
    Fault {
        file: "not-after-in-month-13.pem",
        about: "notAfter is 2049-13-31",
        openssl: OpensslOpinion::VerifyFails("format error in certificate's notAfter field"),
        make: |sample| sample.signed(&TWENTY_ONE, |tbs| replace(tbs, b"491231145959Z", b"491331145959Z")),
    },
    Fault {
        file: "not-after-with-offset.pem",
        about: "notAfter is a UTCTime that doesn't end in Z",
        openssl: OpensslOpinion::VerifyFails("format error in certificate's notAfter field"),
        make: |sample| sample.signed(&TWENTY_ONE, |tbs| replace(tbs, b"491231145959Z", b"4912312359+09")),
    },
    Fault {
        file: "extension-twice.pem",
        about: "the subjectKeyIdentifier stands there as a second authorityKeyIdentifier",
        openssl: OpensslOpinion::VerifyFails("invalid certificate"),
        make: |sample| sample.signed(&TWENTY_ONE, |tbs| replace(tbs, &[0x55, 0x1d, 14], &[0x55, 0x1d, 35])),
    },
    Fault {
        file: "algorithms-differ.pem",
        about: "signed with ecdsa-with-SHA256 inside, ecdsa-with-SHA384 outside",
        openssl: OpensslOpinion::VerifyFails("certificate signature failure"),
        make: |sample| {
            let der = sample.signed(&TWENTY_ONE, |_| ());
            let at = der.windows(8).rposition(|window| window == ECDSA_SHA256).expect("the outer algorithm is there");
            let mut der = der;
            der[at + 7] = 0x03;
            der
        },
    },
];

impl Sample<'_> {
    /// The certificate with that serial, its TBS changed before it is signed.
    fn signed(&self, serial: &[u8], change: fn(&mut Vec<u8>)) -> Vec<u8> {
        let profile = CertificateProfile { serial: names::serial_of(serial), ..self.profile.clone() };
        let unsigned = profile.unsigned(self.authority.key.algorithm()).expect("the profile can be encoded");
        let mut tbs = unsigned.tbs_der().to_vec();
        change(&mut tbs);
        let der = unsigned.assemble(&self.authority.key.sign(&tbs));
        let at = der.windows(tbs.len()).position(|window| window == unsigned.tbs_der()).expect("the TBS is in there");
        [&der[..at], &tbs, &der[at + tbs.len()..]].concat()
    }
}

fn profile(authority: &Authority, combined: &Authority) -> CertificateProfile {
    let public = authority.key.public();
    CertificateProfile {
        serial: names::serial("malformed"),
        issuer: authority.name.clone(),
        validity: names::validity(names::GOOD_YEARS),
        subject: names::common(&authority.name, "malformed"),
        extensions: Extensions {
            crl_distribution_points: vec![
                names::municipality(&authority.name, "Yamabuki-ken", "Hanamizu-shi"),
                names::combined(&combined.name),
            ],
            ..Extensions::for_signature(&public, &public)
        },
        public_key: public,
    }
}

/// Puts `new` in the place of the first `old`; the lengths around it stay right because theirs are equal.
fn replace(tbs: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let at = tbs.windows(old.len()).position(|window| window == old).expect("what is spoilt is there");
    tbs[at..at + new.len()].copy_from_slice(new);
}

/// The end of the version and the whole serial as they stand in a TBSCertificate.
fn serial(octets: &[u8]) -> Vec<u8> {
    [&[0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, octets.len() as u8], octets].concat()
}

/// Twenty octets, top bit set: 21 octets of DER.
const TWENTY_ONE: [u8; 20] = [
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 0xf0, 0xf1, 0xf2,
    0xf3,
];
const ECDSA_SHA256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
