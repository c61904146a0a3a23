//! JSON straight into a buffer: what is signed is written once, and never as a tree first.

use serde::Serialize;

/// Appends a value. Text, numbers, JSON values and structs of them, which is all that is handed in here, cannot
/// fail to be written, and neither can a `Vec`.
pub(crate) fn value(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let infallible = serde_json::to_writer(out, value);
    debug_assert!(infallible.is_ok());
}

/// Appends a string. Most need no escape: that is found out over the whole text at once, faster than per character.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, |found, byte| found | special(byte)) {
        return value(text, out);
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_is_written_as_serde_json_writes_it() {
        for text in ["", "plain", "样本", "a\"b", "a\\b", "a\u{0}b", "tab\t", "\u{7f}", "\u{1f}", "\u{20}"] {
            let mut out = Vec::new();
            super::text(text, &mut out);
            assert_eq!(out, serde_json::to_vec(text).unwrap());
        }
    }
}
