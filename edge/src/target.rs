//! The raw request target, cut out of a request's URL as text.
//!
//! Never through a URL parser: parsers resolve `..`, turn `\` into `/` and escape braces, and a decision on
//! what a parser made of a target is a decision on another target. Whether the cut text is canonical is the
//! core's to say.

/// Cuts path and query out of an absolute URL: everything from the authority's end on.
///
/// `None` when the text is no absolute URL. An empty target is returned as such.
///
/// ```
/// use postern_edge::target::target_of;
/// assert_eq!(target_of("https://api.example/a/../b?x#y"), Some("/a/../b?x#y"));
/// assert_eq!(target_of("https://api.example"), Some(""));
/// ```
#[must_use]
pub fn target_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    rest.get(end..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_cut_and_nothing_is_mended() {
        for (url, target) in [
            ("http://h/", "/"),
            ("http://h:8787/a?b=c", "/a?b=c"),
            ("http://h//a", "//a"),
            ("http://h/a/../b", "/a/../b"),
            ("http://h/a/%2e%2e/b", "/a/%2e%2e/b"),
            ("http://h\\a", "\\a"),
            ("http://h/a\\b", "/a\\b"),
            ("http://h?a=/b", "?a=/b"),
            ("http://h#a", "#a"),
            ("http://h/https://other/a", "/https://other/a"),
            ("http://[::1]:8787/a", "/a"),
            ("http://h", ""),
        ] {
            assert_eq!(target_of(url), Some(target), "{url}");
        }
        for url in ["", "/a", "h/a", "http:/h/a"] {
            assert_eq!(target_of(url), None, "{url}");
        }
    }
}
