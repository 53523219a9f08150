//! One request to the public listener: read, answered, and given its status and headers.
//!
//! Called by `reception` and `connection` for each request. What HTTP makes of each outcome stands in `replies`.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, Version};

use crate::asn1::ocsp::{self, ErrorReply};
use crate::model::{Caller, Millis, Rank, RequestLimits, Time};
use crate::parties::{Claim, Origin, Outcome, Register, Tally};
use crate::publisher::Shelf;
use crate::responder::{Answer, Order, Refusal, Reply, Responder, Says};
use crate::status::{ReadTo, Signature};

use super::file_counts::FileCounts;
use super::files::Files;
use super::headers::Headers;
use super::mailbox::Mailbox;
use super::plain::{Lines, PlainRequest};
use super::refusals::{Refusals, Row};
use super::replies::{self, After, Condition, Declined, FIELDS, Fields, Ready, Stamps};
use super::routes::{Route, route};
use super::sending::{Answer as Sent, Asker, Places};
use super::watch::{Phase, Ticks, Watch};

/// What the public listener answers from.
pub struct Public {
    /// Nothing before the ledger was read.
    pub responder: Arc<OnceLock<Arc<Responder>>>,
    /// Who may ask.
    pub register: Register,
    /// The present millisecond.
    pub now: fn() -> Millis,
    /// Where refusals are counted.
    pub refusals: Refusals,
    /// The files.
    pub shelf: Arc<Shelf>,
    /// Where they are counted.
    pub files: FileCounts,
}

/// One thread's own part of it.
pub(super) struct Door {
    public: Arc<Public>,
    /// Taken by one request at a time, all of this thread: nobody waits.
    bench: Mutex<Bench>,
    refusals: Arc<Row>,
    pub files: Files,
    pub ticks: Arc<Ticks>,
    /// Where what was signed arrives.
    pub mailbox: Arc<Mailbox>,
    /// Whether callers are told to go elsewhere with their next request. Written once, by the thread that reads it.
    retiring: AtomicBool,
    /// How long a body may take where the connection's watch can't tell, because others come over it, too.
    body_max: Duration,
}

/// Memory that is used for one request after another, and the counters.
struct Bench {
    signature: Signature,
    path: Vec<u8>,
    stamps: Stamps,
    lines: Lines,
    tally: Tally,
}

/// An answer that must be waited for.
pub(super) struct Waiting {
    caller: Caller,
    order: Box<Order>,
    responder: Arc<Responder>,
}

/// A plain request that can't be answered at once.
pub(super) enum Later {
    /// It must be waited for.
    Signed(Waiting),
    /// It is for a file: hyper's, with its octets as they came.
    File,
}

/// What isn't answered at all, or not by OCSP.
enum Refused {
    File,
    NotAllowed,
    Declined(Declined),
}

/// One connection's own part.
pub(super) struct Guest {
    pub origin: Origin,
    pub watch: Arc<Watch>,
}

