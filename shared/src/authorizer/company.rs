//! Which company a request is about, when its path does not say it.
//!
//! A header field or a query parameter can be written twice, and folded or decoded by the one who reads it next; the
//! company that was judged must be the only one that any reader can see. So it stands once, in one spelling, or the
//! request is refused.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{
    forward::names::{is_named_in, is_same},
    policy::{CompanyRule, Template},
    request::Request,
    target::CanonicalTarget,
};

/// Longest company that a field or a parameter may name, in octets; as long as the longest subject.
const MAX_COMPANY_BYTES: usize = 255;

/// The company of a request: itself, or where it stands in what is kept of the request anyway.
#[derive(Clone)]
pub(crate) enum Company {
    /// This segment of the path.
    Segment(usize),
    /// The caller's subject.
    Subject,
    /// This.
    Named(String),
}

impl Company {
    /// Its name, in a request for `target` by the caller with this `subject`.
    pub(crate) fn name<'a>(&'a self, target: &'a CanonicalTarget, subject: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Segment(position) => Template::value(target, *position),
            Self::Subject => subject,
            Self::Named(name) => Some(name),
        }
    }
}

/// The company that the request names, by the route's rule; `None` where it names none that can be judged.
pub(super) fn named(rule: &CompanyRule, request: &Request<'_>, target: &CanonicalTarget) -> Option<Company> {
    match rule {
        CompanyRule::None | CompanyRule::Any | CompanyRule::Subject | CompanyRule::Argument(_) => None,
        CompanyRule::Parameter(_, position) => Template::value(target, *position).map(|_| Company::Segment(*position)),
        CompanyRule::Header(name) => in_header(name, request).map(Company::Named),
        CompanyRule::Query(name) => in_query(name, target.query()?).map(Company::Named),
    }
}

/// The one field of that name, however it is spelt: `X_Company` is `X-Company` to some servers. `None` where `Connection`
/// names it (RFC 9110 §7.6.1): it then ends at the edge, and the origin would see no company.
fn in_header(name: &str, request: &Request<'_>) -> Option<String> {
    if request.header_values("connection").any(|connection| is_named_in(connection, name)) {
        return None;
    }
    let mut values = request.headers.iter().filter(|(field, _)| is_same(name, field));
    let (field, value) = values.next()?;
    let alone = values.next().is_none() && field.eq_ignore_ascii_case(name);
    (alone && is_company(value)).then(|| (*value).to_owned())
}

/// The one parameter of that name (WHATWG URL §5.1), as no reader can take for another: not twice under any escape,
/// not as a list (`name[]`), not by a name that PHP reads as this one (` name`; `a.b` and `a b` for `a_b`), nor one that Rack
/// (`[name]`, `name]`) or `qs` (`[name]`) does, and in no query with a `;`, which some readers take for a `&`.
fn in_query(name: &str, query: &str) -> Option<String> {
    if query.contains(';') {
        return None;
    }
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decoded(key)?;
        if !is_read_as(name, &key) {
            continue;
        }
        let value = decoded(value)?;
        if key != name || found.is_some() || !is_company(&value) {
            return None;
        }
        found = Some(value);
    }
    found
}

/// Whether some reader takes the parameter `key` for `name`, or for a list or a member of it.
fn is_read_as(name: &str, key: &str) -> bool {
    let fold = |byte: u8| if b" .[".contains(&byte) { b'_' } else { byte.to_ascii_lowercase() };
    let key = key.trim_matches([' ', '[', ']', '\0']);
    let mut folded = key.bytes().map(fold);
    name.bytes().all(|byte| folded.next() == Some(fold(byte)))
        // What comes next ends the name.
        && key.as_bytes().get(name.len()).is_none_or(|next| b" .[]\0".contains(next))
}

/// `None` where readers differ: bytes that are no UTF-8. `+` is a space here, which no company has.
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        octets.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(rest.next())?.checked_mul(16)?.checked_add(digit(rest.next())?)?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

