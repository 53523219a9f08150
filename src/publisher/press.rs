//! Whoever publishes: what counts, from the store; the next round, from the lists; and its exposure.
//!
//! A round is built at one position and proved, its objects are staged, the pointer is moved, and only then is anything
//! exposed. What is broken off before the pointer moved never was: its number is a gap. What is broken off after is found
//! by [`Press::refresh`], the same function with which a start begins and another publisher's round is taken over.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::asn1::crl::Crl;
use crate::asn1::verify_detached;
use crate::ledger::{Hash, sha256};
use crate::model::{CrlLimits, CrlNumber, Epoch, LedgerId, ScopeNo};
use crate::status::{ReadTo, Revoked, RevokedError};

use super::content::{Needs, forget};
use super::draft::Draft;
use super::index::{Index, IndexError};
use super::making::{Common, Outcome, make};
use super::place::Place;
use super::round::{Due, Published, Round, Terms};
use super::shelf::{File, Media, Publication, Shelf};
use super::state::{Issued, LedgerMark, State, StateError};
use super::store::{IsDelta, Object, ObjectKind, ObjectName, Store, StoreError, Tip};
use super::sweeping::Retired;
use super::text::Hex;

/// Publishes from one store onto one shelf.
pub struct Press {
    pub(super) store: Arc<dyn Store>,
    shelf: Arc<Shelf>,
    seal: Seal,
    pub(super) tip: Option<Tip>,
    index: Option<Counted>,
    state: State,
    pub(super) crls: Crls,
    pub(super) retired: Retired,
}

/// Octets of what is exposed, and of bases.
pub(super) type Crls = HashMap<ObjectName, Arc<Vec<u8>>>;

/// An index with its octets.
#[derive(Clone)]
struct Counted {
    index: Index,
    octets: Arc<Vec<u8>>,
    signature: Option<Arc<Vec<u8>>>,
}

/// What is asked of the signature over an index, and with it of every CRL, whose hashes are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// By this certificate, in DER, if there is one: rounds of before there was a signer count.
    IfThere(Vec<u8>),
    /// By this certificate, in DER.
    Must(Vec<u8>),
    /// Nothing.
    Unasked,
}

impl Seal {
    fn holds(&self, index: &[u8], signature: Option<&[u8]>) -> Result<(), String> {
        let (certificate, signature) = match (self, signature) {
            (Self::Unasked, _) | (Self::IfThere(_), None) => return Ok(()),
            (Self::Must(_), None) => return Err("it is not signed".into()),
            (Self::IfThere(certificate) | Self::Must(certificate), Some(signature)) => (certificate, signature),
        };
        let signed = verify_detached(signature, index).map_err(|error| error.to_string())?;
        if signed.certificate == *certificate { Ok(()) } else { Err("another signed it".into()) }
    }
}

/// Why nothing was published, or what is published can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The index isn't one.
    #[error("the index of round {number}: {source}")]
    Index {
        /// The round.
        number: CrlNumber,
        /// Why.
        source: IndexError,
    },
    /// Another ledger's publication.
    #[error(
        "the store holds the publication of ledger {found}, and this is {own}: give each ledger a store of its own"
    )]
    OtherLedger {
        /// Whose it is.
        found: LedgerId,
        /// Whose it should be.
        own: LedgerId,
    },
    /// The index couldn't be signed.
    #[error("the index can't be signed: {0}")]
    Signature(String),
    /// The index isn't signed as it must be.
    #[error("the index of round {number} is not taken: {why}")]
    Seal {
        /// The round.
        number: CrlNumber,
        /// Why.
        why: String,
    },
    /// The state isn't one.
    #[error("the state of round {number}: {source}")]
    State {
        /// The round.
        number: CrlNumber,
        /// Why.
        source: StateError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What lies in the store is not what its index says.
    #[error("{0} in the store is not what its index says: restore it from a copy, or publish anew into an empty store")]
    Untrue(ObjectName),
    /// The store shows an earlier round than one that was seen.
    #[error("the store went back from round {held} to {found}: it was restored, or another took its place")]
    WentBack {
        /// What was seen.
        held: CrlNumber,
        /// What it shows.
        found: CrlNumber,
    },
}

