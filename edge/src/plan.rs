//! What the Worker's JavaScript is to do with a request, as one text: where caches have everything WebAssembly is called
//! once, and the runtime's own objects are never wrapped.
//!
//! A line each, in a fixed order; header fields come last, as a name and a value on two lines. Nothing here may hold a line
//! break, so nothing can pass for another line: a [`Forward`] or an answer that would is not written.

use std::{borrow::Cow, fmt, time::Duration};

use postern::{Answer, PublicCode, forward::Body};

/// First line of a request to forward. Any other first line is an answer's status.
const FORWARD: &str = "forward";
/// Between the fields to set on the request and those of the answer.
const NEXT: &str = "";

/// The word for what becomes of the body.
const fn word(body: Body) -> &'static str {
    match body {
        Body::Sent => "sent",
        Body::Refused => "refused",
        Body::Empty => "empty",
    }
}

/// Time for an origin to begin its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// To a request without a body.
    pub without_body: Duration,
    /// To one with a body, which has to arrive first.
    pub with_body: Duration,
}

impl Limits {
    /// In milliseconds, which is what timers count in.
    fn to_line(self) -> String {
        format!("{},{}", self.without_body.as_millis(), self.with_body.as_millis())
    }

    fn parse(line: &str) -> Option<Self> {
        let (without, with) = line.split_once(',')?;
        let limit = |text: &str| text.parse().ok().map(Duration::from_millis);
        Some(Self { without_body: limit(without)?, with_body: limit(with)? })
    }
}

/// A request to forward, and what its answer is to be given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The method that was decided on.
    pub method: &'a str,
    /// The whole URL.
    pub url: String,
    /// What becomes of the body.
    pub body: Body,
    /// How long the origin may take.
    pub limits: Limits,
    /// Name of the origin, for the log.
    pub origin: &'a str,
    /// The platform's name for the request, for the log.
    pub request_id: Option<&'a str>,
    /// Whether the origin's platform wants a signature of ours.
    pub is_signed: bool,
    /// Names of the caller's fields that end here.
    pub deleted: Vec<&'a str>,
    /// Names of the request's fields that the decision read, for the answer's `Vary`.
    pub vary: &'a str,
    /// Fields that the request is given, in place of any of that name.
    pub set: Vec<(Cow<'a, str>, String)>,
    /// Fields that the answer is given.
    pub answer_fields: Vec<(&'a str, &'a str)>,
}

/// The assertion and the target stay out of debug output: it ends in logs.
impl fmt::Debug for Forward<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Forward")
            .field("origin", &self.origin)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl<'a> Forward<'a> {
    /// The text of it. `None` if some part of it has a line break or a field has no name.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let mut lines = Lines::new(FORWARD);
        lines.push(self.method)?;
        lines.push(&self.url)?;
        lines.push(word(self.body))?;
        lines.push(&self.limits.to_line())?;
        lines.push(self.origin)?;
        lines.push(self.request_id.unwrap_or_default())?;
        lines.push(if self.is_signed { "signed" } else { "" })?;
        // A name has no comma (RFC 9110 §5.1).
        lines.push_joined(&self.deleted)?;
        lines.push(self.vary)?;
        for (name, value) in &self.set {
            lines.push_field(name, value)?;
        }
        lines.push(NEXT)?;
        for (name, value) in &self.answer_fields {
            lines.push_field(name, value)?;
        }
        Some(lines.text)
    }

    /// Reads it again, to say what became of it.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.split('\n');
        if lines.next() != Some(FORWARD) {
            return None;
        }
        let mut plan = Self { method: lines.next()?, url: lines.next()?.to_owned(), ..Self::default() };
        let body = lines.next()?;
        plan.body = Body::ALL.into_iter().find(|kind| word(*kind) == body)?;
        plan.limits = Limits::parse(lines.next()?)?;
        plan.origin = lines.next()?;
        plan.request_id = lines.next().filter(|id| !id.is_empty());
        plan.is_signed = lines.next()? == "signed";
        plan.deleted = lines.next()?.split(',').filter(|name| !name.is_empty()).collect();
        plan.vary = lines.next()?;
        loop {
            match lines.next()? {
                NEXT => break,
                name => plan.set.push((name.into(), lines.next()?.to_owned())),
            }
        }
        while let Some(name) = lines.next() {
            plan.answer_fields.push((name, lines.next()?));
        }
        Some(plan)
    }

    /// The answer where this cannot be done, with the fields of an answer to it.
    #[must_use]
    pub fn refuse(&self, code: PublicCode) -> String {
        let vary = (!self.vary.is_empty()).then_some(("vary", self.vary));
        let fields: Vec<_> = vary.into_iter().chain(self.answer_fields.iter().copied()).collect();
        answer(&Answer::of(code), self.method == "HEAD", &fields)
    }
}

