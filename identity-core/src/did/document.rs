//! DID documents (DID Core 1.0 §5), as far as signatures and services need them.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{Did, DidUrl};
use crate::crypto::PublicKey;
use crate::encoding::json::{self, JsonError, Limits};
use crate::encoding::limits;
use crate::jose::{Jwk, JwkError};
use crate::problem::Code;

/// What a key may be used for (DID Core 1.0 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relationship {
    /// Signs credentials and status lists.
    AssertionMethod,
    /// Signs request objects, receipts and acknowledgements.
    Authentication,
    /// Signs ledger transactions.
    CapabilityInvocation,
    /// Delegates; we never ask for it, `did:key` and `did:jwk` carry it.
    CapabilityDelegation,
}

impl Relationship {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::AssertionMethod, Self::Authentication, Self::CapabilityInvocation, Self::CapabilityDelegation];

    /// The member of the document that lists the keys for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
            Self::CapabilityInvocation => "capabilityInvocation",
            Self::CapabilityDelegation => "capabilityDelegation",
        }
    }
}

/// One key of a document and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationMethod {
    id: DidUrl,
    jwk: Jwk,
    relationships: Vec<Relationship>,
}

impl VerificationMethod {
    /// A key under its name.
    #[must_use]
    pub const fn new(id: DidUrl, jwk: Jwk, relationships: Vec<Relationship>) -> Self {
        Self { id, jwk, relationships }
    }

    /// Its name: what a `kid` says.
    #[must_use]
    pub const fn id(&self) -> &DidUrl {
        &self.id
    }

    /// The key.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// What it is for.
    #[must_use]
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "type": "JsonWebKey",
            "controller": self.id.did(),
            "publicKeyJwk": self.jwk.to_json(),
        })
    }
}

/// A service of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub id: DidUrl,
    /// Its type, such as `XinfuIssuer`.
    pub kind: String,
    /// Its URL.
    pub endpoint: String,
}

/// A DID document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    id: Did,
    methods: Vec<VerificationMethod>,
    services: Vec<Service>,
}

/// Why a document is refused, or a key is not found in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// Not strict JSON.
    #[error("DID document: {0}")]
    Json(JsonError),
    /// A member is missing or has another shape than DID Core 1.0 gives it.
    #[error("DID document is malformed")]
    Malformed,
    /// It is the document of another DID.
    #[error("DID document is for another DID")]
    IdMismatch,
    /// Two keys or services have the same name.
    #[error("DID document names two things alike")]
    DuplicateId,
    /// A key is controlled by another DID; we follow no chains of controllers.
    #[error("DID document has a key of another controller")]
    ForeignController,
    /// A key is no public key of ours.
    #[error("DID document key: {0}")]
    Key(JwkError),
    /// No key of this name.
    #[error("DID document has no such key")]
    UnknownKey,
    /// The key is there, but not for this use.
    #[error("DID document does not allow the key for this use")]
    WrongRelationship,
}

impl DocumentError {
    /// The code of the catalogue.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Json(error) => error.code(),
            Self::Malformed => Code::DidDocumentMalformed,
            Self::IdMismatch => Code::DidDocumentIdMismatch,
            Self::DuplicateId => Code::DidDocumentDuplicateId,
            Self::ForeignController => Code::DidDocumentForeignController,
            Self::Key(error) => error.code(),
            Self::UnknownKey => Code::DidKeyUnknown,
            Self::WrongRelationship => Code::DidKeyWrongUse,
        }
    }
}

impl Document {
    /// A document from its parts, which the caller knows to be consistent.
    #[must_use]
    pub const fn new(id: Did, methods: Vec<VerificationMethod>, services: Vec<Service>) -> Self {
        Self { id, methods, services }
    }

    /// The DID it describes.
    #[must_use]
    pub const fn id(&self) -> &Did {
        &self.id
    }

    /// Its keys.
    #[must_use]
    pub fn methods(&self) -> &[VerificationMethod] {
        &self.methods
    }

    /// Its services.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The key called `id`, if it may be used for `relationship`.
    ///
    /// # Errors
    /// [`DocumentError::UnknownKey`], [`DocumentError::WrongRelationship`].
    pub fn key(&self, id: &DidUrl, relationship: Relationship) -> Result<&PublicKey, DocumentError> {
        let method = self.methods.iter().find(|method| method.id == *id).ok_or(DocumentError::UnknownKey)?;
        if method.relationships.contains(&relationship) {
            Ok(method.jwk.key())
        } else {
            Err(DocumentError::WrongRelationship)
        }
    }

