//! Header fields as a runtime hands them over: one text, read without copies. Which of them go on is the core's to say
//! ([`postern::forward`]).

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_line_of_a_request() {
        let said = format!("{:?}", Lines::new("GET\nhttps://a.example/b\nauthorization,Bearer a.b.c".to_owned(), 2));
        assert_eq!(said, "Lines { lines: 3, .. }");
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
