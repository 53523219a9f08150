//! Where a ledger is, and where CRLs are kept, as their URLs say it. Part of reading a configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::publisher::BucketPlace;

/// Where a ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    /// A PostgreSQL URL.
    Postgres(String),
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl LedgerPlace {
    /// Reads a ledger URL; relative files are relative to `base`.
    pub fn parse(url: &str, base: &Path) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("'sqlite:' needs a file, such as sqlite:ledger.db".into());
            }
            return Ok(Self::Sqlite(base.join(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err("must be sqlite:FILE or postgres://USER@HOST/DATABASE".into())
    }
}

/// Where CRLs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// A bucket of an object store.
    Bucket(BucketPlace),
    /// A folder.
    Directory(PathBuf),
}

impl StorePlace {
    /// Reads a folder, relative to `base`, or `s3://BUCKET/PREFIX`; `endpoint` and `region` are a bucket's only.
    pub fn parse(url: &str, endpoint: Option<&str>, region: Option<&str>, base: &Path) -> Result<Self, String> {
        let Some(rest) = url.strip_prefix("s3://") else {
            if url.is_empty() || url.contains("://") {
                return Err("must be a folder or s3://BUCKET/PREFIX".into());
            }
            if endpoint.is_some() || region.is_some() {
                return Err("is a folder, which has no endpoint and no region: leave these out".into());
            }
            return Ok(Self::Directory(base.join(url)));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !is_bucket(bucket) {
            return Err(format!("'{bucket}' is no bucket's name: 3 to 63 small letters, digits, hyphens and dots"));
        }
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return Err(format!("'{prefix}' is no prefix: letters, digits, '-', '_' and '.', parted by single '/'"));
        }
        let is_url = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if endpoint.is_some_and(|endpoint| !is_url(endpoint)) {
            return Err("has an endpoint that is not of the form https://HOST or http://HOST".into());
        }
        Ok(Self::Bucket(BucketPlace {
            bucket: bucket.into(),
            prefix: prefix.into(),
            endpoint: endpoint.map(str::to_owned),
            region: region.map(str::to_owned),
            timeout: REQUEST_MAX,
        }))
    }
}

fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-.".contains(&octet))
        && !name.starts_with(['-', '.'])
}

fn is_plain(part: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_known)
}

/// The largest CRL of a nation's issuer, 40 MB, at 6 Mbit/s.
const REQUEST_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn store(url: &str) -> Result<StorePlace, String> {
        StorePlace::parse(url, None, None, Path::new("/etc/tashika"))
    }

    #[test]
    fn stores_are_folders_or_buckets() {
        assert_eq!(store("crls"), Ok(StorePlace::Directory("/etc/tashika/crls".into())));
        assert_eq!(store("/srv/crls"), Ok(StorePlace::Directory("/srv/crls".into())));
        for (url, bucket, prefix) in
            [("s3://crls.jp", "crls.jp", ""), ("s3://crls/", "crls", ""), ("s3://crls/a/b/", "crls", "a/b")]
        {
            let Ok(StorePlace::Bucket(place)) = store(url) else { panic!("{url}") };
            assert_eq!((place.bucket.as_str(), place.prefix.as_str()), (bucket, prefix));
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for url in
            ["", "https://x/y", "gs://crls/x", "s3://", "s3://Crls", "s3:///x", "s3://crls/a//b", "s3://crls/../b"]
        {
            assert!(store(url).is_err(), "{url}");
        }
        let at = |url, endpoint| StorePlace::parse(url, Some(endpoint), None, Path::new("/"));
        assert!(at("crls", "https://s3.example").is_err(), "a folder has no endpoint");
        assert!(at("s3://crls", "s3.example").is_err(), "an endpoint says how it is spoken to");
        assert!(at("s3://crls", "http://127.0.0.1:9000").is_ok());
    }
}
