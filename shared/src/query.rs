//! Queries as a rule reads them: in one grammar that no common parser reads in two ways.
//!
//! An origin's parser may repeat, fold, decode, split or cut a query differently from the edge. Where a rule reads the
//! query, the whole query must therefore be one on which they agree, or the request is refused with a [`QueryError`].
//! `cargo xtask test --only parsers` compares the result with that of real parsers.
//!
//! Not here: what any query may contain ([`crate::target`]), and what a company may be called.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    request::folded,
    target::{CanonicalTarget, escaped_octet},
};

/// Most parameters in a query that a rule reads. PHP and `qs` ignore what follows the first 1000.
const MAX_PARAMETERS: usize = 100;

/// Parameters by which a framework takes another method than that of the request, folded as [`folded`] does.
///
/// | parameter | read from the query of an unsafe method by |
/// | --- | --- |
/// | `_method` | Symfony and Laravel (`Request::getMethod`, `http_method_override`), WordPress (`WP_REST_Server`), Spring (`HiddenHttpMethodFilter`), Express and Hono (`method-override`, where set up), wai-extra, `trillium-method-override`, `rack-methodoverride-with-params` |
/// | `_HttpMethod` | Salesforce's REST API |
/// | `X-HTTP-Method-Override` | ASP.NET MVC (`HttpRequestExtensions.GetHttpMethodOverride`) |
/// | `X-HTTP-Method`, `X-Method-Override` | what is set up by the name of the field instead (`method-override`) |
const METHOD_OVERRIDES: [&str; 5] =
    ["-method", "-httpmethod", "x-http-method-override", "x-http-method", "x-method-override"];

/// Why a request's query is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// A parameter overrides the method, and the route does not allow that.
    MethodOverride,
    /// The path contains `&` and the name of the parameter that a rule reads. Hono 3 searches the whole URL for it.
    InPath,
    /// The query contains a `?`. Hono 3 takes what follows for the query, and `qs` can be told to ignore a first one.
    QuestionMark,
    /// The query contains a `;`, at which some parsers split it.
    Semicolon,
    /// The query has more than 100 parameters.
    TooManyParameters,
    /// A parameter's name is empty or has a character other than letters, digits, `_`, `-` and `.`.
    Name,
    /// A value does not decode to UTF-8.
    NotUtf8,
    /// The parameter that a rule reads occurs twice, or under a name that some parser folds to it.
    Ambiguous,
    /// The parameter that a rule reads has no value.
    EmptyValue,
    /// The value that a rule reads has a character other than an unreserved one and needed escapes.
    Value,
}

/// Returns the decoded value of the parameter `name`; `None` if there is no such parameter.
///
/// # Errors
/// [`QueryError`] if some common parser could read another value than the one returned.
///
/// ```
/// use postern::{query::{QueryError, parameter}, target::CanonicalTarget};
/// let target = CanonicalTarget::parse("/orders?page=2&company=auth0%7Cx")?;
/// assert_eq!(parameter(&target, "company"), Ok(Some("auth0|x".into())));
/// let target = CanonicalTarget::parse("/orders?company=1111&company[]=2222")?;
/// assert_eq!(parameter(&target, "company"), Err(QueryError::Name));
/// # Ok::<(), postern::target::TargetError>(())
/// ```
pub fn parameter(target: &CanonicalTarget, name: &str) -> Result<Option<String>, QueryError> {
    if target.path().split('&').skip(1).any(|text| text.starts_with(name)) {
        return Err(QueryError::InPath);
    }
    let Some(query) = target.query() else { return Ok(None) };
    if query.contains('?') {
        return Err(QueryError::QuestionMark);
    }
    if query.contains(';') {
        return Err(QueryError::Semicolon);
    }
    if query.split('&').count() > MAX_PARAMETERS {
        return Err(QueryError::TooManyParameters);
    }
    let mut found = None;
    let mut is_ambiguous = false;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key.is_empty() || !key.bytes().all(is_in_names) {
            return Err(QueryError::Name);
        }
        let decoded = String::from_utf8(octets(value)).map_err(|_| QueryError::NotUtf8)?;
        if is_folded_to(name, key) {
            is_ambiguous |= key != name || found.replace((value, decoded)).is_some();
        }
    }
    match found {
        _ if is_ambiguous => Err(QueryError::Ambiguous),
        None => Ok(None),
        Some(("", _)) => Err(QueryError::EmptyValue),
        Some((value, _)) if !is_needed_spelling(value) => Err(QueryError::Value),
        Some((_, decoded)) => Ok(Some(decoded)),
    }
}

