//! pyca's `cryptography`, a strict reader of DER: it makes requests in both hashes, and every field of a reply is compared.

use serde_json::{Value, json};

use crate::house::{self, CAS, House, Leaf, Reason, Said};
use crate::tap;
use crate::tool;

/// A question, and how it is sent.
struct Asked {
    ca: &'static str,
    leaf: Leaf,
    hash: &'static str,
    nonce: Option<String>,
}

impl Asked {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for ca in CAS {
            for leaf in Leaf::ALL {
                for hash in ["sha1", "sha256"] {
                    // The shortest and the longest that RFC 9654 has, and what most clients send.
                    for octets in [None, Some(1), Some(16), Some(32), Some(128)] {
                        all.push(Self { ca, leaf, hash, nonce: octets.map(|count| "5a".repeat(count)) });
                    }
                }
            }
        }
        all
    }

    fn told(&self) -> String {
        format!("{} {:?} {} {:?}", self.ca, self.leaf, self.hash, self.nonce)
    }
}

fn judge(verb: &str, jobs: &[Value]) -> Vec<Value> {
    let input = serde_json::to_vec(jobs).unwrap();
    let call = tool::call(&tool::python(), &[&tool::beside("python/judge.py"), verb], &input);
    let answers: Vec<Value> = serde_json::from_str(&call.lines().concat()).unwrap();
    assert_eq!(answers.len(), jobs.len());
    answers
}

/// The requests that it makes, in order.
pub fn requests(jobs: &[Value]) -> Vec<Vec<u8>> {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    judge("ask", jobs).iter().map(|request| hex(request.as_str().unwrap())).collect()
}

#[test]
fn every_field_of_every_reply() {
    let house = House::open();
    let all = Asked::all();
    let job = |asked: &Asked| {
        let (issuer, leaf) = (house::issuer(asked.ca), asked.leaf.path(asked.ca));
        json!({ "issuer": issuer, "leaf": leaf, "hash": asked.hash, "nonce": asked.nonce })
    };
    let requests = requests(&all.iter().map(job).collect::<Vec<_>>());
    let by = [tap::get, tap::post];
    let replies = requests.iter().enumerate().map(|(at, request)| by[at % 2](&house.address, request));
    let read = |(asked, reply): (&Asked, Vec<u8>)| {
        let hex: String = reply.iter().map(|octet| format!("{octet:02x}")).collect();
        json!({ "issuer": house::issuer(asked.ca), "reply": hex })
    };
    let said = judge("read", &all.iter().zip(replies).map(read).collect::<Vec<_>>());
    for (asked, said) in all.iter().zip(&said) {
        whole(asked, said);
        single(house, asked, &said["answers"][0], said["produced_at"].as_str().unwrap());
    }
}

fn whole(asked: &Asked, said: &Value) {
    let told = format!("{}: {said}", asked.told());
    let signature = match asked.ca {
        "card-auth-p384" => "ecdsa-with-SHA384",
        "card-sign-g1-rsa2048" => "sha256WithRSAEncryption",
        _ => "ecdsa-with-SHA256",
    };
    for (field, value) in [
        ("status", json!("SUCCESSFUL")),
        ("der", json!(true)),
        ("signature", json!(signature)),
        ("signer_usage", json!(["OCSPSigning"])),
        ("signer_nocheck", json!(true)),
        ("responder_name", Value::Null),
        ("responder_key_is_signers", json!(true)),
        ("is_of_issuer", json!(true)),
    ] {
        assert_eq!(said[field], value, "{field} of {told}");
    }
    let nonce = asked.nonce.iter().map(|nonce| ("1.3.6.1.5.5.7.48.1.2".to_owned(), json!(nonce))).collect();
    assert_eq!(said["extensions"], Value::Object(nonce), "{told}");
    // An ended certificate's status is kept for as long as the CA has been there, and the answer says so.
    let cutoff = (asked.leaf == Leaf::Expired).then(|| ("1.3.6.1.5.5.7.48.1.6".to_owned(), json!(CA_BEGINS)));
    assert_eq!(said["single_extensions"], Value::Object(cutoff.into_iter().collect()), "{told}");
    assert_eq!(said["answers"].as_array().unwrap().len(), 1, "{told}");
    assert!(said["answers"][0]["next_update"].as_str() <= said["signer_until"].as_str(), "{told}");
}

fn single(house: &House, asked: &Asked, answer: &Value, produced_at: &str) {
    let told = format!("{}: {answer}", asked.told());
    let leaf = asked.leaf;
    let (status, reason) = match leaf.said() {
        Said::Good => ("GOOD", None),
        Said::Held => ("REVOKED", Some("certificateHold")),
        Said::Revoked(Some(Reason::KeyCompromise)) => ("REVOKED", Some("keyCompromise")),
        Said::Revoked(None) => ("REVOKED", None),
        Said::Unknown => ("UNKNOWN", None),
    };
    let at = (status == "REVOKED").then(|| house.time(asked.ca, leaf));
    assert_eq!((&answer["status"], &answer["reason"]), (&json!(status), &json!(reason)), "{told}");
    assert_eq!(answer["at"], json!(at), "{told}");
    assert_eq!(answer["hash"], asked.hash, "{told}");
    let serial = house::serial(&leaf.path(asked.ca));
    assert_eq!(answer["serial"], serial.trim_start_matches('0'), "{told}");
    let times = [answer["this_update"].as_str(), Some(produced_at), answer["next_update"].as_str()];
    assert!(times.iter().all(Option::is_some) && times[0] <= times[1] && times[1] < times[2], "{times:?} {told}");
    assert!(at <= times[0], "it was so before the answer: {told}");
}

/// When the CAs of the test data begin, as DER.
const CA_BEGINS: &str = "180f32303039313233313135303030305a";
