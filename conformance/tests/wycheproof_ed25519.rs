//! Wycheproof's Ed25519 signatures, good and bad.

use conformance::{hex, json_vectors};
use ledger::ed25519::PublicKey;

#[test]
fn every_signature_is_judged_as_its_authors_say() {
    let Some(suite) = json_vectors("wycheproof/ed25519_test.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        let key = hex(group["publicKey"]["pk"].as_str().unwrap());
        let key = PublicKey::from_bytes(&key.try_into().unwrap());
        for test in group["tests"].as_array().unwrap() {
            let (message, signature) = (hex(test["msg"].as_str().unwrap()), hex(test["sig"].as_str().unwrap()));
            // A signature of another length cannot be expressed to us.
            let signature = <[u8; 64]>::try_from(signature).ok();
            let accepted = match (&key, signature) {
                (Ok(key), Some(signature)) => key.verify(&message, &signature).is_ok(),
                _ => false,
            };
            let expected = test["result"] == "valid";
            assert_eq!(accepted, expected, "case {}: {}", test["tcId"], test["comment"]);
            if expected { valid += 1 } else { invalid += 1 }
        }
    }
    assert_eq!(valid + invalid, suite["numberOfTests"].as_u64().unwrap());
    assert!(valid > 50 && invalid > 50, "{valid} valid and {invalid} invalid cases");
}
