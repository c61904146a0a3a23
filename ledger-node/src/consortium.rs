//! How many validators to found, and where each is found by the others.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use ledger_node::{Config, OtherValidator};

/// Flags of `init` for a chain of several validators.
#[derive(Args)]
pub(crate) struct Consortium {
    #[arg(long, default_value_t = 1)]
    validators: u16,
    #[arg(long, value_name = "HOST:PORT")]
    peer: Vec<String>,
}

/// Where peers connect if nothing is said: this port on this machine, the next for the next validator.
const FIRST_PEER: (&str, u16) = ("127.0.0.1", 9460);

impl Consortium {
    /// This node's address for the others, and the others. Without `--peer` all are on this machine, with ports that
    /// count up from the first one's.
    pub(crate) fn validators(&self, operator: &str, config: &Config) -> Result<(Option<String>, Vec<OtherValidator>)> {
        if self.validators < 2 {
            return Ok((None, Vec::new()));
        }
        if !self.peer.is_empty() && self.peer.len() != usize::from(self.validators) {
            bail!("--peer is to be given for each of the {} validators, or not at all", self.validators);
        }
        let others = (1..self.validators).map(|place| self.other(place, operator, config)).collect::<Result<_>>()?;
        Ok((Some(self.peer_of(0)?), others))
    }

    fn other(&self, place: u16, operator: &str, config: &Config) -> Result<OtherValidator> {
        let mut config = config.clone();
        config.http.listen = following(&config.http.listen, place)?;
        let operator = format!("{operator} {}", place.saturating_add(1));
        Ok(OtherValidator { operator, label: None, url: None, peer: self.peer_of(place)?, config })
    }

    fn peer_of(&self, place: u16) -> Result<String> {
        match self.peer.get(usize::from(place)) {
            Some(peer) => Ok(peer.clone()),
            None => following(&format!("{}:{}", FIRST_PEER.0, FIRST_PEER.1), place),
        }
    }
}

/// The address with a port so many further on. Port 0 is any free one and stays so.
fn following(address: &str, place: u16) -> Result<String> {
    let (host, port) = address.rsplit_once(':').with_context(|| format!("`{address}` has no port"))?;
    let port: u16 = port.parse().with_context(|| format!("`{address}` has no port"))?;
    let next = if port == 0 { Some(0) } else { port.checked_add(place) };
    let next = next.with_context(|| format!("there is no port {place} after {port}"))?;
    Ok(format!("{host}:{next}"))
}
