//! How a framework reads a request: what an echo handler answers.
//!
//! ```json
//! {
//!   "postern_echo": 1, "framework": "express 5.3.0", "method": "GET", "scheme": "http", "host": "orders.example",
//!   "path": "/postern/echo", "prefix": "", "query": [["company", "1111"]], "company": "1111", "address": "192.0.2.1"
//! }
//! ```
//! A handler answers what the framework's own interface says, and only that: no header fields, no body and no secrets,
//! so that the answer holds nothing that its caller did not send.

use serde::Deserialize;
use serde_json::Value;

use crate::Aim;

/// Where an echo handler is mounted. It answers every method there, and no other path.
pub const ECHO_PATH: &str = "/postern/echo";

/// The version of the form above.
const VERSION: u64 = 1;

/// What an echo handler says of a request.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Reading {
    postern_echo: u64,
    /// The framework's name and version.
    #[serde(default)]
    pub framework: Option<String>,
    /// The method.
    pub method: String,
    /// `http` or `https`; absent where the framework has no such notion.
    #[serde(default)]
    pub scheme: Option<String>,
    /// The host, with or without the port.
    #[serde(default)]
    pub host: Option<String>,
    /// The path, prefix excluded.
    pub path: String,
    /// The mount point: `SCRIPT_NAME`, `root_path`, `baseUrl`.
    #[serde(default)]
    pub prefix: String,
    /// The query's pairs. A value is a text, or a list or an object where the framework makes one.
    pub query: Vec<(String, Value)>,
    /// The query parameter `company`, as a handler asks for it; `null` where there is none.
    #[serde(default)]
    pub company: Value,
    /// The client's address; absent where the framework has no such notion.
    #[serde(default)]
    pub address: Option<String>,
}

/// Where two readings differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which part.
    pub aim: Aim,
    /// What is in its place.
    pub read: String,
}

impl Reading {
    /// The reading in an answer's body; `None` if it is not an echo handler's.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(|reading: &Self| reading.postern_echo == VERSION)
    }

    /// The same for another method.
    pub(crate) fn of_method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// The parts of `self` that differ from `plain`. Queries are left out.
    pub(crate) fn changes(&self, plain: &Self) -> Vec<Member> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let parts = |reading: &Self| {
            [
                (Aim::Method, reading.method.clone()),
                (Aim::Scheme, or_none(&reading.scheme)),
                (Aim::Host, or_none(&reading.host)),
                (Aim::Path, reading.path.clone()),
                (Aim::Prefix, reading.prefix.clone()),
                (Aim::Address, or_none(&reading.address)),
            ]
        };
        let differing = parts(self).into_iter().zip(parts(plain)).filter(|(own, other)| own != other);
        differing.map(|((aim, read), _)| Member { aim, read }).collect()
    }

    /// The company as it is read.
    pub(crate) fn company_read(&self) -> String {
        match &self.company {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reading() -> Value {
        json!({"postern_echo": 1, "method": "GET", "path": "/postern/echo", "query": [["a", ["1", "2"]]], "company": null})
    }

    #[test]
    fn only_an_echo_handlers_answer_is_a_reading() {
        assert!(Reading::parse(reading().to_string().as_bytes()).is_some());
        let mut other = reading();
        other["postern_echo"] = json!(2);
        for body in ["", "{}", "[]", "not JSON", &other.to_string()] {
            assert_eq!(Reading::parse(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn changes_name_each_part_that_differs() {
        let plain = Reading::parse(reading().to_string().as_bytes()).expect("a reading");
        let changed = Reading { scheme: Some("https".to_owned()), prefix: "/x".to_owned(), ..plain.clone() };
        let changes = changed.changes(&plain);
        assert_eq!(changes.iter().map(|member| member.aim).collect::<Vec<_>>(), [Aim::Scheme, Aim::Prefix]);
        assert_eq!(plain.changes(&plain), []);
    }
}
