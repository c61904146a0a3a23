//! What a DID's committed recovery key may say: recover, deactivate, report a compromise.
//!
//! The recovery key stands in no document; the ledger holds only its thumbprint, so the key comes along and is held
//! against the commitment in force. That is also what binds an act to its moment: a commitment is used by one `recover`
//! and never stands a second time in the same history, so whatever an earlier recovery key signed is worth nothing. It
//! is *not* bound to the last change of the document: whoever stole a key could then stop every recovery by changing
//! something first. Such an act rides inside a member's `relay`; its holder need not be a member.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::create::{check_keys, is_base64url_of};
use super::keys::KeyEntry;
use super::transaction::Compromise;
use super::{LIMITS, MAX_RECOVERED_KEYS, MAX_TRANSACTION_BYTES, Refused};
use crate::did::Did;
use crate::encoding::json;
use crate::jose::{ExpectedTyp, Jwk, UnverifiedJws, typ};

/// An act under a recovery key whose form and signature are checked. Whether the key is the one that the DID committed
/// to is the ledger's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryAct {
    jws: String,
    envelope: RecoveryEnvelope,
    operation: RecoveryOperation,
}

/// What every act under a recovery key says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryEnvelope {
    /// Origin of the ledger it is for.
    pub aud: String,
    /// The DID it is about.
    pub did: Did,
    /// Unix seconds from which it is no longer accepted.
    pub exp: i64,
    /// The recovery key, which signed this.
    pub recovery_key: Jwk,
}

/// What an act under a recovery key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryOperation {
    /// Ends all keys and sets new ones.
    Recover(Recover),
    /// Ends the DID.
    Deactivate,
    /// Reports a key as stolen.
    Compromise(Compromise),
}

/// Members of `recover`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// The new keys; all earlier ones end.
    pub keys: Vec<KeyEntry>,
    /// Commitment to the next recovery key: base64url of its RFC 7638 thumbprint.
    pub recovery: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMembers {}

impl RecoveryAct {
    /// Parses an act under a recovery key and checks everything that needs no state: form, keys and signature.
    ///
    /// # Errors
    /// [`Refused`], each reason with its own code.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        if text.len() > MAX_TRANSACTION_BYTES {
            return Err(Refused::TooLarge { got: text.len(), limit: MAX_TRANSACTION_BYTES });
        }
        let jws = UnverifiedJws::parse(text).map_err(|_| Refused::RecoveryMalformed("jws"))?;
        if jws.header().typ() != Some(typ::RECOVERY) {
            return Err(Refused::WrongType);
        }
        let payload = jws.dangerous_payload();
        let mut members = json::parse_object(payload, LIMITS).map_err(|_| Refused::RecoveryMalformed("payload"))?;
        let envelope = take_envelope(&mut members)?;
        let operation = take_operation(members)?;
        let expected = ExpectedTyp::Exactly(typ::RECOVERY);
        jws.verify_low_s(envelope.recovery_key.key(), expected).map_err(|_| Refused::RecoverySignature)?;
        Ok(Self { jws: text.to_owned(), envelope, operation })
    }

    /// The exact text that was signed and travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.jws
    }

    /// Ledger, DID, expiry and key.
    #[must_use]
    pub fn envelope(&self) -> &RecoveryEnvelope {
        &self.envelope
    }

    /// What it does.
    #[must_use]
    pub fn operation(&self) -> &RecoveryOperation {
        &self.operation
    }
}

fn take_envelope(members: &mut Map<String, Value>) -> Result<RecoveryEnvelope, Refused> {
    let names = ["aud", "did", "exp", "recovery_key"];
    let taken: Map<String, Value> =
        names.into_iter().filter_map(|name| Some((name.to_owned(), members.remove(name)?))).collect();
    serde_json::from_value(Value::Object(taken))
        .map_err(|_| Refused::RecoveryMalformed("aud, did, exp or recovery_key"))
}

fn take_operation(mut members: Map<String, Value>) -> Result<RecoveryOperation, Refused> {
    match members.remove("op").as_ref().and_then(Value::as_str) {
        Some("recover") => {
            let recover: Recover = typed(members)?;
            check_recover(&recover)?;
            Ok(RecoveryOperation::Recover(recover))
        }
        Some("deactivate") => typed(members).map(|NoMembers {}| RecoveryOperation::Deactivate),
        Some("compromise") => typed(members).map(RecoveryOperation::Compromise),
        Some(_) => Err(Refused::UnknownOperation),
        None => Err(Refused::RecoveryMalformed("op")),
    }
}

fn typed<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Refused> {
    serde_json::from_value(Value::Object(members)).map_err(|_| Refused::RecoveryMalformed("members of the operation"))
}

fn check_recover(recover: &Recover) -> Result<(), Refused> {
    if recover.keys.len() > MAX_RECOVERED_KEYS {
        return Err(Refused::TooMany);
    }
    if !is_base64url_of(&recover.recovery, 32) {
        return Err(Refused::RecoveryCommitment);
    }
    check_keys(&recover.keys)
}

impl RecoveryOperation {
    /// Name and members, as they stand in the payload beside the envelope.
    pub(super) fn to_members(&self) -> Result<(&'static str, Value), serde_json::Error> {
        Ok(match self {
            Self::Recover(recover) => ("recover", serde_json::to_value(recover)?),
            Self::Deactivate => ("deactivate", Value::Object(Map::new())),
            Self::Compromise(report) => ("compromise", serde_json::to_value(report)?),
        })
    }
}
