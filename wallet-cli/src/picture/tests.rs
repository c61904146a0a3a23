use image::{Rgba, RgbaImage};
use proptest::prelude::*;
use qrcode::{Color, QrCode};

use super::*;

const LINK: &str = "openid4vp://?client_id=decentralized_identifier%3Adid%3Axinfu%3Asample&request_uri=https%3A%2F%2Fd3.example%2Frequests%2F1";

/// Paints codes beside each other, `scale` pixels a module, on this ground.
fn painted(texts: &[&str], scale: u32, ground: Rgba<u8>) -> RgbaImage {
    let codes: Vec<QrCode> = texts.iter().map(|text| QrCode::new(text).unwrap()).collect();
    let cell = codes.iter().map(|code| u32::try_from(code.width()).unwrap()).max().unwrap_or(20) + 8;
    let count = u32::try_from(codes.len().max(1)).unwrap();
    RgbaImage::from_fn(cell * scale * count, cell * scale, |x, y| {
        let (x, y) = (x / scale, y / scale);
        let dark = codes.get(usize::try_from(x / cell).unwrap()).is_some_and(|code| {
            let (x, y) = ((x % cell).checked_sub(4), y.checked_sub(4));
            let width = u32::try_from(code.width()).unwrap();
            let inside =
                |side: Option<u32>| side.filter(|side| *side < width).map(|side| usize::try_from(side).unwrap());
            matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
        });
        if dark { Rgba([0, 0, 0, 255]) } else { ground }
    })
}

const WHITE: Rgba<u8> = Rgba([255, 255, 255, 255]);

fn encoded(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = DynamicImage::ImageRgba8(picture.clone());
    let picture = if format == ImageFormat::Jpeg { DynamicImage::ImageRgb8(picture.to_rgb8()) } else { picture };
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

#[test]
fn a_code_is_read_from_both_formats_in_any_size() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        for scale in [3, 8, 24] {
            let bytes = encoded(&painted(&[LINK], scale, WHITE), format);
            assert_eq!(code_in(&bytes).as_deref(), Ok(LINK), "{format:?} at {scale}");
        }
    }
    let transparent = encoded(&painted(&[LINK], 6, Rgba([0, 0, 0, 0])), ImageFormat::Png);
    assert_eq!(code_in(&transparent).as_deref(), Ok(LINK));
}

#[test]
fn which_of_several_codes_is_meant_is_not_guessed() {
    let twice = encoded(&painted(&[LINK, LINK], 6, WHITE), ImageFormat::Png);
    assert_eq!(code_in(&twice).as_deref(), Ok(LINK));
    let different = encoded(&painted(&[LINK, "openid4vp://?another"], 6, WHITE), ImageFormat::Png);
    assert_eq!(code_in(&different), Err(PictureError::Several));
}

#[test]
fn what_is_no_code_or_no_picture_is_named() {
    assert_eq!(code_in(&encoded(&painted(&[], 6, WHITE), ImageFormat::Png)), Err(PictureError::NoCode));
    for bytes in [b"".as_slice(), b"GIF89a garbage", b"<svg/>", b"\x89PNG\r\n\x1a\nnothing follows"] {
        assert_eq!(code_in(bytes), Err(PictureError::Format));
    }
    let whole = encoded(&painted(&[LINK], 6, WHITE), ImageFormat::Png);
    assert_eq!(code_in(whole.get(..whole.len() / 2).unwrap()), Err(PictureError::Format));
    assert_eq!(read_code(Path::new("/nonexistent/x.png")), Err(PictureError::File));
}

/// A PNG of 60,000 × 60,000 pixels in some dozen bytes of header: refused before a pixel of it is unpacked.
#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut bytes = encoded(&painted(&[], 1, WHITE), ImageFormat::Png);
    let (width, crc) = (16..24, 29..33);
    bytes.get_mut(width).unwrap().copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let sum = crc32(bytes.get(12..29).unwrap());
    bytes.get_mut(crc).unwrap().copy_from_slice(&sum.to_be_bytes());
    assert_eq!(code_in(&bytes), Err(PictureError::TooLarge));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.png");
    std::fs::File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
    assert_eq!(read_code(&path), Err(PictureError::TooLarge));
}

/// CRC-32 of a PNG chunk, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Smeared codes are read or refused by name, and never bring the wallet down.
    #[test]
    fn a_smeared_code_is_no_accident(blots in proptest::collection::vec((0_u32..400, 0_u32..400, 1_u32..60, any::<u8>()), 0..12)) {
        let mut picture = painted(&[LINK], 6, WHITE);
        for (left, top, side, shade) in blots {
            for (x, y) in (left..left + side).flat_map(|x| (top..top + side).map(move |y| (x, y))) {
                if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
                    *pixel = Rgba([shade, shade, shade, 255]);
                }
            }
        }
        match code_in(&encoded(&picture, ImageFormat::Png)) {
            Ok(text) => prop_assert_eq!(text, LINK),
            Err(error) => prop_assert!(matches!(error, PictureError::NoCode | PictureError::Unreadable)),
        }
    }
}
