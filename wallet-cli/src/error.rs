//! Why a command could not be carried out, and the exit code that says so to a script.

use crate::moment::utc;
use crate::moving::MoveError;
use crate::{
    backup::BackupError, holdings::HoldingsError, passphrase::PassphraseError, phrase::PhraseError,
    picture::PictureError, ui::Ui, vault::VaultError,
};
use identity_core::{
    crypto::{KeyError, SigningFailed},
    duty::DutyError,
    oid4vci::{offer::OfferRefusal, wallet::WalletRefusal},
    oid4vp::{LinkError, RequestError, wallet::AnswerError},
    problem::Code,
    sd_jwt::SdJwtError,
    sd_jwt_vc::{CredentialError, TypeError},
    verdict::{EvidenceError, Refusal},
    x509::X509Error,
};
use service_kit::{chance::NoChance, fetch::FetchError, ledger_client::LedgerError};

/// What the exit status means; `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A fault of the program or the machine.
    Fault = 1,
    /// The command line is not understood.
    Usage = 2,
    /// The vault cannot be opened or written.
    Vault = 3,
    /// An issuer, a verifier or a rule of the wallet refused.
    Refused = 4,
    /// The holder declined.
    Declined = 5,
    /// Somebody could not be reached.
    Unreachable = 6,
    /// The vault holds nothing that fits.
    NothingFits = 7,
}

/// Why a command could not be carried out. Carries no claim value, key, code or token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The vault, or what its records say.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
    /// No passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// No link out of a picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A backup cannot be made or opened.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// No recovery phrase.
    #[error(transparent)]
    Phrase(#[from] PhraseError),
    /// A move to another device stands in the way, or there is none.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// A cost of guessing that no vault may have.
    #[error("the cost is outside its bounds")]
    Cost,
    /// `init` died half-way.
    #[error("the vault has no setup")]
    NoSetup,
    /// The trust root is not a policy file.
    #[error("the trust root cannot be read")]
    TrustRoot,
    /// The certificate authorities for services are none.
    #[error("{0}")]
    ClientAuthorities(X509Error),
    /// The certificate authorities or hosts of the setup cannot be used.
    #[error("the network settings cannot be used: {0}")]
    Network(String),
    /// Manual pages cannot be written where they were wanted.
    #[error("the files cannot be written there")]
    Unwritable,
    /// The system gives no randomness.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// A fetch failed.
    #[error(transparent)]
    Fetch(FetchError),
    /// The ledger could not be asked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No such number.
    #[error("there is no credential number {number}")]
    UnknownCredential {
        /// The number asked for.
        number: usize,
    },
    /// A rule of a protocol, with its own code.
    #[error("{detail}")]
    Protocol {
        /// The rule's code.
        code: Code,
        /// What failed, without values.
        detail: String,
    },
    /// The issuer wants a code that the holder was given.
    #[error("the issuer asks for a code")]
    TxCodeNeeded,
    /// What came is not what was offered, or not bound to our key.
    #[error("the credential that came is not what was offered: {0}")]
    Unfit(&'static str),
    /// Nothing in the vault answers the question.
    #[error("nothing in the vault answers the question")]
    NothingFits,
    /// A chosen credential does not answer the query it was chosen for.
    #[error("the credential chosen for `{query}` does not answer it")]
    Selection {
        /// The query's id.
        query: String,
    },
    /// The asker goes beyond its accreditation.
    #[error("the asker is not accredited to ask for this")]
    BeyondAccreditation,
    /// The file holds nothing that an official could sign.
    #[error("the file holds nothing to sign for")]
    Draft,
    /// The file that the official holds against an order is not what the order is about.
    #[error("the file is not what is to be signed for: {0}")]
    OtherContent(&'static str),
    /// Nobody can say what the asker may ask.
    #[error("what the asker may ask cannot be determined: {0}")]
    AskerUndetermined(String),
    /// The ledger proves that nobody has registered the key of the asker's certificate.
    #[error("nobody has registered the key of the asker's certificate on the ledger")]
    AskerUnregistered,
    /// The holder said no.
    #[error("the holder declined")]
    Declined,
    /// The answer may or may not have arrived.
    #[error("the answer was sent, and nobody said whether it arrived: {0}")]
    Unanswered(String),
    /// The asker refused what was shared.
    #[error("the asker refused what was shared")]
    ShareRefused {
        /// Its own code, if it said one of ours.
        code: Option<Code>,
    },
    /// The withdrawal is written down, and nobody answered it.
    #[error("nobody answered the withdrawal: {0}")]
    WithdrawalUnanswered(String),
    /// The withdrawal is written down, and was not validly acknowledged.
    #[error("the service did not acknowledge the withdrawal")]
    WithdrawalRefused {
        /// The service's code if it said one of ours, or what is wrong with its acknowledgement.
        code: Option<Code>,
    },
}

impl WalletError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Holdings(error) => error.code(),
            Self::Passphrase(error) => error.code(),
            Self::Picture(error) => error.code(),
            Self::Backup(error) => error.code(),
            Self::Phrase(error) => error.code(),
            Self::Move(error) => error.code(),
            Self::Cost => Code::WalletPasswdCost,
            Self::Unwritable => Code::WalletFilesUnwritable,
            Self::NoSetup => Code::WalletSetupMissing,
            Self::TrustRoot => Code::WalletSetupTrustRoot,
            Self::ClientAuthorities(error) => error.code(),
            Self::Network(_) => Code::WalletSetupNetwork,
            Self::NoChance(_) => Code::WalletVaultIo,
            Self::Fetch(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::UnknownCredential { .. } => Code::WalletCredentialUnknown,
            Self::Protocol { code, .. } => *code,
            Self::TxCodeNeeded => Code::WalletOfferTxCodeNeeded,
            Self::Unfit(_) => Code::WalletCredentialUnfit,
            Self::NothingFits => Code::WalletCredentialNothingFits,
            Self::Selection { .. } => Code::WalletCredentialSelection,
            Self::BeyondAccreditation => Code::WalletAskerBeyond,
            Self::Draft => Code::WalletDutyDraft,
            Self::OtherContent(_) => Code::WalletDutyContent,
            Self::AskerUndetermined(_) => Code::WalletAskerUndetermined,
            Self::AskerUnregistered => Code::VerdictAskerUnknown,
            Self::Declined => Code::WalletRequestDeclined,
            Self::Unanswered(_) => Code::WalletResponseUnanswered,
            Self::ShareRefused { code } => code.unwrap_or(Code::WalletResponseRefused),
            Self::WithdrawalUnanswered(_) => Code::WalletWithdrawalUnanswered,
            Self::WithdrawalRefused { code } => code.unwrap_or(Code::WalletWithdrawalRefused),
        }
    }

    /// The exit status.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Holdings(_) | Self::Passphrase(_) | Self::NoSetup => Exit::Vault,
            Self::Backup(_) | Self::Phrase(_) | Self::Move(_) => Exit::Vault,
            Self::Cost => Exit::Usage,
            Self::TrustRoot | Self::Network(_) | Self::UnknownCredential { .. } | Self::TxCodeNeeded => Exit::Usage,
            Self::Selection { .. } | Self::Picture(_) | Self::ClientAuthorities(_) | Self::Draft => Exit::Usage,
            Self::NoChance(_) | Self::Unwritable => Exit::Fault,
            Self::Fetch(error) | Self::Ledger(LedgerError::Fetch(error)) => exit_of_fetch(error),
            Self::Ledger(_) | Self::Protocol { .. } | Self::Unfit(_) | Self::OtherContent(_) => Exit::Refused,
            Self::BeyondAccreditation | Self::AskerUnregistered | Self::ShareRefused { .. } => Exit::Refused,
            Self::WithdrawalRefused { .. } => Exit::Refused,
            Self::NothingFits => Exit::NothingFits,
            Self::AskerUndetermined(_) | Self::Unanswered(_) | Self::WithdrawalUnanswered(_) => Exit::Unreachable,
            Self::Declined => Exit::Declined,
        }
    }
}

