//! Packing, compression and bounds; the token's claims.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::crypto::{Alg, SecretKey, Signer as _};
use crate::encoding::{base64url, limits};
use crate::jose::{JwsError, SignHeader, sign_compact, typ};
use crate::time::UnixSeconds;

const URI: &str = "https://issuer.example/status/1";
const KID: &str = "did:example:issuer#assert-1";
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const VALIDITY: Validity = Validity { issued_at: NOW, expires: UnixSeconds(NOW.0 + 3600), ttl: 300 };

fn key() -> SecretKey {
    SecretKey::from_bytes(Alg::EdDsa, &[7; 32]).unwrap()
}

fn reference(index: usize) -> Reference {
    Reference { index, uri: URI.to_owned() }
}

fn list() -> StatusList {
    StatusList::new(Bits::Two, limits::STATUS_HERD).unwrap()
}

fn verify(text: &str) -> Result<StatusListToken, StatusError> {
    StatusListToken::verify(text, key().public_key(), &reference(0), NOW, 30)
}

/// A token whose claims are the right ones, changed.
fn bent(change: impl Fn(&mut Map<String, Value>)) -> String {
    let list = base64url::encode(&list().compress().unwrap());
    let claims = json!({"sub": URI, "iat": NOW, "exp": NOW.0 + 60, "ttl": 5, "status_list": {"bits": 2, "lst": list}});
    let mut claims = claims.as_object().unwrap().clone();
    change(&mut claims);
    let claims = Value::Object(claims).to_string();
    sign_compact(SignHeader::new(typ::STATUS_LIST), claims.as_bytes(), &key()).unwrap()
}

fn with(name: &'static str, value: Value) -> Result<StatusListToken, StatusError> {
    verify(&bent(|claims| {
        claims.insert(name.to_owned(), value.clone());
    }))
}

fn with_list(value: Value) -> StatusError {
    with("status_list", value).unwrap_err()
}

#[test]
fn what_is_signed_is_read_back() {
    let mut list = list();
    list.set(7, Status::Invalid).unwrap();
    list.set(8, Status::Suspended).unwrap();
    let token = verify(&sign(&list, URI, VALIDITY, KID, &key()).unwrap()).unwrap();
    assert_eq!(token.status(6), Ok(Status::Valid));
    assert_eq!(token.status(7), Ok(Status::Invalid));
    assert_eq!(token.status(8), Ok(Status::Suspended));
    assert_eq!(token.status(limits::STATUS_HERD), Err(StatusError::OutOfRange));
    assert_eq!(token.usable_until(NOW), Some(NOW.plus(300)));
    assert_eq!(token.usable_until(NOW.plus(3500)), Some(VALIDITY.expires));
}

#[test]
fn entries_start_at_the_least_significant_bit() {
    let mut list = StatusList::from_bytes(Bits::One, vec![0; 2]).unwrap();
    for index in [0, 3, 4, 5, 7, 8, 9, 13, 15] {
        list.set(index, Status::Invalid).unwrap();
    }
    assert_eq!(list.as_bytes(), [0xb9, 0xa3]);
}

#[test]
fn a_status_fits_the_bits_and_a_list_hides_its_holders() {
    let mut list = StatusList::new(Bits::One, limits::STATUS_HERD).unwrap();
    assert_eq!(list.set(0, Status::Suspended), Err(StatusError::Value));
    assert_eq!(list.set(limits::STATUS_HERD, Status::Invalid), Err(StatusError::OutOfRange));
    assert_eq!(StatusList::new(Bits::One, limits::STATUS_HERD - 1), Err(StatusError::Size));
    assert_eq!(StatusList::new(Bits::Eight, limits::STATUS_LIST + 1), Err(StatusError::Size));
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let bomb = StatusList::from_bytes(Bits::One, vec![0; limits::STATUS_LIST]).unwrap().compress().unwrap();
    assert!(StatusList::decompress(Bits::One, &bomb).is_ok());
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![0; limits::STATUS_LIST + 1]).unwrap();
    assert_eq!(StatusList::decompress(Bits::One, &encoder.finish().unwrap()), Err(StatusError::TooLong));
    assert_eq!(StatusList::from_bytes(Bits::One, vec![0; limits::STATUS_LIST + 1]), Err(StatusError::TooLong));
}