    /// The document as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = Map::new();
        let contexts = json!(["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"]);
        members.insert("@context".to_owned(), contexts);
        members.insert("id".to_owned(), json!(self.id));
        members.insert("verificationMethod".to_owned(), self.methods.iter().map(VerificationMethod::to_json).collect());
        for relationship in Relationship::ALL {
            let listed: Vec<Value> =
                self.methods.iter().filter(|m| m.relationships.contains(relationship)).map(|m| json!(m.id)).collect();
            if !listed.is_empty() {
                members.insert(relationship.name().to_owned(), Value::Array(listed));
            }
        }
        if !self.services.is_empty() {
            let services = self
                .services
                .iter()
                .map(|service| json!({"id": service.id, "type": service.kind, "serviceEndpoint": service.endpoint}));
            members.insert("service".to_owned(), services.collect());
        }
        Value::Object(members)
    }

    /// Reads the document of `expected`. Verification methods of kinds we do not know are skipped, as long as
    /// their names are sound: a document may serve others too.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse(text: &[u8], expected: &Did) -> Result<Self, DocumentError> {
        let members = json::parse_object(text, Limits::of(limits::DID_DOCUMENT)).map_err(DocumentError::Json)?;
        if members.get("id").and_then(Value::as_str) != Some(expected.as_str()) {
            return Err(DocumentError::IdMismatch);
        }
        let mut methods = Vec::new();
        for entry in list(&members, "verificationMethod")? {
            let id = entry_id(entry, expected)?;
            if methods.iter().any(|other: &(DidUrl, Option<Jwk>)| other.0 == id) {
                return Err(DocumentError::DuplicateId);
            }
            methods.push((id, read_key(entry, expected)?));
        }
        let uses = read_relationships(&members, expected)?;
        let methods = methods.into_iter().filter_map(|(id, jwk)| {
            let relationships = uses.iter().filter(|(_, named)| *named == id).map(|(relationship, _)| *relationship);
            let relationships = relationships.collect();
            Some(VerificationMethod { id, jwk: jwk?, relationships })
        });
        Ok(Self { id: expected.clone(), methods: methods.collect(), services: read_services(&members, expected)? })
    }
}

fn list<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], DocumentError> {
    match members.get(name) {
        None => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(DocumentError::Malformed),
    }
}

fn entry_id(entry: &Value, did: &Did) -> Result<DidUrl, DocumentError> {
    name_in(entry.get("id").and_then(Value::as_str).ok_or(DocumentError::Malformed)?, did)
}

/// A name may be absolute or, as DID Core allows, relative to the document.
fn name_in(text: &str, did: &Did) -> Result<DidUrl, DocumentError> {
    let url = match text.strip_prefix('#') {
        Some(fragment) => DidUrl::new(did.clone(), fragment),
        None => DidUrl::parse(text),
    };
    let url = url.map_err(|_| DocumentError::Malformed)?;
    if url.did() == did { Ok(url) } else { Err(DocumentError::IdMismatch) }
}

fn read_key(entry: &Value, did: &Did) -> Result<Option<Jwk>, DocumentError> {
    if entry.get("controller").and_then(Value::as_str) != Some(did.as_str()) {
        return Err(DocumentError::ForeignController);
    }
    match entry.get("publicKeyJwk").map(Jwk::from_value) {
        Some(Ok(jwk)) => Ok(Some(jwk)),
        None | Some(Err(JwkError::Unsupported | JwkError::Purpose)) => Ok(None),
        Some(Err(error)) => Err(DocumentError::Key(error)),
    }
}

fn read_relationships(members: &Map<String, Value>, did: &Did) -> Result<Vec<(Relationship, DidUrl)>, DocumentError> {
    let mut uses = Vec::new();
    for relationship in Relationship::ALL.iter().copied() {
        for entry in list(members, relationship.name())? {
            // An embedded key would be one more way to add a key; no method of ours writes it.
            let named = entry.as_str().ok_or(DocumentError::Malformed)?;
            uses.push((relationship, name_in(named, did)?));
        }
    }
    Ok(uses)
}

fn read_services(members: &Map<String, Value>, did: &Did) -> Result<Vec<Service>, DocumentError> {
    let mut services: Vec<Service> = Vec::new();
    for entry in list(members, "service")? {
        let id = entry_id(entry, did)?;
        if services.iter().any(|other| other.id == id) {
            return Err(DocumentError::DuplicateId);
        }
        let text = |name: &str| entry.get(name).and_then(Value::as_str).ok_or(DocumentError::Malformed);
        services.push(Service { id, kind: text("type")?.to_owned(), endpoint: text("serviceEndpoint")?.to_owned() });
    }
    Ok(services)
}

#[cfg(test)]
mod tests;
