//! The path and query an assertion is compared with, from what a platform delivers.
//!
//! Function URLs, REST APIs and load balancers hand over the path as the edge sent it. HTTP APIs decode
//! it. Which of the two it is need not be configured: a canonical path's decoded segments hold no `%`, so
//! a path with `%` in it is as it was sent, and one without is encoded, which leaves a path that needed
//! no escapes as it is. A path the edge cannot have sent is refused either way.
//!
//! `lambda_http` builds the request's URI with a URL parser that mends what it reads (`/a/../b` becomes
//! `/b`), so under Lambda the path is taken from the event (`raw_http_path`), never from the URI. Its query is
//! verbatim for function URLs and HTTP APIs. REST APIs and load balancers give a decoded map: there the bound query must
//! have these very parameters, the values of each name in their order, and be one that nobody reads in two ways: a bare
//! `+`, a name without `=` or an escape that is none is refused. In which order the names came cannot be known, and
//! makes no difference to who reads the map. The target is then the bound one.

use std::fmt;

use http::request::Parts;
use lambda_http::RequestExt;
use postern::target::{CanonicalTarget, TargetError, encode_path};

use crate::http::{incoming::without_query, query};

/// The prefix a platform puts before every path: a stage, or a custom domain's base path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// Why a text is not a base path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BasePathError {
    /// It is no canonical path, or has a query.
    NotCanonical,
    /// It holds an escape: decoded and as sent it would differ.
    Escape,
    /// It is `/` or ends in `/`.
    TrailingSlash,
}

/// Why the target of a request cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undeliverable {
    /// The path does not begin with the base path.
    BasePath,
    /// What is left is not canonical.
    Target(TargetError),
}

impl BasePath {
    /// No prefix: paths arrive as the edge sent them.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }

    /// A prefix such as `/prod`.
    ///
    /// # Errors
    /// [`BasePathError`] when it could not be taken off in one way only.
    pub fn new(path: &str) -> Result<Self, BasePathError> {
        if path.ends_with('/') {
            return Err(BasePathError::TrailingSlash);
        }
        if path.contains('%') {
            return Err(BasePathError::Escape);
        }
        match CanonicalTarget::parse(path) {
            Ok(target) if target.query().is_none() => Ok(Self(path.to_owned())),
            _ => Err(BasePathError::NotCanonical),
        }
    }

    pub(crate) fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.0.is_empty() {
            return Some(path);
        }
        match path.strip_prefix(self.0.as_str())? {
            // `/prod` alone is the root of what stands behind it.
            "" => Some("/"),
            rest => rest.starts_with('/').then_some(rest),
        }
    }
}

/// The target of a request, as far as the platform tells.
pub(super) enum Delivered {
    /// As it was sent.
    Whole(CanonicalTarget),
    /// The path alone, and the parameters of the query without their spelling.
    InPieces(CanonicalTarget, Option<String>),
}

impl Delivered {
    pub(super) fn of(parts: &Parts, base_path: &BasePath) -> Result<Self, Undeliverable> {
        if !query::is_given_in_pieces(parts) {
            return Ok(Self::Whole(delivered(parts, base_path, parts.uri.query())?));
        }
        Ok(Self::InPieces(delivered(parts, base_path, None)?, query::of(parts)))
    }

    /// The target, when it can be no other than `bound`.
    pub(super) fn bound_as(self, bound: &str) -> Option<CanonicalTarget> {
        match self {
            Self::Whole(target) => (target.as_str() == bound).then_some(target),
            Self::InPieces(path, parameters) => {
                let target = CanonicalTarget::parse(bound).ok()?;
                let bound_parameters = match target.query() {
                    None => None,
                    Some(query) => query::written(query::parameters(query)?),
                };
                (target.path() == path.path() && bound_parameters == parameters).then_some(target)
            }
        }
    }
}

/// The canonical path of a request as it arrived, with `query`.
fn delivered(parts: &Parts, base_path: &BasePath, query: Option<&str>) -> Result<CanonicalTarget, Undeliverable> {
    let path = match parts.raw_http_path() {
        "" => parts.uri.path(),
        raw => raw,
    };
    let path = base_path.strip(path).ok_or(Undeliverable::BasePath)?;
    let mut target =
        if path.contains('%') { without_query(path) } else { encode_path(path).map_err(Undeliverable::Target)? };
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    CanonicalTarget::parse(&target).map_err(Undeliverable::Target)
}

