//! C2SP tlog-cosignature `cosignature/v1` (type `0x04`): a timestamped Ed25519 signature of a checkpoint.
//!
//! It says: at this time, the largest consistent tree of this log that the cosigner has seen is this one.

use crate::checkpoint::{Checkpoint, SignError};
use crate::ed25519::{PublicKey, SIGNATURE_LENGTH, SignatureError};
use crate::note::{NoteSignature, SignatureKind, VerifierKey};

/// The latest time a cosignature may state.
const MAX_TIME: u64 = 0x7fff_ffff_ffff_ffff;

/// Makes a cosignature line by `key` at `time`, in seconds since the epoch. `sign` signs bytes with the secret half of
/// `key`.
///
/// # Errors
/// [`SignError`] unless `key` makes cosignatures and the time is at most 2^63 - 1.
pub fn cosign(
    checkpoint: &Checkpoint,
    key: &VerifierKey,
    time: u64,
    sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LENGTH],
) -> Result<NoteSignature, SignError> {
    if key.kind() != SignatureKind::CosignatureV1 {
        return Err(SignError::Kind);
    }
    if time > MAX_TIME {
        return Err(SignError::Time);
    }
    let signature = sign(message(time, &checkpoint.to_text()).as_bytes());
    let bytes = [&time.to_be_bytes()[..], &signature[..]].concat();
    Ok(NoteSignature { name: key.name().to_owned(), key_id: key.id(), bytes })
}

/// Verifies the `bytes` of a signature line and returns the time that they state, in seconds since the epoch.
pub(crate) fn verify(key: &PublicKey, text: &str, bytes: &[u8]) -> Result<u64, CosignatureError> {
    let (time, signature) = read(bytes)?;
    key.verify(message(time, text).as_bytes(), signature)?;
    Ok(time)
}

/// Time and signature.
pub(crate) fn read(bytes: &[u8]) -> Result<(u64, &[u8; SIGNATURE_LENGTH]), CosignatureError> {
    let (time, signature) = bytes.split_first_chunk().ok_or(CosignatureError::Length)?;
    let signature = signature.try_into().map_err(|_| CosignatureError::Length)?;
    let time = u64::from_be_bytes(*time);
    if time > MAX_TIME { Err(CosignatureError::Time) } else { Ok((time, signature)) }
}

/// What is signed.
pub(crate) fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Why bytes are not a cosignature of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// Not eight bytes of time and 64 of signature.
    #[error("the cosignature does not have 72 bytes")]
    Length,
    /// The time exceeds 2^63 - 1.
    #[error("the cosignature states an impossible time")]
    Time,
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    #[test]
    fn the_signed_message_is_that_of_the_specification() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(message(1_679_315_147, text), format!("cosignature/v1\ntime 1679315147\n{text}"));
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "o".into(), size: 1, root: crate::sha256(b"") }
    }

    fn cosigned_at(time: u64) -> (PublicKey, Result<NoteSignature, SignError>) {
        let secret = SigningKey::from_bytes(&[3; 32]);
        let public = PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
        let key = VerifierKey::new("witness", SignatureKind::CosignatureV1, public).unwrap();
        (public, cosign(&checkpoint(), &key, time, |message| secret.sign(message).to_bytes()))
    }

    #[test]
    fn a_cosignature_gives_its_time_and_fits_its_text_only() {
        let (checkpoint, (public, line)) = (checkpoint(), cosigned_at(77));
        let line = line.unwrap();
        assert_eq!(verify(&public, &checkpoint.to_text(), &line.bytes), Ok(77));
        assert!(matches!(verify(&public, "other\n", &line.bytes), Err(CosignatureError::Signature(_))));
        assert_eq!(verify(&public, &checkpoint.to_text(), &line.bytes[1..]), Err(CosignatureError::Length));
        let mut negative = line.bytes;
        negative[0] = 0x80;
        assert_eq!(verify(&public, &checkpoint.to_text(), &negative), Err(CosignatureError::Time));
    }

    #[test]
    fn the_latest_time_is_cosigned_and_none_after_it() {
        let (public, line) = cosigned_at(MAX_TIME);
        assert_eq!(verify(&public, &checkpoint().to_text(), &line.unwrap().bytes), Ok(MAX_TIME));
        for time in [MAX_TIME + 1, u64::MAX] {
            assert_eq!(cosigned_at(time).1, Err(SignError::Time));
        }
    }
}
