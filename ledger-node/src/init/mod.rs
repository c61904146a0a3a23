//! Founding a chain: keys, genesis file, trust root and configuration, in one new directory.
//!
//! ```text
//! DIR/genesis.json   the chain's definition; its SHA-256 is part of the origin
//! DIR/trust-root     what verifiers need, a C2SP tlog-policy file
//! DIR/ledger.toml    configuration of this node
//! DIR/operator.json  the operator's DID and the names of its keys
//! DIR/keys/*.jwk     private keys, readable by their owner only
//! DIR/data/          the node's data, empty
//! ```
//!
//! Where several validators are founded together, each has such a directory, `DIR/node0` and so on, whole in itself so
//! that it can be carried to its department; `DIR/genesis.json` and `DIR/trust-root` stand beside them once more.

mod join;
mod node;
mod prepare;

use std::path::{Path, PathBuf};

use identity_core::did::Did;
use identity_core::did::method::xinfu::is_chain_name;
use identity_core::registry::{Create, Genesis, GenesisMember, Label, Refused};
use identity_core::time::UnixMillis;
use rand::CryptoRng;
use service_kit::keyfile::KeyFileError;
use service_kit::whole_file;

use crate::chain::{Chain, ChainError};
use crate::config::Config;
use node::NewNode;

pub use join::{JoinOptions, Joined, join};
pub use prepare::prepare;

/// A founding member beside the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founder {
    /// Its name in the consortium.
    pub name: String,
    /// The creation of its DID, a compact JWS that it made itself.
    pub create: String,
}

/// What to found.
#[derive(Debug, Clone, PartialEq)]
pub struct InitOptions {
    /// Directory to make; it must not hold a chain yet.
    pub directory: PathBuf,
    /// Name of the chain, `[a-z0-9-]{1,32}`.
    pub chain: String,
    /// Name of the department that operates this node and accredits the others.
    pub operator: String,
    /// The operator's public name for wallets.
    pub label: Option<Label>,
    /// Public address of the node, registered as the operator's service; none for a chain that is only tried out.
    pub url: Option<String>,
    /// The other founders.
    pub founders: Vec<Founder>,
    /// Configuration to write; the paths of keys, genesis file and data are filled in.
    pub config: Config,
    /// Where the other validators reach this node, `host:port`; none for a node that orders alone.
    pub peer: Option<String>,
    /// The other validators, each a founding member.
    pub others: Vec<OtherValidator>,
}

/// Another department's node.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherValidator {
    /// Name of the department that operates it.
    pub operator: String,
    /// Its public name for wallets.
    pub label: Option<Label>,
    /// Public address of the node.
    pub url: Option<String>,
    /// Where the other validators reach it, `host:port`.
    pub peer: String,
    /// Its configuration, as above.
    pub config: Config,
}

/// A chain that was founded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initialised {
    /// The ledger's origin.
    pub origin: String,
    /// The operator's DID, a member and the genesis authority.
    pub operator: Did,
    /// The configuration file.
    pub config: PathBuf,
    /// The trust root file.
    pub trust_root: PathBuf,
    /// The genesis file.
    pub genesis: PathBuf,
    /// The operator's transaction key (`invoke-1`), a private JWK.
    pub operator_key: PathBuf,
    /// The configuration files of the other validators' nodes.
    pub others: Vec<PathBuf>,
}

/// Why a chain was not founded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The directory holds a chain already.
    #[error("{} already holds a chain; choose another directory", .0.display())]
    Exists(PathBuf),
    /// A file or directory could not be made.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Validators that order together, and one of them says nowhere how to reach it.
    #[error("a validator among several needs an address where the others reach it")]
    NoPeer,
    /// More than a note has room for the signatures of.
    #[error("a chain has at most {limit} validators, not {0}", limit = ledger::policy::MAX_VALIDATORS)]
    TooMany(usize),
    /// The chain's name is not `[a-z0-9-]{1,32}`.
    #[error("`{0}` cannot name a chain: 1 to 32 lower-case letters, digits and hyphens can")]
    ChainName(String),
    /// A key could not be made or kept.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The random source is broken.
    #[error("no key could be made")]
    NoKey,
    /// The operator's or a founder's creation is refused.
    #[error("the creation of {who} is refused: {why}")]
    Create {
        /// Whose, by the name given.
        who: String,
        /// Why.
        why: Refused,
    },
    /// The result makes no chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There are prepared keys already.
    #[error("{} is there already: prepared keys wait to be used, or are in use and want to be renamed", .0.display())]
    Prepared(PathBuf),
    /// The keys in use are nobody's, as far as the files say.
    #[error("neither the genesis file nor validator.json names a validator with the keys in use")]
    NotAValidator,
    /// Something could not be written down.
    #[error("the files cannot be written down")]
    Unwritable,
}

