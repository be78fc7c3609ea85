//! `nbf` and `iat` with a fraction of a second are rounded up instead of down.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "fractional_dates",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a token whose `nbf` or `iat` has a fraction of a second is not accepted before that fraction has passed",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
        pointers: &["issuer.users"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

/// Any issuer may write fractions: the policy does not say.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "`nbf` and `iat` are rounded down to a second, so that a token may be used up to a second too early"
            .to_owned(),
        new: "they are rounded up: such a token is refused with `not_yet_valid` or `issued_in_future` until then"
            .to_owned(),
        help: "nothing, if the issuer writes whole seconds; otherwise keep `leeway` at 1 s or more".to_owned(),
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
