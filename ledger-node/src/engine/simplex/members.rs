//! Who orders together: the validators of one term, by the names that each layer has for them.
//!
//! A validator votes under one key and connects under another. The engine knows voters only, the network knows
//! connections only; [`super::naming`] stands between. Everything else of ours counts validators by their place in the
//! set.

use std::sync::Arc;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::registry::GenesisValidator;
use ledger::Hash;

use crate::term::Term;

/// The validators of one term. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Members(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    namespace: Vec<u8>,
    members: Vec<Member>,
}

/// One validator.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) consensus: PublicKey,
    pub(crate) transport: PublicKey,
    /// `host:port`.
    pub(crate) address: String,
}

/// The secret keys of one of them.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) consensus: PrivateKey,
    pub(crate) transport: PrivateKey,
}

impl Members {
    /// The validators of a term; nothing if one of them cannot be reached by others.
    pub(crate) fn of(term: &Term) -> Option<Self> {
        let member = |validator: &GenesisValidator| {
            let peer = validator.peer.as_ref()?;
            let (consensus, transport) = (public(&peer.consensus)?, public(&peer.transport)?);
            Some(Member { consensus, transport, address: peer.address.clone() })
        };
        let members = term.set.validators().iter().map(member).collect::<Option<Vec<_>>>()?;
        let namespace = format!("{}/epoch/{}", term.set.origin(), term.epoch).into_bytes();
        Some(Self(Arc::new(Inside { namespace, members })))
    }

    /// What every vote and every handshake says of chain and term, so that it means nothing in another.
    pub(crate) fn namespace(&self) -> &[u8] {
        &self.0.namespace
    }

    pub(crate) fn all(&self) -> &[Member] {
        &self.0.members
    }

    /// The place of a voter.
    pub(crate) fn place(&self, consensus: &PublicKey) -> Option<usize> {
        self.all().iter().position(|member| member.consensus == *consensus)
    }

    /// The key under which a voter connects.
    pub(crate) fn transport_of(&self, consensus: &PublicKey) -> Option<PublicKey> {
        self.all().iter().find(|member| member.consensus == *consensus).map(|member| member.transport.clone())
    }

    /// The key under which a connection votes.
    pub(crate) fn consensus_of(&self, transport: &PublicKey) -> Option<PublicKey> {
        self.all().iter().find(|member| member.transport == *transport).map(|member| member.consensus.clone())
    }

    /// The validator that these keys are of.
    pub(crate) fn find(&self, identity: &Identity) -> Option<&Member> {
        let (consensus, transport) = (identity.consensus.public_key(), identity.transport.public_key());
        self.all().iter().find(|member| member.consensus == consensus && member.transport == transport)
    }
}

impl Identity {
    /// Takes the keys as they are kept; nothing if one is not Ed25519.
    pub(crate) fn new(consensus: &SecretKey, transport: &SecretKey) -> Option<Self> {
        Some(Self { consensus: private(consensus)?, transport: private(transport)? })
    }
}

fn private(key: &SecretKey) -> Option<PrivateKey> {
    if key.alg() != Alg::EdDsa {
        return None;
    }
    PrivateKey::decode(Copying(key.to_bytes().as_slice())).ok()
}

fn public(bytes: &Hash) -> Option<PublicKey> {
    PublicKey::decode(Copying(bytes.as_bytes().as_slice())).ok()
}
