//! Which path is what, on the public listener. Asked by `ocsp` for each request, of the raw path: nothing may have
//! normalised it, for base64 has `//` in it.

use hyper::Method;

use crate::parties::Claim;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'p> {
    /// An OCSP request in the body.
    Post(Option<Claim<'p>>),
    /// One in the rest of the path.
    Get(Option<Claim<'p>>, &'p str),
    /// Nothing is there.
    Nowhere,
    /// Something is there, for other methods.
    OtherMethod,
}

/// What a method and a path ask for.
#[inline]
pub(super) fn route<'p>(method: &Method, path: &'p str) -> Route<'p> {
    let Some((claim, rest)) = claimed(path) else { return Route::Nowhere };
    let rest = match rest.strip_prefix("/ocsp") {
        Some(below) if below.is_empty() || below.starts_with('/') => below,
        Some(_) | None => rest,
    };
    let bare = rest.bytes().all(|octet| octet == b'/');
    match *method {
        Method::POST if bare => Route::Post(claim),
        Method::GET | Method::HEAD if !bare && looks_like_a_request(rest) => Route::Get(claim, rest),
        Method::GET | Method::HEAD | Method::POST if !bare => Route::Nowhere,
        _ => Route::OtherMethod,
    }
}

/// Who the path says that it is asked for, and what follows. None: a claim without its two names.
fn claimed(path: &str) -> Option<(Option<Claim<'_>>, &str)> {
    let Some(names) = path.strip_prefix("/p/") else { return Some((None, path)) };
    let (party, rest) = names.split_once('/')?;
    let (service, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((Some(Claim { party, service }), below))
}

/// The DER of a request is a SEQUENCE: 0x30, which is an `M` in base64, escaped or not. What else is asked for by GET is not
/// for here, and its answer shouldn't be in OCSP.
fn looks_like_a_request(rest: &str) -> bool {
    let first = rest.trim_start_matches('/');
    first.starts_with('M') || first.starts_with("%4D") || first.starts_with("%4d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_meaning() {
        let demo = Some(Claim { party: "demo", service: "login" });
        let cases = [
            (Method::POST, "/", Route::Post(None)),
            (Method::POST, "", Route::Post(None)),
            (Method::POST, "/ocsp", Route::Post(None)),
            (Method::POST, "/ocsp/", Route::Post(None)),
            (Method::POST, "/p/demo/login", Route::Post(demo)),
            (Method::POST, "/p/demo/login/", Route::Post(demo)),
            (Method::POST, "/p/demo/login/ocsp", Route::Post(demo)),
            (Method::POST, "/crl/x.crl", Route::Nowhere),
            (Method::POST, "/p/demo", Route::Nowhere),
            (Method::GET, "/MEUw", Route::Get(None, "/MEUw")),
            (Method::GET, "//MEUw", Route::Get(None, "//MEUw")),
            (Method::HEAD, "/ocsp/MEUw//a/../b", Route::Get(None, "/MEUw//a/../b")),
            (Method::GET, "/%4dEUw", Route::Get(None, "/%4dEUw")),
            (Method::GET, "/p/demo/login/MEUw", Route::Get(demo, "/MEUw")),
            (Method::GET, "/p/demo/login/ocsp//MEUw", Route::Get(demo, "//MEUw")),
            (Method::GET, "/ocspMEUw", Route::Nowhere),
            (Method::GET, "/crl/index.json", Route::Nowhere),
            (Method::GET, "/favicon.ico", Route::Nowhere),
            (Method::GET, "/", Route::OtherMethod),
            (Method::GET, "/ocsp", Route::OtherMethod),
            (Method::PUT, "/", Route::OtherMethod),
            (Method::DELETE, "/MEUw", Route::OtherMethod),
            (Method::OPTIONS, "/ocsp", Route::OtherMethod),
        ];
        for (method, path, expected) in cases {
            assert_eq!(route(&method, path), expected, "{method} {path}");
        }
    }
}
