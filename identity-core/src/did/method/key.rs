//! `did:key` (W3C CCG draft): the DID is the key, multicodec-prefixed, in multibase base58btc.

use crate::crypto::PublicKey;
use crate::did::{Did, DidError, DidUrl, Document, Relationship, VerificationMethod};
use crate::encoding::multibase;
use crate::jose::Jwk;

/// The method's name.
pub const NAME: &str = "key";

/// Multicodec `ed25519-pub` (0xed) as a varint.
const ED25519: [u8; 2] = [0xed, 0x01];
/// Multicodec `p256-pub` (0x1200) as a varint; the key follows in SEC 1 compressed form.
const P256: [u8; 2] = [0x80, 0x24];

/// The DID of a key.
///
/// # Errors
/// None for a key of ours; the signature says so because a [`Did`] is only made by checked parsing.
pub fn did_of(key: &PublicKey) -> Result<Did, DidError> {
    let bytes = match key {
        PublicKey::Ed25519(key) => [&ED25519, key.as_bytes().as_slice()].concat(),
        PublicKey::P256(point) => [&P256, point.compressed().as_slice()].concat(),
    };
    Did::parse(format!("did:{NAME}:{}", multibase::encode(&bytes)))
}

/// The document that a `did:key` stands for.
///
/// # Errors
/// [`DidError`] for other methods and for keys that are not ours.
pub fn document(did: &Did) -> Result<Document, DidError> {
    if did.method() != NAME {
        return Err(DidError::UnsupportedMethod);
    }
    let key = key_of(&multibase::decode(did.id()).map_err(DidError::Multibase)?)?;
    let id = DidUrl::new(did.clone(), did.id())?;
    let method = VerificationMethod::new(id, Jwk::new(key), Relationship::ALL.to_vec());
    Ok(Document::new(did.clone(), vec![method], Vec::new()))
}

fn key_of(bytes: &[u8]) -> Result<PublicKey, DidError> {
    let (codec, key) = bytes.split_first_chunk::<2>().ok_or(DidError::UnsupportedKey)?;
    match *codec {
        ED25519 => {
            let key = key.try_into().map_err(|_| DidError::Key(crate::crypto::KeyError::Length))?;
            PublicKey::ed25519(key).map_err(DidError::Key)
        }
        // Only the compressed form: one key, one DID.
        P256 if key.len() == 33 => PublicKey::p256(key).map_err(DidError::Key),
        P256 => Err(DidError::Key(crate::crypto::KeyError::Length)),
        _ => Err(DidError::UnsupportedKey),
    }
}

#[cfg(test)]
mod tests {
    use super::{did_of, document};
    use crate::crypto::{Alg, KeyError, SecretKey, Signer as _};
    use crate::did::{Did, DidError};
    use crate::encoding::{base64url, multibase};

    /// The five Ed25519 vectors of the method's test suite: seed 0 to 4.
    const ED25519_BY_SEED: [&str; 5] = [
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
        "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
        "did:key:z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ",
        "did:key:z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL",
    ];

    /// The two P-256 vectors of the method's test suite: DID, `x`, `d`.
    const P256: [[&str; 3]; 2] = [
        [
            "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
            "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns",
            "gPh-VvVS8MbvKQ9LSVVmfnxnKjHn4Tqj0bmbpehRlpc",
        ],
        [
            "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
            "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI",
            "YjRs6vNvw4sYrzVVY8ipkEpDAD9PFqw1sUnvPRMA-WI",
        ],
    ];

    #[test]
    fn published_ed25519_vectors_hold_both_ways() {
        for (seed, expected) in (0_u8..).zip(ED25519_BY_SEED) {
            let mut bytes = [0; 32];
            bytes[31] = seed;
            let key = SecretKey::from_bytes(Alg::EdDsa, &bytes).unwrap();
            let did = did_of(key.public_key()).unwrap();
            assert_eq!(did.as_str(), expected);
            assert_eq!(document(&did).unwrap().methods()[0].jwk().key(), key.public_key());
        }
    }

    #[test]
    fn published_p256_vectors_hold_both_ways() {
        for [expected, x, d] in P256 {
            let key = SecretKey::from_bytes(Alg::Es256, &base64url::decode_array(d).unwrap()).unwrap();
            let did = did_of(key.public_key()).unwrap();
            assert_eq!(did.as_str(), expected);
            let found = document(&did).unwrap();
            assert_eq!(found.methods()[0].jwk().to_json()["x"], x);
            assert_eq!(found.methods()[0].jwk().key(), key.public_key());
        }
    }

    #[test]
    fn other_keys_and_spellings_are_refused() {
        let refusal = |bytes: &[u8]| {
            let did = Did::parse(format!("did:key:{}", multibase::encode(bytes))).unwrap();
            document(&did).expect_err("must be refused")
        };
        assert_eq!(refusal(&[0xed]), DidError::UnsupportedKey);
        assert_eq!(refusal(&[&[0xec, 0x01], [9; 32].as_slice()].concat()), DidError::UnsupportedKey);
        assert_eq!(refusal(&[&[0xed, 0x01], [9; 31].as_slice()].concat()), DidError::Key(KeyError::Length));
        assert_eq!(refusal(&[&[0xed, 0x01], [0; 32].as_slice()].concat()), DidError::Key(KeyError::NotOnCurve));
        let key = SecretKey::from_bytes(Alg::Es256, &[9; 32]).unwrap();
        let uncompressed = [&[0x80, 0x24], key.public_key().bytes()].concat();
        assert_eq!(refusal(&uncompressed), DidError::Key(KeyError::Length));
        let padded = Did::parse("did:key:u7QEJ").unwrap();
        assert!(matches!(document(&padded), Err(DidError::Multibase(_))));
    }
}
