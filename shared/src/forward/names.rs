//! Names of a caller's fields that do not reach an origin as they came.
//!
//! Names are compared folded ([`folded`]): servers behind an edge make `_` of `-`, and some of everything that is not a
//! letter or a digit. So `X_Forwarded_For` belongs to the family of `X-Forwarded-For`.

use core::cmp::Ordering;

use crate::request::folded;

/// What a field's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Only Postern sets it.
    Postern,
    /// It belongs to one connection (RFC 9110 §7.6.1), or the edge has answered it already (`Expect`).
    Connection,
    /// `Host`, which the origin's URL decides.
    Host,
    /// It carries the caller's credential.
    Credential,
    /// Some server takes the method, scheme, host, path, prefix, client address or caller from it.
    Override,
}

use Class::{Connection, Credential, Host, Override, Postern};

/// Folded names in the order of their octets. One that ends in `*` matches all names with that beginning.
///
/// Sources, by name:
/// - RFC 3875 (CGI variables, which gunicorn takes from fields under `--forwarder-headers`, and servers that pass fields on
///   without `HTTP_`): `path-info`, `path-translated`, `query-string`, `remote-addr`, `remote-host`, `remote-user`,
///   `request-method`, `request-uri`, `script-filename`, `script-name`, `server-name`, `server-port`.
/// - RFC 7239: `forwarded`. RFC 9440 §2.4 (client certificates, to be removed by whoever ends TLS): `client-cert`.
/// - httpoxy.org (CGI's `HTTP_PROXY`): `proxy`.
/// - Rack (`Rack::Request`, `Rack::MethodOverride`, `Rack::Sendfile`, CVE-2025-61780): `x-forwarded-`, `x-http-method`,
///   `x-accel-`, `x-sendfile-type`. Rails (`ActionDispatch::RemoteIp`): `client-ip`.
/// - Express (`trust proxy`, `method-override`), Symfony, Laravel, Werkzeug (`ProxyFix`), Django (`USE_X_FORWARDED_HOST`),
///   uvicorn (`--proxy-headers`), gunicorn (`secure_scheme_headers`): `x-forwarded-`, `x-http-method`, `x-method-override`.
///   Symfony also read `x-original-` and `x-rewrite-` (CVE-2018-14773), as IIS's URL Rewrite and Zend do.
/// - Werkzeug's recipe for prefixes, and ingress-nginx: `x-script-name`, `x-scheme`.
/// - Next.js (CVE-2025-29927, `base-server`): `x-middleware-`, `x-invoke-`, `x-matched-path`, `x-now-route-matches`.
/// - Envoy (header sanitising): `x-envoy-`. Spring and other Java servers: `x-forwarded-`, `proxy-client-ip`, `wl-proxy-`
///   (WebLogic's plug-in).
/// - go-chi and gin (`RealIP`, `TrustedPlatform`): `true-client-ip`, `x-real-ip`, `x-appengine-`, `fly-client-ip`.
/// - Platforms' documents: Akamai `true-client-ip`, Fastly `fastly-client-ip` and `fastly-ssl`, Rackspace
///   `x-cluster-client-ip`, Azure `x-arr-`, `x-client-ip`, `x-waws-` and `x-ms-client-principal`, Exchange
///   `front-end-https` and `x-originating-`, AWS load balancers `x-amzn-oidc-`, Google IAP `x-goog-authenticated-user-`.
/// - Proxies that say who calls: Kubernetes' `x-remote-`, oauth2-proxy's `x-auth-request-`, Grafana's `x-webauth-`,
///   ingress-nginx's `ssl-client-`, HAProxy's `x-ssl-`.
/// - Magento, Drupal modules and host-injection advisories: `x-host`, `x-http-host-override`, `x-url-scheme`.
const NAMES: [(&str, Class); 70] = [
    ("authorization", Credential),
    ("client-cert", Override),
    ("client-cert-*", Override),
    ("client-ip", Override),
    ("connection", Connection),
    ("expect", Connection),
    ("fastly-client-ip", Override),
    ("fastly-ssl", Override),
    ("fly-client-ip", Override),
    ("forwarded", Override),
    ("forwarded-*", Override),
    ("front-end-https", Override),
    ("host", Host),
    ("keep-alive", Connection),
    ("path-info", Override),
    ("path-translated", Override),
    ("postern-*", Postern),
    ("proxy", Override),
    ("proxy-authorization", Connection),
    ("proxy-client-ip", Override),
    ("proxy-connection", Connection),
    ("query-string", Override),
    ("remote-addr", Override),
    ("remote-host", Override),
    ("remote-user", Override),
    ("request-method", Override),
    ("request-uri", Override),
    ("script-filename", Override),
    ("script-name", Override),
    ("server-name", Override),
    ("server-port", Override),
    ("ssl-client-*", Override),
    ("te", Connection),
    ("trailer", Connection),
    ("transfer-encoding", Connection),
    ("true-client-ip", Override),
    ("upgrade", Connection),
    ("wl-proxy-*", Override),
    ("x-accel-*", Override),
    ("x-amzn-oidc-*", Override),
    ("x-appengine-*", Override),
    ("x-arr-*", Override),
    ("x-auth-request-*", Override),
    ("x-client-ip", Override),
    ("x-cluster-client-ip", Override),
    ("x-envoy-*", Override),
    ("x-forwarded", Override),
    ("x-forwarded-*", Override),
    ("x-goog-authenticated-user-*", Override),
    ("x-host", Override),
    ("x-http-host-override", Override),
    ("x-http-method*", Override),
    ("x-invoke-*", Override),
    ("x-matched-path", Override),
    ("x-method-override", Override),
    ("x-middleware-*", Override),
    ("x-ms-client-principal*", Override),
    ("x-now-route-matches", Override),
    ("x-original-*", Override),
    ("x-originating-*", Override),
    ("x-real-ip", Override),
    ("x-remote-*", Override),
    ("x-rewrite-*", Override),
    ("x-scheme", Override),
    ("x-script-name", Override),
    ("x-sendfile-type", Override),
    ("x-ssl-*", Override),
    ("x-url-scheme", Override),
    ("x-waws-*", Override),
    ("x-webauth-*", Override),
];

