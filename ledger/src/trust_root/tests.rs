use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

use super::*;
use crate::cosignature::cosign;
use crate::ed25519::PublicKey;
use crate::note::{KeyId, SignatureKind, VerifierKey};
use crate::policy::{Validator, ValidatorSet};

pub(crate) const ORIGIN: &str = "xinfu/demo/f00d";

/// Validators with known secrets, to certify whatever a test wants.
pub(crate) struct Validators {
    secrets: Vec<(SigningKey, SigningKey)>,
    set: ValidatorSet,
}

impl Validators {
    pub(crate) fn new(count: u8) -> Self {
        let secrets: Vec<(SigningKey, SigningKey)> = (0..count)
            .map(|n| (SigningKey::from_bytes(&[n + 1; 32]), SigningKey::from_bytes(&[n + 101; 32])))
            .collect();
        let public = |secret: &SigningKey| PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
        let validators = (0..).zip(&secrets).map(|(n, (log, witness))| {
            Validator::new(ORIGIN, &format!("member-{n:02}"), public(log), public(witness)).unwrap()
        });
        let set = ValidatorSet::new(ORIGIN, validators.collect()).unwrap();
        Self { secrets, set }
    }

    pub(crate) fn trust_root(&self) -> TrustRoot {
        TrustRoot::parse(&self.set.to_policy_text()).unwrap()
    }

    pub(crate) fn log_line(&self, by: usize, checkpoint: &Checkpoint) -> NoteSignature {
        checkpoint.sign(&self.set.validators()[by].log, |m| self.secrets[by].0.sign(m).to_bytes()).unwrap()
    }

    pub(crate) fn cosignature(&self, by: usize, checkpoint: &Checkpoint, time: u64) -> NoteSignature {
        let key = &self.set.validators()[by].witness;
        cosign(checkpoint, key, time, |m| self.secrets[by].1.sign(m).to_bytes()).unwrap()
    }

    /// The note as it is published: one log signature, exactly a quorum of cosignatures, a second apart.
    pub(crate) fn certify(&self, checkpoint: &Checkpoint) -> String {
        let lines = (0..self.set.quorum()).zip(1000..).map(|(by, time)| self.cosignature(by, checkpoint, time));
        let lines = std::iter::once(self.log_line(0, checkpoint)).chain(lines);
        checkpoint.to_note(lines).unwrap().to_string()
    }
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: 42, root: sha256(b"root") }
}

fn verify(validators: &Validators, lines: Vec<NoteSignature>) -> Result<CertifiedCheckpoint, CertificateError> {
    validators.trust_root().verify_checkpoint(&checkpoint().to_note(lines).unwrap().to_string())
}

#[test]
fn a_published_checkpoint_is_certified() {
    for count in [1, 4, 21] {
        let validators = Validators::new(count);
        let note = validators.certify(&checkpoint());
        let certified = validators.trust_root().verify_checkpoint(&note).unwrap();
        assert_eq!(certified.checkpoint(), &checkpoint());
        assert_eq!(certified.cosigned().len(), crate::policy::quorum_of(count.into()));
        assert_eq!(certified.note_digest(), &sha256(note.as_bytes()));
    }
}

#[test]
fn signatures_of_several_are_verified_together_and_each_note_judged_as_alone() {
    let v = Validators::new(4);
    let later = Checkpoint { size: 43, ..checkpoint() };
    let notes = [checkpoint(), later].map(|checkpoint| v.certify(&checkpoint));
    let [one, two] = [0, 1].map(|place| notes[place].as_str());
    let trust_root = v.trust_root();
    let knowing = |notes: &[&str]| {
        let mut together = Together::default();
        notes.iter().for_each(|note| trust_root.add_signatures(note, &mut together));
        together.verify()
    };
    let forged = two.replacen("43", "44", 1);
    assert!(matches!(trust_root.verify_checkpoint(&forged), Err(CertificateError::BadLogSignature(_))));
    let too_few = checkpoint().to_note([v.log_line(0, &checkpoint())]).unwrap().to_string();
    let all = [one, two, forged.as_str(), too_few.as_str(), "no note"];
    for ahead in [&all[..], &all[..2], &[one], &[one, &forged], &[two, &too_few, "no note"], &[]] {
        let known = knowing(ahead);
        for note in all {
            assert_eq!(
                trust_root.verify_checkpoint_knowing(note, &known),
                trust_root.verify_checkpoint(note),
                "{note}"
            );
        }
    }
}

fn time_of(v: &Validators, times: &[(usize, u64)]) -> u64 {
    let lines = times.iter().map(|(by, time)| v.cosignature(*by, &checkpoint(), *time)).collect();
    verify(v, [vec![v.log_line(0, &checkpoint())], lines].concat()).unwrap().cosigned_at()
}

#[test]
fn the_time_is_the_second_newest_of_four_validators() {
    let v = Validators::new(4);
    assert_eq!(time_of(&v, &[(0, 30), (1, 10), (2, 20)]), 20);
    assert_eq!(time_of(&v, &[(0, 10), (1, 20), (2, 9_000_000)]), 20);
    assert_eq!(time_of(&v, &[(0, 0), (1, 20), (2, 21)]), 20);
    assert_eq!(time_of(&v, &[(0, 10), (1, 30), (2, 20), (3, 40)]), 30);
    assert_eq!(time_of(&Validators::new(1), &[(0, 7)]), 7, "who is alone is believed");
}

