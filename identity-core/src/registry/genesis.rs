//! The genesis file: who founds the chain, who may accredit, who certifies. Its SHA-256 is part of the origin, so
//! one changed byte is another ledger.

use ledger::ed25519::PublicKey;
use ledger::policy::MAX_VALIDATORS;
use ledger::{Hash, sha256};
use serde::{Deserialize, Serialize};

use super::block::Block;
use super::create::Create;
use super::history::Member;
use super::rules;
use super::services::is_name;
use super::state::{MEMBERS, Overlay, WriteSet, member_key};
use super::validators::{DEFAULT_EPOCH, MAX_EPOCH, Rules, validator_set};
use super::voting::VoteRule;
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
    /// Blocks in an epoch, after which the set of validators may be another; [`DEFAULT_EPOCH`] where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// When a proposal is accepted; two thirds of the members where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<VoteRule>,
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

/// A validator's public keys, in genesis and later. Raw keys, because their C2SP names contain the origin, which contains
/// the digest of the genesis file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisValidator {
    /// `[a-z0-9-]{1,32}`, unique.
    pub name: String,
    /// The member whose validator it is. Where it is absent, evidence against the validator suspends no member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Did>,
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
        let set = validator_set(origin, &self.validators).ok_or(GenesisError::Malformed("validators"))?;
        Ok(set.to_policy_text())
    }

    /// What the file fixes for the chain's whole life.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules { epoch: self.epoch.unwrap_or(DEFAULT_EPOCH), votes: self.votes.unwrap_or_default() }
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
        let (validators, seal_index) = (self.validators.clone(), u64::try_from(self.creates.len()).unwrap_or(u64::MAX));
        rules::validators::found(&mut state, &block, self.rules(), validators, seal_index)
            .map_err(|_| GenesisError::Malformed("validators"))?;
        Ok(GenesisBlock { leaves: self.creates.clone(), writes: state.into_writes() })
    }

    fn admit(&self, state: &mut Overlay<'_>) -> Result<(), GenesisError> {
        let unreadable = |_: NotApplied| GenesisError::Malformed("state");
        for member in &self.members {
            let created: Option<super::DidHistory> =
                state.read(&super::state::did_key(&member.did)).map_err(unreadable)?;
            let from = created.ok_or(GenesisError::NotCreated)?.created;
            let authority = self.authorities.contains(&member.did);
            let value = Member::new(member.did.clone(), &member.name, authority, from);
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
        if !(1..=MAX_EPOCH).contains(&self.rules().epoch) {
            return Err(GenesisError::Malformed("epoch"));
        }
        if !self.rules().votes.is_sound() {
            return Err(GenesisError::Malformed("votes"));
        }
        self.check_validators()
    }

    /// All keys are distinct: one stolen key must not speak for another.
    fn check_validators(&self) -> Result<(), GenesisError> {
        let count_sound = (1..=MAX_VALIDATORS).contains(&self.validators.len());
        let repeated = has_repetition(self.validators.iter().map(|validator| &validator.name))
            || has_repetition(self.validators.iter().filter_map(|validator| validator.member.as_ref()))
            || has_repetition(self.validators.iter().flat_map(GenesisValidator::keys));
        let is_member = |did: &Did| self.members.iter().any(|member| member.did == *did);
        let of_members = self.validators.iter().filter_map(|validator| validator.member.as_ref()).all(is_member);
        if count_sound && !repeated && of_members && self.validators.iter().all(GenesisValidator::is_sound) {
            Ok(())
        } else {
            Err(GenesisError::Malformed("validators"))
        }
    }
}

impl GenesisValidator {
    pub(super) fn keys(&self) -> impl Iterator<Item = &Hash> {
        let peer = self.peer.iter().flat_map(|peer| [&peer.consensus, &peer.transport]);
        [&self.log, &self.witness].into_iter().chain(peer)
    }

    /// Whether name, keys and address are of the right form.
    pub(super) fn is_sound(&self) -> bool {
        let sound = |key: &Hash| PublicKey::from_bytes(key.as_bytes()).is_ok();
        is_chain_name(&self.name) && self.keys().all(sound) && self.peer.as_ref().is_none_or(Peer::is_sound)
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

pub(super) fn has_repetition<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    items.into_iter().any(|item| !seen.insert(item))
}
