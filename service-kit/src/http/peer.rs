//! Who a client is, as far as counting goes: an address, or the network that one customer has.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use crate::config::ConfigError;

/// A client as limits count it: an IPv4 address, or an IPv6 /64, which is what one customer is given and may change
/// addresses in at will.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    /// The peer at `address`; an IPv4 address written as IPv6 is the IPv4 address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(long) => Self(IpAddr::V6(Ipv6Addr::from_bits(long.to_bits() >> 64 << 64))),
            short @ IpAddr::V4(_) => Self(short),
        }
    }
}

/// Shows nothing: an address is personal data, and what is logged or counted has none.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer(…)")
    }
}

/// The reverse proxies whose word is taken for whom they speak for.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies(Vec<IpAddr>);

impl Proxies {
    /// Reads the addresses of `http.proxies`.
    ///
    /// # Errors
    /// [`ConfigError`] for what is no address.
    pub(super) fn parse(addresses: &[String]) -> Result<Self, ConfigError> {
        let parse = |text: &String| {
            let address: Result<IpAddr, _> = text.parse();
            address
                .map(|address| address.to_canonical())
                .map_err(|_| ConfigError::invalid("http.proxies", "must hold IP addresses only"))
        };
        addresses.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the connection comes from a proxy of ours.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Who asks: the address of the connection, or, if that is a proxy of ours, the last address in
    /// `X-Forwarded-For` that is not. What stands further left was written by somebody we do not know.
    pub(super) fn client(&self, connection: Option<SocketAddr>, forwarded_for: Option<&str>) -> Option<Peer> {
        let address = connection?.ip();
        if !self.contains(address) {
            return Some(Peer::of(address));
        }
        let mut named = forwarded_for.unwrap_or_default().rsplit(',').map(|entry| entry.trim().parse::<IpAddr>());
        let first_unknown = named.find(|entry| !matches!(entry, Ok(address) if self.contains(*address)));
        // A proxy that names nobody, or writes what is no address, is itself the client.
        Some(Peer::of(first_unknown.and_then(Result::ok).unwrap_or(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::of(address.parse().unwrap())
    }

    #[test]
    fn a_network_of_one_customer_is_one_peer() {
        assert_eq!(peer("2001:db8:0:1::1"), peer("2001:db8:0:1:ffff::2"));
        assert_ne!(peer("2001:db8:0:1::1"), peer("2001:db8:0:2::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
        assert_eq!(format!("{:?}", peer("192.0.2.1")), "Peer(…)");
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        let proxies = Proxies::parse(&["192.0.2.1".into(), "192.0.2.2".into()]).unwrap();
        let client = |from: &str, header| proxies.client(Some(SocketAddr::new(from.parse().unwrap(), 1)), header);
        assert_eq!(client("198.51.100.7", Some("203.0.113.9")), Some(peer("198.51.100.7")), "a stranger's header");
        assert_eq!(client("192.0.2.1", Some("203.0.113.9")), Some(peer("203.0.113.9")));
        assert_eq!(client("192.0.2.1", Some("10.0.0.1, 203.0.113.9, 192.0.2.2")), Some(peer("203.0.113.9")));
        for nobody in [None, Some(""), Some("unknown"), Some("10.0.0.1, x")] {
            assert_eq!(client("192.0.2.1", nobody), Some(peer("192.0.2.1")), "{nobody:?}");
        }
        assert!(Proxies::parse(&["proxy.example".into()]).is_err());
    }
}
