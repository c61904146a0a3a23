//! Checking what a node with a floor begins with: proven from the genesis file, since it cannot be executed again.

use std::collections::BTreeSet;

use ledger::Seal;
use ledger::tree::leaf_hash;
use ledger::walk::SealProof;
use service_kit::store::Range;

use super::census::Census;
use super::{Finding, PAGE, Replay, item, missing_entry, name_of};
use crate::boundary;
use crate::executor::first_seal;
use crate::snapshot::way::{self, Target, Unproven};
use crate::store::{Edge, Floor, Leaves, Part, Place, TreeError, boundary_key, leaf_key, step_key, walk};

impl Replay<'_> {
    /// Proves the floor, and goes on from it.
    pub(super) fn begin_at(&mut self, floor: &Floor) -> Result<(), Finding> {
        let target = self.prove_floor(floor)?;
        self.check_log(floor)?;
        self.check_state(floor)?;
        let seal = Seal::parse(target.shown.seal.as_bytes()).map_err(|error| Finding::Floor(error.to_string()))?;
        let index = floor.head.size.saturating_sub(1);
        let certifying = boundary::certifying(self.store, floor.head.height, index)?.digest();
        self.last = Some(seal);
        self.roots.insert(floor.head.size, (floor.head.root, certifying));
        self.floor = Some(floor.clone());
        Ok(())
    }

    /// The way from genesis to the floor, from what is kept of it.
    fn prove_floor(&self, floor: &Floor) -> Result<Target, Finding> {
        let newest = SealProof {
            seal: boundary::seal(self.store, floor.head.size.saturating_sub(1))?,
            proof: floor.proof.clone(),
        };
        let proven = way::prove(self.store, self.chain, &floor.head, newest);
        let (_, target) = proven.map_err(|error| match error {
            Unproven::Store(error) => Finding::Store(error),
            unproven => Finding::Floor(unproven.to_string()),
        })?;
        if target.shown.proof != floor.proof {
            return Err(Finding::Floor("its proof is not the last one of the way to it".into()));
        }
        for passed in &target.passed {
            let (note, proof) = (passed.note.as_bytes(), passed.named.proof.as_bytes());
            self.compare(&boundary_key(passed.index), note, &format!("checkpoint over log entry {}", passed.index))?;
            self.compare(&step_key(passed.index), proof, &format!("log proof of entry {}", passed.index))?;
        }
        Ok(target)
    }

    /// The hashes that are kept give the floor's root, and the entries that are kept are those of the hashes.
    fn check_log(&mut self, floor: &Floor) -> Result<(), Finding> {
        let size = floor.head.size;
        if floor.hashes > size || floor.entries > size || floor.places > size {
            return Err(Finding::Floor("it keeps less than its own block".into()));
        }
        self.edge = Edge::load(self.store, floor.hashes)?;
        self.edge.touch();
        let mut leaves = Leaves::new(self.store);
        for index in floor.hashes..size {
            self.edge.append_hash(leaves.at(index)?);
            if self.edge.size().is_multiple_of(256) {
                self.check_tiles(false)?;
            }
        }
        if self.edge.root() != floor.head.root {
            return Err(Finding::Floor("the hash tiles do not give its root".into()));
        }
        for index in floor.entries..size {
            let entry = self.store.get(&leaf_key(index))?.ok_or_else(|| missing_entry(index, floor.head.height))?;
            if leaf_hash(&entry) != leaves.at(index)? {
                let what = "it is not the one that was certified".to_owned();
                return Err(Finding::Entry { index, height: floor.head.height, byte: 0, what });
            }
        }
        Ok(())
    }

    fn check_state(&mut self, floor: &Floor) -> Result<(), Finding> {
        let mut items = 0_u64;
        let walked = walk(self.store, floor.head.height, &floor.head.state, &mut |_: Part| {
            items = items.saturating_add(1);
        });
        match walked {
            Ok(()) => {}
            Err(TreeError::Store(error)) => return Err(error.into()),
            Err(TreeError::Node(key) | TreeError::Value(key)) => return Err(item(&name_of(&key), 0)),
        }
        self.state_items = items;
        Ok(())
    }

    /// Of the entries below the floor nothing is there but what is kept, and the seals that name sets.
    pub(super) fn check_below(&self, census: &Census) -> Result<(), Finding> {
        let Some(floor) = &self.floor else {
            return none_beyond(census, 0);
        };
        let sets = boundary::validators(self.store, floor.head.height)?.sets;
        let kept: BTreeSet<u64> = sets.iter().map(|set| set.from).chain([floor.head.size.saturating_sub(1)]).collect();
        let (first, seal) = &first_seal(self.store, self.chain)?;
        let mut range = Range::between(leaf_key(0), leaf_key(floor.entries));
        loop {
            let page = self.store.scan(range.clone(), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            range = range.after(last);
            for (key, entry) in &page {
                let index = key.last_chunk().map_or(u64::MAX, |index| u64::from_be_bytes(*index));
                if !kept.contains(&index) {
                    return Err(Finding::Leftover(name_of(key)));
                }
                // Those that name later sets, and the floor's own, were proven with the way to it.
                if index == *first && entry != seal {
                    let what = "it is not the seal that genesis gives".to_owned();
                    return Err(Finding::Entry { index, height: 0, byte: 0, what });
                }
            }
        }
        let steps = u64::try_from(sets.len().saturating_sub(1)).unwrap_or(u64::MAX);
        none_beyond(census, steps)
    }

    /// Places of transactions below the floor: their entries are gone, so only their form and number can be told.
    pub(super) fn places_below(&self) -> Result<u64, Finding> {
        let Some(floor) = &self.floor else { return Ok(0) };
        let mut range = Range::prefix("tx/");
        let mut below = 0_u64;
        loop {
            let page = self.store.scan(range.clone(), PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(below) };
            range = range.after(last);
            for (_, place) in &page {
                let wrong = || item("the place of a transaction", 0);
                let place: Place = serde_json::from_slice(place).map_err(|_| wrong())?;
                if place.index < floor.head.size {
                    if place.index < floor.places || place.height > floor.head.height {
                        return Err(wrong());
                    }
                    below = below.saturating_add(1);
                }
            }
        }
    }
}

/// There are as many kept log proofs as seals that name another set.
fn none_beyond(census: &Census, steps: u64) -> Result<(), Finding> {
    if census.count("step/") == steps { Ok(()) } else { Err(Finding::Leftover("a kept log proof".into())) }
}
