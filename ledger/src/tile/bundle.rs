//! Entry bundles: each entry behind its length as two bytes, big-endian.

use super::WIDTH;

/// The most bytes of one entry in a bundle.
pub const MAX_ENTRY: usize = 0xffff;

/// Appends `entry` to a bundle.
///
/// # Errors
/// [`BundleError::EntryTooLong`] beyond [`MAX_ENTRY`]; the bundle is unchanged then.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, in their order.
///
/// # Errors
/// [`BundleError`] if a length reaches beyond the end, or there is no entry or more than 256.
pub fn read_bundle(bundle: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        if entries.len() == usize::from(WIDTH) {
            return Err(BundleError::Width);
        }
        let (length, after) = rest.split_first_chunk().ok_or(BundleError::Truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(BundleError::Truncated)?;
        entries.push(entry);
        rest = after;
    }
    if entries.is_empty() { Err(BundleError::Width) } else { Ok(entries) }
}

/// Why bytes are not an entry bundle, or an entry fits in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The entry has more than [`MAX_ENTRY`] bytes.
    #[error("the entry is longer than {MAX_ENTRY} bytes")]
    EntryTooLong,
    /// The bundle ends inside an entry.
    #[error("the entry bundle ends inside an entry")]
    Truncated,
    /// A bundle has 1 to 256 entries.
    #[error("the entry bundle does not hold 1 to 256 entries")]
    Width,
}
