//! Spellings of a path that some server or framework reads as the path itself.

use std::fmt;

/// One spelling.
#[derive(Clone, Copy)]
pub struct Spelling {
    /// Its name.
    pub name: &'static str,
    /// The path in this spelling; `None` where it has none.
    pub(crate) spell: fn(&str) -> Option<String>,
}

impl fmt::Debug for Spelling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Spelling").field("name", &self.name).finish_non_exhaustive()
    }
}

const fn spelling(name: &'static str, spell: fn(&str) -> Option<String>) -> Spelling {
    Spelling { name, spell }
}

/// All spellings. Paths begin with `/` and have a last segment that is not empty.
pub(crate) const SPELLINGS: [Spelling; 32] = [
    // Folded by Express, Koa's router, ASP.NET and file systems that ignore case.
    spelling("letter case", |path| Some(path.to_ascii_uppercase())),
    spelling("letter case of one letter", |path| {
        let at = path.find(|char: char| char.is_ascii_lowercase())?;
        Some(path[..at].to_owned() + &path[at..=at].to_ascii_uppercase() + &path[at + 1..])
    }),
    // U+017F, whose upper case is `S`: some case folding makes it a plain `s`.
    spelling("Unicode letter case", |path| path.contains('s').then(|| path.replacen('s', "%C5%BF", 1))),
    spelling("closing slash", |path| Some(format!("{path}/"))),
    spelling("two closing slashes", |path| Some(format!("{path}//"))),
    spelling("letter case and closing slash", |path| Some(path.to_ascii_uppercase() + "/")),
    // Windows ignores spaces and dots at the end of a name.
    spelling("trailing space", |path| Some(format!("{path}%20"))),
    spelling("trailing dot", |path| Some(format!("{path}."))),
    spelling("trailing tab", |path| Some(format!("{path}%09"))),
    spelling("trailing line feed", |path| Some(format!("{path}%0A"))),
    spelling("trailing NUL", |path| Some(format!("{path}%00"))),
    // Rails' `.:format`, Spring's suffix patterns.
    spelling("extension", |path| Some(format!("{path}.json"))),
    spelling("empty first segment", |path| Some(format!("/{path}"))),
    spelling("empty segment", |path| before_last(path, "/")),
    spelling("dot segment", |path| before_last(path, "./")),
    spelling("parent segment", |path| before_last(path, "x/../")),
    spelling("escaped dot segment", |path| before_last(path, "%2e/")),
    spelling("escaped parent segment", |path| before_last(path, "x/%2e%2e/")),
    spelling("half-escaped parent segment", |path| before_last(path, "x/.%2E/")),
    // Path parameters of RFC 2396; Tomcat and Jetty remove them before they route.
    spelling("path parameter", |path| Some(format!("{path};x=1"))),
    spelling("path parameter within", |path| {
        let at = path[1..].find('/')? + 1;
        Some(path[..at].to_owned() + ";x=1" + &path[at..])
    }),
    spelling("parent segment with a parameter", |path| before_last(path, "x/..;/")),
    spelling("escaped slash", |path| within(path, "%2F")),
    spelling("escaped slash in lower case", |path| within(path, "%2f")),
    spelling("escaped closing slash", |path| Some(format!("{path}%2F"))),
    spelling("backslash", |path| within(path, "\\")),
    spelling("escaped backslash", |path| within(path, "%5C")),
    spelling("needless escape", |path| escaped_last(path, "%")),
    spelling("double escape", |path| escaped_last(path, "%25")),
    spelling("escaped question mark", |path| Some(format!("{path}%3Fx"))),
    spelling("escaped hash", |path| Some(format!("{path}%23x"))),
    // Sent bare, some servers cut the target there.
    spelling("escaped semicolon", |path| Some(format!("{path}%3Bx"))),
];

/// `inserted` before the last segment.
fn before_last(path: &str, inserted: &str) -> Option<String> {
    let at = path.rfind('/')? + 1;
    Some(path[..at].to_owned() + inserted + &path[at..])
}

/// `separator` in place of the last `/`, if another one is before it.
fn within(path: &str, separator: &str) -> Option<String> {
    let at = path.rfind('/').filter(|at| *at > 0)?;
    Some(path[..at].to_owned() + separator + &path[at + 1..])
}

/// The first letter of the last segment as hexadecimal digits after `sign`.
fn escaped_last(path: &str, sign: &str) -> Option<String> {
    let at = path.rfind('/')? + 1;
    let letter = path[at..].chars().next().filter(char::is_ascii_alphanumeric)?;
    Some(format!("{}{sign}{:02X}{}", &path[..at], u32::from(letter), &path[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_as_their_names_say() {
        let spelled = |name: &str, path: &str| {
            let spelling = SPELLINGS.iter().find(|spelling| spelling.name == name).expect("a spelling");
            (spelling.spell)(path)
        };
        for (name, expected) in [
            ("letter case", "/POSTERN/ECHO"),
            ("letter case of one letter", "/Postern/echo"),
            ("Unicode letter case", "/po%C5%BFtern/echo"),
            ("empty first segment", "//postern/echo"),
            ("empty segment", "/postern//echo"),
            ("escaped parent segment", "/postern/x/%2e%2e/echo"),
            ("path parameter within", "/postern;x=1/echo"),
            ("escaped slash", "/postern%2Fecho"),
            ("needless escape", "/postern/%65cho"),
            ("double escape", "/postern/%2565cho"),
        ] {
            assert_eq!(spelled(name, "/postern/echo").as_deref(), Some(expected), "{name}");
        }
        for name in ["escaped slash", "path parameter within", "backslash", "Unicode letter case"] {
            assert_eq!(spelled(name, "/echo"), None, "{name}");
        }
    }
}
