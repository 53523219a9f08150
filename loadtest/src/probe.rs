//! Asks about one certificate again and again until the answer shows an expected status, and says when it did: from a
//! commit in the ledger to the first answer that shows it. Used by `cli`.

use std::num::NonZeroU64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::Answer;
use crate::client::{Client, ClientError};
use crate::http::Position;
use crate::judge::{Asked, Fault, Judge, Verdict};
use crate::load::Load;
use crate::serials::Expected;
use crate::verify::Bench;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub interval: Duration,
    pub give_up: Duration,
}

/// When it was seen.
#[derive(Debug, Serialize)]
pub struct Seen {
    /// When the first answer that shows the status had arrived.
    pub at: String,
    pub at_unix_ns: u128,
    /// When that answer was asked for.
    pub asked_unix_ns: u128,
    /// When the last answer that did not show it had arrived; none if the first did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_other_unix_ns: Option<u128>,
    pub asked: u64,
    /// Questions that got no usable answer.
    pub failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

/// It wasn't seen.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("asked {asked} times in {within:?} and not seen; the last answer: {last}")]
    GaveUp { asked: u64, within: Duration, last: String },
    #[error("a wrong answer: {}", .0.name())]
    Wrong(Fault),
}

/// Asks about the one key of `load` until its status is `expected`.
pub fn run(mut load: Load, expected: Expected, patience: Patience) -> Result<Seen, ProbeError> {
    // Sleeps of 200 µs would otherwise last 250. Where it is refused, the probe is only less exact.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let mut request = Vec::new();
    load.writer.write(load.keys.iter().take(1), None, &mut request);
    let mut client = Client::new(load.route, load.timeout);
    let mut prober = Prober { expected, bench: Bench::new(&load.issuer), load: &load, position: None };
    let begun = Instant::now();
    let mut next = begun;
    let (mut asked, mut failed, mut last_other) = (0, 0, None);
    loop {
        let asked_at = unix_nanos();
        asked += 1;
        let what = prober.look(client.ask(&request));
        let now = unix_nanos();
        match what {
            Look::Shows => {
                return Ok(Seen {
                    at: rfc3339(now),
                    at_unix_ns: now,
                    asked_unix_ns: asked_at,
                    last_other_unix_ns: last_other,
                    asked,
                    failed,
                    position: prober.position.map(|at| format!("{}.{}", at.epoch, at.position)),
                });
            }
            Look::Wrong(fault) => return Err(ProbeError::Wrong(fault)),
            Look::Other(what) if begun.elapsed() > patience.give_up => {
                return Err(ProbeError::GaveUp { asked, within: patience.give_up, last: what.to_owned() });
            }
            Look::Nothing(what) if begun.elapsed() > patience.give_up => {
                return Err(ProbeError::GaveUp { asked, within: patience.give_up, last: what });
            }
            Look::Other(_) => last_other = Some(now),
            Look::Nothing(_) => failed += 1,
        }
        next = (next + patience.interval).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

struct Prober<'a> {
    expected: Expected,
    bench: Bench<'a>,
    load: &'a Load,
    position: Option<Position>,
}

/// What one answer says.
enum Look {
    Shows,
    Other(&'static str),
    Nothing(String),
    Wrong(Fault),
}

impl Prober<'_> {
    fn look(&mut self, answer: Result<(crate::http::Head, &[u8]), ClientError>) -> Look {
        let (head, bytes) = match answer {
            Ok(answer) => answer,
            Err(error) => return Look::Nothing(error.to_string()),
        };
        let body = &bytes[head.body_at..];
        let judge = Judge { writer: &self.load.writer, keys: &self.load.keys, skew: self.load.skew };
        let asked = Asked { questions: &[0], nonce: None };
        let now = crate::engine::unix_seconds();
        let shown = match judge.judge(asked, &head, body, now, &mut self.position, &mut Vec::new()) {
            Verdict::Right => shown(body),
            Verdict::HttpStatus(status) => return Look::Nothing(format!("HTTP {status}")),
            Verdict::Refused(refusal) => return Look::Nothing(refusal.name().to_owned()),
            Verdict::Wrong(fault) => return Look::Wrong(fault),
        };
        match shown {
            // Checked when it counts: each poll would cost more than the interval.
            Some(status) if self.expected.is_met_by(status) => match self.bench.check(body, now) {
                Ok(()) => Look::Shows,
                Err(fault) => Look::Wrong(fault),
            },
            _ => Look::Other("another status"),
        }
    }
}

fn shown(body: &[u8]) -> Option<crate::answer::Status> {
    match Answer::read(body) {
        Ok(Answer::Basic(basic)) => basic.singles().next()?.ok().map(|single| single.status),
        _ => None,
    }
}

fn unix_nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

fn rfc3339(nanos: u128) -> String {
    let time = i128::try_from(nanos).ok().and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}
