//! Four validators' certifiers, and every order in which their cosignatures may come.

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use std::path::Path;

use identity_core::registry::{Genesis, GenesisValidator, validator_set};
use identity_core::time::{UnixMillis, UnixSeconds};
use ledger::{Hash, sha256};

use super::{Certifier, CertifyError, Cosignature, ENOUGH, Heard, NotHeard, Round, WINDOW};
use crate::chain::Chain;
use crate::store::Head;
use crate::term::Set;
use crate::tests::world::Founded;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn key(validator: u8, purpose: u8) -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[16 * validator + purpose + 1; 32]).unwrap()
}

/// The sample chain, with so many validators.
fn chain(validators: u8) -> Chain {
    let public = |key: SecretKey| Hash::from_slice(key.public_key().bytes()).unwrap();
    let validator = |number: u8| GenesisValidator {
        name: format!("node{number}"),
        member: None,
        log: public(key(number, 0)),
        witness: public(key(number, 1)),
        peer: None,
    };
    let genesis = Founded::new().chain().genesis().clone();
    let genesis = Genesis { validators: (0..validators).map(validator).collect(), ..genesis };
    Chain::new(serde_json::to_vec(&genesis).unwrap()).unwrap()
}

fn certifiers(validators: u8) -> Vec<Certifier> {
    let chain = chain(validators);
    (0..validators)
        .map(|number| Certifier::new(Set::of_genesis(&chain), key(number, 0), key(number, 1)).unwrap())
        .collect()
}

fn head(size: u64, root: &str) -> Head {
    let state = sha256(b"state");
    Head { height: size / 2, time: UnixMillis(0), size, root: sha256(root.as_bytes()), state }
}

fn said(certifier: &Certifier) -> Cosignature {
    certifier.own().unwrap().clone()
}

fn round(heard: Result<Heard, NotHeard>) -> Option<Round> {
    heard.unwrap().round
}

#[test]
fn a_quorum_certifies_and_the_note_holds_no_more() {
    let mut all = certifiers(4);
    let head = head(10, "root");
    for (certifier, seconds) in all.iter_mut().zip(0..) {
        assert_eq!(certifier.sign(&head, NOW.plus(seconds)).unwrap(), None, "nobody is a quorum alone");
    }
    let others: Vec<_> = all.iter().map(said).collect();
    let first = &mut all[0];
    assert_eq!(round(first.hear(1, others[1].clone())), None);
    assert!(!first.is_up_to_date());
    let certified = round(first.hear(2, others[2].clone())).unwrap();
    assert_eq!(certified.head, head);
    assert_eq!(certified.at, NOW.plus(1), "the median of the three");
    assert!(first.is_up_to_date());
    let trust_root = first.set.trust_root().clone();
    assert_eq!(trust_root.verify_checkpoint(&certified.note).unwrap().cosigned().len(), 3);
    assert_eq!(certified.note.matches("\u{2014} ").count(), 4, "one log signature and a quorum");
    // The fourth makes it newer: the three newest now are those of 1, 2 and 3.
    let newer = round(first.hear(3, others[3].clone())).unwrap();
    assert_eq!(newer.at, NOW.plus(2));
    assert_eq!(newer.note.matches("\u{2014} ").count(), 4);
}

#[test]
fn what_others_cosign_counts_once_this_node_got_there_itself() {
    let mut all = certifiers(4);
    let head = head(10, "root");
    all.iter_mut().skip(1).for_each(|certifier| assert_eq!(certifier.sign(&head, NOW).unwrap(), None));
    let others: Vec<_> = all.iter().skip(1).map(said).collect();
    for (from, other) in (1..).zip(&others) {
        assert_eq!(round(all[0].hear(from, other.clone())), None);
    }
    assert!(all[0].reach(&head).unwrap().is_some(), "far behind, it need not cosign to show it");
    assert_eq!(all[0].own(), None);
}

