//! Why a wallet stops on its way to a credential.

use crate::encoding::json::JsonError;
use crate::problem::Code;

use super::super::offer::OfferRefusal;

/// Why a wallet stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalletRefusal {
    /// The offer breaks a rule.
    #[error(transparent)]
    Offer(OfferRefusal),
    /// An answer is not the JSON it should be.
    #[error("the issuer's answer is malformed: {0}")]
    Json(JsonError),
    /// The issuer refused.
    #[error("the issuer refused with status {status}, {}", error.unwrap_or("without a known error name"))]
    ByIssuer {
        /// The HTTP status.
        status: u16,
        /// The specification's name of the error, if it is one.
        error: Option<&'static str>,
        /// Our own code, when the issuer is one of ours and its reason one of this protocol's.
        code: Option<Code>,
    },
    /// A document names another issuer than the one it was fetched from.
    #[error("the metadata names another issuer than the offer")]
    IssuerMixUp,
    /// The metadata has no such configuration.
    #[error("the issuer does not know the configuration it offered")]
    ConfigurationUnknown,
    /// Another format than SD-JWT VC.
    #[error("the credential format is not supported")]
    FormatUnsupported,
    /// The offer names an authorization server that the issuer does not list.
    #[error("the offer names an authorization server that the issuer does not list")]
    ServerUnknown,
    /// The authorization server takes no pre-authorized code.
    #[error("the authorization server takes no pre-authorized code")]
    GrantUnsupported,
    /// An endpoint is no URL that may be fetched.
    #[error("an endpoint of the issuer is not an https URL")]
    Endpoint,
    /// A transaction code is needed.
    #[error("a transaction code is needed")]
    TxCodeMissing,
    /// No transaction code is needed: it is not sent, since it may be meant for someone else.
    #[error("this offer wants no transaction code")]
    TxCodeUnexpected,
    /// The token is no bearer token.
    #[error("the access token is not a bearer token")]
    TokenType,
    /// The issuer has a nonce endpoint that was not asked.
    #[error("a nonce is needed")]
    NonceMissing,
    /// No key, or more than the issuer binds at once.
    #[error("the issuer does not bind this many keys at once")]
    BatchSize,
    /// The issuer takes no proof under this key's algorithm.
    #[error("the issuer takes no proof under this key's algorithm")]
    ProofAlgorithm,
    /// The issuer does not name keys in the way that was wished.
    #[error("the issuer does not bind keys in this way")]
    BindingMethod,
    /// The wallet's own key failed.
    #[error("the wallet's key could not sign")]
    Signing,
    /// The issuer wants to deliver later.
    #[error("the issuer delivers later, which is not supported yet")]
    Deferred,
    /// No credential, or more than keys.
    #[error("the issuer sent no credential, or more than were asked for")]
    CredentialCount,
    /// A credential is not an SD-JWT VC, or its signature or times do not hold.
    #[error("the credential does not hold: {}", .0.as_str())]
    Credential(Code),
    /// The credential names another issuer than the offer.
    #[error("the credential names another issuer than the offer")]
    CredentialIssuer,
    /// The credential is of another type than offered.
    #[error("the credential is of another type than offered")]
    CredentialType,
    /// The credential is bound to another key, or two to one.
    #[error("the credential is bound to another key than the one proven")]
    CredentialKey,
    /// The issuer's key document has no such key.
    #[error("the credential's signing key is not one that the issuer publishes")]
    IssuerKey,
}

impl WalletRefusal {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Offer(refusal) => refusal.code(),
            Self::Json(error) => error.code(),
            Self::ByIssuer { code: Some(code), .. } => code,
            Self::ByIssuer { code: None, .. } => Code::VciWalletRefusedByIssuer,
            Self::IssuerMixUp => Code::VciWalletIssuerMixUp,
            Self::ConfigurationUnknown => Code::VciWalletConfigurationUnknown,
            Self::FormatUnsupported => Code::VciWalletFormatUnsupported,
            Self::ServerUnknown => Code::VciWalletServerUnknown,
            Self::GrantUnsupported => Code::VciWalletGrantUnsupported,
            Self::Endpoint => Code::VciWalletEndpoint,
            Self::TxCodeMissing => Code::VciWalletTxCodeMissing,
            Self::TxCodeUnexpected => Code::VciWalletTxCodeUnexpected,
            Self::TokenType => Code::VciWalletTokenType,
            Self::NonceMissing => Code::VciWalletNonceMissing,
            Self::BatchSize => Code::VciWalletBatchSize,
            Self::ProofAlgorithm => Code::VciWalletProofAlgorithm,
            Self::BindingMethod => Code::VciWalletBindingMethod,
            Self::Signing => Code::VciWalletSigning,
            Self::Deferred => Code::VciWalletDeferred,
            Self::CredentialCount => Code::VciWalletCredentialCount,
            Self::Credential(code) => code,
            Self::CredentialIssuer => Code::VciWalletCredentialIssuer,
            Self::CredentialType => Code::VciWalletCredentialType,
            Self::CredentialKey => Code::VciWalletCredentialKey,
            Self::IssuerKey => Code::VciWalletIssuerKey,
        }
    }

    /// Whether a fresh nonce may help: the request may be repeated once.
    #[must_use]
    pub fn wants_fresh_nonce(self) -> bool {
        matches!(self, Self::ByIssuer { error: Some("invalid_nonce"), .. })
    }
}
