//! Holders' certificates, good and bad. Called by `TestData::generate`.

use tashika::asn1::{CertificateProfile, DistributionPoint, Extensions};
use tashika::model::Serial;

use super::authorities::{Authority, Purpose, TestMedium, add_self_signed, find};
use super::keys::Kind;
use super::{Draft, Role, TestData, Verdict, names};

/// The leaves of one CA. All have one key, so that what is wrong is the only difference.
pub fn add(data: &mut TestData, authority: &Authority, combined: &Authority) {
    let spec = authority.spec.expect("issuing CAs come from the table");
    let key_path = format!("{}/leaf.key", spec.folder);
    let public = data.key(&key_path, spec.kind, "of every leaf in the folder").public();
    let own = scopes(authority);
    let both = |point: &DistributionPoint| vec![point.clone(), names::combined(&combined.name)];
    let template = |path: &str, points: Vec<DistributionPoint>| {
        let base = match spec.purpose {
            Purpose::Auth => Extensions::for_authentication(&public, &authority.key.public()),
            Purpose::Sign => Extensions::for_signature(&public, &authority.key.public()),
        };
        CertificateProfile {
            serial: names::serial(path),
            issuer: authority.name.clone(),
            validity: names::validity(names::GOOD_YEARS),
            // Opaque, as AUTH certificates are: no person is named.
            subject: names::common(&authority.name, &format!("{}-{}", spec.population, names::serial(path))),
            extensions: Extensions {
                policies: vec![names::policy(spec.policy())],
                crl_distribution_points: points,
                authority_access: names::access(spec.folder),
                ..base
            },
            public_key: public.clone(),
        }
    };
    let mut add = |file: &str, about: &str, points, change: &dyn Fn(&mut CertificateProfile), verdict| {
        let path = format!("{}/leaf-{file}.pem", spec.folder);
        let mut profile = template(&path, points);
        change(&mut profile);
        data.issue(authority, Draft { path, about, role: Role::Leaf, profile, key: &key_path, verdict });
    };

    let years = |years| move |profile: &mut CertificateProfile| profile.validity = names::validity(years);
    let serial = |serial: Serial| move |profile: &mut CertificateProfile| profile.serial = serial;
    for scope in &own {
        add(scope.file, &format!("leaf, scope: {}", scope.about), both(&scope.point), &|_| (), Verdict::Good);
    }
    let point = both(&own[0].point);
    add("expired", "leaf, ended in 2020", point.clone(), &years(names::EXPIRED_YEARS), Verdict::Expired);
    add("not-yet-valid", "leaf, begins in 2048", point.clone(), &years(names::FUTURE_YEARS), Verdict::NotYetValid);
    let about = "leaf until 9999-12-31T23:59:59Z, in GeneralizedTime";
    add("without-end", about, point.clone(), &years(names::ENDLESS_YEARS), Verdict::Good);
    let about = "leaf whose serial has 20 octets and its top bit set: 21 octets of DER";
    let top_bit: Vec<u8> = (0xe0..0xf4).collect();
    add("serial-of-20-octets-top-bit", about, point.clone(), &serial(names::serial_of(&top_bit)), Verdict::Good);
    let about = "leaf whose serial is the octet 80: two octets of DER";
    add("serial-of-1-octet-top-bit", about, point.clone(), &serial(names::serial_of(&[0x80])), Verdict::Good);
    let about = "leaf without the combined CRL's distribution point";
    add("without-combined-point", about, vec![own[0].point.clone()], &|_| (), Verdict::Good);
    add("without-points", "leaf without any CRL distribution point", vec![], &|_| (), Verdict::Good);
    if spec.next_generation.is_some() {
        let about = "leaf with the serial that a leaf of each other generation has, too";
        add("serial-in-every-generation", about, point.clone(), &serial(names::serial(spec.population)), Verdict::Good);
    }
    add("signature-broken", "leaf, one bit of its signature is wrong", point, &|_| (), Verdict::BadSignature);
    let broken = data.certificates.last_mut().expect("just added");
    *broken.der.last_mut().expect("a certificate has octets") ^= 1;
}

/// Leaves of a CA that nobody here knows.
pub fn add_of_strangers(data: &mut TestData, authorities: &[Authority], combined: &Authority) {
    let stranger = Authority {
        spec: None,
        name: names::service(&["CA of strangers"]),
        key: data.key("stranger/issuer.key", Kind::P256, "of a CA that the root has not certified"),
        certificate: "stranger/issuer.pem".to_owned(),
    };
    let about = "a self-signed CA that the root has not certified";
    add_self_signed(data, &stranger, "stranger/issuer.key", about, Verdict::SelfSigned);
    let public = data.key("stranger/leaf.key", Kind::P256, "of the leaves in the folder").public();
    let known = find(authorities, "card-sign-g2-p256");
    for (path, about, issuer) in [
        ("stranger/leaf-of-unknown-issuer.pem", "leaf of that CA", &stranger.name),
        (
            "stranger/leaf-of-unknown-key-under-known-name.pem",
            "leaf of that CA, but naming card-sign as its issuer",
            &known.name,
        ),
    ] {
        let profile = CertificateProfile {
            serial: names::serial(path),
            issuer: issuer.clone(),
            validity: names::validity(names::GOOD_YEARS),
            subject: names::common(issuer, "nobody"),
            extensions: Extensions {
                crl_distribution_points: vec![names::scope("stranger"), names::combined(&combined.name)],
                ..Extensions::for_signature(&public, &stranger.key.public())
            },
            public_key: public.clone(),
        };
        let (role, key, verdict) = (Role::Leaf, "stranger/leaf.key", Verdict::UnknownIssuer);
        data.issue(&stranger, Draft { path: path.to_owned(), about, role, profile, key, verdict });
    }
}

struct TestScope {
    file: &'static str,
    about: &'static str,
    point: DistributionPoint,
}

/// The scopes of a CA that certificates are made for; the good leaf and most bad ones have the first.
fn scopes(authority: &Authority) -> Vec<TestScope> {
    let spec = authority.spec.expect("issuing CAs come from the table");
    let town = |file, about, prefecture, town| {
        let point = names::municipality(&authority.name, prefecture, town);
        TestScope { file, about, point }
    };
    let shard = |file, about, shard| {
        let point = names::scope(&format!("{}-{shard}", spec.population));
        TestScope { file, about, point }
    };
    match spec.medium {
        TestMedium::Card => vec![
            town("good", "the municipality Hanamizu-shi", "Yamabuki-ken", "Hanamizu-shi"),
            town("of-another-municipality", "another municipality, Kawabe-cho", "Yamabuki-ken", "Kawabe-cho"),
            town("of-a-kanji-municipality", "a municipality written in kanji", "山吹県", "花水市"),
        ],
        TestMedium::Phone => {
            vec![shard("good", "shard 7 by address", 7), shard("of-another-shard", "shard 8 by address", 8)]
        }
    }
}
