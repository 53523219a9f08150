//! What the octets of one OCSP answer cost: `cargo bench --bench ocsp_bytes`.
//!
//! Reading the request (the recogniser, and `rasn` for the same octets), decoding the path of a GET, assembling a kept
//! reply, and all of it together as the hot path does. Estimate before measuring: a recognised request is some 70 octets
//! compared and two hashes copied (40 ns); a kept reply is one allocation, 0.9 kB copied, four times written in decimal
//! (120 ns); so both together should stay below 0.2 µs.

use std::hint::black_box;

use base64::Engine;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tashika::asn1::SignatureAlgorithm;
use tashika::asn1::ocsp::{
    CertStatus, Credentials, ErrorReply, HashedIssuer, Nonce, NotIssued, Parameters, Request, ResponderId,
    ResponseData, SingleExtensions, SingleResponse, cert_id, decode, from_path, read, recognise,
};
use tashika::asn1::{Name, NameAttribute};
use tashika::model::{Reason, RequestLimits, Serial, Time};

criterion_group!(benches, requests, paths, replies, together);
criterion_main!(benches);

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let common = request_of(1, None);
    let nonce = request_of(1, Some(32));
    let batch = request_of(1000, None);
    for (name, bytes) in [("one", &common), ("one, nonce", &nonce), ("thousand", &batch)] {
        assert!(recognise(bytes, LIMITS).is_some(), "the common shape");
        group.bench_function(format!("recogniser: {name}"), |bencher| {
            bencher.iter(|| recognise(black_box(bytes), LIMITS));
        });
        group.bench_function(format!("rasn: {name}"), |bencher| bencher.iter(|| decode(black_box(bytes), LIMITS)));
    }
    let truncated = &batch[..batch.len() - 1];
    let crowded = request_of(21, None);
    // 8 kB of list elements that are nothing, the worst that an anonymous caller may send.
    let empty = wrapped(&[0x30, 0].repeat(4000));
    for (name, bytes) in [
        ("truncated batch", truncated),
        ("one too many", &crowded),
        ("empty elements", &empty),
        ("garbage", &[0x55; 8000]),
    ] {
        let limits = if bytes.len() > 8192 { LIMITS } else { RequestLimits::ANONYMOUS };
        assert!(read(bytes, limits).is_err());
        group.bench_function(format!("malformed: {name}"), |bencher| {
            bencher.iter(|| read(black_box(bytes), limits).map_err(|error| error.reply()));
        });
    }
    group.finish();
}

fn paths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path");
    let plain = base64::engine::general_purpose::STANDARD.encode(request_of(1, None));
    let escaped = plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let all: String = plain.bytes().map(|octet| format!("%{octet:02x}")).collect();
    for (name, path) in [("plain", plain), ("escaped", escaped), ("all escaped", all)] {
        group.throughput(Throughput::Bytes(path.len() as u64));
        let mut buffer = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| from_path(black_box(path.as_bytes()), LIMITS, &mut buffer).map(<[u8]>::len));
        });
    }
    group.finish();
}

fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reply");
    let bytes = request_of(1, None);
    let request = read(&bytes, LIMITS).expect("a request");
    let revoked = CertStatus::Revoked { at: now(), reason: Reason::KeyCompromise };
    for (name, kept) in [("kept, P-256", Kept::p256()), ("kept, RSA-2048", Kept::rsa2048())] {
        for (status_name, status) in [("good", CertStatus::Good), ("revoked", revoked)] {
            group.bench_function(format!("{name}, {status_name}"), |bencher| {
                bencher.iter(|| kept.reply(black_box(&request), black_box(status)));
            });
        }
    }
    let kept = Kept::p256();
    let batch = request_of(1000, None);
    let batch = read(&batch, LIMITS).expect("a request");
    group.bench_function("to be signed, thousand", |bencher| {
        bencher.iter(|| kept.to_be_signed(black_box(&batch)));
    });
    group.finish();
}

