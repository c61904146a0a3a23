use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use signed_note::{Note as OtherNote, StandardVerifier, Verifier, VerifierList};

use super::*;
use crate::ed25519::PublicKey;

const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn key(name: &str, seed: u8, kind: SignatureKind) -> (SigningKey, VerifierKey) {
    let secret = SigningKey::from_bytes(&[seed; 32]);
    let public = PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
    (secret, VerifierKey::new(name, kind, public).unwrap())
}

#[test]
fn the_example_of_the_specification_verifies() {
    let key: VerifierKey = EXAMPLE_KEY.parse().unwrap();
    let note = Note::parse(EXAMPLE).unwrap();
    assert_eq!(key.to_string(), EXAMPLE_KEY);
    assert_eq!(note.to_string(), EXAMPLE);
    assert_eq!(note.text(), "This is an example message.\n");
    assert!(key.is_named_by(&note.signatures()[0]));
    assert_eq!(key.verify(note.text(), &note.signatures()[0]), Ok(None));
}

#[test]
fn a_note_may_hold_blank_lines() {
    let note = Note::parse("one\n\ntwo\n\n— k AAAAAAA=\n").unwrap();
    assert_eq!(note.text(), "one\n\ntwo\n");
}

#[test]
fn other_forms_are_refused() {
    let line = "— k AAAAAAA=\n";
    for (note, error) in [
        (String::new(), NoteError::NoSignatures),
        ("text\n".to_owned(), NoteError::NoSignatures),
        (format!("text\n{line}"), NoteError::NoSignatures),
        (format!("text\n\n{}", line.trim_end()), NoteError::NoFinalNewline),
        ("text\n\n".to_owned(), NoteError::NoFinalNewline),
        (format!("te\rxt\n\n{line}"), NoteError::Characters),
        (format!("te\txt\n\n{line}"), NoteError::Characters),
        (format!("text\n\n{line}more\n"), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace('—', "-")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace(" k ", "  ")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace(" k ", " k+l ")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace(" k ", " k\u{a0}l ")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace("AAAAAAA=", "AAAAAA==")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace("AAAAAAA=", "AAAAAAB=")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace("AAAAAAA=", "AAAAAAA")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.repeat(17)), NoteError::TooManySignatures),
        (format!("{}\n\n{line}", "x".repeat(MAX_BYTES)), NoteError::TooLong),
    ] {
        assert_eq!(Note::parse(&note), Err(error), "{note:?}");
    }
    assert!(Note::parse(&format!("text\n\n{}", line.repeat(16))).is_ok());
}

#[test]
fn the_longest_note_and_the_most_signatures_are_read() {
    let line = "— k AAAAAAA=\n";
    let of = |bytes: usize| format!("{}\n\n{line}", "x".repeat(bytes - line.len() - 2));
    assert!(Note::parse(&of(16 * 1024)).is_ok());
    assert_eq!(Note::parse(&of(16 * 1024 + 1)), Err(NoteError::TooLong));
    assert_eq!(Note::parse(&format!("text\n\n{}", line.repeat(16))).unwrap().signatures().len(), MAX_SIGNATURES);
}

#[test]
fn other_forms_of_keys_are_refused() {
    let changed = |from: &str, to: &str| EXAMPLE_KEY.replace(from, to).parse::<VerifierKey>();
    assert_eq!(changed("530d903a", "530d903b"), Err(KeyError::IdMismatch));
    assert_eq!(changed("530d903a", "530D903A"), Err(KeyError::IdMismatch));
    assert_eq!(changed("example", "sample"), Err(KeyError::IdMismatch));
    assert_eq!(changed("example.com/foo", ""), Err(KeyError::Name));
    assert_eq!(changed("example.com/foo", "a b"), Err(KeyError::Name));
    assert_eq!(changed("example.com/foo", "a\u{1}b"), Err(KeyError::Name));
    assert_eq!(changed("+Aek", "+Auk"), Err(KeyError::UnknownKind));
    assert_eq!(changed("3U2k", "3U2"), Err(KeyError::Form));
    assert_eq!(changed("AekyeRrm56", "AekyeR"), Err(KeyError::Form));
    assert_eq!(changed("+530d903a", ""), Err(KeyError::Form));
    // The neutral element as a key.
    let weak = format!("k+00000000+{}", base64::encode_standard(&[&[1u8, 1][..], &[0; 31]].concat()));
    assert_eq!(weak.parse::<VerifierKey>(), Err(KeyError::PublicKey(crate::ed25519::PublicKeyError::SmallOrder)));
}

#[test]
fn one_key_has_an_id_for_each_kind() {
    let (_, signs) = key("k", 1, SignatureKind::Ed25519);
    let (_, cosigns) = key("k", 1, SignatureKind::CosignatureV1);
    assert_ne!(signs.id(), cosigns.id());
    assert_eq!(cosigns.to_string().parse(), Ok(cosigns));
}

proptest! {
    #[test]
    fn signed_note_accepts_what_we_sign(text in "[a-z éß\n]{0,60}", name in "[a-z./]{1,12}", seed: u8) {
        let text = format!("{text}\n");
        let (secret, ours) = key(&name, seed, SignatureKind::Ed25519);
        let mut note = Note::new(text).unwrap();
        note.push(NoteSignature::make(&ours, note.text(), |message| secret.sign(message).to_bytes())).unwrap();
        let theirs = StandardVerifier::new(&ours.to_string()).unwrap();
        prop_assert_eq!(theirs.key_id().to_be_bytes(), ours.id().0);
        let read = OtherNote::from_bytes(note.to_string().as_bytes()).unwrap();
        let (verified, _) = read.verify(&VerifierList::new(vec![Box::new(theirs)])).unwrap();
        prop_assert_eq!(verified.len(), 1);
        prop_assert_eq!(Note::parse(&note.to_string()), Ok(note));
    }

    #[test]
    fn signed_note_agrees_on_form_after_any_change(at in 0usize..200, byte: u8, insert: bool) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        let at = at % bytes.len();
        if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        let theirs = OtherNote::from_bytes(&bytes);
        match std::str::from_utf8(&bytes) {
            Err(_) => prop_assert!(theirs.is_err()),
            Ok(text) => {
                let ours = Note::parse(text);
                prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", text);
                if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                    prop_assert_eq!(ours.text().as_bytes(), theirs.text());
                    prop_assert_eq!(ours.to_string().into_bytes(), theirs.to_bytes());
                }
            }
        }
    }
}
