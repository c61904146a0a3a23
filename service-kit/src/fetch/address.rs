//! Which addresses belong to the open Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` is globally reachable by the IANA special-purpose registries (RFC 6890 and updates): a
/// stranger may send us there without learning anything about our own network.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_unspecified()
        || a == 0                                   // this network
        || address.is_private()                     // 10/8, 172.16/12, 192.168/16
        || address.is_loopback()                    // 127/8
        || address.is_link_local()                  // 169.254/16, cloud metadata among them
        || (a == 100 && (64..128).contains(&b))     // carrier-grade NAT
        || (a == 192 && b == 0 && c == 0)           // protocol assignments
        || (a == 192 && b == 88 && c == 99)         // 6to4 relays
        || (a == 198 && (18..20).contains(&b))      // benchmarking
        || address.is_documentation()
        || a >= 224; // multicast, reserved, broadcast
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [[w, x], [y, z]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // IPv4 in IPv6 clothes: mapped, and translated (RFC 6052); judged by what is inside.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => embedded(high, low),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => embedded(high, low),
        (0x2002, _) => embedded(b, c), // 6to4
        (0x2001, 0..=0x1ff) => false,  // protocol assignments, Teredo among them
        (0x2001, 0xdb8) => false,      // documentation
        (0x3fff, 0..=0x0fff) => false, // documentation
        _ => (a & 0xe000) == 0x2000,   // global unicast is 2000::/3 and nothing else
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_not_public_in_whatever_clothes() {
        let inner = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "100::1",
        ];
        for address in inner {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn open_addresses_are_public() {
        for address in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
