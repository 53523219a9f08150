//! Lists of one scope or of many, gone through in the order in which a CRL has them: by issuer, then by serial number.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use crate::status::{Iter, Known, ScopeList};

/// What a CRL is made from.
#[derive(Clone, Debug)]
pub struct Lists<'a> {
    groups: Vec<Group<'a>>,
}

/// All lists under one name.
#[derive(Clone, Debug)]
struct Group<'a> {
    /// The DER of the issuer's name; none: who issues the CRL.
    issuer: Option<&'a [u8]>,
    lists: Vec<&'a ScopeList>,
}

/// Goes through lists.
#[derive(Clone, Debug)]
pub struct Merged<'a> {
    groups: &'a [Group<'a>],
    issuer: Option<&'a [u8]>,
    sources: Sources<'a>,
}

#[derive(Clone, Debug)]
enum Sources<'a> {
    One(Iter<'a>),
    Many(BinaryHeap<Source<'a>>),
}

/// A list with the next of its entries in front. The smallest serial number is the greatest source.
#[derive(Clone, Debug)]
struct Source<'a> {
    next: &'a Known,
    rest: Iter<'a>,
}

impl<'a> Lists<'a> {
    /// Of one scope, on a CRL of its own issuer.
    pub fn of_scope(list: &'a ScopeList) -> Self {
        Self { groups: vec![Group { issuer: None, lists: vec![list] }] }
    }

    /// Of all scopes of one issuer, on a CRL of that issuer: what each of them lists stands once on all of them together.
    pub fn of_issuer(lists: Vec<&'a ScopeList>) -> Self {
        Self { groups: vec![Group { issuer: None, lists }] }
    }

    /// Of several issuers, by the DER of their names, on an indirect CRL. Key generations of one name can't be told apart
    /// there: where two of their certificates have one serial number, the worse of both is said of it.
    pub fn of_issuers(lists: impl IntoIterator<Item = (&'a [u8], &'a ScopeList)>) -> Self {
        let mut by_name: BTreeMap<&[u8], Vec<&ScopeList>> = BTreeMap::new();
        lists.into_iter().for_each(|(name, list)| by_name.entry(name).or_default().push(list));
        Self { groups: by_name.into_iter().map(|(name, lists)| Group { issuer: Some(name), lists }).collect() }
    }

    /// Each entry with its issuer, if that isn't who issues the CRL.
    pub fn iter(&self) -> Merged<'_> {
        Merged { groups: &self.groups, issuer: None, sources: Sources::Many(BinaryHeap::new()) }
    }
}

impl<'a> Merged<'a> {
    fn open(&mut self) -> Option<()> {
        let (first, rest) = self.groups.split_first()?;
        self.groups = rest;
        self.issuer = first.issuer;
        self.sources = match first.lists[..] {
            [list] => Sources::One(list.iter()),
            ref lists => Sources::Many(lists.iter().filter_map(|list| Source::of(list.iter())).collect()),
        };
        Some(())
    }
}

impl<'a> Iterator for Merged<'a> {
    type Item = (Option<&'a [u8]>, Known);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = match &mut self.sources {
                Sources::One(list) => list.next().copied(),
                Sources::Many(heap) => smallest(heap),
            };
            if let Some(known) = next {
                return Some((self.issuer, known));
            }
            self.open()?;
        }
    }

    /// All at once: run by run, without a question after each entry. There is one place from which `with` is called, so that
    /// it becomes part of the loop however much it does.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, first: B, mut with: F) -> B {
        let (mut sum, mut merged) = (first, Vec::new());
        loop {
            let run = match &mut self.sources {
                Sources::One(list) => list.next_run(),
                Sources::Many(heap) => merge(heap, &mut merged),
            };
            for known in run {
                sum = with(sum, (self.issuer, *known));
            }
            if run.is_empty() && self.open().is_none() {
                return sum;
            }
        }
    }
}

/// Some of the next entries; none: there are no more.
fn merge<'m>(heap: &mut BinaryHeap<Source<'_>>, merged: &'m mut Vec<Known>) -> &'m [Known] {
    merged.clear();
    merged.extend(std::iter::from_fn(|| smallest(heap)).take(MERGED_AT_ONCE));
    merged
}

fn smallest(heap: &mut BinaryHeap<Source<'_>>) -> Option<Known> {
    let mut first = take(heap)?;
    while heap.peek().is_some_and(|source| source.next.cmp_serial(&first) == Ordering::Equal) {
        let twin = take(heap)?;
        first = first.or_worse(twin);
    }
    Some(first)
}

fn take(heap: &mut BinaryHeap<Source<'_>>) -> Option<Known> {
    let mut top = heap.peek_mut()?;
    let known = *top.next;
    match top.rest.next() {
        Some(next) => top.next = next,
        None => {
            std::collections::binary_heap::PeekMut::pop(top);
        }
    }
    Some(known)
}

impl<'a> Source<'a> {
    fn of(mut rest: Iter<'a>) -> Option<Self> {
        Some(Self { next: rest.next()?, rest })
    }
}

impl Ord for Source<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.next.cmp_serial(self.next)
    }
}

impl PartialOrd for Source<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Source<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Source<'_> {}

/// As many as a run has: they lie in the nearest memory.
const MERGED_AT_ONCE: usize = 256;
