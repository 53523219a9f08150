//! A ledger is proved while it is written to: what moves under the proof is no finding, what was altered still is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tashika::desk::Desk;
use tashika::ledger::{Finding, Ledger, Limits, Witnesses, verify};
use tashika::model::{CertificateNo, Policy};

use crate::history::{self, CERTIFICATES, Version};
use crate::memory::Memory;
use crate::nation;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::world::World;

#[test]
fn a_ledger_in_memory_is_proved_while_it_is_used() {
    prove_in_use(&Memory::new());
}

#[test]
fn a_ledger_in_a_file_is_proved_while_it_is_used() {
    prove_in_use(&Sqlite::new());
}

#[test]
fn a_ledger_in_postgres_is_proved_while_it_is_used() {
    prove_in_use(&Postgres::new());
}

fn prove_in_use(world: &dyn World) {
    let ledger: Arc<dyn Ledger> = world.ledger();
    history::write(&ledger, Version::True, &mut || {});
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| write_on(&ledger, &stop));
        let stopped = Stopped(&stop);
        for round in 0..20 {
            let report = verify(&*ledger, Witnesses::default(), Limits::default(), &mut |_| {}).unwrap();
            assert!(report.is_sound(), "round {round}: {report}");
        }
        world.set_status(CertificateNo(15), None);
        let report = verify(&*ledger, Witnesses::default(), Limits::default(), &mut |_| {}).unwrap();
        drop(stopped);
        let found = |f: &Finding| matches!(f, Finding::StatusDiffers { no: CertificateNo(15), .. });
        assert!(report.findings.len() == 1 && found(&report.findings[0]), "{report}");
    });
}

/// Tells the writer to stop when it goes out of scope, also when unwinding: else a failure would wait for it for ever.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Registers, reports, and beats until told to stop; pauses, as a writer does who waits for its disk.
fn write_on(ledger: &Arc<dyn Ledger>, stop: &AtomicBool) {
    let mut desk = Desk::new(Arc::clone(ledger), Policy::default());
    for number in CERTIFICATES + 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        desk.one(&history::register(number, 1), nation::at(86_400)).unwrap();
        desk.one(&history::lost(number), nation::at(86_400)).unwrap();
        ledger.beat(nation::at(86_400)).unwrap();
        thread::sleep(std::time::Duration::from_millis(2));
    }
}
