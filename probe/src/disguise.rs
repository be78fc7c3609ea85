//! What a disguise is, and the requests that it is sent as.

use crate::{
    ECHO_PATH,
    fields::{self, Field, Says},
    paths::{self, Spelling},
    queries::{self, Query},
};

/// What a disguise tries to change in the origin's reading of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aim {
    /// The method.
    Method,
    /// `http` or `https`.
    Scheme,
    /// The host.
    Host,
    /// The path, and with it the route.
    Path,
    /// The part of the path before the application's own: `SCRIPT_NAME`, a mount point.
    Prefix,
    /// The client's address.
    Address,
    /// The company that the query names.
    Company,
}

impl Aim {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Scheme => "scheme",
            Self::Host => "host",
            Self::Path => "path",
            Self::Prefix => "prefix",
            Self::Address => "address",
            Self::Company => "company",
        }
    }
}

/// Where a disguise is in the request.
#[derive(Clone, Copy, Debug)]
pub enum Carrier {
    /// The path in another spelling.
    Path(&'static Spelling),
    /// A header field.
    Field(&'static Field),
    /// The query.
    Query(&'static Query),
}

impl Carrier {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path(_) => "path",
            Self::Field(_) => "field",
            Self::Query(_) => "query",
        }
    }
}

/// One way to make an origin read another request than the edge decided on.
#[derive(Clone, Copy, Debug)]
pub struct Disguise {
    /// Its name, unique in the list.
    pub name: &'static str,
    /// What it tries to change.
    pub aim: Aim,
    /// Where it is in the request.
    pub carrier: Carrier,
}

/// The request that is disguised.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The path: [`ECHO_PATH`], or a path that the origin is known to serve.
    pub path: String,
    /// The query, if the request has one.
    pub query: Option<String>,
    /// The scheme by which the origin reads a request without a disguise, if it says so.
    pub scheme: Option<String>,
    /// A path that the origin does not have.
    pub unknown: String,
    /// A label that occurs in no request but the probe's: the host `MARK.example`, the prefix `/MARK`.
    pub mark: String,
}

/// A request as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// Path and query, sent exactly as written here.
    pub target: String,
    /// Header fields, names as written here.
    pub fields: Vec<(String, String)>,
}

/// How an origin that is not deceived reads an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// As the same request without the disguise.
    AsPlain,
    /// Not as a request for the plain path.
    Elsewhere,
    /// As a request of this company.
    Company(&'static str),
}

/// One request of a disguise.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The request.
    pub request: Request,
    /// How it should be read.
    pub expected: Expected,
}

/// Every disguise.
pub fn disguises() -> impl Iterator<Item = Disguise> {
    let paths = paths::SPELLINGS.iter().map(|spelling| Disguise {
        name: spelling.name,
        aim: Aim::Path,
        carrier: Carrier::Path(spelling),
    });
    let fields = fields::FIELDS.iter().map(|field| Disguise {
        name: field.disguise,
        aim: field.aim,
        carrier: Carrier::Field(field),
    });
    let queries = queries::QUERIES.iter().map(|query| Disguise {
        name: query.name,
        aim: query.aim,
        carrier: Carrier::Query(query),
    });
    paths.chain(fields).chain(queries)
}

impl Plain {
    /// A request for the echo handler. `mark` is a label that occurs in no other request.
    #[must_use]
    pub fn echo(mark: &str) -> Self {
        Self::at(ECHO_PATH, Some(&format!("{}={}", Query::PARAMETER, Query::COMPANY)), mark)
    }

    /// A request for `path` with `query`. `mark` is a label that occurs in no other request.
    #[must_use]
    pub fn at(path: &str, query: Option<&str>, mark: &str) -> Self {
        Self {
            path: path.to_owned(),
            query: query.map(str::to_owned),
            scheme: None,
            unknown: format!("/{mark}/unknown"),
            mark: mark.to_owned(),
        }
    }

    /// A request for `path` with the plain query.
    pub(crate) fn request(&self, method: &'static str, path: &str) -> Request {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        Request { method, target: format!("{path}{query}"), fields: Vec::new() }
    }

    /// The request without a disguise.
    #[must_use]
    pub fn get(&self) -> Request {
        self.request("GET", &self.path)
    }
}

