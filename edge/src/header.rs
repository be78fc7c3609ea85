//! Header fields between caller and origin: what is read, what is stripped (RFC 9110 §7.6.1).
//!
//! Servers behind an edge fold names: CGI and its heirs turn `-`, and some all that is no letter, into `_`. So a forged
//! `Postern_Assertion` is as good as the real one unless both are stripped.

use std::fmt;

/// What begins every field that Postern sets, folded.
const OURS: &str = "postern-";

/// Fields that belong to one connection (RFC 9110 §7.6.1), besides those that `Connection` itself names, and
/// `Expect`, which the edge has answered by reading on, and `Host`, which the origin's URL decides.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields by which a caller can tell some servers to take another method, host or path than those that were decided on.
const OVERRIDES: [&str; 10] = [
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// The fields of a request, from the text that a runtime joins them to: one a line, the name before the first comma.
///
/// Exact, since a name holds no comma and a value no line break (RFC 9110 §5.1, §5.5).
pub fn fields(joined: &str) -> impl Iterator<Item = (&str, &str)> {
    joined.split('\n').filter_map(|line| line.split_once(','))
}

/// A request's text, gone through once: its first lines, then its fields as [`fields`] reads them.
pub struct Lines {
    text: String,
    /// Where each line begins and ends; of one with a comma, where its name ends as well.
    lines: Vec<(usize, Option<usize>, usize)>,
    heads: usize,
}

/// The caller's token among them, which stays out of debug output: it ends in logs.
impl fmt::Debug for Lines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lines").field("lines", &self.lines.len()).finish_non_exhaustive()
    }
}

impl Lines {
    /// Takes a text whose first `heads` lines are no fields.
    #[must_use]
    pub fn new(text: String, heads: usize) -> Self {
        let mut lines = Vec::with_capacity(32);
        let mut rest = text.as_str();
        loop {
            let (line, after) = rest.split_once('\n').map_or((rest, None), |(line, after)| (line, Some(after)));
            let begin = text.len().saturating_sub(rest.len());
            let comma = line.find(',').map(|comma| begin.saturating_add(comma));
            lines.push((begin, comma, begin.saturating_add(line.len())));
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
        Self { text, lines, heads }
    }

    /// One of the first lines; empty if there is none.
    #[must_use]
    pub fn line(&self, index: usize) -> &str {
        self.lines.get(index).and_then(|(begin, _, end)| self.text.get(*begin..*end)).unwrap_or_default()
    }

    /// The fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().skip(self.heads).filter_map(|(begin, comma, end)| {
            let name = self.text.get(*begin..(*comma)?)?;
            Some((name, self.text.get((*comma)?.saturating_add(1)..*end)?))
        })
    }
}

/// Whether a field of the caller's must not reach the origin: one that only Postern sets, one that would overrule
/// what was decided on, or one that ends here.
///
/// `connection` is the value of the request's `Connection` field.
///
/// ```
/// use postern_edge::header::is_stripped;
/// assert!(is_stripped("Postern_Assertion", ""));
/// assert!(is_stripped("x-hop", "close, X-Hop"));
/// assert!(!is_stripped("authorization", ""));
/// ```
#[must_use]
pub fn is_stripped(name: &str, connection: &str) -> bool {
    is_ours(name)
        || OVERRIDES.iter().any(|other| name.len() == other.len() && begins_with(name, other))
        || HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop))
        || connection.split(',').any(|hop| hop.trim().eq_ignore_ascii_case(name))
}

/// Whether a field of the origin's must not reach the caller: what Postern says to an origin, and CORS, which
/// the policy alone decides.
#[must_use]
pub fn is_withheld(name: &str) -> bool {
    is_ours(name) || begins_with(name, "access-control-")
}

/// Where an origin's challenge arrives. API Gateway gives the field of an integration another name, in REST APIs and in
/// HTTP APIs (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>); function
/// URLs have the second name where they have one.
pub const CHALLENGES: [&str; 2] = ["www-authenticate", "x-amzn-remapped-www-authenticate"];

