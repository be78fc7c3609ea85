//! Header fields from which some server or framework takes the method, scheme, host, path, prefix or client address.
//!
//! One field for each name that is honoured somewhere; further spellings of a name only where servers fold them
//! differently (CGI and WSGI make `_` of `-`).

use crate::Aim;

/// The address that fields claim: RFC 5737's, which no real client has.
pub(crate) const ADDRESS: &str = "192.0.2.77";

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Another method.
    Method,
    /// The other scheme.
    Scheme,
    /// `on`: the request came by TLS.
    On,
    /// Another host.
    Host,
    /// Another port.
    Port,
    /// The plain path, in a request for another one.
    Path,
    /// A prefix.
    Prefix,
    /// Another client address.
    Address,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The disguise's name.
    pub disguise: &'static str,
    /// The field's name as it is sent.
    pub name: &'static str,
    /// What it tries to change.
    pub aim: Aim,
    pub(crate) says: Says,
    /// The value's form; `{}` stands for what it says.
    form: &'static str,
}

impl Field {
    pub(crate) fn value(&self, says: &str) -> String {
        self.form.replace("{}", says)
    }
}

const fn field(name: &'static str, aim: Aim, says: Says) -> Field {
    Field { disguise: name, name, aim, says, form: "{}" }
}

const fn forwarded(disguise: &'static str, aim: Aim, says: Says, form: &'static str) -> Field {
    Field { disguise, name: "Forwarded", aim, says, form }
}

/// All fields. Sources: Rack (`Rack::Request`, `Rack::MethodOverride`), Rails (`ActionDispatch::RemoteIp`), Symfony and
/// Laravel (trusted proxies, method override), Express (`trust proxy`, `method-override`), gunicorn
/// (`secure_scheme_headers`, `forwarder_headers`), Werkzeug (`ProxyFix`), uvicorn (`--proxy-headers`), Django
/// (`USE_X_FORWARDED_HOST`), IIS and Zend (`X-Original-URL`, `X-Rewrite-URL`), Azure App
/// Service, Next.js, WebLogic; Envoy, nginx and Traefik documentation.
pub(crate) const FIELDS: [Field; 59] = [
    field("X-HTTP-Method-Override", Aim::Method, Says::Method),
    field("X_HTTP_METHOD_OVERRIDE", Aim::Method, Says::Method),
    field("X-HTTP-Method", Aim::Method, Says::Method),
    field("X-Method-Override", Aim::Method, Says::Method),
    field("X-Original-Method", Aim::Method, Says::Method),
    field("X-Forwarded-Method", Aim::Method, Says::Method),
    field("REQUEST_METHOD", Aim::Method, Says::Method),
    field("X-Forwarded-Proto", Aim::Scheme, Says::Scheme),
    field("X_FORWARDED_PROTO", Aim::Scheme, Says::Scheme),
    field("X-Forwarded-Protocol", Aim::Scheme, Says::Scheme),
    Field {
        disguise: "X-Forwarded-Protocol: ssl",
        name: "X-Forwarded-Protocol",
        aim: Aim::Scheme,
        says: Says::On,
        form: "ssl",
    },
    field("X-Forwarded-Scheme", Aim::Scheme, Says::Scheme),
    field("X-Forwarded-Ssl", Aim::Scheme, Says::On),
    field("X-Url-Scheme", Aim::Scheme, Says::Scheme),
    field("X-Scheme", Aim::Scheme, Says::Scheme),
    field("Front-End-Https", Aim::Scheme, Says::On),
    forwarded("Forwarded: proto", Aim::Scheme, Says::Scheme, "proto={}"),
    field("X-Forwarded-Host", Aim::Host, Says::Host),
    field("X_FORWARDED_HOST", Aim::Host, Says::Host),
    field("X-Forwarded-Server", Aim::Host, Says::Host),
    field("X-Forwarded-Port", Aim::Host, Says::Port),
    field("X-Original-Host", Aim::Host, Says::Host),
    field("X-Host", Aim::Host, Says::Host),
    field("X-HTTP-Host-Override", Aim::Host, Says::Host),
    forwarded("Forwarded: host", Aim::Host, Says::Host, "host={}"),
    field("X-Original-URL", Aim::Path, Says::Path),
    field("X_ORIGINAL_URL", Aim::Path, Says::Path),
    field("X-Original-URI", Aim::Path, Says::Path),
    field("X-Original-Path", Aim::Path, Says::Path),
    field("X-Rewrite-URL", Aim::Path, Says::Path),
    field("X-Rewrite-URI", Aim::Path, Says::Path),
    field("X-Forwarded-Path", Aim::Path, Says::Path),
    field("X-Forwarded-Uri", Aim::Path, Says::Path),
    field("X-Envoy-Original-Path", Aim::Path, Says::Path),
    field("X-Waws-Unencoded-URL", Aim::Path, Says::Path),
    field("X-Matched-Path", Aim::Path, Says::Path),
    field("PATH_INFO", Aim::Path, Says::Path),
    field("Path-Info", Aim::Path, Says::Path),
    field("REQUEST_URI", Aim::Path, Says::Path),
    field("SCRIPT_NAME", Aim::Prefix, Says::Prefix),
    field("Script-Name", Aim::Prefix, Says::Prefix),
    field("X-Script-Name", Aim::Prefix, Says::Prefix),
    field("X-Forwarded-Prefix", Aim::Prefix, Says::Prefix),
    field("X_FORWARDED_PREFIX", Aim::Prefix, Says::Prefix),
    field("X-Forwarded-For", Aim::Address, Says::Address),
    field("X_FORWARDED_FOR", Aim::Address, Says::Address),
    field("X-Real-IP", Aim::Address, Says::Address),
    field("True-Client-IP", Aim::Address, Says::Address),
    field("Client-IP", Aim::Address, Says::Address),
    field("X-Client-IP", Aim::Address, Says::Address),
    field("X-Cluster-Client-IP", Aim::Address, Says::Address),
    field("X-Original-Forwarded-For", Aim::Address, Says::Address),
    field("X-Envoy-External-Address", Aim::Address, Says::Address),
    field("Fastly-Client-IP", Aim::Address, Says::Address),
    field("WL-Proxy-Client-IP", Aim::Address, Says::Address),
    field("X-Originating-IP", Aim::Address, Says::Address),
    field("X-Remote-Addr", Aim::Address, Says::Address),
    field("REMOTE_ADDR", Aim::Address, Says::Address),
    forwarded("Forwarded: for", Aim::Address, Says::Address, "for={}"),
];
