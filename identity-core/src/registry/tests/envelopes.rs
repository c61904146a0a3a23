//! Refusals that have nothing to do with what a transaction does.

use ledger::sha256;
use serde_json::{Value, json};

use super::super::{Anchor, AnchorKind, MAX_TRANSACTION_BYTES, Operation, Refused, Transaction, apply, authenticate};
use super::super::{Memory, authenticate_all};
use super::world::{START, World, key};
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::encoding::base64url;
use crate::jose::{SignHeader, sign_compact};

fn anchor(kind: AnchorKind) -> Operation {
    Operation::Anchor(Anchor::new(kind, sha256(b"root"), 3))
}

/// A signed transaction with any payload under any header.
fn signed(typ: &str, kid: &str, payload: &Value, key: &SecretKey) -> String {
    let bytes = serde_json::to_vec(payload).unwrap();
    sign_compact(SignHeader::new(typ).kid(kid), &bytes, key).unwrap()
}

#[test]
fn every_malformed_envelope_has_its_own_refusal() {
    let mut world = World::new();
    let kid = format!("{}#invoke-1", world.department.did());
    let key = world.department.invoker();
    let good = json!({"aud": world.block.origin, "seq": 1, "exp": START + 60, "op": "anchor", "kind": "credential",
        "root": sha256(b"r").to_base64url(), "count": 1});
    let with = |name: &str, value: Value| {
        let mut payload = good.clone();
        payload[name] = value;
        signed("xinfu-tx+jwt", &kid, &payload, &key)
    };
    let without = |name: &str| {
        let mut payload = good.clone();
        payload.as_object_mut().unwrap().remove(name);
        signed("xinfu-tx+jwt", &kid, &payload, &key)
    };
    let cases = [
        ("too large", with("pad", Value::from("x".repeat(MAX_TRANSACTION_BYTES))), "registry.transaction.too_large"),
        ("no jws", "a.b".to_owned(), "registry.transaction.malformed"),
        ("typ", signed("xinfu-create+jwt", &kid, &good, &key), "registry.transaction.typ"),
        ("kid path", signed("xinfu-tx+jwt", "../../etc/passwd", &good, &key), "registry.transaction.kid"),
        ("kid other method", signed("xinfu-tx+jwt", "did:key:z6Mk#x", &good, &key), "registry.transaction.kid"),
        (
            "kid bare did",
            signed("xinfu-tx+jwt", world.department.did().as_str(), &good, &key),
            "registry.transaction.kid",
        ),
        ("no aud", without("aud"), "registry.transaction.malformed"),
        ("aud of another", with("aud", json!("xinfu/other/00")), "registry.transaction.audience"),
        ("seq float", with("seq", json!(1.0)), "registry.transaction.malformed"),
        ("seq string", with("seq", json!("1")), "registry.transaction.malformed"),
        ("seq behind", with("seq", json!(0)), "registry.transaction.sequence"),
        ("seq ahead", with("seq", json!(2)), "registry.transaction.sequence"),
        ("no exp", without("exp"), "registry.transaction.malformed"),
        ("exp string", with("exp", json!("9999999999")), "registry.transaction.malformed"),
        ("exp 2^63", with("exp", json!(9_223_372_036_854_775_808_u64)), "registry.transaction.malformed"),
        ("expired to the second", with("exp", json!(START)), "registry.transaction.expired"),
        ("exp negative", with("exp", json!(-1)), "registry.transaction.expired"),
        ("no op", without("op"), "registry.transaction.malformed"),
        ("op unknown", with("op", json!("mint")), "registry.transaction.operation"),
        ("extra member", with("extra", json!(1)), "registry.transaction.malformed"),
        ("kind unknown", with("kind", json!("secret")), "registry.transaction.malformed"),
        ("count none", with("count", json!(0)), "registry.anchor.malformed"),
        ("count too many", with("count", json!(65_537)), "registry.anchor.malformed"),
        ("root short", with("root", json!("AAAA")), "registry.transaction.malformed"),
        ("receipt without range", with("kind", json!("receipt")), "registry.anchor.malformed"),
        ("range without receipt", with("first", json!(1)), "registry.anchor.malformed"),
    ];
    for (name, jws, code) in cases {
        let before = world.state.clone();
        let refused = world.submit(&jws).expect_err(name);
        assert_eq!(refused.code().as_str(), code, "{name}");
        assert_eq!(world.state, before, "{name}");
    }
    world.submit(&signed("xinfu-tx+jwt", &kid, &good, &key)).unwrap();
}

