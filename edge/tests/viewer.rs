//! A viewer's request in few words: what is read of it, and the changes that make of it what the whole event becomes.

use postern_edge::event::{Event, ViewerRequest};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

/// The lines, as `event.js` writes them, and their number.
fn lines(uri: &str, query: &str, fields: &[(&str, &str, &str)]) -> (String, usize) {
    let mut text = format!("GET\n{uri}\n{query}\nid==");
    for (name, key, value) in fields {
        text.push_str(&format!("\n{name}\n{key}\n{value}"));
    }
    (text, 4 + 3 * fields.len())
}

fn read(uri: &str, query: &str, fields: &[(&str, &str, &str)]) -> Option<ViewerRequest> {
    let (text, count) = lines(uri, query, fields);
    ViewerRequest::read(text, count)
}

/// What `event.js` does with changes.
fn changed(fields: &[(&str, &str, &str)], changes: &str) -> Value {
    let mut headers = headers(fields);
    let mut lines = changes.split('\n');
    for name in lines.next().expect("a line").split(',') {
        headers.remove(name);
    }
    while let Some(name) = lines.next() {
        let value = lines.next().expect("a value");
        headers.insert(name.to_ascii_lowercase(), json!([{"key": name, "value": value}]));
    }
    headers.into()
}

fn headers(fields: &[(&str, &str, &str)]) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, key, value) in fields {
        let list = headers.entry(*name).or_insert_with(|| json!([]));
        list.as_array_mut().expect("a list").push(json!({"key": key, "value": value}));
    }
    headers
}

fn whole(uri: &str, query: &str, fields: &[(&str, &str, &str)]) -> Event {
    let request = json!({"method": "GET", "uri": uri, "querystring": query, "headers": headers(fields)});
    let config = json!({"eventType": "viewer-request", "requestId": "id=="});
    Event::parse(&json!({"Records": [{"cf": {"config": config, "request": request}}]}).to_string()).expect("an event")
}

#[test]
fn what_is_decided_on_is_read_as_of_the_whole_event() {
    let fields =
        [("accept", "Accept", "a, b"), ("x-many", "X-Many", ""), ("x-many", "x-many", "two"), ("te", "te", "")];
    for (uri, query) in [("/", ""), ("/a%2Fb/\"c+d", "x=%2B+&x=?&"), ("//a/../b", ""), ("", "q")] {
        let (brief, whole) = (read(uri, query, &fields).expect("lines"), whole(uri, query, &fields));
        let of_whole = whole.request();
        assert_eq!((brief.method(), brief.target()), (of_whole.method(), &*of_whole.target()));
        assert_eq!(Some(brief.id()), whole.request_id());
        let mut found = brief.fields();
        found.sort_by_key(|(name, _)| *name);
        assert_eq!(found, of_whole.fields());
        for name in ["accept", "x-many", "te", "Accept", "x"] {
            assert_eq!(brief.field(name), of_whole.field(name), "{name}");
            assert_eq!(brief.sole_field(name), of_whole.sole_field(name), "{name}");
        }
    }
}

#[test]
fn what_the_lines_cannot_say_is_not_read() {
    assert!(read("/", "", &[("a", "A", "x")]).is_some());
    for (why, refused) in [
        ("a path with a query", read("/a?b", "", &[])),
        ("a line break in the path", read("/a\nb", "", &[])),
        ("line breaks that make a field", read("/", "", &[("a", "a", "x\nb\nb\ny")])),
        ("another name", read("/", "", &[("a", "b", "x")])),
        ("a letter that only folds to the name's", read("/", "", &[("k", "\u{212a}", "x")])),
        ("a name in upper case", read("/", "", &[("A", "A", "x")])),
        ("no name", read("/", "", &[("", "", "x")])),
        ("a comma in a name", read("/", "", &[("a,b", "a,b", "x")])),
        ("half a field", ViewerRequest::read("GET\n/\n\n\na\na".to_owned(), 6)),
        ("no fourth line", ViewerRequest::read("GET\n/\n".to_owned(), 3)),
        ("nothing", ViewerRequest::read(String::new(), 0)),
        ("more than it says", ViewerRequest::read("GET\n/\n\n\na\na\nx".to_owned(), 4)),
        ("less than it says", ViewerRequest::read("GET\n/\n\n".to_owned(), 7)),
    ] {
        assert!(refused.is_none(), "{why}");
    }
}

#[test]
fn a_value_with_a_line_break_is_not_set() {
    let request = || read("/", "", &[]).expect("lines");
    assert_eq!(request().changes(|_| false, &[("x-a", "b")]).as_deref(), Some("\nx-a\nb"));
    assert_eq!(request().changes(|_| false, &[("x-a", "b\nx-c\nd")]), None);
    assert_eq!(request().changes(|_| false, &[("x-a\nx-c", "d")]), None);
}

#[test]
fn debug_output_shows_neither_target_nor_fields() {
    let request =
        read("/people/ann", "q=secret", &[("authorization", "Authorization", "Bearer secret")]).expect("lines");
    let shown = format!("{request:?}");
    assert!(!shown.contains("ann") && !shown.contains("secret"), "{shown}");
}

const NAMES: [&str; 10] = [
    "postern-assertion",
    "postern_assertion",
    "x-set",
    "x_set",
    "via",
    "host",
    "x-edge-thing",
    "connection",
    "accept",
    "x-amz-date",
];

proptest! {
    /// Removed, set, left alone where that is not allowed: as the whole event is.
    #[test]
    fn the_changes_make_what_the_whole_event_becomes(
        names in vec((0..NAMES.len(), "[ -~]{0,8}", any::<bool>()), 0..8),
        set in vec((0..NAMES.len(), "[ -~]{0,8}"), 0..4),
        removed in vec(0..NAMES.len(), 0..6),
    ) {
        let keys: Vec<String> = names.iter().map(|(name, _, upper)| match upper {
            true => NAMES[*name].to_ascii_uppercase(),
            false => NAMES[*name].to_owned(),
        }).collect();
        let fields: Vec<_> =
            names.iter().zip(&keys).map(|((name, value, _), key)| (NAMES[*name], key.as_str(), value.as_str())).collect();
        let set: Vec<_> = set.iter().map(|(name, value)| (NAMES[*name], value.as_str())).collect();
        let is_removed = |name: &str| removed.iter().any(|index| NAMES[*index] == name);
        let changes = read("/", "", &fields).expect("lines").changes(is_removed, &set).expect("changes");
        let whole: Value = serde_json::from_str(&whole("/", "", &fields).forwarded(is_removed, &set)).expect("JSON");
        prop_assert_eq!(changed(&fields, &changes), whole["headers"].clone());
    }
}
