//! What is printed after a run: for people, or as JSON with the same figures. Used by `cli`.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::load::{Load, Pace};
use crate::server::Cost;
use crate::tally::Tally;

/// A run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub loads: Vec<LoadReport>,
    /// HTTP answers of all loads.
    pub answers: u64,
    pub wrong_answers: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerReport>,
}

/// One load of it.
#[derive(Debug, Serialize)]
pub struct LoadReport {
    pub name: String,
    /// Requests a second that were due; none in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_due: Option<f64>,
    /// Answers a second.
    pub rate_achieved: f64,
    pub seconds: f64,
    pub sent: u64,
    pub answers: u64,
    pub right: u64,
    pub scheduled_but_unsent: u64,
    pub oldest_unsent_ms: f64,
    pub wrong: BTreeMap<&'static str, u64>,
    /// Errors of OCSP, HTTP statuses other than 200, and requests without an answer.
    pub errors: BTreeMap<String, u64>,
    pub signatures_checked: u64,
    pub latency_ms: Percentiles,
    pub send_delay_ms: Percentiles,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    #[serde(rename = "p99.99")]
    pub p99_99: f64,
    pub max: f64,
}

/// What the run cost the server.
#[derive(Debug, Serialize)]
pub struct ServerReport {
    pub pid: u32,
    pub cpu_seconds_user: f64,
    pub cpu_seconds_system: f64,
    pub cpu_us_per_answer: f64,
    /// CPU seconds by the name of threads.
    pub threads: BTreeMap<String, f64>,
}

impl Report {
    pub fn new(loads: Vec<LoadReport>, cost: Option<(u32, Cost)>) -> Self {
        let answers = loads.iter().map(|load| load.answers).sum();
        let wrong_answers = loads.iter().flat_map(|load| load.wrong.values()).sum();
        let server = cost.map(|(pid, cost)| ServerReport {
            pid,
            cpu_seconds_user: cost.user,
            cpu_seconds_system: cost.system,
            cpu_us_per_answer: (cost.user + cost.system) * 1e6 / (answers as f64).max(1.0),
            threads: cost.threads,
        });
        Self { loads, answers, wrong_answers, server }
    }
}

impl LoadReport {
    pub fn new(load: &Load, tally: &Tally) -> Self {
        let mut errors = BTreeMap::new();
        errors.extend(tally.refused.iter().map(|(refusal, count)| (refusal.name().to_owned(), *count)));
        errors.extend(tally.failures.iter().map(|(failure, count)| (failure.name().to_owned(), *count)));
        errors.extend(tally.http_statuses.iter().map(|(status, count)| (format!("http-{status}"), *count)));
        Self {
            name: load.name.clone(),
            rate_due: match load.pace {
                Pace::Open { rate, .. } => Some(rate),
                Pace::Closed => None,
            },
            rate_achieved: tally.answers as f64 / tally.took.as_secs_f64().max(1e-9),
            seconds: tally.took.as_secs_f64(),
            sent: tally.sent,
            answers: tally.answers,
            right: tally.right,
            scheduled_but_unsent: tally.unsent,
            oldest_unsent_ms: tally.oldest_unsent as f64 / 1e6,
            wrong: tally.wrong.iter().map(|(fault, count)| (fault.name(), *count)).collect(),
            errors,
            signatures_checked: tally.signatures_checked,
            latency_ms: Percentiles::of(&tally.latency),
            send_delay_ms: Percentiles::of(&tally.delay),
        }
    }
}

impl Percentiles {
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e6;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            p99_99: at(0.9999),
            max: histogram.max() as f64 / 1e6,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for load in &self.loads {
            writeln!(f, "{load}")?;
        }
        if let Some(server) = &self.server {
            let ServerReport { pid, cpu_seconds_user, cpu_seconds_system, cpu_us_per_answer, threads } = server;
            writeln!(
                f,
                "server {pid}: {cpu_us_per_answer:.2} us of CPU per answer ({cpu_seconds_user:.2} s user, \
                 {cpu_seconds_system:.2} s system)"
            )?;
            for (name, seconds) in threads.iter().filter(|(_, seconds)| **seconds > 0.0) {
                writeln!(f, "  thread {name}: {seconds:.2} s")?;
            }
        }
        match (self.wrong_answers, self.answers) {
            (_, 0) => write!(f, "no answer"),
            (0, answers) => write!(f, "no wrong answer among {answers}"),
            (wrong, answers) => write!(f, "WRONG: {wrong} of {answers} answers"),
        }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let due = self.rate_due.map_or_else(|| "closed loop".to_owned(), |rate| format!("{rate:.0}/s due"));
        writeln!(f, "{}: {:.0} answers/s over {:.2} s ({due})", self.name, self.rate_achieved, self.seconds)?;
        writeln!(
            f,
            "  sent {}, answered {}, right {}, signatures checked {}, scheduled but unsent {}",
            self.sent, self.answers, self.right, self.signatures_checked, self.scheduled_but_unsent
        )?;
        if self.scheduled_but_unsent > 0 {
            writeln!(
                f,
                "  the percentiles leave the unsent ones out; the first of them had waited {:.3} ms",
                self.oldest_unsent_ms
            )?;
        }
        writeln!(f, "  latency ms    {}", self.latency_ms)?;
        write!(f, "  send delay ms {}", self.send_delay_ms)?;
        for (fault, count) in &self.wrong {
            write!(f, "\n  WRONG {fault}: {count}")?;
        }
        for (error, count) in &self.errors {
            write!(f, "\n  error {error}: {count}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p99_9, p99_99, max } = self;
        write!(f, "p50 {p50:.3}  p90 {p90:.3}  p99 {p99:.3}  p99.9 {p99_9:.3}  p99.99 {p99_99:.3}  max {max:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut tally = Tally::new();
        for microseconds in 1..=100_000 {
            tally.sent(0);
            tally.answered(crate::judge::Verdict::Right, microseconds * 1000);
        }
        let found = Percentiles::of(&tally.latency);
        let near = |found: f64, due: f64| assert!((found / due - 1.0).abs() < 0.002, "{found} for {due}");
        near(found.p50, 50.0);
        near(found.p90, 90.0);
        near(found.p99, 99.0);
        near(found.p99_9, 99.9);
        near(found.p99_99, 99.99);
        near(found.max, 100.0);
        assert_eq!(Percentiles::of(&tally.delay).max, 0.0);
    }
}
