//! What a verifier asks with: the link that a wallet scans, and the parameters of a request object
//! (OpenID4VP 1.0 §5).
//!
//! A link names a signed request object **by reference** and nothing else; parameters standing in
//! the link itself would be unsigned and are ignored, a request object by value is refused.

use std::fmt;

use serde_json::{Map, Value, json};
use url::Url;

use super::client_id::ClientId;
use super::encryption::Encryption;
use super::error::{LinkError, RequestError};
use super::transaction_data;
use crate::crypto::Alg;
use crate::dcql;
use crate::duty;
use crate::jose::jwt::numeric_date;
use crate::oauth::form::Form;
use crate::oauth::url::{Transport, parse_endpoint};
use crate::time::UnixSeconds;

/// `aud` of a request object under static discovery (OpenID4VP 1.0 §5.8).
pub const SELF_ISSUED_AUDIENCE: &str = "https://self-issued.me/v2";
/// The media type of a request object on the wire.
pub const REQUEST_MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";
/// The credential format asked for and answered with.
pub const FORMAT: &str = "dc+sd-jwt";

/// The longest link read, in bytes; a QR code holds under 3 KiB.
pub const MAX_LINK_BYTES: usize = 4096;
/// The fewest characters of a nonce: 22 of base64url carry 132 bits, the first length above 128.
pub const MIN_NONCE_CHARS: usize = 22;
/// The most characters of a nonce, a state or a wallet nonce.
pub const MAX_NONCE_CHARS: usize = 512;
/// The most characters of a purpose.
pub const MAX_PURPOSE_CHARS: usize = 64;

/// How the request object is to be retrieved (OpenID4VP 1.0 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestUriMethod {
    /// HTTP GET.
    #[default]
    Get,
    /// HTTP POST, with a nonce of the wallet's that the request object must echo.
    Post,
}

/// `openid4vp://?client_id=…&request_uri=…`: where a signed request object is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLink {
    /// Who claims to ask; the signed object must name the same.
    pub client_id: ClientId,
    /// Where the request object is.
    pub request_uri: Url,
    /// How to retrieve it.
    pub method: RequestUriMethod,
}

impl RequestLink {
    /// Parses a link or the text of a QR code.
    ///
    /// # Errors
    /// [`LinkError`]: other scheme, doubled or missing parameters, a request by value, an
    /// unsupported client identifier, a URL that `transport` does not admit.
    pub fn parse(link: &str, transport: Transport) -> Result<Self, LinkError> {
        if link.len() > MAX_LINK_BYTES {
            return Err(LinkError::TooLong);
        }
        let query = link.strip_prefix("openid4vp://").and_then(|rest| rest.split_once('?')).ok_or(LinkError::Scheme)?.1;
        let parameters = Form::parse(query.as_bytes()).map_err(|_| LinkError::Malformed)?;
        if parameters.get("request").is_some() {
            return Err(LinkError::ByValue);
        }
        let client_id = parameters.get("client_id").ok_or(LinkError::Missing { parameter: "client_id" })?;
        let uri = parameters.get("request_uri").ok_or(LinkError::Missing { parameter: "request_uri" })?;
        let request_uri = parse_endpoint(uri, transport).map_err(|_| LinkError::RequestUri)?;
        let method = match parameters.get("request_uri_method") {
            None | Some("get") => RequestUriMethod::Get,
            Some("post") => RequestUriMethod::Post,
            Some(_) => return Err(LinkError::Method),
        };
        Ok(Self { client_id: ClientId::parse(client_id)?, request_uri, method })
    }
}

impl fmt::Display for RequestLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", self.client_id.as_str()).append_pair("request_uri", self.request_uri.as_str());
        if self.method == RequestUriMethod::Post {
            query.append_pair("request_uri_method", "post");
        }
        write!(f, "openid4vp://?{}", query.finish())
    }
}

/// The verifier's wish for anchor proofs beside the presentation (`xinfu_anchor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorWish {
    /// Refused without.
    Required,
    /// Welcome, and used when there.
    Optional,
}

impl AnchorWish {
    /// The parameter's value on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
        }
    }

    /// Reads the parameter's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "required" => Some(Self::Required),
            "optional" => Some(Self::Optional),
            _ => None,
        }
    }
}

/// How the answer travels to `response_uri` (OpenID4VP 1.0 §8.2, §8.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseMode {
    /// As a form.
    DirectPost,
    /// As a form with one encrypted token in it.
    DirectPostJwt(Box<Encryption>),
}

impl ResponseMode {
    /// The parameter's value on the wire.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::DirectPost => "direct_post",
            Self::DirectPostJwt(_) => "direct_post.jwt",
        }
    }

    fn read(name: &str, metadata: &Value) -> Result<Self, RequestError> {
        match name {
            "direct_post" => Ok(Self::DirectPost),
            "direct_post.jwt" => Ok(Self::DirectPostJwt(Box::new(Encryption::from_metadata(metadata)?))),
            _ => Err(RequestError::ResponseMode),
        }
    }
}

