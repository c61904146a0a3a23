//! Making requests and handing them to wallets.

use identity_core::crypto::{KeyError, SigningFailed};
use identity_core::duty::{Attestation, CaseNumber, DutyError};
use identity_core::jose::jwe::DecryptionKey;
use identity_core::oid4vp::request::{RequestUriMethod, is_url_safe};
use identity_core::oid4vp::same_device::{AddressRefused, Binding};
use identity_core::oid4vp::{Ask, QueryRefused, RequestLink, Session};
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use serde_json::Value;
use service_kit::audit::Act;
use service_kit::store::StoreError;
use url::Url;

use super::attest::By;
use super::redeem::{cookie_name, set_cookie};
use crate::client::Prefix;
use crate::policy::{AnchorPolicy, Grounds, NamedQuery, Policy};
use crate::service::Verifier;
use crate::store::RequestRecord;

/// A question to put to a wallet.
#[derive(Debug)]
pub(crate) enum Asked {
    /// One of the configuration.
    Named(String),
    /// One made up for this request; judged strictly, since nobody said otherwise.
    Dcql {
        /// The DCQL query.
        query: Value,
        /// What for.
        purpose: Option<String>,
        /// Whether anchor proofs are required.
        anchor: AnchorPolicy,
        /// On what grounds.
        grounds: Grounds,
    },
}

/// Where the wallet is, seen from the browser or desk that asks.
#[derive(Debug)]
pub(crate) enum Flow {
    /// On another device. The result is the admin API's.
    CrossDevice,
    /// On the browser's own. The result is for the browser that comes back to this address.
    SameDevice { return_url: String },
}

/// How the wallet's answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// As a form.
    #[default]
    DirectPost,
    /// Encrypted to a key that is made for this one request.
    DirectPostJwt,
}

impl Mode {
    /// By the name of the response mode.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "direct_post" => Some(Self::DirectPost),
            "direct_post.jwt" => Some(Self::DirectPostJwt),
            _ => None,
        }
    }
}

/// How a request reaches its wallet, and how the answer comes back.
#[derive(Debug)]
pub(crate) struct Manner {
    pub(crate) flow: Flow,
    pub(crate) mode: Mode,
    /// Under which of our names.
    pub(crate) prefix: Prefix,
}

/// The cookie that binds a browser to a request.
#[derive(Debug)]
pub(crate) struct BrowserCookie {
    pub(crate) name: String,
    /// Value of the `Set-Cookie` header.
    pub(crate) header: String,
}

/// A request that waits for its wallet.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: String,
    /// The link for the wallet; none while an official's signature is missing.
    pub(crate) link: Option<String>,
    /// What an official is to sign first.
    pub(crate) to_attest: Option<Attestation>,
    pub(crate) expires: UnixSeconds,
    /// Why wallets will refuse it, as far as we know.
    pub(crate) warnings: Vec<Code>,
    /// For the application to set in the browser, with the page or redirect that carries the link.
    pub(crate) cookie: Option<BrowserCookie>,
    /// The case that the data is wanted for.
    pub(crate) case: Option<CaseNumber>,
}

/// Why no request was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    #[error("no query of this name is configured")]
    UnknownQuery,
    #[error("no certificate is configured, so there is no client identifier of this prefix")]
    NoCertificate,
    #[error(transparent)]
    Refused(#[from] QueryRefused),
    #[error(transparent)]
    ReturnUrl(#[from] AddressRefused),
    #[error("{0}: {1}")]
    Grounds(&'static str, String),
    #[error(transparent)]
    Duty(#[from] DutyError),
    #[error("the request could not be signed")]
    Signing,
    #[error("no key could be made to encrypt the answer to")]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MakeError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::UnknownQuery => Code::VpRequestQueryUnknown,
            Self::NoCertificate => Code::VpClientIdUnsupported,
            Self::Refused(error) => error.code(),
            Self::Grounds(..) => Code::VpRequestMalformed,
            Self::Duty(error) => error.code(),
            Self::ReturnUrl(error) => error.code(),
            Self::Signing | Self::Key(_) => Code::HttpInternal,
            Self::Store(error) => error.code(),
        }
    }
}

impl From<SigningFailed> for MakeError {
    fn from(_: SigningFailed) -> Self {
        Self::Signing
    }
}

/// Why a wallet got no request object.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("there is no such request")]
    Unknown,
    #[error("the request has expired")]
    Expired,
    #[error("the request has been answered")]
    Answered,
    #[error("no official answers for the request yet")]
    Unattested,
    #[error("wallet_nonce is too long or not URL-safe")]
    WalletNonce,
    #[error("the certificate that the request was made with was replaced")]
    Renamed,
    #[error("the request could not be signed")]
    Signing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FetchError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::VpRequestUnknown,
            Self::Expired | Self::Renamed => Code::VpRequestExpired,
            Self::Answered => Code::VpResponseReplayed,
            Self::Unattested => Code::DutyMissing,
            Self::WalletNonce => Code::VpRequestWalletNonce,
            Self::Signing => Code::HttpInternal,
            Self::Store(error) => error.code(),
        }
    }
}

