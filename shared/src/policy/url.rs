//! URLs that a policy may name: where keys are fetched, where requests go, which pages may call.
//!
//! Not a URL parser: a list of what is let through, narrow enough to need none. Nothing that one parser
//! could read in another way than the next (user info, escapes in the host, backslashes, `127.1`) is in it.

use core::net::Ipv4Addr;

/// Longest host name: what DNS carries (RFC 1035 §2.3.4), without the root's dot.
const MOST_HOST_OCTETS: usize = 253;

/// Whether plain `http` may be used, and then for loopback hosts alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Deployed,
    Development,
}

/// Whether `url` is `https://host[:port][/path]`, or its loopback `http` form in development.
/// `with_path` tells whether a path may follow; it never ends in `/`.
pub(super) fn is_allowed(url: &str, profile: Profile, with_path: bool) -> bool {
    let (rest, plain) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) if profile == Profile::Development => (rest, true),
        _ => return false,
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    // URL parsers drop a scheme's own port: an `iss` or `Origin` written with it would match nothing.
    let own_port = if plain { "80" } else { "443" };
    let port_fits = port.is_none_or(|port| {
        port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with(['0', '+']) && port != own_port
    });
    let host_fits = is_host(host) && (!plain || host == "127.0.0.1" || host == "localhost");
    host_fits && port_fits && (path.is_empty() || (with_path && is_path(path)))
}

/// Lower-case host names and IPv4 addresses: what browsers send in `Origin` and issuers in `iss`.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    // Such a host is an address in URL parsers, which write `10.1` and `0x0a.1` as `10.0.0.1`.
    let ends_in_number = |last: &str| {
        let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit())
    };
    let address_fits = || host.parse::<Ipv4Addr>().is_ok();
    host.len() <= MOST_HOST_OCTETS
        && host.split('.').all(label)
        && (!host.rsplit('.').next().is_some_and(ends_in_number) || address_fits())
        && is_idna(host)
}

/// Whether URL parsers take the host's labels in punycode (`xn--…`, RFC 5891 §4.2): those that are broken they refuse, so
/// that no request would ever leave for it.
#[cfg(feature = "toml")]
fn is_idna(host: &str) -> bool {
    let has_punycode = host.split('.').any(|label| label.starts_with("xn--"));
    !has_punycode || idna::domain_to_ascii(host).is_ok_and(|ascii| ascii == host)
}

/// A deployed authoriser has no tables for it: the build has looked at the policy's hosts, and a place that an issuer's
/// metadata names is refused by the runtime that is to ask there.
#[cfg(not(feature = "toml"))]
const fn is_idna(_: &str) -> bool {
    true
}

fn is_path(path: &str) -> bool {
    path.split('/').skip(1).all(|segment| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@$".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_urls_are_allowed() {
        for url in [
            "https://a.example",
            "https://a.example:8443/x/y_z",
            "https://10.0.0.1/a",
            "https://1.a.0xg",
            "https://xn--bcher-kva.example",
            "https://a.xn--p1ai",
            "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example",
        ] {
            assert!(is_allowed(url, Profile::Deployed, true), "{url}");
        }
        for url in [
            "",
            "a.example",
            "http://a.example",
            "http://127.0.0.1:1",
            "https://",
            "https://a.example/",
            "https://a.example/x/",
            "https://user@a.example",
            "https://a.example:0",
            "https://a.example:443",
            "https://a.example:+1",
            "https://a.example:99999",
            "https://a.example?x",
            "https://a.example/x?y",
            "https://a.example/x#y",
            "https://A.example",
            "https://a..example",
            "https://a.example/../b",
            "https://a.example\\b",
            "https://a.example/%41",
            "HTTPS://a.example",
            "https://-a.example",
            "https://127.1",
            "https://10.0.0.01",
            "https://10.0.0.256",
            "https://1.2.3.4.5",
            "https://0x7f000001",
            "https://a.0x",
            "https://a.example.1",
            // Broken punycode: no letters after the mark, none that it could stand for, a letter in another form, plain
            // ASCII in disguise.
            "https://xn--.example",
            "https://xn--a.example",
            "https://xn--zzzzzz-.example",
            "https://xn--bcher-kva-.example",
            "https://a.xn--0.example",
            "https://xn--abc-.example",
            "null",
            "*",
        ] {
            assert!(!is_allowed(url, Profile::Deployed, true), "{url}");
        }
    }

    #[test]
    fn plain_http_takes_development_and_loopback() {
        for (url, allowed) in [
            ("http://127.0.0.1:4001", true),
            ("http://localhost:1/jwks", true),
            ("http://a.example", false),
            ("http://127.0.0.1.evil.example", false),
        ] {
            assert_eq!(is_allowed(url, Profile::Development, true), allowed, "{url}");
        }
        assert!(!is_allowed("https://a.example/x", Profile::Deployed, false));
    }
}
