//! A record stands in for the permissions service only during an outage.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "outages",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "an old record stands in for the permissions service only after three failures in a row over ten seconds; until \
              then, and after 429 or a refusal, the answer is 503",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\nname = \"a\"\npermissions_stale_if_error = \"1m\"\n[[route]]\nname = \"b\"\n",
        pointers: &["route[0].permissions_stale_if_error"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "an old record decides after one failed question, whatever made it fail".to_owned(),
        new:
            "it decides only after three failures in a row over ten seconds (no connection, no answer in time or 5xx); \
              until then the answer is 503, and so it is while the service answers 429, 401, 403 or another 4xx"
                .to_owned(),
        help: "expect 503 in the first ten seconds of an outage; look for `permissions_misconfigured` in the log"
            .to_owned(),
    };
    let name = "permissions_stale_if_error";
    let default = written.get("defaults").filter(|defaults| defaults.get(name).is_some());
    let routes = written.routes().into_iter().filter(|route| route.get(name).is_some()).map(|route| route.at(name));
    default.map(|_| format!("defaults.{name}")).into_iter().chain(routes).map(place).collect()
}
