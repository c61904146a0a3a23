//! Whatever comes in, every parser answers: with what it read, or with a refusal. Never a panic, never a hang.

#![expect(clippy::expect_used, reason = "what was read and written again must be read again")]

use ledger::note::{Note, NoteSignature, VerifierKey};
use ledger::split_view::SplitEvidence;
use ledger::tile::{Tile, read_bundle};
use ledger::walk::Walk;
use ledger::{LogProof, Seal, StateProof, TimeProof, TrustRoot};
use proptest::prelude::*;

/// Text made of the pieces that the formats are made of, so that it gets past the first check now and then.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("c2sp.org/tlog-proof@v1\n"),
        Just("index "),
        Just("extra "),
        Just("xinfu/a/b\n"),
        Just("— "),
        Just("\n"),
        Just("\n\n"),
        Just(" "),
        Just("+"),
        Just("0"),
        Just("18446744073709551616"),
        Just("AAAA"),
        Just("x001/"),
        Just("tile/"),
        Just(".p/"),
        Just("log "),
        Just("witness "),
        Just("group "),
        Just("quorum "),
        Just("none"),
        Just("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
        Just("{"),
        Just("}"),
        Just("\""),
        Just("\"type\":"),
        Just("\"xinfu-seal\""),
        Just(","),
        Just("\u{a0}"),
        Just("é"),
        Just("\0"),
        Just("null"),
        Just("1e999"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn read_all(text: &str) {
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
    }
    if let Ok(proof) = LogProof::parse(text) {
        assert_eq!(proof.to_string(), text);
    }
    if let Ok(tile) = text.parse::<Tile>() {
        assert_eq!(tile.to_string(), text);
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(line) = NoteSignature::parse(text) {
        assert_eq!(NoteSignature::parse(&line.to_string()).expect("written by us"), line);
    }
    if let Ok(seal) = Seal::parse(text.as_bytes()) {
        assert_eq!(seal.to_line(), text);
    }
    let _ = TrustRoot::parse(text);
    let _ = StateProof::parse(text.as_bytes());
    let _ = Walk::parse(text.as_bytes());
    let _ = TimeProof::parse(text.as_bytes());
    let _ = SplitEvidence::parse(text.as_bytes()).map(|evidence| evidence.read());
    let _ = SplitEvidence { one: text.to_owned(), other: text.to_owned() }.read();
    let _ = read_bundle(text.as_bytes());
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        read_all(&text);
    }

    #[test]
    fn pieces_of_the_formats_are_answered(text in pieces()) {
        read_all(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = (Seal::parse(&bytes), StateProof::parse(&bytes), read_bundle(&bytes));
    }

    #[test]
    fn deep_nesting_is_refused(depth in 1usize..20_000) {
        let deep = format!("{{\"key\":{}", "[".repeat(depth));
        prop_assert!(StateProof::parse(deep.as_bytes()).is_err());
        prop_assert!(Seal::parse(deep.as_bytes()).is_err());
    }
}
