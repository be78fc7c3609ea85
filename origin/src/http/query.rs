//! The query of a request, where a platform hands it over in pieces.
//!
//! Function URLs and HTTP APIs give it as it was sent. REST APIs and load balancers give a map: names and values, decoded
//! (a load balancer's are decoded by `lambda_http`), without their order or spelling. From that map one text is written:
//! names in their order, values of one name in theirs, all but unreserved characters escaped. The same parameters always
//! give the same text, whatever their order; what cannot be told apart in a map cannot be told apart here.

use http::request::Parts;
use lambda_http::{RequestExt, request::RequestContext};

/// The query, as it was sent where that is known.
pub(crate) fn of(parts: &Parts) -> Option<String> {
    if !is_given_in_pieces(parts) {
        return parts.uri.query().map(str::to_owned);
    }
    let map = parts.query_string_parameters();
    written(map.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Whether the platform gives a map alone.
pub(crate) fn is_given_in_pieces(parts: &Parts) -> bool {
    matches!(parts.extensions.get::<RequestContext>(), Some(RequestContext::ApiGatewayV1(_) | RequestContext::Alb(_)))
}

/// Parameters as one text, sorted by name; values of one name keep their order.
pub(crate) fn written(mut parameters: Vec<(String, String)>) -> Option<String> {
    if parameters.is_empty() {
        return None;
    }
    parameters.sort_by(|(one, _), (other, _)| one.cmp(other));
    let written: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    Some(written.join("&"))
}

/// The parameters of a query as it was sent, decoded as the platforms do; `None` where two readers could differ.
pub(crate) fn parameters(query: &str) -> Option<Vec<(String, String)>> {
    query
        .split('&')
        .map(|pair| pair.split_once('='))
        .map(|pair| pair.and_then(|(name, value)| Some((unescaped(name)?, unescaped(value)?))))
        .collect()
}

/// `None` for what is read in more than one way: a bare `+`, an escape that is none, octets that are no UTF-8.
fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'+' => return None,
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = (digit()?, digit()?);
                octets.push(high.wrapping_shl(4) | low);
            }
            other => octets.push(other),
        }
    }
    String::from_utf8(octets).ok()
}

/// A decoded name or value as the core reads it in a query: unreserved characters stand for themselves (RFC 3986 §2.3), and
/// so do `?` and `;`, for which the core refuses a query that names a company.
pub(crate) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~?;".contains(&octet) {
            written.push(char::from(octet));
        } else {
            written.push_str(&format!("%{octet:02X}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(query: &str) -> Option<String> {
        written(parameters(query)?)
    }

    #[test]
    fn the_order_of_names_makes_no_difference_and_that_of_values_does() {
        assert_eq!(round("b=2&a=1&b=1").as_deref(), Some("a=1&b=2&b=1"));
        assert_eq!(round("a=1&b=2&b=1"), round("b=2&b=1&a=1"));
        assert_ne!(round("a=1&b=1&b=2"), round("a=1&b=2&b=1"));
        assert_eq!(round("page=%32&x=%7C"), round("x=%7c&page=2"));
    }

    #[test]
    fn what_two_readers_could_take_for_different_things_is_not_read() {
        for query in ["a", "a=1&", "&a=1", "a=1+2", "a+b=1", "a=%zz", "a=%f", "a=%ff", "a=1&&b=2"] {
            assert_eq!(parameters(query), None, "{query}");
        }
        assert_eq!(parameters("a="), Some(vec![("a".to_owned(), String::new())]));
        assert_eq!(parameters("a=b=c"), Some(vec![("a".to_owned(), "b=c".to_owned())]));
    }

    #[test]
    fn what_is_written_is_a_query_that_the_core_takes() {
        let parameters = vec![("a b&=+'\"\u{e9}".to_owned(), "#%<>\u{0}".to_owned()), ("z".to_owned(), String::new())];
        let query = written(parameters.clone()).unwrap();
        assert!(postern::target::CanonicalTarget::parse(&format!("/?{query}")).is_ok(), "{query}");
        assert_eq!(super::parameters(&query), Some(parameters));
        assert_eq!(written(Vec::new()), None);
    }
}
