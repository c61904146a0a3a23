//! The services' admin APIs, as an outside driver uses them: over HTTP, with the token from its file.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, Result};
use identity_core::duty::{IssuerAct, Order};
use identity_core::time::UnixSeconds;
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::{
    fetch::{Fetch, Request},
    private_file,
};

/// One service's admin API.
pub struct AdminApi {
    fetch: Arc<dyn Fetch>,
    url: String,
    token: String,
}

/// An offer as the issuer's counter hands it out.
#[derive(Debug, Clone, Deserialize)]
pub struct Offer {
    /// The link for the wallet.
    pub offer_uri: String,
    /// The transaction code, told to the citizen apart from the link.
    pub tx_code: Option<String>,
}

/// An issued credential as the issuer lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct Issued {
    /// Its id with the issuer.
    pub id: String,
    /// `valid`, `revoked`, …
    pub state: String,
    /// Whose it is.
    pub subject: String,
    /// Its status list.
    pub status_list: u32,
    /// Its place in that list.
    pub status_index: u32,
}

/// A request as the verifier made it.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// Its id with the verifier.
    pub id: String,
    /// The link for the wallet.
    pub request_uri_link: String,
    /// Why wallets would refuse it, as far as the verifier's evidence shows.
    #[serde(default)]
    pub warnings: Vec<Value>,
}

/// What became of a request.
#[derive(Debug, Clone, Deserialize)]
pub struct Outcome {
    /// `pending`, `verified` or `refused`.
    pub state: String,
    /// The claims shown, by query id, if verified.
    #[serde(default)]
    pub claims: Value,
    /// Why it was refused.
    #[serde(default)]
    pub refusal: Option<Refusal>,
}

/// Why a presentation was refused.
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// The dotted code.
    pub code: String,
}

/// A case as the verifier hands it out for others to check.
#[derive(Debug, Clone, Deserialize)]
pub struct Exported {
    /// The files by name (`docs/formats.md`, "An offline check").
    pub files: BTreeMap<String, String>,
    /// The moment of the verdict.
    pub now: UnixSeconds,
}

/// What came of an import.
#[derive(Debug, Clone, Deserialize)]
pub struct Imported {
    /// Rows taken.
    pub imported: u64,
    /// Rows refused.
    pub refused: u64,
}

/// What would come of an import.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    /// Rows that would be refused.
    pub refused: u64,
    /// Why.
    pub faults: Vec<Fault>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// The column, unless the row as a whole is wrong.
    pub column: Option<String>,
    /// The code of the rule.
    pub code: String,
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    response_mode: &'static str,
    client_id_prefix: &'static str,
}

impl Manner {
    /// Under the DID, answered as a form.
    pub const PLAIN: Self = Self { response_mode: "direct_post", client_id_prefix: "decentralized_identifier" };
    /// Under the DID, answered encrypted.
    pub const ENCRYPTED: Self = Self { response_mode: "direct_post.jwt", ..Self::PLAIN };
    /// Under the certificate, answered encrypted.
    pub const CERTIFIED: Self = Self { client_id_prefix: "x509_hash", ..Self::ENCRYPTED };
}

impl AdminApi {
    /// The admin API at `url`, with the token in `token_file`.
    ///
    /// # Errors
    /// A token file that cannot be read.
    pub fn open(fetch: Arc<dyn Fetch>, url: &str, token_file: &Path) -> Result<Self> {
        let token = String::from_utf8_lossy(&private_file::read(token_file)?).trim().to_owned();
        Ok(Self { fetch, url: url.to_owned(), token })
    }

    /// Imports a table of subjects.
    ///
    /// # Errors
    /// As every call here: unreachable, or refused with its code.
    pub async fn import(&self, configuration: &str, csv: String) -> Result<Imported> {
        let url = format!("{}/admin/import?credential_configuration_id={configuration}", self.url);
        self.answer(Request::post(url, "text/csv", csv)).await
    }

