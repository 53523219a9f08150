//! One round: the index, what is news of it, each CRL verified, all of it installed at once.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::asn1::crl::{Crl, CrlError};
use crate::asn1::{CRL_LABEL, CertificateFields, CmsError, KeyUsage, Name, to_pem, verify_detached};
use crate::http::Got;
use crate::ledger::{Hash, sha256};
use crate::model::{CrlLimits, Time};
use crate::publisher::pull::{
    Admitted, Form, Held, Known, Marks, Offered, Plan, Scopes, Seal, Step, Untaken, Wanted, admit, hash_names,
};
use crate::publisher::verifier::{ListFault, chain};
use crate::publisher::{Index, IsDelta, Listing};

use super::folder::Draft;
use super::{Folder, FolderError, Left, Pull, PullError, Round, Source, file_name};

/// Pulls one.
pub fn run(pull: &Pull, source: &mut Source, folder: &mut Folder, now: Time) -> Result<Round, PullError> {
    let before = folder.marks()?;
    let draft = folder.draft()?;
    let mut work = Work {
        pull,
        draft,
        holding: BTreeMap::new(),
        taken: BTreeMap::new(),
        others: Vec::new(),
        asked: Vec::new(),
        now,
    };
    for held in before.iter().flat_map(|marks| &marks.held) {
        work.holding.insert(held.listing.path.clone(), held.clone());
    }
    match work.fetch(source, before.as_ref()) {
        Ok((seen, left)) => {
            let taken: Vec<_> = work.taken.clone().into_iter().collect();
            let number = seen.index.number;
            work.install(seen, before.as_ref())?;
            Ok(Round { number, taken, left, received: source.received() })
        }
        Err(error) => {
            work.draft.abandon()?;
            Err(error)
        }
    }
}

/// A round that is being made.
struct Work<'a> {
    pull: &'a Pull,
    draft: Draft<'a>,
    holding: BTreeMap<String, Held>,
    taken: BTreeMap<String, u64>,
    /// Certificates of CAs that came with the publication.
    others: Vec<CertificateFields>,
    /// By which names they were asked for.
    asked: Vec<String>,
    now: Time,
}

/// The index that was taken.
struct Seen {
    index: Index,
    octets: Vec<u8>,
    hash: Hash,
    seal: Seal,
    tag: Option<String>,
}

