//! How many validators to found, and where each is found by the others.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use ledger_node::{Config, OtherValidator};

use crate::operate;

/// Flags of `init` for a chain of several validators.
#[derive(Args)]
pub(crate) struct Consortium {
    #[arg(long, default_value_t = 1)]
    validators: u16,
    #[arg(long, value_name = "HOST:PORT")]
    peer: Vec<String>,
    #[arg(long)]
    url: Vec<String>,
}

/// What they say of the nodes to found.
pub(crate) struct Founded {
    /// Public address of the operator's node.
    pub(crate) url: Option<String>,
    /// Where the others reach it.
    pub(crate) peer: Option<String>,
    pub(crate) config: Config,
    pub(crate) others: Vec<OtherValidator>,
}

/// Where peers connect if nothing is said: this port on this machine, the next for the next validator.
const FIRST_PEER: (&str, u16) = ("127.0.0.1", 9460);

impl Consortium {
    /// The operator's node among them, and the others. Without `--peer` all are on this machine, with ports that count up
    /// from the first one's. Each knows where to ask the others for what it lacks, if that was said or follows.
    pub(crate) fn found(self, operator: &str, config: Config) -> Result<Founded> {
        let url = self.url.first().cloned();
        if self.validators < 2 {
            if self.url.len() > 1 {
                bail!("one validator has one --url");
            }
            return Ok(Founded { url, peer: None, config, others: Vec::new() });
        }
        self.each(&self.peer, "--peer")?;
        // One alone is the operator's.
        if self.url.len() > 1 {
            self.each(&self.url, "--url")?;
        }
        let others = (1..self.validators).map(|place| self.other(place, operator, &config)).collect::<Result<_>>()?;
        Ok(Founded { url, peer: Some(self.peer_of(0)?), config: self.configured(0, &config)?, others })
    }

    fn each(&self, given: &[String], flag: &str) -> Result<()> {
        if given.is_empty() || given.len() == usize::from(self.validators) {
            return Ok(());
        }
        bail!("{flag} is to be given for each of the {} validators, or not at all", self.validators)
    }

    fn other(&self, place: u16, operator: &str, first: &Config) -> Result<OtherValidator> {
        let operator = format!("{operator} {}", place.saturating_add(1));
        let url = self.url.get(usize::from(place)).cloned();
        let config = self.configured(place, first)?;
        Ok(OtherValidator { operator, label: None, url, peer: self.peer_of(place)?, config })
    }

    /// The first one's configuration, with what is different at this place.
    fn configured(&self, place: u16, first: &Config) -> Result<Config> {
        let mut config = first.clone();
        config.http.listen = following(&first.http.listen, place)?;
        config.peers = self.nodes_beside(place, first)?;
        config.fetch.allow_private = config.peers.iter().map(|url| operate::host(url)).collect();
        config.fetch.allow_plain = config.peers.iter().any(|url| url.starts_with("http://"));
        Ok(config)
    }

    /// Where the other nodes answer. For nodes elsewhere whose addresses nobody said, that is for the departments to write
    /// down.
    fn nodes_beside(&self, place: u16, first: &Config) -> Result<Vec<String>> {
        let beside = (0..self.validators).filter(|other| *other != place);
        if self.url.len() > 1 {
            return Ok(beside.filter_map(|other| self.url.get(usize::from(other)).cloned()).collect());
        }
        let listen = &first.http.listen;
        if !self.peer.is_empty() || listen.ends_with(":0") {
            return Ok(Vec::new());
        }
        let scheme = if first.http.plain { "http" } else { "https" };
        beside.map(|other| Ok(format!("{scheme}://{}", following(listen, other)?))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn founded(validators: u16, peer: &[&str], url: &[&str], listen: &str) -> Result<Vec<Config>> {
        let owned = |some: &[&str]| some.iter().map(|one| (*one).to_owned()).collect();
        let mut config = Config::default();
        listen.clone_into(&mut config.http.listen);
        let Founded { config, others, .. } =
            Consortium { validators, peer: owned(peer), url: owned(url) }.found("Sample", config)?;
        Ok(std::iter::once(config).chain(others.into_iter().map(|other| other.config)).collect())
    }

    #[test]
    fn each_node_knows_where_the_others_answer() {
        let elsewhere = ["a.example:1", "b.example:1", "c.example:1"];
        let public = ["https://a.example", "https://b.example", "https://c.example"];
        for (peer, url, listen, peers_of_the_second) in [
            // On one machine, whether or not the first has a public address.
            (&[][..], &[][..], "127.0.0.1:9440", &["https://127.0.0.1:9440", "https://127.0.0.1:9442"][..]),
            (&[], &public[..1], "127.0.0.1:9440", &["https://127.0.0.1:9440", "https://127.0.0.1:9442"]),
            (&elsewhere, &public, "0.0.0.0:9440", &["https://a.example", "https://c.example"]),
            (&elsewhere, &[], "0.0.0.0:9440", &[]),
            (&[], &[], "127.0.0.1:0", &[]),
        ] {
            let configs = founded(3, peer, url, listen).unwrap();
            assert_eq!(configs.len(), 3);
            assert_eq!(configs[1].peers, peers_of_the_second, "{peer:?} {url:?} {listen}");
            let hosts = peers_of_the_second.iter().map(|peer| peer.trim_start_matches("https://").to_owned());
            assert_eq!(configs[1].fetch.allow_private, hosts.collect::<Vec<_>>());
        }
    }

    #[test]
    fn addresses_are_given_for_each_or_for_none() {
        let two = ["https://a.example", "https://b.example"];
        assert!(founded(1, &[], &two[..1], "127.0.0.1:9440").is_ok());
        for (validators, peer, url) in [(1, &[][..], &two[..]), (3, &[], &two), (3, &["a.example:1"], &[])] {
            assert!(founded(validators, peer, url, "127.0.0.1:9440").is_err(), "{validators} {peer:?} {url:?}");
        }
    }
}
