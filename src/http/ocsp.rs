//! One request to the public listener: read, answered, and given its status and headers.
//!
//! Called by `edge` for each request. What HTTP makes of each outcome stands in `replies`.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::{Request, Response};

use crate::asn1::ocsp::{self, ErrorReply};
use crate::model::{Caller, Millis, Rank, RequestLimits};
use crate::parties::{Claim, Origin, Outcome, Register, Tally};
use crate::responder::{Answer, Order, Refusal, Reply, Responder, Says};
use crate::status::{ReadTo, Signature};

use super::replies::{self, Condition, Declined, Stamps};
use super::routes::{Route, route};
use super::watch::{Phase, Ticks, Watch};

/// What the public listener answers from.
pub struct Public {
    /// Nothing before the ledger was read.
    pub responder: Arc<OnceLock<Arc<Responder>>>,
    /// Who may ask.
    pub register: Register,
    /// The present millisecond.
    pub now: fn() -> Millis,
}

/// One thread's own part of it.
pub(super) struct Door {
    public: Arc<Public>,
    /// Taken by one request at a time, all of this thread: nobody waits.
    bench: Mutex<Bench>,
    pub ticks: Arc<Ticks>,
}

/// Memory that is used for one request after another, and the counters.
struct Bench {
    signature: Signature,
    path: Vec<u8>,
    stamps: Stamps,
    tally: Tally,
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
    Now(Response<Full<Bytes>>),
    Later(Box<Order>, Arc<Responder>),
}

impl Door {
    pub fn new(public: Arc<Public>, tally: Tally) -> Self {
        let bench = Bench { signature: Signature::default(), path: Vec::new(), stamps: Stamps::default(), tally };
        Self { public, bench: Mutex::new(bench), ticks: Arc::new(Ticks::default()) }
    }

    pub fn origin(&self, address: IpAddr) -> Origin {
        self.public.register.origin(address)
    }

    /// Answers one request.
    pub async fn answer(&self, guest: &Guest, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        guest.watch.enter(Phase::Busy, &self.ticks);
        let response = match route(&head.method, head.uri.path()) {
            Route::Get(claim, rest) => match self.caller(guest, claim) {
                Some(caller) => self.reply(caller, Source::Path(rest), Condition::of(&head.headers)).await,
                None => self.not_allowed(),
            },
            Route::Post(claim) => match self.caller(guest, claim) {
                Some(caller) => match self.body(guest, caller, &head.headers, body).await {
                    Ok(body) => self.reply(caller, Source::Body(&body), Condition::None).await,
                    Err(declined) => self.decline(declined),
                },
                None => self.not_allowed(),
            },
            Route::Nowhere => self.decline(Declined::NotFound),
            Route::OtherMethod => self.decline(Declined::OtherMethod),
        };
        guest.watch.enter(Phase::Idle, &self.ticks);
        response
    }

    /// Who asks; none: a claim that doesn't hold.
    fn caller(&self, guest: &Guest, claim: Option<Claim<'_>>) -> Option<Caller> {
        self.public.register.caller(guest.origin, claim).ok()
    }

    /// Refused as OCSP refuses.
    fn not_allowed(&self) -> Response<Full<Bytes>> {
        let bench = &mut *self.bench();
        bench.tally.count_stranger(Outcome::NotAllowed);
        replies::unsigned(Refusal::NotAllowed.reply(), self.read_to(), &mut bench.stamps)
    }

    /// A request's body, within its caller's limits.
    async fn body(
        &self,
        guest: &Guest,
        caller: Caller,
        headers: &HeaderMap,
        mut body: Incoming,
    ) -> Result<Bytes, Declined> {
        if headers.get(CONTENT_TYPE).is_some_and(|kind| !is_ocsp_request(kind.as_bytes())) {
            return Err(Declined::OtherType);
        }
        if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
            return Err(Declined::Ambiguous);
        }
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