/// The parameters of a request object, as a verifier writes and a wallet reads them.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Who asks; the audience of the presentation.
    pub client_id: ClientId,
    /// How the answer travels.
    pub mode: ResponseMode,
    /// Where the answer goes.
    pub response_uri: Url,
    /// Binds the presentation to this request.
    pub nonce: String,
    /// Names the verifier's session, echoed by the wallet.
    pub state: Option<String>,
    /// The question, as it travelled.
    pub dcql_query: Value,
    /// The question, parsed.
    pub query: dcql::Query,
    /// `client_metadata.vp_formats_supported["dc+sd-jwt"]`: what the verifier can check.
    pub algorithms: Algorithms,
    /// Whether anchor proofs are wanted; absent when the verifier does not know them.
    pub anchor: Option<AnchorWish>,
    /// What the data is wanted for, in the words of the accreditation (`xinfu_purpose`).
    pub purpose: Option<String>,
    /// The official's signature over this request: the one `verifier_info` of our format, unverified.
    pub duty: Option<String>,
    /// What the holder is to sign beside the nonce, as it travelled: see [`super::transaction_data`].
    pub transaction_data: Vec<String>,
    /// When the request stops counting.
    pub expires: UnixSeconds,
    /// The wallet's own nonce, echoed.
    pub wallet_nonce: Option<String>,
}

/// Signature algorithms a verifier can check; an absent list admits every one (OpenID4VP 1.0 B.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Algorithms {
    /// For the issuer's signature.
    pub issuer: Option<Vec<String>>,
    /// For the holder's.
    pub holder: Option<Vec<String>>,
}

impl Algorithms {
    /// What this software checks. `Ed25519` is the fully specified name (RFC 9864) of what `EdDSA` means here.
    #[must_use]
    pub fn ours() -> Self {
        let names = || Some(["ES256", "Ed25519", "EdDSA"].map(str::to_owned).to_vec());
        Self { issuer: names(), holder: names() }
    }

    /// Whether the verifier can check a holder's signature under `alg`.
    #[must_use]
    pub fn admit_holder(&self, alg: Alg) -> bool {
        self.holder.as_ref().is_none_or(|names| names.iter().any(|name| Alg::parse(name) == Some(alg)))
    }

    fn to_json(&self) -> Value {
        let mut format = Map::new();
        for (name, list) in [("sd-jwt_alg_values", &self.issuer), ("kb-jwt_alg_values", &self.holder)] {
            if let Some(list) = list {
                format.insert(name.to_owned(), json!(list));
            }
        }
        json!({ "vp_formats_supported": { FORMAT: format } })
    }

    fn from_metadata(metadata: &Value) -> Result<Self, RequestError> {
        let formats =
            metadata.get("vp_formats_supported").and_then(Value::as_object).ok_or(RequestError::ClientMetadata)?;
        let ours = formats.get(FORMAT).ok_or(RequestError::Formats)?.as_object().ok_or(RequestError::ClientMetadata)?;
        let list = |name: &str| match ours.get(name) {
            None => Ok(None),
            Some(Value::Array(values)) if !values.is_empty() => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or(RequestError::ClientMetadata))
                .collect::<Result<Vec<_>, _>>()
                .map(Some),
            Some(_) => Err(RequestError::ClientMetadata),
        };
        Ok(Self { issuer: list("sd-jwt_alg_values")?, holder: list("kb-jwt_alg_values")? })
    }
}

