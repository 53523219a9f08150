//! What a verification found, for people: every finding says where, and what it means.

use std::fmt;

use crate::model::{CertificateNo, Epoch, LedgerId, Life, ListNo, Position, Status, Time};

use crate::ledger::{BrokenLink, Hash, Head, NoteError, Stray};

/// The outcome of [`verify`](super::verify).
#[derive(Clone, Debug)]
pub struct Report {
    /// Where the verified history ends, computed from its events alone.
    pub head: Head,
    /// How many events were hashed.
    pub events: u64,
    /// How many rows agreed with their registration.
    pub rows: u64,
    /// How many statuses were compared with what the events lead to.
    pub statuses: u64,
    /// How many members of listed sets were counted and hashed.
    pub members: u64,
    /// What stands outside the database.
    pub vouched: Evidenced,
    /// What is wrong, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// How many further findings there were.
    pub findings_left_out: u64,
}

/// What the checkpoints say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidenced {
    /// How many agree with the history.
    pub agreeing: u64,
    /// How many belong to a history that was given up when a person adopted a new epoch.
    pub abandoned: u64,
    /// The last position that one of them vouches for.
    pub last: Option<Position>,
    /// Who signed those that agree, by name.
    pub names: Vec<String>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A checkpoint of a history that was given up, while nothing outside the database vouches for the new epoch.
    #[error(
        "the checkpoint at {position} was signed for epoch {epoch}, which this ledger gave up; nothing signed since says that a person did so"
    )]
    Abandoned {
        /// Where it stands.
        position: Position,
        /// Its epoch.
        epoch: Epoch,
    },
    /// Issuers, scopes or sets as stored are not those of the events.
    #[error("the stored {0} are not those that the events added: the table was altered")]
    Book(&'static str),
    /// Something about the chain of events.
    #[error("{0}")]
    Broken(BrokenLink),
    /// A checkpoint says more events than there are.
    #[error(
        "a checkpoint was signed at {position}, but the history ends at {head}: its end was cut off, or an old copy was restored"
    )]
    CheckpointBeyond {
        /// The checkpoint.
        position: Position,
        /// The end.
        head: Position,
    },
    /// A checkpoint says another history.
    #[error(
        "the checkpoint at {position} ({names}) was signed for another history: something at or before {position} was rewritten"
    )]
    CheckpointContradicts {
        /// The checkpoint.
        position: Position,
        /// Who signed it.
        names: String,
    },
    /// A checkpoint whose signatures can't be relied on.
    #[error("the checkpoint at {position} proves nothing: {why}")]
    CheckpointDoubtful {
        /// The checkpoint.
        position: Position,
        /// Why.
        why: NoteError,
    },
    /// A checkpoint of another ledger.
    #[error("a checkpoint of ledger {0} is among the evidence: this is another one")]
    CheckpointForeign(LedgerId),
    /// Something stored can't be read.
    #[error("{what} can't be read ({why}): what hangs on them is not proved, and answers from them can't be relied on")]
    Damaged {
        /// What.
        what: &'static str,
        /// What the database says.
        why: String,
    },
    /// There are events after the last one that the head knows.
    #[error("there are events after {0}, where the head row says that the history ends")]
    EventsBeyondHead(Position),
    /// Events are missing at the end.
    #[error("the head row says that the history ends at {head}, but the last event is {last}")]
    EventsMissing {
        /// The last event there is.
        last: Position,
        /// Where it should end.
        head: Position,
    },
    /// The head row doesn't follow from the events.
    #[error("the head row's {0} is not what the events lead to")]
    Head(&'static str),
    /// The heartbeat doesn't fit.
    #[error("the heartbeat {0}")]
    Heartbeat(&'static str),
    /// A certificate's row is not under the name that an event gives it.
    #[error("event {position} names certificate {no} by a serial that its row doesn't have")]
    KeyDiffers {
        /// The event.
        position: Position,
        /// The certificate.
        no: CertificateNo,
    },
    /// A listed set has other members than its event counted.
    #[error(
        "list {list} doesn't have the members that event {position} counted and hashed: one was added, removed or altered"
    )]
    ListDiffers {
        /// The event.
        position: Position,
        /// The list.
        list: ListNo,
    },
    /// What stands beside the proved bytes doesn't agree with them.
    #[error("{}", match .0 {
        Stray::Fact(fact) => fact.clone(),
        Stray::Index(name) => format!("the index {name} is missing: nothing can be searched for by it"),
    })]
    Stray(Stray),
    /// A search by issuer and serial leads elsewhere.
    #[error("a search for the serial of certificate {no} does not find it: it would be answered as not issued")]
    LookUp {
        /// The certificate.
        no: CertificateNo,
    },
    /// Certificates that the table of statuses doesn't show.
    #[error("certificates {first} to {last} are registered, but a scan does not show them")]
    NotShown {
        /// The first.
        first: CertificateNo,
        /// The last.
        last: CertificateNo,
    },
    /// A number isn't the next one.
    #[error("event {position} gives {what} a number out of order")]
    Numbering {
        /// The event.
        position: Position,
        /// What it numbers.
        what: &'static str,
    },
    /// The queue for the second person isn't that of the events.
    #[error("the command queued at {0} is waiting where it should not be, or is gone without a decision")]
    Queue(Position),
    /// A row that no event registers.
    #[error("certificate {0} was registered by no event: its row was added")]
    RowExtra(CertificateNo),
    /// Registered certificates without a row.
    #[error("certificates {first} to {last} are registered, but their rows are gone")]
    RowsMissing {
        /// The first.
        first: CertificateNo,
        /// The last.
        last: CertificateNo,
    },
    /// Rows that don't digest to what was registered.
    #[error(
        "the rows of certificates {first} to {last} are not those that event {position} registered: one was altered"
    )]
    RowsDiffer {
        /// The registration.
        position: Position,
        /// The first of its certificates.
        first: CertificateNo,
        /// The last.
        last: CertificateNo,
    },
    /// A row that can't be read.
    #[error("the row of certificate {0} can't be read")]
    RowUnreadable(CertificateNo),
    /// A stored status isn't what the events lead to.
    #[error("certificate {no} is stored as {}; its events say {}: the status was altered", stored.0, replayed.0)]
    StatusDiffers {
        /// Whose.
        no: CertificateNo,
        /// As stored.
        stored: Box<InWords>,
        /// As the events say.
        replayed: Box<InWords>,
    },
    /// A hold would never turn final.
    #[error(
        "certificate {no} is to be revoked at {due} unless somebody contradicts, but no timer stands for it: it would stay held for ever"
    )]
    TimerMissing {
        /// The certificate.
        no: CertificateNo,
        /// When the clock should see to it.
        due: Time,
    },
    /// An event that no decision could have led to.
    #[error("event {position} ({what}) breaks the rules: it was written past the desk")]
    Unlawful {
        /// The event.
        position: Position,
        /// What it is.
        what: &'static str,
    },
    /// The ledger was written to faster than it could be compared.
    #[error("the {0} changed again and again while they were compared: verify a quieter copy")]
    Unsettled(&'static str),
}

