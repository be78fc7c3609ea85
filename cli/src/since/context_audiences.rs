//! Behind an HTTP API, only URIs are read out of a list of audiences.

use serde_json::Value;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written, written::Table};

pub(super) const CHANGE: Change = Change {
    code: "context_audiences",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "of several audiences in the context of an HTTP API's JWT authorizer, only URIs are read, because API Gateway \
              writes the others as words that could be parts of one name",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.a]\naudience = [\"https://api.example\", \"orders-api\"]\n",
        pointers: &["issuer.a.audience"],
        unconcerned: "[issuer.a]\naudience = [\"https://api.example\"]\n[issuer.b]\naudience = \"any\"\n[issuer.c]\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let is_word = |name: &Value| name.as_str().is_some_and(|name| !name.contains(':'));
    let names_words = |issuer: &Table<'_>| {
        issuer.get("audience").and_then(Value::as_array).is_some_and(|names| names.iter().any(is_word))
    };
    let place = |pointer: String| {
        Place {
        pointer,
        old: "behind an HTTP API, `[orders-api account]` has the audience `orders-api`".to_owned(),
        new: "it has none that is read; a token with one audience is read as before, and so is the token itself".to_owned(),
        help: "nothing, unless a service takes callers from an HTTP API's JWT authorizer; then give this API a URI as its \
               audience, or its tokens this audience alone"
            .to_owned(),
    }
    };
    let concerned = written.issuers().into_iter().filter(names_words);
    concerned.map(|issuer| place(issuer.at("audience"))).collect()
}
