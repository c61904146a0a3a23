//! A link as a QR code: a picture for a page, or drawn in characters for whoever sits at a terminal.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::ACCEPT;
use qrcode::render::svg;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code that readers look for (ISO/IEC 18004).
const QUIET: usize = 4;

/// Black on white whatever the terminal's own colours are, and back: a code in the colours of a dark terminal is
/// inverted, and many readers do not see it.
const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const AS_BEFORE: &str = "\u{1b}[0m";

/// The code in SVG.
///
/// # Errors
/// A text longer than a code holds: 2 953 bytes.
pub fn svg(text: &str) -> Result<String, QrError> {
    let code = QrCode::new(text)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(256, 256).build())
}

/// The code in characters, two modules in each. Of the lowest redundancy, since nothing smears a screen, and so that
/// our links fit into 80 columns.
///
/// # Errors
/// A text longer than a code holds: 2 953 bytes.
pub fn drawn(text: &str) -> Result<String, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    let colors = code.to_colors();
    let (width, whole) = (code.width(), code.width() + 2 * QUIET);
    let is_dark = |x: usize, y: usize| {
        let place = x.checked_sub(QUIET).zip(y.checked_sub(QUIET)).filter(|(x, y)| *x < width && *y < width);
        place.and_then(|(x, y)| colors.get(y * width + x)) == Some(&Color::Dark)
    };
    let mut drawing = String::new();
    for y in (0..whole).step_by(2) {
        drawing.push_str(BLACK_ON_WHITE);
        drawing.extend((0..whole).map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        drawing.push_str(AS_BEFORE);
        drawing.push('\n');
    }
    Ok(drawing)
}

/// The answer that carries the code: drawn for who accepts `text/plain`, else SVG.
///
/// # Errors
/// A text longer than a code holds.
pub fn answer(request: &HttpRequest, text: &str) -> Result<HttpResponse, QrError> {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    Ok(match accepts.trim().starts_with("text/plain") {
        true => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(drawn(text)?),
        false => HttpResponse::Ok().content_type("image/svg+xml").body(svg(text)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "openid4vp://?client_id=decentralized_identifier%3Adid%3Axinfu%3Adevnet%3AFf5rzGx1xwSmhPbjxWKEzEDTSs6gCdKVYW2jNqYt9PLE&request_uri=https%3A%2F%2F127.0.0.1%3A9450%2Frequests%2FAAAAAAAAAAAAAAAAAAAAAA&request_uri_method=post";

    /// Reads a drawing back as modules, and holds them against the code itself.
    #[test]
    fn the_drawing_is_the_code_on_white_with_its_margin() {
        let drawing = drawn(LINK).unwrap();
        let code = QrCode::with_error_correction_level(LINK, EcLevel::L).unwrap();
        let mut modules = Vec::new();
        for line in drawing.lines() {
            let line = line.strip_prefix(BLACK_ON_WHITE).unwrap().strip_suffix(AS_BEFORE).unwrap();
            assert!(line.chars().count() <= 80, "{}", line.chars().count());
            modules.push(line.chars().map(|c| matches!(c, '█' | '▀')).collect::<Vec<_>>());
            modules.push(line.chars().map(|c| matches!(c, '█' | '▄')).collect());
        }
        for (y, row) in modules.iter().enumerate() {
            for (x, dark) in row.iter().enumerate() {
                let inside = (QUIET..QUIET + code.width()).contains(&x) && (QUIET..QUIET + code.width()).contains(&y);
                let wanted = inside && code[(x - QUIET, y - QUIET)] == Color::Dark;
                assert_eq!(*dark, wanted, "{x}, {y}");
            }
        }
    }

    #[test]
    fn a_text_too_long_for_a_code_is_refused() {
        assert!(svg(&"x".repeat(3000)).is_err() && drawn(&"x".repeat(3000)).is_err());
    }
}