/// Where a request's octets are.
#[derive(Clone, Copy)]
enum Source<'r> {
    Body(&'r [u8]),
    Path(&'r str),
}

/// What is known once a request was read.
enum Decided {
    Now(Ready),
    Later(Box<Order>, Arc<Responder>),
}

impl Door {
    /// With so many places for long files, and so long for a body.
    pub fn new(public: Arc<Public>, tally: Tally, downloads_max: usize, body_max: Duration) -> Self {
        let (stamps, lines) = (Stamps::default(), Lines::default());
        let bench = Bench { signature: Signature::default(), path: Vec::new(), stamps, lines, tally };
        let refusals = public.refusals.row();
        let places = Places::new(downloads_max, !public.register.parties().is_empty());
        let files = Files::new(public.shelf.clone(), &public.files, places);
        let (mailbox, retiring) = Default::default();
        let (bench, ticks) = (Mutex::new(bench), Arc::default());
        Self { public, bench, refusals, files, ticks, mailbox, retiring, body_max }
    }

    /// From now on each answer is its connection's last.
    pub fn retire(&self) {
        self.retiring.store(true, Ordering::Relaxed);
    }

    /// Whether each answer is its connection's last.
    pub fn is_retiring(&self) -> bool {
        self.retiring.load(Ordering::Relaxed)
    }

    pub fn origin(&self, address: IpAddr) -> Origin {
        self.public.register.origin(address)
    }

    /// Answers one request that came through hyper.
    pub async fn answer(&self, guest: &Guest, request: Request<Incoming>) -> Response<Sent> {
        let (head, body) = request.into_parts();
        guest.watch.enter(Phase::Busy, &self.ticks);
        if let Some(response) = self.file(guest, &head) {
            return response;
        }
        let Parts { method, uri, version, headers, .. } = head;
        let asked = Headers::of(&method, &headers);
        let wanted = self.wanted(guest.origin, &method, uri.path());
        // Over HTTP/2 many requests may be under way, and what nobody looks at any more adds up; all of a request's parts
        // lie in the memory that its headers came in.
        drop((uri, headers));
        let mut fields = HeaderMap::with_capacity(FIELDS);
        let mut ready = match wanted {
            Ok((caller, Some(path))) => {
                self.reply(guest, caller, Source::Path(&path), &asked.condition, &mut fields).await
            }
            Ok((caller, None)) => match self.body_in_time(guest, caller, &asked, version, body).await {
                Ok(body) => self.reply(guest, caller, Source::Body(&body), &Condition::None, &mut fields).await,
                Err(declined) => self.decline(declined, &mut fields),
            },
            Err(Refused::NotAllowed) => self.not_allowed(&mut fields),
            Err(Refused::Declined(declined)) => self.decline(declined, &mut fields),
            // It was looked for above.
            Err(Refused::File) => self.decline(Declined::NotFound, &mut fields),
        };
        if self.closes_after(asked.in_chunks, version) {
            ready.after = After::Close;
        }
        guest.watch.enter(Phase::Idle, &self.ticks);
        replies::response(ready, fields)
    }

    /// A file, if what no OCSP request is asks for one that lies there.
    fn file(&self, guest: &Guest, head: &Parts) -> Option<Response<Sent>> {
        if !matches!(route(&head.method, head.uri.path()), Route::Nowhere | Route::OtherMethod) {
            return None;
        }
        let asker = match self.public.register.is_known(guest.origin) {
            true => Asker::Party,
            false => Asker::Stranger(guest.origin.share()),
        };
        let mut response = self.files.answer(head, guest, asker, &self.ticks, (self.public.now)().time())?;
        if self.closes_after(Headers::of(&head.method, &head.headers).in_chunks, head.version) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        guest.watch.enter(Phase::Idle, &self.ticks);
        Some(response)
    }

    /// Whether an answer is its connection's last.
    fn closes_after(&self, in_chunks: bool, version: Version) -> bool {
        // A length that stood after it was dropped while reading: what follows may be anything (RFC 9112 §6.1).
        // HTTP/2 has a frame for it.
        in_chunks || (self.is_retiring() && version < Version::HTTP_2)
    }

    /// Who asks, and the path that has the request in it; none: it is in the body.
    fn wanted(&self, origin: Origin, method: &Method, path: &str) -> Result<(Caller, Option<String>), Refused> {
        let (claim, rest) = match route(method, path) {
            Route::Get(claim, rest) => (claim, Some(rest.to_owned())),
            Route::Post(claim) => (claim, None),
            Route::Nowhere => return Err(Refused::Declined(Declined::NotFound)),
            Route::OtherMethod => return Err(Refused::Declined(Declined::OtherMethod)),
        };
        Ok((self.caller(origin, claim).ok_or(Refused::NotAllowed)?, rest))
    }

    /// Answers one plain request if that needs no waiting: puts the response at the end of `out`, and says what becomes of the
    /// connection. Otherwise gives back what must be waited for.
    pub fn answer_plain(&self, origin: Origin, plain: &PlainRequest<'_>, out: &mut Vec<u8>) -> Result<After, Later> {
        let mut lines = std::mem::take(&mut self.bench().lines);
        lines.clear();
        let decided = match self.plain_source(origin, plain) {
            Ok((caller, source)) => match self.decide(caller, source, &Condition::None, &mut lines) {
                Decided::Now(ready) => Ok(ready),
                Decided::Later(order, responder) => Err(Later::Signed(Waiting { caller, order, responder })),
            },
            Err(Refused::File) => Err(Later::File),
            Err(Refused::NotAllowed) => Ok(self.not_allowed(&mut lines)),
            Err(Refused::Declined(declined)) => Ok(self.decline(declined, &mut lines)),
        };
        let done = decided.map(|ready| self.write_plain(&ready, plain, &lines, out));
        self.bench().lines = lines;
        done
    }

    /// Waits for the answer to a plain request, and puts it at the end of `out`.
    pub async fn finish_plain(&self, waiting: Waiting, plain: &PlainRequest<'_>, out: &mut Vec<u8>) -> After {
        let mut lines = Lines::default();
        let ready = self.wait(waiting, &Condition::None, &mut lines).await;
        self.write_plain(&ready, plain, &lines, out)
    }

    fn write_plain(&self, ready: &Ready, plain: &PlainRequest<'_>, lines: &Lines, out: &mut Vec<u8>) -> After {
        let after = if ready.after == After::Close { After::Close } else { plain.after };
        let now = (self.public.now)().time();
        lines.write(ready, plain.version, after, now, &mut self.bench().stamps, out);
        after
    }

    fn plain_source<'p>(&self, origin: Origin, plain: &PlainRequest<'p>) -> Result<(Caller, Source<'p>), Refused> {
        let method = if plain.body.is_some() { Method::POST } else { Method::GET };
        let (claim, source) = match (route(&method, plain.path), plain.body) {
            (Route::Get(claim, rest), _) => (claim, Source::Path(rest)),
            (Route::Post(claim), Some(body)) => (claim, Source::Body(body)),
            (Route::OtherMethod | Route::Nowhere, _) if self.files.has(plain.path) => return Err(Refused::File),
            (Route::OtherMethod, _) => return Err(Refused::Declined(Declined::OtherMethod)),
            (Route::Post(_) | Route::Nowhere, _) => return Err(Refused::Declined(Declined::NotFound)),
        };
        let caller = self.caller(origin, claim).ok_or(Refused::NotAllowed)?;
        // As for a body that comes through hyper: before it is looked at.
        match source {
            Source::Body(body) if body.len() > limits(caller).octets_max => Err(Refused::Declined(Declined::TooLong)),
            Source::Body(_) | Source::Path(_) => Ok((caller, source)),
        }
    }

    /// Who asks; none: a claim that doesn't hold.
    fn caller(&self, origin: Origin, claim: Option<Claim<'_>>) -> Option<Caller> {
        self.public.register.caller(origin, claim).ok()
    }

    /// Refused as OCSP refuses.
    fn not_allowed(&self, fields: &mut impl Fields) -> Ready {
        let bench = &mut *self.bench();
        self.refusals.count(Refusal::NotAllowed);
        bench.tally.count_stranger(Outcome::NotAllowed);
        replies::unsigned(Refusal::NotAllowed.reply(), self.read_to(), &mut bench.stamps, fields)
    }

    /// A request's body, within its caller's limits and its time.
    async fn body_in_time(
        &self,
        guest: &Guest,
        caller: Caller,
        asked: &Headers,
        version: Version,
        body: Incoming,
    ) -> Result<Bytes, Declined> {
        if asked.is_of_other_type {
            return Err(Declined::OtherType);
        }
        if asked.in_chunks && asked.has_length {
            return Err(Declined::Ambiguous);
        }
        let body = self.body(guest, caller, body);
        // With one request at a time, the connection's watch ends it, and costs no timer.
        if version < Version::HTTP_2 {
            return body.await;
        }
        tokio::time::timeout(self.body_max, body).await.unwrap_or(Err(Declined::TooSlow))
    }

    async fn body(&self, guest: &Guest, caller: Caller, mut body: Incoming) -> Result<Bytes, Declined> {
        let octets_max = limits(caller).octets_max;
        if body.size_hint().lower() > octets_max as u64 {
            return Err(Declined::TooLong);
        }
        guest.watch.enter(Phase::Body, &self.ticks);
        let mut first = Bytes::new();
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            // Trailers say nothing here.
            let Ok(data) = frame.map_err(|_| Declined::BrokenOff)?.into_data() else { continue };
            if whole.is_empty() && first.is_empty() {
                first = data;
            } else {
                if whole.is_empty() {
                    whole.extend_from_slice(&first);
                }
                whole.extend_from_slice(&data);
            }
            if first.len().max(whole.len()) > octets_max {
                return Err(Declined::TooLong);
            }
        }
        guest.watch.enter(Phase::Busy, &self.ticks);
        Ok(if whole.is_empty() { first } else { whole.into() })
    }

    async fn reply<F: Fields>(
        &self,
        guest: &Guest,
        caller: Caller,
        source: Source<'_>,
        condition: &Condition,
        fields: &mut F,
    ) -> Ready {
        match self.decide(caller, source, condition, fields) {
            Decided::Now(ready) => ready,
            Decided::Later(order, responder) => {
                let _asking = guest.watch.asks();
                self.wait(Waiting { caller, order, responder }, condition, fields).await
            }
        }
    }

    async fn wait<F: Fields>(&self, waiting: Waiting, condition: &Condition, fields: &mut F) -> Ready {
        let (tell, told) = tokio::sync::oneshot::channel();
        let mailbox = self.mailbox.clone();
        let done = Box::new(move |answer| mailbox.post(tell, answer));
        waiting.responder.order(*waiting.order, (self.public.now)(), done);
        // Longer than orders wait in their turn; this is for when nobody takes any.
        let told = tokio::time::timeout(TOLD_WITHIN, told).await;
        let answer = told.map_or(Err(Refusal::Waited), |told| told.unwrap_or(Err(Refusal::Waited)));
        let bench = &mut *self.bench();
        match answer {
            Ok(reply) => {
                let now = (self.public.now)().time();
                signed(bench, waiting.caller, reply, condition, now, fields)
            }
            Err(refusal) => self.refused(bench, waiting.caller, refusal, fields),
        }
    }

    /// Everything that needs no waiting.
    fn decide<F: Fields>(&self, caller: Caller, source: Source<'_>, condition: &Condition, fields: &mut F) -> Decided {
        let bench = &mut *self.bench();
        let limits = limits(caller);
        let octets = match source {
            Source::Body(body) => Ok(body),
            Source::Path(path) => ocsp::from_path(path.as_bytes(), limits, &mut bench.path),
        };
        let request = match octets.and_then(|octets| ocsp::read(octets, limits)) {
            Ok(request) => request,
            Err(malformed) => return Decided::Now(self.refused(bench, caller, Refusal::Malformed(malformed), fields)),
        };
        let Some(responder) = self.public.responder.get() else {
            return Decided::Now(self.refused(bench, caller, Refusal::TooOld, fields));
        };
        let now = (self.public.now)().time();
        match responder.answer(caller, &request, now, &mut bench.signature) {
            Answer::Kept(reply) => Decided::Now(signed(bench, caller, reply, condition, now, fields)),
            Answer::Refused(refusal) => Decided::Now(self.refused(bench, caller, refusal, fields)),
            Answer::Sign(order) => Decided::Later(Box::new(order), responder.clone()),
        }
    }

    fn refused(&self, bench: &mut Bench, caller: Caller, refusal: Refusal, fields: &mut impl Fields) -> Ready {
        self.refusals.count(refusal);
        let reply = refusal.reply();
        let outcome = match reply {
            ErrorReply::InternalError | ErrorReply::SigRequired => Outcome::InternalError,
            ErrorReply::MalformedRequest => Outcome::Malformed,
            ErrorReply::TryLater => Outcome::TryLater,
            ErrorReply::Unauthorized => Outcome::Unauthorized,
        };
        bench.tally.count(caller, outcome);
        replies::unsigned(reply, self.read_to(), &mut bench.stamps, fields)
    }

    fn decline(&self, declined: Declined, fields: &mut impl Fields) -> Ready {
        let bench = &mut *self.bench();
        bench.tally.count_stranger(Outcome::Refused);
        replies::declined(declined, self.read_to(), &mut bench.stamps, fields)
    }

    fn read_to(&self) -> ReadTo {
        self.public.responder.get().map(|responder| responder.table().read_to()).unwrap_or_default()
    }

    fn bench(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed(
    bench: &mut Bench,
    caller: Caller,
    reply: Reply,
    condition: &Condition,
    now: Time,
    fields: &mut impl Fields,
) -> Ready {
    for says in Says::ALL {
        let outcome = match says {
            Says::Good => Outcome::Good,
            Says::Held => Outcome::Held,
            Says::Revoked => Outcome::Revoked,
            Says::Unknown => Outcome::Unknown,
        };
        (0..reply.says.of(says)).for_each(|_| bench.tally.count(caller, outcome));
    }
    replies::signed(reply, condition, now, &mut bench.stamps, fields)
}

fn limits(caller: Caller) -> RequestLimits {
    match caller.rank {
        Rank::Accredited => RequestLimits::ACCREDITED,
        Rank::Anonymous => RequestLimits::ANONYMOUS,
    }
}

/// Clients give up after a few seconds, whatever holds up who signs or who asks the ledger.
const TOLD_WITHIN: Duration = Duration::from_secs(3);
