//! The `status` claim of a credential: which list, which entry.

use serde::Serialize;
use serde_json::Value;

use super::error::StatusError;

/// Where a credential's status stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The entry.
    #[serde(rename = "idx")]
    pub index: usize,
    /// The list's address, which its token repeats as `sub`.
    pub uri: String,
}

impl Reference {
    /// Reads the `status` claim, whose member `status_list` is the one mechanism known.
    ///
    /// # Errors
    /// [`StatusError::Reference`], also for a status of another mechanism alone: it cannot be checked, so it
    /// cannot be passed over.
    pub fn from_claim(status: &Value) -> Result<Self, StatusError> {
        let list = status.get("status_list").ok_or(StatusError::Reference)?;
        let index = list.get("idx").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        let uri = list.get("uri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
        match (index, uri) {
            (Some(index), Some(uri)) => Ok(Self { index, uri: uri.to_owned() }),
            _ => Err(StatusError::Reference),
        }
    }
}
