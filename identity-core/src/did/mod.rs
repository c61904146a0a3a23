//! Decentralized identifiers: syntax, documents (DID Core 1.0), and the methods we resolve without the network.
//!
//! `did:key` and `did:jwk` are their own documents. A `did:xinfu` is resolved from the ledger's state, so
//! [`resolve`] answers with the state key to fetch and prove. This module fetches nothing.

mod document;
mod identifier;
pub mod method;
mod resolve;
mod url;

pub use document::{Document, DocumentError, Relationship, Service, VerificationMethod};
pub use identifier::{Did, DidError};
pub use resolve::{Resolution, resolve, spelled_out};
pub use url::DidUrl;
