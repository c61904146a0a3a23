//! Strict JSON (RFC 8259): what two parsers could read differently is refused.
//!
//! Refused beside plain syntax errors: a name twice in one object, nesting and sizes beyond the limits, a byte
//! order mark, lone surrogates, numbers that no 64-bit type holds, anything after the value. All of them are
//! ways to show one text to the signer and another to the reader (I-JSON, RFC 7493, says the same).

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use super::limits;
use crate::problem::Code;

mod parser;
#[cfg(test)]
mod tests;
mod typed;
pub(crate) mod write;

/// How much a text may ask of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the whole text in bytes.
    pub bytes: usize,
    /// Nesting of arrays and objects, the outermost counted as one.
    pub depth: usize,
}

impl Limits {
    /// `bytes` in length and the usual depth ([`limits::JSON_DEPTH`]).
    #[must_use]
    pub const fn of(bytes: usize) -> Self {
        Self { bytes, depth: limits::JSON_DEPTH }
    }
}

/// Why a text is not acceptable JSON. Carries no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Longer than the limit.
    #[error("JSON text is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nested deeper than the limit.
    #[error("JSON text is nested deeper than {limit}")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// One object has more members than [`limits::JSON_MEMBERS`].
    #[error("JSON object has too many members")]
    TooManyMembers,
    /// The bytes are not UTF-8.
    #[error("JSON text is not UTF-8")]
    NotUtf8,
    /// The text starts with a byte order mark.
    #[error("JSON text starts with a byte order mark")]
    ByteOrderMark,
    /// A name stands twice in one object.
    #[error("JSON object has a duplicate name (byte {at})")]
    DuplicateKey {
        /// Where the second one ends, in bytes from the start.
        at: usize,
    },
    /// `\uD800` to `\uDFFF` without its other half.
    #[error("JSON string has a lone surrogate (byte {at})")]
    LoneSurrogate {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// A raw control character, NUL included, inside a string.
    #[error("JSON string has a raw control character (byte {at})")]
    ControlCharacter {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// A number that neither a 64-bit integer nor a finite 64-bit float holds, or of absurd length.
    #[error("JSON number is out of range (byte {at})")]
    NumberOutOfRange {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// Something follows the value.
    #[error("JSON text has trailing data (byte {at})")]
    TrailingData {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// Any other breach of the grammar, an early end included.
    #[error("JSON text is malformed (byte {at})")]
    Malformed {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// Good JSON, but not of the shape that this message has.
    #[error("JSON value has an unexpected shape")]
    Shape,
}

impl JsonError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::JsonTooLarge,
            Self::TooDeep { .. } => Code::JsonTooDeep,
            Self::TooManyMembers => Code::JsonTooManyMembers,
            Self::NotUtf8 => Code::JsonNotUtf8,
            Self::ByteOrderMark => Code::JsonByteOrderMark,
            Self::DuplicateKey { .. } => Code::JsonDuplicateKey,
            Self::LoneSurrogate { .. } => Code::JsonLoneSurrogate,
            Self::ControlCharacter { .. } => Code::JsonControlCharacter,
            Self::NumberOutOfRange { .. } => Code::JsonNumberOutOfRange,
            Self::TrailingData { .. } => Code::JsonTrailingData,
            Self::Malformed { .. } => Code::JsonMalformed,
            Self::Shape => Code::JsonShape,
        }
    }
}

/// Reads one JSON value.
///
/// # Errors
/// [`JsonError`], never [`JsonError::Shape`].
pub fn parse_strict(text: &[u8], limits: Limits) -> Result<Value, JsonError> {
    parser::parse(admit(text, limits)?, limits.depth)
}

fn admit(text: &[u8], limits: Limits) -> Result<&str, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLarge { limit: limits.bytes });
    }
    let text = std::str::from_utf8(text).map_err(|_| JsonError::NotUtf8)?;
    if text.starts_with('\u{feff}') { Err(JsonError::ByteOrderMark) } else { Ok(text) }
}

/// Reads one JSON object.
///
/// # Errors
/// [`JsonError`]; [`JsonError::Shape`] if it is another kind of value.
pub fn parse_object(text: &[u8], limits: Limits) -> Result<Map<String, Value>, JsonError> {
    match parse_strict(text, limits)? {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(JsonError::Shape),
    }
}

/// Reads a typed message. The strict rules are applied before the type sees anything.
///
/// # Errors
/// [`JsonError`]; [`JsonError::Shape`] if the type refuses the value. What the type says is dropped, since it
/// would quote the input.
pub fn read<T: DeserializeOwned>(text: &[u8], limits: Limits) -> Result<T, JsonError> {
    let text = admit(text, limits)?;
    match typed::read(text, limits.depth) {
        Some(value) => Ok(value),
        None => serde_json::from_value(parser::parse(text, limits.depth)?).map_err(|_| JsonError::Shape),
    }
}
