//! More names of fields cannot be used in a policy.

use postern::forward::{Class, class};
use serde_json::Value;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "reserved_fields",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a policy does not build if `company` or `headers` of a route names a field that no longer reaches an origin, such \
              as `x-real-ip`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\ncompany = { header = \"x-client-ip\" }\n[[route]]\nheaders.x-remote-user = \"sub\"\n",
        pointers: &["route[0].company", "route[1].headers.x-remote-user"],
        unconcerned: "[[route]]\ncompany = { header = \"x-company\" }\nheaders.x-tier = \"tier\"\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "the policy builds with this field".to_owned(),
        new: "it does not: callers' fields of this family are removed, since some server takes more from them"
            .to_owned(),
        help: "use a name of your own, such as `x-user-email`".to_owned(),
    };
    let is_reserved = |name: &str| class(name) == Some(Class::Override);
    let mut found = Vec::new();
    for route in written.routes() {
        let company = route.get("company").and_then(|company| company.get("header")).and_then(Value::as_str);
        if company.is_some_and(is_reserved) {
            found.push(place(route.at("company")));
        }
        let headers = route.get("headers").and_then(Value::as_object).into_iter().flatten();
        found.extend(
            headers.filter(|(name, _)| is_reserved(name)).map(|(name, _)| place(route.at(&format!("headers.{name}")))),
        );
    }
    found
}
