//! Where a fetch may connect to: anywhere that the policy names, and elsewhere only to public addresses.
//!
//! The `jwks_uri` of an issuer's metadata is the issuer's text. Whoever writes it could lead a driver to a host inside the
//! driver's own network, by its address or by a name that resolves to it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` is one of the public Internet: not private, loopback, link-local or reserved.
///
/// By IANA's special-purpose address registries (RFC 6890). IPv6 addresses that carry an IPv4 address are judged by that.
#[must_use]
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // "This network", RFC 791.
        || first == 0
        // Shared between carriers and customers, RFC 6598.
        || (first == 100 && second & 0xC0 == 64)
        // Protocol assignments, RFC 6890, and the old relays of 6to4, RFC 7526.
        || (first == 192 && second == 0 && third == 0)
        || (first == 192 && second == 88 && third == 99)
        // Benchmarks, RFC 2544.
        || (first == 198 && second & 0xFE == 18)
        // Multicast, reserved, broadcast.
        || first >= 224;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f, g, h] {
        // Mapped, RFC 4291 §2.5.5.2.
        [0, 0, 0, 0, 0, 0xFFFF, high, low] => embedded(high, low),
        // NAT64, RFC 6052 §2.1.
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4, RFC 3056 §2.
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocol assignments (Teredo among them) and documentation, RFC 6890, RFC 9637.
        [0x2001, second, ..] if second < 0x200 || second == 0xDB8 => false,
        [0x3FFF, second, ..] if second < 0x1000 => false,
        // Global unicast is 2000::/3, RFC 4291 §2.4; all else is local, multicast or not assigned.
        [first, ..] => first & 0xE000 == 0x2000,
    }
}

/// Scheme, host and port of a URL that a policy may name.
pub(super) fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    url.get(..scheme.len().checked_add("://".len())?.checked_add(authority.len())?)
}

/// The host of a URL that a policy may name, where it is an address. Such URLs have no IPv6 addresses.
pub(super) fn address_of(url: &str) -> Option<IpAddr> {
    let (_, authority) = origin_of(url)?.split_once("://")?;
    authority.split(':').next()?.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:200::1",
            "3fff:1000::1",
        ] {
            assert!(is_public_address(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public_address(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_origin_of_a_url_ends_before_its_path() {
        for (url, origin) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/x/y", "https://a.example"),
            ("https://a.example:8443/x", "https://a.example:8443"),
        ] {
            assert_eq!(origin_of(url), Some(origin));
        }
        assert_eq!(address_of("https://10.0.0.1:8443/x"), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(address_of("https://a.example/10.0.0.1"), None);
    }
}
