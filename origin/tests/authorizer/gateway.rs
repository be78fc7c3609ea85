//! API Gateway as far as its authorizers go: the events it makes, the identity sources and the cache, and what it makes of
//! a result. Written from its developer guide and IAM's, knowing nothing of the authorizer's code.

use std::collections::HashMap;

use postern_origin::authorizer::{Caching, event::Shape};
use serde_json::{Map, Value, json};

/// A request as a client sends it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    /// The path as it stands on the wire.
    pub(crate) path: String,
    /// The query as it stands there; empty for none.
    pub(crate) query: String,
    pub(crate) token: Option<String>,
}

/// What the client sees: what stands behind is reached at 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    /// When the result was made that decided, if one did.
    pub(crate) made_at: Option<u64>,
    /// Whether it came from the cache.
    pub(crate) cached: bool,
}

/// An API with one authorizer.
pub(crate) struct Gateway {
    pub(crate) shape: Shape,
    pub(crate) caching: Caching,
    pub(crate) simple: bool,
    /// Whether ARNs hold paths decoded: nobody says.
    pub(crate) decodes: bool,
    /// How many seconds the authorizer takes to answer: its result is kept from then on.
    pub(crate) answers_after: u64,
    cache: HashMap<String, (u64, Value)>,
}

const API: &str = "arn:aws:execute-api:eu-west-2:123456789012:abcdef1234/prod/";

impl Gateway {
    pub(crate) fn new(shape: Shape, caching: Caching) -> Self {
        let decodes = matches!(shape, Shape::HttpVersion1 | Shape::HttpVersion2);
        Self { shape, caching, simple: false, decodes, answers_after: 0, cache: HashMap::new() }
    }

    /// The path that the platform dispatches by, and that ARNs are made of.
    pub(crate) fn delivered(&self, path: &str) -> String {
        if !matches!(self.shape, Shape::HttpVersion1 | Shape::HttpVersion2) {
            return path.to_owned();
        }
        decoded(path)
    }

    fn arn(&self, sent: &Sent) -> String {
        let path = if self.decodes { decoded(&self.delivered(&sent.path)) } else { self.delivered(&sent.path) };
        format!("{API}{}{path}", sent.method)
    }

    /// The event for a request.
    pub(crate) fn event(&self, sent: &Sent) -> Value {
        let path = self.delivered(&sent.path);
        let headers = json!({"authorization": sent.token});
        let lists = json!({"authorization": [sent.token]});
        let pairs = || {
            sent.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        };
        let query: Map<String, Value> = pairs().map(|(name, value)| (decoded(name), json!(decoded(value)))).collect();
        let queries: Map<String, Value> = query.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        match self.shape {
            Shape::RestToken => {
                json!({"type": "TOKEN", "methodArn": self.arn(sent), "authorizationToken": sent.token})
            }
            Shape::RestRequest => json!({
                "type": "REQUEST", "methodArn": self.arn(sent), "resource": "/{proxy+}", "path": path,
                "httpMethod": sent.method, "headers": headers, "multiValueHeaders": lists,
                "queryStringParameters": query, "multiValueQueryStringParameters": queries,
                "requestContext": {"path": format!("/prod{path}"), "stage": "prod", "requestId": "r"},
            }),
            Shape::HttpVersion1 => json!({
                "version": "1.0", "type": "REQUEST", "methodArn": self.arn(sent), "path": path, "httpMethod": sent.method,
                "headers": headers, "queryStringParameters": query, "requestContext": {"stage": "prod", "requestId": "r"},
            }),
            Shape::HttpVersion2 => json!({
                "version": "2.0", "type": "REQUEST", "routeArn": self.arn(sent), "rawPath": path, "rawQueryString": sent.query,
                "headers": headers,
                "requestContext": {"http": {"method": sent.method, "path": path}, "stage": "prod", "requestId": "r"},
            }),
            Shape::WebSocket => json!({
                "type": "REQUEST", "methodArn": format!("{API}$connect"), "headers": headers, "multiValueHeaders": lists,
                "requestContext": {"eventType": "CONNECT", "routeKey": "$connect", "connectionId": "c"},
            }),
        }
    }

