//! The guard on private addresses: an allow-list by name, and a resolver that hides what is not public.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;

/// What may be reached although it is private: `host` for every port, `host:port`, or a network (`10.1.0.0/16`).
#[derive(Debug, Clone)]
pub(super) struct AllowList {
    hosts: BTreeSet<(String, Option<u16>)>,
    networks: Vec<Network>,
}

/// A stretch of addresses with a common beginning.
#[derive(Debug, Clone, Copy)]
struct Network {
    base: u128,
    /// Bits that all its addresses share, counted as in IPv6.
    bits: u32,
}

impl AllowList {
    /// Parses the entries; gives back the first that is neither host nor network.
    pub(super) fn parse(entries: &[String]) -> Result<Self, String> {
        let mut list = Self { hosts: BTreeSet::new(), networks: Vec::new() };
        for entry in entries {
            if let Some(network) = Network::parse(entry) {
                list.networks.push(network);
            } else {
                list.hosts.insert(parse_host(entry).ok_or_else(|| entry.clone())?);
            }
        }
        Ok(list)
    }

    /// Whether `url` may be reached wherever its name leads: its host is named, or is an address of a network.
    pub(super) fn holds(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port = url.port_or_known_default();
        self.hosts.contains(&(host.to_owned(), None))
            || self.hosts.contains(&(host.to_owned(), port))
            || literal(url).is_some_and(|address| self.holds_address(address))
    }

    fn holds_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.holds(address))
    }
}

impl Network {
    fn parse(entry: &str) -> Option<Self> {
        let (base, bits) = entry.split_once('/')?;
        let (base, bits): (IpAddr, u32) = (base.parse().ok()?, bits.parse().ok()?);
        // IPv4 stands in the last 32 bits of its mapped form.
        let (length, shared) = if base.is_ipv4() { (32, 96) } else { (128, 0) };
        (bits <= length).then(|| Self { base: as_number(base), bits: bits.saturating_add(shared) })
    }

    fn holds(self, address: IpAddr) -> bool {
        let differing = as_number(address) ^ self.base;
        differing.leading_zeros() >= self.bits
    }
}

fn as_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Spelled as `Url` spells hosts, so that `127.1` and `127.0.0.1` are one.
fn parse_host(entry: &str) -> Option<(String, Option<u16>)> {
    let url = Url::parse(&format!("wss://{entry}/")).ok()?;
    let clean = url.username().is_empty() && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let port = entry.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    clean.then(|| Some((url.host_str()?.to_owned(), port)))?
}

/// The address written in `url`, if its host is one.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// A name resolved to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the name leads into a private network")]
pub(super) struct PrivateAddress;

/// Resolves by the system, and answers addresses that are public or in an allowed network only. The client connects
/// to exactly what is answered here, so a name that changes its mind between check and use gains nothing.
pub(super) struct GuardedResolver(pub(super) AllowList);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private answer among public ones is reason enough: nobody honest mixes them.
            if found.iter().any(|address| !is_public(address.ip()) && !allowed.holds_address(address.ip())) {
                return Err(PrivateAddress.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_name_hosts_with_or_without_a_port() {
        let list = AllowList::parse(&["localhost".into(), "127.0.0.1:9440".into(), "[::1]:1".into()]).unwrap();
        let holds = |url: &str| list.holds(&Url::parse(url).unwrap());
        assert!(holds("https://localhost/"));
        assert!(holds("https://localhost:7/"));
        assert!(holds("https://127.0.0.1:9440/x"));
        assert!(holds("https://127.1:9440/x"));
        assert!(holds("https://[::1]:1/x"));
        assert!(!holds("https://127.0.0.1:9441/x"));
        assert!(!holds("https://127.0.0.1/"));
        assert!(!holds("https://localhost.example/"));
        assert_eq!(AllowList::parse(&["a b".into()]).unwrap_err(), "a b");
        assert_eq!(AllowList::parse(&["host/path".into()]).unwrap_err(), "host/path");
        assert_eq!(AllowList::parse(&["10.0.0.0/33".into()]).unwrap_err(), "10.0.0.0/33");
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let list = AllowList::parse(&["10.1.0.0/16".into(), "fd00::/8".into()]).unwrap();
        let holds = |url: &str| list.holds(&Url::parse(url).unwrap());
        assert!(holds("https://10.1.255.3:8/x"));
        assert!(holds("https://[fd12::1]/"));
        assert!(holds("https://[::ffff:10.1.0.1]/"));
        assert!(!holds("https://10.2.0.1/"));
        assert!(!holds("https://[fe80::1]/"));
        assert!(!holds("https://name.example/"));
    }
}
