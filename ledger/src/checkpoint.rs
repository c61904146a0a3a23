//! C2SP tlog-checkpoint v1.0.0: origin, size and root of a log, as the text of a signed note.
//!
//! Ours carry no extension lines: nobody could audit them.

use crate::hash::Hash;
use crate::note::{Note, NoteError, NoteSignature, SignatureKind, VerifierKey};

/// What a log was at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's identity: `xinfu/<chain>/<hex SHA-256 of the genesis file>`.
    pub origin: String,
    /// How many leaves it had.
    pub size: u64,
    /// Root of its RFC 6962 tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The text of the note: three lines, each ending in a newline.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Parses the text of a note.
    ///
    /// # Errors
    /// [`CheckpointError`] unless it is exactly origin, size and root.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Lines);
        };
        if lines.next().is_some() {
            return Err(CheckpointError::ExtensionLines);
        }
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: parse_decimal(size).ok_or(CheckpointError::Size)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointError::Root)?,
        })
    }

    /// A log's own signature line. `sign` signs bytes with the secret half of `key`.
    ///
    /// # Errors
    /// [`SignError`] unless `key` signs notes and its name is the origin.
    pub fn sign(&self, key: &VerifierKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<NoteSignature, SignError> {
        if key.kind() != SignatureKind::Ed25519 {
            return Err(SignError::Kind);
        }
        if key.name() != self.origin {
            return Err(SignError::Name);
        }
        Ok(NoteSignature::make(key, &self.to_text(), sign))
    }

    /// The note with these signature lines, in this order: the log's first, then the cosignatures.
    ///
    /// # Errors
    /// [`NoteError`] if the origin may not stand in a note or there are too many signatures.
    pub fn to_note(&self, signatures: impl IntoIterator<Item = NoteSignature>) -> Result<Note, NoteError> {
        let mut note = Note::new(self.to_text())?;
        signatures.into_iter().try_for_each(|signature| note.push(signature))?;
        Ok(note)
    }
}

/// A decimal number in its one spelling: digits only, no leading zero unless it is `0`.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

/// Why a note's text is not a checkpoint of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines.
    #[error("the checkpoint does not have three lines")]
    Lines,
    /// More than three lines.
    #[error("the checkpoint has extension lines")]
    ExtensionLines,
    /// The origin is empty.
    #[error("the checkpoint's origin is empty")]
    Origin,
    /// The size is not a decimal number below 2^64 in its one spelling.
    #[error("the checkpoint's size is not a number in its one spelling")]
    Size,
    /// The root is not base64 of 32 bytes.
    #[error("the checkpoint's root is not a digest")]
    Root,
}

/// Why a key cannot sign a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key is of the other kind.
    #[error("the key's signature type is not the one asked for")]
    Kind,
    /// The name of a log's key is the origin, and this one is not.
    #[error("the key's name is not the checkpoint's origin")]
    Name,
    /// A cosignature cannot state a time beyond 2^63 - 1.
    #[error("the time does not fit a cosignature")]
    Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_text_of_the_specification_is_read_and_written() {
        let checkpoint = Checkpoint::parse_text(TEXT).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_text(), TEXT);
    }

    #[test]
    fn other_forms_are_refused() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for (text, error) in [
            (String::new(), CheckpointError::Lines),
            (format!("o\n1\n{root}"), CheckpointError::Lines),
            ("o\n1\n".to_owned(), CheckpointError::Lines),
            (format!("o\n1\n{root}\nmore\n"), CheckpointError::ExtensionLines),
            (format!("o\n1\n{root}\n\n"), CheckpointError::ExtensionLines),
            (format!("\n1\n{root}\n"), CheckpointError::Origin),
            (format!("o\n01\n{root}\n"), CheckpointError::Size),
            (format!("o\n+1\n{root}\n"), CheckpointError::Size),
            (format!("o\n-1\n{root}\n"), CheckpointError::Size),
            (format!("o\n\n{root}\n"), CheckpointError::Size),
            (format!("o\n18446744073709551616\n{root}\n"), CheckpointError::Size),
            ("o\n1\nAAAA\n".to_owned(), CheckpointError::Root),
            (format!("o\n1\n{}\n", root.replace("I=", "J=")), CheckpointError::Root),
        ] {
            assert_eq!(Checkpoint::parse_text(&text), Err(error), "{text:?}");
        }
    }
}