    /// What would come of importing a table, without importing it.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn check_import(&self, configuration: &str, csv: String) -> Result<Report> {
        #[derive(Deserialize)]
        struct Checked {
            report: Report,
        }
        let url = format!("{}/admin/import?credential_configuration_id={configuration}&check=true", self.url);
        let checked: Checked = self.answer(Request::post(url, "text/csv", csv)).await?;
        Ok(checked.report)
    }

    /// The ids of all subjects of a type.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn subjects(&self, configuration: &str) -> Result<Vec<String>> {
        let url = format!("{}/admin/subjects?credential_configuration_id={configuration}", self.url);
        self.answer(Request::get(url)).await
    }

    /// Makes an offer to a subject that holds for `valid_for` seconds.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn offer(&self, subject: &str, configuration: &str, valid_for: u32) -> Result<Offer> {
        let body = json!({"subject": subject, "credential_configuration_id": configuration, "valid_for": valid_for});
        self.answer(Request::post_json(format!("{}/admin/offers", self.url), &body)).await
    }

    /// The credentials of a subject.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn credentials(&self, subject: &str) -> Result<Vec<Issued>> {
        let subject: String = url_encode(subject);
        self.answer(Request::get(format!("{}/admin/credentials?subject={subject}", self.url))).await
    }

    /// Every credential that the department has issued.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn all_credentials(&self) -> Result<Vec<Issued>> {
        let mut all: Vec<Issued> = Vec::new();
        loop {
            let after = all.last().map(|last| format!("?after={}", url_encode(&last.id))).unwrap_or_default();
            let page: Vec<Issued> = self.answer(Request::get(format!("{}/admin/credentials{after}", self.url))).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// The order that an official is to sign so that a credential is revoked.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn order_to_revoke(&self, id: &str, official: &str, basis: &str) -> Result<Order> {
        #[derive(Deserialize)]
        struct Draft {
            to_attest: Order,
        }
        let body = json!({"act": IssuerAct::Revoke, "credential": id, "official": official, "basis": basis});
        let draft: Draft = self.answer(Request::post_json(format!("{}/admin/orders", self.url), &body)).await?;
        Ok(draft.to_attest)
    }

    /// Revokes a credential, under an official's order or else the service account's.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn revoke(&self, id: &str, order: Option<&str>) -> Result<Issued> {
        let url = format!("{}/admin/credentials/{}/revoke", self.url, url_encode(id));
        let request = Request::post_json(url, &json!({}));
        self.answer(order.into_iter().fold(request, |request, order| request.with_header("xinfu-order", order))).await
    }

    /// Makes a request for a presentation: `query` is a configured name or a DCQL object.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn ask(&self, query: Value, manner: Manner) -> Result<Asked> {
        let mut body = json!({
            "query": query,
            "response_mode": manner.response_mode,
            "client_id_prefix": manner.client_id_prefix,
        });
        if body.get("query").is_some_and(Value::is_object)
            && let Some(members) = body.as_object_mut()
        {
            members.insert("purpose".to_owned(), super::layout::PURPOSE.into());
            members.insert("basis".to_owned(), super::query::BASIS.into());
            members.insert("retention_days".to_owned(), super::query::RETENTION_DAYS.into());
        }
        self.answer(Request::post_json(format!("{}/admin/requests", self.url), &body)).await
    }

    /// Makes a request that waits for an official's signature: what is handed out, `to_attest` with it.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn ask_by(&self, query: Value, official: &str) -> Result<Value> {
        let body = json!({ "query": query, "official": official });
        self.answer(Request::post_json(format!("{}/admin/requests", self.url), &body)).await
    }

    /// Hands an official's signature back; from then on wallets get the request.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn attest(&self, id: &str, attestation: &str) -> Result<Asked> {
        let url = format!("{}/admin/requests/{}/attestation", self.url, url_encode(id));
        self.answer(Request::post_json(url, &json!({ "attestation": attestation }))).await
    }

    /// What became of a request.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn outcome(&self, id: &str) -> Result<Outcome> {
        self.answer(Request::get(format!("{}/admin/requests/{}", self.url, url_encode(id)))).await
    }

    /// The case of a request that was answered.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub async fn export(&self, id: &str) -> Result<Exported> {
        self.answer(Request::get(format!("{}/admin/requests/{}/evidence", self.url, url_encode(id)))).await
    }

    async fn answer<T: serde::de::DeserializeOwned>(&self, request: Request) -> Result<T> {
        let path = request.url.strip_prefix(&self.url).unwrap_or_default().to_owned();
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let asked = async { self.fetch.send(request.with_bearer(&self.token)).await?.success()?.json() };
        asked.await.with_context(|| format!("admin API {path}"))
    }
}

fn url_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use service_kit::fetch::scripted::ScriptedFetch;

    use super::*;

    #[tokio::test]
    async fn calls_carry_the_token_and_name_what_failed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("admin.token");
        private_file::create(&file, b"token-of-at-least-22-characters\n").unwrap();
        let fetch = Arc::new(ScriptedFetch::new());
        let api = AdminApi::open(fetch.clone(), "https://issuer.example", &file).unwrap();
        fetch.answer(
            "https://issuer.example/admin/subjects?credential_configuration_id=x",
            200,
            "application/json",
            r#"["a","b"]"#,
        );
        assert_eq!(api.subjects("x").await.unwrap(), ["a", "b"]);
        let header = ("authorization", "Bearer token-of-at-least-22-characters".to_owned());
        assert!(fetch.asked()[0].headers.contains(&header));
        fetch.answer("https://issuer.example/admin/credentials?subject=a%2Fb", 404, "", r#"{"code":"x.y"}"#);
        let error = format!("{:#}", api.credentials("a/b").await.unwrap_err());
        assert!(error.contains("/admin/credentials") && error.contains("x.y"), "{error}");
        assert!(!error.contains("subject=a"), "{error}");
    }
}
