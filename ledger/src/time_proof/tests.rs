use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::tree::make_inclusion;
use crate::tree::tests::log_of;
use crate::trust_root::tests::{ORIGIN, Validators};
use crate::{Hash, sha256};

/// Blocks of the sample: a height and a time in seconds. Before each seal stands one transaction.
const BLOCKS: [(u64, u64); 4] = [(0, 100), (1, 200), (2, 200 + 1), (3, 700)];
/// When the note is cosigned, by [`Validators::certify`].
const COSIGNED: u64 = 1000;

/// A seal after which its own set is still in force.
fn seal(height: u64, seconds: u64) -> String {
    naming(Validators::new(1).trust_root().digest(), height, seconds)
}

fn naming(policy: Hash, height: u64, seconds: u64) -> String {
    Seal { height, time: seconds * 1000, state: sha256(b"state"), policy }.to_line()
}

/// A log of the sample's blocks, of which the first `blocks` are there.
struct Log {
    validators: Validators,
    entries: Vec<String>,
}

impl Log {
    fn of(blocks: &[(u64, u64)]) -> Self {
        let entries = blocks.iter().flat_map(|(height, time)| [format!("eyJ.tx.{height}"), seal(*height, *time)]);
        Self { validators: Validators::new(1), entries: entries.collect() }
    }

    fn sample() -> Self {
        Self::of(&BLOCKS)
    }

    /// A seal, by its place among the seals, under the whole log.
    fn prove(&self, place: usize) -> SealProof {
        let (frontier, nodes) = log_of(self.entries.iter().map(String::as_bytes));
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
        let index = u64::try_from(2 * place + 1).unwrap();
        let path = make_inclusion(&nodes, index, frontier.size()).unwrap();
        let note = self.validators.certify(&checkpoint);
        let proof = LogProof { index, path, note, extra: None }.to_string();
        SealProof { seal: self.entries[2 * place + 1].clone(), proof }
    }

    fn between(&self, before: usize, after: Option<usize>) -> TimeProof {
        TimeProof { before: self.prove(before), after: after.map(|after| self.prove(after)) }
    }

    fn verify(&self, proof: &TimeProof, millis: u64) -> Result<PastMoment, TimeProofError> {
        proof.verify(&self.validators.trust_root(), millis)
    }
}

#[test]
fn a_time_between_two_seals_is_the_index_of_the_first() {
    let log = Log::sample();
    for (before, millis) in [(0, 100_000), (0, 199_999), (1, 200_000), (1, 200_999), (2, 201_000), (2, 699_999)] {
        let json = serde_json::to_vec(&log.between(before, Some(before + 1))).unwrap();
        let moment = log.verify(&TimeProof::parse(&json).unwrap(), millis).unwrap();
        assert_eq!(moment.index(), u64::try_from(2 * before + 1).unwrap());
        assert_eq!((moment.time(), moment.sealed()), (millis, BLOCKS[before].1 * 1000));
        assert_eq!((moment.next(), moment.is_closed()), (Some(BLOCKS[before + 1].1 * 1000), true));
        assert_eq!(moment.checkpoint().size(), 8);
    }
}

#[test]
fn a_time_that_lies_elsewhere_is_refused() {
    let log = Log::sample();
    for (before, after, millis) in
        [(0, Some(1), 99_999), (0, Some(1), 200_000), (2, Some(3), 200_999), (2, Some(3), 700_000), (3, None, 699_999)]
    {
        assert_eq!(log.verify(&log.between(before, after), millis), Err(TimeProofError::NotAround), "{millis}");
    }
}

#[test]
fn a_block_left_out_between_the_seals_is_noticed() {
    let log = Log::sample();
    // Time 150 lies between the first and each later seal; only the next one counts, and no seal is its own next.
    for after in [0, 2, 3] {
        let proof = log.between(0, Some(after));
        assert_eq!(log.verify(&proof, 150_000), Err(TimeProofError::NotConsecutive), "{after}");
    }
    assert_eq!(log.verify(&log.between(1, None), 300_000), Err(TimeProofError::NotConsecutive), "others follow");
    // The right heights in the wrong places.
    let twisted = Log::of(&[(1, 100), (0, 50)]);
    assert_eq!(twisted.verify(&twisted.between(1, Some(0)), 60_000), Err(TimeProofError::NotConsecutive));
}

