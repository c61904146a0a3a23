//! Services and names as they stand in a DID's creation and updates.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Refused;
use super::keys::is_fragment;

/// Longest service URL, in bytes.
const MAX_URL_BYTES: usize = 512;
/// Longest public name in one language, in bytes.
const MAX_LABEL_BYTES: usize = 200;

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceType {
    /// Issues credentials; its URL is the credentials' `iss`.
    #[serde(rename = "XinfuIssuer")]
    Issuer,
    /// Asks for credentials.
    #[serde(rename = "XinfuVerifier")]
    Verifier,
    /// Serves the ledger.
    #[serde(rename = "XinfuLedger")]
    Ledger,
}

impl ServiceType {
    /// The type as it stands in a DID document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "XinfuIssuer",
            Self::Verifier => "XinfuVerifier",
            Self::Ledger => "XinfuLedger",
        }
    }
}

/// One service to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// Fragment of the service's DID URL.
    pub id: String,
    /// What it does.
    #[serde(rename = "type")]
    pub kind: ServiceType,
    /// Where it is.
    pub url: String,
}

impl ServiceEntry {
    /// Checks id and URL.
    ///
    /// # Errors
    /// [`Refused::ServiceMalformed`].
    pub fn check(&self) -> Result<(), Refused> {
        if !is_fragment(&self.id) {
            return Err(Refused::ServiceMalformed("id"));
        }
        if is_plain_url(&self.url) { Ok(()) } else { Err(Refused::ServiceMalformed("url")) }
    }
}

/// A department's public name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Label {
    pub(super) fn is_sound(&self) -> bool {
        [&self.en, &self.zh].into_iter().all(|text| is_name(text))
    }
}

/// A public name: short, and without characters that could repaint a terminal.
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// One spelling per URL, because ownership goes by its exact bytes: already normal, no user, query, fragment or
/// trailing slash. `http` only on loopback, for debugging without certificates.
fn is_plain_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let normal = if url.path() == "/" { url.as_str().strip_suffix('/') == Some(text) } else { url.as_str() == text };
    scheme && bare && normal && !text.ends_with('/') && text.len() <= MAX_URL_BYTES
}

#[cfg(test)]
mod tests {
    use super::is_plain_url;

    #[test]
    fn one_spelling_per_url() {
        for good in ["https://a.example", "https://a.example/x", "https://a.example:8443/x/y", "http://127.0.0.1:9000"]
        {
            assert!(is_plain_url(good), "{good}");
        }
        let bad = [
            "https://a.example/",
            "https://a.example/x/",
            "https://A.example",
            "https://a.example:443",
            "https://a.example/x/../y",
            "https://u@a.example",
            "https://a.example?q",
            "https://a.example#f",
            "http://a.example",
            "ftp://a.example",
            "a.example",
            "",
        ];
        for url in bad {
            assert!(!is_plain_url(url), "{url}");
        }
    }
}
