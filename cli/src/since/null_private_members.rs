//! A published key whose private members are all `null` is used.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "null_private_members",
    version: Version::V0_2_0,
    direction: Direction::Looser,
    summary: "a published key whose `d` is `null` is used, since that publishes nothing",
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
        old: "a key with `\"d\": null` is refused as a private one, and its tokens with 401 `key_unknown`".to_owned(),
        new: "the key is used".to_owned(),
        help: "nothing".to_owned(),
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
