//! The request target in its one canonical form (RFC 3986 §3.3–3.4, RFC 9112 §3.2.1).
//!
//! Reject, never repair: a target that some component could read in another way is refused, so that
//! what was decided on is byte for byte what is forwarded, and a path that a platform hands over
//! decoded can be encoded again in one way only ([`encode_path`]).
//!
//! Canonical means: absolute path; no empty segment but a last one; no `.` or `..` segment and none
//! that ends in a dot; `pchar` other than `;` stands for itself, every other octet is escaped in
//! upper-case hex; a decoded segment is UTF-8 and holds none of `/ ? # % ; \` and no control character.

mod encode;
mod query;

pub(crate) use encode::escaped_octet;
pub use encode::{encode_path, encode_segment};

use alloc::{borrow::Cow, borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use crate::cut;

/// Longest target in octets. Lambda function URLs and API Gateway take less than this in all.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;

/// Most segments in a path. Deeper APIs are not known; a route match costs one step a segment.
pub const MAX_SEGMENTS: usize = 64;

/// A request target that is in canonical form. Made by [`CanonicalTarget::parse`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct CanonicalTarget {
    raw: String,
    path_len: usize,
    /// The path with its escapes decoded, where it has some. No escape stands for a `/`.
    decoded: Option<String>,
}

/// It names companies and users, which stay out of debug output: it ends in logs.
impl fmt::Debug for CanonicalTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CanonicalTarget").field("octets", &self.raw.len()).finish_non_exhaustive()
    }
}

/// Why a target is not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// It does not begin with `/`: absolute form, authority form, asterisk form or empty.
    NotAbsolutePath,
    /// It is longer than [`MAX_TARGET_BYTES`] or has more than [`MAX_SEGMENTS`] segments.
    TooLong,
    /// A `?` with nothing behind it: some platforms drop it, so it could not be bound.
    EmptyQuery,
    /// A segment other than the last is empty (`//`).
    EmptySegment,
    /// A segment is `.` or `..`, or ends in a dot, literally or escaped.
    DotSegment,
    /// A character that must be escaped stands bare, or one that has no place here at all.
    ForbiddenCharacter,
    /// `%` is not followed by two hexadecimal digits.
    BrokenEscape,
    /// An escape is written in lower-case hex or escapes what needs no escape.
    NeedlessEscape,
    /// An escape stands for `/ ? # % ; \` or a control character.
    ForbiddenEscape,
    /// The decoded segment is not UTF-8 (overlong forms and surrogates included).
    NotUtf8,
}

impl CanonicalTarget {
    /// Takes `raw`, path and optional query, when it is in canonical form.
    ///
    /// # Errors
    /// [`TargetError`] names the first fault; nothing is ever mended.
    ///
    /// ```
    /// use postern::target::{CanonicalTarget, TargetError};
    /// let target = CanonicalTarget::parse("/users/auth0%7Cabc?page=2")?;
    /// assert_eq!((target.path(), target.query()), ("/users/auth0%7Cabc", Some("page=2")));
    /// assert_eq!(CanonicalTarget::parse("/users/../admin"), Err(TargetError::DotSegment));
    /// # Ok::<(), TargetError>(())
    /// ```
    pub fn parse(raw: &str) -> Result<Self, TargetError> {
        if raw.len() > MAX_TARGET_BYTES {
            return Err(TargetError::TooLong);
        }
        let (path, query) = match cut::once(raw, b'?') {
            Some((path, query)) => (path, Some(query)),
            None => (raw, None),
        };
        let relative = path.strip_prefix('/').ok_or(TargetError::NotAbsolutePath)?;
        let mut decoded = path.contains('%').then(|| String::with_capacity(path.len()));
        let mut count = 0_usize;
        let mut rest = Some(relative);
        while let Some(current) = rest {
            let (segment, after) = match cut::once(current, b'/') {
                Some((segment, after)) => (segment, Some(after)),
                None => (current, None),
            };
            if count == MAX_SEGMENTS {
                return Err(TargetError::TooLong);
            }
            if segment.is_empty() && after.is_some() {
                return Err(TargetError::EmptySegment);
            }
            count = count.saturating_add(1);
            let segment = decode_segment(segment)?;
            if let Some(decoded) = &mut decoded {
                decoded.push('/');
                decoded.push_str(&segment);
            }
            rest = after;
        }
        if let Some(query) = query {
            query::check(query)?;
        }
        Ok(Self { raw: raw.to_owned(), path_len: path.len(), decoded })
    }

