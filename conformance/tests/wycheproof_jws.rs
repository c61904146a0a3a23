//! Wycheproof `json_web_signature_test.json`: what we support must verify, everything else must be refused.
//!
//! The suite speaks of JWS in general. Where we are stricter the case is listed here with its reason, and an
//! unexpected acceptance fails as well as an unexpected refusal.

use conformance::json_vectors;
use identity_core::jose::{ExpectedTyp, Jwk, UnverifiedJws};
use serde_json::{Map, Value};

/// The algorithm is none of ours, so even valid tokens are refused.
fn is_foreign(key: &Map<String, Value>) -> bool {
    key.get("crv").and_then(Value::as_str) != Some("P-256")
}

fn public_part(key: &Map<String, Value>) -> Value {
    Value::Object(key.iter().filter(|(name, _)| *name != "d").map(|(n, v)| (n.clone(), v.clone())).collect())
}

fn accepts(key: &Value, jws: &str) -> bool {
    let Ok(jwk) = Jwk::from_value(key) else { return false };
    UnverifiedJws::parse(jws).is_ok_and(|jws| jws.verify(jwk.key(), ExpectedTyp::DangerousAny).is_ok())
}

#[test]
fn json_web_signatures() {
    let Some(suite) = json_vectors("wycheproof/json_web_signature_test.json") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        let key = group.get("private").or(group.get("public")).and_then(Value::as_object).unwrap();
        for test in group["tests"].as_array().unwrap() {
            // Members of the JSON serialization stand as objects; we read the compact one only.
            let jws = test["jws"].as_str().unwrap_or("{}");
            let expected = test["result"] == "valid" && !is_foreign(key);
            let result = accepts(&public_part(key), jws);
            assert_eq!(result, expected, "test {}: {}", test["tcId"], test["comment"]);
            if result { accepted += 1 } else { refused += 1 }
        }
    }
    assert_eq!(accepted + refused, suite["numberOfTests"].as_i64().unwrap());
    assert_eq!(accepted, 2, "both positive ES256 tests are there");
}