impl WalletError {
    /// Where it failed (a host, a place in the file, a query), for a person: the title says the rest.
    #[must_use]
    pub fn place(&self, ui: &Ui) -> Option<String> {
        match self {
            Self::Fetch(error) | Self::Ledger(LedgerError::Fetch(error)) => host_of(error).map(str::to_owned),
            Self::Selection { query } => Some(query.clone()),
            Self::Holdings(HoldingsError::Vault(VaultError::Damaged { offset })) => {
                Some(ui.text("wallet-place-byte", &[("offset", offset.to_string().into())]))
            }
            Self::Holdings(HoldingsError::Vault(VaultError::OlderThanSeen { records, time })) => {
                let values = [("records", records.to_string().into()), ("time", utc(*time).into())];
                Some(ui.text("wallet-place-older", &values))
            }
            Self::Phrase(PhraseError::UnknownWord { number }) => {
                Some(ui.text("wallet-place-word", &[("number", number.to_string().into())]))
            }
            Self::Holdings(HoldingsError::Vault(VaultError::Truncated { length, expected }))
            | Self::Backup(BackupError::Truncated { length, expected }) => {
                let values = [("length", length.to_string().into()), ("expected", expected.to_string().into())];
                Some(ui.text("wallet-place-cut", &values))
            }
            _ => None,
        }
    }
}

fn host_of(error: &FetchError) -> Option<&str> {
    match error {
        FetchError::Unreachable { host, .. }
        | FetchError::TooSlow { host }
        | FetchError::TooLarge { host, .. }
        | FetchError::Redirected { host }
        | FetchError::Refused { host, .. }
        | FetchError::BadAnswer { host } => Some(host),
        _ => None,
    }
}

fn exit_of_fetch(error: &FetchError) -> Exit {
    if error.is_passing() { Exit::Unreachable } else { Exit::Refused }
}

/// A refusal under one of our codes counts as that code: it says more than that somebody refused.
impl From<FetchError> for WalletError {
    fn from(error: FetchError) -> Self {
        let code = match &error {
            FetchError::Refused { code: Some(code), .. } => Code::parse(code),
            _ => None,
        };
        match code {
            Some(code) => Self::Protocol { code, detail: error.to_string() },
            None => Self::Fetch(error),
        }
    }
}

impl From<VaultError> for WalletError {
    fn from(error: VaultError) -> Self {
        Self::Holdings(error.into())
    }
}

/// Protocol errors keep their own code and words; none of them carries a value from the input.
macro_rules! protocol_errors {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for WalletError {
            fn from(error: $error) -> Self {
                Self::Protocol { code: error.code(), detail: error.to_string() }
            }
        })+
    };
}

protocol_errors!(
    AnswerError,
    CredentialError,
    DutyError,
    EvidenceError,
    KeyError,
    LinkError,
    OfferRefusal,
    Refusal,
    RequestError,
    SdJwtError,
    SigningFailed,
    TypeError,
    WalletRefusal,
);