    /// The whole target as it came: path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The path, escaped as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        self.raw.get(..self.path_len).unwrap_or_default()
    }

    /// What follows the first `?`, when there is one.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.raw.get(self.path_len..)?.strip_prefix('?')
    }

    /// The path's segments, each decoded once. A path that ends in `/` has an empty last one; `/` has it alone.
    pub fn segments(&self) -> impl Iterator<Item = &str> + Clone {
        cut::all(self.decoded.as_deref().unwrap_or_else(|| self.path()), b'/').skip(1)
    }
}

/// Decodes one segment that must be in canonical form.
pub(crate) fn decode_segment(segment: &str) -> Result<Cow<'_, str>, TargetError> {
    let mut is_escaped = false;
    let mut is_escape = |byte| {
        is_escaped |= byte == b'%';
        byte == b'%'
    };
    if !segment.bytes().all(|byte| encode::is_bare(byte) || is_escape(byte)) {
        return Err(TargetError::ForbiddenCharacter);
    }
    let decoded = if is_escaped { Cow::Owned(unescape(segment)?) } else { Cow::Borrowed(segment) };
    if decoded.ends_with('.') {
        return Err(TargetError::DotSegment);
    }
    Ok(decoded)
}

fn unescape(segment: &str) -> Result<String, TargetError> {
    let mut octets = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            octets.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
            return Err(TargetError::BrokenEscape);
        };
        let octet = encode::octet(high, low).ok_or(TargetError::BrokenEscape)?;
        // Forbidden before needless: `%2f` is refused for what it hides, not for its spelling.
        if octet.is_ascii_control() || b"/?#%;\\".contains(&octet) {
            return Err(TargetError::ForbiddenEscape);
        }
        if encode::is_bare(octet) || high.is_ascii_lowercase() || low.is_ascii_lowercase() {
            return Err(if octet == b'.' { TargetError::DotSegment } else { TargetError::NeedlessEscape });
        }
        octets.push(octet);
    }
    let text = String::from_utf8(octets).map_err(|_| TargetError::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(TargetError::ForbiddenEscape);
    }
    Ok(text)
}

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotAbsolutePath => "the request target does not begin with `/`",
            Self::TooLong => "the request target is too long or too deep",
            Self::EmptyQuery => "the request target ends in a `?`",
            Self::EmptySegment => "the path holds an empty segment (`//`)",
            Self::DotSegment => "a path segment is `.` or `..`, ends in a dot, or escapes one",
            Self::ForbiddenCharacter => "the request target holds a character that must be percent-encoded",
            Self::BrokenEscape => "a `%` is not followed by two hexadecimal digits",
            Self::NeedlessEscape => "a percent-escape is in lower case or escapes a character that needs none",
            Self::ForbiddenEscape => "a path segment escapes `/`, `?`, `#`, `%`, `;`, `\\` or a control character",
            Self::NotUtf8 => "a path segment does not decode to UTF-8",
        })
    }
}

