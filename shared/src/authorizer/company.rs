//! Which company a request is about, when its path does not say it.
//!
//! A header field or a query parameter can be written twice, and folded or decoded by the one who reads it next; the
//! company that was judged must be the only one that any reader can see. So it stands once, in one spelling, or the
//! request is refused. For the query, [`crate::query`] has the grammar.

use alloc::{borrow::ToOwned, string::String};

use crate::{
    forward::names::{is_named_in, is_same},
    policy::{CompanyRule, Template},
    query::parameter,
    reason::Reason,
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

/// The company that the request names, by the route's rule; `None` where the rule looks elsewhere.
///
/// # Errors
/// The reason why the request names none that can be judged.
pub(super) fn named(
    rule: &CompanyRule,
    request: &Request<'_>,
    target: &CanonicalTarget,
) -> Result<Option<Company>, Reason> {
    let found = match rule {
        CompanyRule::None | CompanyRule::Any | CompanyRule::Subject => return Ok(None),
        CompanyRule::Parameter(_, position) => {
            return Ok(Template::value(target, *position).map(|_| Company::Segment(*position)));
        }
        CompanyRule::Argument(_) => None,
        CompanyRule::Header(name) => in_header(name, request),
        CompanyRule::Query(name) => parameter(target, name).map_err(Reason::Query)?.filter(|value| is_company(value)),
    };
    found.map(|name| Some(Company::Named(name))).ok_or(Reason::CompanyUnspecified)
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

impl CompanyRule {
    /// Whether a request can name the company `text` where this rule looks for it. A path can name any; a header field
    /// and a query parameter cannot name one that servers could read in two ways. In a query, all but the unreserved
    /// characters of a company are escaped.
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
    use crate::query::QueryError;

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
            ("company=1111", Ok("1111")),
            ("a=b&company=auth0%7Cx", Ok("auth0|x")),
            ("company=1111&company2=2222", Ok("1111")),
            ("a=b", Err(Reason::CompanyUnspecified)),
            ("company=1111%2C2222", Err(Reason::CompanyUnspecified)),
            ("company=11%2011", Err(Reason::CompanyUnspecified)),
            ("company=caf%C3%A9", Err(Reason::CompanyUnspecified)),
            ("company=1111%00", Err(Reason::CompanyUnspecified)),
            ("company=1111&company=1111", Err(Reason::Query(QueryError::Ambiguous))),
            ("company[]=1111", Err(Reason::Query(QueryError::Name))),
            ("company=", Err(Reason::Query(QueryError::EmptyValue))),
        ] {
            let target = CanonicalTarget::parse(&alloc::format!("/?{query}")).unwrap();
            let request = Request { method: "GET", target: target.as_str(), headers: &[] };
            let found = named(&CompanyRule::Query("company".into()), &request, &target);
            let found = found.as_ref().map(|company| company.as_ref().and_then(|company| company.name(&target, None)));
            assert_eq!(found, company.as_ref().map(|name| Some(*name)), "{query}");
        }
    }

    #[test]
    fn each_company_that_a_query_can_name_is_read_from_it() {
        for octet in 0..=0x7F_u8 {
            let company = alloc::format!("a{}", char::from(octet));
            let value: String = company
                .bytes()
                .map(|octet| match octet {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).into(),
                    other => alloc::format!("%{other:02X}"),
                })
                .collect();
            let target = CanonicalTarget::parse(&alloc::format!("/?company={value}")).unwrap();
            let request = Request { method: "GET", target: target.as_str(), headers: &[] };
            let rule = CompanyRule::Query("company".into());
            assert_eq!(named(&rule, &request, &target).is_ok(), rule.can_name(&company), "{value}");
        }
    }
}
