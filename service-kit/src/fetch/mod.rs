//! Outgoing HTTP: the one place that opens connections to others.
//!
//! An address may come from a stranger (an offer, a request, a credential), so each fetch is on guard: `https` only;
//! no private, loopback or otherwise special address, checked after the name was resolved and on the very
//! address that is connected to, so that a name cannot point elsewhere a moment later; no redirects; bounded in
//! time and size; no proxy from the environment. Government networks live on private addresses, so the operator
//! can allow named hosts. Nothing is fetched twice by itself: the caller knows what may be repeated.

mod address;
mod guard;
#[cfg(any(test, feature = "testing"))]
pub mod scripted;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use identity_core::{encoding::json, problem::Code};
use serde::de::DeserializeOwned;
use url::Url;

use guard::{AllowList, GuardedResolver, PrivateAddress};

use crate::http::tls::{self, TlsError};

/// Largest answer kept unless the request says otherwise, in bytes: metadata and credentials have kilobytes; a
/// status list of a million entries has 250.
pub const ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Time to connect, TLS handshake included.
const CONNECT: Duration = Duration::from_secs(5);

crate::config! {
    /// How the service reaches others.
    pub struct FetchConfig {
        /// Certificate authorities trusted for outgoing connections, a PEM file; empty for the system's own.
        pub ca: PathBuf = PathBuf::new(),
        /// What may be reached although it is on a private address: `host`, `host:port`, or a network such as
        /// `10.1.0.0/16`.
        pub allow_private: Vec<String> = Vec::new(),
        /// Reach what `allow_private` names by plain HTTP too, for debugging.
        pub allow_plain: bool = false,
        /// Seconds until an answer must be complete.
        pub timeout_seconds: u64 = 20,
    }
}

/// Why a fetch failed. Carries no part of what was sent or answered, except the code of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Not an address, or one with a user name or fragment in it.
    #[error("the address is malformed")]
    Malformed,
    /// Not `https`.
    #[error("the address is not https")]
    ForbiddenScheme,
    /// It leads to a private or special address that is not on the list.
    #[error("the address leads into a private network")]
    ForbiddenAddress,
    /// No connection: name unknown, refused, TLS failed.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What failed, in a few words.
        reason: &'static str,
    },
    /// No complete answer in time.
    #[error("{host} did not answer in time")]
    TooSlow {
        /// Host and port.
        host: String,
    },
    /// The answer is longer than the limit.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer points elsewhere.
    #[error("{host} redirects, which is not followed")]
    Redirected {
        /// Host and port.
        host: String,
    },
    /// The answer is an error.
    #[error("{host} refused with status {status}{}", .code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Refused {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// The refusal's own code: our `code`, else the protocol's `error`; none that is no code.
        code: Option<String>,
    },
    /// The answer is not what was asked for.
    #[error("the answer of {host} cannot be understood")]
    BadAnswer {
        /// Host and port.
        host: String,
    },
}

impl FetchError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed | Self::ForbiddenScheme => Code::FetchForbiddenScheme,
            Self::ForbiddenAddress => Code::FetchForbiddenAddress,
            Self::Unreachable { .. } => Code::FetchUnreachable,
            Self::TooSlow { .. } => Code::FetchTooSlow,
            Self::TooLarge { .. } => Code::FetchTooLarge,
            Self::Redirected { .. } => Code::FetchRedirected,
            Self::Refused { .. } => Code::FetchRefused,
            Self::BadAnswer { .. } => Code::FetchBadAnswer,
        }
    }

    /// True when trying again later may help: the other side was not there.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TooSlow { .. } => true,
            Self::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Self::Malformed
            | Self::ForbiddenScheme
            | Self::ForbiddenAddress
            | Self::TooLarge { .. }
            | Self::Redirected { .. }
            | Self::BadAnswer { .. } => false,
        }
    }
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Send.
    Post,
}

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Read or send.
    pub method: Method,
    /// Where.
    pub url: String,
    /// Headers beside content type and `Accept`.
    pub headers: Vec<(&'static str, String)>,
    /// Content type and body.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// Largest answer kept, in bytes.
    pub limit: usize,
}

