//! The program's vital signs: what its threads last saw, and what that means for who asks `/readyz`.
//!
//! Each field is written by one thread, all are read by the probes. Judging is a pure function of signs and time.

use std::sync::{Mutex, PoisonError};

use super::crl_sign::CrlSign;
use super::issuer_sign::IssuerSign;
use super::log;
use crate::http::{Health, Obstacle, Readiness};
use crate::ledger::Heartbeat;
use crate::model::{Millis, Seconds, Time};
use crate::status::{Freshness, Tier, Tiers};

/// The signs, shared by the threads of one process.
pub(super) struct Vitals {
    signs: Mutex<Signs>,
    bounds: Bounds,
    now: fn() -> Millis,
}

/// What was last seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Of the ledger. Written by the sequencer's thread.
    pub ledger: LedgerSign,
    /// When the sequencer's thread last came round.
    pub round: Millis,
    /// The last heartbeat. Written by the sequencer's thread.
    pub heartbeat: Option<Heartbeat>,
    /// Who leads. Written by the sequencer's thread.
    pub lead: Lead,
    /// The desk's last failure to see to timers or the inbox, if the last step had one.
    pub failing: Option<String>,
    /// This clock is so much ahead of the ledger's time that this process doesn't lead.
    pub leap: Option<Seconds>,
    /// Of the checkpoints. Written by the notary's thread.
    pub checkpoint: CheckpointSign,
    /// Of the answers. Written by the follower's thread.
    pub answers: AnswerSign,
    /// Of the CRLs. Written by the thread that publishes or follows them.
    pub crls: CrlSign,
    /// Whether the program was told to stop.
    pub stopping: Stopping,
}

/// How it is with the answers.
#[derive(Clone, Debug, Default)]
pub(super) struct AnswerSign {
    pub following: Following,
    /// Each issuer that there is.
    pub issuers: Vec<IssuerSign>,
    /// Those that nobody signs for, and why.
    pub without_signer: Vec<(String, String)>,
    /// What is wrong with this machine's clock.
    pub clock: Option<String>,
    /// Why the mark of what was answered can't be kept.
    pub mark: Option<String>,
    /// Why the ledger couldn't be read, the last time that it couldn't.
    pub trouble: Option<String>,
}

/// How far the ledger is followed.
#[derive(Clone, Debug, Default)]
pub(super) enum Following {
    /// Everything is being read.
    #[default]
    Starting,
    /// Step by step.
    Reading {
        /// How old what is known is.
        freshness: Freshness,
        /// And what follows from that.
        tiers: Tiers,
    },
    /// The ledger isn't the one that was read: what is known grows old, until a person has looked.
    Frozen(String),
}

/// Whether the program was told to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stopping {
    /// No.
    #[default]
    No,
    /// Yes: requests that are on their way are still answered.
    Yes,
}

/// How it is with the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum LedgerSign {
    /// Not opened yet.
    #[default]
    Opening,
    /// It answers.
    Fine,
    /// It doesn't, at the moment.
    Lost(String),
    /// Something is wrong that a person must look at; this process does nothing more to it.
    Frozen(String),
}

/// Who leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lead {
    /// This process.
    Mine,
    /// Another, or nobody.
    #[default]
    Others,
}

/// How it is with the checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum CheckpointSign {
    /// Nothing is known against them.
    #[default]
    Fine,
    /// They can't be read, written or signed at the moment.
    Failing(String),
    /// They say something else than the ledger; that doesn't pass by itself.
    Disagree(String),
}

/// From when on a sign is a bad one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The oldest heartbeat that is nothing to tell of.
    pub heartbeat_max: Seconds,
}

impl Vitals {
    /// Signs of a process that has just started.
    pub fn new(bounds: Bounds, now: fn() -> Millis) -> Self {
        let signs = Signs { round: now(), ..Signs::default() };
        Self { signs: Mutex::new(signs), bounds, now }
    }

    /// Notes what was seen.
    pub fn note(&self, write: impl FnOnce(&mut Signs)) {
        let mut signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
        let before = signs.clone();
        write(&mut signs);
        log::changes(&before, &signs).iter().for_each(|line| log::line(line));
    }

