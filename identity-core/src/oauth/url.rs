//! URLs of protocol parties: which schemes they may have, and where their `/.well-known` documents stand.

use ::url::Url;

/// Which schemes a party's URLs may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// Only `https`, as every specification here demands.
    #[default]
    HttpsOnly,
    /// `http` as well: for a developer who watches the bytes on loopback.
    PlainForDebugging,
}

/// Why a text is not a URL that a protocol party may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefusal {
    /// Not an absolute URL with a host.
    #[error("not an absolute URL with a host")]
    Malformed,
    /// The scheme is not `https`.
    #[error("the scheme is not https")]
    Scheme,
    /// The URL carries a user name or password.
    #[error("the URL carries a user name or password")]
    Userinfo,
    /// The URL carries a query or fragment where none may stand.
    #[error("the URL carries a query or fragment where none may stand")]
    QueryOrFragment,
}

/// Reads the URL of an endpoint: scheme by `transport`, a host, no user name, no fragment.
///
/// # Errors
/// The rule that the text breaks.
pub fn parse_endpoint(text: &str, transport: Transport) -> Result<Url, UrlRefusal> {
    let url = Url::parse(text).map_err(|_| UrlRefusal::Malformed)?;
    let scheme_holds = match transport {
        Transport::HttpsOnly => url.scheme() == "https",
        Transport::PlainForDebugging => matches!(url.scheme(), "https" | "http"),
    };
    if !scheme_holds {
        return Err(UrlRefusal::Scheme);
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(UrlRefusal::Malformed);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefusal::Userinfo);
    }
    if url.fragment().is_some() {
        return Err(UrlRefusal::QueryOrFragment);
    }
    Ok(url)
}

/// Reads an identifier of an issuer or authorization server (OpenID4VCI §12.2.1, RFC 8414 §2): an endpoint without
/// query.
///
/// # Errors
/// The rule that the text breaks.
pub fn parse_identifier(text: &str, transport: Transport) -> Result<Url, UrlRefusal> {
    let url = parse_endpoint(text, transport)?;
    if url.query().is_some() {
        return Err(UrlRefusal::QueryOrFragment);
    }
    Ok(url)
}

/// Where the well-known document `name` of `identifier` stands: inserted between host and path, and a trailing `/` of
/// the path removed (OpenID4VCI §12.2.2, RFC 8414 §3.1, SD-JWT VC §4.1).
#[must_use]
pub fn well_known(identifier: &Url, name: &str) -> Url {
    let path = identifier.path().trim_end_matches('/').to_owned();
    let mut url = identifier.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("/.well-known/{name}{path}"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_the_well_known_part_between_host_and_path() {
        let cases = [
            ("https://a.example", "https://a.example/.well-known/x"),
            ("https://a.example/", "https://a.example/.well-known/x"),
            ("https://a.example:8443/t/1", "https://a.example:8443/.well-known/x/t/1"),
            ("https://a.example/t/", "https://a.example/.well-known/x/t"),
        ];
        for (identifier, expected) in cases {
            let url = parse_identifier(identifier, Transport::HttpsOnly).unwrap();
            assert_eq!(well_known(&url, "x").as_str(), expected);
        }
    }

    #[test]
    fn names_the_rule_that_a_url_breaks() {
        let cases = [
            ("a.example", UrlRefusal::Malformed),
            ("data:text/plain,x", UrlRefusal::Scheme),
            ("http://a.example", UrlRefusal::Scheme),
            ("https://user@a.example", UrlRefusal::Userinfo),
            ("https://a.example/#x", UrlRefusal::QueryOrFragment),
            ("https://a.example/?x=1", UrlRefusal::QueryOrFragment),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_identifier(text, Transport::HttpsOnly), Err(expected), "{text}");
        }
    }

    #[test]
    fn allows_plain_http_only_when_asked() {
        assert!(parse_endpoint("http://127.0.0.1:8080/x?y=1", Transport::PlainForDebugging).is_ok());
        assert!(parse_endpoint("file:///etc/passwd", Transport::PlainForDebugging).is_err());
    }
}
