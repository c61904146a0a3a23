//! `devnet.json`: every address, identifier and file that an outside driver needs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The file's content. Its form is relied upon by outside drivers: members may be added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The ledger node.
    pub ledger: LedgerEntry,
    /// The departments that issue.
    pub issuers: Vec<ServiceEntry>,
    /// The services that verify.
    pub verifiers: Vec<ServiceEntry>,
    /// The certificate authority of all HTTPS addresses here, a PEM file.
    pub ca: PathBuf,
    /// The trust root, a C2SP `tlog-policy` file.
    pub trust_root: PathBuf,
}

/// The ledger node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its base URL.
    pub url: String,
}

/// A service with an admin API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// Its id, for people and scripts.
    pub id: String,
    /// Its DID.
    pub did: String,
    /// Its base URL.
    pub url: String,
    /// The file with the bearer token of its admin API.
    pub admin_token_file: PathBuf,
    /// The client identifiers under which it asks, if it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ids: Vec<String>,
}

impl Index {
    /// Writes the file whole: a reader sees the old or the new one.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = format!("{}\n", serde_json::to_string_pretty(self)?);
        service_kit::whole_file::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_as_agreed() {
        let entry = ServiceEntry {
            id: "a".into(),
            did: "did:xinfu:devnet:x".into(),
            url: "https://127.0.0.1:9441".into(),
            admin_token_file: "/d/a/admin.token".into(),
            client_ids: Vec::new(),
        };
        let index = Index {
            ledger: LedgerEntry { url: "https://127.0.0.1:9440".into() },
            issuers: vec![entry.clone()],
            verifiers: vec![],
            ca: "/d/tls/ca.pem".into(),
            trust_root: "/d/trust-root.policy".into(),
        };
        let agreed = serde_json::json!({
            "ledger": {"url": "https://127.0.0.1:9440"},
            "issuers": [{"id": "a", "did": "did:xinfu:devnet:x", "url": "https://127.0.0.1:9441",
                         "admin_token_file": "/d/a/admin.token"}],
            "verifiers": [],
            "ca": "/d/tls/ca.pem",
            "trust_root": "/d/trust-root.policy",
        });
        assert_eq!(serde_json::to_value(index).unwrap(), agreed);
    }
}