/// How an origin's answer is passed on, where it is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Review<'a> {
    /// Whether it holds for this answer alone. Otherwise it holds for every answer with this status, fields of these names
    /// and this `Vary`, as long as the plan's `vary` is the same.
    pub is_once: bool,
    /// Names of the fields to leave out.
    pub withheld: &'a [&'a str],
    /// Fields to set, in place of all of their names.
    pub set: &'a [(&'a str, String)],
}

impl Review<'_> {
    /// The text of it. Its first line distinguishes it from an answer: the names of the fields to leave out follow on one
    /// line, then the fields to set, a name and a value on two lines. `None` if some part has a line break.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let mut lines = Lines::new(if self.is_once { "once" } else { "always" });
        lines.push_joined(self.withheld)?;
        for (name, value) in self.set {
            lines.push_field(name, value)?;
        }
        Some(lines.text)
    }
}

/// The text of an answer of the core's, with more fields: status, fields, an empty line, and the body to the end. An
/// answer to HEAD has no body, whatever the answer holds.
#[must_use]
pub fn answer(answer: &Answer, head: bool, more: &[(&str, &str)]) -> String {
    let mut lines = Lines { text: answer.status.to_string() };
    let own = answer.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in own.chain(more.iter().copied()) {
        // The core makes no such field; one that came from elsewhere is left out rather than split.
        let _ = lines.push_field(name, value);
    }
    lines.text.push_str("\n\n");
    if !head {
        lines.text.push_str(&answer.body);
    }
    lines.text
}

struct Lines {
    text: String,
}

impl Lines {
    fn new(first: &str) -> Self {
        // Most plans, assertion included.
        let mut text = String::with_capacity(1536);
        text.push_str(first);
        Self { text }
    }

    fn push(&mut self, line: &str) -> Option<()> {
        if line.contains('\n') {
            return None;
        }
        self.text.push('\n');
        self.text.push_str(line);
        Some(())
    }

    fn push_joined(&mut self, names: &[&str]) -> Option<()> {
        self.push(NEXT)?;
        for (index, name) in names.iter().enumerate() {
            // A single empty name would be read as no name at all.
            if name.is_empty() || name.contains(['\n', ',']) {
                return None;
            }
            if index > 0 {
                self.text.push(',');
            }
            self.text.push_str(name);
        }
        Some(())
    }

