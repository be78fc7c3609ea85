//! CloudFront's events: what goes on is what was decided on, with nothing in it that the caller may not say.
//!
//! The payload is an event's JSON. A request in it is decided on, and forwarded where that is permitted, by both readings
//! that a function has: the whole event, and the lines that `event.js` takes out of it. They must come to the same.

use std::collections::BTreeMap;

use postern::{
    Answer, Decision, PublicCode, Request,
    forward::{Driver, Vouched},
    policy::cloudfront::is_disallowed,
};
use postern_edge::event::{Event, EventKind, ViewerRequest};
use serde_json::Value;

use crate::{Script, world};

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Not an event.
    Nothing,
    /// A request that was answered.
    Answered,
    /// A viewer's request that was forwarded.
    ViewerRequest,
    /// An origin request that was forwarded.
    OriginRequest,
    /// A response.
    Response,
}

type Fields<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str)>>;

/// Reads the input's event, and answers it.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Nothing };
    let event = match Event::parse(text) {
        Ok(event) => event,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Reached::Nothing;
        }
    };
    let shown: Value = serde_json::from_str(text).expect("an event is JSON");
    let shown = &shown["Records"][0]["cf"];
    match event.response() {
        Some(_) => response(event, &shown["response"]),
        None => {
            assert_readings_agree(text, &shown["request"]);
            request(event, &shown["request"], &mut script)
        }
    }
}

fn request(event: Event, shown: &Value, script: &mut Script<'_>) -> Reached {
    let kind = event.kind();
    let target = target_of(shown);
    let method = event.request().method().to_owned();
    assert_eq!((Some(&*method), &*event.request().target()), (shown["method"].as_str(), &*target));
    let fields: Vec<(String, String)> =
        event.request().fields().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, in_order(shown), "a field is lost or made up");
    let viewer = in_few_words(kind, shown);
    if let Some(viewer) = &viewer {
        let mut own = viewer.fields();
        own.sort_by_key(|(name, _)| *name);
        assert_eq!((viewer.method(), viewer.target(), own), (&*method, &*target, fields.clone()), "two readings");
    }
    let request = Request { method: &method, target: &target, headers: &fields };
    let (decision, trail) = world::decide(&world::authorizer(), &request, script);
    let Decision::Permit(permit) = decision else { return Reached::Answered };
    assert!(trail.believed || permit.subject().is_none(), "forwarded without a signature");
    let driver = if kind == EventKind::OriginRequest { Driver::OriginRequest } else { Driver::ViewerRequest };
    let rules = permit.forward(&world::CHECKED, driver, "");
    let mut set = rules.fields(&Vouched { host: event.request().sole_field("host"), ..Vouched::default() });
    set.push((postern::assertion::HEADER.into(), "a.b.c".to_owned()));
    let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (&**name, value.as_str())).collect();
    let forwarded = event.forwarded(|name| rules.removes(name), &set);
    let forwarded: Value = serde_json::from_str(&forwarded).expect("JSON");
    assert_goes_on(kind, shown, &forwarded, |name| rules.removes(name), &set);
    let left = fields_of(&forwarded);
    // Said once more without the core's lists: the caller's token, and whatever only Postern may say.
    assert!(!left.contains_key("authorization"), "the caller's token goes on");
    let assertions = left.keys().filter(|name| folded(name).starts_with("postern-")).count();
    assert_eq!(assertions, 1, "another number of assertions than one");
    if let Some(changes) = viewer.and_then(|viewer| viewer.changes(|name| rules.removes(name), &set)) {
        assert_eq!(forwarded, changed(shown, &changes), "the two readings forward two requests");
    }
    match driver {
        Driver::OriginRequest => Reached::OriginRequest,
        _ => Reached::ViewerRequest,
    }
}

/// Whatever is removed and set, both readings forward one request.
fn assert_readings_agree(text: &str, shown: &Value) {
    let event = Event::parse(text).expect("it was one");
    let (kind, set) = (event.kind(), [("x-own", "set"), ("via", "set")]);
    let is_removed = |name: &str| name == "accept" || name == "host";
    let forwarded: Value = serde_json::from_str(&event.forwarded(is_removed, &set)).expect("JSON");
    assert_goes_on(kind, shown, &forwarded, is_removed, &set);
    if let Some(changes) = in_few_words(kind, shown).and_then(|viewer| viewer.changes(is_removed, &set)) {
        assert_eq!(forwarded, changed(shown, &changes), "the two readings forward two requests");
    }
}

fn target_of(shown: &Value) -> String {
    let text = |name: &str| shown[name].as_str().expect("a text");
    let query = text("querystring");
    if query.is_empty() { text("uri").to_owned() } else { format!("{}?{query}", text("uri")) }
}

fn field<'a>(name: &'a str, own: &'a Value) -> (&'a str, &'a str) {
    let text = |value: &'a Value| value.as_str().expect("a text");
    (own.get("key").map_or(name, text), text(&own["value"]))
}

