use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::tree::make_inclusion;
use crate::tree::tests::{Nodes, log_of};
use crate::trust_root::tests::{ORIGIN, Validators};

const ENTRIES: [&[u8]; 5] = [b"zero", b"one", b"two", b"three", b"four"];

fn proof_of(validators: &Validators, index: u64) -> LogProof {
    let (frontier, nodes): (_, Nodes) = log_of(ENTRIES);
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
    let path = make_inclusion(&nodes, index, frontier.size()).unwrap();
    LogProof { index, path, note: validators.certify(&checkpoint), extra: None }
}

#[test]
fn an_entry_is_shown_to_be_in_the_log() {
    let v = Validators::new(4);
    for (index, entry) in (0..).zip(ENTRIES) {
        let proof = LogProof::parse(&proof_of(&v, index).to_string()).unwrap();
        let leaf = proof.verify(&v.trust_root(), entry).unwrap();
        assert_eq!((leaf.index(), leaf.is_last()), (index, index == 4));
        assert!(proof.verify(&v.trust_root(), b"another").is_err());
        assert_eq!(proof.verify_under(leaf.checkpoint(), entry), Ok(leaf));
    }
}

#[test]
fn a_known_checkpoint_serves_for_its_own_note_only() {
    let v = Validators::new(4);
    let proof = proof_of(&v, 1);
    let certified = proof.verify(&v.trust_root(), b"one").unwrap().checkpoint().clone();
    let mut other = proof.clone();
    other.note.push('\n');
    assert_eq!(other.verify_under(&certified, b"one"), Err(LogProofError::OtherCheckpoint));
    assert!(matches!(proof.verify_under(&certified, b"two"), Err(LogProofError::Inclusion(_))));
}

#[test]
fn extra_data_is_carried_and_ignored() {
    let v = Validators::new(1);
    let proof = LogProof { extra: Some(b"beside".to_vec()), ..proof_of(&v, 2) };
    let read = LogProof::parse(&proof.to_string()).unwrap();
    assert_eq!(read, proof);
    assert!(read.verify(&v.trust_root(), b"two").is_ok());
}

#[test]
fn other_forms_are_refused() {
    let good = proof_of(&Validators::new(1), 1).to_string();
    let first_hash = good.lines().nth(2).unwrap();
    for (text, error) in [
        (String::new(), LogProofFormError::Header),
        (good.replace("@v1", "@v2"), LogProofFormError::Header),
        (good.replace("\n\n", "\n"), LogProofFormError::NoCheckpoint),
        (good.replace("index 1", "index 01"), LogProofFormError::Index),
        (good.replace("index 1", "index"), LogProofFormError::Index),
        (good.replace("index 1\n", ""), LogProofFormError::Index),
        (good.replace("index 1", "extra *\nindex 1"), LogProofFormError::Extra),
        (good.replace("index 1", "extra AAAA\nextra AAAA\nindex 1"), LogProofFormError::Index),
        (good.replace(first_hash, "AAAA"), LogProofFormError::Path),
        (good.replace(first_hash, &[first_hash; 65].join("\n")), LogProofFormError::Path),
        ("x".repeat(MAX_BYTES + 1), LogProofFormError::TooLong),
    ] {
        assert_eq!(LogProof::parse(&text), Err(error), "{text}");
    }
}

#[test]
fn the_longest_proof_and_the_longest_path_are_read() {
    let good = proof_of(&Validators::new(1), 1).to_string();
    let padded = |bytes: usize| format!("{good}{}", "x".repeat(bytes - good.len()));
    assert!(LogProof::parse(&padded(24 * 1024)).is_ok());
    assert_eq!(LogProof::parse(&padded(24 * 1024 + 1)), Err(LogProofFormError::TooLong));
    let first_hash = good.lines().nth(2).unwrap();
    let head = |hashes: usize| format!("{HEADER}index 1\n{}\n\nnote\n", vec![first_hash; hashes].join("\n"));
    assert_eq!(LogProof::parse(&head(MAX_PATH)).unwrap().path.len(), MAX_PATH);
    assert_eq!(LogProof::parse(&head(MAX_PATH + 1)), Err(LogProofFormError::Path));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_changed_byte_is_refused(at: prop::sample::Index, change in 1u8..=255) {
        let v = Validators::new(1);
        let mut bytes = proof_of(&v, 3).to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(text) = String::from_utf8(bytes) {
            let verified = LogProof::parse(&text).map(|proof| proof.verify(&v.trust_root(), b"three").is_ok());
            prop_assert!(verified != Ok(true), "{}", text);
        }
    }
}
