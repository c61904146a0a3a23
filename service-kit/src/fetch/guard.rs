//! The guard on private addresses: an allow-list by name, and a resolver that hides what is not public.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;

/// Hosts that may be reached wherever they are: `host` for every port, or `host:port`.
#[derive(Debug)]
pub(super) struct AllowList {
    entries: BTreeSet<(String, Option<u16>)>,
}

impl AllowList {
    /// Parses the entries; gives back the first that is no host.
    pub(super) fn parse(entries: &[String]) -> Result<Self, String> {
        let parsed: Option<BTreeSet<_>> = entries.iter().map(|entry| parse_entry(entry)).collect();
        parsed
            .map(|entries| Self { entries })
            .ok_or_else(|| entries.iter().find(|entry| parse_entry(entry).is_none()).cloned().unwrap_or_default())
    }

    /// Whether the host of `url` is on the list.
    pub(super) fn holds(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port = url.port_or_known_default();
        self.entries.contains(&(host.to_owned(), None)) || self.entries.contains(&(host.to_owned(), port))
    }
}

/// Spelled as `Url` spells hosts, so that `127.1` and `127.0.0.1` are one.
fn parse_entry(entry: &str) -> Option<(String, Option<u16>)> {
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

/// Resolves by the system, and answers public addresses only. The client connects to exactly what is answered
/// here, so a name that changes its mind between check and use gains nothing.
pub(super) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private answer among public ones is reason enough: nobody honest mixes them.
            if found.iter().any(|address| !is_public(address.ip())) {
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
    }
}
