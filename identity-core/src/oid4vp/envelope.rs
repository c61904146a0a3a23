//! The parameters of an answer, out of a form or out of an encrypted token (OpenID4VP 1.0 §8.2, §8.3.1).
//!
//! In a form each value is text, and `vp_token` is JSON written as text; in a token each value is JSON itself.

use serde_json::{Map, Value};

use super::error::ResponseError;
use super::response::{MAX_RESPONSE_BYTES, strict};
use crate::encoding::json::{self, Limits};
use crate::jose::jwe::{self, DecryptionKey};
use crate::oauth::form::Form;

/// What an answer says, in the mode that was asked for. Nothing in it is believed yet.
pub(super) enum Envelope {
    Form(Form),
    Token(Map<String, Value>),
}

impl Envelope {
    /// The body of a `direct_post`.
    pub(super) fn plain(body: &[u8]) -> Result<Self, ResponseError> {
        let form = form(body)?;
        if form.get("response").is_some() {
            return Err(ResponseError::Encrypted);
        }
        Ok(Self::Form(form))
    }

    /// The body of a `direct_post.jwt`. A wallet that cannot encrypt may say so, and why, in plain.
    pub(super) fn encrypted(body: &[u8], key: &DecryptionKey) -> Result<Self, ResponseError> {
        let form = form(body)?;
        let Some(token) = form.get("response") else {
            let only_an_error = form.get("error").is_some() && form.get("vp_token").is_none();
            return if only_an_error { Ok(Self::Form(form)) } else { Err(ResponseError::NotEncrypted) };
        };
        if form.get("vp_token").is_some() || form.get("error").is_some() {
            return Err(ResponseError::Malformed);
        }
        let content = jwe::decrypt(token, key, MAX_RESPONSE_BYTES)?;
        let members = json::parse_object(&content, Limits::of(MAX_RESPONSE_BYTES));
        members.map(Self::Token).map_err(|_| ResponseError::Malformed)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Form(form) => form.get(name).is_some(),
            Self::Token(members) => members.contains_key(name),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self {
            Self::Form(form) => form.get(name),
            Self::Token(members) => members.get(name)?.as_str(),
        }
    }

    /// Takes a parameter that is JSON; none if it is not there or no JSON.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        match self {
            Self::Form(form) => form.get(name).and_then(strict),
            Self::Token(members) => members.remove(name),
        }
    }
}

fn form(body: &[u8]) -> Result<Form, ResponseError> {
    if body.len() > MAX_RESPONSE_BYTES {
        return Err(ResponseError::TooLarge);
    }
    Form::parse(body).map_err(|_| ResponseError::Malformed)
}
