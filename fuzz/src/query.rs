//! Queries: a parameter that a rule reads has one value, whoever reads the query.
//!
//! The payload is a target, or a query alone. What is accepted is read again by the URL Standard's parser and by one that
//! splits, folds and decodes as generously as any server; both must find the same value, once.

use postern::{query::parameter, target::CanonicalTarget};
use url::form_urlencoded;

use crate::Script;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Not a canonical target.
    NotCanonical,
    /// A query that readers could differ about.
    Refused,
    /// A query without the parameter.
    Absent,
    /// A query with the parameter, once.
    Read,
}

/// Most parameters that a reader may be given.
const MOST: usize = 100;

/// Reads the input's query.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let name = script.pick(&["company", "companyId", "x-company_id"]);
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::NotCanonical };
    let text = if text.starts_with('/') { text.to_owned() } else { format!("/orders?{text}") };
    let Ok(target) = CanonicalTarget::parse(&text) else { return Reached::NotCanonical };
    let query = target.query().unwrap_or_default();
    let read = match parameter(&target, name) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Reached::Refused;
        }
        Ok(read) => read,
    };
    assert!(query.split('&').count() <= MOST, "more parameters than some readers take");
    assert!(!target.path().contains(&format!("&{name}")), "the path has the parameter too");
    let by_the_standard: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| is_like(name, key))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let generous = generously(query, name);
    let found: Vec<(String, String)> = read.iter().map(|value| (name.to_owned(), value.clone())).collect();
    assert_eq!(by_the_standard, found, "the URL Standard reads another value");
    assert_eq!(generous, found, "a generous reader reads another value");
    let Some(value) = read else { return Reached::Absent };
    assert!(!value.is_empty(), "an empty value is accepted");
    assert_alone(&text, name);
    let again = format!("/?{name}={}", escaped(&value));
    let again = CanonicalTarget::parse(&again).expect("an escaped value is canonical");
    assert_eq!(parameter(&again, name), Ok(Some(value)), "a value changes when it is written");
    Reached::Read
}

/// Whether some server takes `key` for `name`, or for a list or a member of that name.
fn is_like(name: &str, key: &str) -> bool {
    let fold = |octet: char| if octet.is_ascii_alphanumeric() { octet.to_ascii_lowercase() } else { '-' };
    let mut rest = key.trim_start_matches([' ', '[']).chars();
    let is_begun = name.chars().all(|octet| rest.next().map(fold) == Some(fold(octet)));
    is_begun && rest.next().is_none_or(|next| matches!(next, '.' | '[' | ']' | ' ' | '\0'))
}

/// Splits at whatever some server splits at, and decodes names too.
fn generously(query: &str, name: &str) -> Vec<(String, String)> {
    let pairs = query.split(['&', ';', '?']).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = |text: &str| String::from_utf8_lossy(&decode(text)).into_owned();
    pairs.map(|(key, value)| (decoded(key), decoded(value))).filter(|(key, _)| is_like(name, key)).collect()
}

fn decode(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    octets
}

fn escaped(value: &str) -> String {
    value
        .bytes()
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
            octet => format!("%{octet:02X}"),
        })
        .collect()
}

/// A second parameter in any spelling that some server takes for the first has the query refused.
fn assert_alone(text: &str, name: &str) {
    let (upper, dotted) = (name.to_ascii_uppercase(), name.replace(['-', '_'], "."));
    let in_path = format!(
        "{}&{name}=zz?{}",
        &text[..text.find('?').unwrap_or(0)],
        &text[text.find('?').map_or(0, |at| at + 1)..]
    );
    let behind = |more: String| format!("{text}{more}");
    for second in [
        behind(format!("&{name}=zz")),
        behind(format!("&{upper}=zz")),
        behind(format!("&{dotted}=zz")),
        behind(format!("&{name}.a=zz")),
        behind(format!("&{name}[]=zz")),
        behind(format!("&{name}%5B%5D=zz")),
        behind(format!(";{name}=zz")),
        behind(format!("?{name}=zz")),
        in_path,
    ] {
        let read = CanonicalTarget::parse(&second).map(|target| parameter(&target, name));
        assert!(matches!(read, Err(_) | Ok(Err(_))), "`{name}` is read though it stands twice: {second}");
    }
}
