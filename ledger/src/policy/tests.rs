use std::collections::HashMap;
use std::fmt::Write;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::ed25519::PublicKey;
use crate::note::{KeyError, SignatureKind};

const ORIGIN: &str = "xinfu/demo/00";

fn key(name: &str, seed: u8, kind: SignatureKind) -> VerifierKey {
    let public = SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes();
    VerifierKey::new(name, kind, PublicKey::from_bytes(&public).unwrap()).unwrap()
}

fn log(seed: u8) -> VerifierKey {
    key(ORIGIN, seed, SignatureKind::Ed25519)
}

fn witness(seed: u8) -> VerifierKey {
    key("w.example", seed, SignatureKind::CosignatureV1)
}

fn example() -> String {
    let mut text = format!("# two organisations\n\n\tlog {} https://log.example/\n", log(1));
    for (name, seed) in [("X1", 11), ("X2", 12), ("X3", 13), ("Y1", 21), ("Y2", 22), ("Y3", 23)] {
        writeln!(text, "witness {name}  {}", witness(seed)).unwrap();
    }
    text + "group X 2 X1 X2 X3\ngroup Y any Y1 Y2 Y3\n group both all X Y \nquorum both\n"
}

#[test]
fn groups_of_groups_are_counted() {
    let policy = Policy::parse(&example()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    let met = |places: &[usize]| policy.is_met_by(|place| places.contains(&place));
    assert!(met(&[0, 1, 3]));
    assert!(met(&[0, 1, 2, 3, 4, 5]));
    assert!(!met(&[0, 3, 4, 5]));
    assert!(!met(&[0, 1, 2]));
    assert!(!met(&[]));
}

#[test]
fn one_witness_or_none_may_be_the_quorum() {
    let one = Policy::parse(&format!("witness a {}\nquorum a\n", witness(1))).unwrap();
    assert!(one.is_met_by(|place| place == 0) && !one.is_met_by(|_| false));
    let none = Policy::parse("quorum none\n").unwrap();
    assert!(none.is_met_by(|_| false) && !none.has_quorum());
}

#[test]
fn a_line_that_breaks_a_rule_is_named() {
    let (w, v) = (witness(1), witness(2));
    for (text, number, rule) in [
        ("vote yes\n".to_owned(), 1, LineRule::Form),
        ("quorum\n".to_owned(), 1, LineRule::Form),
        (format!("log {} https://a b\n", log(1)), 1, LineRule::Form),
        (format!("log {w}\n"), 1, LineRule::KeyKind),
        (format!("\nwitness a {}\n", log(1)), 2, LineRule::KeyKind),
        ("log nothing\n".to_owned(), 1, LineRule::Key(KeyError::Form)),
        (
            format!("witness a {w}\nwitness b {}\n", key("other", 1, SignatureKind::CosignatureV1)),
            2,
            LineRule::DuplicateKey,
        ),
        (format!("log {}\nwitness a {w}\n", log(1)), 2, LineRule::DuplicateKey),
        (format!("witness a {w}\nwitness a {v}\n"), 2, LineRule::NameTaken),
        (format!("witness none {w}\n"), 1, LineRule::NameTaken),
        (format!("witness a {w}\ngroup a any a\n"), 2, LineRule::NameTaken),
        ("quorum a\n".to_owned(), 1, LineRule::UnknownName),
        (format!("group g any a\nwitness a {w}\n"), 1, LineRule::UnknownName),
        (format!("witness a {w}\ngroup g any none\n"), 2, LineRule::UnknownName),
        (format!("witness a {w}\ngroup g any a a\n"), 2, LineRule::MemberTwice),
        (format!("witness a {w}\ngroup g any a\ngroup h any a\n"), 3, LineRule::MemberTwice),
        (format!("witness a {w}\ngroup g 2 a\n"), 2, LineRule::Threshold),
        (format!("witness a {w}\ngroup g 0 a\n"), 2, LineRule::Threshold),
        (format!("witness a {w}\ngroup g 01 a\n"), 2, LineRule::Threshold),
        ("group g all\n".to_owned(), 1, LineRule::Threshold),
        ("quorum none\nquorum none\n".to_owned(), 2, LineRule::SecondQuorum),
    ] {
        assert_eq!(Policy::parse(&text), Err(PolicyError::Line { number, rule }), "{text}");
    }
    assert_eq!(Policy::parse("# nothing\n"), Err(PolicyError::NoQuorum));
    assert_eq!(Policy::parse("quorum none"), Err(PolicyError::NoFinalNewline));
    assert_eq!(Policy::parse("quorum none\r\n"), Err(PolicyError::Characters));
    assert_eq!(Policy::parse(&"#\n".repeat(40_000)), Err(PolicyError::TooLong));
}

#[test]
fn up_to_32_of_each_kind_are_read() {
    let lines = |count: u8| (0..count).map(|seed| format!("log {}\n", log(seed))).collect::<String>() + "quorum none\n";
    assert!(Policy::parse(&lines(32)).is_ok());
    assert_eq!(Policy::parse(&lines(33)), Err(PolicyError::Line { number: 33, rule: LineRule::TooMany }));
    // A chain of groups, each the only member of the next, over two witnesses.
    let chain = |count: usize| {
        let groups: String = (1..count).map(|n| format!("group g{n} any g{}\n", n - 1)).collect();
        let (a, b) = (witness(1), witness(2));
        format!("witness a {a}\nwitness b {b}\ngroup g0 any a b\n{groups}quorum g0\n")
    };
    assert!(Policy::parse(&chain(32)).is_ok());
    assert_eq!(Policy::parse(&chain(33)), Err(PolicyError::Line { number: 35, rule: LineRule::TooMany }));
}

#[test]
fn the_longest_file_is_read() {
    let of = |bytes: usize| {
        let quorum = "\nquorum none\n";
        format!("#{}{quorum}", "x".repeat(bytes - 1 - quorum.len()))
    };
    assert!(Policy::parse(&of(64 * 1024)).is_ok());
    assert_eq!(Policy::parse(&of(64 * 1024 + 1)), Err(PolicyError::TooLong));
}

fn validators(count: u8) -> Vec<Validator> {
    let public = |seed| *log(seed).public_key();
    let one = |n| Validator::new(ORIGIN, &format!("member-{n:02}"), public(n), public(100 + n)).unwrap();
    (0..count).rev().map(one).collect()
}

#[test]
fn a_quorum_is_more_than_two_thirds() {
    for (n, quorum) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (20, 14), (21, 15)] {
        assert_eq!(quorum_of(n), quorum, "{n} validators");
    }
}