impl core::error::Error for TargetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_targets_are_taken_as_they_are() {
        for raw in [
            "/",
            "/a",
            "/a/b",
            "/a/",
            "/a?x=1&y=2",
            "/users/auth0%7Cabc",
            "/a%20b",
            "/caf%C3%A9",
            "/a:b@c!$&'()*+,=",
            "/.hidden",
            "/a.b",
            "/...a",
            "/a?b=/x?y",
            "/a?r=%2Fx%2f",
            "/a?ids[]=1",
        ] {
            let target = CanonicalTarget::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}"));
            assert_eq!(target.as_str(), raw);
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        use TargetError::*;
        for (raw, why) in [
            ("", NotAbsolutePath),
            ("*", NotAbsolutePath),
            ("a", NotAbsolutePath),
            ("https://evil.example/a", NotAbsolutePath),
            ("?x", NotAbsolutePath),
            ("//", EmptySegment),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/a/../b", DotSegment),
            ("/..", DotSegment),
            ("/./a", DotSegment),
            ("/a/.", DotSegment),
            ("/a/%2e%2e/b", DotSegment),
            ("/a/%2E%2E/b", DotSegment),
            ("/a/.%2E", DotSegment),
            ("/a.", DotSegment),
            ("/a/..;/b", ForbiddenCharacter),
            ("/a;x=1/b", ForbiddenCharacter),
            ("/a\\b", ForbiddenCharacter),
            ("/a b", ForbiddenCharacter),
            ("/a{b}", ForbiddenCharacter),
            ("/a|b", ForbiddenCharacter),
            ("/a#b", ForbiddenCharacter),
            ("/caf\u{e9}", ForbiddenCharacter),
            ("/a\u{0}b", ForbiddenCharacter),
            ("/a\"b", ForbiddenCharacter),
            ("/a?b#c", ForbiddenCharacter),
            ("/a?b c", ForbiddenCharacter),
            ("/a?b'c", ForbiddenCharacter),
            ("/a?", EmptyQuery),
            ("/?", EmptyQuery),
            ("/a%", BrokenEscape),
            ("/a%2", BrokenEscape),
            ("/a%zz", BrokenEscape),
            ("/a?b=%zz", BrokenEscape),
            ("/%41", NeedlessEscape),
            ("/a%7c", NeedlessEscape),
            ("/a%c3%a9", NeedlessEscape),
            ("/a%40b", NeedlessEscape),
            ("/a%2Fb", ForbiddenEscape),
            ("/a%2fb", ForbiddenEscape),
            ("/a%5Cb", ForbiddenEscape),
            ("/a%5cb", ForbiddenEscape),
            ("/a%00b", ForbiddenEscape),
            ("/a%0D%0Ab", ForbiddenEscape),
            ("/a%23b", ForbiddenEscape),
            ("/a%3Fb", ForbiddenEscape),
            ("/a%252Fb", ForbiddenEscape),
            ("/a%3Bx", ForbiddenEscape),
            ("/a%7Fb", ForbiddenEscape),
            ("/a%C2%85b", ForbiddenEscape),
            ("/a%C0%AFb", NotUtf8),
            ("/a%FF", NotUtf8),
            ("/a%ED%A0%80", NotUtf8),
            ("/a%E0%80%AF", NotUtf8),
        ] {
            assert_eq!(CanonicalTarget::parse(raw), Err(why), "{raw:?}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let long = String::from("/") + &"a".repeat(MAX_TARGET_BYTES);
        assert_eq!(CanonicalTarget::parse(&long), Err(TargetError::TooLong));
        assert!(CanonicalTarget::parse(&"/a".repeat(MAX_SEGMENTS)).is_ok());
        assert_eq!(CanonicalTarget::parse(&"/a".repeat(MAX_SEGMENTS + 1)), Err(TargetError::TooLong));
    }

    #[test]
    fn segments_are_decoded_once() {
        let target = CanonicalTarget::parse("/users/auth0%7Cabc/caf%C3%A9/").unwrap();
        assert!(target.segments().eq(["users", "auth0|abc", "caf\u{e9}", ""]));
        assert!(CanonicalTarget::parse("/").unwrap().segments().eq([""]));
    }
}
