//! A holder's family of certificates, and the shortest way from a report to what it does: decide, then apply.

use tashika::model::{
    Actor, AppletId, Backing, Batch, Case, Certificate, CertificateKey, CertificateNo, Change, Channel, Delivery,
    Entry, HoldId, HoldKind, HolderId, IssuerNo, KeyOrigin, Links, Medium, MediumId, MediumKind, Municipality,
    Operator, PersonId, Policy, Position, Proofing, Reason, Refusal, Report, ReportKind, Role, ScopeNo, Seconds,
    Serial, Sim, SimId, Status, StatusRefusal, Subject, Time, Usage, Wish, decide_report,
};

/// The card's SIGN certificate.
pub const SIGN: u64 = 1;
/// The card's AUTH certificate.
pub const AUTH: u64 = 2;
/// The phone's AUTH certificate, applied for under `SIGN`.
pub const PHONE: u64 = 3;
/// Another phone's AUTH certificate under `SIGN`, made and not yet delivered.
pub const PENDING: u64 = 4;
/// A phone's SIGN certificate, applied for under the SIGN of an earlier card.
pub const OTHER: u64 = 5;

pub const HOLDER: HolderId = HolderId([1; 16]);
pub const CARD: MediumId = MediumId([2; 16]);
pub const SIM: MediumId = MediumId([3; 16]);
pub const TOWN: Municipality = Municipality(13_101);

/// The family and a ledger's clock and positions.
#[derive(Clone)]
pub struct World {
    pub policy: Policy,
    pub family: Vec<Entry>,
    pub now: Time,
    pub position: Position,
}

/// What was done to one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub no: u64,
    pub change: Change,
    pub position: Position,
    pub cause: Position,
}

impl World {
    pub fn new(policy: Policy) -> Self {
        let start = Time::from_unix(START).unwrap();
        let mut world = Self { policy, family: Vec::new(), now: start, position: Position(100) };
        for no in [SIGN, AUTH, PHONE, PENDING, OTHER] {
            let certificate = certificate(no, start);
            let status = Status::at_registration(&certificate, Position(no));
            world.family.push(Entry { no: CertificateNo(no), certificate, status });
        }
        world
    }

    pub fn entry(&self, no: u64) -> &Entry {
        &self.family[no as usize - 1]
    }

    pub fn status(&self, no: u64) -> &Status {
        &self.entry(no).status
    }

    pub fn pass(&mut self, span: Seconds) {
        self.now = self.now + span;
    }

    /// Fulfils a wish about one certificate, as the desk does.
    pub fn fulfil(&mut self, no: u64, wish: &Wish, cause: Position) -> Result<Vec<Applied>, StatusRefusal> {
        let changes = self.entry(no).decide_all(wish, self.now)?;
        Ok(changes.into_iter().map(|change| self.apply(no, change, cause)).collect())
    }

    /// Takes a report, as the desk does: everything that follows, or a refusal and nothing.
    pub fn report(&mut self, actor: &Actor, report: &Report, backing: Backing) -> Result<Vec<Applied>, Refusal> {
        let case = Case { actor, report, family: &self.family, policy: &self.policy, now: self.now, backing };
        let changes = decide_report(&case)?;
        self.position = self.position.next();
        let cause = self.position;
        Ok(changes.into_iter().map(|(no, change)| self.apply(no.0, change, cause)).collect())
    }

    fn apply(&mut self, no: u64, change: Change, cause: Position) -> Applied {
        self.position = self.position.next();
        let status = &mut self.family[no as usize - 1].status;
        status.apply(&change, self.position, self.now, cause);
        Applied { no, change, position: self.position, cause }
    }

    /// Opens a hold; says its name.
    pub fn hold(&mut self, no: u64, kind: HoldKind) -> HoldId {
        let wish = Wish::Hold { kind, lost_at: None, becomes: None };
        let opened = self.fulfil(no, &wish, self.position).unwrap();
        HoldId(opened.first().expect("a hold of another kind than those open").position)
    }

    pub fn revoke(&mut self, no: u64, reason: Reason) {
        self.fulfil(no, &Wish::Revoke { reason, lost_at: None }, self.position).unwrap();
    }
}

/// Both settings of the release policy: the default of real life, and everything releasable.
pub fn policies() -> [Policy; 2] {
    use MediumKind as M;
    let everything = [M::Card, M::Sim].map(|medium| [(medium, Usage::Auth), (medium, Usage::Sign)]).concat();
    let mut policies = [Policy::default(), Policy { releasable: everything, ..Policy::default() }];
    policies.iter_mut().for_each(|policy| _ = policy.hosts.insert(operator("mvno"), operator("mno")));
    policies
}

pub fn operator(name: &str) -> Operator {
    name.parse().unwrap()
}

pub fn actor(role: Role) -> Actor {
    Actor { role, person: PersonId([9; 16]), channel: Channel::Api }
}

pub fn report(kind: ReportKind, subject: Subject, now: Time) -> Report {
    let moved_to = (kind == ReportKind::Moved).then_some(Municipality(13_102));
    Report { kind, subject, lost_at: None, reported_at: now, moved_to, evidence: None }
}

fn certificate(no: u64, now: Time) -> Certificate {
    let on_card = matches!(no, SIGN | AUTH);
    let sim = SimId([if no == PENDING { 14 } else { 13 }; 16]);
    let medium = match no {
        SIGN | AUTH => Medium { kind: MediumKind::Card, id: CARD },
        PENDING => Medium { kind: MediumKind::Sim, id: MediumId([4; 16]) },
        _ => Medium { kind: MediumKind::Sim, id: SIM },
    };
    Certificate {
        key: CertificateKey {
            issuer: IssuerNo(if on_card { 1 } else { 2 }),
            serial: Serial::from_unsigned(&[no as u8]).unwrap(),
        },
        usage: if matches!(no, SIGN | OTHER) { Usage::Sign } else { Usage::Auth },
        medium,
        holder: HOLDER,
        sim: (!on_card).then_some(Sim { operator: operator("mvno"), sim, applet: AppletId([5; 16]) }),
        batch: Batch(7),
        not_before: now - Seconds::days(if on_card { 300 } else { 3 }),
        not_after: now + Seconds::days(1_500),
        scope: ScopeNo(1),
        municipality: TOWN,
        key_origin: KeyOrigin::Unknown,
        proofing: Proofing::Unknown,
        delivery: if no == PENDING { Delivery::Awaited } else { Delivery::Delivered },
        links: Links {
            issued_under: matches!(no, PHONE | PENDING).then_some(CertificateNo(SIGN)),
            parallel_of: (no == PHONE).then_some(CertificateNo(AUTH)),
            succeeds: None,
        },
    }
}

const START: i64 = 1_795_143_600;

/// How bad a reason is, by DOMAIN and not by the code under test: a final reason gives way to a worse one only.
pub fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::Unspecified => 0,
        Reason::KeyCompromise | Reason::AaCompromise => 2,
        Reason::CaCompromise => 3,
        _ => 1,
    }
}