    async fn reply(&self, caller: Caller, source: Source<'_>, condition: Condition) -> Response<Full<Bytes>> {
        match self.decide(caller, source, &condition) {
            Decided::Now(response) => response,
            Decided::Later(order, responder) => {
                let (tell, told) = tokio::sync::oneshot::channel();
                // Whoever has gone meanwhile isn't told.
                responder.order(*order, (self.public.now)(), Box::new(|answer| drop(tell.send(answer))));
                let answer = told.await.unwrap_or(Err(Refusal::Waited));
                let bench = &mut *self.bench();
                match answer {
                    Ok(reply) => self.signed(bench, caller, reply, &condition),
                    Err(refusal) => self.refused(bench, caller, refusal),
                }
            }
        }
    }

    /// Everything that needs no waiting.
    fn decide(&self, caller: Caller, source: Source<'_>, condition: &Condition) -> Decided {
        let bench = &mut *self.bench();
        let limits = limits(caller);
        let octets = match source {
            Source::Body(body) => Ok(body),
            Source::Path(path) => ocsp::from_path(path.as_bytes(), limits, &mut bench.path),
        };
        let request = match octets.and_then(|octets| ocsp::read(octets, limits)) {
            Ok(request) => request,
            Err(malformed) => return Decided::Now(self.refused(bench, caller, Refusal::Malformed(malformed))),
        };
        let Some(responder) = self.public.responder.get() else {
            return Decided::Now(self.refused(bench, caller, Refusal::TooOld));
        };
        let now = (self.public.now)().time();
        match responder.answer(caller, &request, now, &mut bench.signature) {
            Answer::Kept(reply) => Decided::Now(self.signed(bench, caller, reply, condition)),
            Answer::Refused(refusal) => Decided::Now(self.refused(bench, caller, refusal)),
            Answer::Sign(order) => Decided::Later(Box::new(order), responder.clone()),
        }
    }

    fn signed(&self, bench: &mut Bench, caller: Caller, reply: Reply, condition: &Condition) -> Response<Full<Bytes>> {
        let outcome = match reply.says {
            Says::Good => Outcome::Good,
            Says::Held => Outcome::Held,
            Says::Revoked => Outcome::Revoked,
            Says::Unknown => Outcome::Unknown,
        };
        (0..reply.questions).for_each(|_| bench.tally.count(caller, outcome));
        replies::signed(reply, condition, (self.public.now)().time(), &mut bench.stamps)
    }

    fn refused(&self, bench: &mut Bench, caller: Caller, refusal: Refusal) -> Response<Full<Bytes>> {
        let reply = refusal.reply();
        let outcome = match reply {
            ErrorReply::InternalError | ErrorReply::SigRequired => Outcome::InternalError,
            ErrorReply::MalformedRequest => Outcome::Malformed,
            ErrorReply::TryLater => Outcome::TryLater,
            ErrorReply::Unauthorized => Outcome::Unauthorized,
        };
        bench.tally.count(caller, outcome);
        replies::unsigned(reply, self.read_to(), &mut bench.stamps)
    }

    fn decline(&self, declined: Declined) -> Response<Full<Bytes>> {
        let bench = &mut *self.bench();
        bench.tally.count_stranger(Outcome::Refused);
        replies::declined(declined, self.read_to(), &mut bench.stamps)
    }

    fn read_to(&self) -> ReadTo {
        self.public.responder.get().map(|responder| responder.table().read_to()).unwrap_or_default()
    }

    fn bench(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn limits(caller: Caller) -> RequestLimits {
    match caller.rank {
        Rank::Accredited => RequestLimits::ACCREDITED,
        Rank::Anonymous => RequestLimits::ANONYMOUS,
    }
}

fn is_ocsp_request(kind: &[u8]) -> bool {
    let end = kind.iter().position(|octet| *octet == b';').unwrap_or(kind.len());
    kind[..end].trim_ascii().eq_ignore_ascii_case(b"application/ocsp-request")
}
