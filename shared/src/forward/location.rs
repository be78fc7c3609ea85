//! `Location` and `Content-Location` that name the origin's own host: callers cannot reach it, or reach it past the edge.

use alloc::string::String;

/// A URL's host, its port where it is written, and what follows.
fn parts(rest: &str) -> Option<(&str, Option<u16>, &str)> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.split_once(':') {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (authority, None),
    };
    Some((host.strip_suffix('.').unwrap_or(host), port, path))
}

/// The scheme's own port.
fn own_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("https:") {
        Some(443)
    } else if scheme.eq_ignore_ascii_case("http:") {
        Some(80)
    } else {
        None
    }
}

/// The reference `value` by the public URL, if it names the host of the origin at `origin` and lies under its base path.
/// `http` and `https` are one: an origin behind TLS may take itself for the first.
pub(super) fn rewritten(value: &str, origin: &str, public: &str) -> Option<String> {
    let (origin_scheme, origin_rest) = origin.split_once("//")?;
    let (origin_host, origin_port, base) = parts(origin_rest)?;
    // A reference without a scheme takes that of the page (RFC 3986 §4.2).
    let (scheme, rest) = value.trim().split_once("//")?;
    let scheme = if scheme.is_empty() { origin_scheme } else { scheme };
    let default = own_port(scheme)?;
    let (host, port, path) = parts(rest)?;
    let port = port.filter(|port| *port != default);
    if !host.eq_ignore_ascii_case(origin_host) || port != origin_port {
        return None;
    }
    let below = path.strip_prefix(base)?;
    let slash = match below.chars().next() {
        Some('/') => "",
        None | Some('?' | '#') => "/",
        Some(_) => return None,
    };
    Some([public, slash, below].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "https://api.example";

    #[test]
    fn a_location_at_the_origins_host_becomes_the_public_url_without_the_base_path() {
        for (value, expected) in [
            ("https://o.example/base/a/b?c=d#e", Some("https://api.example/a/b?c=d#e")),
            ("HTTPS://O.Example/base/a", Some("https://api.example/a")),
            ("http://o.example/base/a", Some("https://api.example/a")),
            ("//o.example/base/a", Some("https://api.example/a")),
            ("https://o.example:443/base/a", Some("https://api.example/a")),
            ("https://o.example./base/", Some("https://api.example/")),
            ("https://u:p@o.example/base/a", Some("https://api.example/a")),
            (" https://o.example/base/a", Some("https://api.example/a")),
            ("https://o.example/base", Some("https://api.example/")),
            ("https://o.example/base?q", Some("https://api.example/?q")),
            ("https://o.example/based", None),
            ("https://o.example/other", None),
            ("https://o.example:8443/base/a", None),
            ("https://o.example.evil.example/base/a", None),
            ("https://evil.example/https://o.example/base/a", None),
            ("https://evil.example/?//o.example/base/a", None),
            ("ftp://o.example/base/a", None),
            ("/base/a", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(rewritten(value, "https://o.example/base", PUBLIC).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn an_origin_with_a_port_of_its_own_is_named_with_it() {
        let origin = "http://127.0.0.1:4010";
        assert_eq!(rewritten("http://127.0.0.1:4010/a", origin, PUBLIC).as_deref(), Some("https://api.example/a"));
        for value in ["http://127.0.0.1/a", "http://127.0.0.1:4011/a", "http://127.0.0.1:x/a", "http://[::1]:4010/a"] {
            assert_eq!(rewritten(value, origin, PUBLIC), None, "{value}");
        }
    }
}
