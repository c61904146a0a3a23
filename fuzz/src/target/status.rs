//! Token status lists.

use identity_core::crypto::Signer as _;
use identity_core::encoding::limits;
use identity_core::jose::{SignHeader, sign_compact};
use identity_core::sample::parties::key;
use identity_core::status::{Bits, Reference, StatusList, StatusListToken};
use identity_core::time::UnixSeconds;

use crate::Outcome;

const URI: &str = "https://issuer.example/status/1";
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// The first byte says how wide an entry is; the rest is what an issuer compressed, or a bomb.
pub fn list(data: &[u8]) -> Outcome {
    let Some((first, compressed)) = data.split_first() else { return Outcome::Refused };
    let Some(bits) = Bits::from_count(u64::from(*first)) else { return Outcome::Refused };
    let opened = StatusList::decompress(bits, compressed);
    if let Ok(list) = &opened {
        assert!(list.as_bytes().len() <= limits::STATUS_LIST);
        assert!(list.get(list.entries()).is_err() && list.entries() > 0);
        let _ = list.get(list.entries() - 1).expect("the last entry");
        let again = StatusList::decompress(bits, &list.compress().unwrap()).expect("our own compression");
        assert_eq!(again.as_bytes(), list.as_bytes());
    }
    Outcome::of(&opened)
}

/// The claims of a list that the issuer signed.
pub fn token(data: &[u8]) -> Outcome {
    let signer = key(31, 1);
    let token = sign_compact(SignHeader::new("statuslist+jwt"), data, &signer).unwrap();
    let reference = Reference { index: 0, uri: URI.to_owned() };
    let verified = StatusListToken::verify(&token, signer.public_key(), &reference, NOW, 30);
    if let Ok(token) = &verified {
        assert!(token.issued_at() <= NOW.plus(30));
        assert!(token.usable_until(NOW).is_none_or(|until| until > NOW.plus(-30)));
        assert!(
            StatusListToken::verify(
                &sign_compact(SignHeader::new("statuslist+jwt"), data, &key(33, 1)).unwrap(),
                signer.public_key(),
                &reference,
                NOW,
                30
            )
            .is_err()
        );
    }
    Outcome::of(&verified)
}
