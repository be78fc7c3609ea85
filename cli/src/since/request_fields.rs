//! More fields of a caller's do not reach an origin.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "request_fields",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a caller's fields reach an origin neither in a family by which some server takes another method, scheme, host, \
              path or address (`X-Forwarded-*`, `X-Original-*` and more), nor with names that servers fold",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[origin.a]\nurl = \"https://a.example\"\n",
        pointers: &["origin.a"],
        unconcerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
    },
};

/// Any origin may read such a field: the policy does not say.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| {
        Place {
        pointer,
        old: "ten names are removed, and a caller's `X-Forwarded-For`, `X-Real-IP` and fields with `_` in their names arrive"
            .to_owned(),
        new: "whole families are removed, and every field whose name has another character than letters, digits and `-`; \
              `X-Forwarded-Host`, `-Proto` and `-For` say what the platform knows"
            .to_owned(),
        help: "list a field with `_` or another such character in `request_headers` of this section, if the origin reads it"
            .to_owned(),
    }
    };
    written.origins().into_iter().map(|origin| place(origin.pointer)).collect()
}