/// Founds a chain.
///
/// Everything is checked by executing the genesis file before anything is written.
///
/// # Errors
/// [`InitError`], in plain words.
pub fn init(options: &InitOptions, now: UnixMillis, rng: &mut dyn CryptoRng) -> Result<Initialised, InitError> {
    if !is_chain_name(&options.chain) {
        return Err(InitError::ChainName(options.chain.clone()));
    }
    let genesis_path = options.directory.join("genesis.json");
    if genesis_path.exists() {
        return Err(InitError::Exists(options.directory.clone()));
    }
    let nodes = nodes(options, rng)?;
    let file = serde_json::to_vec_pretty(&genesis(options, &nodes, now)?).map_err(|_| InitError::Unwritable)?;
    let chain = Chain::new(file)?;
    chain.genesis().execute(chain.origin()).map_err(ChainError::from)?;
    write_all(options, &chain, &nodes, rng)
}

/// Every validator's node; the first is the operator's.
fn nodes(options: &InitOptions, rng: &mut dyn CryptoRng) -> Result<Vec<NewNode>, InitError> {
    let count = options.others.len().saturating_add(1);
    if count > ledger::policy::MAX_VALIDATORS {
        return Err(InitError::TooMany(count));
    }
    if count > 1 && options.peer.is_none() {
        return Err(InitError::NoPeer);
    }
    let several = count > 1;
    let directory = |place: usize| {
        if several { options.directory.join(format!("node{place}")) } else { options.directory.clone() }
    };
    let name = if several { "node0" } else { "solo" };
    let operator = OtherValidator {
        operator: options.operator.clone(),
        label: options.label.clone(),
        url: options.url.clone(),
        peer: options.peer.clone().unwrap_or_default(),
        config: options.config.clone(),
    };
    let mut nodes = vec![NewNode::make(&options.chain, name, several, &operator, directory(0), rng)?];
    for (place, other) in (1..).zip(&options.others) {
        nodes.push(NewNode::make(&options.chain, &format!("node{place}"), true, other, directory(place), rng)?);
    }
    Ok(nodes)
}

fn genesis(options: &InitOptions, nodes: &[NewNode], now: UnixMillis) -> Result<Genesis, InitError> {
    let mut members: Vec<_> = nodes.iter().map(NewNode::member).collect();
    let mut creates: Vec<_> = nodes.iter().map(|node| node.create().as_str().to_owned()).collect();
    for founder in &options.founders {
        let text = founder.create.trim();
        let refused = |why| InitError::Create { who: founder.name.clone(), why };
        let create = Create::parse(text).map_err(refused)?;
        members.push(GenesisMember { did: create.did().clone(), name: founder.name.clone() });
        creates.push(text.to_owned());
    }
    let validators = nodes.iter().map(NewNode::validator).collect::<Result<_, _>>()?;
    let authorities = nodes.iter().take(1).map(|node| node.create().did().clone()).collect();
    let (chain, time) = (options.chain.clone(), now.0);
    Ok(Genesis { chain, time, members, authorities, creates, validators, epoch: None, votes: None })
}

/// The genesis file comes last: while it is missing, the directory holds no chain, and a second try starts afresh.
fn write_all(
    options: &InitOptions,
    chain: &Chain,
    nodes: &[NewNode],
    rng: &mut dyn CryptoRng,
) -> Result<Initialised, InitError> {
    let (operator, others) = nodes.split_first().ok_or(InitError::NoPeer)?;
    let config = operator.write(chain, rng)?;
    let others = others.iter().map(|node| node.write(chain, rng)).collect::<Result<_, _>>()?;
    let (trust_root, genesis) = (options.directory.join("trust-root"), options.directory.join("genesis.json"));
    write(&trust_root, chain.policy().as_bytes())?;
    write(&genesis, chain.genesis_file())?;
    Ok(Initialised {
        origin: chain.origin().to_owned(),
        operator: operator.create().did().clone(),
        config,
        trust_root,
        genesis,
        operator_key: operator.operator_key(),
        others,
    })
}

fn write(path: &Path, content: &[u8]) -> Result<(), InitError> {
    whole_file::write(path, content).map_err(|error| InitError::Io { path: path.to_owned(), error })
}
