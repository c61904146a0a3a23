//! A link out of a picture with a QR code: a photograph or a screenshot.
//!
//! The picture may come from a stranger. Its size is read from its header and held against the limits before anything
//! is decoded, so that a small file cannot unpack into all of the memory. Which format it is, its bytes say, not its
//! name.

use identity_core::problem::Code;
use image::{DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, Luma, imageops};
use std::{
    fs::File,
    io::{Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// Most bytes of a picture file: a telephone's photograph has 5 to 12 MB.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Most pixels: a telephone's photograph at full resolution has 12 to 50 million; ours to hold in memory at 4 bytes.
const MOST_PIXELS: u64 = 50_000_000;
/// Most bytes that decoding may take: [`MOST_PIXELS`] at 4 bytes, and what the decoder itself needs.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// The longest side looked at first: noise in a sharp photograph hides a code, and fewer pixels are read sooner.
const FIRST_LOOK: u32 = 1600;

/// Why no link was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file is missing or cannot be read.
    #[error("the picture cannot be read")]
    File,
    /// More bytes, pixels or memory than a photograph needs.
    #[error("the picture is too large")]
    TooLarge,
    /// Neither PNG nor JPEG, or damaged.
    #[error("the file is no PNG or JPEG picture that can be read")]
    Format,
    /// No code in it.
    #[error("there is no QR code in the picture")]
    NoCode,
    /// A code is there and cannot be made out.
    #[error("the QR code in the picture cannot be made out")]
    Unreadable,
    /// Codes that say different things: which one is meant is not ours to guess.
    #[error("there are several QR codes in the picture")]
    Several,
}

impl PictureError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::File => Code::WalletQrFile,
            Self::TooLarge => Code::WalletQrTooLarge,
            Self::Format => Code::WalletQrFormat,
            Self::NoCode => Code::WalletQrNone,
            Self::Unreadable => Code::WalletQrUnreadable,
            Self::Several => Code::WalletQrSeveral,
        }
    }
}

/// A link that was given as text or, failing that, in a picture.
///
/// # Errors
/// [`PictureError`].
pub(crate) fn link(text: Option<&str>, picture: Option<&Path>) -> Result<String, PictureError> {
    match (text, picture) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Some(path)) => read_code(path),
        (None, None) => Err(PictureError::NoCode),
    }
}

/// The text of the one QR code in the picture file at `path`.
///
/// # Errors
/// [`PictureError`].
pub fn read_code(path: &Path) -> Result<String, PictureError> {
    let file = File::open(path).map_err(|_| PictureError::File)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|_| PictureError::File)?;
    if u64::try_from(bytes.len()).map_or(true, |length| length > MOST_BYTES) {
        return Err(PictureError::TooLarge);
    }
    code_in(&bytes)
}

fn code_in(bytes: &[u8]) -> Result<String, PictureError> {
    let picture = on_white(&decoded(bytes)?);
    let longest = picture.width().max(picture.height());
    if longest > FIRST_LOOK {
        let scale = |side: u32| (u64::from(side) * u64::from(FIRST_LOOK) / u64::from(longest)).try_into().unwrap_or(1);
        let (width, height): (u32, u32) = (scale(picture.width()), scale(picture.height()));
        let smaller = imageops::thumbnail(&picture, width.max(1), height.max(1));
        match codes_of(&smaller) {
            // The full picture may show what the small one blurs.
            Err(PictureError::NoCode | PictureError::Unreadable) => {}
            found => return found,
        }
    }
    codes_of(&picture)
}

/// Decodes after the header's word on size was found good; the decoder is bound to it.
fn decoded(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PictureError::Format);
    if !matches!(reader()?.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(PictureError::Format);
    }
    let (width, height) = reader()?.into_dimensions().map_err(|_| PictureError::Format)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PictureError::TooLarge);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = reader()?;
    reader.limits(limits);
    reader.decode().map_err(|error| match error {
        image::ImageError::Limits(_) => PictureError::TooLarge,
        _ => PictureError::Format,
    })
}

/// Grey, and whatever is transparent white, as it is on a page.
fn on_white(picture: &DynamicImage) -> GrayImage {
    let with_alpha = picture.to_luma_alpha8();
    GrayImage::from_fn(with_alpha.width(), with_alpha.height(), |x, y| {
        let [light, alpha] = with_alpha.get_pixel(x, y).0.map(u16::from);
        let seen = (light * alpha + 255 * (255 - alpha)) / 255;
        Luma([u8::try_from(seen).unwrap_or(u8::MAX)])
    })
}

/// The one text that the codes in the picture have in common.
fn codes_of(picture: &GrayImage) -> Result<String, PictureError> {
    let (width, height) = (size(picture.width())?, size(picture.height())?);
    // A reader of strangers' pictures that trips over one must not take the wallet down with it.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let pixel = |x: usize, y: usize| picture.as_raw().get(y * width + x).copied().unwrap_or(u8::MAX);
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
        let grids = prepared.detect_grids();
        grids.iter().map(|grid| grid.decode().ok().map(|(_, text)| text)).collect::<Vec<_>>()
    }));
    let read = read.map_err(|_| PictureError::Unreadable)?;
    let mut texts: Vec<&String> = read.iter().flatten().collect();
    texts.sort();
    texts.dedup();
    match texts.as_slice() {
        [] if read.is_empty() => Err(PictureError::NoCode),
        [] => Err(PictureError::Unreadable),
        [text] => Ok((*text).clone()),
        _ => Err(PictureError::Several),
    }
}

fn size(side: u32) -> Result<usize, PictureError> {
    usize::try_from(side).map_err(|_| PictureError::TooLarge)
}

#[cfg(test)]
mod tests;