/// Whether an origin's challenge, in one of [`CHALLENGES`], asks for an assertion: it has refused ours.
#[must_use]
pub fn is_assertion_challenge(challenge: &str) -> bool {
    let scheme = challenge.split(' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(postern::assertion::HEADER)
}

fn is_ours(name: &str) -> bool {
    begins_with(name, OURS)
}

/// Whether `name`, folded, begins with `prefix`, which is folded already.
fn begins_with(name: &str, prefix: &str) -> bool {
    let mut folded = postern::request::folded(name);
    prefix.bytes().all(|byte| folded.next() == Some(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_line_of_a_request() {
        let said = format!("{:?}", Lines::new("GET\nhttps://a.example/b\nauthorization,Bearer a.b.c".to_owned(), 2));
        assert_eq!(said, "Lines { lines: 3, .. }");
    }

    #[test]
    fn every_spelling_of_our_fields_is_stripped() {
        for name in [
            "postern-assertion",
            "Postern-Assertion",
            "POSTERN_ASSERTION",
            "postern_assertion",
            "Postern-_x",
            "postern_",
            "Postern.Assertion",
        ] {
            assert!(is_stripped(name, "") && is_withheld(name), "{name}");
        }
        for name in [
            "",
            "postern",
            "x-postern-assertion",
            "authorization",
            "origin",
            "content-type",
            "cookie",
            "x-forwarded-for",
        ] {
            assert!(!is_stripped(name, "keep-alive"), "{name}");
        }
    }

    #[test]
    fn nothing_overrules_the_method_or_the_path() {
        for name in ["X-HTTP-Method-Override", "x_http_method", "X-Method-Override", "X-Original-URL", "x.rewrite_url"]
        {
            assert!(is_stripped(name, ""), "{name}");
        }
        assert!(!is_stripped("x-original-url-2", ""));
    }

    #[test]
    fn what_belongs_to_the_connection_ends_here() {
        for name in ["connection", "Transfer-Encoding", "upgrade", "te", "keep-alive", "Expect", "host"] {
            assert!(is_stripped(name, ""), "{name}");
        }
        assert!(is_stripped("x-hop", "close , x-HOP"));
        assert!(!is_stripped("x-hop", "close, x-hop-2"));
    }

    #[test]
    fn only_the_origins_layer_asks_for_an_assertion() {
        assert!(is_assertion_challenge("postern-assertion realm=\"vouchers\""));
        for challenge in ["", "Bearer realm=\"postern-assertion\"", "postern-assertions"] {
            assert!(!is_assertion_challenge(challenge), "{challenge}");
        }
    }

    #[test]
    fn cors_is_the_policys_alone() {
        for (name, withheld) in [
            ("Access-Control-Allow-Origin", true),
            ("access-control-allow-private-network", true),
            ("vary", false),
            ("set-cookie", false),
        ] {
            assert_eq!(is_withheld(name), withheld, "{name}");
        }
    }

    #[test]
    fn joined_fields_come_apart_again() {
        let joined = "accept,text/html, */*\nauthorization,Bearer x\nx-empty,";
        let expected = [("accept", "text/html, */*"), ("authorization", "Bearer x"), ("x-empty", "")];
        assert_eq!(fields(joined).collect::<Vec<_>>(), expected);
        assert_eq!(fields("").count(), 0);
        let lines = Lines::new(format!("GET\nhttp://h/a,b\n{joined}"), 2);
        assert_eq!((lines.line(0), lines.line(1), lines.line(9)), ("GET", "http://h/a,b", ""));
        assert_eq!(lines.fields().collect::<Vec<_>>(), expected);
        for bare in ["", "GET", "GET\nhttp://h/"] {
            assert_eq!(Lines::new(bare.to_owned(), 2).fields().count(), 0, "{bare}");
        }
    }
}