#[test]
fn duplicate_members_are_refused() {
    let mut world = World::new();
    let kid = format!("{}#invoke-1", world.department.did());
    let payload = format!(r#"{{"aud":"{}","seq":1,"seq":1,"exp":9999999999,"op":"deactivate"}}"#, world.block.origin);
    let header = SignHeader::new("xinfu-tx+jwt").kid(&kid);
    let jws = sign_compact(header, payload.as_bytes(), &world.department.invoker()).unwrap();
    assert_eq!(world.submit(&jws).unwrap_err(), Refused::Malformed("payload"));
}

#[test]
fn a_signature_must_be_by_the_named_key() {
    let mut world = World::new();
    let jws = world.transaction_by(&world.department, "invoke-1", &key(2, 9), &anchor(AnchorKind::Credential));
    assert_eq!(world.submit(&jws).unwrap_err(), Refused::Signature);
    // The right signature over other bytes.
    let jws = world.transaction(&world.department, &anchor(AnchorKind::Credential));
    let other = world.transaction(&world.department, &anchor(AnchorKind::StatusList));
    let spliced = format!("{}.{}", jws.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    assert_eq!(world.submit(&spliced).unwrap_err(), Refused::Signature);
}

#[test]
fn es256_needs_a_low_s() {
    let mut world = World::new();
    assert_eq!(world.department.invoker().alg(), Alg::Es256);
    let jws = world.transaction(&world.department, &anchor(AnchorKind::Credential));
    let (input, signature) = jws.rsplit_once('.').unwrap();
    let high = with_high_s(&base64url::decode(signature).unwrap());
    let twin = format!("{input}.{}", base64url::encode(&high));
    assert_eq!(world.submit(&twin).unwrap_err(), Refused::Signature);
    world.submit(&jws).unwrap();
}

/// The other valid signature that ECDSA gives for free: s becomes n - s.
fn with_high_s(signature: &[u8]) -> Vec<u8> {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap()).collect();
    let mut high = signature.to_vec();
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        high[32 + at] = u8::try_from(digit + 256 * borrow).unwrap();
    }
    high
}

#[test]
fn only_members_under_the_right_keys() {
    let mut world = World::new();
    let relayed = Operation::Relay(super::super::Relayed::Create(Box::new(world.stranger.create.clone())));
    let cases = [
        ("unknown", world.transaction(&world.stranger, &anchor(AnchorKind::Notarised)), Refused::SenderUnknown),
        (
            "no such key",
            world.transaction_by(&world.other, "none", &world.other.invoker(), &anchor(AnchorKind::Notarised)),
            Refused::KeyUnknown,
        ),
        (
            "a key that signs credentials",
            world.transaction_by(&world.other, "assert-1", &key(3, 1), &anchor(AnchorKind::Credential)),
            Refused::KeyRole,
        ),
        (
            "a key that signs requests",
            world.transaction_by(&world.other, "auth-1", &key(3, 2), &anchor(AnchorKind::Credential)),
            Refused::KeyRole,
        ),
        (
            "a relay key for its own credentials",
            world.transaction_by(&world.other, "relay-1", &world.other.relayer(), &anchor(AnchorKind::Credential)),
            Refused::RelayKeyOnly,
        ),
        (
            "a relay key to deactivate",
            world.transaction_by(&world.other, "relay-1", &world.other.relayer(), &Operation::Deactivate),
            Refused::RelayKeyOnly,
        ),
    ];
    for (name, jws, expected) in cases {
        assert_eq!(world.submit(&jws).unwrap_err(), expected, "{name}");
    }
    for operation in [anchor(AnchorKind::Notarised), relayed] {
        let jws = world.transaction_by(&world.other, "relay-1", &world.other.relayer(), &operation);
        world.submit(&jws).unwrap();
    }
    // On the ledger now, but no member.
    let jws = world.transaction(&world.stranger, &anchor(AnchorKind::Notarised));
    assert_eq!(world.submit(&jws).unwrap_err(), Refused::NotMember);
}