impl Parameters {
    /// The payload of the request object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut payload = json!({
            "aud": SELF_ISSUED_AUDIENCE,
            "client_id": self.client_id.as_str(),
            "response_type": "vp_token",
            "response_mode": self.mode.as_str(),
            "response_uri": self.response_uri.as_str(),
            "nonce": self.nonce,
            "dcql_query": self.dcql_query,
            "client_metadata": self.metadata(),
            "exp": self.expires.0,
        });
        if let Some(members) = payload.as_object_mut() {
            if let Some(duty) = &self.duty {
                members.insert("verifier_info".to_owned(), json!([{ "format": duty::FORMAT, "data": duty }]));
            }
            if !self.transaction_data.is_empty() {
                members.insert("transaction_data".to_owned(), json!(self.transaction_data));
            }
            let optional = [
                ("state", self.state.as_deref()),
                ("xinfu_anchor", self.anchor.map(AnchorWish::as_str)),
                ("xinfu_purpose", self.purpose.as_deref()),
                ("wallet_nonce", self.wallet_nonce.as_deref()),
            ];
            for (name, value) in optional {
                if let Some(value) = value {
                    members.insert(name.to_owned(), Value::String(value.to_owned()));
                }
            }
        }
        payload
    }

    fn metadata(&self) -> Value {
        let mut metadata = self.algorithms.to_json();
        if let (ResponseMode::DirectPostJwt(encryption), Some(members)) = (&self.mode, metadata.as_object_mut()) {
            members.extend(encryption.metadata().map(|(name, value)| (name.to_owned(), value)));
        }
        metadata
    }

    /// Reads the payload of a request object. Unknown parameters are ignored, as the specification
    /// rules; `transaction_data` of an unknown type is not.
    ///
    /// # Errors
    /// [`RequestError`], by the first parameter that does not fit.
    pub fn from_json(payload: &Map<String, Value>, transport: Transport) -> Result<Self, RequestError> {
        refuse_what_must_not_be_there(payload)?;
        let text = |name: &'static str| optional_text(payload, name);
        let required = |name: &'static str| text(name)?.ok_or(RequestError::Missing { parameter: name });

        let client_id = ClientId::parse(required("client_id")?)?;
        if required("response_type")? != "vp_token" {
            return Err(RequestError::ResponseType);
        }
        let metadata = payload.get("client_metadata").ok_or(RequestError::Missing { parameter: "client_metadata" })?;
        let mode = ResponseMode::read(required("response_mode")?, metadata)?;
        let response_uri =
            parse_endpoint(required("response_uri")?, transport).map_err(|_| RequestError::ResponseUri)?;
        let nonce = required("nonce")?;
        if !is_nonce(nonce) {
            return Err(RequestError::Nonce);
        }
        let state = text("state")?;
        if state.is_some_and(|state| !is_url_safe(state)) {
            return Err(RequestError::State);
        }
        let dcql_query = payload.get("dcql_query").ok_or(RequestError::Missing { parameter: "dcql_query" })?;
        let query = dcql::Query::from_json(dcql_query)?;
        let purpose = text("xinfu_purpose")?;
        if purpose.is_some_and(|purpose| !is_purpose(purpose)) {
            return Err(RequestError::Purpose);
        }
        Ok(Self {
            client_id,
            mode,
            response_uri,
            nonce: nonce.to_owned(),
            state: state.map(str::to_owned),
            duty: verifier_info(payload)?,
            transaction_data: transaction_data::read(payload.get("transaction_data"), &query)?,
            query,
            dcql_query: dcql_query.clone(),
            algorithms: Algorithms::from_metadata(metadata)?,
            anchor: match text("xinfu_anchor")? {
                None => None,
                Some(wish) => Some(AnchorWish::parse(wish).ok_or(RequestError::AnchorWish)?),
            },
            purpose: purpose.map(str::to_owned),
            expires: numeric_date(payload, "exp")?.ok_or(RequestError::Missing { parameter: "exp" })?,
            wallet_nonce: text("wallet_nonce")?.map(str::to_owned),
        })
    }
}

fn refuse_what_must_not_be_there(payload: &Map<String, Value>) -> Result<(), RequestError> {
    if payload.contains_key("redirect_uri") {
        return Err(RequestError::RedirectUri);
    }
    if payload.contains_key("scope") {
        return Err(RequestError::Scope);
    }
    Ok(())
}

/// The one attestation of our format. Others say nothing to us, and are ignored as the specification rules.
fn verifier_info(payload: &Map<String, Value>) -> Result<Option<String>, RequestError> {
    let Some(infos) = payload.get("verifier_info") else { return Ok(None) };
    let infos = infos.as_array().filter(|infos| !infos.is_empty()).ok_or(RequestError::VerifierInfo)?;
    let mut found = None;
    for info in infos {
        let info = info.as_object().ok_or(RequestError::VerifierInfo)?;
        if info.get("format").and_then(Value::as_str).ok_or(RequestError::VerifierInfo)? != duty::FORMAT {
            continue;
        }
        let data = info.get("data").and_then(Value::as_str).ok_or(RequestError::VerifierInfo)?;
        // One attestation answers for the whole request, not for some of its queries.
        if info.contains_key("credential_ids") || found.replace(data.to_owned()).is_some() {
            return Err(RequestError::VerifierInfo);
        }
    }
    Ok(found)
}

fn optional_text<'a>(
    payload: &'a Map<String, Value>,
    parameter: &'static str,
) -> Result<Option<&'a str>, RequestError> {
    match payload.get(parameter) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(RequestError::NotText { parameter }),
    }
}

/// Whether `text` can be a nonce or state: ASCII letters, digits, `-._~` (OpenID4VP 1.0 §5.2).
#[must_use]
pub fn is_url_safe(text: &str) -> bool {
    (1..=MAX_NONCE_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Whether `text` can be a request's nonce: URL-safe, and long enough that nobody guesses it.
#[must_use]
pub fn is_nonce(text: &str) -> bool {
    text.len() >= MIN_NONCE_CHARS && is_url_safe(text)
}

/// Whether `text` can name a purpose: visible ASCII without spaces, at most [`MAX_PURPOSE_CHARS`].
#[must_use]
pub fn is_purpose(text: &str) -> bool {
    (1..=MAX_PURPOSE_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
