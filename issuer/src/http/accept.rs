//! Content negotiation where there is one form to be had (RFC 9110 §12.5.1).

use actix_web::http::header::HeaderValue;

/// Whether a caller with this `Accept` header takes `offered`, which is `application/…`. The most exact range that
/// names it decides; without a header, everything is taken.
pub(super) fn takes(accept: Option<&HeaderValue>, offered: &str) -> bool {
    let Some(accept) = accept else { return true };
    let ranges: Vec<(&str, bool)> = accept.to_str().unwrap_or_default().split(',').map(read_range).collect();
    let said = |range: &str| ranges.iter().find(|(name, _)| name.eq_ignore_ascii_case(range)).map(|(_, taken)| *taken);
    said(offered).or_else(|| said("application/*")).or_else(|| said("*/*")).unwrap_or(false)
}

/// A media range, and whether its weight is more than nothing.
fn read_range(range: &str) -> (&str, bool) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0_f32)));
    (name, !refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_range_decides() {
        let takes = |accept: &'static str| takes(Some(&HeaderValue::from_static(accept)), "application/statuslist+jwt");
        for taken in [
            "application/statuslist+jwt",
            "Application/StatusList+JWT",
            "*/*",
            "text/html, application/*;q=0.1",
            "application/statuslist+cwt, application/statuslist+jwt;q=0.5",
        ] {
            assert!(takes(taken), "{taken}");
        }
        for refused in [
            "application/statuslist+cwt",
            "application/json",
            "",
            "application/statuslist+jwt;q=0, */*",
            "application/*; q=0.0, */*",
            "*/*;q=0",
        ] {
            assert!(!takes(refused), "{refused}");
        }
        assert!(super::takes(None, "application/statuslist+jwt"));
    }
}