fn fields_of(message: &Value) -> Fields<'_> {
    let headers = message["headers"].as_object().expect("fields");
    headers
        .iter()
        .map(|(name, list)| {
            let list = list.as_array().expect("a list").iter().map(|own| field(name, own)).collect();
            (name.as_str(), list)
        })
        .collect()
}

/// Every value under its name, in the order of names.
fn in_order(shown: &Value) -> Vec<(&str, &str)> {
    fields_of(shown)
        .into_iter()
        .flat_map(|(name, list)| list.into_iter().map(move |(_, value)| (name, value)))
        .collect()
}

/// Whether a function may touch a field at such an event.
fn is_free(kind: EventKind, name: &str) -> bool {
    !is_disallowed(name) && !kind.read_only().contains(&name)
}

fn folded(name: &str) -> String {
    name.chars().map(|one| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' }).collect()
}

fn assert_goes_on(
    kind: EventKind,
    shown: &Value,
    forwarded: &Value,
    is_removed: impl Fn(&str) -> bool,
    set: &[(&str, &str)],
) {
    let without_fields = |message: &Value| {
        let mut message = message.clone();
        message.as_object_mut().expect("a request").remove("headers");
        message
    };
    assert_eq!(without_fields(forwarded), without_fields(shown), "more than fields has changed");
    let set_for = |name: &str| set.iter().rfind(|(own, _)| folded(own) == folded(name));
    let mut expected: Fields<'_> = fields_of(shown)
        .into_iter()
        .filter(|(name, _)| !is_free(kind, name) || (!is_removed(name) && set_for(name).is_none()))
        .collect();
    for (name, value) in set.iter().filter(|(name, _)| is_free(kind, name)) {
        expected.insert(name, vec![(name, value)]);
    }
    let left = fields_of(forwarded);
    assert_eq!(left, expected, "other fields go on");
}

/// The lines that `event.js` takes out of a viewer's request, read.
fn in_few_words(kind: EventKind, shown: &Value) -> Option<ViewerRequest> {
    let members = shown.as_object()?;
    if kind != EventKind::ViewerRequest || members.contains_key("body") || members.contains_key("origin") {
        return None;
    }
    let text = |name: &str| members[name].as_str();
    let mut lines = vec![text("method")?, text("uri")?, text("querystring")?, ""];
    for (name, list) in fields_of(shown) {
        if list.is_empty() {
            return None;
        }
        lines.extend(list.into_iter().flat_map(|(key, value)| [name, key, value]));
    }
    ViewerRequest::read(lines.join("\n"), lines.len())
}

/// The request with the changes that the lines say, as `event.js` makes them.
fn changed(shown: &Value, changes: &str) -> Value {
    let mut request = shown.clone();
    let headers = request["headers"].as_object_mut().expect("fields");
    let mut lines = changes.split('\n');
    for name in lines.next().unwrap_or_default().split(',') {
        headers.remove(name);
    }
    while let (Some(key), Some(value)) = (lines.next(), lines.next()) {
        headers.insert(key.to_ascii_lowercase(), serde_json::json!([{"key": key, "value": value}]));
    }
    request
}

/// A response loses what is withheld and what CloudFront lets go, and nothing else.
fn response(event: Event, shown: &Value) -> Reached {
    let kind = event.kind();
    let is_withheld = |name: &str| folded(name).starts_with("postern-");
    let set = [("vary", "Origin"), ("cache-control", "no-store")];
    let passed: Value = serde_json::from_str(&event.passed_on(is_withheld, &set).expect("a response")).expect("JSON");
    let mut expected: Fields<'_> = fields_of(shown).into_iter().filter(|(name, _)| !is_withheld(name)).collect();
    for (name, value) in set {
        expected.retain(|own, _| folded(own) != name);
        expected.insert(name, vec![(name, value)]);
    }
    assert_eq!(fields_of(&passed), expected, "other fields are passed on");
    assert_eq!(passed["status"], shown["status"], "another status");
    let text = shown.to_string();
    let again = format!(
        r#"{{"Records":[{{"cf":{{"config":{{"eventType":"{}"}},"request":{{"method":"GET","uri":"/","querystring":"","headers":{{}}}},"response":{text}}}}}]}}"#,
        kind.as_str()
    );
    let replaced = Event::parse(&again).expect("an event").replaced(&Answer::of(PublicCode::BadGateway));
    assert_eq!(replaced.is_some(), kind == EventKind::OriginResponse, "a function may not replace that");
    if let Some(replaced) = replaced {
        let replaced: Value = serde_json::from_str(&replaced).expect("JSON");
        assert_eq!(replaced["status"], "502");
        for name in fields_of(&replaced).keys().filter(|name| fields_of(shown).contains_key(*name)) {
            let is_own =
                Answer::of(PublicCode::BadGateway).headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
            assert!(is_own || kind.read_only().contains(name), "`{name}` of the origin's is left");
        }
    }
    Reached::Response
}
