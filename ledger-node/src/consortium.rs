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
    /// count up from the first one's, and each knows where to ask the others for what it lacks.
    pub(crate) fn validators(
        &self,
        operator: &str,
        config: &mut Config,
    ) -> Result<(Option<String>, Vec<OtherValidator>)> {
        if self.validators < 2 {
            return Ok((None, Vec::new()));
        }
        if !self.peer.is_empty() && self.peer.len() != usize::from(self.validators) {
            bail!("--peer is to be given for each of the {} validators, or not at all", self.validators);
        }
        let others = (1..self.validators).map(|place| self.other(place, operator, config)).collect::<Result<_>>()?;
        self.acquaint(0, config, config.http.listen.clone().as_str())?;
        Ok((Some(self.peer_of(0)?), others))
    }

    fn other(&self, place: u16, operator: &str, config: &Config) -> Result<OtherValidator> {
        let mut config = config.clone();
        let first = std::mem::take(&mut config.http.listen);
        config.http.listen = following(&first, place)?;
        self.acquaint(place, &mut config, &first)?;
        let operator = format!("{operator} {}", place.saturating_add(1));
        Ok(OtherValidator { operator, label: None, url: None, peer: self.peer_of(place)?, config })
    }

    /// Names the other nodes' addresses, where they follow from the first one's. Elsewhere they are for the departments
    /// to write down.
    fn acquaint(&self, place: u16, config: &mut Config, first: &str) -> Result<()> {
        if !self.peer.is_empty() || first.ends_with(":0") {
            return Ok(());
        }
        let others = (0..self.validators).filter(|other| *other != place).map(|other| following(first, other));
        let hosts = others.collect::<Result<Vec<_>>>()?;
        let scheme = if config.http.plain { "http" } else { "https" };
        config.peers = hosts.iter().map(|host| format!("{scheme}://{host}")).collect();
        config.fetch.allow_private = hosts;
        config.fetch.allow_plain = config.http.plain;
        Ok(())
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
