//! Strict JSON, base64url, multibase.

use identity_core::encoding::json::{Limits, parse_strict, read};
use identity_core::encoding::{base64url as base64, limits, multibase as base58};
use serde_json::Value;

use crate::{Outcome, text};

/// What strict JSON accepts, `serde_json` reads as the same value, and so do we from its compact form.
///
/// A fraction may differ in its last place: `serde_json` reads `2e-23` as 2.0000000000000002e-23, we read the nearest.
pub fn json(data: &[u8]) -> Outcome {
    let limits = Limits::of(limits::SD_JWT);
    let parsed = parse_strict(data, limits);
    assert_eq!(read::<Value>(data, limits), parsed, "straight into a type is as through the tree");
    if let Ok(value) = &parsed {
        let peer: Value = serde_json::from_slice(data).expect("strict JSON is JSON");
        assert!(alike(value, &peer), "{value} is not {peer}");
        let written = serde_json::to_vec(value).unwrap();
        if written.len() <= limits.bytes {
            assert_eq!(parse_strict(&written, limits).as_ref(), Ok(value));
        }
    }
    Outcome::of(&parsed)
}

fn alike(ours: &Value, peer: &Value) -> bool {
    match (ours, peer) {
        (Value::Number(ours), Value::Number(peer)) if ours.is_f64() && peer.is_f64() => {
            let (ours, peer) = (ours.as_f64().unwrap(), peer.as_f64().unwrap());
            (ours - peer).abs() <= 4.0 * f64::EPSILON * ours.abs() + f64::MIN_POSITIVE
        }
        (Value::Array(ours), Value::Array(peer)) => {
            ours.len() == peer.len() && ours.iter().zip(peer).all(|(ours, peer)| alike(ours, peer))
        }
        (Value::Object(ours), Value::Object(peer)) => {
            let same = |(name, ours): (&String, &Value)| peer.get(name).is_some_and(|peer| alike(ours, peer));
            ours.len() == peer.len() && ours.iter().all(same)
        }
        (ours, peer) => ours == peer,
    }
}

/// Every text decodes to bytes that encode to the same text, or not at all.
pub fn base64url(data: &[u8]) -> Outcome {
    assert_eq!(base64::decode(base64::encode(data)).as_deref(), Ok(data));
    let decoded = base64::decode(data);
    if let Ok(bytes) = &decoded {
        assert_eq!(base64::encode(bytes).as_bytes(), data);
    }
    Outcome::of(&decoded)
}

/// As [`base64url`], for base58btc multibase.
pub fn multibase(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let decoded = base58::decode(text);
    if let Ok(bytes) = &decoded {
        assert_eq!(base58::encode(bytes), text);
    }
    Outcome::of(&decoded)
}