impl Undeliverable {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::BasePath => "base_path",
            Self::Target(_) => "target",
        }
    }
}

impl fmt::Display for BasePathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotCanonical => "the base path is not a canonical path",
            Self::Escape => "the base path holds a percent-escape",
            Self::TrailingSlash => "the base path ends in `/`",
        })
    }
}

impl std::error::Error for BasePathError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request as `lambda_http` makes it: `raw` from the event, the URI from its URL parser.
    fn parts(raw: &str, query: &str) -> Parts {
        let uri = if query.is_empty() { "/mended".to_owned() } else { format!("/mended?{query}") };
        http::Request::builder().uri(uri).body(()).unwrap().with_raw_http_path(raw).into_parts().0
    }

    fn target(raw: &str, query: &str, base: &str) -> Result<String, Undeliverable> {
        let base = if base.is_empty() { BasePath::none() } else { BasePath::new(base).unwrap() };
        let parts = parts(raw, query);
        delivered(&parts, &base, parts.uri.query()).map(|target| target.as_str().to_owned())
    }

    #[test]
    fn the_path_of_the_event_is_taken_not_that_of_the_uri() {
        assert_eq!(target("/users/auth0%7Cabc", "", "").unwrap(), "/users/auth0%7Cabc");
        assert_eq!(target("/a", "x=%7C&x=1", "").unwrap(), "/a?x=%7C&x=1");
    }

    #[test]
    fn outside_lambda_the_uri_is_the_path_as_sent() {
        let request = http::Request::builder().uri("/users/auth0%7Cabc?page=2").body(()).unwrap();
        let parts = request.into_parts().0;
        let target = delivered(&parts, &BasePath::none(), parts.uri.query()).unwrap();
        assert_eq!(target.as_str(), "/users/auth0%7Cabc?page=2");
    }

    #[test]
    fn a_decoded_path_is_encoded_again() {
        assert_eq!(target("/users/auth0|abc", "", "").unwrap(), "/users/auth0%7Cabc");
        assert_eq!(target("/users/caf\u{e9} 1", "", "").unwrap(), "/users/caf%C3%A9%201");
    }

    #[test]
    fn stage_and_base_path_are_taken_off_whole_segments() {
        assert_eq!(target("/prod/users/a", "", "/prod").unwrap(), "/users/a");
        assert_eq!(target("/prod", "", "/prod").unwrap(), "/");
        assert_eq!(target("/v1/orders/users/a|b", "", "/v1/orders").unwrap(), "/users/a%7Cb");
        for raw in ["/users/a", "/production/users/a", "/PROD/users/a", "/%70rod/users/a"] {
            assert_eq!(target(raw, "", "/prod"), Err(Undeliverable::BasePath), "{raw}");
        }
    }

    #[test]
    fn what_the_edge_cannot_have_sent_is_refused() {
        for raw in [
            "/a?b=%7C",
            "/a%7C#b",
            "/a?b",
            "/a#b",
            "/a/../b",
            "/a//b",
            "/a/%2e%2e/b",
            "/a%2Fb",
            "/a%7cb",
            "/a;b",
            "/a\\b",
            "/%zz",
            "",
            "a",
        ] {
            let parts = http::Request::builder().uri("*").body(()).unwrap().with_raw_http_path(raw).into_parts().0;
            assert!(matches!(delivered(&parts, &BasePath::none(), None), Err(Undeliverable::Target(_))), "{raw:?}");
        }
    }

    #[test]
    fn a_base_path_that_could_be_read_in_two_ways_is_refused() {
        use BasePathError::*;
        for (path, why) in [
            ("", NotCanonical),
            ("prod", NotCanonical),
            ("/prod?x", NotCanonical),
            ("/a/../b", NotCanonical),
            ("/", TrailingSlash),
            ("/prod/", TrailingSlash),
            ("/a%20b", Escape),
        ] {
            assert_eq!(BasePath::new(path), Err(why), "{path:?}");
        }
    }
}