#[test]
fn after_the_last_seal_a_later_cosignature_must_tell() {
    let log = Log::sample();
    let open = log.between(3, None);
    let latest = (COSIGNED - LEEWAY) * 1000;
    let moment = log.verify(&open, latest).unwrap();
    assert_eq!((moment.index(), moment.next(), moment.is_closed()), (7, None, false));
    for millis in [latest + 1, COSIGNED * 1000, COSIGNED * 1000 + 1, u64::MAX] {
        assert_eq!(log.verify(&open, millis), Err(TimeProofError::NotYetKnown), "{millis}");
    }
}

/// What follows the seal that names another set is that set's to say, however late its own cosigns that seal.
#[test]
fn a_set_whose_term_has_ended_cannot_tell_that_nothing_followed() {
    let mut log = Log::sample();
    let next = Validators::new(4).trust_root();
    *log.entries.last_mut().unwrap() = naming(next.digest(), 3, 700);
    assert_eq!(log.verify(&log.between(3, None), 800_000), Err(TimeProofError::NotYetKnown));
    // What lay before it stays true.
    assert_eq!(log.verify(&log.between(2, Some(3)), 500_000).unwrap().index(), 5);
    // The next set says it of the same seal.
    let told = Log { validators: Validators::new(4), ..log };
    assert_eq!(told.verify(&told.between(3, None), 800_000).unwrap().index(), 7);
}

#[test]
fn both_seals_stand_under_one_certified_checkpoint() {
    let (log, longer) = (Log::sample(), Log::of(&[&BLOCKS[..], &[(4, 800)]].concat()));
    let mixed = TimeProof { after: Some(longer.prove(1)), ..log.between(0, None) };
    let other = Err(TimeProofError::LogProof(LogProofError::OtherCheckpoint));
    assert_eq!(log.verify(&mixed, 150_000), other);
    let strangers = Validators::new(2).trust_root();
    let refused = log.between(0, Some(1)).verify(&strangers, 150_000);
    assert!(matches!(refused, Err(TimeProofError::LogProof(LogProofError::Certificate(_)))), "{refused:?}");
    // A transaction is no seal, whatever it looks like.
    let mut no_seal = log.between(0, Some(1));
    no_seal.before = SealProof { seal: "eyJ.tx.0".to_owned(), ..no_seal.before };
    assert!(matches!(log.verify(&no_seal, 150_000), Err(TimeProofError::LogProof(LogProofError::Inclusion(_)))));
}

#[test]
fn other_forms_are_refused() {
    let json = serde_json::to_string(&Log::sample().between(0, Some(1))).unwrap();
    for changed in [
        json.replacen("\"before\"", "\"befour\"", 1),
        json.replacen("{\"before\"", "{\"more\":1,\"before\"", 1),
        json.replacen("{\"seal\"", "{\"seal\":\"\",\"seal\"", 1),
        json[1..].to_owned(),
        "{}".to_owned(),
    ] {
        assert_eq!(TimeProof::parse(changed.as_bytes()), Err(TimeProofError::Malformed), "{changed}");
    }
    let padded = |bytes: usize| [json.as_bytes(), &vec![b' '; bytes - json.len()]].concat();
    assert!(TimeProof::parse(&padded(MAX_BYTES)).is_ok());
    assert_eq!(TimeProof::parse(&padded(MAX_BYTES + 1)), Err(TimeProofError::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_changed_byte_is_refused(at: prop::sample::Index, change in 1u8..=255, open: bool) {
        let log = Log::sample();
        let (proof, millis) = if open { (log.between(3, None), 800_000) } else { (log.between(1, Some(2)), 200_500) };
        let mut json = serde_json::to_vec(&proof).unwrap();
        let at = at.index(json.len());
        json[at] ^= change;
        let read = TimeProof::parse(&json).and_then(|proof| log.verify(&proof, millis));
        prop_assert!(read.is_err(), "{}", String::from_utf8_lossy(&json));
    }
}