    /// What was last seen.
    pub fn signs(&self) -> Signs {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Signs {
    /// Notes how it is with the checkpoints; a disagreement stays until a person has looked and started anew.
    pub fn see_checkpoint(&mut self, sign: CheckpointSign) {
        if !self.disagree() {
            self.checkpoint = sign;
        }
    }

    /// Whether ledger and checkpoints can't both be right.
    pub fn disagree(&self) -> bool {
        matches!(self.checkpoint, CheckpointSign::Disagree(_))
    }
}

impl AnswerSign {
    /// For whom nobody signs, and why: since the start, or because a signer's time is over.
    fn without_signer(&self, now: Time) -> Vec<(String, String)> {
        let over = self.issuers.iter().filter_map(|issuer| issuer.over(now));
        self.without_signer.iter().cloned().chain(over).collect()
    }
}

impl Health for Vitals {
    fn readiness(&self) -> Readiness {
        judge(&self.signs(), (self.now)(), self.bounds)
    }
}

/// What the signs mean at this moment. While answers are young enough, what is wrong with the ledger and with what is written
/// to it is only told: a balancer that dropped every node while the database is away would end what still answers.
pub(super) fn judge(signs: &Signs, now: Millis, bounds: Bounds) -> Readiness {
    let age = signs.heartbeat.as_ref().map(|beat| now.time().unix() - beat.time.unix());
    let mut told = judge_writing(signs, now, bounds, age);
    let mut obstacles = Vec::new();
    let mut add = |kind, detail: String| obstacles.push(Obstacle { kind, detail });
    match &signs.ledger {
        LedgerSign::Opening => add("starting", "the ledger is being opened".into()),
        LedgerSign::Frozen(why) => add("ledger-frozen", format!("{why}; restart when it is settled")),
        LedgerSign::Fine | LedgerSign::Lost(_) => {}
    }
    if let Some(behind) = age.map(|age| -age).filter(|behind| *behind > CLOCK_BEHIND_MAX) {
        add("clock-behind", format!("this machine's clock is {behind} s behind the ledger's"));
    }
    if let CheckpointSign::Disagree(why) = &signs.checkpoint {
        add("checkpoint-disagrees", why.clone());
    }
    let degraded = judge_answers(signs, now, &mut obstacles);
    if signs.stopping == Stopping::Yes {
        obstacles.push(Obstacle { kind: "stopping", detail: "this process was told to stop".into() });
    }
    told.extend(signs.crls.obstacles(now.time()));
    if !obstacles.is_empty() {
        told.append(&mut obstacles);
        return Readiness::NotReady { obstacles: told };
    }
    Readiness::Ready {
        position: signs.heartbeat.as_ref().map(|beat| beat.position),
        heartbeat_age: age.map(|age| age.max(0).unsigned_abs()),
        leads: signs.lead == Lead::Mine,
        degraded,
        without_signer: signs.answers.without_signer(now.time()),
        obstacles: told,
    }
}

/// What is wrong with the ledger and with what is written to it.
fn judge_writing(signs: &Signs, now: Millis, bounds: Bounds, age: Option<i64>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let mut add = |kind, detail: String| obstacles.push(Obstacle { kind, detail });
    if let LedgerSign::Lost(why) = &signs.ledger {
        add("ledger-unreachable", why.clone());
    }
    let silent = now.0.saturating_sub(signs.round.0) / 1_000;
    if silent > i64::from(ROUND_MAX.0) {
        add("stalled", format!("the ledger has kept this process waiting for {silent} seconds"));
    }
    match age {
        None if signs.ledger == LedgerSign::Fine => add("no-leader", "the ledger has never had a heartbeat".into()),
        Some(age) if age > i64::from(bounds.heartbeat_max.0) => match signs.lead {
            Lead::Mine => add("heartbeat-old", format!("this process leads, and its last heartbeat is {age} s old")),
            Lead::Others => add("no-leader", format!("the last heartbeat of whoever leads is {age} s old")),
        },
        None | Some(_) => {}
    }
    if let CheckpointSign::Failing(why) = &signs.checkpoint {
        add("checkpoint-failing", why.clone());
    }
    if let Some(leap) = signs.leap {
        let hours = leap.0 / 3_600;
        add(
            "clock-ahead",
            format!(
                "this machine's clock is {hours} hours ahead of the ledger's time: set the clock; or if the ledger stood still \
                 so long, start once with serve.clock_leap_max_hours = 0"
            ),
        );
    }
    if let Some(why) = &signs.failing {
        add("desk-failing", why.clone());
    }
    obstacles
}

/// What the signs mean for the answers; says for how many seconds what is answered has been getting old.
fn judge_answers(signs: &Signs, now: Millis, obstacles: &mut Vec<Obstacle>) -> Option<u32> {
    let answers = &signs.answers;
    let mut add = |kind, detail: String| obstacles.push(Obstacle { kind, detail });
    let mut degraded = None;
    match &answers.following {
        // Said already.
        Following::Starting if signs.ledger == LedgerSign::Opening => {}
        Following::Starting => add("reading", "the certificates are being read from the ledger".into()),
        Following::Frozen(why) => add("answers-frozen", format!("{why}; restart when it is settled")),
        Following::Reading { freshness, tiers } => {
            match (freshness.tier(now.time(), *tiers), freshness.lag(now.time())) {
                (Tier::Fresh, _) => {}
                (Tier::Degraded, lag) => degraded = lag.map(|lag| lag.0),
                (Tier::Past, None) => add("answers-too-old", "nobody has said yet how old what is known is".into()),
                (Tier::Past, Some(lag)) => {
                    let trouble = answers.trouble.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
                    add(
                        "answers-too-old",
                        format!("what is known is {} s old{trouble}: callers are told to come again", lag.0),
                    );
                }
            }
        }
    }
    if let Some(why) = &answers.clock {
        add("clock-distrusted", format!("{why}: nothing is signed"));
    }
    if let Some(why) = &answers.mark {
        add("mark-failing", why.clone());
    }
    // Some without a signer: the others answer on.
    let without_signer = answers.without_signer(now.time());
    if !answers.issuers.is_empty() && without_signer.len() >= answers.issuers.len() {
        for (name, why) in &without_signer {
            add("no-signer", format!("{name}: {why}"));
        }
    }
    degraded
}

/// A thread that comes round every quarter of a second has been waiting, not working, if it hasn't for so long.
const ROUND_MAX: Seconds = Seconds(5);
/// DESIGN: beyond this, a clock signs nothing.
const CLOCK_BEHIND_MAX: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epoch, IssuerNo, Position};