/// Whether some framework takes the method of a request from this query. A name counts however it is escaped or folded, and
/// wherever a parser may begin a parameter.
pub(crate) fn overrides_method(query: &str) -> bool {
    query.split(['&', ';', '?']).any(|pair| {
        let key = octets(pair.split('=').next().unwrap_or_default());
        METHOD_OVERRIDES.iter().any(|name| is_read_as(name, &key))
    })
}

/// Whether a parser may fold the parameter `key` to `name`, or read it as a member of `name`: letter case, `_`, `-` and `.`
/// (PHP writes `a_b` for `a.b`; `qs` can be told to read `a.b` as a member of `a`).
fn is_folded_to(name: &str, key: &str) -> bool {
    let mut folded_key = folded(key);
    folded(name).all(|octet| folded_key.next() == Some(octet))
        && key.as_bytes().get(name.len()).is_none_or(|next| *next == b'.')
}

/// Whether a parser may read the decoded `key` as the folded `name`, as a list or as a member of it. PHP drops leading
/// spaces and all from a NUL on; Rack and `qs` read `[name]` as `name`, and Rack reads `name]` so too.
fn is_read_as(name: &str, key: &[u8]) -> bool {
    let is_ignored = |octet: &u8| b" []\0".contains(octet);
    let begin = key.iter().position(|octet| !is_ignored(octet)).unwrap_or(key.len());
    let key = key.get(begin..).unwrap_or_default();
    let (Some(own), after) = (key.get(..name.len()), key.get(name.len())) else { return false };
    let fold = |octet: &u8| if octet.is_ascii_alphanumeric() { octet.to_ascii_lowercase() } else { b'-' };
    own.iter().map(fold).eq(name.bytes()) && after.is_none_or(|next| is_ignored(next) || *next == b'.')
}

fn is_in_names(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"_-.".contains(&octet)
}

/// RFC 3986 §2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// Whether all unreserved characters stand for themselves and all others are escaped.
fn is_needed_spelling(value: &str) -> bool {
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        let is_needed = match octet {
            b'%' => escaped_octet(&mut rest).is_some_and(|octet| !is_unreserved(octet)),
            other => is_unreserved(other),
        };
        if !is_needed {
            return false;
        }
    }
    true
}

/// Decodes a part of a canonical target's query; a `+` is a space.
fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            // A canonical target has no broken escapes.
            b'%' => escaped_octet(&mut rest).unwrap_or(b'%'),
            other => other,
        });
    }
    octets
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MethodOverride => "a query parameter overrides the method",
            Self::InPath => "the path contains `&` and the name of a query parameter",
            Self::QuestionMark => "the query contains a `?`",
            Self::Semicolon => "the query contains a `;`",
            Self::TooManyParameters => "the query has more than 100 parameters",
            Self::Name => "the name of a query parameter has a character other than letters, digits, `_`, `-` and `.`",
            Self::NotUtf8 => "a query parameter does not decode to UTF-8",
            Self::Ambiguous => "a query parameter occurs twice, or in a second spelling",
            Self::EmptyValue => "a query parameter has no value",
            Self::Value => "a query parameter has an unescaped reserved character, a `+` or a needless escape",
        })
    }
}

