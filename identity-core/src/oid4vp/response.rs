//! What a wallet posts back: `vp_token`, and beside it the anchor proofs (OpenID4VP 1.0 §8).
//!
//! `vp_token` is always an object from credential query ids to **arrays** of presentations, also
//! when there is one; a bare string, number or array is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::ResponseError;
use crate::dcql::{self, OutlineError};
use crate::encoding::json;

/// The largest response body read, in bytes. A presentation of every claim of our largest type
/// with its anchor proof stays under 64 KiB, form encoding included; four of them fit.
pub const MAX_RESPONSE_BYTES: usize = 256 * 1024;
/// Presentations by credential query id, as the wallet sent them: nothing about them is verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VpToken(pub BTreeMap<String, Vec<String>>);

impl VpToken {
    /// Parses `vp_token` and holds its outline against the question.
    ///
    /// # Errors
    /// [`ResponseError`]: not an object of arrays of strings, an id that was not asked for, one
    /// that was asked for and is missing, several presentations where one was asked for, one credential twice.
    pub fn parse(text: &str, query: &dcql::Query) -> Result<Self, ResponseError> {
        Self::from_value(strict(text).ok_or(ResponseError::VpToken)?, query)
    }

    /// As [`Self::parse`], from JSON that was read strictly.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_value(value: Value, query: &dcql::Query) -> Result<Self, ResponseError> {
        let Value::Object(members) = value else {
            return Err(ResponseError::VpToken);
        };
        let mut token = BTreeMap::new();
        for (id, value) in members {
            token.insert(id, array_of_strings(value)?);
        }
        query.check_outline(&token).map_err(|error| match error {
            OutlineError::Unasked => ResponseError::Unasked,
            OutlineError::Unanswered => ResponseError::Unanswered,
            OutlineError::Count => ResponseError::TooMany,
            OutlineError::Twice => ResponseError::Twice,
        })?;
        Ok(Self(token))
    }

    /// The parameter's value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|(id, list)| (id.clone(), Value::from(list.clone())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

fn array_of_strings(value: Value) -> Result<Vec<String>, ResponseError> {
    let Value::Array(items) = value else { return Err(ResponseError::VpToken) };
    if items.is_empty() {
        return Err(ResponseError::VpToken);
    }
    items
        .into_iter()
        .map(|item| match item {
            Value::String(text) => Ok(text),
            _ => Err(ResponseError::VpToken),
        })
        .collect()
}

/// Anchor proofs by credential query id, in the order of the presentations; nothing verified.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Anchors(pub BTreeMap<String, Vec<Value>>);

impl Anchors {
    /// Parses `xinfu_anchor`: for each id of `token`, as many proofs as presentations.
    ///
    /// # Errors
    /// [`ResponseError::Anchors`] when ids or counts differ or a proof is no object.
    pub fn parse(text: &str, token: &VpToken) -> Result<Self, ResponseError> {
        Self::from_value(strict(text).ok_or(ResponseError::Anchors)?, token)
    }

    /// As [`Self::parse`], from JSON that was read strictly.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_value(value: Value, token: &VpToken) -> Result<Self, ResponseError> {
        let Value::Object(members) = value else {
            return Err(ResponseError::Anchors);
        };
        let mut anchors = BTreeMap::new();
        for (id, value) in members {
            let presentations = token.0.get(&id).ok_or(ResponseError::Anchors)?;
            let Value::Array(proofs) = value else { return Err(ResponseError::Anchors) };
            if proofs.len() != presentations.len() || !proofs.iter().all(Value::is_object) {
                return Err(ResponseError::Anchors);
            }
            anchors.insert(id, proofs);
        }
        Ok(Self(anchors))
    }

    /// Whether every presentation of `token` has its proof.
    #[must_use]
    pub fn cover(&self, token: &VpToken) -> bool {
        token.0.keys().all(|id| self.0.contains_key(id))
    }

    /// The parameter's value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|(id, list)| (id.clone(), Value::from(list.clone())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

pub(super) fn strict(text: &str) -> Option<Value> {
    json::parse_strict(text.as_bytes(), json::Limits::of(MAX_RESPONSE_BYTES)).ok()
}
