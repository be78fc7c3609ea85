//! A token that is bound to its sender is refused.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "bound_tokens",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a token with `cnf` is refused with `sender_constrained`, because the binding to its sender cannot be checked",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
        pointers: &["issuer.users"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

/// Any issuer may bind tokens: the policy does not say.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "`cnf` is ignored: a token that is bound to a key (DPoP) or a certificate (mTLS) is accepted from anyone"
            .to_owned(),
        new: "such a token is refused with 401 `sender_constrained`".to_owned(),
        help: "nothing, if the issuer gives bearer tokens; otherwise have it issue tokens without `cnf` for this API"
            .to_owned(),
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
