//! A store in a bucket of an object store that speaks S3. Opened by composition.
//!
//! Objects are put if nothing has their name (`If-None-Match: *`), the pointer `tip` is replaced if it is the one that was
//! read (`If-Match`, its ETag is the [`Tip`]'s mark): a server that ignores these headers is no store. Amazon's takes both
//! since 2024, and so do MinIO, Ceph and R2.
//!
//! Whoever may write to the bucket can take publications away or bring older ones back, and nothing more: each CRL and
//! index is signed. The library below reads the system's clock, for the date that a request is signed with.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    RetryConfig, UpdateVersion,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::{BucketPlace, Object, ObjectKind, ObjectName, Store, StoreError, Tip};
use crate::model::{CrlLimits, CrlNumber};

/// A store in a bucket.
#[derive(Debug)]
pub struct BucketStore {
    /// Driven by whoever waits for a call.
    runtime: Runtime,
    bucket: Arc<AmazonS3>,
    root: Path,
    /// For a person: `s3://bucket/prefix`.
    place: String,
}

impl BucketStore {
    /// The store at that place, with credentials and whatever else the `AWS_…` variables of this environment say. Asks
    /// nothing of the server yet.
    pub fn open(
        place: &BucketPlace,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        let shown = format!("s3://{}/{}", place.bucket, place.prefix);
        let settings = |why: String| StoreError::Medium { what: shown.clone(), why, passing: false };
        let mut builder = AmazonS3Builder::new().with_client_options(client(place.timeout));
        for (name, value) in environment.into_iter().filter(|(name, _)| name.starts_with("AWS_")) {
            // Other programs have variables of their own with such names.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        if let Some(endpoint) = &place.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &place.region {
            builder = builder.with_region(region);
        }
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        // Without TLS only where the URL says so: what is kept is public and signed, and the secret isn't sent.
        let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let bucket = builder
            .with_bucket_name(&place.bucket)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_allow_http(is_plain)
            .with_retry(retries(place.timeout))
            .build()
            .map_err(|error| settings(error.to_string()))?;
        let root = Path::parse(&place.prefix).map_err(|error| settings(error.to_string()))?;
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| settings(error.to_string()))?;
        Ok(Self { runtime, bucket: Arc::new(bucket), root, place: shown })
    }

    fn path(&self, name: &str) -> Result<Path, StoreError> {
        let whole = if self.root.as_ref().is_empty() { name.to_owned() } else { format!("{}/{name}", self.root) };
        Path::parse(whole).map_err(|error| self.failed(name, &error.into()))
    }

    /// The pointer as it stands, whatever there is of its round.
    async fn pointer(&self) -> Result<Option<Tip>, StoreError> {
        let failed = |error| self.failed(Tip::NAME, &error);
        let found = match self.bucket.get(&self.path(Tip::NAME)?).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => {
                // A bucket that isn't there must not look like one in which nothing was published yet.
                self.list(|_| {}).await?;
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        let place = format!("{}: {}", self.place, Tip::NAME);
        if found.meta.size > POINTER_OCTETS_MAX {
            return Err(strange(place, "it is too long to be a pointer: see what wrote to it, and bring it back"));
        }
        let Some(mark) = found.meta.e_tag.clone() else {
            return Err(strange(place, "the server gives no ETag, without which no pointer is moved safely"));
        };
        let octets = found.bytes().await.map_err(failed)?;
        Ok(Some(Tip { number: Tip::read(&octets, &place)?, mark }))
    }

    async fn has_index(&self, number: CrlNumber) -> Result<bool, StoreError> {
        let name = ObjectName::of_round(ObjectKind::Index, number).to_string();
        match self.bucket.head(&self.path(&name)?).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(&name, &error)),
        }
    }

    /// Hands over the path of everything below the root.
    async fn list(&self, mut each: impl FnMut(&str)) -> Result<(), StoreError> {
        let root = (!self.root.as_ref().is_empty()).then_some(&self.root);
        let mut stream = self.bucket.list(root);
        while let Some(next) = std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
            let found = next.map_err(|error| self.failed("its list", &error))?;
            let path = found.location.as_ref();
            each(path.strip_prefix(self.root.as_ref()).unwrap_or(path).trim_start_matches('/'));
        }
        Ok(())
    }

    /// What became of a put of that object, in the server's answer.
    async fn settle(&self, object: &Object<'_>, answer: Result<(), Error>) -> Result<(), StoreError> {
        match answer {
            Ok(()) => Ok(()),
            // Also when an answer was lost, or two put the same at once.
            Err(error @ (Error::AlreadyExists { .. } | Error::Precondition { .. })) => {
                match self.read(object.name).await? {
                    Some(octets) if octets == object.octets => Ok(()),
                    Some(_) => Err(StoreError::Taken(object.name.clone())),
                    None => Err(self.passing(&object.name.to_string(), &error)),
                }
            }
            Err(error) => Err(self.failed(&object.name.to_string(), &error)),
        }
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError> {
        let shown = name.to_string();
        let found = match self.bucket.get(&self.path(&shown)?).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(&shown, &error)),
        };
        if found.meta.size > CrlLimits::WIDEST.octets_max as u64 {
            return Err(strange(format!("{}: {name}", self.place), "it is larger than anything published"));
        }
        let octets = found.bytes().await.map_err(|error| self.failed(&shown, &error))?;
        Ok(Some(octets.into()))
    }

    fn failed(&self, name: &str, error: &Error) -> StoreError {
        let refused = |why: String| StoreError::Medium { what: format!("{}: {name}", self.place), why, passing: false };
        match (error, refusal(error)) {
            (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => {
                let needed = "it must be allowed to get, put, delete and list";
                refused(format!("the server refuses these credentials: see AWS_ACCESS_KEY_ID; {needed}"))
            }
            (Error::NotFound { .. }, _) | (_, Some(404)) => {
                refused("there is no such bucket: make it, or name another".into())
            }
            (Error::NotImplemented { .. } | Error::NotSupported { .. } | Error::InvalidPath { .. }, _) => {
                refused(error.to_string())
            }
            (_, Some(status)) if !PASSING.contains(&status) => refused(error.to_string()),
            // Unreachable, slow, overloaded, or in the middle of something.
            _ => self.passing(name, error),
        }
    }

    fn passing(&self, name: &str, error: &Error) -> StoreError {
        StoreError::Medium { what: format!("{}: {name}", self.place), why: error.to_string(), passing: true }
    }
}