impl Work<'_> {
    /// Fetches what is news. Between the index and its CRLs another round may have been published: then both are fetched
    /// once more.
    fn fetch(&mut self, source: &mut Source, before: Option<&Marks>) -> Result<(Seen, Vec<(String, Left)>), PullError> {
        let mut seen = match self.index(source, before, before.and_then(|marks| marks.tag.clone())) {
            // Index and signature are two fetches, too.
            Err(PullError::Seal(CmsError::OtherContent)) => self.index(source, before, None)?,
            other => other?,
        };
        let mut left = self.crls(source, &seen.index)?;
        let overtaken = |why: &Left| match why {
            Left::Untaken(Untaken::Index(_)) => true,
            Left::Source(error) => error.is_missing(),
            _ => false,
        };
        if left.iter().any(|(_, why)| overtaken(why)) {
            let again = self.index(source, before, None)?;
            if again.hash != seen.hash {
                left = self.crls(source, &again.index)?;
                seen = again;
            }
        }
        Ok((seen, left))
    }

    fn index(&self, source: &mut Source, before: Option<&Marks>, tag: Option<String>) -> Result<Seen, PullError> {
        let kept = match &tag {
            Some(_) => {
                self.draft.read(INDEX)?.filter(|octets| before.is_some_and(|marks| marks.index.0 == sha256(&[octets])))
            }
            None => None,
        };
        let (octets, tag) = match (source.index(tag.as_deref().filter(|_| kept.is_some()))?, kept) {
            (Got::Octets { body, tag }, _) => (body, tag),
            (Got::Unchanged, kept) => (kept.unwrap_or_default(), tag),
        };
        let (index, hash) = (Index::read(&octets)?, sha256(&[&octets]));
        let seal = match before {
            Some(before) if before.index.0 == hash => before.seal,
            _ => self.seal(source, &octets)?,
        };
        if let Some(before) = before {
            before.admit(&index, hash, seal, self.pull.history)?;
        }
        Ok(Seen { index, octets, hash, seal, tag })
    }

    /// Whether somebody signed the index who may sign CRLs and to whom an anchor leads. A signature over something else is
    /// an error; one by somebody whom no anchor knows is none.
    fn seal(&self, source: &mut Source, index: &[u8]) -> Result<Seal, PullError> {
        let Some(cms) = source.seal()? else { return Ok(Seal::Unsigned) };
        let signer = verify_detached(&cms, index)?.signer;
        let may = signer.extensions.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN));
        let is_known = chain(&signer, &self.others, &self.pull.anchors, self.now).is_ok();
        Ok(if may && is_known { Seal::Signed } else { Seal::Unsigned })
    }

    /// Everything that is news; what isn't taken, and why.
    fn crls(&mut self, source: &mut Source, index: &Index) -> Result<Vec<(String, Left)>, PullError> {
        let held: Vec<Held> = self.holding.values().cloned().collect();
        let plan = Plan::of(index, &held, &self.pull.scopes).map_err(PullError::NoScope)?;
        let mut left: Vec<_> = plan.gone.into_iter().map(|path| (path, Left::Gone)).collect();
        for step in plan.steps.iter().filter(|step| !step.is_nothing()) {
            let Some(listing) = index.slot(&step.path) else { continue };
            match self.step(source, step, listing)? {
                Ok(admitted) => {
                    self.taken.insert(step.path.clone(), admitted.listed);
                    self.holding.insert(step.path.clone(), admitted.held);
                }
                Err(why) => left.push((step.path.clone(), why)),
            }
        }
        Ok(left)
    }

    fn step(
        &mut self,
        source: &mut Source,
        step: &Step,
        listing: &Listing,
    ) -> Result<Result<Admitted, Left>, FolderError> {
        let mut fetched = Vec::new();
        for (is_delta, wanted) in [(IsDelta::No, step.full), (IsDelta::Yes, step.delta)] {
            let octets = match wanted {
                Wanted::None | Wanted::Withdrawn => None,
                Wanted::Held => self.draft.read(&der(&step.path, is_delta))?,
                Wanted::Fetched(octets) => match source.crl(&step.path, is_delta, octets) {
                    Ok(octets) => Some(octets),
                    Err(error) => return Ok(Err(error.into())),
                },
            };
            fetched.push(octets);
        }
        let (delta, full) = (fetched.pop().flatten(), fetched.pop().flatten());
        let offered = Offered { listing, full: full.as_deref().unwrap_or_default(), delta: delta.as_deref() };
        let admitted = match self.admit(&offered) {
            // Perhaps its signer's certificate comes with the publication.
            Err(Untaken::List(ListFault::NoIssuer(_) | ListFault::Signature(_)) | Untaken::Chain(_))
                if self.ask_for_signer(source, listing) =>
            {
                self.admit(&offered)
            }
            other => other,
        };
        match admitted {
            Ok(admitted) => {
                for (is_delta, octets) in [(IsDelta::No, &full), (IsDelta::Yes, &delta)] {
                    if let Some(octets) = octets {
                        self.draft.put(&der(&step.path, is_delta), octets)?;
                    }
                }
                Ok(Ok(admitted))
            }
            Err(why) => Ok(Err(why.into())),
        }
    }

    fn admit(&self, offered: &Offered<'_>) -> Result<Admitted, Untaken> {
        let known = Known { anchors: &self.pull.anchors, others: &self.others };
        admit(offered, self.holding.get(&offered.listing.path), known, self.now, self.pull.history)
    }

    /// Fetches the certificate of whoever should have signed; whether there is one more than before. An anchor must vouch
    /// for it, so nothing is believed here.
    fn ask_for_signer(&mut self, source: &mut Source, listing: &Listing) -> bool {
        let name = listing.issuer.as_ref().unwrap_or(&listing.path);
        if self.asked.contains(name) {
            return false;
        }
        self.asked.push(name.clone());
        let fields = source.authority(name).ok().and_then(|octets| CertificateFields::from_file(&octets).ok());
        let is_new = fields.is_some();
        self.others.extend(fields);
        is_new
    }

    /// Makes what was taken the current round, if there is anything new.
    fn install(self, seen: Seen, before: Option<&Marks>) -> Result<(), FolderError> {
        let wanted = |path: &String| match &self.pull.scopes {
            Scopes::All => true,
            Scopes::Of(paths) => paths.contains(path),
        };
        let held: Vec<Held> =
            self.holding.iter().filter(|(path, _)| wanted(path)).map(|(_, held)| held.clone()).collect();
        let mut marks = Marks::new(&seen.index, seen.hash, seen.seal, held);
        (marks.tag, marks.forms) = (seen.tag, self.pull.forms.clone());
        if before == Some(&marks) {
            return self.draft.abandon();
        }
        let installed = self.fill(&marks, &seen.octets);
        match installed {
            Ok(()) => self.draft.commit(&marks),
            Err(error) => {
                // The disk may be full: what was written goes, and the first error is the one that counts.
                let _ = self.draft.abandon();
                Err(error)
            }
        }
    }

    fn fill(&self, marks: &Marks, index: &[u8]) -> Result<(), FolderError> {
        self.draft.put(INDEX, index)?;
        for held in &marks.held {
            let path = &held.listing.path;
            for is_delta in [IsDelta::No, IsDelta::Yes] {
                if held.issue(is_delta).is_some() && !self.taken.contains_key(path) {
                    self.draft.keep(&der(path, is_delta))?;
                }
            }
        }
        for form in &marks.forms {
            let kinds: &[IsDelta] = match form {
                Form::HashDir | Form::Pem => &[IsDelta::No],
                Form::HashDirWithDeltas | Form::PemWithDeltas => &[IsDelta::No, IsDelta::Yes],
            };
            let files = marks.held.iter().flat_map(|held| {
                kinds.iter().filter(|kind| held.issue(**kind).is_some()).map(|kind| der(&held.listing.path, *kind))
            });
            let files: Vec<String> = files.collect();
            match form {
                Form::Pem | Form::PemWithDeltas => self.bundle(&files)?,
                Form::HashDir | Form::HashDirWithDeltas => self.hashed(&files)?,
            }
        }
        Ok(())
    }

    /// All of them in one file.
    fn bundle(&self, files: &[String]) -> Result<(), FolderError> {
        let mut failed = Ok(());
        self.draft.write(BUNDLE, &mut |out| {
            for file in files {
                match self.pem(file) {
                    Ok(pem) => out.write_all(pem.as_bytes())?,
                    Err(error) => failed = Err(error),
                }
            }
            Ok(())
        })?;
        failed
    }

    /// Each under the hash of its issuer.
    fn hashed(&self, files: &[String]) -> Result<(), FolderError> {
        let issuers: Vec<Option<Name>> = files.iter().map(|file| self.issuer(file)).collect::<Result<_, _>>()?;
        let known = files.iter().zip(&issuers).filter_map(|(file, issuer)| Some((file, issuer.as_ref()?)));
        let names = hash_names(known.clone().map(|(_, issuer)| issuer));
        for (name, (file, _)) in names.iter().zip(known) {
            self.draft.put(&format!("hash/{name}"), self.pem(file)?.as_bytes())?;
        }
        Ok(())
    }

    fn pem(&self, file: &str) -> Result<String, FolderError> {
        Ok(to_pem(CRL_LABEL, &self.draft.read(file)?.unwrap_or_default()))
    }

    /// Whose a CRL is; it was read before.
    fn issuer(&self, file: &str) -> Result<Option<Name>, FolderError> {
        let octets = self.draft.read(file)?.unwrap_or_default();
        let crl: Result<Crl<'_>, CrlError> = Crl::read(&octets, CrlLimits::WIDEST);
        Ok(crl.ok().map(|crl| crl.issuer))
    }
}

fn der(path: &str, is_delta: IsDelta) -> String {
    format!("der/{}", file_name(path, is_delta))
}

const INDEX: &str = "index.json";
const BUNDLE: &str = "crls.pem";
