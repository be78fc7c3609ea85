//! The request as the core sees it: what came over the wire, borrowed, undecoded.

use core::fmt;

/// One HTTP request, without its body.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method token, case-sensitive (RFC 9110 §9.1). Override headers are not read.
    pub method: &'a str,
    /// The origin-form request target exactly as received: path and, after `?`, query (RFC 9112 §3.2.1).
    pub target: &'a str,
    /// Header fields in order, a repeated field once per line. Names in any case.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> Request<'a> {
    /// Every value of the field `name`, in order; names compare without regard to case.
    pub(crate) fn header_values(&self, name: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The value of the field `name` when it stands exactly once.
    pub(crate) fn sole_header(&self, name: &'static str) -> Option<&'a str> {
        let mut values = self.header_values(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

/// The octets of a field's name as servers behind an edge may fold it (RFC 3875 §4.1.18): cases are one to all, `_` and
/// `-` to most, and whatever is neither letter nor digit to some. Names that fold alike may be taken for one another.
pub fn folded(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' })
}

/// The target names people and companies, and the fields hold credentials: both stay out of debug output.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}
