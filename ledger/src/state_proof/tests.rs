use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::sha256;
use crate::state::tests::Oracle;
use crate::tree::make_inclusion;
use crate::tree::tests::log_of;
use crate::trust_root::tests::{ORIGIN, Validators};

const KEY: &str = "did/did:xinfu:demo:1";

fn state() -> Oracle {
    Oracle::holding([(KEY.as_bytes(), &b"{\"history\":[]}"[..]), (b"b", b"2"), (b"c", b"3"), (b"d", b"4")])
}

fn proof_of(validators: &Validators, key: &str, later: &[&[u8]]) -> StateProof {
    let (value, path) = state().path(key.as_bytes());
    let seal = Seal { height: 3, time: 1_790_000_000_000, state: state().root, policy: sha256(b"p") }.to_line();
    let entries = [&b"eyJ.tx.one"[..], b"eyJ.tx.two", seal.as_bytes()];
    let (frontier, nodes) = log_of(entries.iter().chain(later).copied());
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
    let path_of_seal = make_inclusion(&nodes, 2, frontier.size()).unwrap();
    let proof = LogProof { index: 2, path: path_of_seal, note: validators.certify(&checkpoint), extra: None };
    StateProof { key: key.to_owned(), value, path, seal, proof: proof.to_string() }
}

#[test]
fn what_is_there_and_what_is_not_is_shown() {
    let v = Validators::new(4);
    for (key, value) in [(KEY, Some(&b"{\"history\":[]}"[..])), ("did/none", None)] {
        let json = serde_json::to_vec(&proof_of(&v, key, &[])).unwrap();
        let proof = StateProof::parse(&json).unwrap();
        let proven = proof.verify(&v.trust_root()).unwrap();
        assert_eq!((proven.key(), proven.value(), proven.seal().height), (key, value, 3));
        assert_eq!(proof.verify_under(proven.checkpoint()), Ok(proven));
    }
}

#[test]
fn beside_a_state_that_is_proven_only_the_path_is_left() {
    let v = Validators::new(4);
    let proven = proof_of(&v, KEY, &[]).verify(&v.trust_root()).unwrap();
    let beside = proof_of(&v, "b", &[]);
    assert_eq!(beside.verify_beside(&proven), beside.verify(&v.trust_root()));
    let invented = StateProof { value: Some(b"3".to_vec()), ..beside.clone() };
    assert_eq!(invented.verify_beside(&proven), Err(StateProofError::Path(StatePathError::RootMismatch)));
    // Nothing of another seal or another way to it is believed for having been shown beside.
    let later = proof_of(&v, "b", &[b"eyJ.tx.three"]);
    for other in [StateProof { seal: beside.seal.replace(":3,", ":4,"), ..beside.clone() }, later] {
        assert_eq!(other.verify_beside(&proven), Err(StateProofError::OtherSeal));
    }
}

#[test]
fn an_earlier_seal_is_refused() {
    let v = Validators::new(1);
    let proof = proof_of(&v, KEY, &[b"eyJ.tx.three", b"{}"]);
    assert_eq!(proof.verify(&v.trust_root()), Err(StateProofError::NotTheLastEntry));
}

#[test]
fn a_value_that_is_hidden_or_invented_is_refused() {
    let v = Validators::new(1);
    let hidden = StateProof { value: None, ..proof_of(&v, KEY, &[]) };
    assert_eq!(hidden.verify(&v.trust_root()), Err(StateProofError::Path(StatePathError::RootMismatch)));
    let invented = StateProof { value: Some(b"{}".to_vec()), ..proof_of(&v, "did/none", &[]) };
    assert!(matches!(invented.verify(&v.trust_root()), Err(StateProofError::Path(_))));
    let of_another = StateProof { key: "b".to_owned(), ..proof_of(&v, KEY, &[]) };
    assert!(matches!(of_another.verify(&v.trust_root()), Err(StateProofError::Path(_))));
}

#[test]
fn other_forms_are_refused() {
    let json = serde_json::to_string(&proof_of(&Validators::new(1), KEY, &[])).unwrap();
    for changed in [
        json.replacen("\"key\"", "\"kex\"", 1),
        json.replacen("{\"key\"", "{\"more\":1,\"key\"", 1),
        json.replacen("{\"key\"", "{\"key\":\"\",\"key\"", 1),
        json.replacen("\"siblings\":[\"", "\"siblings\":[\"A", 1),
        json.replacen("\"value\":\"", "\"value\":\"*", 1),
        json.replacen(&json[json.find("\"value\"").unwrap()..json.find("\"path\"").unwrap()], "", 1),
        json[1..].to_owned(),
    ] {
        assert_eq!(StateProof::parse(changed.as_bytes()), Err(StateProofError::Malformed), "{changed}");
    }
    let padded = |bytes: usize| [json.as_bytes(), &vec![b' '; bytes - json.len()]].concat();
    assert!(StateProof::parse(&padded(1 << 20)).is_ok());
    assert_eq!(StateProof::parse(&padded((1 << 20) + 1)), Err(StateProofError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_changed_byte_is_refused(at: prop::sample::Index, change in 1u8..=255, present: bool) {
        let v = Validators::new(1);
        let key = if present { KEY } else { "did/none" };
        let good = proof_of(&v, key, &[]).verify(&v.trust_root()).unwrap();
        let mut json = serde_json::to_vec(&proof_of(&v, key, &[])).unwrap();
        let at = at.index(json.len());
        json[at] ^= change;
        // A changed key of an absent entry may be absent as well; then that is what is proven, and the caller sees it.
        if let Ok(proven) = StateProof::parse(&json).and_then(|proof| proof.verify(&v.trust_root())) {
            prop_assert!(!present && proven.key() != good.key(), "{}", String::from_utf8_lossy(&json));
        }
    }
}
