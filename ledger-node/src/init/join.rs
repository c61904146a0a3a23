//! A node for a chain that exists: its keys, its department's DID, its configuration, and the two files with which the
//! members can take it in.
//!
//! ```text
//! DIR/create.jws       creation of the department's DID, for a member to relay
//! DIR/validator.json   the validator's name, public keys and address, for a member to propose
//! ```
//!
//! and what `init` writes for a validator. The genesis file comes last: while it is missing, a second try starts afresh.

use std::path::PathBuf;

use identity_core::did::Did;
use rand::CryptoRng;

use super::node::NewNode;
use super::{InitError, OtherValidator, write};
use crate::chain::Chain;

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinOptions {
    /// Directory to make; it must not hold a node yet.
    pub directory: PathBuf,
    /// The chain's genesis file.
    pub genesis: Vec<u8>,
    /// Name of the validator in the chain, which no other ever had.
    pub name: String,
    /// The department, and how to reach its node. Without a `peer` address the node can only follow.
    pub department: OtherValidator,
}

/// A node that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The department's DID, not on the ledger yet.
    pub did: Did,
    /// Its creation, a compact JWS.
    pub create: PathBuf,
    /// The validator for the members to vote on.
    pub validator: PathBuf,
    /// The configuration file.
    pub config: PathBuf,
}

/// Makes a node for a chain that exists.
///
/// # Errors
/// [`InitError`], in plain words.
pub fn join(options: &JoinOptions, rng: &mut dyn CryptoRng) -> Result<Joined, InitError> {
    let directory = &options.directory;
    let genesis = directory.join("genesis.json");
    if genesis.exists() {
        return Err(InitError::Exists(directory.clone()));
    }
    let chain = Chain::new(options.genesis.clone())?;
    let among_others = !options.department.peer.is_empty();
    let name = &chain.genesis().chain;
    let node = NewNode::make(name, &options.name, among_others, &options.department, directory.clone(), rng)?;
    let config = node.write(&chain, rng)?;
    let (create, validator) = (directory.join("create.jws"), directory.join("validator.json"));
    write(&create, format!("{}\n", node.create().as_str()).as_bytes())?;
    let stated = serde_json::to_string_pretty(&node.validator()?).map_err(|_| InitError::Unwritable)?;
    write(&validator, format!("{stated}\n").as_bytes())?;
    write(&directory.join("trust-root"), chain.policy().as_bytes())?;
    write(&genesis, chain.genesis_file())?;
    Ok(Joined { did: node.create().did().clone(), create, validator, config })
}
