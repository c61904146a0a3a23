//! The inclusion proofs of transparency-dev/merkle, good and bad.

#![expect(clippy::unwrap_used, reason = "a case that cannot be made or read fails its test")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use conformance::vectors;
use ledger::Hash;
use ledger::tree::verify_inclusion;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

impl Case {
    /// A root, leaf or proof hash that does not have 32 bytes cannot be expressed to us: refused where it is read.
    fn is_accepted(&self) -> bool {
        let proof = self.proof.iter().flatten().map(|hash| hash_of(hash)).collect::<Option<Vec<Hash>>>();
        let (Some(root), Some(leaf), Some(proof)) = (hash_of(&self.root), hash_of(&self.leaf_hash), proof) else {
            return false;
        };
        verify_inclusion(leaf, self.leaf_idx, self.tree_size, &proof, &root).is_ok()
    }
}

fn hash_of(text: &str) -> Option<Hash> {
    Hash::from_slice(&STANDARD.decode(text).ok()?).ok()
}

#[test]
fn every_case_is_judged_as_its_authors_say() {
    let Some(folder) = vectors("merkle-inclusion") else { return };
    let (mut good, mut bad) = (0, 0);
    for file in files_below(&folder) {
        let case: Case = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(case.is_accepted(), !case.want_err, "{}", file.display());
        if case.want_err { bad += 1 } else { good += 1 }
    }
    assert!(good >= 6 && bad >= 80, "{good} good and {bad} bad cases: some are missing");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
