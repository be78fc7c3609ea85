//! A scope that is not one is not handed on, and an array in a text is not split into scopes.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "scope_texts",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a scope that RFC 6749 does not allow, such as an item of an array with a space in it, is not handed on, and a \
              text of scopes with a leading `[`, `{` or `\"` is refused with `scopes_ambiguous`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
        pointers: &["issuer.users"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

/// What an issuer writes as scopes, the policy does not say.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| {
        Place {
        pointer,
        old: "an item `a b` of an array reaches origins as the scopes `a` and `b`, and the text `[a b c]` has the scope `b`"
            .to_owned(),
        new: "the item is left out, and the text is refused where a rule needs a scope".to_owned(),
        help: "nothing, if scopes come as RFC 8693 has them or in an array, and no API Gateway writes them as text".to_owned(),
    }
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
