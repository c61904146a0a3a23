//! The node's configuration file.

use std::path::PathBuf;

use service_kit::fetch::FetchConfig;
use service_kit::http::HttpConfig;
use service_kit::key_guard::{GuardError, KeyGuard};

service_kit::config! {
    /// A ledger node: orders transactions, executes them, certifies and serves the ledger.
    pub struct Config {
        /// Directory of the node's data; it must exist, and one process may use it.
        pub data: PathBuf = "data".into(),
        /// Where the data is kept: `redb`; or `sled`, for programs built with it, which is not durable on power loss.
        pub store: String = "redb".to_owned(),
        /// The chain's genesis file.
        pub genesis: PathBuf = "genesis.json".into(),
        /// Key that signs checkpoints as the log, a private JWK readable by the node only.
        pub log_key: PathBuf = "keys/log.jwk".into(),
        /// Key that cosigns checkpoints, another private JWK.
        pub witness_key: PathBuf = "keys/witness.jwk".into(),
        /// Key that votes on the order of transactions, where several validators order together; empty where one does.
        pub consensus_key: PathBuf = PathBuf::new(),
        /// Key under which the node connects to the other validators; empty where there are none.
        pub transport_key: PathBuf = PathBuf::new(),
        /// Where other validators connect, `address:port`; empty: on all addresses, at the port that the genesis file
        /// states for this validator.
        pub peer_listen: String = String::new(),
        /// Base URLs of other members' nodes. What is certified there and missing here is taken from them, with everything
        /// verified; a node that is no validator follows them, and a validator that was away for thousands of blocks cannot do
        /// without. Empty: none.
        pub peers: Vec<String> = Vec::new(),
        /// Key under which the node relays and notarises for others; empty for a node that does neither.
        pub relay_key: PathBuf = PathBuf::new(),
        /// DID URL of the relay key, as it stands on the ledger.
        pub relay_key_id: String = String::new(),
        /// File with the passphrase that encrypts the key files, on its first line; mode 0600. Empty: see the next key.
        pub key_passphrase_file: PathBuf = PathBuf::new(),
        /// Program and arguments that print the passphrase, run without a shell. Empty, and no file: key files are not
        /// encrypted. After setting either, `xinfu-ledger protect` encrypts the files there are.
        pub key_passphrase_command: Vec<String> = Vec::new(),
        /// Transactions that may wait to be ordered; more are answered 503.
        pub queue: u32 = 10_000,
        /// Relayings and notarisings for others in a minute; more are answered 429.
        pub errands_per_minute: u32 = 600,
        /// File that the running node writes a snapshot of its newest certified state to, for nodes that are new; empty:
        /// none. It is written anew when the node starts and every so many hours.
        pub snapshot: PathBuf = PathBuf::new(),
        /// Hours from one snapshot to the next.
        pub snapshot_hours: u32 = 24,
        /// Serve the console, pages for people, at `/console/`.
        pub console: bool = true,
        /// Where the node listens.
        pub http: HttpConfig,
        /// How it reaches `peers`.
        pub fetch: FetchConfig,
    }
}

impl Config {
    /// What guards the key files.
    ///
    /// # Errors
    /// A passphrase that is configured and cannot be had.
    pub fn key_guard(&self) -> Result<KeyGuard, GuardError> {
        KeyGuard::configured(&self.key_passphrase_file, &self.key_passphrase_command)
    }
}