#[test]
fn who_is_behind_is_known_by_name() {
    let mut all = certifiers(4);
    for (number, size) in [(0, 12), (1, 12), (2, 10)] {
        all[number].sign(&head(size, "root"), NOW).unwrap();
        let said = said(&all[number]);
        if number > 0 {
            all[0].hear(number, said).unwrap();
        }
    }
    let newest = all[0].newest();
    let newest: Vec<_> =
        newest.iter().map(|(name, said)| (name.as_str(), said.as_ref().map(|said| said.size))).collect();
    assert_eq!(newest, [("node0", Some(12)), ("node1", Some(12)), ("node2", Some(10)), ("node3", None)]);
}

#[test]
fn another_root_never_counts_and_is_told() {
    let mut all = certifiers(4);
    for (certifier, root) in all.iter_mut().zip(["root", "root", "other", "other"]) {
        certifier.sign(&head(10, root), NOW).unwrap();
    }
    let others: Vec<_> = all.iter().map(said).collect();
    assert_eq!(all[0].hear(1, others[1].clone()), Ok(Heard::default()));
    let diverging = Heard { diverges: true, ..Heard::default() };
    assert_eq!(all[0].hear(2, others[2].clone()), Ok(diverging));
    assert!(all[0].hear(3, others[3].clone()).unwrap().round.is_none());
}

#[test]
fn two_roots_of_one_size_convict() {
    let mut all = certifiers(4);
    all[0].sign(&head(10, "root"), NOW).unwrap();
    let mut twin = certifiers(4);
    all[1].sign(&head(10, "root"), NOW).unwrap();
    twin[1].sign(&head(10, "other"), NOW).unwrap();
    let (one, other) = (said(&all[1]), said(&twin[1]));
    assert!(all[0].hear(1, one.clone()).unwrap().evidence.is_none());
    let evidence = all[0].hear(1, other).unwrap().evidence.unwrap();
    assert_eq!((evidence.validator.as_str(), evidence.size), ("node1", 10));
    let directory = tempfile::tempdir().unwrap();
    let place = evidence.keep(directory.path()).unwrap();
    let kept = ["one", "other"].map(|name| std::fs::read_to_string(place.join(name)).unwrap());
    assert_eq!(kept, evidence.notes);
    let witness = &all[0].set.trust_root().policy().witnesses()[1].key;
    for note in kept {
        let note = ledger::note::Note::parse(&note).unwrap();
        assert!(witness.verify(note.text(), &note.signatures()[0]).is_ok(), "each note convicts by itself");
    }
    // The first one stays what it said.
    assert_eq!(all[0].hear(1, one), Ok(Heard::default()));
}

#[test]
fn whoever_contradicts_itself_at_every_size_fills_no_disk() {
    let mut all = certifiers(4);
    let evidence = (10..30).filter_map(|size| {
        let mut twin = certifiers(4);
        all[1].sign(&head(size, "root"), NOW).unwrap();
        twin[1].sign(&head(size, "other"), NOW).unwrap();
        let told = [said(&all[1]), said(&twin[1])];
        let [_, heard] = told.map(|said| all[0].hear(1, said).unwrap());
        assert!(heard.diverges, "it is counted at every size");
        heard.evidence
    });
    assert_eq!(evidence.count(), ENOUGH);
}

#[test]
fn nobody_speaks_for_another() {
    let mut all = certifiers(4);
    all.iter_mut().for_each(|certifier| assert!(certifier.sign(&head(10, "root"), NOW).unwrap().is_none()));
    let other = said(&all[1]);
    assert_eq!(all[0].hear(2, other.clone()), Err(NotHeard::Unsound));
    assert_eq!(all[0].hear(0, other.clone()), Err(NotHeard::Unknown));
    assert_eq!(all[0].hear(4, other.clone()), Err(NotHeard::Unknown));
    let mut bent = other;
    bent.bytes[20] ^= 1;
    assert_eq!(all[0].hear(1, bent), Err(NotHeard::Unsound));
}

#[test]
fn no_second_root_and_no_smaller_size_is_signed() {
    for validators in [1, 4] {
        let mut certifier = certifiers(validators).remove(0);
        certifier.sign(&head(10, "root"), NOW).unwrap();
        assert_eq!(certifier.sign(&head(10, "other"), NOW), Err(CertifyError::SecondHistory(10)));
        assert_eq!(certifier.sign(&head(8, "root"), NOW), Err(CertifyError::SecondHistory(8)));
        assert!(
            certifier.sign(&head(10, "root"), NOW.plus(30)).is_ok(),
            "the same again, later, is what idle heads get"
        );
    }
}

