use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::cosignature::cosign;
use crate::ed25519::PublicKey;
use crate::policy::{Validator, ValidatorSet};
use crate::tree::{Frontier, leaf_hash};
use crate::trust_root::CertificateError;

const ORIGIN: &str = "xinfu/demo/f00d";

/// Validators by number; each has its keys for ever.
fn validator(n: u8) -> Validator {
    let public = |secret: &SigningKey| PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
    Validator::new(ORIGIN, &format!("member-{n:02}"), public(&secret(n, 1)), public(&secret(n, 2))).unwrap()
}

fn secret(n: u8, place: u8) -> SigningKey {
    let mut bytes = [n; 32];
    bytes[31] = place;
    SigningKey::from_bytes(&bytes)
}

#[derive(Clone)]
struct Set(Vec<u8>);

impl Set {
    fn policy(&self) -> String {
        let set = ValidatorSet::new(ORIGIN, self.0.iter().map(|n| validator(*n)).collect()).unwrap();
        set.to_policy_text()
    }

    fn trust_root(&self) -> TrustRoot {
        TrustRoot::parse(&self.policy()).unwrap()
    }

    fn certify(&self, checkpoint: &Checkpoint, time: u64) -> String {
        let quorum = crate::policy::quorum_of(self.0.len());
        let first = self.0[0];
        let log = checkpoint.sign(&validator(first).log, |m| secret(first, 1).sign(m).to_bytes()).unwrap();
        let lines =
            self.0.iter().take(quorum).map(|n| {
                cosign(checkpoint, &validator(*n).witness, time, |m| secret(*n, 2).sign(m).to_bytes()).unwrap()
            });
        checkpoint.to_note(std::iter::once(log).chain(lines)).unwrap().to_string()
    }
}

/// A log of seals only, so that a proof of its last leaf is a path of the tree's right edge.
struct Chain {
    seals: Vec<String>,
}

impl Chain {
    fn new() -> Self {
        Self { seals: Vec::new() }
    }

    /// Seals a block that names `next`, certified by `by`.
    fn seal(&mut self, by: &Set, next: &Set) -> SealProof {
        let height = u64::try_from(self.seals.len()).unwrap();
        let policy = sha256(next.policy().as_bytes());
        let seal = Seal { height, time: 1_000 + height, state: sha256(b"state"), policy }.to_line();
        self.seals.push(seal.clone());
        self.prove_last(by, seal)
    }

    fn prove_last(&self, by: &Set, seal: String) -> SealProof {
        let (mut frontier, mut before) = (Frontier::new(), Frontier::new());
        for (place, seal) in self.seals.iter().enumerate() {
            if place + 1 < self.seals.len() {
                before.append(leaf_hash(seal.as_bytes()), |_, _, _| {});
            }
            frontier.append(leaf_hash(seal.as_bytes()), |_, _, _| {});
        }
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
        let leaves: Vec<_> = self.seals.iter().map(|seal| leaf_hash(seal.as_bytes())).collect();
        let path = edge_path(&leaves);
        let index = frontier.size() - 1;
        let note = by.certify(&checkpoint, 1_000 + index);
        SealProof { seal, proof: LogProof { index, path, note, extra: None }.to_string() }
    }
}

/// PATH of RFC 6962 §2.1.1 for the last leaf, its sibling first.
fn edge_path(leaves: &[crate::Hash]) -> Vec<crate::Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let mut path = edge_path(right);
    path.push(root(left));
    path
}

fn root(leaves: &[crate::Hash]) -> crate::Hash {
    match leaves {
        [alone] => *alone,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            crate::tree::node_hash(&root(left), &root(right))
        }
    }
}

fn step(named: SealProof, next: &Set) -> Step {
    Step { named, policy: next.policy() }
}