impl Store for BucketStore {
    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.runtime.block_on(async {
            let mut seen = self.pointer().await?;
            loop {
                let Some(tip) = seen else { return Ok(None) };
                if self.has_index(tip.number).await? {
                    return Ok(Some(tip));
                }
                // A round may have been replaced and swept between the two looks.
                let again = self.pointer().await?;
                if again.as_ref() == Some(&tip) {
                    let index = ObjectName::of_round(ObjectKind::Index, tip.number);
                    return Err(Tip::without_index(&format!("{}: {}", self.place, Tip::NAME), &index));
                }
                seen = again;
            }
        })
    }

    fn advance(&self, from: Option<&Tip>, to: CrlNumber) -> Result<Tip, StoreError> {
        self.runtime.block_on(async {
            Tip::may_move(from, from, to)?;
            if !self.has_index(to).await? {
                let index = ObjectName::of_round(ObjectKind::Index, to);
                return Err(Tip::without_index(&format!("{}: {}", self.place, Tip::NAME), &index));
            }
            let mode = match from {
                None => PutMode::Create,
                Some(tip) => PutMode::Update(UpdateVersion { e_tag: Some(tip.mark.clone()), version: None }),
            };
            let payload = PutPayload::from(Tip::octets(to));
            let answer = self.bucket.put_opts(&self.path(Tip::NAME)?, payload, PutOptions::from(mode)).await;
            match answer.map(|put| put.e_tag) {
                Ok(Some(mark)) => Ok(Tip { number: to, mark }),
                Ok(None) => {
                    let why = "the server gives no ETag, without which no pointer is moved safely";
                    Err(strange(format!("{}: {}", self.place, Tip::NAME), why))
                }
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Err(StoreError::Moved),
                Err(error) => Err(self.failed(Tip::NAME, &error)),
            }
        })
    }

    fn put(&self, objects: &[Object<'_>]) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            let (mut under_way, mut octets, mut next) = (JoinSet::new(), 0, 0);
            loop {
                while let Some(object) = objects.get(next)
                    && under_way.len() < REQUESTS_MAX
                    // A copy of each is on its way; one may be larger than all that.
                    && (under_way.is_empty() || octets + object.octets.len() <= OCTETS_MAX)
                {
                    let (bucket, path, at) = (Arc::clone(&self.bucket), self.path(&object.name.to_string())?, next);
                    let payload = PutPayload::from(object.octets.to_vec());
                    under_way.spawn(async move {
                        let put = bucket.put_opts(&path, payload, PutOptions::from(PutMode::Create)).await;
                        (at, put.map(drop))
                    });
                    (octets, next) = (octets + object.octets.len(), next + 1);
                }
                let Some(done) = under_way.join_next().await else { return Ok(()) };
                let (at, answer) = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                octets -= objects[at].octets.len();
                self.settle(&objects[at], answer).await?;
            }
        })
    }

    fn get(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, StoreError> {
        self.runtime.block_on(self.read(name))
    }

    fn names(&self) -> Result<Vec<ObjectName>, StoreError> {
        let mut names = Vec::new();
        self.runtime.block_on(self.list(|path| names.extend(path.parse::<ObjectName>())))?;
        Ok(names)
    }

    fn remove(&self, names: &[ObjectName]) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            let (mut under_way, mut rest) = (JoinSet::new(), names.iter());
            loop {
                while under_way.len() < REQUESTS_MAX
                    && let Some(name) = rest.next()
                {
                    let (bucket, shown) = (Arc::clone(&self.bucket), name.to_string());
                    let path = self.path(&shown)?;
                    under_way.spawn(async move { (shown, bucket.delete(&path).await) });
                }
                let Some(done) = under_way.join_next().await else { return Ok(()) };
                match done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())) {
                    (_, Ok(()) | Err(Error::NotFound { .. })) => {}
                    (shown, Err(error)) => return Err(self.failed(&shown, &error)),
                }
            }
        })
    }
}

