//! Keys for a later set, beside those in use: a validator changes its keys without standing still.
//!
//! ```text
//! keys/NAME.next.jwk       the prepared keys; the node takes them up by itself when a set with them is in force
//! validator.next.json      their public halves, for the members to vote on
//! ```

use std::path::{Path, PathBuf};

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::registry::{GenesisValidator, Peer};
use ledger::Hash;
use rand::CryptoRng;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile::{self, KeyFileError};

use super::{InitError, write};
use crate::chain::Chain;
use crate::config::Config;
use crate::keyring::next_to;

/// Makes the keys, and the file to vote on beside the configuration file.
///
/// The validator keeps its name. Where it has a peer address, it keeps that too unless `peer` says another.
///
/// # Errors
/// [`InitError`]; [`InitError::Prepared`] where keys lie already.
pub fn prepare(
    configured: &Path,
    config: &Config,
    peer: Option<String>,
    rng: &mut dyn CryptoRng,
) -> Result<PathBuf, InitError> {
    let guard = config.key_guard().map_err(KeyFileError::from)?;
    let now = in_use(configured, config, &guard)?;
    let among_others = !config.consensus_key.as_os_str().is_empty();
    let own = [&config.log_key, &config.witness_key];
    let with_others = [&config.consensus_key, &config.transport_key];
    let files = own.into_iter().chain(with_others.into_iter().filter(|_| among_others)).map(|path| next_to(path));
    let files: Vec<_> = files.collect();
    if let Some(there) = files.iter().find(|path| path.exists()) {
        return Err(InitError::Prepared(there.clone()));
    }
    let mut make = |path: &PathBuf| {
        let key = SecretKey::generate(Alg::EdDsa, rng).map_err(|_| InitError::NoKey)?;
        keyfile::save(path, &key, &guard, rng)?;
        public(&key)
    };
    let made = files.iter().map(&mut make).collect::<Result<Vec<Hash>, InitError>>()?;
    let (&[log, witness], others) = made.split_first_chunk().ok_or(InitError::NoKey)?;
    let address = peer.or_else(|| now.peer.map(|peer| peer.address));
    let peer = match (others, address) {
        (&[consensus, transport], Some(address)) => Some(Peer { consensus, transport, address }),
        (&[_, _], None) => return Err(InitError::NoPeer),
        _ => None,
    };
    let prepared = GenesisValidator { log, witness, peer, ..now.validator };
    let path = configured.with_file_name("validator.next.json");
    let json = serde_json::to_string_pretty(&prepared).map_err(|_| InitError::Unwritable)?;
    write(&path, format!("{json}\n").as_bytes())?;
    Ok(path)
}

struct InUse {
    validator: GenesisValidator,
    peer: Option<Peer>,
}

/// The validator that the keys in use are of, by the genesis file or by the file it was voted in with.
fn in_use(configured: &Path, config: &Config, guard: &KeyGuard) -> Result<InUse, InitError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| InitError::Io { path, error }
    };
    let genesis = std::fs::read(&config.genesis).map_err(unreadable(&config.genesis))?;
    let chain = Chain::new(genesis)?;
    let witness = public(&keyfile::load(&config.witness_key, guard)?)?;
    let voted = ["validator.json", "validator.next.json"].map(|name| configured.with_file_name(name));
    let voted = voted.iter().filter_map(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok());
    let mut known = chain.genesis().validators.iter().cloned().chain(voted);
    let validator: GenesisValidator = known.find(|one| one.witness == witness).ok_or(InitError::NotAValidator)?;
    Ok(InUse { peer: validator.peer.clone(), validator })
}

fn public(key: &SecretKey) -> Result<Hash, InitError> {
    Hash::from_slice(key.public_key().bytes()).map_err(|_| InitError::NoKey)
}
