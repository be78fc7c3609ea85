//! A text that cannot be read matters only where a rule needs it.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written, claim_texts};

pub(super) const CHANGE: Change = Change {
    code: "unread_texts",
    version: Version::V0_2_0,
    direction: Direction::Looser,
    summary: "a token whose companies are a text that cannot be read is refused only where a rule needs them, and no longer \
              with `claims_malformed` on every route",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.a]\npermissions = \"claims\"\n",
        pointers: &["issuer.a"],
        unconcerned: "[issuer.a]\npermissions = \"service\"\n[issuer.b]\npermissions = \"subject\"\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "a token whose companies are a text with commas, quotes or broken JSON is refused with 401 on every route"
            .to_owned(),
        new: "it is accepted on routes whose rules need neither company nor role".to_owned(),
        help: "nothing: such a route asks nothing that this claim could tell".to_owned(),
    };
    claim_texts::readers(written).map(|issuer| place(issuer.pointer)).collect()
}
