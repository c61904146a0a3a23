//! Files that end with the digest of everything before it: one JSON object whose last member is `sha256`, and a line feed.
//!
//! The digest shows a file that was damaged. It proves nothing, since whoever changes the file can make it anew.

use ledger::{Hash, sha256};

/// What stands before the digest.
const MEMBER: &str = r#","sha256":""#;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Too long, or no such file.
    Malformed,
    /// Another one than was written.
    Changed,
}

/// The file of a JSON object that is not empty.
pub(crate) fn close(mut object: String) -> String {
    object.pop();
    let digest = sha256(object.as_bytes()).to_base64url();
    format!("{object}{MEMBER}{digest}\"}}\n")
}

/// The JSON object of a file of at most `most` bytes.
pub(crate) fn open(bytes: &[u8], most: usize) -> Result<String, Damage> {
    if bytes.len() > most {
        return Err(Damage::Malformed);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Damage::Malformed)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (object, digest) = text.rsplit_once(MEMBER).ok_or(Damage::Malformed)?;
    let digest = digest.strip_suffix("\"}").and_then(|digest| Hash::from_base64url(digest).ok());
    match digest {
        None => Err(Damage::Malformed),
        Some(digest) if digest != sha256(object.as_bytes()) => Err(Damage::Changed),
        Some(_) => {
            let mut json = String::with_capacity(object.len().saturating_add(1));
            json.push_str(object);
            json.push('}');
            Ok(json)
        }
    }
}
