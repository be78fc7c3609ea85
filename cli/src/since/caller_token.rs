//! An origin that verifies assertions no longer gets the caller's token.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "caller_token",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "an origin that verifies assertions gets no `Authorization`, unless its section says `token = \"forwarded\"`, \
              and on public routes only if the route says so too",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[origin.a]\nurl = \"https://a.example\"\n[origin.b]\nverifies = \"assertion\"\n",
        pointers: &["origin.a", "origin.b"],
        unconcerned: "[origin.a]\nverifies = \"token\"\n[origin.b]\nauth_type = \"AWS_IAM\"\n[origin.c]\ntoken = \"forwarded\"\n",
    },
};

/// Where requests are signed, the signature was in the token's place before.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "the origin gets the caller's `Authorization` next to the assertion".to_owned(),
        new: "it gets the assertion alone: what one origin receives must open nothing at another".to_owned(),
        help: "nothing, if the origin goes by the assertion; otherwise write `token = \"forwarded\"` in this section"
            .to_owned(),
    };
    let origins = written.origins().into_iter();
    origins
        .filter(|origin| origin.text("verifies") != Some("token") && origin.get("token").is_none())
        .filter(|origin| origin.text("auth_type") != Some("AWS_IAM"))
        .map(|origin| place(origin.pointer))
        .collect()
}
