//! "Integrity metadata" of W3C SRI §3, as SD-JWT VC uses it: one or more `sha256-<base64>`, parted by spaces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Whether `bytes` are the ones that `metadata` describes: one of the digests under the strongest hash named.
/// `None` if no hash we know is named.
pub(super) fn holds(metadata: &str, bytes: &[u8]) -> Option<bool> {
    let stated = |hash: &str| {
        metadata
            .split_ascii_whitespace()
            .filter_map(|expression| expression.strip_prefix(hash)?.split('?').next())
            .filter_map(|digest| STANDARD.decode(digest).ok())
            .collect::<Vec<_>>()
    };
    let is_one_of = |digests: Vec<Vec<u8>>, digest: &[u8]| {
        (!digests.is_empty()).then(|| digests.iter().any(|stated| stated == digest))
    };
    is_one_of(stated("sha512-"), &Sha512::digest(bytes))
        .or_else(|| is_one_of(stated("sha384-"), &Sha384::digest(bytes)))
        .or_else(|| is_one_of(stated("sha256-"), &Sha256::digest(bytes)))
}

/// The metadata of `bytes` under SHA-256.
pub(super) fn of(bytes: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(bytes)))
}
