//! C2SP signed-note v1.0.0: text, a blank line, and signature lines; and the keys that make them.
//!
//! Not here: what the text says (`checkpoint`), and which keys are trusted (`trust_root`).

mod key;

use std::fmt;

use crate::base64;

pub(crate) use key::Claimed;
pub use key::{KeyError, KeyId, LineError, SignatureKind, VerifierKey};

/// The most signatures a note may carry. C2SP wants at least 16 accepted; a certified checkpoint of 21 validators has
/// exactly 16.
pub const MAX_SIGNATURES: usize = 16;

/// The most bytes a note may have, signatures included.
pub const MAX_BYTES: usize = 16 * 1024;

/// A note whose form is right and whose signatures nobody has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// The four bytes that tell keys of one name apart.
    pub key_id: KeyId,
    /// What follows the key id; its form depends on the kind of key. At least one byte.
    pub bytes: Vec<u8>,
}

impl Note {
    /// A note without signatures.
    ///
    /// # Errors
    /// [`NoteError::Characters`] or [`NoteError::NoFinalNewline`] unless `text` may stand in a note.
    pub fn new(text: String) -> Result<Self, NoteError> {
        if has_forbidden_characters(&text) {
            return Err(NoteError::Characters);
        }
        if !text.ends_with('\n') {
            return Err(NoteError::NoFinalNewline);
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Parses a signed note.
    ///
    /// # Errors
    /// [`NoteError`] naming the rule of the format that is broken.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        if has_forbidden_characters(note) {
            return Err(NoteError::Characters);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, signatures) = note.split_at_checked(split + 1).ok_or(NoteError::NoSignatures)?;
        let lines = signatures.strip_prefix('\n').ok_or(NoteError::NoSignatures)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoFinalNewline)?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, final newline included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] beyond [`MAX_SIGNATURES`].
    pub fn push(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    /// A plain signature line by `key` over `text`.
    ///
    /// `sign` signs bytes with the secret half of `key`.
    #[must_use]
    pub fn make(key: &VerifierKey, text: &str, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        Self { name: key.name().to_owned(), key_id: key.id(), bytes: sign(text.as_bytes()).to_vec() }
    }

    /// Parses one line, without its newline.
    ///
    /// # Errors
    /// [`NoteError::SignatureLine`] if it is not `— <key name> <base64 of key id and signature>`.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("— ").ok_or(NoteError::SignatureLine)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::SignatureLine)?;
        if !key::is_valid_name(name) {
            return Err(NoteError::SignatureLine);
        }
        let bytes = base64::decode_standard(encoded).ok_or(NoteError::SignatureLine)?;
        let (key_id, bytes) = bytes.split_first_chunk().ok_or(NoteError::SignatureLine)?;
        if bytes.is_empty() {
            return Err(NoteError::SignatureLine);
        }
        Ok(Self { name: name.to_owned(), key_id: KeyId(*key_id), bytes: bytes.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id.0[..], &self.bytes].concat();
        write!(f, "— {} {}", self.name, base64::encode_standard(&bytes))
    }
}

fn has_forbidden_characters(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}

/// Why a text is not a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_BYTES`].
    #[error("the note is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A control character other than newline.
    #[error("the note holds a control character")]
    Characters,
    /// The text or the last signature line does not end in a newline.
    #[error("the note does not end in a newline")]
    NoFinalNewline,
    /// There is no blank line before signatures.
    #[error("the note has no signatures")]
    NoSignatures,
    /// More than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// A line after the blank line is not a signature.
    #[error("a signature line of the note is malformed")]
    SignatureLine,
}

#[cfg(test)]
mod tests;