    const NOW: Millis = Millis(1_800_000_000_000);

    fn fine() -> Signs {
        let time = Time::from_unix(NOW.0 / 1000).unwrap();
        Signs {
            ledger: LedgerSign::Fine,
            round: NOW,
            heartbeat: Some(Heartbeat { epoch: Epoch(0), position: Position(9), link: [0; 32], time }),
            lead: Lead::Mine,
            failing: None,
            leap: None,
            checkpoint: CheckpointSign::Fine,
            answers: AnswerSign { following: reading(time), ..AnswerSign::default() },
            crls: CrlSign::default(),
            stopping: Stopping::No,
        }
    }

    fn reading(known_at: Time) -> Following {
        Following::Reading { freshness: Freshness { known_at: Some(known_at) }, tiers: Tiers::default() }
    }

    fn told(signs: &Signs, now: Millis) -> (bool, Vec<&'static str>) {
        let (ready, obstacles) = match judge(signs, now, Bounds { heartbeat_max: Seconds(5) }) {
            Readiness::NotReady { obstacles } => (false, obstacles),
            Readiness::Ready { obstacles, .. } => (true, obstacles),
        };
        (ready, obstacles.iter().map(|obstacle| obstacle.kind).collect())
    }

    fn kinds(signs: &Signs, now: Millis) -> Vec<&'static str> {
        told(signs, now).1
    }

    #[test]
    fn while_it_answers_what_is_wrong_with_the_ledger_is_only_told() {
        let mut signs = fine();
        signs.ledger = LedgerSign::Lost("x".into());
        signs.round = Millis(NOW.0 - 6_000);
        signs.checkpoint = CheckpointSign::Failing("x".into());
        signs.failing = Some("x".into());
        signs.leap = Some(Seconds::days(40));
        let all = ["ledger-unreachable", "stalled", "checkpoint-failing", "clock-ahead", "desk-failing"];
        assert_eq!(told(&signs, NOW), (true, all.into()));
        let old = Time::from_unix(NOW.time().unix() - 301).unwrap();
        signs.answers.following = reading(old);
        assert_eq!(told(&signs, NOW), (false, [&all[..], &["answers-too-old"]].concat()));
    }

    #[test]
    fn each_bad_sign_is_named() {
        assert_eq!(told(&fine(), NOW), (true, vec![]));
        let with = |change: fn(&mut Signs)| {
            let mut signs = fine();
            change(&mut signs);
            kinds(&signs, NOW)
        };
        assert_eq!(kinds(&Signs { round: NOW, ..Signs::default() }, NOW), ["starting"]);
        let bars = |change: fn(&mut Signs)| {
            let mut signs = fine();
            change(&mut signs);
            !told(&signs, NOW).0
        };
        assert!(bars(|signs| signs.ledger = LedgerSign::Frozen("x".into())));
        assert!(bars(|signs| signs.checkpoint = CheckpointSign::Disagree("x".into())));
        assert!(bars(|signs| signs.answers.following = Following::Frozen("x".into())));
        assert!(bars(|signs| signs.stopping = Stopping::Yes));
        assert_eq!(with(|signs| signs.ledger = LedgerSign::Lost("x".into())), ["ledger-unreachable"]);
        assert_eq!(with(|signs| signs.ledger = LedgerSign::Frozen("x".into())), ["ledger-frozen"]);
        assert_eq!(with(|signs| signs.round = Millis(NOW.0 - 6_000)), ["stalled"]);
        assert_eq!(with(|signs| signs.heartbeat = None), ["no-leader"]);
        assert_eq!(with(|signs| signs.checkpoint = CheckpointSign::Failing("x".into())), ["checkpoint-failing"]);
        assert_eq!(with(|signs| signs.checkpoint = CheckpointSign::Disagree("x".into())), ["checkpoint-disagrees"]);
        assert_eq!(with(|signs| signs.failing = Some("x".into())), ["desk-failing"]);
        assert_eq!(with(|signs| signs.leap = Some(Seconds::days(40))), ["clock-ahead"]);
        assert_eq!(with(|signs| signs.answers.following = Following::Starting), ["reading"]);
        assert_eq!(with(|signs| signs.answers.following = Following::Frozen("x".into())), ["answers-frozen"]);
        assert_eq!(with(|signs| signs.answers.following = reading(Time::default())), ["answers-too-old"]);
        assert_eq!(with(|signs| signs.answers.clock = Some("x".into())), ["clock-distrusted"]);
        assert_eq!(with(|signs| signs.answers.mark = Some("x".into())), ["mark-failing"]);
        assert_eq!(with(|signs| signs.stopping = Stopping::Yes), ["stopping"]);
    }

    #[test]
    fn without_any_signer_it_is_not_ready_and_without_one_of_two_it_says_which() {
        let with = |without: &[&str], not_after| {
            let mut signs = fine();
            let sign = |no| IssuerSign {
                no: IssuerNo(no),
                name: String::new(),
                kind: None,
                not_after,
                promises: vec![],
                changed: None,
            };
            signs.answers.issuers = vec![sign(1), sign(2)];
            signs.answers.without_signer = without.iter().map(|name| ((*name).into(), "x".into())).collect();
            judge(&signs, NOW, Bounds { heartbeat_max: Seconds(5) })
        };
        let Readiness::Ready { without_signer, .. } = with(&["a"], None) else { panic!("one issuer is answered for") };
        assert_eq!(without_signer, [("a".to_owned(), "x".to_owned())]);
        let Readiness::NotReady { obstacles } = with(&["a", "b"], None) else { panic!("nobody is answered for") };
        assert!(obstacles.iter().all(|obstacle| obstacle.kind == "no-signer") && obstacles.len() == 2);
        let ends = |seconds| Time::from_unix(NOW.time().unix() + seconds).ok();
        assert!(matches!(with(&[], ends(1)), Readiness::Ready { without_signer, .. } if without_signer.is_empty()));
        let Readiness::NotReady { obstacles } = with(&[], ends(0)) else { panic!("both signers' time is over") };
        assert!(obstacles.iter().all(|obstacle| obstacle.kind == "no-signer") && obstacles.len() == 2);
    }

    #[test]
    fn what_grows_old_is_said_before_it_is_too_old() {
        let mut signs = fine();
        let now = NOW.time();
        let is = |signs: &Signs| match judge(signs, NOW, Bounds { heartbeat_max: Seconds(3_600) }) {
            Readiness::Ready { degraded, .. } => Ok(degraded),
            Readiness::NotReady { obstacles } => Err(obstacles[0].kind),
        };
        let mut lags = |seconds| {
            signs.answers.following = reading(Time::from_unix(now.unix() - seconds).unwrap());
            is(&signs)
        };
        assert_eq!(
            [lags(3), lags(4), lags(300), lags(301)],
            [Ok(None), Ok(Some(4)), Ok(Some(300)), Err("answers-too-old")]
        );
    }

    #[test]
    fn the_heartbeat_s_age_has_its_bound_on_either_side() {
        let at = |seconds: i64, lead| {
            let now = Millis(NOW.0 + seconds * 1_000);
            kinds(&Signs { round: now, lead, ..fine() }, now)
        };
        assert!(at(5, Lead::Mine).is_empty());
        assert_eq!(at(6, Lead::Mine), ["heartbeat-old"]);
        assert_eq!(at(6, Lead::Others), ["no-leader"]);
        assert!(at(-2, Lead::Others).is_empty());
        assert_eq!(at(-3, Lead::Others), ["clock-behind"]);
    }
}
