//! The check of a period, part by part.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ledger::batch::BatchTree;
use ledger::{CertifiedCheckpoint, Hash, ProvenState, StateProof, TrustRoot, sha256};

use super::{AnchoredRange, LEEWAY, Period, PeriodError};
use crate::anchor::{AnchorError, AnchorProof, BatchPath};
use crate::did::Did;
use crate::receipt::{Chain, ChainFault, ChainHead, Entry, UnverifiedEntry};
use crate::registry::{AnchorKind, did_key, receipts_key};
use crate::time::UnixSeconds;
use crate::trust::{self, known_until};

/// A period that is whole. Made in one function only.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPeriod {
    service: Did,
    entries: Vec<Entry>,
    waiting: u64,
    anchored: ChainHead,
    as_of: u64,
    known_at: UnixSeconds,
    is_closed: bool,
}

impl CheckedPeriod {
    /// Whose.
    #[must_use]
    pub const fn service(&self) -> &Did {
        &self.service
    }

    /// What it did, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many of the entries, the last ones, wait for the ledger. Nothing but the service's own word says that there are
    /// no more of them.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// How far the ledger has the chain, by then.
    #[must_use]
    pub const fn anchored(&self) -> ChainHead {
        self.anchored
    }

    /// The log index as of which the ledger says so.
    #[must_use]
    pub const fn as_of(&self) -> u64 {
        self.as_of
    }

    /// When the checkpoint over that was cosigned.
    #[must_use]
    pub const fn known_at(&self) -> UnixSeconds {
        self.known_at
    }

    /// Whether the ledger has an entry behind the period, so that nothing can come into it any more.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }
}

/// From the ledger inwards: whose keys and how far, each entry after the other, when, and each of them on the ledger.
pub(super) fn check(period: &Period, trust_root: &TrustRoot) -> Result<CheckedPeriod, PeriodError> {
    let mut ledger = Ledger { trust_root, roots: BTreeMap::new() };
    let keys = ledger.prove(&period.keys, &did_key(&period.service))?;
    let anchored = ledger.prove(&period.anchored, &receipts_key(&period.service))?;
    let (as_of, known_at) = (known_until(&anchored), anchored.checkpoint().cosigned_at());
    let history = trust::did_history(&keys, &period.service).map_err(|_| PeriodError::State)?;
    let anchored = trust::receipts_anchored(&anchored, &period.service).map_err(|_| PeriodError::State)?;

    let beginning = period.before.as_deref().map_or(Ok(0), |text| place_before(text, &period.service))?;
    let mut chain = Chain::following(&period.service, &history, beginning);
    let mut read = Read { first: beginning.saturating_add(1), digests: Vec::new(), entries: Vec::new() };
    for text in period.before.iter().chain(&period.entries).chain(&period.after) {
        let seq = chain.head().seq.saturating_add(1);
        read.entries.push(chain.read(seq, text)?);
        read.digests.push(sha256(text.as_bytes()));
    }
    if chain.head().seq < anchored.seq && period.after.is_none() {
        return Err(ChainFault::CutOff { seq: chain.head().seq.saturating_add(1) }.into());
    }
    dated(period, &read)?;
    covered(period, &read, anchored, as_of, &mut ledger)?;
    Ok(read.into_checked(period, anchored, as_of, UnixSeconds(i64::try_from(known_at).unwrap_or(i64::MAX))))
}

/// The place before the entry that stands before the period; [`Chain::read`] then checks that entry as any other, except
/// for what it follows.
fn place_before(text: &str, service: &Did) -> Result<u64, PeriodError> {
    let unreadable = PeriodError::Chain(ChainFault::Unreadable { seq: 0 });
    let entry = UnverifiedEntry::parse(text).map_err(|_| unreadable)?;
    if entry.service() == service { Ok(entry.into_dangerous_claims().seq().saturating_sub(1)) } else { Err(unreadable) }
}

/// The entries in the file, those before and after the period among them.
struct Read {
    /// The place of the first.
    first: u64,
    digests: Vec<Hash>,
    entries: Vec<Entry>,
}

impl Read {
    /// The place of the last; one less than the first if there is none.
    fn last(&self) -> u64 {
        u64::try_from(self.digests.len()).unwrap_or(u64::MAX).saturating_add(self.first).saturating_sub(1)
    }

