//! A published key with any private member is not used.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "private_keys",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a key that is published with a private member other than `d` (`p`, `q`, `dp`, `dq`, `qi`, `oth` or `k`) is not \
              used",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
        pointers: &["issuer.users"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old:
            "a key that is published with such a member verifies tokens, though everybody may know how to sign with it"
                .to_owned(),
        new: "the key is refused, and its tokens with 401 `key_unknown`".to_owned(),
        help: "look at the issuer's keys with `postern keys URL`".to_owned(),
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
