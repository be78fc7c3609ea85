//! A viewer's request as `event.js` takes it out of its event: lines of text with all that is decided on, in place of the
//! whole event's JSON. And what is to be changed of it, as lines too: the request itself stays where it is.
//!
//! ```text
//!  method ⏎ uri ⏎ querystring ⏎ requestId ( ⏎ name ⏎ key ⏎ value )*      in
//!  names to remove, behind one another with commas ( ⏎ name ⏎ value )*   out
//! ```
//! What cannot be said so is none of it: an event of another kind, with a body or an origin, with a line break in a text.
//! Whoever gets `None` reads the event as [`Event`](super::Event) does, whose rules are these; that reading decides.

use core::{fmt, ops::Range};

use postern::request::folded;

use super::{
    EventKind,
    header::{is_free, is_its_name, is_name},
};

const KIND: EventKind = EventKind::ViewerRequest;
/// Lines before the fields.
const HEAD: usize = 4;
/// Lines of a field.
const FIELD: usize = 3;

/// What is decided on of a viewer's request that shows no body.
#[derive(Clone)]
pub struct ViewerRequest {
    text: String,
    method: Range<usize>,
    target: String,
    id: Range<usize>,
    /// Name and value of each, as they came.
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl ViewerRequest {
    /// Reads lines, of which there are `count`: more would be a line break in one of them.
    #[must_use]
    pub fn read(text: String, count: usize) -> Option<Self> {
        let mut end = 0_usize;
        // Where each line stands. Nothing is added up that is longer than `text`.
        let mut lines = text.split('\n').map(|line| {
            let start = end;
            let stop = start.saturating_add(line.len());
            end = stop.saturating_add(1);
            (line, start..stop)
        });
        let ((_, method), (uri, _), (query, _), (_, id)) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        if uri.contains('?') {
            return None;
        }
        let target = super::request::target(uri, query);
        let mut fields = Vec::with_capacity(count.checked_div(FIELD)?);
        let mut seen = HEAD;
        while let Some((name, at)) = lines.next() {
            let ((key, _), (_, value)) = (lines.next()?, lines.next()?);
            // A comma stands between names that are to be removed.
            if !is_name(name) || name.contains(',') || !is_its_name(name, key) {
                return None;
            }
            fields.push((at, value));
            seen = seen.saturating_add(FIELD);
        }
        drop(lines);
        (seen == count).then_some(Self { text, method, target, id, fields })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.line(&self.method)
    }

    /// The target as it came: the path, and behind a `?` the query unless it is empty.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// CloudFront's name for the request; empty where the event has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.line(&self.id)
    }

    /// Every value of every field once: names in lower case, values as they came.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, &str)> {
        self.fields.iter().map(|(name, value)| (self.line(name), self.line(value))).collect()
    }

    /// The first value of a field whose name is given in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The value of a field that stands exactly once; its name is given in lower case.
    #[must_use]
    pub fn sole_field(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(own, _)| self.line(own) == name).map(|(_, value)| self.line(value))
    }

    /// What [`Event::forwarded`](super::Event::forwarded) does, for `event.js` to do; `None` when a value has a line break
    /// in it.
    #[must_use]
    pub fn changes(&self, is_removed: impl Fn(&str) -> bool, set: &[(&str, &str)]) -> Option<String> {
        let set: Vec<_> = set.iter().filter(|(name, _)| is_free(KIND, name)).collect();
        let is_replaced = |name: &str| set.iter().any(|(own, _)| folded(own).eq(folded(name)));
        let mut changes = String::with_capacity(set.iter().fold(16, |sum: usize, (name, value)| {
            sum.saturating_add(name.len()).saturating_add(value.len()).saturating_add(2)
        }));
        for (name, _) in &self.fields {
            let name = self.line(name);
            if (is_removed(name) || is_replaced(name)) && is_free(KIND, name) {
                if !changes.is_empty() {
                    changes.push(',');
                }
                changes.push_str(name);
            }
        }
        for (index, (name, value)) in set.iter().enumerate() {
            if name.contains('\n') || value.contains('\n') {
                return None;
            }
            // One that is set again takes the place of the first.
            if set.iter().skip(index).skip(1).any(|(later, _)| folded(later).eq(folded(name))) {
                continue;
            }
            for line in [name, value] {
                changes.push('\n');
                changes.push_str(line);
            }
        }
        Some(changes)
    }

    fn line(&self, at: &Range<usize>) -> &str {
        self.text.get(at.clone()).unwrap_or_default()
    }
}

/// The target names people and companies, and the fields hold credentials.
impl fmt::Debug for ViewerRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ViewerRequest").field("method", &self.method()).finish_non_exhaustive()
    }
}
