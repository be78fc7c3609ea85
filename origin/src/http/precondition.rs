//! Entity tags and conditional requests (RFC 9110 §8.8.3, §13.1).
//!
//! Tags are compared whole, as opaque text. Dates are not read: no resource here has one.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Problem;

/// Most tags read from one header field; nobody holds more versions of one record.
const MAX_TAGS: usize = 16;

/// A strong entity tag, with its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag(String);

/// Which state of a resource a write is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The caller names none.
    Unstated,
    /// `If-Match: *`: there is one, in whatever state.
    Present,
    /// `If-Match: "…"`: it is in one of these states.
    Matching(Vec<EntityTag>),
    /// `If-None-Match: *`: there is none yet.
    Absent,
}

enum Tags {
    Any,
    These(Vec<EntityTag>),
}

impl EntityTag {
    /// A tag of these characters, which must be `etagc` (RFC 9110 §8.8.3) for the tag to be sent.
    #[must_use]
    pub fn new(opaque: &str) -> Self {
        Self(format!("\"{opaque}\""))
    }

    /// The tag as a header value, when its characters allow.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(&self.0).ok()
    }
}

impl Precondition {
    /// Reads what a write is conditional on.
    ///
    /// # Errors
    /// A 400 [`Problem`] for fields that cannot be read or that contradict each other.
    pub fn of_write(headers: &HeaderMap) -> Result<Self, Problem> {
        match (tags(headers, &header::IF_MATCH)?, tags(headers, &header::IF_NONE_MATCH)?) {
            (None, None) => Ok(Self::Unstated),
            (Some(Tags::Any), None) => Ok(Self::Present),
            (Some(Tags::These(tags)), None) => Ok(Self::Matching(tags)),
            (None, Some(Tags::Any)) => Ok(Self::Absent),
            (None, Some(Tags::These(_))) => Err(Problem::bad_request("`If-None-Match` on a write takes `*` only.")),
            (Some(_), Some(_)) => Err(Problem::bad_request("`If-Match` and `If-None-Match` exclude each other.")),
        }
    }
}

/// Whether the caller of a read has this state already, so that 304 is the answer.
///
/// A field that cannot be read is read over, and the whole state is sent: that is never wrong.
#[must_use]
pub fn is_known(headers: &HeaderMap, current: &EntityTag) -> bool {
    match tags(headers, &header::IF_NONE_MATCH) {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::These(tags))) => tags.contains(current),
        Ok(None) | Err(_) => false,
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut found = Vec::new();
    let mut fields = headers.get_all(name).iter().peekable();
    if fields.peek().is_none() {
        return Ok(None);
    }
    let unreadable = || Problem::bad_request(format!("`{name}` is no list of entity tags."));
    for field in fields {
        let text = field.to_str().map_err(|_| unreadable())?;
        if text.trim() == "*" {
            return Ok(Some(Tags::Any));
        }
        // A comma may stand inside a tag; those made here hold none, and others match nothing.
        for tag in text.split(',') {
            found.push(EntityTag::read(tag.trim()).ok_or_else(unreadable)?);
            if found.len() > MAX_TAGS {
                return Err(unreadable());
            }
        }
    }
    Ok(Some(Tags::These(found)))
}

impl EntityTag {
    /// A weak tag is taken for the strong one: proxies that compress weaken the tags they pass on, and
    /// the states told apart here differ in content, not in coding.
    fn read(text: &str) -> Option<Self> {
        let strong = text.strip_prefix("W/").unwrap_or(text);
        let opaque = strong.strip_prefix('"')?.strip_suffix('"')?;
        (!opaque.contains('"')).then(|| Self(strong.to_owned()))
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_write_says_which_state_it_is_meant_for() {
        let tag = EntityTag::new("7-ab");
        for (fields, precondition) in [
            (&[][..], Precondition::Unstated),
            (&[("if-match", "*")], Precondition::Present),
            (&[("if-none-match", "*")], Precondition::Absent),
            (&[("if-match", "\"7-ab\"")], Precondition::Matching(vec![tag.clone()])),
            (&[("if-match", "W/\"7-ab\" , \"8\"")], Precondition::Matching(vec![tag.clone(), EntityTag::new("8")])),
            (
                &[("if-match", "\"7-ab\""), ("if-match", "\"8\"")],
                Precondition::Matching(vec![tag, EntityTag::new("8")]),
            ),
        ] {
            assert_eq!(Precondition::of_write(&headers(fields)), Ok(precondition), "{fields:?}");
        }
    }

    #[test]
    fn preconditions_that_cannot_be_read_are_not_guessed() {
        for fields in [
            &[("if-match", "7")][..],
            &[("if-match", "")],
            &[("if-match", "\"")],
            &[("if-match", "\"7\"\"8\"")],
            &[("if-none-match", "\"7\"")],
            &[("if-match", "*"), ("if-none-match", "*")],
            &[("if-match", "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"")],
        ] {
            assert_eq!(Precondition::of_write(&headers(fields)).unwrap_err().status(), 400, "{fields:?}");
        }
    }

    #[test]
    fn a_read_is_answered_304_for_a_known_state_alone() {
        let current = EntityTag::new("7-ab");
        for (value, known) in
            [("\"7-ab\"", true), ("\"6\", \"7-ab\"", true), ("*", true), ("\"6\"", false), ("7-ab", false)]
        {
            assert_eq!(is_known(&headers(&[("if-none-match", value)]), &current), known, "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), &current));
    }
}
