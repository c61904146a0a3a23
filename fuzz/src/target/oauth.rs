//! Form bodies, bearer tokens and URLs.

use identity_core::oauth::bearer::parse_authorization;
use identity_core::oauth::form::Form;
use identity_core::oauth::url::{Transport, parse_endpoint, parse_identifier};

use crate::{Outcome, text};

/// A form body, and the same bytes as query and as `Authorization`.
pub fn form(data: &[u8]) -> Outcome {
    if let Some(text) = text(data) {
        let (header, query) = text.split_once('\n').unwrap_or((text, ""));
        if let Ok(token) = parse_authorization(Some(header), query) {
            assert!(header.ends_with(token) && !token.is_empty());
        }
    }
    Outcome::of(&Form::parse(data))
}

/// An endpoint or identifier that is accepted is HTTPS, has a host and no user information, and reads the same again.
pub fn url(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let parsed = parse_endpoint(text, Transport::HttpsOnly);
    for url in [&parsed, &parse_identifier(text, Transport::HttpsOnly)].into_iter().flatten() {
        assert_eq!(url.scheme(), "https");
        assert!(url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        assert_eq!(parse_endpoint(url.as_str(), Transport::HttpsOnly).as_ref(), Ok(url));
    }
    Outcome::of(&parsed)
}
