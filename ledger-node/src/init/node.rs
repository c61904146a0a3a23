//! One validator's node in the making: its keys, its department's DID, its files.

use std::fs;
use std::path::{Path, PathBuf};

use identity_core::crypto::{Alg, SecretKey, Signer as _};
use identity_core::registry::{Create, GenesisMember, GenesisValidator, KeyUse, Peer, ServiceEntry, ServiceType};
use ledger::Hash;
use rand::CryptoRng;
use service_kit::founding::{Creation, SUBMITTING};
use service_kit::keyfile::{self, KeyFileError};

use super::{InitError, OtherValidator, write};
use crate::chain::Chain;
use crate::config::Config;

/// Fresh keys, each for one purpose.
struct Keys {
    log: SecretKey,
    witness: SecretKey,
    operator: SecretKey,
    relay: SecretKey,
    recovery: SecretKey,
    /// Where there are other validators.
    peer: Option<PeerKeys>,
}

struct PeerKeys {
    consensus: SecretKey,
    transport: SecretKey,
}

/// A node that is not written down yet.
pub(super) struct NewNode {
    name: String,
    department: OtherValidator,
    directory: PathBuf,
    keys: Keys,
    create: Create,
}

impl Keys {
    /// The node's own keys are Ed25519, which C2SP notes need; so is the operator's.
    fn generate(several: bool, rng: &mut dyn CryptoRng) -> Result<Self, InitError> {
        let mut key = || SecretKey::generate(Alg::EdDsa, rng).map_err(|_| InitError::NoKey);
        let (log, witness, operator, relay, recovery) = (key()?, key()?, key()?, key()?, key()?);
        let peer = if several { Some(PeerKeys { consensus: key()?, transport: key()? }) } else { None };
        Ok(Self { log, witness, operator, relay, recovery, peer })
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &SecretKey)> {
        let peer = self.peer.iter();
        let peer = peer.flat_map(|peer| [("consensus", &peer.consensus), ("transport", &peer.transport)]);
        let always = [
            ("log", &self.log),
            ("witness", &self.witness),
            ("operator", &self.operator),
            ("relay", &self.relay),
            ("recovery", &self.recovery),
        ];
        always.into_iter().chain(peer)
    }
}

impl NewNode {
    /// Makes the keys and the creation of the department's DID.
    pub(super) fn make(
        chain: &str,
        name: &str,
        several: bool,
        department: &OtherValidator,
        directory: PathBuf,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, InitError> {
        let keys = Keys::generate(several, rng)?;
        let service =
            |url: &String| ServiceEntry { id: "ledger".to_owned(), kind: ServiceType::Ledger, url: url.clone() };
        let creation = Creation {
            chain,
            keys: &[
                (SUBMITTING, &keys.operator, KeyUse::CapabilityInvocation),
                ("relay-1", &keys.relay, KeyUse::Relay),
            ],
            recovery: &keys.recovery,
            service: department.url.as_ref().map(service),
            label: department.label.clone(),
        };
        let refused = |why| InitError::Create { who: department.operator.clone(), why };
        let create = creation.sign(SUBMITTING, &keys.operator, rng).map_err(refused)?;
        Ok(Self { name: name.to_owned(), department: department.clone(), directory, keys, create })
    }

    pub(super) fn create(&self) -> &Create {
        &self.create
    }

    pub(super) fn member(&self) -> GenesisMember {
        GenesisMember { did: self.create.did().clone(), name: self.department.operator.clone() }
    }

    pub(super) fn validator(&self) -> Result<GenesisValidator, InitError> {
        let public = |key: &SecretKey| Hash::from_slice(key.public_key().bytes()).map_err(|_| InitError::NoKey);
        let peer = self.keys.peer.as_ref().map(|keys| {
            let address = self.department.peer.clone();
            Ok::<_, InitError>(Peer {
                consensus: public(&keys.consensus)?,
                transport: public(&keys.transport)?,
                address,
            })
        });
        Ok(GenesisValidator {
            name: self.name.clone(),
            member: Some(self.create.did().clone()),
            log: public(&self.keys.log)?,
            witness: public(&self.keys.witness)?,
            peer: peer.transpose()?,
        })
    }

    pub(super) fn operator_key(&self) -> PathBuf {
        self.directory.join("keys/operator.jwk")
    }

    /// Writes the node's directory, without the chain's genesis file if that stands in the same place, and returns its
    /// configuration file.
    pub(super) fn write(&self, chain: &Chain, rng: &mut dyn CryptoRng) -> Result<PathBuf, InitError> {
        let (directory, key_directory) = (&self.directory, self.directory.join("keys"));
        for made in [directory, &directory.join("data"), &key_directory] {
            fs::create_dir_all(made).map_err(|error| InitError::Io { path: made.clone(), error })?;
        }
        let guard = self.department.config.key_guard().map_err(KeyFileError::from)?;
        for (name, key) in self.keys.named() {
            let path = key_directory.join(format!("{name}.jwk"));
            remove_leftover(&path)?;
            keyfile::save(&path, key, &guard, rng)?;
        }
        let did = self.create.did();
        let operator = serde_json::json!({
            "did": did,
            "invoke": format!("{did}#{SUBMITTING}"),
            "relay": format!("{did}#relay-1"),
        });
        let config_path = directory.join("ledger.toml");
        let config = service_kit::config::render(&self.filled(&key_directory));
        write(&config_path, config.as_bytes())?;
        write(&directory.join("operator.json"), format!("{operator:#}\n").as_bytes())?;
        if self.keys.peer.is_some() {
            write(&directory.join("trust-root"), chain.policy().as_bytes())?;
            write(&directory.join("genesis.json"), chain.genesis_file())?;
        }
        Ok(config_path)
    }

    fn filled(&self, keys: &Path) -> Config {
        let (consensus_key, transport_key) = match &self.keys.peer {
            Some(_) => (keys.join("consensus.jwk"), keys.join("transport.jwk")),
            None => (PathBuf::new(), PathBuf::new()),
        };
        Config {
            data: self.directory.join("data"),
            genesis: self.directory.join("genesis.json"),
            log_key: keys.join("log.jwk"),
            witness_key: keys.join("witness.jwk"),
            consensus_key,
            transport_key,
            relay_key: keys.join("relay.jwk"),
            relay_key_id: format!("{}#relay-1", self.create.did()),
            ..self.department.config.clone()
        }
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
