//! A query parameter that overrides the method of an unsafe request is refused.

use serde_json::Value;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "method_overrides",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a request with an unsafe method and a query parameter that overrides the method (`_method` and its like) is \
              refused with 400 `query_method_override`, unless the route says `query_method_override = true`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\nname = \"a\"\nmethods = [\"GET\", \"POST\"]\n",
        pointers: &["route[0].methods"],
        unconcerned: "[[route]]\nname = \"a\"\nmethods = [\"GET\"]\n[[route]]\nname = \"b\"\nmethods = [\"POST\"]\nquery_method_override = true\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| {
        Place {
        pointer,
        old: "a parameter such as `_method` is forwarded, and an origin may take another method from it".to_owned(),
        new: "a request that has one is refused, except with GET, HEAD, OPTIONS and TRACE".to_owned(),
        help: "nothing, if no caller sends one; otherwise write `query_method_override = true` where the origin's own reading \
               of the method is safe"
            .to_owned(),
    }
    };
    let is_unsafe = |method: &Value| !matches!(method.as_str(), Some("GET" | "HEAD" | "OPTIONS" | "TRACE"));
    let has_one = |methods: &Value| methods.as_array().is_some_and(|methods| methods.iter().any(is_unsafe));
    let routes = written.routes().into_iter().filter(|route| {
        route.get("methods").is_some_and(has_one) && route.get("query_method_override") != Some(&Value::Bool(true))
    });
    routes.map(|route| place(route.at("methods"))).collect()
}