#[test]
fn each_key_counts_for_itself() {
    let mut world = World::new();
    for expected in 1..=3 {
        assert_eq!(world.envelope(&world.other.did(), "invoke-1").seq, expected);
        world.act(|world| &world.other, &anchor(AnchorKind::Credential)).unwrap();
    }
    assert_eq!(world.envelope(&world.other.did(), "relay-1").seq, 1);
    let twice = world.transaction(&world.other, &anchor(AnchorKind::Credential));
    world.submit(&twice).unwrap();
    assert_eq!(world.submit(&twice).unwrap_err(), Refused::Sequence { expected: 5, got: 4 });
}

#[test]
fn what_was_checked_at_the_door_holds_only_under_the_same_key() {
    let world = World::new();
    let jws = world.transaction(&world.department, &anchor(AnchorKind::Credential));
    let mut transaction = Transaction::parse(&jws).unwrap();
    authenticate(&world.state, &world.block, &mut transaction).unwrap();
    let fresh = Transaction::parse(&jws).unwrap();
    let checked = apply(&world.state, &world.block, world.next_index, &transaction);
    assert_eq!(checked, apply(&world.state, &world.block, world.next_index, &fresh));
    assert!(checked.is_ok());
    assert!(transaction.authenticate(key(9, 9).public_key()).is_err());
}

/// Under both algorithms, and one of each kind of fault: what becomes of each does not depend on its neighbours.
#[test]
fn many_at_the_door_are_judged_as_each_would_be() {
    let world = World::new();
    let spoil = |jws: &str| {
        let (input, signature) = jws.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{input}.{first}{}", &signature[1..])
    };
    let sound = [&world.department, &world.other].map(|who| world.transaction(who, &anchor(AnchorKind::Credential)));
    let stranger = world.transaction(&world.stranger, &anchor(AnchorKind::Credential));
    let unnamed =
        world.transaction_by(&world.other, "invoke-9", &world.other.invoker(), &anchor(AnchorKind::Credential));
    let [one, other] = &sound;
    for crowd in
        [vec![], vec![one], vec![one, other, one], vec![one, other, &spoil(one), &stranger, &spoil(other), &unnamed]]
    {
        let parse = |jws: &&String| Transaction::parse(jws).unwrap();
        let (mut together, alone) = (crowd.iter().map(parse).collect::<Vec<_>>(), crowd.iter().map(parse));
        let mut memory = Memory::default();
        let mut all = |together: &mut Vec<Transaction>| {
            let mut together: Vec<_> = together.iter_mut().collect();
            authenticate_all(&world.state, &world.block, &mut together, &mut memory)
        };
        let verdicts = all(&mut together);
        let singly: Vec<_> = alone.map(|mut one| authenticate(&world.state, &world.block, &mut one)).collect();
        assert_eq!(verdicts, singly);
        // Asked again, with what was remembered.
        assert_eq!(all(&mut together), singly);
        for transaction in &together {
            let fresh = Transaction::parse(transaction.as_str()).unwrap();
            let applied = apply(&world.state, &world.block, world.next_index, transaction);
            assert_eq!(applied, apply(&world.state, &world.block, world.next_index, &fresh));
        }
    }
}

#[test]
fn receipts_continue_the_last_range() {
    let mut world = World::new();
    let receipts = |first: u64, last: u64, count: u64| {
        let mut anchor = Anchor::new(AnchorKind::Receipt, sha256(b"root"), count);
        (anchor.first, anchor.last, anchor.head) = (Some(first), Some(last), Some(sha256(b"head")));
        Operation::Anchor(anchor)
    };
    world.act(|world| &world.other, &receipts(1, 10, 10)).unwrap();
    let refused = world.act(|world| &world.other, &receipts(12, 13, 2)).unwrap_err();
    assert_eq!(refused, Refused::ReceiptRange { expected: 11, got: 12 });
    let refused = world.act(|world| &world.other, &receipts(11, 13, 2)).unwrap_err();
    assert_eq!(refused, Refused::AnchorMalformed("range"));
    world.act(|world| &world.other, &receipts(11, 12, 2)).unwrap();
}
