//! CPU time of the server under load, from /proc: what an answer costs. Used by `cli`.
//!
//! The kernel counts in ticks of a hundredth of a second, so a run should last seconds.

use std::collections::BTreeMap;
use std::fs;

/// CPU time of a process so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    user: u64,
    system: u64,
    /// Ticks by thread id, with the thread's name.
    threads: BTreeMap<u32, (String, u64)>,
}

/// CPU time between two looks, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    pub user: f64,
    pub system: f64,
    /// By name; threads of one name together. What a thread spent that ended meanwhile is in the totals only.
    pub threads: BTreeMap<String, f64>,
}

/// No such process, or not one that may be looked at.
#[derive(Debug, thiserror::Error)]
#[error("process {pid}: {source}")]
pub struct ServerError {
    pid: u32,
    source: std::io::Error,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self, ServerError> {
        let failed = |source| ServerError { pid, source };
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(failed)?;
        let unreadable = || failed(std::io::Error::other("/proc/PID/stat is not as expected"));
        let (_, user, system) = stat(&text).ok_or_else(unreadable)?;
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task")).map_err(failed)?.flatten() {
            // A thread may end between being listed and being read.
            let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let id = entry.file_name().to_str().and_then(|id| id.parse().ok());
            if let (Some(id), Some((name, user, system))) = (id, stat(&text)) {
                threads.insert(id, (name, user + system));
            }
        }
        Ok(Self { user, system, threads })
    }

    /// What was spent since `earlier`.
    pub fn since(&self, earlier: &Self) -> Cost {
        let second = rustix::param::clock_ticks_per_second() as f64;
        let spent = |now: u64, then: u64| now.saturating_sub(then) as f64 / second;
        let mut threads = BTreeMap::new();
        for (id, (name, ticks)) in &self.threads {
            let before = earlier.threads.get(id).map_or(0, |(_, ticks)| *ticks);
            *threads.entry(name.clone()).or_default() += spent(*ticks, before);
        }
        Cost { user: spent(self.user, earlier.user), system: spent(self.system, earlier.system), threads }
    }
}

/// Name, utime and stime of proc(5). The name is in parentheses and may hold any, even blanks and parentheses.
fn stat(text: &str) -> Option<(String, u64, u64)> {
    let (before, after) = text.rsplit_once(')')?;
    let name = before.split_once('(')?.1;
    let mut fields = after.split_whitespace().skip(11);
    Some((name.to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let text = "7 (a) (b c) S 1 2 3 4 5 6 7 8 9 10 111 222 0 0 20";
        assert_eq!(stat(text), Some(("a) (b c".to_owned(), 111, 222)));
    }

    #[test]
    fn work_shows_in_the_thread_that_does_it() {
        let pid = std::process::id();
        let before = Usage::of(pid).unwrap();
        let (done, wait) = std::sync::mpsc::channel();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let work = std::thread::Builder::new().name("busy".into()).spawn(move || {
            let begun = std::time::Instant::now();
            while begun.elapsed().as_millis() < 300 {
                std::hint::spin_loop();
            }
            done.send(()).unwrap();
            let _ = stopped.recv();
        });
        wait.recv().unwrap();
        let cost = Usage::of(pid).unwrap().since(&before);
        drop(stop);
        work.unwrap().join().unwrap();
        // The machine may be crowded: some of those 300 ms, but not none.
        assert!(cost.threads["busy"] > 0.02, "{cost:?}");
        assert!(cost.user + cost.system >= cost.threads["busy"] - 0.02, "{cost:?}");
    }
}