#[test]
fn a_broken_or_longer_stream_is_refused() {
    let whole = list().compress().unwrap();
    let raw = whole.get(2..whole.len() - 4).unwrap().to_vec();
    let longer = [whole.clone(), vec![0]].concat();
    let flipped =
        whole.iter().enumerate().map(|(at, byte)| if at + 1 == whole.len() { !byte } else { *byte }).collect();
    for bad in [raw, longer, flipped, whole[..whole.len() - 1].to_vec(), Vec::new()] {
        assert_eq!(StatusList::decompress(Bits::Two, &bad), Err(StatusError::Compression));
    }
}

#[test]
fn a_list_without_entries_is_refused() {
    let nothing = StatusList::from_bytes(Bits::One, Vec::new()).unwrap().compress().unwrap();
    assert_eq!(StatusList::decompress(Bits::One, &nothing), Err(StatusError::Malformed));
}

#[test]
fn each_claim_of_the_token_is_checked() {
    assert_eq!(with("sub", json!("https://issuer.example/status/2")).unwrap_err(), StatusError::Subject);
    assert_eq!(with("sub", json!("http://issuer.example/status/1")).unwrap_err(), StatusError::Subject);
    assert_eq!(with("exp", json!(NOW.0 - 30)).unwrap_err(), StatusError::Expired);
    assert_eq!(with("iat", json!(NOW.0 + 31)).unwrap_err(), StatusError::InFuture);
    for ttl in [json!(0), json!(-1), json!(1.5), json!("300")] {
        assert_eq!(with("ttl", ttl).unwrap_err(), StatusError::Malformed);
    }
    for name in ["sub", "iat", "status_list"] {
        let without = bent(|claims| {
            claims.remove(name);
        });
        assert!(matches!(verify(&without), Err(StatusError::Claim(_))), "{name}");
    }
    assert!(matches!(with("exp", json!("1")), Err(StatusError::Claim(_))));
    assert_eq!(verify(&bent(|_| ())).unwrap().usable_until(NOW), Some(NOW.plus(5)));
}

#[test]
fn each_member_of_the_list_is_checked() {
    for bits in [0, 3, 16] {
        assert_eq!(with_list(json!({"bits": bits, "lst": ""})), StatusError::Bits);
    }
    assert_eq!(with_list(json!({"bits": "1", "lst": ""})), StatusError::Malformed);
    assert_eq!(with_list(json!({"bits": 1})), StatusError::Malformed);
    assert_eq!(with_list(json!([])), StatusError::Malformed);
    assert!(matches!(with_list(json!({"bits": 1, "lst": "eNo="})), StatusError::Encoding(_)));
}

#[test]
fn another_signer_or_typ_is_refused() {
    let other = SecretKey::from_bytes(Alg::EdDsa, &[8; 32]).unwrap();
    let foreign = sign(&list(), URI, VALIDITY, KID, &other).unwrap();
    assert_eq!(verify(&foreign).unwrap_err(), StatusError::Jws(JwsError::SignatureInvalid));
    let mistyped = sign_compact(SignHeader::new("JWT"), b"{}", &key()).unwrap();
    assert_eq!(verify(&mistyped).unwrap_err(), StatusError::Jws(JwsError::TypWrong));
}

#[test]
fn a_reference_is_exact() {
    let status = json!({"status_list": {"idx": 3, "uri": URI}});
    assert_eq!(Reference::from_claim(&status), Ok(reference(3)));
    assert_eq!(json!({"status_list": reference(3)}), status);
    for bad in [
        json!({}),
        json!({"status_list": {"idx": 3}}),
        json!({"status_list": {"idx": -1, "uri": URI}}),
        json!({"status_list": {"idx": "3", "uri": URI}}),
        json!({"status_list": {"idx": 3.0, "uri": URI}}),
        json!({"status_list": {"idx": 3, "uri": ""}}),
        json!({"another_mechanism": {}}),
        json!("valid"),
    ] {
        assert_eq!(Reference::from_claim(&bad), Err(StatusError::Reference), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_set_is_got_and_nothing_else_changes(
        bits in prop::sample::select(vec![Bits::One, Bits::Two, Bits::Four, Bits::Eight]),
        before in prop::collection::vec(any::<u8>(), 1..40),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut list = StatusList::from_bytes(bits, before).unwrap();
        let old: Vec<Status> = (0..list.entries()).map(|index| list.get(index).unwrap()).collect();
        let index = at.index(list.entries());
        let value = Status::from_value(value >> (8 - bits.count()));
        list.set(index, value).unwrap();
        let list = StatusList::decompress(bits, &list.compress().unwrap()).unwrap();
        for (other, old) in old.iter().enumerate() {
            prop_assert_eq!(list.get(other), Ok(if other == index { value } else { *old }));
        }
    }
}
