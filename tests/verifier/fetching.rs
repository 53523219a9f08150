//! The client against servers that misbehave.

use std::time::Duration;

use tashika::http::{FetchError, Fetcher, Got, Patience};

use crate::server::{Answer, Server};

fn fetcher() -> Fetcher {
    let silence = Duration::from_millis(300);
    Fetcher::new(Patience { connect: silence, silence, whole: Duration::from_secs(5), redirects_max: 3 }).unwrap()
}

#[test]
fn what_is_there_comes_whole_and_only_once() {
    let (server, mut fetcher) = (Server::start(), fetcher());
    server.put("/a", Answer::Octets(vec![7; 100_000]));
    let url = format!("{}/a", server.at);
    let Got::Octets { body, tag } = fetcher.get(&url, None, 100_000).unwrap() else { panic!() };
    assert_eq!((body.len(), fetcher.received()), (100_000, 100_000));
    assert_eq!(fetcher.get(&url, tag.as_deref(), 100_000).unwrap(), Got::Unchanged);
    server.put("/a", Answer::Octets(vec![8; 3]));
    assert!(matches!(fetcher.get(&url, tag.as_deref(), 9).unwrap(), Got::Octets { body, .. } if body == [8; 3]));
    assert_eq!(fetcher.received(), 100_003);
}

#[test]
fn a_redirect_is_followed_a_few_times_and_a_loop_ends() {
    let (server, mut fetcher) = (Server::start(), fetcher());
    server.put("/here", Answer::Octets(b"it".to_vec()));
    server.put("/once", Answer::Redirect("/twice".into()));
    server.put("/twice", Answer::Redirect(format!("{}/here", server.at)));
    server.put("/loop", Answer::Redirect("/loop".into()));
    server.put("/away", Answer::Redirect("https://127.0.0.1/x".into()));
    let mut get = |path: &str| fetcher.get(&format!("{}{path}", server.at), None, 100);
    assert!(matches!(get("/once").unwrap(), Got::Octets { body, .. } if body == b"it"));
    assert!(matches!(get("/loop"), Err(FetchError::Redirects(_))));
    assert!(matches!(get("/away"), Err(FetchError::Url(_))));
    assert!(get("/nowhere").unwrap_err().is_missing());
    let posted = fetcher.ask_ocsp(&format!("{}/once", server.at), b"x");
    assert!(matches!(posted, Err(FetchError::Status { status: 302, .. })), "a question isn't sent elsewhere");
}

#[test]
fn what_never_ends_breaks_off_or_keeps_silent_is_an_error() {
    let (server, mut fetcher) = (Server::start(), fetcher());
    server.put("/endless", Answer::Endless);
    server.put("/broken", Answer::BrokenOff(vec![1; 1_000]));
    server.put("/silent", Answer::Silence);
    server.put("/long", Answer::Octets(vec![1; 1_001]));
    server.put("/fits", Answer::Octets(vec![1; 1_000]));
    let mut get = |path: &str| fetcher.get(&format!("{}{path}", server.at), None, 1_000);
    assert!(matches!(get("/endless"), Err(FetchError::TooLong { octets_max: 1_000, .. })));
    assert!(matches!(get("/broken"), Err(FetchError::Broken { .. })));
    assert!(matches!(get("/silent"), Err(FetchError::Slow(_))));
    assert!(matches!(get("/long"), Err(FetchError::TooLong { .. })));
    // After each of them the next is fetched as if nothing had been.
    assert!(get("/fits").is_ok());
    for url in ["https://127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "http://", "http://a@b/", "/x", ""] {
        assert!(matches!(fetcher.get(url, None, 1), Err(FetchError::Url(_))), "{url}");
    }
    assert!(matches!(fetcher.get("http://127.0.0.1:1/", None, 1), Err(FetchError::Connect { .. })));
}