impl Verifier {
    /// Makes and keeps a request; signs it once somebody answers for it. A question beyond our own accreditation is made
    /// all the same, with a warning: the wallet is the one to refuse it. One beyond the duty is not.
    pub(crate) async fn make_request(&self, act: Act, asked: Asked, manner: Manner, by: By) -> Result<Made, MakeError> {
        let Manner { flow, mode, prefix } = manner;
        let client = self.client(prefix).ok_or(MakeError::NoCertificate)?;
        let NamedQuery { dcql, policy } = self.question(asked)?;
        let (browser, cookie) = match flow {
            Flow::CrossDevice => (None, None),
            Flow::SameDevice { return_url } => {
                let (binding, cookie) = Binding::begin(&return_url, self.transport, &mut *self.chance.rng())?;
                (Some(binding), Some(cookie))
            }
        };
        let key = match mode {
            Mode::DirectPost => None,
            Mode::DirectPostJwt => Some(DecryptionKey::generate(&mut *self.chance.rng())?),
        };
        let now = self.clock.now();
        let ask = Ask {
            client_id: client.id.clone(),
            dcql_query: dcql,
            purpose: policy.purpose.clone(),
            anchor: Some(policy.anchor.wish()),
            encrypt_to: key.as_ref().map(|key| key.public().clone()),
            lifetime: self.request_lifetime,
        };
        let mut session = Session::make(ask, |id| self.endpoint("responses", id), now, &mut *self.chance.rng())?;
        let is_official = by.official.is_some();
        let duty = by.official.or_else(|| self.service_duty.clone()).ok_or(DutyError::Missing)?;
        let case = by.case.map(|number| CaseNumber::salted(number, &mut *self.chance.rng()));
        let (session_json, official) = (session.to_json(), is_official);
        let mut record =
            RequestRecord { session: session_json, signed: None, policy, created: now, browser, duty, official, case };
        let (mut warnings, mut to_attest) = (Vec::new(), None);
        if is_official {
            to_attest = Some(self.to_attest(&record, &session)?);
        } else {
            warnings = self.attest_ourselves(&record, &mut session, now).await?;
            (record.session, record.signed) = (session.to_json(), Some(self.sign(&session)?));
        }
        let expires = session.parameters.expires;
        self.store.open(&act.on(&session.id), &session.id, &record, key.as_ref().map(|key| (key, expires))).await?;
        warnings.extend(self.evidence.over_asking(&session.parameters, now));
        let cookie = cookie.map(|cookie| BrowserCookie {
            name: cookie_name(&session.id),
            header: set_cookie(&session.id, &cookie, self.request_lifetime),
        });
        let link = record.signed.is_some().then(|| self.link(&session));
        Ok(Made { id: session.id, link, to_attest, expires, warnings, cookie, case: record.case })
    }

    /// The request object, signed under the name that the request was made under.
    pub(super) fn sign(&self, session: &Session) -> Result<String, MakeError> {
        let client = self.client_named(&session.parameters.client_id).ok_or(MakeError::NoCertificate)?;
        Ok(session.request_object(None, client.signed_by(), &client.key)?)
    }

    /// The signed request object for a wallet, with its nonce if it sent one. Writes nothing: nobody is
    /// authenticated here.
    pub(crate) async fn request_object(&self, id: &str, wallet_nonce: Option<&str>) -> Result<String, FetchError> {
        if wallet_nonce.is_some_and(|nonce| !is_url_safe(nonce)) {
            return Err(FetchError::WalletNonce);
        }
        let (record, session) = self.load(id).await?.ok_or(FetchError::Unknown)?;
        if self.clock.now() >= session.parameters.expires {
            return Err(FetchError::Expired);
        }
        if self.store.is_taken(&session.parameters.nonce).await? {
            return Err(FetchError::Answered);
        }
        let signed = record.signed.ok_or(FetchError::Unattested)?;
        match wallet_nonce {
            None => Ok(signed),
            Some(_) => {
                let client = self.client_named(&session.parameters.client_id).ok_or(FetchError::Renamed)?;
                let signed = session.request_object(wallet_nonce, client.signed_by(), &client.key);
                signed.map_err(|SigningFailed| FetchError::Signing)
            }
        }
    }

    /// The link that leads a wallet to a request.
    pub(crate) fn link(&self, session: &Session) -> String {
        let request_uri = self.endpoint("requests", &session.id);
        let client_id = session.parameters.client_id.clone();
        RequestLink { client_id, request_uri, method: RequestUriMethod::Post }.to_string()
    }

    /// The request and its session, if it is still kept.
    pub(crate) async fn load(&self, id: &str) -> Result<Option<(RequestRecord, Session)>, StoreError> {
        let Some(record) = self.store.request(id).await? else { return Ok(None) };
        let session = record.session.as_object().and_then(|stored| Session::from_json(stored, self.transport).ok());
        let session = session.ok_or_else(|| StoreError::Corrupt("a session is not readable".to_owned()))?;
        Ok(Some((record, session)))
    }

    fn question(&self, asked: Asked) -> Result<NamedQuery, MakeError> {
        match asked {
            Asked::Named(name) => self.queries().get(&name).cloned().ok_or(MakeError::UnknownQuery),
            Asked::Dcql { query, purpose, anchor, grounds } => {
                if let Some((key, reason)) = grounds.fault(self.keep_cases) {
                    return Err(MakeError::Grounds(key, reason));
                }
                let policy = Policy { purpose, anchor, accept_undetermined_status: false, grounds };
                Ok(NamedQuery { dcql: query, policy })
            }
        }
    }

    fn endpoint(&self, kind: &str, id: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(kind).push(id);
        }
        url
    }
}