#[test]
fn one_alone_certifies_at_once_and_an_idle_head_again_later() {
    let mut alone = certifiers(1).remove(0);
    let first = alone.sign(&head(10, "root"), NOW).unwrap().unwrap();
    assert_eq!(first.at, NOW);
    assert_eq!(alone.sign(&head(10, "root"), NOW.plus(30)).unwrap().unwrap().at, NOW.plus(30));
    assert_eq!(alone.sign(&head(10, "root"), NOW.plus(29)).unwrap(), None, "never back in time");
}

#[test]
fn rounds_of_an_earlier_life_are_not_made_again() {
    let mut all = certifiers(4);
    all.iter_mut().for_each(|certifier| assert!(certifier.sign(&head(10, "root"), NOW).unwrap().is_none()));
    let others: Vec<_> = all.iter().map(said).collect();
    let mut reborn = certifiers(4).remove(0);
    reborn.resume(&Round { head: head(12, "later"), note: String::new(), at: NOW });
    reborn.reach(&head(10, "root")).unwrap();
    for (from, other) in (0..).zip(others).skip(1) {
        assert_eq!(round(reborn.hear(from, other)), None);
    }
}

#[test]
fn a_flood_of_sizes_costs_its_sender_only() {
    let mut all = certifiers(4);
    for size in 0..2 * u64::try_from(WINDOW).unwrap() {
        all[1].sign(&head(1000 + size, "far"), NOW).unwrap();
        let flood = said(&all[1]);
        all[0].hear(1, flood).unwrap();
    }
    assert_eq!(all[0].heard[1].len(), WINDOW);
    let head = head(10, "root");
    for place in [0, 2, 3] {
        all[place].sign(&head, NOW).unwrap();
    }
    let (two, three) = (said(&all[2]), said(&all[3]));
    assert_eq!(round(all[0].hear(2, two)), None);
    assert!(round(all[0].hear(3, three)).is_some());
}

/// What other software is tried on: `conformance/checkpoint.py` accepts the first note and refuses the others.
/// `XINFU_BLESS=files` writes them anew.
#[test]
fn four_validators_notes_are_what_they_always_were() {
    let mut all = certifiers(4);
    let head = head(10, "root");
    for (certifier, seconds) in all.iter_mut().zip(0..) {
        certifier.sign(&head, NOW.plus(seconds)).unwrap();
    }
    let others: Vec<_> = all.iter().map(said).collect();
    let first = &mut all[0];
    first.hear(1, others[1].clone()).unwrap();
    let certified = round(first.hear(2, others[2].clone())).unwrap().note;
    let without = |number: usize| {
        let signatures: Vec<_> = certified.lines().filter(|line| line.starts_with('\u{2014}')).collect();
        certified.replace(&format!("{}\n", signatures[number]), "")
    };
    let trust_root = validator_set(first.set.origin(), first.set.validators()).unwrap().to_policy_text();
    let files = [
        ("trust-root.txt", trust_root),
        ("certified.txt", certified.clone()),
        ("two.txt", without(3)),
        ("unlogged.txt", without(0)),
        ("one-twice.txt", without(3).replace(&line_of(&certified, 1), &line_of(&certified, 1).repeat(2))),
    ];
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/vectors/checkpoint");
    for (name, content) in files {
        let path = directory.join(name);
        if std::env::var_os("XINFU_BLESS").is_some() {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(&path, &content).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content, "{name}");
        let sound = first.set.trust_root().verify_checkpoint(&content).is_ok();
        assert_eq!(sound, name == "certified.txt", "{name}");
    }
}

/// A signature line of a note, with its end.
fn line_of(note: &str, number: usize) -> String {
    let line = note.lines().filter(|line| line.starts_with('\u{2014}')).nth(number).unwrap();
    format!("{line}\n")
}