impl Request {
    /// Reads `url`.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::Get, url: url.into(), headers: Vec::new(), body: None, limit: ANSWER_BYTES }
    }

    /// Sends `body` of `kind` to `url`.
    #[must_use]
    pub fn post(url: impl Into<String>, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = Some((kind, body.into()));
        Self { method: Method::Post, url: url.into(), headers: Vec::new(), body, limit: ANSWER_BYTES }
    }

    /// Sends `value` as JSON to `url`.
    #[must_use]
    pub fn post_json(url: impl Into<String>, value: &serde_json::Value) -> Self {
        Self::post(url, "application/json", value.to_string())
    }

    /// Sends `fields` as a form to `url`.
    #[must_use]
    pub fn post_form(url: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::post(url, "application/x-www-form-urlencoded", form)
    }

    /// The same with a header more.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a bearer token.
    #[must_use]
    pub fn with_bearer(self, token: &str) -> Self {
        self.with_header("authorization", format!("Bearer {token}"))
    }

    /// The same with another limit on the answer, in bytes.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// What came back, whatever its status below 300 or from 400 up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Host and port it came from, for messages.
    pub host: String,
    /// HTTP status.
    pub status: u16,
    /// Content type without parameters, lower case; empty if none.
    pub kind: String,
    /// `Retry-After` in seconds, if given so.
    pub retry_after: Option<u64>,
    /// The body, as it travelled.
    pub body: Vec<u8>,
}

impl Answer {
    /// The answer if it is a success.
    ///
    /// # Errors
    /// [`FetchError::Refused`] with the code that the refusal names.
    pub fn success(self) -> Result<Self, FetchError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let members = json::parse_object(&self.body, json::Limits::of(64 * 1024)).unwrap_or_default();
        let named = |name: &str| members.get(name)?.as_str().filter(|code| is_code(code)).map(str::to_owned);
        Err(FetchError::Refused {
            status: self.status,
            code: named("code").or_else(|| named("error")),
            host: self.host,
        })
    }

    /// The body as strict JSON of type `T`.
    ///
    /// # Errors
    /// [`FetchError::BadAnswer`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        json::read(&self.body, json::Limits::of(self.body.len())).map_err(|_| self.bad())
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`FetchError::BadAnswer`].
    pub fn text(&self) -> Result<&str, FetchError> {
        std::str::from_utf8(&self.body).map_err(|_| self.bad())
    }

    /// The error of an answer that cannot be understood.
    #[must_use]
    pub fn bad(&self) -> FetchError {
        FetchError::BadAnswer { host: self.host.clone() }
    }
}

/// Longest code of a refusal, in bytes: ours have at most 40.
const MAX_CODE: usize = 64;

/// Whether it is the code of a refusal and not any text, which would be shown to people as it is.
fn is_code(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=MAX_CODE).contains(&text.len()) && text.bytes().all(plain)
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Answer, FetchError>> + Send + 'a>>;

/// The port: services fetch through this, tests answer by hand.
pub trait Fetch: Send + Sync {
    /// Fetches once.
    fn send(&self, request: Request) -> Fetching<'_>;
}

