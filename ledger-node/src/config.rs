//! The node's configuration file.

use std::path::PathBuf;

use service_kit::http::HttpConfig;

service_kit::config! {
    /// A ledger node: orders transactions, executes them, certifies and serves the ledger.
    pub struct Config {
        /// Directory of the node's data; it must exist, and one process may use it.
        pub data: PathBuf = "data".into(),
        /// The chain's genesis file.
        pub genesis: PathBuf = "genesis.json".into(),
        /// Key that signs checkpoints as the log, a private JWK readable by the node only.
        pub log_key: PathBuf = "keys/log.jwk".into(),
        /// Key that cosigns checkpoints, another private JWK.
        pub witness_key: PathBuf = "keys/witness.jwk".into(),
        /// Key under which the node relays and notarises for others; empty for a node that does neither.
        pub relay_key: PathBuf = PathBuf::new(),
        /// DID URL of the relay key, as it stands on the ledger.
        pub relay_key_id: String = String::new(),
        /// Transactions that may wait to be ordered; more are answered 503.
        pub queue: u32 = 10_000,
        /// Relayings and notarisings for others in a minute; more are answered 429.
        pub errands_per_minute: u32 = 600,
        /// Where the node listens.
        pub http: HttpConfig,
    }
}