#[test]
fn validators_make_one_file_whatever_their_order() {
    let set = ValidatorSet::new(ORIGIN, validators(4)).unwrap();
    let text = set.to_policy_text();
    let mut turned = validators(4);
    turned.reverse();
    assert_eq!(ValidatorSet::new(ORIGIN, turned).unwrap().to_policy_text(), text);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("log {}", log(0)));
    assert_eq!(lines[1], format!("witness member-00 {}", set.validators()[0].witness));
    assert_eq!(lines[8..], ["group validators 3 member-00 member-01 member-02 member-03", "quorum validators"]);
    let policy = Policy::parse(&text).unwrap();
    assert!(policy.is_met_by(|place| place < 3) && !policy.is_met_by(|place| place < 2));
}

#[test]
fn sets_that_break_a_rule_are_refused() {
    let with = |change: fn(&mut Vec<Validator>)| {
        let mut all = validators(3);
        change(&mut all);
        ValidatorSet::new(ORIGIN, all).map(|_| ())
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(with(Vec::clear), Err(ValidatorSetError::Count));
    assert_eq!(with(|all| *all = validators(22)), Err(ValidatorSetError::Count));
    assert_eq!(with(|all| all[0].name = "Bad Name".into()), Err(ValidatorSetError::Name));
    assert_eq!(with(|all| all[0].name = "validators".into()), Err(ValidatorSetError::Name));
    assert_eq!(
        with(|all| {
            all[0] = Validator::new(ORIGIN, &all[1].name, *log(90).public_key(), *log(91).public_key()).unwrap()
        }),
        Err(ValidatorSetError::NameTwice)
    );
    assert_eq!(with(|all| all[0].log = all[0].witness.clone()), Err(ValidatorSetError::KeyKind));
    assert_eq!(
        with(|all| all[0] =
            Validator::new(ORIGIN, "twin", *all[1].log.public_key(), *all[1].witness.public_key()).unwrap()),
        Err(ValidatorSetError::KeyTwice)
    );
    assert_eq!(with(|all| all[0].log = key("other", 90, SignatureKind::Ed25519)), Err(ValidatorSetError::KeyName));
    assert_eq!(with(|all| all[0].witness = witness(90)), Err(ValidatorSetError::KeyName));
}

/// Two log keys with one key id, found as a member would find them: among some 10^5, two are alike.
fn alike() -> [VerifierKey; 2] {
    let mut seen = HashMap::new();
    for number in 0_u64.. {
        let candidate = crate::sha256(&number.to_be_bytes());
        let Ok(point) = PublicKey::from_bytes(candidate.as_bytes()) else { continue };
        let key = VerifierKey::new(ORIGIN, SignatureKind::Ed25519, point).unwrap();
        if let Some(other) = seen.insert(key.id(), key.clone()) {
            return [other, key];
        }
    }
    unreachable!("some two of so many are alike")
}

#[test]
fn keys_that_signatures_do_not_tell_apart_are_refused() {
    let [one, other] = alike();
    assert!(one.id() == other.id() && one.public_key() != other.public_key());
    let mut all = validators(3);
    (all[0].log, all[2].log) = (one.clone(), other.clone());
    assert_eq!(ValidatorSet::new(ORIGIN, all).map(|_| ()), Err(ValidatorSetError::KeyIdTwice));
    let policy = format!("log {one}\nlog {other}\nwitness a {}\nquorum a\n", witness(1));
    assert_eq!(Policy::parse(&policy), Err(PolicyError::Line { number: 2, rule: LineRule::DuplicateKeyId }));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(log|witness|group|quorum|a|b|all|any|1|none| |\t|\n|#){0,40}") {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn any_two_quorums_share_an_honest_validator(n in 1usize..=MAX_VALIDATORS) {
        let dishonest = (n - 1) / 3;
        prop_assert!(2 * quorum_of(n) - n > dishonest);
        prop_assert!(quorum_of(n) <= n - dishonest, "honest ones alone make a quorum");
        prop_assert!(quorum_of(n) < crate::note::MAX_SIGNATURES);
    }
}
