//! The genesis file: who founds the chain, who may accredit, who certifies. Its SHA-256 is part of the origin, so
//! one changed byte is another ledger.

use ledger::note::{SignatureKind, VerifierKey};
use ledger::policy::{MAX_VALIDATORS, Validator, ValidatorSet};
use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};

use super::block::Block;
use super::create::Create;
use super::history::Member;
use super::rules;
use super::services::is_name;
use super::state::{MEMBERS, Overlay, WriteSet, member_key};
use super::{NotApplied, Refused};
use crate::did::Did;
use crate::did::method::xinfu::is_chain_name;
use crate::encoding::json;
use crate::problem::Code;
use crate::time::UnixMillis;

/// Longest genesis file, in bytes: 21 validators and some hundred founders' creations of a few kB each.
const MAX_GENESIS_BYTES: usize = 4 * 1024 * 1024;

/// The genesis file, parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Name of the chain, `[a-z0-9-]{1,32}`.
    pub chain: String,
    /// Time of block 0, in milliseconds since the epoch.
    pub time: i64,
    /// The founding members.
    pub members: Vec<GenesisMember>,
    /// Members that may accredit from genesis: every chain of accreditations ends in one.
    pub authorities: Vec<Did>,
    /// The founders' creations, executed as block 0 in this order.
    pub creates: Vec<String>,
    /// Who certifies.
    pub validators: Vec<GenesisValidator>,
}

/// A founding member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisMember {
    /// Its DID, created in the same file.
    pub did: Did,
    /// Its name.
    pub name: String,
}

/// A validator's public keys. Raw keys, because their C2SP names contain the origin, which contains the digest of
/// this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisValidator {
    /// `[a-z0-9-]{1,32}`, unique.
    pub name: String,
    /// Ed25519 key that signs checkpoints (C2SP type 0x01), base64url.
    pub log: Hash,
    /// Ed25519 key that cosigns checkpoints (C2SP type 0x04), base64url.
    pub witness: Hash,
    /// How the other validators know and reach it; absent where one validator orders alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
}

/// What a validator is to the others that order with it: two more keys, distinct from those that certify, and where
/// it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Ed25519 key that votes on the order of transactions, base64url.
    pub consensus: Hash,
    /// Ed25519 key that authenticates connections between validators, base64url.
    pub transport: Hash,
    /// `host:port` where other validators connect.
    pub address: String,
}

/// What executing the genesis file gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisBlock {
    /// Block 0's leaves before its seal: the founders' creations, in order.
    pub leaves: Vec<String>,
    /// The first state.
    pub writes: WriteSet,
}

/// Why a genesis file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// Not the JSON object it should be.
    #[error("the genesis file is malformed: {0}")]
    Malformed(&'static str),
    /// A creation in it is refused.
    #[error("creation {which} in the genesis file is refused: {why}")]
    Create {
        /// Its place, counted from 0.
        which: usize,
        /// Why.
        why: Refused,
    },
    /// A member or an authority that no creation in the file makes.
    #[error("the genesis file names a DID that it does not create")]
    NotCreated,
}

impl GenesisError {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::RegistryGenesisMalformed,
            Self::Create { why, .. } => why.code(),
            Self::NotCreated => Code::RegistryGenesisNotCreated,
        }
    }
}

impl Genesis {
    /// Parses a genesis file and checks its form.
    ///
    /// # Errors
    /// [`GenesisError::Malformed`], saying which part.
    pub fn parse(bytes: &[u8]) -> Result<Self, GenesisError> {
        let limits = json::Limits { bytes: MAX_GENESIS_BYTES, ..super::LIMITS };
        let genesis: Self = json::read(bytes, limits).map_err(|_| GenesisError::Malformed("json"))?;
        genesis.check()?;
        Ok(genesis)
    }

    /// The ledger's origin: `xinfu/<chain>/<hex SHA-256 of the file's exact bytes>`.
    #[must_use]
    pub fn origin(&self, file: &[u8]) -> String {
        format!("xinfu/{}/{}", self.chain, sha256(file).to_hex())
    }

    /// The trust root that follows from the file: its validators and their quorum, as C2SP `tlog-policy` text. A
    /// witness key's name is `<origin>/<validator>`.
    ///
    /// # Errors
    /// [`GenesisError::Malformed`] if the validators make no set.
    pub fn trust_root(&self, origin: &str) -> Result<String, GenesisError> {
        let malformed = || GenesisError::Malformed("validators");
        let key = |name: &str, kind: SignatureKind, bytes: &Hash| {
            let key = ledger::ed25519::PublicKey::from_bytes(bytes.as_bytes()).ok()?;
            VerifierKey::new(name, kind, key).ok()
        };
        let validator = |validator: &GenesisValidator| {
            let witness_name = format!("{origin}/{}", validator.name);
            Some(Validator {
                name: validator.name.clone(),
                log: key(origin, SignatureKind::Ed25519, &validator.log)?,
                witness: key(&witness_name, SignatureKind::CosignatureV1, &validator.witness)?,
            })
        };
        let validators: Option<Vec<Validator>> = self.validators.iter().map(validator).collect();
        let set = ValidatorSet::new(origin, validators.ok_or_else(malformed)?).map_err(|_| malformed())?;
        Ok(set.to_policy_text())
    }