impl Press {
    /// On a store, with what counts there on the shelf.
    pub fn open(store: Arc<dyn Store>, shelf: Arc<Shelf>) -> Result<Self, PressError> {
        Self::open_sealed(store, shelf, Seal::Unasked)
    }

    /// The same, of rounds that must be sealed so.
    pub fn open_sealed(store: Arc<dyn Store>, shelf: Arc<Shelf>, seal: Seal) -> Result<Self, PressError> {
        let mut press = Self {
            store,
            shelf,
            seal,
            tip: None,
            index: None,
            state: State::empty(),
            crls: Crls::new(),
            retired: Retired::unknown(),
        };
        press.refresh()?;
        Ok(press)
    }

    /// What is published.
    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref().map(|counted| &counted.index)
    }

    /// What must be known beside it.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The octets of a CRL that is exposed, or of a base.
    pub fn octets(&self, name: &ObjectName) -> Option<&[u8]> {
        self.crls.get(name).map(|octets| octets.as_slice())
    }

    /// A full CRL that is exposed, or a base.
    pub fn full(&self, path: &str, number: CrlNumber) -> Option<Crl<'_>> {
        let octets = self.crls.get(&ObjectName::crl(path, IsDelta::No, number))?;
        Crl::read(octets, CrlLimits::WIDEST).ok()
    }

    /// The highest number that is known to have been used in this store, published or not.
    pub fn highest(&self) -> Option<CrlNumber> {
        self.tip.as_ref().map(|tip| tip.number)
    }

    /// Takes up what counts in the store, if that is another round than what is held; says whether it was.
    pub fn refresh(&mut self) -> Result<bool, PressError> {
        let tip = self.store.tip()?;
        if tip == self.tip {
            return Ok(false);
        }
        let held = self.tip.as_ref().map(|tip| tip.number);
        let Some(tip) = tip else {
            let none = CrlNumber::from(0);
            return Err(PressError::WentBack { held: held.unwrap_or(none), found: none });
        };
        if let Some(held) = held.filter(|held| tip.number < *held) {
            return Err(PressError::WentBack { held, found: tip.number });
        }
        let number = tip.number;
        let octets = self.own(ObjectKind::Index, number)?;
        let index = Index::read(&octets).map_err(|source| PressError::Index { number, source })?;
        let state = self.own(ObjectKind::State, number)?;
        let state = State::read(&state).map_err(|source| PressError::State { number, source })?;
        let signature = self.store.get(&ObjectName::of_round(ObjectKind::IndexSignature, number))?;
        self.seal.holds(&octets, signature.as_deref()).map_err(|why| PressError::Seal { number, why })?;
        let crls = self.fetch(&index, &state)?;
        let counted = Counted { index, octets: Arc::new(octets), signature: signature.map(Arc::new) };
        self.take_up(tip, counted, state, crls);
        // What the rounds in between left, and what their publisher had not removed yet, nobody else may know.
        self.retired.suspect();
        Ok(true)
    }

    /// An object that a round must have.
    fn own(&self, kind: ObjectKind, number: CrlNumber) -> Result<Vec<u8>, PressError> {
        let name = ObjectName::of_round(kind, number);
        self.store.get(&name)?.ok_or(PressError::Untrue(name))
    }

    /// The CRLs that an index lists, and the bases that a state needs; those that are held already stay.
    fn fetch(&self, index: &Index, state: &State) -> Result<Crls, PressError> {
        let mut wanted: Vec<(ObjectName, Hex)> = index
            .issues()
            .filter_map(|(listing, is_delta, issue)| Some((listing.object(is_delta)?, issue.sha256)))
            .collect();
        for (path, issued) in &state.places {
            let full = |full: &super::state::Full| (ObjectName::crl(path, IsDelta::No, full.number), full.sha256);
            wanted.extend(issued.fulls.iter().map(full));
        }
        let mut crls = Crls::with_capacity(wanted.len());
        for (name, hash) in wanted {
            if crls.contains_key(&name) {
                continue;
            }
            let octets = match self.crls.get(&name) {
                Some(held) => held.clone(),
                None => Arc::new(self.store.get(&name)?.ok_or_else(|| PressError::Untrue(name.clone()))?),
            };
            if Hex::of(&octets) != hash || Crl::read(&octets, CrlLimits::WIDEST).is_err() {
                return Err(PressError::Untrue(name));
            }
            crls.insert(name, octets);
        }
        Ok(crls)
    }

    /// Publishes a round.
    pub fn publish(&mut self, round: &Round<'_>) -> Result<Published, PressError> {
        let published = self.stage_and_commit(round);
        if published.is_err() {
            self.retired.suspect();
        }
        published
    }

    fn stage_and_commit(&mut self, round: &Round<'_>) -> Result<Published, PressError> {
        if let Some(found) = self.index().map(|index| index.ledger).filter(|found| *found != round.head.ledger) {
            return Err(PressError::OtherLedger { found, own: round.head.ledger });
        }
        let listed = self.index().map(|index| index.slots.as_slice()).unwrap_or_default();
        let mut draft = Draft::of(round.number, self.state.clone(), listed);
        let due: Vec<_> = round.due.iter().filter_map(|due| Some((due, round.terms.places.get(&due.path)?))).collect();
        for part in due.chunks(STAGED_MAX) {
            for (due, place, outcome) in self.make(part, round) {
                draft.take(due, place, outcome, round);
            }
            self.store.put(&draft.unstaged())?;
            draft.staged();
        }
        round.brought.iter().for_each(|brought| draft.bring(brought, round));
        self.store.put(&draft.unstaged())?;
        draft.staged();
        // Nothing passed, so there is nothing to say but why.
        if draft.is_empty() {
            return Ok(draft.end());
        }
        self.commit(draft, round)
    }

    /// Builds and proves, on as many threads as there are.
    fn make<'d>(&self, due: &[(&'d Due, &'d Place)], round: &Round<'_>) -> Vec<(&'d Due, &'d Place, Outcome)> {
        let common = Common {
            number: round.number,
            cutoff: round.cutoff,
            epoch: round.head.epoch,
            rules: round.terms.rules,
            tells_position: round.terms.tells_position,
            losses: round.revoked.losses(),
        };
        let nothing = Issued::default();
        let of = |(due, place): &(&'d Due, &'d Place)| {
            let issued = self.state.places.get(&place.path).unwrap_or(&nothing);
            let before = |number| self.crls.get(&ObjectName::crl(&place.path, IsDelta::No, number)).cloned();
            (*due, *place, make(place, (due.issuing, due.why), (issued, &before), &common, round.revoked))
        };
        let threads = round.terms.threads.get().min(due.len()).max(1);
        if threads == 1 {
            return due.iter().map(of).collect();
        }
        let next = std::sync::atomic::AtomicUsize::new(0);
        let worker = || {
            let mut made = Vec::new();
            while let Some(one) = due.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                made.push(of(one));
            }
            made
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
            let mut made = worker();
            for other in others {
                made.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            made
        })
    }

    /// Writes what says what the round is, moves the pointer, and exposes it.
    fn commit(&mut self, mut draft: Draft, round: &Round<'_>) -> Result<Published, PressError> {
        draft.state.ledger = Some(LedgerMark::of(round.head));
        let previous: Option<Hash> = self.index.as_ref().map(|counted| sha256(&[&counted.octets]));
        let index = Index::new(round.head.ledger, round.number, round.cutoff.time, previous, draft.listings());
        let octets = index.to_json();
        let signature = match round.terms.signs_index {
            Some(signer) => Some(signer.sign(&octets, round.cutoff.time).map_err(PressError::Signature)?),
            None => None,
        };
        let name = |kind| ObjectName::of_round(kind, round.number);
        let (state, names) =
            (draft.state.to_json(), [ObjectKind::Index, ObjectKind::State, ObjectKind::IndexSignature].map(name));
        let mut own = vec![Object { name: &names[0], octets: &octets }, Object { name: &names[1], octets: &state }];
        own.extend(signature.as_ref().map(|signature| Object { name: &names[2], octets: signature }));
        self.store.put(&own)?;
        let tip = match self.store.advance(self.tip.as_ref(), round.number) {
            Ok(tip) => tip,
            // It may have moved all the same.
            Err(error) => match self.store.tip()? {
                Some(tip) if tip.number == round.number => tip,
                _ => return Err(error.into()),
            },
        };
        let listed = index.issues().filter_map(|(listing, is_delta, _)| listing.object(is_delta));
        let bases = draft.state.places.iter().flat_map(|(path, issued)| issued.objects(path));
        for name in listed.chain(bases) {
            if let Some(held) = self.crls.get(&name) {
                draft.crls.entry(name).or_insert_with(|| held.clone());
            }
        }
        let counted = Counted { index, octets: Arc::new(octets), signature: signature.map(Arc::new) };
        self.take_up(tip, counted, draft.state.clone(), std::mem::take(&mut draft.crls));
        Ok(draft.end())
    }

    /// Holds another round, and puts it on the shelf.
    fn take_up(&mut self, tip: Tip, counted: Counted, state: State, crls: Crls) {
        let time = counted.index.time;
        let needed: HashSet<&ObjectName> = crls.keys().collect();
        self.retired.add(time, self.crls.keys().filter(|name| !needed.contains(name)).cloned());
        if let Some(before) = &self.tip {
            let of = |kind| ObjectName::of_round(kind, before.number);
            self.retired.add(time, [ObjectKind::Index, ObjectKind::IndexSignature, ObjectKind::State].map(of));
        }
        self.shelf.put(publication(&counted, &crls));
        (self.tip, self.index, self.state, self.crls) = (Some(tip), Some(counted), state, crls);
    }

    /// Takes out of lists what no CRL of these places will say any more. `changed` are the paths whose bases moved.
    pub fn forget(
        &self,
        revoked: &mut Revoked,
        terms: &Terms<'_>,
        epoch: Epoch,
        changed: &[String],
    ) -> Result<(), RevokedError> {
        let scopes: BTreeSet<_> = changed.iter().filter_map(|path| terms.places.get(path)?.covers.one()).collect();
        let regular: BTreeMap<_, _> =
            self.state.places.iter().map(|(path, issued)| (path, issued.regular_cutoffs(epoch))).collect();
        let mark = terms.rules.mark(revoked.losses());
        let mut of_scope: BTreeMap<ScopeNo, Vec<Option<Needs<'_>>>> = BTreeMap::new();
        for place in terms.places.values() {
            let issued = self.state.places.get(&place.path);
            // What other rules left on a full CRL in force is still to be taken from it.
            let settled = issued.filter(|issued| issued.is_under(&mark));
            let oldest = settled.and_then(|issued| Some(issued.fulls.first()?.spoke.cutoff(epoch)));
            let needs = oldest.zip(regular.get(&place.path)).map(|(oldest, regular)| Needs { regular, oldest });
            place
                .covers
                .scopes()
                .filter(|no| scopes.contains(no))
                .for_each(|no| of_scope.entry(no).or_default().push(needs));
        }
        for (no, needs) in of_scope {
            // A place where nothing was issued yet under these rules needs everything.
            if let Some(needs) = needs.into_iter().collect::<Option<Vec<_>>>() {
                forget(revoked, no, &terms.rules, &needs)?;
            }
        }
        Ok(())
    }
}

