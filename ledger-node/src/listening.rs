//! Where a node that is being made will be reached, and under which certificate.

use std::path::PathBuf;

use clap::Args;
use ledger_node::Config;

/// Flags of `init` and `join`.
#[derive(Args)]
pub(crate) struct Listening {
    #[arg(long, default_value = "127.0.0.1:9440")]
    listen: String,
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

impl Listening {
    /// The configuration so far. Without a certificate the node serves plain HTTP.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::default();
        config.http.listen.clone_from(&self.listen);
        config.http.plain = self.certificate.is_none();
        config.http.certificate = self.certificate.clone().unwrap_or_default();
        config.http.key = self.key.clone().unwrap_or_default();
        config
    }
}