    /// Block 0, without transactions' envelopes: the file itself is what everybody agreed on.
    #[must_use]
    pub fn block(&self, origin: &str) -> Block {
        Block { chain: self.chain.clone(), origin: origin.to_owned(), height: 0, time: UnixMillis(self.time) }
    }

    /// Executes the genesis file: creates the founders' DIDs, at log indexes from 0, and admits them.
    ///
    /// # Errors
    /// [`GenesisError`] if a creation is refused or a member is not created.
    pub fn execute(&self, origin: &str) -> Result<GenesisBlock, GenesisError> {
        let empty = WriteSet::new();
        let mut state = Overlay::new(&empty);
        let block = self.block(origin);
        for (which, (text, index)) in self.creates.iter().zip(0_u64..).enumerate() {
            let create = Create::parse(text).map_err(|why| GenesisError::Create { which, why })?;
            rules::did::create(&mut state, &block, index, &create).map_err(|error| match error {
                NotApplied::Refused(why) => GenesisError::Create { which, why },
                NotApplied::State(_) => GenesisError::Malformed("state"),
            })?;
        }
        self.admit(&mut state)?;
        Ok(GenesisBlock { leaves: self.creates.clone(), writes: state.into_writes() })
    }

    fn admit(&self, state: &mut Overlay<'_>) -> Result<(), GenesisError> {
        let unreadable = |_: NotApplied| GenesisError::Malformed("state");
        for member in &self.members {
            let created: Option<super::DidHistory> =
                state.read(&super::state::did_key(&member.did)).map_err(unreadable)?;
            let from = created.ok_or(GenesisError::NotCreated)?.created;
            let authority = self.authorities.contains(&member.did);
            let value = Member { did: member.did.clone(), name: member.name.clone(), authority, from, until: None };
            state.write(member_key(&member.did), &value).map_err(unreadable)?;
        }
        let list: Vec<&Did> = self.members.iter().map(|member| &member.did).collect();
        state.write(MEMBERS.to_owned(), &list).map_err(unreadable)
    }

    fn check(&self) -> Result<(), GenesisError> {
        if !is_chain_name(&self.chain) {
            return Err(GenesisError::Malformed("chain"));
        }
        if self.time < 0 {
            return Err(GenesisError::Malformed("time"));
        }
        let names_sound = self.members.iter().all(|member| is_name(&member.name));
        if self.members.is_empty() || !names_sound || has_repetition(self.members.iter().map(|member| &member.did)) {
            return Err(GenesisError::Malformed("members"));
        }
        if !self.authorities.iter().all(|did| self.members.iter().any(|member| member.did == *did)) {
            return Err(GenesisError::Malformed("authorities"));
        }
        self.check_validators()
    }

    /// All keys are distinct: one stolen key must not speak for another.
    fn check_validators(&self) -> Result<(), GenesisError> {
        let count_sound = (1..=MAX_VALIDATORS).contains(&self.validators.len());
        let names_sound = self.validators.iter().all(|validator| is_chain_name(&validator.name));
        let repeated = has_repetition(self.validators.iter().map(|validator| &validator.name))
            || has_repetition(self.validators.iter().flat_map(GenesisValidator::keys));
        let keys_sound = self
            .validators
            .iter()
            .flat_map(GenesisValidator::keys)
            .all(|key| ledger::ed25519::PublicKey::from_bytes(key.as_bytes()).is_ok());
        let peers_sound = self.validators.iter().filter_map(|validator| validator.peer.as_ref()).all(Peer::is_sound);
        if count_sound && names_sound && !repeated && keys_sound && peers_sound {
            Ok(())
        } else {
            Err(GenesisError::Malformed("validators"))
        }
    }
}

impl GenesisValidator {
    fn keys(&self) -> impl Iterator<Item = &Hash> {
        let peer = self.peer.iter().flat_map(|peer| [&peer.consensus, &peer.transport]);
        [&self.log, &self.witness].into_iter().chain(peer)
    }
}

impl Peer {
    /// Longest address, in bytes: a host name of 253 and a port.
    const MAX_ADDRESS_BYTES: usize = 260;

    fn is_sound(&self) -> bool {
        let port = self.address.rsplit_once(':').map(|(host, port)| (host.is_empty(), port.parse::<u16>()));
        self.address.len() <= Self::MAX_ADDRESS_BYTES && matches!(port, Some((false, Ok(1..))))
    }
}

fn has_repetition<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    items.into_iter().any(|item| !seen.insert(item))
}
