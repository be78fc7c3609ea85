//! A token lists a bounded number of scopes, companies and roles, and a claim that a route looks at has a bounded size.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "large_claims",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a token with more than 1,024 scopes, companies or roles, or with a claim over 8 KiB, is refused by routes whose \
              rules look at that claim",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
        pointers: &["issuer.users"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| {
        Place {
        pointer,
        old: "a claim may be as large as the token".to_owned(),
        new: "a rule that looks at a list of more than 1,024 names refuses with 403 `too_many_scopes`, `too_many_companies` or \
              `too_many_roles`, `require` refuses a claim over 8 KiB with 403 `claim_too_large`, and an origin is not told \
              of such a claim"
            .to_owned(),
        help: "have the issuer list what this API needs, or use `permissions = \"service\"`".to_owned(),
    }
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
