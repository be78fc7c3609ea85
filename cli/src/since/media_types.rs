//! `token_type` and a token's `typ` are compared as the media types that they name.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "media_types",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "a `token_type` that is a media type outside of `application/` no longer matches a `typ` with `application/` \
              before it",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.a]\ntoken_type = \"text/x\"\n[issuer.b]\ntoken_type = \"Application/text/x\"\n",
        pointers: &["issuer.a.token_type", "issuer.b.token_type"],
        unconcerned: "[issuer.a]\ntoken_type = \"at+jwt\"\n[issuer.b]\ntoken_type = \"application/at+jwt\"\n[issuer.c]\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "`application/` is cut off on both sides before `token_type` and `typ` are compared".to_owned(),
        new: "RFC 7515 §4.1.9: only a value without a `/` is read with `application/` before it".to_owned(),
        help: "write the very `typ` that the issuer's access tokens have".to_owned(),
    };
    let differs = |token_type: &str| {
        let lower = token_type.to_ascii_lowercase();
        lower.strip_prefix("application/").unwrap_or(&lower).contains('/')
    };
    let issuers = written.issuers().into_iter();
    let concerned = issuers.filter(|issuer| issuer.text("token_type").is_some_and(differs));
    concerned.map(|issuer| place(issuer.at("token_type"))).collect()
}
