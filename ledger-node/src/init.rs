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

use std::fs;
use std::path::{Path, PathBuf};

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::did::Did;
use identity_core::did::method::xinfu::is_chain_name;
use identity_core::registry::{
    Create, Genesis, GenesisMember, GenesisValidator, KeyUse, Label, Refused, ServiceEntry, ServiceType,
};
use identity_core::time::UnixMillis;
use ledger::Hash;
use rand::CryptoRng;
use service_kit::founding::{Creation, SUBMITTING};
use service_kit::keyfile::{self, KeyFileError};
use service_kit::whole_file;

use crate::chain::{Chain, ChainError};
use crate::config::Config;

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
    /// Something could not be written down.
    #[error("the files cannot be written down")]
    Unwritable,
}

/// The operator's fresh keys.
struct Keys {
    log: SecretKey,
    witness: SecretKey,
    operator: SecretKey,
    relay: SecretKey,
    recovery: SecretKey,
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
    let keys = Keys::generate(rng)?;
    let create = operator_create(options, &keys, rng)?;
    let genesis = genesis(options, &create, &keys, now)?;
    let file = serde_json::to_vec_pretty(&genesis).map_err(|_| InitError::Unwritable)?;
    let chain = Chain::new(file)?;
    chain.genesis().execute(chain.origin()).map_err(ChainError::from)?;
    write_all(options, &chain, &create, &keys, rng)
}

impl Keys {
    /// The node's own keys are Ed25519, which C2SP notes need; so is the operator's.
    fn generate(rng: &mut dyn CryptoRng) -> Result<Self, InitError> {
        let mut key = || SecretKey::generate(Alg::EdDsa, rng).map_err(|_| InitError::NoKey);
        Ok(Self { log: key()?, witness: key()?, operator: key()?, relay: key()?, recovery: key()? })
    }
}

fn operator_create(options: &InitOptions, keys: &Keys, rng: &mut dyn CryptoRng) -> Result<Create, InitError> {
    let service = |url: &String| ServiceEntry { id: "ledger".to_owned(), kind: ServiceType::Ledger, url: url.clone() };
    let creation = Creation {
        chain: &options.chain,
        keys: &[(SUBMITTING, &keys.operator, KeyUse::CapabilityInvocation), ("relay-1", &keys.relay, KeyUse::Relay)],
        recovery: &keys.recovery,
        service: options.url.as_ref().map(service),
        label: options.label.clone(),
    };
    let refused = |why| InitError::Create { who: options.operator.clone(), why };
    creation.sign(SUBMITTING, &keys.operator, rng).map_err(refused)
}

fn genesis(options: &InitOptions, operator: &Create, keys: &Keys, now: UnixMillis) -> Result<Genesis, InitError> {
    let mut members = vec![GenesisMember { did: operator.did().clone(), name: options.operator.clone() }];
    let mut creates = vec![operator.as_str().to_owned()];
    for founder in &options.founders {
        let text = founder.create.trim();
        let refused = |why| InitError::Create { who: founder.name.clone(), why };
        let create = Create::parse(text).map_err(refused)?;
        members.push(GenesisMember { did: create.did().clone(), name: founder.name.clone() });
        creates.push(text.to_owned());
    }
    let public = |key: &SecretKey| Hash::from_slice(key.public_key().bytes()).map_err(|_| InitError::NoKey);
    let validators = vec![GenesisValidator {
        name: "solo".to_owned(),
        log: public(&keys.log)?,
        member: Some(operator.did().clone()),
        witness: public(&keys.witness)?,
        peer: None,
    }];
    let authorities = vec![operator.did().clone()];
    let (chain, time) = (options.chain.clone(), now.0);
    Ok(Genesis { chain, time, members, authorities, creates, validators, epoch: None, votes: None })
}

/// The genesis file comes last: while it is missing, the directory holds no chain, and a second try starts afresh.
fn write_all(
    options: &InitOptions,
    chain: &Chain,
    create: &Create,
    keys: &Keys,
    rng: &mut dyn CryptoRng,
) -> Result<Initialised, InitError> {
    let directory = &options.directory;
    let key_directory = directory.join("keys");
    for made in [directory, &directory.join("data"), &key_directory] {
        fs::create_dir_all(made).map_err(|error| InitError::Io { path: made.clone(), error })?;
    }
    let guard = options.config.key_guard().map_err(KeyFileError::from)?;
    let named = [
        ("log", &keys.log),
        ("witness", &keys.witness),
        ("operator", &keys.operator),
        ("relay", &keys.relay),
        ("recovery", &keys.recovery),
    ];
    for (name, key) in named {
        let path = key_directory.join(format!("{name}.jwk"));
        remove_leftover(&path)?;
        keyfile::save(&path, key, &guard, rng)?;
    }
    let config = filled(options, create.did(), &key_directory);
    let operator = serde_json::json!({
        "did": create.did(),
        "invoke": format!("{}#{SUBMITTING}", create.did()),
        "relay": format!("{}#relay-1", create.did()),
    });
    let paths = ["trust-root", "ledger.toml", "operator.json", "genesis.json"].map(|name| directory.join(name));
    let [trust_root, config_path, operator_path, genesis_path] = paths;
    write(&trust_root, chain.policy().as_bytes())?;
    write(&config_path, service_kit::config::render(&config).as_bytes())?;
    write(&operator_path, format!("{operator:#}\n").as_bytes())?;
    write(&genesis_path, chain.genesis_file())?;
    Ok(Initialised {
        origin: chain.origin().to_owned(),
        operator: create.did().clone(),
        config: config_path,
        trust_root,
        genesis: genesis_path,
        operator_key: key_directory.join("operator.jwk"),
    })
}

fn filled(options: &InitOptions, operator: &Did, keys: &Path) -> Config {
    Config {
        data: options.directory.join("data"),
        genesis: options.directory.join("genesis.json"),
        log_key: keys.join("log.jwk"),
        witness_key: keys.join("witness.jwk"),
        relay_key: keys.join("relay.jwk"),
        relay_key_id: format!("{operator}#relay-1"),
        ..options.config.clone()
    }
}

/// Keys of a try that did not get as far as the genesis file belong to no chain.
fn remove_leftover(path: &Path) -> Result<(), InitError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(InitError::Io { path: path.to_owned(), error }),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), InitError> {
    whole_file::write(path, content).map_err(|error| InitError::Io { path: path.to_owned(), error })
}