impl core::error::Error for QueryError {}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use QueryError::*;

    fn read(name: &str, target: &str) -> Result<Option<String>, QueryError> {
        parameter(&CanonicalTarget::parse(target).unwrap_or_else(|error| panic!("{target}: {error}")), name)
    }

    #[test]
    fn a_parameter_is_read_where_no_parser_reads_another() {
        for (target, value) in [
            ("/", None),
            ("/?page=2&flag&empty=&x.y=1&x-y=+", None),
            ("/?company=1111", Some("1111")),
            ("/?a=%20b&company=auth0%7Cx&c=/:@!$*", Some("auth0|x")),
            ("/?company=a%2Bb%40c", Some("a+b@c")),
            ("/?company=a%2bb", Some("a+b")),
            ("/?company=caf%C3%A9", Some("caf\u{e9}")),
            ("/?company=1111&company2=2222&company_=2222&a.company=2222", Some("1111")),
            ("/a&b&Company=2222?company=1111", Some("1111")),
        ] {
            assert_eq!(read("company", target), Ok(value.map(Into::into)), "{target}");
        }
    }

    #[test]
    fn a_query_that_parsers_read_in_two_ways_is_refused_with_its_reason() {
        for (target, why) in [
            ("/a&company=2222?company=1111", InPath),
            ("/a&company=2222&b?x=1&company=1111", InPath),
            ("/??company=2222&company=1111", QuestionMark),
            ("/?a=?company=2222&company=1111", QuestionMark),
            ("/?company=1111;company=2222", Semicolon),
            ("/?a=1;b&company=1111", Semicolon),
            ("/?company=1111&company[]=2222", Name),
            ("/?company=1111&company%5B0%5D=2222", Name),
            ("/?company=1111&[company]=2222", Name),
            ("/?company=1111&company]=2222", Name),
            ("/?company=1111&ids[]=2222", Name),
            ("/?company=1111&filter[x]=2222", Name),
            ("/?%63ompany=1111", Name),
            ("/?company=1111&%63ompany=2222", Name),
            ("/?company=1111&+company=2222", Name),
            ("/?company=1111&company%00x=2222", Name),
            ("/?company=1111&caf%C3%A9=2222", Name),
            ("/?company=1111&", Name),
            ("/?&company=1111", Name),
            ("/?company=1111&&a=b", Name),
            ("/?company=1111&=b", Name),
            ("/?company=1111&a=%FF", NotUtf8),
            ("/?company=%FF", NotUtf8),
            ("/?company=%ED%A0%80", NotUtf8),
            ("/?company=1111&company=1111", Ambiguous),
            ("/?company=1111&company", Ambiguous),
            ("/?company=1111&Company=2222", Ambiguous),
            ("/?COMPANY=1111", Ambiguous),
            ("/?company=1111&company.id=2222", Ambiguous),
            ("/?company", EmptyValue),
            ("/?company=", EmptyValue),
            ("/?company=11+11", Value),
            ("/?company=%31111", Value),
            ("/?company=1111%7E", Value),
            ("/?company=a@b", Value),
            ("/?company=1111,2222", Value),
            ("/?company=a=b", Value),
            ("/?company=a]=b", Value),
        ] {
            assert_eq!(read("company", target), Err(why), "{target}");
        }
        for other in ["Company_Id", "company-id", "company.id", "company.id.x"] {
            assert_eq!(read("company_id", &format!("/?company_id=1111&{other}=2222")), Err(Ambiguous), "{other}");
        }
    }

    #[test]
    fn a_query_has_at_most_a_hundred_parameters() {
        let of = |count: usize| format!("/?{}company=1111", "a=1&".repeat(count - 1));
        assert_eq!(read("company", &of(100)), Ok(Some("1111".into())));
        assert_eq!(read("company", &of(101)), Err(TooManyParameters));
    }

    #[test]
    fn a_parameter_that_overrides_the_method_is_found_in_any_spelling() {
        for query in [
            "_method=DELETE",
            "_method",
            "a=b&_method=DELETE",
            "_METHOD=DELETE",
            "%5fmethod=DELETE",
            "_%6Dethod=DELETE",
            ".method=DELETE",
            "-method=DELETE",
            "_method[]=DELETE",
            "_method%5B%5D=DELETE",
            "[_method]=DELETE",
            "_method]=DELETE",
            "+_method=DELETE",
            "_method%00x=DELETE",
            "_method.x=DELETE",
            "a;_method=DELETE",
            "?_method=DELETE",
            "a=?_method=DELETE",
            "_HttpMethod=PATCH",
            "X-HTTP-Method-Override=DELETE",
            "x_http_method_override=DELETE",
            "X-HTTP-Method=DELETE",
            "X-Method-Override=DELETE",
        ] {
            assert!(overrides_method(query), "{query}");
        }
        for query in ["method=card", "_method_name=x", "a=_method", "payment_method=card", "x[_method]=x", "methods=1"]
        {
            assert!(!overrides_method(query), "{query}");
        }
    }
}
