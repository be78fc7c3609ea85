//! What the Worker's WebAssembly tells its JavaScript: whatever a caller sends, the text says what was decided, and no part
//! of it is read as another.
//!
//! The payload is a request as `forward.mjs` writes it (method, URL, a line for each field), which is decided on; or the
//! parts of a plan, word for word. The texts are read as `forward.mjs` reads them, by a reader of this module's own.

use std::time::Duration;

use postern::{
    Decision, Permit, Request,
    forward::{Body, Class, Driver, Seen, Vouched, class},
};
use postern_edge::{
    header,
    plan::{Forward, Limits, Review, answer},
    target::target_of,
};

use crate::{Script, world};

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Not a text.
    Nothing,
    /// Parts that no text can hold apart.
    Unwritable,
    /// Parts of a plan, written and read.
    Written,
    /// A request that was answered.
    Answered,
    /// A request that was forwarded.
    Forwarded,
}

/// Between the parts of a plan.
const PART: char = '\u{1f}';
/// Between the names of a list.
const ITEM: char = '\u{1e}';

/// What JavaScript makes of a plan.
#[derive(Debug, PartialEq, Eq)]
struct Plan<'t> {
    head: [&'t str; 7],
    deleted: Vec<&'t str>,
    vary: &'t str,
    set: Vec<(&'t str, &'t str)>,
    answer_fields: Vec<(&'t str, &'t str)>,
}

/// Writes the input's plan or answer, and reads it.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Nothing };
    if text.contains(PART) { parts(&mut script, text) } else { request(&mut script, text) }
}

fn parts(script: &mut Script<'_>, text: &str) -> Reached {
    let mut parts = text.split(PART);
    let mut part = || parts.next().unwrap_or_default();
    let limits = Limits { without_body: Duration::from_secs(60), with_body: Duration::from_millis(900_001) };
    let mut forward = Forward {
        method: part(),
        url: part().to_owned(),
        body: script.pick(&Body::ALL),
        limits,
        origin: part(),
        request_id: Some(part()).filter(|id| !id.is_empty()),
        is_signed: script.choose(2) == 1,
        // The runtime has no field without a name.
        deleted: part().split(ITEM).filter(|name| !name.is_empty()).collect(),
        vary: part(),
        ..Forward::default()
    };
    for _ in 0..script.choose(4) {
        forward.set.push((part().into(), part().to_owned()));
    }
    for _ in 0..script.choose(4) {
        forward.answer_fields.push((part(), part()));
    }
    review(&forward);
    let breaks = |text: &str| text.contains('\n');
    let set = forward.set.iter().map(|(name, value)| (&**name, value.as_str()));
    let is_unwritable =
        [forward.method, &forward.url, forward.origin, forward.request_id.unwrap_or_default(), forward.vary]
            .into_iter()
            .any(breaks)
            || forward.deleted.iter().any(|name| name.is_empty() || breaks(name) || name.contains(','))
            || set
                .chain(forward.answer_fields.iter().copied())
                .any(|(name, value)| name.is_empty() || breaks(name) || breaks(value));
    let Some(written) = forward.to_text() else {
        assert!(is_unwritable, "a plan that could be written is not: {forward:?}");
        return Reached::Unwritable;
    };
    assert_says(&written, &forward);
    assert_eq!(Forward::parse(&written).as_ref(), Some(&forward), "the plan is not read as it was written");
    Reached::Written
}

/// What is left out of an origin's answer and set in it is read as it was written.
fn review(forward: &Forward<'_>) {
    let set: Vec<(&str, String)> =
        forward.answer_fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let review = Review { is_once: forward.is_signed, withheld: &forward.deleted, set: &set };
    let Some(text) = review.to_text() else { return };
    let mut lines = text.split('\n');
    assert_eq!(lines.next(), Some(if forward.is_signed { "once" } else { "always" }));
    let withheld = lines.next().expect("a line of names");
    let withheld: Vec<&str> = if withheld.is_empty() { Vec::new() } else { withheld.split(',').collect() };
    assert_eq!(withheld, forward.deleted, "other fields are withheld");
    assert_eq!(pairs(&lines.collect::<Vec<_>>()), forward.answer_fields, "other fields are set");
}

/// What JavaScript reads agrees with what was decided.
fn assert_says(written: &str, forward: &Forward<'_>) {
    let word = match forward.body {
        Body::Sent => "sent",
        Body::Refused => "refused",
        Body::Empty => "empty",
    };
    let Limits { without_body, with_body } = forward.limits;
    let limits = format!("{},{}", without_body.as_millis(), with_body.as_millis());
    let expected = Plan {
        head: [
            forward.method,
            &forward.url,
            word,
            &limits,
            forward.origin,
            forward.request_id.unwrap_or_default(),
            if forward.is_signed { "signed" } else { "" },
        ],
        deleted: forward.deleted.clone(),
        vary: forward.vary,
        set: forward.set.iter().map(|(name, value)| (&**name, value.as_str())).collect(),
        answer_fields: forward.answer_fields.clone(),
    };
    assert_eq!(read(written), expected, "JavaScript reads another plan than was decided");
}