/// Three sets, one after the other, and the walk through them.
fn world() -> ([Set; 3], Walk) {
    let sets = [Set(vec![1, 2, 3, 4]), Set(vec![3, 4, 5, 6]), Set(vec![5, 6, 7, 8])];
    let mut chain = Chain::new();
    chain.seal(&sets[0], &sets[0]);
    let first = step(chain.seal(&sets[0], &sets[1]), &sets[1]);
    chain.seal(&sets[1], &sets[1]);
    let second = step(chain.seal(&sets[1], &sets[2]), &sets[2]);
    let newest = Some(chain.seal(&sets[2], &sets[2]));
    (sets, Walk { steps: vec![first, second], newest })
}

fn walk(from: &Set, along: &Walk) -> Result<Walked, WalkError> {
    Walked::from(from.trust_root()).along(along)
}

#[test]
fn a_walk_leads_from_the_first_set_to_the_newest() {
    let (sets, way) = world();
    let walked = walk(&sets[0], &Walk::parse(&serde_json::to_vec(&way).unwrap()).unwrap()).unwrap();
    assert!(walked.has_arrived());
    assert_eq!(walked.trust_root(), &sets[2].trust_root());
    assert_eq!(walked.policy(), Some(sets[2].policy().as_str()));
    assert_eq!((walked.checkpoint().unwrap().size(), walked.checkpoint().unwrap().cosigned_at()), (5, 1_004));

    let later = Walk { steps: way.steps[1..].to_vec(), newest: way.newest.clone() };
    assert_eq!(walk(&sets[1], &later).unwrap().trust_root(), &sets[2].trust_root());
    let standing = walk(&sets[2], &Walk { steps: Vec::new(), newest: way.newest }).unwrap();
    assert_eq!((standing.policy(), standing.has_arrived()), (None, true));
}

#[test]
fn a_walk_may_be_walked_in_parts() {
    let (sets, way) = world();
    let half = |steps: &[Step]| Walk { steps: steps.to_vec(), newest: None };
    let walked = walk(&sets[0], &half(&way.steps[..1])).unwrap();
    assert!(!walked.has_arrived());
    let walked = walked.along(&half(&way.steps[1..])).unwrap();
    assert_eq!(walked.trust_root(), &sets[2].trust_root());
    assert!(!walked.has_arrived(), "nothing says that there is no later set");
    assert!(walked.along(&Walk { steps: Vec::new(), newest: way.newest }).unwrap().has_arrived());
}

#[test]
fn every_false_step_is_named() {
    let (sets, way) = world();
    let [a, b, c] = &sets;
    let change = |change: &dyn Fn(&mut Walk)| {
        let mut way = way.clone();
        change(&mut way);
        walk(a, &way)
    };
    let uncertified = WalkError::LogProof(LogProofError::Certificate(CertificateError::NoLogSignature));
    let few = WalkError::LogProof(LogProofError::Certificate(CertificateError::NoQuorum));
    // The second set is not trusted before the first one has named it.
    assert_eq!(change(&|w| drop(w.steps.remove(0))), Err(few));
    assert_eq!(change(&|w| w.steps.swap(0, 1)), Err(few));
    assert_eq!(change(&|w| w.steps.truncate(1)), Err(few), "the newest seal is not the second set's");
    assert_eq!(change(&|w| w.steps[0].policy = c.policy()), Err(WalkError::OtherPolicy));
    assert_eq!(change(&|w| w.steps[0].policy = a.policy()), Err(WalkError::OtherPolicy));
    assert_eq!(change(&|w| w.steps[1].named = w.steps[0].named.clone()), Err(uncertified));
    let mut chain = Chain::new();
    let same = step(chain.seal(a, a), a);
    assert_eq!(walk(a, &Walk { steps: vec![same], newest: None }), Err(WalkError::NoOtherSet));
    // The set before may not say that it is the newest after it named another.
    let stale = SealProof { ..chain.seal(a, b) };
    assert_eq!(walk(a, &Walk { steps: Vec::new(), newest: Some(stale) }), Err(WalkError::NotTheNewest));
    let malformed = SealProof { seal: "e".into(), proof: "text".into() };
    let malformed = walk(a, &Walk { steps: Vec::new(), newest: Some(malformed) });
    assert!(matches!(malformed, Err(WalkError::LogProofForm(_))));
}

