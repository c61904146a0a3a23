//! JSON Web Signatures, encryption and keys.

use identity_core::crypto::{Alg, PublicKey, SecretKey, Signer as _};
use identity_core::encoding::base64url;
use identity_core::jose::jwe::{self, DecryptionKey, Enc};
use identity_core::jose::{ExpectedTyp, Jwk, SignHeader, UnverifiedJws, sign_compact};

use crate::{Outcome, text};

/// A compact JWS is made of its parts and nothing else; nobody's signature verifies under a key that never signed.
pub fn jws(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let signed = sign_compact(SignHeader::new("fuzz").kid("#k"), data, &key(Alg::EdDsa)).unwrap();
    let verified = UnverifiedJws::parse(&signed).ok().map(|jws| verify(jws, &key(Alg::EdDsa)));
    assert!(verified.is_none_or(|verified| verified.as_deref() == Some(data)), "our own signature must verify");

    let parsed = UnverifiedJws::parse(text);
    if let Ok(jws) = &parsed {
        assert_eq!(jws.compact(), text);
        assert!(text.starts_with(jws.signing_input()));
        for alg in Alg::ALL {
            assert_eq!(verify(jws.clone(), &key(*alg)), None);
        }
        let _ = (jws.header().kid(), jws.header().proof_jwk(), jws.header().typ());
    }
    Outcome::of(&parsed)
}

fn verify(jws: UnverifiedJws<'_>, key: &SecretKey) -> Option<Vec<u8>> {
    jws.verify(key.public_key(), ExpectedTyp::Exactly("fuzz")).ok().map(|jws| jws.payload().to_vec())
}

fn key(alg: Alg) -> SecretKey {
    SecretKey::from_bytes(alg, &[0x5a; 32]).unwrap()
}

/// A compact JWE from a stranger, with the protected header before the first line feed written in clear, which no
/// mutation of base64url would reach; and the content that we encrypt ourselves comes back.
pub fn jwe(data: &[u8]) -> Outcome {
    let key = DecryptionKey::from_bytes(&[0x5a; 32]).unwrap();
    let whole = jwe::encrypt(data, key.public(), Enc::A128Gcm).unwrap();
    assert_eq!(jwe::decrypt(&whole, &key, whole.len()).as_deref().map(Vec::as_slice), Ok(data));
    let Some(text) = text(data) else { return Outcome::Refused };
    let rest = whole.split_once('.').map_or("", |(_, rest)| rest);
    let compact = match text.split_once('\n') {
        Some((header, "$REST")) => format!("{}.{rest}", base64url::encode(header.as_bytes())),
        Some((header, rest)) => format!("{}.{rest}", base64url::encode(header.as_bytes())),
        None => text.replace("$WHOLE", &whole),
    };
    let opened = jwe::decrypt(&compact, &key, compact.len());
    // The key is known to whoever reads this file, but no mutation finds a tag of AES-GCM.
    assert!(opened.is_err() || text.contains("$WHOLE"), "nobody encrypted this");
    Outcome::of(&opened)
}

/// A JWK reads the same when written down again, and its thumbprint depends on the key alone.
pub fn jwk(data: &[u8]) -> Outcome {
    let Ok(value) = serde_json::from_slice(data) else { return Outcome::Refused };
    let parsed = Jwk::from_value(&value);
    if let Ok(jwk) = &parsed {
        assert_eq!(Jwk::from_value(&jwk.to_json()).as_ref(), Ok(jwk));
        assert_eq!(Jwk::new(jwk.key().clone()).thumbprint(), jwk.thumbprint());
        let again = match jwk.key().alg() {
            Alg::EdDsa => PublicKey::ed25519(jwk.key().bytes().try_into().unwrap()),
            Alg::Es256 => PublicKey::p256(jwk.key().bytes()),
        };
        assert_eq!(again.as_ref(), Ok(jwk.key()));
    }
    Outcome::of(&parsed)
}