    /// What comes of a request at the time `now`, where `ask` is the authorizer: a result, or the message of an error.
    pub(crate) async fn send(
        &mut self,
        sent: &Sent,
        now: u64,
        ask: impl AsyncFnOnce(Value) -> Result<Value, String>,
    ) -> Seen {
        let no_result = |status| Seen { status, made_at: None, cached: false };
        // An identity source that is missing or empty: the authorizer is not asked.
        let Some(token) = sent.token.as_ref().filter(|token| !token.is_empty()) else { return no_result(401) };
        let (key, ttl) = match self.caching {
            Caching::Off => (None, 0),
            Caching::ByToken(ttl) => (Some(token.clone()), ttl.as_secs()),
            Caching::ByRequest(ttl) => {
                (Some(format!("{token} {} {}", sent.method, self.delivered(&sent.path))), ttl.as_secs())
            }
        };
        let remembered = key.as_ref().and_then(|key| self.cache.get(key));
        if let Some((made_at, result)) = remembered.filter(|(made_at, _)| now < made_at + ttl) {
            return Seen { status: self.use_of(result, sent, now), made_at: Some(*made_at), cached: true };
        }
        match ask(self.event(sent)).await {
            Ok(result) => {
                let status = self.use_of(&result, sent, now);
                if let Some(key) = key {
                    self.cache.insert(key, (now + self.answers_after, result));
                }
                Seen { status, made_at: Some(now), cached: false }
            }
            Err(message) => no_result(if message == "Unauthorized" { 401 } else { 500 }),
        }
    }

    /// What a result means for a request.
    pub(crate) fn use_of(&self, result: &Value, sent: &Sent, now: u64) -> u16 {
        if self.simple {
            return if result["isAuthorized"] == true { 200 } else { 403 };
        }
        let arn = if self.shape == Shape::WebSocket { format!("{API}$connect") } else { self.arn(sent) };
        if invokes(&result["policyDocument"], &arn, now) { 200 } else { 403 }
    }
}

/// Whether a policy document lets `arn` be invoked: something allows it and nothing denies it.
pub(crate) fn invokes(document: &Value, arn: &str, now: u64) -> bool {
    assert_eq!(document["Version"], "2012-10-17");
    let mut allowed = false;
    for statement in document["Statement"].as_array().expect("statements") {
        let applies = texts(&statement["Action"]).iter().any(|action| matches(action, "execute-api:Invoke"))
            && texts(&statement["Resource"]).iter().any(|resource| matches(resource, arn))
            && holds(&statement["Condition"], now);
        match statement["Effect"].as_str() {
            Some("Allow") => allowed |= applies,
            Some("Deny") if applies => return false,
            Some("Deny") => {}
            other => panic!("no effect: {other:?}"),
        }
    }
    allowed
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().map(|item| item.as_str().expect("a text")).collect(),
        other => panic!("neither a text nor texts: {other}"),
    }
}

fn holds(condition: &Value, now: u64) -> bool {
    let Some(operators) = condition.as_object() else { return true };
    operators.iter().all(|(operator, keys)| {
        assert_eq!(operator, "DateLessThan");
        keys.as_object().expect("keys").iter().all(|(key, value)| {
            assert_eq!(key, "aws:CurrentTime");
            now < seconds(value.as_str().expect("a time"))
        })
    })
}

/// Seconds since 1970 of `YYYY-MM-DDThh:mm:ssZ`, counted day by day.
fn seconds(text: &str) -> u64 {
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().expect("digits");
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = |year, month| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let years: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
    let months: u64 = (1..month).map(|month| length(year, month)).sum();
    (years + months + day - 1) * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19)
}

/// IAM's wildcards: `*` is any text, `/` among it; `?` is any one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut place) = (0, 0);
    // Where the last `*` stands, and how far it reaches.
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(c) if *c == b'?' || *c == text[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((own, reached)) => {
                    star = Some((own, reached + 1));
                    (at, place) = (own + 1, reached + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == b'*')
}

/// Percent-escapes decoded once, as far as there are any.
pub(crate) fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut octets = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.filter(|_| bytes[at] == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                at += 3;
            }
            None => {
                octets.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn wildcards_are_iams() {
    for (pattern, text, is) in [
        ("a*", "a", true),
        ("a*", "a/b/c", true),
        ("a*c", "a/b", false),
        ("a?c", "a/c", true),
        ("a?c", "ac", false),
        ("*//*", "x/y/z", false),
        ("*//*", "x//z", true),
        ("*.", "a/..", true),
        ("*ab", "aab", true),
        ("*a*b", "xaxbx", false),
        ("*a*b*", "xaxbx", true),
    ] {
        assert_eq!(matches(pattern, text), is, "{pattern} {text}");
    }
    assert_eq!(seconds("2027-01-15T08:00:00Z"), 1_800_000_000);
}