    /// The digests of those of the places that are in the file.
    fn digests(&self, first: u64, last: u64) -> &[Hash] {
        let place = |seq: u64| usize::try_from(seq.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let end = place(last.min(self.last()).saturating_add(1));
        self.digests.get(place(first)..end).unwrap_or_default()
    }

    fn into_checked(self, period: &Period, anchored: ChainHead, as_of: u64, known_at: UnixSeconds) -> CheckedPeriod {
        let last = self.last();
        let around = usize::from(period.before.is_some());
        let entries: Vec<Entry> = self.entries.into_iter().skip(around).take(period.entries.len()).collect();
        let waiting = entries.iter().filter(|entry| entry.seq() > anchored.seq).count();
        CheckedPeriod {
            service: period.service.clone(),
            entries,
            waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
            anchored,
            as_of,
            known_at,
            is_closed: period.after.is_some() && last <= anchored.seq,
        }
    }
}

/// Each entry stands where its date says. In the period it may be dated a little before, never after.
fn dated(period: &Period, read: &Read) -> Result<(), PeriodError> {
    let (from, to) = (period.from, period.to);
    let (before, after) = (usize::from(period.before.is_some()), period.entries.len());
    for (place, entry) in read.entries.iter().enumerate() {
        let at = entry.at();
        let inside = place.checked_sub(before);
        let fits = match inside {
            None => at < from,
            Some(place) if place == after => at >= to,
            Some(0) => from <= at && at < to,
            Some(_) => from.plus(-LEEWAY) <= at && at < to,
        };
        if !fits {
            return Err(PeriodError::Time { seq: entry.seq() });
        }
    }
    if from < to { Ok(()) } else { Err(PeriodError::Malformed) }
}

/// Every entry that the ledger has, by its own word, is in an anchor of the service's; and each anchor is over what stands
/// in the file.
fn covered(
    period: &Period,
    read: &Read,
    anchored: ChainHead,
    as_of: u64,
    ledger: &mut Ledger<'_>,
) -> Result<(), PeriodError> {
    let mut next = read.first;
    for (number, range) in period.ranges.iter().enumerate() {
        let continues = if number == 0 { range.first <= next } else { range.first == next };
        if !continues || range.last < next || range.first == 0 {
            return Err(PeriodError::Uncovered { seq: next });
        }
        let digest = ledger.holds(range, read, &period.service, as_of)?;
        // An anchor that the ledger's word on the chain does not know: that word is older.
        if range.last > anchored.seq {
            return Err(PeriodError::State);
        }
        if range.last == anchored.seq && Some(digest) != anchored.digest {
            return Err(PeriodError::Forked { first: range.first, last: range.last });
        }
        next = range.last.saturating_add(1);
    }
    if next <= read.last().min(anchored.seq) { Err(PeriodError::Uncovered { seq: next }) } else { Ok(()) }
}

/// What is certified under the trust root.
struct Ledger<'t> {
    trust_root: &'t TrustRoot,
    roots: BTreeMap<u64, Hash>,
}

impl Ledger<'_> {
    fn prove(&mut self, proof: &StateProof, key: &str) -> Result<ProvenState, PeriodError> {
        let proven = proof.verify(self.trust_root).map_err(|_| PeriodError::State)?;
        self.note(proven.checkpoint())?;
        if proven.key() == key { Ok(proven) } else { Err(PeriodError::State) }
    }

    /// Of one size there is one root, or the ledger shows two histories.
    fn note(&mut self, checkpoint: &CertifiedCheckpoint) -> Result<(), PeriodError> {
        let known = self.roots.insert(checkpoint.size(), *checkpoint.root());
        if known.is_none_or(|known| known == *checkpoint.root()) { Ok(()) } else { Err(PeriodError::SplitView) }
    }

    /// That the service put this very range on the ledger, no later than what the ledger says of its chain. Answers the
    /// digest of the last entry.
    fn holds(&mut self, range: &AnchoredRange, read: &Read, service: &Did, as_of: u64) -> Result<Hash, PeriodError> {
        let digests = [&range.leading[..], read.digests(range.first, range.last), &range.trailing[..]].concat();
        let count = u64::try_from(digests.len()).unwrap_or(u64::MAX);
        let index = range.last.saturating_sub(range.first);
        let fits = index.checked_add(1) == Some(count)
            && read.first.saturating_sub(range.first) == u64::try_from(range.leading.len()).unwrap_or(u64::MAX);
        let (true, Ok(tree), Some(digest)) = (fits, BatchTree::new(&digests), digests.last()) else {
            return Err(PeriodError::Uncovered { seq: range.first });
        };
        let batch = BatchPath { index, count, path: tree.path(index).unwrap_or_default() };
        let proof = AnchorProof { batch, transaction: range.transaction.clone(), proof: range.proof.clone() };
        let mut certified = None;
        let at = proof.verify_with(digest, AnchorKind::Receipt, self.trust_root.origin(), |note| {
            let checkpoint = self.trust_root.verify_checkpoint(note)?;
            certified = Some(checkpoint.clone());
            Ok(Cow::Owned(checkpoint))
        });
        certified.iter().try_for_each(|checkpoint| self.note(checkpoint))?;
        let forked = PeriodError::Forked { first: range.first, last: range.last };
        let at = at.map_err(|error| match error {
            AnchorError::NotInBatch | AnchorError::Count => forked,
            other => PeriodError::Anchor(other),
        })?;
        if at.sender() != service {
            return Err(PeriodError::AnchorSender);
        }
        if at.receipt() != Some(range.last) {
            return Err(forked);
        }
        if at.index() > as_of { Err(PeriodError::State) } else { Ok(*digest) }
    }
}