/// As files: what is exposed, with its index.
fn publication(counted: &Counted, crls: &Crls) -> Publication {
    let index = &counted.index;
    let mut files = HashMap::with_capacity(crls.len() + 2);
    for (listing, is_delta, issue) in index.issues() {
        let Some(octets) = listing.object(is_delta).and_then(|name| crls.get(&name)) else { continue };
        let reflects = issue.reflects.map(|at| ReadTo { epoch: at.epoch, position: at.position });
        let file = File {
            octets: octets.clone(),
            media: Media::Crl,
            sha256: issue.sha256.0,
            made: issue.this_update,
            ends: Some(issue.next_update),
            reflects,
        };
        files.insert(format!("crl/{}{}", listing.path, is_delta.ending()), Arc::new(file));
    }
    let own = |octets: &Arc<Vec<u8>>, media| {
        let sha256 = Hex::of(octets).0;
        Arc::new(File { octets: octets.clone(), media, sha256, made: index.time, ends: None, reflects: None })
    };
    files.insert("crl/index.json".into(), own(&counted.octets, Media::Json));
    if let Some(signature) = &counted.signature {
        files.insert("crl/index.json.p7s".into(), own(signature, Media::Signature));
    }
    Publication { number: Some(index.number), files }
}

/// CRLs that are built before they are written to the store.
const STAGED_MAX: usize = 512;