    fn push_field(&mut self, name: &str, value: &str) -> Option<()> {
        if name.is_empty() || name.contains('\n') || value.contains('\n') {
            return None;
        }
        self.push(name)?;
        self.push(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan() -> Forward<'static> {
        Forward {
            method: "GET",
            url: "https://orders.example/a?b=c".to_owned(),
            body: Body::Refused,
            limits: Limits { without_body: Duration::from_secs(60), with_body: Duration::from_secs(900) },
            origin: "orders",
            request_id: Some("8f0c-LHR"),
            is_signed: false,
            deleted: vec!["host", "postern-assertion"],
            set: vec![
                ("x-forwarded-proto".into(), "https".to_owned()),
                ("postern-assertion".into(), "a.b.c".to_owned()),
            ],
            vary: "Authorization, Origin",
            answer_fields: vec![("access-control-allow-origin", "*")],
        }
    }

    #[test]
    fn debug_output_has_neither_the_assertion_nor_the_target() {
        let said = format!("{:?}", plan());
        assert!(said.contains("orders") && !said.contains("a.b.c") && !said.contains("b=c"), "{said}");
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let text = plan().to_text().unwrap();
        assert_eq!(
            text,
            "forward\nGET\nhttps://orders.example/a?b=c\nrefused\n60000,900000\norders\n8f0c-LHR\n\n\
             host,postern-assertion\nAuthorization, Origin\nx-forwarded-proto\nhttps\npostern-assertion\na.b.c\n\n\
             access-control-allow-origin\n*"
        );
        assert_eq!(Forward::parse(&text), Some(plan()));
        let bare = Forward { body: Body::Sent, is_signed: true, ..Forward::default() };
        assert_eq!(Forward::parse(&bare.to_text().unwrap()), Some(bare));
        for cut in [
            "",
            "forward",
            "200\n\n",
            "forward\nGET\nhttps://a\nother\n1,2\no\n\n\n\n\n",
            "forward\nGET\nhttps://a\nsent\n1\no\n\n\n\n\n",
        ] {
            assert_eq!(Forward::parse(cut), None, "{cut}");
        }
    }

    #[test]
    fn a_change_of_an_answer_has_what_is_left_out_then_what_is_set() {
        let set = [("location", "https://api.example/a".to_owned())];
        let text = |is_once, withheld: &[&str], set: &[(&str, String)]| Review { is_once, withheld, set }.to_text();
        assert_eq!(
            text(true, &["postern-x", "access-control-max-age"], &set).as_deref(),
            Some("once\npostern-x,access-control-max-age\nlocation\nhttps://api.example/a")
        );
        assert_eq!(text(true, &[], &set).as_deref(), Some("once\n\nlocation\nhttps://api.example/a"));
        assert_eq!(text(false, &[], &[]).as_deref(), Some("always\n"));
        assert_eq!(text(false, &[], &[("location", "a\nb".to_owned())]), None);
        assert_eq!(text(false, &["a\nb"], &[]), None);
    }

    #[test]
    fn a_plan_with_a_line_break_or_a_field_without_a_name_is_not_written() {
        let set = |name: &'static str, value: &str| Forward { set: vec![(name.into(), value.to_owned())], ..plan() };
        let answered = |name, value| Forward { answer_fields: vec![(name, value)], ..plan() };
        assert!(set("a", "").to_text().is_some() && answered("a", "").to_text().is_some());
        for refused in [
            Forward { method: "GET\n", ..plan() },
            Forward { url: "https://orders.example/a\nb".to_owned(), ..plan() },
            Forward { origin: "a\nb", ..plan() },
            Forward { request_id: Some("a\nb"), ..plan() },
            Forward { deleted: vec!["a\nb"], ..plan() },
            Forward { deleted: vec!["a,b"], ..plan() },
            Forward { deleted: vec![""], ..plan() },
            Forward { vary: "a\nb", ..plan() },
            set("", "a"),
            set("a\nb", "c"),
            set("a", "b\nc"),
            answered("", "a"),
            answered("a\nb", "c"),
            answered("a", "b\nc"),
        ] {
            assert_eq!(refused.to_text(), None, "{refused:?}");
        }
    }

    #[test]
    fn an_answer_has_its_fields_then_its_body_and_none_to_head() {
        let core = Answer { status: 204, headers: vec![("allow", "GET, HEAD".to_owned())], body: "{\n}".to_owned() };
        assert_eq!(answer(&core, false, &[("vary", "Origin")]), "204\nallow\nGET, HEAD\nvary\nOrigin\n\n{\n}");
        assert_eq!(answer(&core, true, &[]), "204\nallow\nGET, HEAD\n\n");
        // Half a field would make a name of the next line.
        for split in [("a", "b\nc"), ("a\nb", "c"), ("", "a")] {
            assert_eq!(answer(&core, true, &[split, ("vary", "Origin")]), "204\nallow\nGET, HEAD\nvary\nOrigin\n\n");
        }
        let refused = plan().refuse(PublicCode::BadGateway);
        let fields = "\nvary\nAuthorization, Origin\naccess-control-allow-origin\n*\n\n";
        assert!(refused.starts_with("502\n") && refused.contains(&format!("{fields}{{")), "{refused}");
        let refused = Forward { method: "HEAD", ..plan() }.refuse(PublicCode::BadGateway);
        assert!(refused.starts_with("502\n") && refused.ends_with(fields), "{refused}");
    }

    proptest! {
        /// Whatever fields hold, they come back as they were or the plan is not written.
        #[test]
        fn no_text_passes_for_another_line(
            url in "[a-z/\n,]{0,8}",
            id in "[a-z\n]{0,4}",
            deleted in prop::collection::vec("[a-z\n,]{1,4}", 0..4),
            set in prop::collection::vec(("[a-z\n]{0,4}", "[a-z,: \n\r\0]{0,8}"), 0..4),
            fields in prop::collection::vec(("[a-z\n]{0,4}", "[a-z,: \n]{0,8}"), 0..4),
        ) {
            let written = Forward {
                url,
                request_id: Some(id.as_str()).filter(|id| !id.is_empty()),
                deleted: deleted.iter().map(String::as_str).collect(),
                set: set.iter().map(|(name, value)| (name.into(), value.clone())).collect(),
                answer_fields: fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
                ..plan()
            };
            if let Some(text) = written.to_text() {
                prop_assert_eq!(Forward::parse(&text), Some(written));
            }
        }
    }
}