impl Request {
    /// With one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Disguise {
    /// The requests of this disguise: GET only, and POST too with `unsafe_methods`. Empty where the plain path has no such
    /// spelling.
    #[must_use]
    pub fn attempts(&self, plain: &Plain, unsafe_methods: bool) -> Vec<Attempt> {
        let methods: &[&'static str] = if unsafe_methods { &["GET", "POST"] } else { &["GET"] };
        match self.carrier {
            Carrier::Path(spelling) => {
                let spelled = (spelling.spell)(&plain.path).filter(|spelled| *spelled != plain.path);
                spelled.map(|target| elsewhere(plain.request("GET", &target))).into_iter().collect()
            }
            Carrier::Query(query) if query.aim == Aim::Method => {
                let overridden = |method| {
                    let mut request = plain.request(method, &plain.path);
                    let sign = if plain.query.is_some() { '&' } else { '?' };
                    request.target += &format!("{sign}{}={}", query.text, other_method(method));
                    as_plain(request)
                };
                methods.iter().copied().map(overridden).collect()
            }
            Carrier::Query(query) => {
                let target = format!("{}?{}", plain.path, query.written());
                let request = Request { method: "GET", target, fields: Vec::new() };
                vec![Attempt { request, expected: Expected::Company(query.names) }]
            }
            Carrier::Field(field) => field_attempts(field, plain, methods),
        }
    }
}

fn field_attempts(field: &Field, plain: &Plain, methods: &[&'static str]) -> Vec<Attempt> {
    let with = |request: Request, value: &str| request.with(field.name, &field.value(value));
    let mark = &plain.mark;
    match field.says {
        Says::Method => methods
            .iter()
            .map(|method| as_plain(with(plain.request(method, &plain.path), other_method(method))))
            .collect(),
        Says::Scheme => {
            let other = if plain.scheme.as_deref() == Some("https") { "http" } else { "https" };
            vec![as_plain(with(plain.get(), other))]
        }
        Says::On => vec![as_plain(with(plain.get(), "on"))],
        Says::Host => vec![as_plain(with(plain.get(), &format!("{mark}.example")))],
        Says::Port => vec![as_plain(with(plain.get(), "4711"))],
        Says::Address => vec![as_plain(with(plain.get(), fields::ADDRESS))],
        Says::Path => vec![elsewhere(with(plain.request("GET", &plain.unknown), &plain.path))],
        Says::Prefix => {
            let prefix = format!("/{mark}");
            let below = plain.request("GET", &format!("{prefix}{}", plain.path));
            vec![elsewhere(with(below, &prefix)), as_plain(with(plain.get(), &prefix))]
        }
    }
}

/// What an override asks for: a method without effects for a method without effects.
fn other_method(method: &str) -> &'static str {
    if method == "GET" { "OPTIONS" } else { "DELETE" }
}

fn as_plain(request: Request) -> Attempt {
    Attempt { request, expected: Expected::AsPlain }
}

fn elsewhere(request: Request) -> Attempt {
    Attempt { request, expected: Expected::Elsewhere }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_disguise_has_its_own_name() {
        let names: BTreeSet<_> = disguises().map(|disguise| disguise.name).collect();
        assert_eq!(names.len(), disguises().count());
    }

    #[test]
    fn every_disguise_can_be_tried_on_the_echo_path_without_unsafe_methods() {
        let plain = Plain::echo("mark");
        for disguise in disguises() {
            let attempts = disguise.attempts(&plain, false);
            assert!(!attempts.is_empty(), "{}", disguise.name);
            assert!(attempts.iter().all(|attempt| attempt.request.method == "GET"), "{}", disguise.name);
        }
    }

    #[test]
    fn unsafe_methods_add_attempts_for_method_overrides_only() {
        let plain = Plain::echo("mark");
        for disguise in disguises() {
            let more = disguise.attempts(&plain, true).len() > disguise.attempts(&plain, false).len();
            assert_eq!(more, disguise.aim == Aim::Method, "{}", disguise.name);
        }
    }

    #[test]
    fn a_path_disguise_never_asks_for_the_plain_path() {
        let plain = Plain::echo("mark");
        for attempt in disguises().flat_map(|disguise| disguise.attempts(&plain, true)) {
            if attempt.expected == Expected::Elsewhere {
                assert_ne!(attempt.request.target, plain.get().target);
            }
        }
    }
}
