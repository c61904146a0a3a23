//! What the ledger's pure room reads: notes, checkpoints, trust roots, proofs, seals, tiles.

use std::sync::LazyLock;

use identity_core::sample::consortium::Consortium;
use identity_core::sample::world::{NOW, World};
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::snapshot::{Header, Malformed, Reader, Writer};
use ledger::split_view::SplitEvidence;
use ledger::tile::{Tile, read_bundle};
use ledger::walk::{Walk, Walked};
use ledger::{Hash, LogProof, Seal, StateProof, TimeProof, TrustRoot};

use crate::{Outcome, text};

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static CONSORTIUM: LazyLock<Consortium> = LazyLock::new(Consortium::new);
static TRUST_ROOT: LazyLock<TrustRoot> = LazyLock::new(|| WORLD.ledger.trust_root());

/// A signed note is its text and its signature lines, and nothing else.
pub fn note(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let parsed = Note::parse(text);
    if let Ok(note) = &parsed {
        assert_eq!(note.to_string(), text);
    }
    Outcome::of(&parsed)
}

/// A checkpoint's text, and the same bytes as a certified note: only what the sample's validator signed is certified.
pub fn checkpoint(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.to_text(), text);
        return Outcome::Accepted;
    }
    let certified = TRUST_ROOT.verify_checkpoint(text);
    if let Ok(certified) = &certified {
        let genuine = WORLD.ledger.log_proof(certified.size() - 1, 0);
        let genuine = LogProof::parse(&genuine).unwrap();
        let root = TRUST_ROOT.verify_checkpoint(&genuine.note).unwrap();
        assert_eq!(certified.root(), root.root(), "nobody signed another root");
    }
    Outcome::of(&certified)
}

/// A policy file as a trust root.
pub fn trust_root(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let parsed = TrustRoot::parse(text);
    if let Ok(root) = &parsed {
        assert_eq!(root.digest(), ledger::sha256(data));
        assert!(root.policy().has_quorum());
    }
    Outcome::of(&parsed)
}

/// A seal's line has one spelling.
pub fn seal(data: &[u8]) -> Outcome {
    let parsed = Seal::parse(data);
    if let Ok(seal) = &parsed {
        assert_eq!(seal.to_line().as_bytes(), data);
    }
    Outcome::of(&parsed)
}

/// A proof that an entry is in the log: it reads the same when written down, and proves the entry at its place only.
pub fn log_proof(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let parsed = LogProof::parse(text);
    if let Ok(proof) = &parsed {
        assert_eq!(LogProof::parse(&proof.to_string()).as_ref(), Ok(proof));
        let entry = WORLD.ledger.leaf(WORLD.anchored).as_bytes();
        if let Ok(proven) = proof.verify(&TRUST_ROOT, entry) {
            assert_eq!(proven.index(), WORLD.anchored);
        }
        assert!(proof.verify(&TRUST_ROOT, b"never logged").is_err());
    }
    Outcome::of(&parsed)
}

/// A proof of the state: what it proves is what the sample's state holds.
pub fn state_proof(data: &[u8]) -> Outcome {
    let parsed = StateProof::parse(data);
    if let Ok(proof) = &parsed
        && let Ok(proven) = proof.verify(&TRUST_ROOT)
    {
        let genuine = WORLD.ledger.state_proof(proven.key(), 0);
        assert_eq!(proven.value(), genuine.value.as_deref(), "nobody signed another state");
    }
    Outcome::of(&parsed)
}

/// The seals around a time: whatever time they are held against, the index is the one that the sample's log has.
pub fn time_proof(data: &[u8]) -> Outcome {
    let parsed = TimeProof::parse(data);
    let Ok(proof) = &parsed else { return Outcome::Refused };
    for seconds in [NOW.0 - 5400, NOW.0 - 5340, NOW.0 - 5000, NOW.0 - 1800, NOW.0] {
        let time = u64::try_from(seconds * 1000).unwrap();
        if let Ok(moment) = proof.verify(&TRUST_ROOT, time) {
            assert_eq!(moment.index(), WORLD.ledger.moment(seconds).index(), "nobody signed another log");
        }
    }
    Outcome::of(&parsed)
}

/// Evidence against validators: what convicts somebody is of the sample's own log, and convicts its one validator.
pub fn split_evidence(data: &[u8]) -> Outcome {
    let parsed = SplitEvidence::parse(data);
    let Ok(evidence) = &parsed else { return Outcome::Refused };
    if let Ok(split) = &evidence.verify(&TRUST_ROOT) {
        assert_eq!(split.culprits, ["solo"]);
        let turned = SplitEvidence { one: evidence.other.clone(), other: evidence.one.clone() };
        assert_eq!(turned.verify(&TRUST_ROOT).as_ref(), Ok(split));
    }
    Outcome::of(&evidence.read())
}

/// A node's state as a file has one spelling, and its edge is that of one log or of none.
pub fn snapshot(data: &[u8]) -> Outcome {
    let read = read_snapshot(data);
    if let Ok((header, entries, pairs)) = &read {
        let mut written = Vec::new();
        let mut writer = Writer::begin(&mut written, header, entries).unwrap();
        pairs.iter().for_each(|(key, value)| writer.pair(key, value).unwrap());
        assert_eq!(written, data);
        // The hashes of a level are the digits of the size, to base 256.
        let digits = header.edge.iter().rev().map(|hashes| u64::try_from(hashes.len()).unwrap());
        let size = digits.fold(0_u64, |size, digit| size.wrapping_mul(256).wrapping_add(digit));
        let is_edge = header.edge.len() == 8 && header.edge.iter().all(|hashes| hashes.len() < 256);
        assert_eq!(header.frontier(size).map(|edge| edge.size()), is_edge.then_some(size));
        assert!(header.frontier(size.wrapping_add(1)).is_none());
    }
    Outcome::of(&read)
}

type Parts = (Header, Vec<Vec<u8>>, Vec<(Hash, Vec<u8>)>);

fn read_snapshot(data: &[u8]) -> Result<Parts, Malformed> {
    let (mut reader, header) = Reader::begin(data)?;
    let entries = header.edge.first().into_iter().flatten().map(|_| reader.entry()).collect::<Result<_, _>>()?;
    let pairs = (0..header.pairs).map(|_| reader.pair()).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok((header, entries, pairs))
}

/// A walk from the sample consortium's first validators: wherever it leads, the sample has named that set.
pub fn walk(data: &[u8]) -> Outcome {
    let parsed = Walk::parse(data);
    let Ok(walk) = &parsed else { return Outcome::Refused };
    if let Ok(walked) = &Walked::from(CONSORTIUM.genesis.clone()).along(walk) {
        let digest = walked.trust_root().digest();
        let sets = CONSORTIUM.world.ledger.validators().sets;
        assert!(sets.iter().any(|set| set.policy == digest), "nobody signed another set");
        assert!(!walked.has_arrived() || walked.trust_root() == &CONSORTIUM.world.ledger.trust_root());
    }
    Outcome::of(&parsed)
}

/// A tile's path has one spelling; a bundle of entries is read to its last byte or not at all.
pub fn tile(data: &[u8]) -> Outcome {
    if let Ok(entries) = read_bundle(data) {
        let bytes: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        assert_eq!(bytes, data.len());
    }
    let Some(text) = text(data) else { return Outcome::Refused };
    let parsed = text.parse::<Tile>();
    if let Ok(tile) = &parsed {
        assert_eq!(tile.to_string(), text);
    }
    Outcome::of(&parsed)
}