fn together(criterion: &mut Criterion) {
    let bytes = request_of(1, None);
    let path = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let kept = Kept::p256();
    let mut group = criterion.benchmark_group("read and reply");
    group.bench_function("POST", |bencher| {
        bencher.iter(|| kept.answer(black_box(&bytes)));
    });
    let mut buffer = Vec::new();
    group.bench_function("GET", |bencher| {
        bencher.iter(|| {
            let bytes = from_path(black_box(path.as_bytes()), LIMITS, &mut buffer).expect("base64");
            kept.answer(bytes)
        });
    });
    group.finish();
}

/// What is kept of a reply, and what all replies share.
struct Kept {
    responder: ResponderId,
    credentials: Credentials,
    signature: Vec<u8>,
}

impl Kept {
    fn p256() -> Self {
        Self::new(SignatureAlgorithm::EcdsaSha256, 71, 600)
    }

    fn rsa2048() -> Self {
        Self::new(SignatureAlgorithm::RsaSha256, 256, 1000)
    }

    fn new(algorithm: SignatureAlgorithm, signature: usize, certificate: usize) -> Self {
        let name = Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::CommonName, "Responder")]);
        Self {
            responder: ResponderId::by_name(&name.expect("a name")),
            credentials: Credentials::new(algorithm, &[&vec![0x30; certificate]]),
            signature: vec![0x5a; signature],
        }
    }

    fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        match read(bytes, LIMITS) {
            Ok(request) => self.reply(&request, CertStatus::Good),
            Err(_) => ErrorReply::MalformedRequest.der().to_vec(),
        }
    }

    fn reply(&self, request: &Request<'_>, status: CertStatus) -> Vec<u8> {
        let responses = [single(&request.questions()[0].cert_id, status)];
        self.data(&responses, request.nonce.as_ref()).response(&self.credentials, &self.signature)
    }

    fn to_be_signed(&self, request: &Request<'_>) -> Vec<u8> {
        let questions = request.questions().iter();
        let responses: Vec<_> = questions.map(|question| single(&question.cert_id, CertStatus::Good)).collect();
        self.data(&responses, None).to_be_signed()
    }

    fn data<'a>(&'a self, responses: &'a [SingleResponse<'a>], nonce: Option<&'a Nonce<'a>>) -> ResponseData<'a> {
        let (responder, not_issued) = (&self.responder, NotIssued::Unknown);
        ResponseData { responder, produced_at: now(), responses, nonce, not_issued }
    }
}

fn single(cert_id: &[u8], status: CertStatus) -> SingleResponse<'_> {
    let extensions = SingleExtensions::default();
    SingleResponse { cert_id, status, this_update: now(), next_update: now(), extensions }
}

/// An OCSPRequest with SHA-1 CertIDs, as every default client sends it.
fn request_of(questions: u32, nonce: Option<usize>) -> Vec<u8> {
    let issuer = HashedIssuer::Sha1 { name: [0xaa; 20], key: [0xbb; 20] };
    let mut list = Vec::new();
    for number in 0..questions {
        let serial = [&[0x7f; 12][..], &number.to_be_bytes()].concat();
        let serial = Serial::from_unsigned(&serial).expect("not zero");
        list.extend(element(0x30, &cert_id(&issuer, Parameters::Null, &serial)));
    }
    let mut tbs = element(0x30, &list);
    if let Some(length) = nonce {
        let value = element(4, &element(4, &vec![0x4e; length]));
        let id = [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
        tbs.extend(element(0xa2, &element(0x30, &element(0x30, &[&id, &value[..]].concat()))));
    }
    element(0x30, &element(0x30, &tbs))
}

fn wrapped(list: &[u8]) -> Vec<u8> {
    element(0x30, &element(0x30, &element(0x30, list)))
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u32).to_be_bytes();
    let head = match contents.len() {
        ..0x80 => vec![tag, length[3]],
        0x80..0x100 => vec![tag, 0x81, length[3]],
        0x100..0x1_0000 => vec![tag, 0x82, length[2], length[3]],
        _ => vec![tag, 0x83, length[1], length[2], length[3]],
    };
    [&head, contents].concat()
}

fn now() -> Time {
    Time::from_unix(1_800_000_000).expect("within the calendar")
}

const LIMITS: RequestLimits = RequestLimits::ACCREDITED;
