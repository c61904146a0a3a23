//! Seals: the log entry that ends each block, as one line of JSON in its one spelling.

use serde::Deserialize;

use crate::hash::Hash;

/// The most bytes of a seal.
pub const MAX_BYTES: usize = 1024;

/// The largest number a seal holds, 2^53 - 1: beyond it, JSON readers disagree.
const MAX_NUMBER: u64 = 0x1f_ffff_ffff_ffff;

/// What a block leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Number of the block; 0 is genesis.
    pub height: u64,
    /// The block's time in milliseconds since the epoch, later than the seal before.
    pub time: u64,
    /// Root of the state tree after the block.
    pub state: Hash,
    /// SHA-256 of the policy file of the validators in force after this seal.
    pub policy: Hash,
}

impl Seal {
    /// The log entry: no newline at its end.
    ///
    /// ```
    /// use ledger::{Seal, sha256};
    ///
    /// let seal = Seal { height: 7, time: 1_790_000_000_000, state: sha256(b"state"), policy: sha256(b"policy") };
    /// assert!(seal.to_line().starts_with(r#"{"type":"xinfu-seal","height":7,"time":1790000000000,"state":""#));
    /// assert_eq!(Seal::parse(seal.to_line().as_bytes()), Ok(seal));
    /// ```
    #[must_use]
    pub fn to_line(&self) -> String {
        format!(
            r#"{{"type":"xinfu-seal","height":{},"time":{},"state":"{}","policy":"{}"}}"#,
            self.height,
            self.time,
            self.state.to_base64url(),
            self.policy.to_base64url(),
        )
    }

    /// Parses a log entry.
    ///
    /// # Errors
    /// [`SealError`] unless the bytes are exactly what [`Self::to_line`] writes.
    pub fn parse(entry: &[u8]) -> Result<Self, SealError> {
        if entry.len() > MAX_BYTES {
            return Err(SealError::TooLong);
        }
        let Fields { height, time, state, policy, .. } =
            serde_json::from_slice(entry).map_err(|_| SealError::Malformed)?;
        let seal = Self { height, time, state, policy };
        if height > MAX_NUMBER || time > MAX_NUMBER {
            return Err(SealError::Number);
        }
        // The JSON reader is lenient about order, spaces and escapes; a seal has one spelling.
        if seal.to_line().as_bytes() == entry { Ok(seal) } else { Err(SealError::OtherSpelling) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "type")]
    _type: String,
    height: u64,
    time: u64,
    state: Hash,
    policy: Hash,
}

/// Why a log entry is not a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than [`MAX_BYTES`].
    #[error("the seal is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not a JSON object with the members of a seal.
    #[error("the entry is not a seal")]
    Malformed,
    /// Height or time exceeds 2^53 - 1.
    #[error("a number in the seal is too large")]
    Number,
    /// The members are there, but the bytes are not the seal's one spelling, or the type is another.
    #[error("the seal is not in its one spelling")]
    OtherSpelling,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256;

    #[test]
    fn other_spellings_are_refused() {
        let seal = Seal { height: 1, time: 2, state: sha256(b"s"), policy: sha256(b"p") };
        let line = seal.to_line();
        for (bytes, error) in [
            (format!("{line}\n"), SealError::OtherSpelling),
            (line.replace("\"height\":1", "\"height\": 1"), SealError::OtherSpelling),
            (line.replace("xinfu-seal", "xinfu-sea1"), SealError::OtherSpelling),
            (line.replace("xinfu-seal", "xinfu\\u002dseal"), SealError::OtherSpelling),
            (line.replace("\"height\":1,\"time\":2", "\"time\":2,\"height\":1"), SealError::OtherSpelling),
            (line.replace("\"height\":1", "\"height\":1,\"height\":1"), SealError::Malformed),
            (line.replace("\"height\":1", "\"height\":1.0"), SealError::Malformed),
            (line.replace("\"height\":1", "\"height\":-1"), SealError::Malformed),
            (line.replace("\"height\":1,", ""), SealError::Malformed),
            (line.replace("\"height\":1", "\"height\":1,\"more\":1"), SealError::Malformed),
            (line.replace("\"height\":1", "\"height\":9007199254740992"), SealError::Number),
            (line.replace("\"time\":2", "\"time\":9007199254740992"), SealError::Number),
            (format!("{line}{}", " ".repeat(MAX_BYTES - line.len())), SealError::OtherSpelling),
            (format!("{line}{}", " ".repeat(MAX_BYTES + 1 - line.len())), SealError::TooLong),
        ] {
            assert_eq!(Seal::parse(bytes.as_bytes()), Err(error), "{bytes}");
        }
    }

    #[test]
    fn the_largest_numbers_are_read() {
        let seal = Seal { height: MAX_NUMBER, time: MAX_NUMBER, state: sha256(b"s"), policy: sha256(b"p") };
        assert_eq!(Seal::parse(seal.to_line().as_bytes()), Ok(seal));
    }
}
