use proptest::prelude::*;

use super::*;
use crate::note::NoteSignature;
use crate::sha256;
use crate::trust_root::tests::{ORIGIN, Validators};

fn checkpoint(size: u64, root: &str) -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size, root: sha256(root.as_bytes()) }
}

/// A note of four validators' log, cosigned by some of them and signed by the log's first key.
fn note(checkpoint: &Checkpoint, by: &[usize]) -> String {
    let v = Validators::new(4);
    let cosigned = (1000..).zip(by).map(|(time, by)| v.cosignature(*by, checkpoint, time));
    checkpoint.to_note(std::iter::once(v.log_line(0, checkpoint)).chain(cosigned)).unwrap().to_string()
}

fn evidence(one: String, other: String) -> SplitEvidence {
    SplitEvidence { one, other }
}

fn convict(evidence: &SplitEvidence) -> Result<SplitView, SplitEvidenceError> {
    evidence.verify(&Validators::new(4).trust_root())
}

#[test]
fn whoever_cosigned_both_is_named_without_any_quorum() {
    let split = evidence(note(&checkpoint(9, "one"), &[0, 2, 3]), note(&checkpoint(9, "other"), &[2]));
    let read = SplitEvidence::parse(&serde_json::to_vec(&split).unwrap()).unwrap();
    assert_eq!(convict(&read), Ok(SplitView { size: 9, culprits: vec!["member-02".into()] }));
}

#[test]
fn everything_that_is_no_evidence_is_named() {
    let good = note(&checkpoint(9, "one"), &[0, 1]);
    let of_another_log = {
        let other = Checkpoint { origin: "xinfu/other/f00d".into(), ..checkpoint(9, "other") };
        let line = Validators::new(4).cosignature(0, &other, 1);
        other.to_note([line]).unwrap().to_string()
    };
    let unsigned = Note::new(checkpoint(9, "other").to_text()).unwrap().to_string();
    let cases = [
        (note(&checkpoint(9, "other"), &[2, 3]), SplitEvidenceError::Nobody),
        (note(&checkpoint(10, "other"), &[0]), SplitEvidenceError::DifferentSizes),
        (note(&checkpoint(9, "one"), &[0]), SplitEvidenceError::SameRoot),
        (of_another_log, SplitEvidenceError::OtherOrigin),
        (unsigned, SplitEvidenceError::Note(NoteError::NoFinalNewline)),
        ("text\n".to_owned(), SplitEvidenceError::Note(NoteError::NoSignatures)),
        (good.replace("\n9\n", "\n09\n"), SplitEvidenceError::Checkpoint(CheckpointError::Size)),
    ];
    for (other, error) in cases {
        assert_eq!(convict(&evidence(good.clone(), other.clone())), Err(error), "{other}");
        let turned = convict(&evidence(other, good.clone()));
        assert_eq!(turned, Err(error), "the other way round");
    }
    let elsewhere = |note: &str| note.replace(ORIGIN, "xinfu/other/f00d");
    let other = evidence(elsewhere(&good), elsewhere(&note(&checkpoint(9, "other"), &[0])));
    assert_eq!(convict(&other), Err(SplitEvidenceError::OtherOrigin));
}

#[test]
fn a_forged_cosignature_convicts_nobody() {
    let (one, other) = (checkpoint(9, "one"), checkpoint(9, "other"));
    let stolen = Validators::new(4).cosignature(1, &one, 1000);
    let log = Validators::new(4).log_line(1, &other);
    let forged = other.to_note([log, stolen]).unwrap().to_string();
    let outcome = convict(&evidence(note(&one, &[1]), forged));
    assert!(matches!(outcome, Err(SplitEvidenceError::BadCosignature(_))));
}

#[test]
fn signatures_by_the_log_are_not_evidence() {
    let v = Validators::new(4);
    let signed = |checkpoint: &Checkpoint| checkpoint.to_note([v.log_line(0, checkpoint)]).unwrap().to_string();
    let split = evidence(signed(&checkpoint(9, "one")), signed(&checkpoint(9, "other")));
    assert_eq!(convict(&split), Err(SplitEvidenceError::Nobody));
    let key = v.trust_root().policy().logs()[0].clone();
    assert_eq!(split.read().unwrap().is_cosigned_by(&key), Ok(false));
}

#[test]
fn files_of_another_form_are_refused() {
    for json in ["", "{}", "[]", r#"{"one":"a"}"#, r#"{"one":"a","other":"b","more":1}"#, r#"{"one":1,"other":"b"}"#] {
        assert_eq!(SplitEvidence::parse(json.as_bytes()), Err(SplitEvidenceError::Malformed), "{json}");
    }
    assert_eq!(SplitEvidence::parse(&vec![b' '; MAX_BYTES + 1]), Err(SplitEvidenceError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_byte_convicts_nobody_else(at: prop::sample::Index, change in 1u8..=255) {
        let split = evidence(note(&checkpoint(9, "one"), &[1]), note(&checkpoint(9, "other"), &[1]));
        let mut bytes = split.other.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(other) = String::from_utf8(bytes) {
            // Only the log's line, which is not looked at, may change without harm to the evidence.
            let log_line = split.other.split_inclusive('\n').nth(4).unwrap();
            let start = split.other.find(log_line).unwrap();
            let outcome = convict(&evidence(split.one, other));
            let in_log_line = (start..start + log_line.len()).contains(&at);
            let same = Ok(SplitView { size: 9, culprits: vec!["member-01".into()] });
            prop_assert!(outcome.is_err() || (in_log_line && outcome == same));
        }
    }

    #[test]
    fn honest_histories_convict_nobody(sizes in (1u64..50, 1u64..50), by in prop::collection::vec(0usize..4, 1..4)) {
        // One root for each size, whoever cosigns and however often.
        let of = |size: u64| note(&checkpoint(size, &format!("root {size}")), &by);
        prop_assert!(convict(&evidence(of(sizes.0), of(sizes.1))).is_err());
    }
}

/// A line that says it is by a known key in one note only is checked as well.
#[test]
fn a_bad_line_in_one_note_refuses_both() {
    let (one, other) = (checkpoint(9, "one"), checkpoint(9, "other"));
    let mut bad: NoteSignature = Validators::new(4).cosignature(0, &one, 1000);
    bad.bytes[20] ^= 1;
    let bad = one.to_note([bad]).unwrap().to_string();
    let outcome = convict(&evidence(bad, note(&other, &[0])));
    assert!(matches!(outcome, Err(SplitEvidenceError::BadCosignature(_))));
}