impl CompanyRule {
    /// Whether a request can name the company `text` where this rule looks for it. A path can name any; a header field
    /// and a query parameter cannot name one that servers could read in two ways.
    #[must_use]
    pub fn can_name(&self, text: &str) -> bool {
        match self {
            Self::Header(_) | Self::Query(_) => is_company(text),
            Self::None | Self::Any | Self::Parameter(..) | Self::Subject | Self::Argument(_) => true,
        }
    }
}

/// Visible ASCII without what separates values in fields.
fn is_company(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b",;\"\\".contains(&byte);
    !text.is_empty() && text.len() <= MAX_COMPANY_BYTES && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(headers: &[(&str, &str)]) -> Option<String> {
        in_header("x-company", &Request { method: "GET", target: "/", headers })
    }

    #[test]
    fn a_field_names_one_company_in_one_spelling() {
        assert_eq!(header(&[("X-Company", "1111"), ("x-companies", "2222")]).as_deref(), Some("1111"));
        for headers in [
            &[][..],
            &[("x-company", "")],
            &[("x-company", "1111"), ("x-company", "2222")],
            &[("x-company", "1111"), ("X_Company", "2222")],
            &[("x_company", "1111")],
            &[("x-company", "1111, 2222")],
            &[("x-company", "1111;2222")],
            &[("x-company", "11 11")],
            &[("x-company", "caf\u{e9}")],
            &[("x-company", &"1".repeat(256))],
        ] {
            assert_eq!(header(headers), None, "{headers:?}");
        }
    }

    #[test]
    fn a_rule_can_name_the_companies_that_its_place_can_carry() {
        for (text, in_field) in [("1111", true), ("a@b", true), ("a b", false), ("a,b", false), ("caf\u{e9}", false)] {
            for rule in [CompanyRule::Header("x-company".into()), CompanyRule::Query("company".into())] {
                assert_eq!(rule.can_name(text), in_field, "{rule:?} {text}");
            }
            assert!(CompanyRule::Parameter("company".into(), 1).can_name(text));
        }
    }

    #[test]
    fn a_parameter_names_one_company_in_one_spelling() {
        for (query, company) in [
            ("company=1111", Some("1111")),
            ("a=b&company=auth0%7Cx", Some("auth0|x")),
            ("%63ompany=1111", Some("1111")),
            ("company=1111&company2=2222", Some("1111")),
            ("", None),
            ("company", None),
            ("company=", None),
            ("company=1111&company=1111", None),
            ("company=1111&%63ompany=2222", None),
            ("company=1111&Company=2222", None),
            ("Company=1111", None),
            ("company=1111&company[]=2222", None),
            ("company=1111&company%5B0%5D=2222", None),
            ("company=1111&company.id=2222", None),
            ("company=1111&COMPANY[]=2222", None),
            ("company=1111&+company=2222", None),
            ("company=1111&[company]=2222", None),
            ("company=1111&%5Bcompany%5D=2222", None),
            ("company=1111&[[company]]=2222", None),
            ("company=1111&[][company]=2222", None),
            ("company=1111&company]=2222", None),
            ("company=1111&company][x]=2222", None),
            ("company=1111&[company=2222", None),
            ("company=1111&%00company=2222", None),
            ("company=1111&x[company]=2222", Some("1111")),
            ("company=1111&company%20=2222", None),
            ("company=1111&company%00x=2222", None),
            ("company=1111&company_=2222", Some("1111")),
            ("company=1111&a.company=2222", Some("1111")),
            ("company=1111;company=2222", None),
            ("a=1;company=2222&company=1111", None),
            ("company=1111%2C2222", None),
            ("company=11+11", None),
            ("company=%FF", None),
            ("company=1111&%FF=x", None),
        ] {
            assert_eq!(in_query("company", query).as_deref(), company, "{query}");
        }
    }
}
