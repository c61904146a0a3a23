//! The worked example of `docs/formats.md`: a log of one validator and four entries, made here from fixed seeds. The
//! page must hold every text byte for byte.

#![expect(clippy::unwrap_used, reason = "an example that cannot be made fails its test")]

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use ledger::batch::BatchTree;
use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::ed25519::PublicKey;
use ledger::policy::{Validator, ValidatorSet};
use ledger::state::{OtherLeaf, StatePath};
use ledger::tree::{Frontier, leaf_hash, node_hash};
use ledger::{Hash, LogProof, Seal, StateProof, TrustRoot, sha256};

const ORIGIN: &str = "xinfu/example/6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090";

struct Example {
    log: SigningKey,
    witness: SigningKey,
    validator: Validator,
}

impl Example {
    fn new() -> Self {
        let (log, witness) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let public = |key: &SigningKey| PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap();
        let validator = Validator::new(ORIGIN, "one", public(&log), public(&witness)).unwrap();
        Self { log, witness, validator }
    }

    fn trust_root(&self) -> String {
        ValidatorSet::new(ORIGIN, vec![self.validator.clone()]).unwrap().to_policy_text()
    }

    fn certify(&self, checkpoint: &Checkpoint) -> String {
        let log = checkpoint.sign(&self.validator.log, |message| self.log.sign(message).to_bytes()).unwrap();
        let sign = |message: &[u8]| self.witness.sign(message).to_bytes();
        let cosignature = cosign(checkpoint, &self.validator.witness, 1_800_000_000, sign).unwrap();
        checkpoint.to_note([log, cosignature]).unwrap().to_string()
    }
}

/// The state's two keys: `a` and `b`, whose hashes begin with a set bit and a clear one.
fn state_leaf(key: &str, value: &str) -> Hash {
    let (key, value) = (sha256(key.as_bytes()), sha256(value.as_bytes()));
    sha256(&[b"JMT::LeafNode", key.as_ref(), value.as_ref()].concat())
}

fn texts() -> BTreeMap<&'static str, String> {
    let example = Example::new();
    let trust_root = example.trust_root();
    let (a, b) = (state_leaf("a", "1"), state_leaf("b", "2"));
    assert!(sha256(b"a").as_bytes()[0] >= 0x80 && sha256(b"b").as_bytes()[0] < 0x80);
    let state = sha256(&[b"JMT::IntrnalNode", b.as_ref(), a.as_ref()].concat());
    let policy = sha256(trust_root.as_bytes());
    let seal = Seal { height: 1, time: 1_799_999_999_000, state, policy }.to_line();
    let entries = ["zero", "one", "two", &seal];
    let [zero, one, two, three] = entries.map(|entry| leaf_hash(entry.as_bytes()));
    let mut frontier = Frontier::new();
    [zero, one, two, three].into_iter().for_each(|leaf| frontier.append(leaf, |_, _, _| ()));
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 4, root: frontier.root() };
    let note = example.certify(&checkpoint);
    let path = vec![two, node_hash(&zero, &one)];
    let proof = LogProof { index: 3, path, note: note.clone(), extra: None }.to_string();
    let present = StateProof {
        key: "a".to_owned(),
        value: Some(b"1".to_vec()),
        path: StatePath { siblings: vec![b], other: None },
        seal: seal.clone(),
        proof: proof.clone(),
    };
    // The hash of "c" begins with a clear bit too, so the leaf of "b" stands where "c" would be.
    let other = OtherLeaf { key: sha256(b"b"), value: sha256(b"2") };
    let absent = StateProof {
        key: "c".to_owned(),
        value: None,
        path: StatePath { siblings: vec![a], other: Some(other) },
        ..present.clone()
    };
    let trusted = TrustRoot::parse(&trust_root).unwrap();
    assert_eq!(present.verify(&trusted).unwrap().value(), Some(&b"1"[..]));
    assert_eq!(absent.verify(&trusted).unwrap().value(), None);
    let batch = BatchTree::new(&[sha256(b"x"), sha256(b"y"), sha256(b"z")]).unwrap();
    let path: Vec<String> = batch.path(1).unwrap().iter().map(Hash::to_base64url).collect();
    BTreeMap::from([
        ("trust root", trust_root),
        ("seal", seal),
        ("checkpoint", note),
        ("log proof", proof),
        ("state proof, present", serde_json::to_string(&present).unwrap()),
        ("path, absent", serde_json::to_string(&absent.path).unwrap()),
        ("batch", format!("root  {}\npath  {}", batch.root().to_base64url(), path.join("\n      "))),
    ])
}

#[test]
fn the_page_holds_the_example_byte_for_byte() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md");
    let page = std::fs::read_to_string(page).unwrap();
    let missing: Vec<String> = texts()
        .into_iter()
        .filter(|(_, text)| !page.contains(&format!("```\n{}\n```", text.trim_end())))
        .map(|(name, text)| format!("{name}:\n{text}"))
        .collect();
    assert!(missing.is_empty(), "docs/formats.md does not hold\n{}", missing.join("\n\n"));
}
