//! Bearer tokens in requests (RFC 6750), from the `Authorization` header and nowhere else.

/// The most characters a bearer token may have. Ours have fewer than 100; room for those of other servers.
pub const MAX_TOKEN_CHARS: usize = 4096;

/// Why a request carries no usable bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerRefusal {
    /// No `Authorization` header.
    #[error("no Authorization header")]
    Missing,
    /// The header is not `Bearer` and one token in the characters of RFC 6750 §2.1.
    #[error("the Authorization header is not a bearer token")]
    Malformed,
    /// The token stands in the query, where logs would keep it (RFC 6750 §2.3, refused as OAuth 2.1 §4.3.1 does).
    #[error("the token stands in the query")]
    InQuery,
}

/// Takes the bearer token out of a request's `Authorization` header.
///
/// # Errors
/// [`BearerRefusal`] when there is none, it is malformed, or a token stands in `query`.
pub fn parse_authorization<'a>(header: Option<&'a str>, query: &str) -> Result<&'a str, BearerRefusal> {
    if ::url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
        return Err(BearerRefusal::InQuery);
    }
    let header = header.ok_or(BearerRefusal::Missing)?;
    let (scheme, token) = header.split_once(' ').ok_or(BearerRefusal::Malformed)?;
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || !is_b64token(token) {
        return Err(BearerRefusal::Malformed);
    }
    Ok(token)
}

fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty()
        && token.len() <= MAX_TOKEN_CHARS
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_token_from_the_header() {
        assert_eq!(parse_authorization(Some("Bearer abc.d-e_f=="), ""), Ok("abc.d-e_f=="));
        assert_eq!(parse_authorization(Some("BEARER abc"), "x=1"), Ok("abc"));
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_CHARS + 1));
        let cases = [
            (None, "", BearerRefusal::Missing),
            (Some("Bearer"), "", BearerRefusal::Malformed),
            (Some("Bearer "), "", BearerRefusal::Malformed),
            (Some("Bearer ="), "", BearerRefusal::Malformed),
            (Some("Bearer a b"), "", BearerRefusal::Malformed),
            (Some("Basic abc"), "", BearerRefusal::Malformed),
            (Some(long.as_str()), "", BearerRefusal::Malformed),
            (Some("Bearer abc"), "access_token=abc", BearerRefusal::InQuery),
            (None, "access%5Ftoken=abc", BearerRefusal::InQuery),
        ];
        for (header, query, expected) in cases {
            assert_eq!(parse_authorization(header, query), Err(expected));
        }
    }
}
