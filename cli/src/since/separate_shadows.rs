//! What is only tried shares no cache with what is enforced.

use serde_json::Value;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "separate_shadows",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a shadow route or policy shares no verified tokens, keys and permissions with what is enforced",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\nname = \"tried\"\nshadow = true\n",
        pointers: &["route[0].shadow"],
        unconcerned: "[[route]]\nname = \"health\"\nshadow = false\n",
    },
};

/// A shadow policy is a file of its own, which names no place here.
fn places(written: &Written<'_>) -> Vec<Place> {
    let shadows =
        written.routes().into_iter().filter(|route| route.get("shadow").and_then(Value::as_bool) == Some(true));
    let place = |pointer: String| {
        Place {
        pointer,
        old: "a question that failed for the shadow could keep an old record of permissions in use where routes are enforced"
            .to_owned(),
        new: "the shadow asks for keys and permissions by itself, and enforced decisions are those without it".to_owned(),
        help: "expect up to twice the requests at the issuer and the permissions service, or set `shadow` under `[log]`"
            .to_owned(),
    }
    };
    shadows.map(|route| place(route.at("shadow"))).collect()
}