/// A status with its words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InWords(pub String);

/// A bounded list of findings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub list: Vec<Finding>,
    pub left_out: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// How many events stand behind the last checkpoint that vouches for any.
    pub fn unvouched(&self) -> u64 {
        self.head.position.0 - self.vouched.last.map_or(0, |last| last.0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.head;
        writeln!(f, "ledger        {}, epoch {}, position {}", head.ledger, head.epoch, grouped(head.position.0))?;
        writeln!(f, "events        {} linked and hashed, root {}", grouped(self.events), hex(&head.tree.root()))?;
        let rows = if self.rows == 1 { "row digests" } else { "rows digest" };
        writeln!(f, "certificates  {} {rows} to what was registered", grouped(self.rows))?;
        writeln!(f, "statuses      {} compared with what the events lead to", grouped(self.statuses))?;
        if self.members > 0 {
            let members = if self.members == 1 { "member" } else { "members" };
            writeln!(f, "listed sets   {} {members}", grouped(self.members))?;
        }
        self.vouched.fmt(f)?;
        match self.unvouched() {
            0 => {}
            all if self.vouched.last.is_none() => writeln!(
                f,
                "              so this proves that the database agrees with itself, not that nobody rewrote all {} events",
                grouped(all)
            )?,
            some => writeln!(
                f,
                "              nothing outside the database vouches for the {} {} since",
                grouped(some),
                if some == 1 { "event" } else { "events" }
            )?,
        }
        if self.is_sound() {
            return write!(f, "nothing is wrong");
        }
        let all = self.findings.len() as u64 + self.findings_left_out;
        write!(f, "{} {} wrong:", grouped(all), if all == 1 { "thing is" } else { "things are" })?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n- {finding}"))?;
        match self.findings_left_out {
            0 => Ok(()),
            more => write!(f, "\n- and {} more", grouped(more)),
        }
    }
}

impl fmt::Display for Evidenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            None => writeln!(f, "checkpoints   none that vouches for this history")?,
            Some(last) => {
                let (count, names) = (grouped(self.agreeing), self.names.join(", "));
                let agree = if self.agreeing == 1 { "agrees" } else { "agree" };
                writeln!(f, "checkpoints   {count} {agree}, the last at {}; signed by {names}", grouped(last.0))?;
            }
        }
        if self.abandoned > 0 {
            let count = grouped(self.abandoned);
            writeln!(
                f,
                "              {count} are of histories given up for a new epoch, which a signed checkpoint confirms"
            )?;
        }
        Ok(())
    }
}

impl InWords {
    pub(super) fn of(status: &Status) -> Box<Self> {
        let life = match &status.life {
            Life::Active => "active".to_owned(),
            Life::Pending => "pending".to_owned(),
            Life::Revoked(revocation) => format!("revoked ({}, {})", revocation.reason, revocation.at),
        };
        let holds = match status.holds.len() {
            0 => String::new(),
            _ => {
                let names: Vec<_> = status.holds.iter().map(|hold| hold.id.to_string()).collect();
                format!(", held ({})", names.join(", "))
            }
        };
        let handed = status.handed_to.map(|to| format!(", handed over to {to}")).unwrap_or_default();
        Box::new(Self(format!("{life}{holds}{handed} as of {}", status.as_of)))
    }
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        if self.list.len() < FINDINGS_MAX {
            self.list.push(finding);
        } else {
            self.left_out += 1;
        }
    }
}

/// 12345 as 12,345.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Enough to see what happened; a rewritten table would fill the screen with the same line.
const FINDINGS_MAX: usize = 100;