#[test]
fn of_fewer_cosignatures_than_may_lie_the_oldest_counts() {
    let v = Validators::new(7);
    let text = v.set.to_policy_text().replace("validators 5 ", "validators 2 ");
    let lines =
        vec![v.log_line(0, &checkpoint()), v.cosignature(0, &checkpoint(), 5), v.cosignature(1, &checkpoint(), 9)];
    let note = checkpoint().to_note(lines).unwrap().to_string();
    assert_eq!(TrustRoot::parse(&text).unwrap().verify_checkpoint(&note).unwrap().cosigned_at(), 5);
}

#[test]
fn less_than_a_quorum_certifies_nothing() {
    let v = Validators::new(4);
    let [log, a, b] =
        [v.log_line(0, &checkpoint()), v.cosignature(0, &checkpoint(), 1), v.cosignature(1, &checkpoint(), 1)];
    assert_eq!(verify(&v, vec![log.clone(), a.clone(), b.clone()]), Err(CertificateError::NoQuorum));
    assert_eq!(
        verify(&v, vec![log.clone(), a.clone(), b.clone(), b.clone()]),
        Err(CertificateError::NoQuorum),
        "one witness counts once"
    );
    let c = v.cosignature(3, &checkpoint(), 1);
    assert_eq!(verify(&v, vec![a.clone(), b.clone(), c.clone()]), Err(CertificateError::NoLogSignature));
    assert!(verify(&v, vec![log, a, b, c]).is_ok());
}

#[test]
fn unknown_signatures_are_ignored_and_bad_known_ones_are_not() {
    let v = Validators::new(1);
    let good = || vec![v.log_line(0, &checkpoint()), v.cosignature(0, &checkpoint(), 1)];
    let with = |line: NoteSignature| verify(&v, [good(), vec![line]].concat());

    let mut same_name = v.cosignature(0, &checkpoint(), 1);
    same_name.key_id = KeyId([9, 9, 9, 9]);
    assert!(with(same_name).is_ok());
    let mut same_id = v.cosignature(0, &checkpoint(), 1);
    same_id.name = "somebody-else".to_owned();
    assert!(with(same_id).is_ok());

    let mut bad = v.cosignature(0, &checkpoint(), 1);
    bad.bytes[70] ^= 1;
    assert!(matches!(with(bad), Err(CertificateError::BadCosignature(LineError::Cosignature(_)))));
    let mut short = v.log_line(0, &checkpoint());
    short.bytes.pop();
    assert_eq!(with(short), Err(CertificateError::BadLogSignature(LineError::Length)));
}

#[test]
fn a_signature_of_another_kind_does_not_count() {
    let v = Validators::new(1);
    // The witness's secret used as a plain note signature, under the witness's name and id.
    let key = &v.set.validators()[0].witness;
    let plain = NoteSignature::make(key, &checkpoint().to_text(), |m| v.secrets[0].1.sign(m).to_bytes());
    let outcome = verify(&v, vec![v.log_line(0, &checkpoint()), plain]);
    assert!(matches!(outcome, Err(CertificateError::BadCosignature(_))));
}

#[test]
fn another_log_is_refused() {
    let v = Validators::new(1);
    let other = Checkpoint { origin: "xinfu/other/f00d".to_owned(), ..checkpoint() };
    let line = v.cosignature(0, &other, 1);
    let note = other.to_note([line]).unwrap().to_string();
    assert_eq!(v.trust_root().verify_checkpoint(&note), Err(CertificateError::OtherOrigin));
}

#[test]
fn a_trust_root_is_named_by_its_logs_keys() {
    assert_eq!(Validators::new(2).trust_root().origin(), ORIGIN);
}

#[test]
fn files_that_are_no_trust_root_are_refused() {
    let v = Validators::new(2);
    let validators = v.set.validators();
    let (log, witness) = (&validators[0].log, &validators[0].witness);
    let other = VerifierKey::new("other", SignatureKind::Ed25519, *validators[1].log.public_key()).unwrap();
    for (file, error) in [
        (format!("witness a {witness}\nquorum a\n"), TrustRootError::NoLog),
        (format!("log {log}\nlog {other}\nwitness a {witness}\nquorum a\n"), TrustRootError::SeveralOrigins),
        (format!("log {log}\nquorum none\n"), TrustRootError::NoQuorum),
        (format!("log {log}\n"), TrustRootError::Policy(PolicyError::NoQuorum)),
    ] {
        assert_eq!(TrustRoot::parse(&file), Err(error));
    }
}

/// Who cosigns, the honest first, when each honest one did, and what the others say.
fn cosigners() -> impl Strategy<Value = (u8, Vec<u64>, Vec<u64>)> {
    (1u8..=21).prop_flat_map(|n| {
        let liars = crate::policy::tolerated_of(n.into());
        let honest = usize::from(n) - liars;
        let least = crate::policy::quorum_of(n.into()) - liars;
        let most = honest.min(crate::note::MAX_SIGNATURES - 1 - liars);
        let honest = proptest::collection::vec(1_000u64..2_000, least..=most);
        (Just(n), honest, proptest::collection::vec(0..=i64::MAX.unsigned_abs(), liars))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_tolerated_minority_can_shift_the_time((n, honest, lies) in cosigners()) {
        let times: Vec<(usize, u64)> = honest.iter().chain(&lies).copied().enumerate().collect();
        let time = time_of(&Validators::new(n), &times);
        prop_assert!(time <= *honest.iter().max().unwrap(), "an old head looks new");
        prop_assert!(time >= *honest.iter().min().unwrap(), "a new head looks old");
    }

    #[test]
    fn any_changed_byte_of_a_published_checkpoint_is_refused(at: prop::sample::Index, change in 1u8..=255) {
        let v = Validators::new(4);
        let mut bytes = v.certify(&checkpoint()).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if let Ok(note) = String::from_utf8(bytes) {
            prop_assert!(v.trust_root().verify_checkpoint(&note).is_err());
        }
    }
}
