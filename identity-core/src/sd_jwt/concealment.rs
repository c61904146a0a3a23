//! What an issuer makes selectively disclosable: a tree beside the claims, made once per credential type.

use std::collections::BTreeMap;

use super::hash::HashAlg;
use super::path::{ClaimPath, Segment};

/// Which claims become disclosures, with how many decoys, under which hash.
///
/// Paths may lie inside each other: the inner disclosure is then concealed inside the outer one (RFC 9901
/// §4.2.6). A path that a given set of claims does not have is passed over, so one concealment serves
/// credentials whose optional claims differ.
///
/// ```
/// use identity_core::sd_jwt::{ClaimPath, Concealment, HashAlg};
/// let concealment = Concealment::new(HashAlg::Sha256)
///     .conceal(&ClaimPath::top("name"))
///     .conceal(&ClaimPath::top("address").member("city"))
///     .conceal(&ClaimPath::top("nationalities").every())
///     .decoys(4);
/// # let _ = concealment;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Concealment {
    pub(super) hash: HashAlg,
    pub(super) root: Node,
}

/// What is concealed at, and below, one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) concealed: bool,
    /// Decoy digests in the `_sd` array of the object here.
    pub(super) decoys: usize,
    /// Sorted by name.
    members: Vec<(String, Node)>,
    elements: BTreeMap<usize, Node>,
    every: Option<Box<Node>>,
}

impl Concealment {
    /// Nothing concealed yet.
    pub fn new(hash: HashAlg) -> Self {
        Self { hash, root: Node::default() }
    }

    /// Makes the claims at `path` selectively disclosable.
    #[must_use]
    pub fn conceal(mut self, path: &ClaimPath) -> Self {
        self.root.reach(path).concealed = true;
        self
    }

    /// Adds `count` decoy digests at the top level.
    #[must_use]
    pub fn decoys(mut self, count: usize) -> Self {
        self.root.decoys = count;
        self
    }

    /// Adds `count` decoy digests to the object at `path`.
    #[must_use]
    pub fn decoys_at(mut self, path: &ClaimPath, count: usize) -> Self {
        self.root.reach(path).decoys = count;
        self
    }
}

impl Node {
    fn reach(&mut self, path: &ClaimPath) -> &mut Self {
        path.segments().iter().fold(self, |node, segment| match segment {
            Segment::Name(name) => node.member_mut(name),
            Segment::Index(index) => node.elements.entry(*index).or_default(),
            Segment::Every => node.every.get_or_insert_default(),
        })
    }

    #[expect(clippy::indexing_slicing, reason = "the place where it was just found or put")]
    fn member_mut(&mut self, name: &str) -> &mut Self {
        let place = match self.find(name) {
            Ok(place) => place,
            Err(place) => {
                self.members.insert(place, (name.to_owned(), Self::default()));
                place
            }
        };
        &mut self.members[place].1
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// How many members something was said of.
    pub(super) const fn named(&self) -> usize {
        self.members.len()
    }

    /// What holds for the member `name`. `expected` is where it stands if claims come sorted, as they mostly do;
    /// looked up otherwise.
    pub(super) fn member(&self, name: &str, expected: &mut usize) -> Option<&Self> {
        let place = match self.members.get(*expected) {
            Some((known, _)) if known == name => *expected,
            _ => self.find(name).ok()?,
        };
        *expected = place + 1;
        self.members.get(place).map(|(_, node)| node)
    }

    /// What holds for an array element: what was said of its index, else of every element.
    pub(super) fn element(&self, index: usize) -> Option<&Self> {
        self.elements.get(&index).or(self.every.as_deref())
    }
}