/// The status with which a server refused a request, where the library says it in its text alone.
fn refusal(error: &Error) -> Option<u16> {
    let text = error.to_string();
    let (_, behind) = text.split_once("status code: ")?;
    behind.get(..3)?.parse().ok().filter(|status| (400..500).contains(status))
}

fn client(timeout: Duration) -> ClientOptions {
    // Between two calls nobody watches idle connections; what the server may have closed by then is not used again.
    ClientOptions::new()
        .with_timeout(timeout)
        .with_connect_timeout(timeout.min(CONNECT_MAX))
        .with_pool_idle_timeout(IDLE_MAX)
}

/// A few, and soon: the caller retries, and knows better what else there is to do.
fn retries(timeout: Duration) -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(1),
        ..BackoffConfig::default()
    };
    RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: timeout }
}

fn strange(what: String, why: &str) -> StoreError {
    StoreError::Strange { what, why: why.into() }
}

/// As many as hide the way to a server in another town: 16 at 20 ms each are 800 objects a second.
const REQUESTS_MAX: usize = 16;
/// On their way at once: a few of the largest CRLs, or all of the small ones.
const OCTETS_MAX: usize = 64 << 20;
/// A longer silence is a server that isn't there.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Amazon's server closes after about 20 s, proxies after as little as 5 s.
const IDLE_MAX: Duration = Duration::from_secs(3);
const RETRIES_MAX: usize = 2;
/// Refusals that aren't of the request itself: too slow, in conflict with another, too early, too many.
const PASSING: [u16; 4] = [408, 409, 425, 429];
/// A number of 20 octets in hexadecimal takes 43.
const POINTER_OCTETS_MAX: u64 = 64;