/// Why a fetcher could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The certificate authorities cannot be read.
    #[error(transparent)]
    Ca(#[from] TlsError),
    /// An entry of the allow-list is no host.
    #[error("`allow_private`: {0} is not a host, host:port or network")]
    AllowList(String),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// Fetches over the network.
pub struct Fetcher {
    /// For what the allow-list names: goes where the name leads.
    trusting: reqwest::Client,
    /// For all others: private addresses do not exist.
    guarded: reqwest::Client,
    allowed: AllowList,
    allow_plain: bool,
    timeout: Duration,
}

impl Fetcher {
    /// Sets up from configuration.
    ///
    /// # Errors
    /// Says which setting is wrong.
    pub fn new(config: &FetchConfig) -> Result<Self, SetupError> {
        let failed = |error: reqwest::Error| SetupError::Client(error.to_string());
        let allowed = AllowList::parse(&config.allow_private).map_err(SetupError::AllowList)?;
        let resolver = Arc::new(GuardedResolver(allowed.clone()));
        Ok(Self {
            trusting: client(config)?.build().map_err(failed)?,
            guarded: client(config)?.dns_resolver(resolver).build().map_err(failed)?,
            allowed,
            allow_plain: config.allow_plain,
            timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        })
    }

    async fn fetch(&self, request: Request) -> Result<Answer, FetchError> {
        let url = Url::parse(&request.url).map_err(|_| FetchError::Malformed)?;
        let client = self.client_for(&url)?;
        let host = host_of(&url);
        let exchange = self.exchange(client, url, request, host.clone());
        tokio::time::timeout(self.timeout, exchange).await.map_err(|_| FetchError::TooSlow { host })?
    }

    /// The client that may go there, if any.
    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, FetchError> {
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(FetchError::Malformed);
        }
        let allowed = self.allowed.holds(url);
        match url.scheme() {
            "https" => {}
            "http" if allowed && self.allow_plain => {}
            _ => return Err(FetchError::ForbiddenScheme),
        }
        if allowed {
            return Ok(&self.trusting);
        }
        // Addresses written as numbers never reach the resolver: they are judged here.
        if guard::literal(url).is_some_and(|address| !address::is_public(address)) {
            return Err(FetchError::ForbiddenAddress);
        }
        Ok(&self.guarded)
    }

    async fn exchange(
        &self,
        client: &reqwest::Client,
        url: Url,
        request: Request,
        host: String,
    ) -> Result<Answer, FetchError> {
        let mut building = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
        };
        for (name, value) in request.headers {
            building = building.header(name, value);
        }
        if let Some((kind, body)) = request.body {
            building = building.header("content-type", kind).body(body);
        }
        let mut response = building.send().await.map_err(|error| connect_failure(&error, &host))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(FetchError::Redirected { host });
        }
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let kind = header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let body = gather(&mut response, request.limit, &host).await?;
        Ok(Answer { host, status: status.as_u16(), kind, retry_after, body })
    }
}

impl Fetch for Fetcher {
    fn send(&self, request: Request) -> Fetching<'_> {
        Box::pin(self.fetch(request))
    }
}

fn client(config: &FetchConfig) -> Result<reqwest::ClientBuilder, SetupError> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("xinfu/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT)
        .http1_only();
    if config.ca.as_os_str().is_empty() {
        return Ok(builder);
    }
    let roots: Result<Vec<_>, _> =
        tls::certificates(&config.ca)?.iter().map(|der| reqwest::Certificate::from_der(der)).collect();
    Ok(builder.tls_certs_only(roots.map_err(|error| SetupError::Client(error.to_string()))?))
}

async fn gather(response: &mut reqwest::Response, limit: usize, host: &str) -> Result<Vec<u8>, FetchError> {
    let too_large = || FetchError::TooLarge { host: host.to_owned(), limit };
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| connect_failure(&error, host))? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Says in a few words why there was no answer; the library's own text may quote what was sent.
fn connect_failure(error: &reqwest::Error, host: &str) -> FetchError {
    let host = host.to_owned();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<PrivateAddress>() {
            return FetchError::ForbiddenAddress;
        }
        if current.is::<rustls::Error>() {
            return FetchError::Unreachable { host, reason: "its certificate is not trusted or TLS failed" };
        }
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            if io.kind() == std::io::ErrorKind::ConnectionRefused {
                return FetchError::Unreachable { host, reason: "connection refused" };
            }
            // rustls hides inside io errors, whose `source` skips it.
            if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                return FetchError::Unreachable { host, reason: "its certificate is not trusted or TLS failed" };
            }
        }
        cause = current.source();
    }
    if error.is_timeout() {
        return FetchError::TooSlow { host };
    }
    FetchError::Unreachable { host, reason: if error.is_connect() { "no connection" } else { "the connection broke" } }
}

fn host_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests;
