//! The one extension that the path builder does not look at: what a leaf's key may be used for (RFC 5280 §4.2.1.3).

/// DER tags on the way to an extension.
const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const BIT_STRING: u8 = 0x03;
/// `extensions [3]` of a certificate.
const EXTENSIONS: u8 = 0xa3;

/// id-ce-keyUsage, 2.5.29.15.
const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x0f];
/// `digitalSignature (0)`, the first bit.
const DIGITAL_SIGNATURE: u8 = 0x80;

/// Whether a certificate, which is well-formed, says that its key is for signatures. One that says nothing does not.
pub(super) fn allows_signing(certificate: &[u8]) -> bool {
    usage(certificate).is_some_and(|first_byte| first_byte & DIGITAL_SIGNATURE != 0)
}

/// The first byte of the key usage bits.
fn usage(certificate: &[u8]) -> Option<u8> {
    let (_, certificate, _) = element(certificate)?;
    let (_, to_be_signed, _) = element(certificate)?;
    let extensions = find(to_be_signed, |tag, _| tag == EXTENSIONS)?;
    let (_, extensions, _) = element(extensions)?;
    let extension = find(extensions, |tag, content| {
        tag == SEQUENCE
            && element(content).is_some_and(|(tag, oid, _)| tag == OBJECT_IDENTIFIER && oid == KEY_USAGE.as_slice())
    })?;
    let value = find(extension, |tag, _| tag == OCTET_STRING)?;
    let (tag, bits, _) = element(value)?;
    // The first byte counts the bits that are not used.
    bits.get(1).copied().filter(|_| tag == BIT_STRING)
}

/// The content of the first element that fits.
fn find(mut elements: &[u8], fits: impl Fn(u8, &[u8]) -> bool) -> Option<&[u8]> {
    while let Some((tag, content, rest)) = element(elements) {
        if fits(tag, content) {
            return Some(content);
        }
        elements = rest;
    }
    None
}

/// The first element: tag, content, and what follows it. Tags of one byte and lengths below 64 KiB, as in every
/// certificate that was read before.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = match rest {
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [length, rest @ ..] if *length < 0x80 => (usize::from(*length), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}
