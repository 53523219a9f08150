//! A bucket's own troubles: servers that are away, slow or strange, credentials that are refused, a bucket that isn't there.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tashika::publisher::bucket::BucketStore;
use tashika::publisher::{Object, ObjectName, Store, StoreError};

use crate::bucket_server::Bucket;
use crate::contract::{crl, index, put};

/// The text of an error of the medium, and whether it may pass.
fn medium(error: &StoreError) -> (String, bool) {
    match error {
        StoreError::Medium { passing, .. } => (error.to_string(), *passing),
        other => panic!("{other}"),
    }
}

/// What each call fails with.
fn errors(store: &BucketStore) -> Vec<StoreError> {
    vec![
        store.tip().unwrap_err(),
        store.advance(None, 1.into()).unwrap_err(),
        put(store, &crl("a", 1), b"crl").unwrap_err(),
        store.get(&crl("a", 1)).unwrap_err(),
        store.names().unwrap_err(),
        store.remove(&[crl("a", 1)]).unwrap_err(),
    ]
}

/// A server that does this to each connection; its URL.
fn server(each: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(each));
    url
}

fn at(url: &str, timeout: Duration) -> BucketStore {
    let mut bucket = Bucket::new();
    bucket.place.endpoint = Some(url.to_owned());
    bucket.place.timeout = timeout;
    bucket.open()
}

#[test]
fn a_server_that_is_away_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for error in errors(&at(&url, Duration::from_secs(5))) {
        let (text, passing) = medium(&error);
        assert!(passing && text.contains("s3://crls/test/"), "{text}");
    }
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    // Kept open, and never read.
    let url = server(std::mem::forget);
    let store = at(&url, Duration::from_millis(150));
    for error in errors(&store) {
        assert!(medium(&error).1, "{error}");
    }
}

#[test]
fn a_server_that_stops_in_the_middle_is_not_waited_for() {
    let url = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nETag: \"x\"\r\nLast-Modified: Fri, 20 Nov 2026 \
                    00:00:00 GMT\r\n\r\nthe beginning";
        let _ = stream.write_all(head.as_bytes());
        std::mem::forget(stream);
    });
    let error = at(&url, Duration::from_millis(300)).get(&crl("a", 1)).unwrap_err();
    assert!(medium(&error).1, "{error}");
}

#[test]
fn a_server_that_is_overloaded_may_recover() {
    let url = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    for error in errors(&at(&url, Duration::from_secs(10))) {
        assert!(medium(&error).1, "{error}");
    }
}

#[test]
fn credentials_that_are_refused_stay_refused() {
    for wrong in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let mut bucket = Bucket::new();
        bucket.environment.iter_mut().filter(|(name, _)| name == wrong).for_each(|(_, value)| *value = "WRONG".into());
        let store = bucket.open();
        // The server answers a HEAD without a body, and lets nobody delete: those say it like the others.
        for error in errors(&store) {
            let (text, passing) = medium(&error);
            assert!(!passing && text.contains("refuses these credentials") && !text.contains("WRONG"), "{text}");
        }
    }
}

#[test]
fn a_bucket_that_is_not_there_is_not_an_empty_one() {
    let mut bucket = Bucket::new();
    bucket.place.bucket = "elsewhere".into();
    let store = bucket.open();
    for error in [store.tip().unwrap_err(), put(&store, &crl("a", 1), b"crl").unwrap_err(), store.names().unwrap_err()]
    {
        let (text, passing) = medium(&error);
        assert!(!passing && text.contains("no such bucket"), "{text}");
    }
}

#[test]
fn what_the_place_leaves_open_the_environment_says() {
    let mut bucket = Bucket::new();
    let endpoint = bucket.place.endpoint.take().unwrap();
    for (name, value) in [("AWS_ENDPOINT_URL", &*endpoint), ("AWS_REGION", "ap-northeast-1"), ("AWS_UNKNOWN", "x")] {
        bucket.environment.push((name.into(), value.into()));
    }
    put(&bucket.open(), &index(1), b"{}").unwrap();
    bucket.place.endpoint = Some(endpoint);
    assert_eq!(bucket.open().names().unwrap(), [index(1)]);
}

#[test]
fn a_batch_larger_than_what_may_be_on_its_way_gets_through() {
    let bucket = Bucket::new();
    let large = vec![0x5a; 24 << 20];
    let names: Vec<ObjectName> = (0..4).map(|number| crl("large", number)).collect();
    let objects: Vec<_> = names.iter().map(|name| Object { name, octets: &large }).collect();
    bucket.open().put(&objects).unwrap();
    assert!(names.iter().all(|name| bucket.open().get(name).unwrap().as_deref() == Some(&large)));
}

#[test]
fn prefixes_are_worlds_of_their_own() {
    let mut buckets = [Bucket::new(), Bucket::new()];
    buckets[1].place.prefix = format!("{}/inside", buckets[0].place.prefix);
    let [outer, inner] = buckets.each_ref().map(Bucket::open);
    put(&inner, &index(1), b"{}").unwrap();
    inner.advance(None, 1.into()).unwrap();
    assert_eq!(outer.tip().unwrap(), None);
    // The outer one sees what the inner one wrote as what it is to it: nothing of its own.
    assert_eq!(outer.names().unwrap(), Vec::<ObjectName>::new());
    assert_eq!(inner.names().unwrap(), [index(1)]);
}

#[test]
fn a_thousand_objects_and_more_are_listed_page_by_page() {
    let bucket = Bucket::new();
    let names: Vec<ObjectName> = (0..1_100).map(|number| crl("a", number)).collect();
    let objects: Vec<_> = names.iter().map(|name| Object { name, octets: b"crl" }).collect();
    bucket.open().put(&objects).unwrap();
    let mut listed = bucket.open().names().unwrap();
    listed.sort();
    assert_eq!(listed, names);
    bucket.open().remove(&names).unwrap();
    assert_eq!(bucket.open().names().unwrap(), []);
}