/// Cosignatures do not name a set: what a quorum of the old one says later, as part of the new one, it has said too.
#[test]
fn a_step_that_a_quorum_of_the_old_set_certifies_as_well_may_be_left_out() {
    let [a, b, c] = [Set(vec![1, 2, 3, 4]), Set(vec![2, 3, 4, 5]), Set(vec![5, 6, 7, 8])];
    let mut chain = Chain::new();
    chain.seal(&a, &b);
    let second = step(chain.seal(&b, &c), &c);
    let walked = walk(&a, &Walk { steps: vec![second], newest: None }).unwrap();
    assert_eq!(walked.trust_root(), &c.trust_root());
}

#[test]
fn a_set_certifies_nothing_behind_the_seal_that_ends_it() {
    let [a, b] = [Set(vec![1, 2, 3, 4]), Set(vec![5, 6, 7, 8])];
    let mut chain = Chain::new();
    let boundary = chain.seal(&a, &b).seal;
    chain.seal(&b, &b);
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 2,
        root: root(&chain.seals.iter().map(|seal| leaf_hash(seal.as_bytes())).collect::<Vec<_>>()),
    };
    let path = vec![leaf_hash(chain.seals[1].as_bytes())];
    let proof = LogProof { index: 0, path, note: a.certify(&checkpoint, 1_000), extra: None }.to_string();
    let behind = step(SealProof { seal: boundary, proof }, &b);
    assert_eq!(walk(&a, &Walk { steps: vec![behind], newest: None }), Err(WalkError::NotTheLastEntry));
}

#[test]
fn no_walk_goes_back() {
    let [a, b] = [Set(vec![1, 2, 3, 4]), Set(vec![2, 3, 4, 5])];
    let mut chain = Chain::new();
    let back = chain.seal(&b, &a);
    let there = step(chain.seal(&a, &b), &b);
    let again = step(back, &a);
    assert_eq!(walk(&a, &Walk { steps: vec![there, again], newest: None }), Err(WalkError::Backwards));
}

#[test]
fn another_logs_policy_is_refused() {
    let a = Set(vec![1, 2, 3, 4]);
    let public = |secret: &SigningKey| PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
    let other = Validator::new("xinfu/other/f00d", "one", public(&secret(9, 1)), public(&secret(9, 2))).unwrap();
    let policy = ValidatorSet::new("xinfu/other/f00d", vec![other]).unwrap().to_policy_text();
    let mut chain = Chain::new();
    let seal = Seal { height: 0, time: 1, state: sha256(b"state"), policy: sha256(policy.as_bytes()) }.to_line();
    chain.seals.push(seal.clone());
    let named = chain.prove_last(&a, seal);
    let outcome = walk(&a, &Walk { steps: vec![Step { named, policy }], newest: None });
    assert_eq!(outcome, Err(WalkError::OtherOrigin));
}

#[test]
fn texts_of_another_form_are_refused() {
    for json in ["", "[]", "{}", r#"{"steps":[{}]}"#, r#"{"steps":[],"more":1}"#] {
        assert_eq!(Walk::parse(json.as_bytes()), Err(WalkError::Malformed), "{json}");
    }
    let (_, way) = world();
    let long = Walk { steps: vec![way.steps[0].clone(); MAX_STEPS + 1], newest: None };
    assert_eq!(Walk::parse(&serde_json::to_vec(&long).unwrap()), Err(WalkError::Malformed));
    assert_eq!(Walk::parse(&vec![b' '; MAX_BYTES + 1]), Err(WalkError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_changed_byte_of_a_step_leads_nowhere(part in 0usize..3, at: prop::sample::Index, change in 1u8..=255) {
        let (sets, mut way) = world();
        let step = &mut way.steps[1];
        let text = [&mut step.named.seal, &mut step.named.proof, &mut step.policy].into_iter().nth(part).unwrap();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(changed) = String::from_utf8(bytes) {
            *text = changed;
            prop_assert!(walk(&sets[0], &way).is_err());
        }
    }
}
