//! Wycheproof `ecdsa_secp256r1_sha256_p1363_test.json`: every case as the suite says.

use conformance::{hex, json_vectors};
use identity_core::crypto::{PublicKey, Signature};

#[test]
fn ecdsa_p256_sha256_p1363() {
    let Some(suite) = json_vectors("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json") else { return };
    let (mut accepted, mut seen) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        let key = PublicKey::p256(&hex(group["publicKey"]["uncompressed"].as_str().unwrap())).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let message = hex(test["msg"].as_str().unwrap());
            // A signature that is not 64 bytes cannot even be written down as one.
            let signature = Signature::try_from(hex(test["sig"].as_str().unwrap()));
            let result = signature.is_ok_and(|signature| key.verify(&message, &signature).is_ok());
            assert_eq!(result, test["result"] == "valid", "test {}: {}", test["tcId"], test["comment"]);
            seen += 1;
            accepted += i64::from(result);
        }
    }
    assert_eq!(seen, suite["numberOfTests"].as_i64().unwrap());
    assert!(accepted > 100, "the suite has positive tests, {accepted} were accepted");
}