/// Returns what the name says of the field, in any spelling; `None` for a field that is the caller's to send.
///
/// ```
/// use postern::forward::{Class, class};
/// assert_eq!(class("X_Forwarded.For"), Some(Class::Override));
/// assert_eq!(class("X-Own"), None);
/// ```
#[must_use]
pub fn class(name: &str) -> Option<Class> {
    // The last entry that is not after the name: no entry sorts between a beginning and the names that begin with it.
    let after =
        NAMES.partition_point(|(entry, _)| folded(name).cmp(entry.trim_end_matches('*').bytes()) != Ordering::Less);
    let (entry, class) = NAMES.get(after.checked_sub(1)?)?;
    let fits = match entry.strip_suffix('*') {
        Some(beginning) => begins_with(name, beginning),
        None => folded(name).eq(entry.bytes()),
    };
    fits.then_some(*class)
}

/// Whether `name`, folded, begins with `beginning`, which is folded already.
pub(crate) fn begins_with(name: &str, beginning: &str) -> bool {
    let mut folded = folded(name);
    beginning.bytes().all(|byte| folded.next() == Some(byte))
}

/// Whether two names fold alike.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

/// Whether `connection`, the value of a request's `Connection`, names the field: it then ends at the edge.
pub(crate) fn is_named_in(connection: &str, name: &str) -> bool {
    connection.split(',').any(|own| is_same(own.trim(), name))
}

/// Whether a name has letters, digits and `-` alone: every server keeps such a name as it is.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a name is a field's name at all (RFC 9110 §5.6.2).
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether it is a field of a request that is signed for AWS: what a caller says there would stand next to the signature.
///
/// ```
/// use postern::forward::is_aws_field;
/// assert!(is_aws_field("X-Amz-Date") && is_aws_field("x_amz_date") && !is_aws_field("x-amzn-trace-id"));
/// ```
#[must_use]
pub fn is_aws_field(name: &str) -> bool {
    begins_with(name, "x-amz-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order_and_none_stands_within_a_family() {
        let beginnings = NAMES.map(|(entry, _)| entry.trim_end_matches('*'));
        assert!(beginnings.is_sorted());
        for pair in NAMES.windows(2) {
            let [(one, _), (other, _)] = pair else { continue };
            assert!(!one.ends_with('*') || !other.starts_with(one.trim_end_matches('*')), "{one} {other}");
        }
        for (entry, class_of) in NAMES {
            let name = entry.replace('*', "x");
            assert_eq!(class(&name), Some(class_of), "{name}");
            assert_eq!(class(&name.to_ascii_uppercase().replace('-', "_")), Some(class_of), "{name}");
            assert!(folded(&name).eq(name.bytes()), "{name} is not folded");
        }
    }

    #[test]
    fn fields_of_the_callers_own_have_no_class() {
        for name in [
            "",
            "a",
            "accept",
            "content-type",
            "cookie",
            "origin",
            "postern",
            "x-postern-assertion",
            "x-forward",
            "x-hosts",
            "x-request-id",
            "via",
            "cf-ray",
            "cloudfront-viewer-country",
            "x-amz-cf-id",
            "x-amzn-trace-id",
            "zz",
            "range",
            "user-agent",
            "idempotency-key",
            "x-nextjs-data",
            "traceparent",
            "authorization2",
        ] {
            assert_eq!(class(name), None, "{name}");
        }
    }

    #[test]
    fn only_letters_digits_and_hyphens_make_a_plain_name() {
        assert!(is_plain("X-Own-2"));
        for name in ["", "x_own", "x.own", "x own", "x-\u{e9}"] {
            assert!(!is_plain(name), "{name}");
        }
        assert!(is_token("x_own.2~") && !is_token("x own") && !is_token(""));
    }
}