/// The plan as `forward.mjs` reads it: by the numbers of its lines.
fn read(text: &str) -> Plan<'_> {
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines[0], "forward", "a plan is mistaken for an answer");
    let head = lines[1..8].try_into().expect("seven lines");
    let deleted = if lines[8].is_empty() { Vec::new() } else { lines[8].split(',').collect() };
    let mut end = 10;
    while !lines[end].is_empty() {
        end += 2;
    }
    Plan { head, deleted, vary: lines[9], set: pairs(&lines[10..end]), answer_fields: pairs(&lines[end + 1..]) }
}

fn pairs<'t>(lines: &[&'t str]) -> Vec<(&'t str, &'t str)> {
    assert_eq!(lines.len() % 2, 0, "a name without a value");
    lines.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

fn request(script: &mut Script<'_>, text: &str) -> Reached {
    let mut lines = text.splitn(3, '\n');
    let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let headers: Vec<(&str, &str)> = header::fields(lines.next().unwrap_or_default()).collect();
    let request = Request { method, target: target_of(url).unwrap_or_default(), headers: &headers };
    let (decision, trail) = world::decide(&world::authorizer(), &request, script);
    let permit = match decision {
        Decision::Permit(permit) => permit,
        Decision::Deny(denial) => return answered(denial.answer(), method),
        Decision::Preflight(answer) => return answered(&answer, method),
    };
    assert!(trail.believed || permit.subject().is_none(), "forwarded without a signature");
    let connection = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let rules = permit.forward(&world::CHECKED, Driver::Worker, connection.map_or("", |(_, value)| value));
    let mut forward = Forward {
        method: permit.method(),
        url: [permit.origin().url(), permit.target()].concat(),
        body: rules.body(Seen::Absent).expect("no body is refused"),
        limits: Limits::default(),
        origin: permit.origin().name(),
        request_id: None,
        is_signed: permit.origin().wants_signature(),
        deleted: headers.iter().map(|(name, _)| *name).filter(|name| rules.removes(name)).collect(),
        vary: permit.vary(),
        set: rules.fields(&Vouched { host: Some("api.example"), scheme: Some("https"), address: Some("203.0.113.1") }),
        answer_fields: permit.response_headers().iter().map(|(name, value)| (*name, value.as_str())).collect(),
    };
    forward.set.push((postern::assertion::HEADER.into(), "a.b.c".to_owned()));
    // A runtime has no field with such a name; here the plan is then not written.
    let Some(written) = forward.to_text() else { return Reached::Answered };
    assert_says(&written, &forward);
    assert_forwarded(&read(&written), &request, &permit);
    Reached::Forwarded
}

/// What the origin is sent is what was decided on, without anything that only Postern may say.
fn assert_forwarded(plan: &Plan<'_>, request: &Request<'_>, permit: &Permit) {
    assert_eq!(plan.head[0], request.method, "another method goes on");
    assert_eq!(plan.vary, permit.vary(), "the answer varies by other fields");
    assert_eq!(plan.head[1], format!("{}{}", permit.origin().url(), request.target), "another target goes on");
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let is_replaced = |name: &str| plan.set.iter().any(|(own, _)| is(own, name));
    let left = request
        .headers
        .iter()
        .filter(|(name, _)| !plan.deleted.iter().any(|deleted| is(deleted, name)) && !is_replaced(name));
    for (name, _) in left {
        assert_eq!(class(name), None, "the caller's `{name}` reaches the origin");
    }
    let assertions = plan.set.iter().filter(|(name, _)| class(name) == Some(Class::Postern)).count();
    assert_eq!(assertions, 1, "another number of assertions than one");
}

/// An answer is read as the one that was decided, and is never mistaken for a plan.
fn answered(decided: &postern::Answer, method: &str) -> Reached {
    let text = answer(decided, method == "HEAD", &[]);
    assert!(!text.starts_with("forward\n"), "an answer is mistaken for a plan");
    let (head, body) = text.split_once("\n\n").expect("an empty line");
    let lines: Vec<&str> = head.split('\n').collect();
    assert_eq!(lines[0], decided.status.to_string());
    let fields: Vec<(&str, &str)> = decided.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(pairs(&lines[1..]), fields, "other fields are answered");
    assert_eq!(body, if method == "HEAD" { "" } else { &decided.body }, "another body is answered");
    Reached::Answered
}
