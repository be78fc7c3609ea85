//! A `jwks_uri` of an issuer's metadata is asked only at a public address.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "discovered_places",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "natively, keys at a `jwks_uri` that only the issuer's metadata names are fetched only from a public address",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.a]\nurl = \"https://a.example\"\n[issuer.b]\nalgorithms = [\"RS256\"]\n",
        pointers: &["issuer.a", "issuer.b"],
        unconcerned: "[issuer.a]\njwks_url = \"https://a.example/keys\"\n[issuer.b]\npreset = \"okta\"\n",
    },
};

/// Only these sections are asked by discovery: a preset knows where its keys are.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| {
        Place {
        pointer,
        old: "a `jwks_uri` of the issuer's metadata is fetched wherever its host leads, also into the own network".to_owned(),
        new: "if its host is not the issuer's own, native drivers and the command connect to public addresses only; while \
              the keys cannot be had, requests are answered with 503 `keys_unavailable`"
            .to_owned(),
        help: "if the keys are on another host inside your network, name it with `jwks_url`".to_owned(),
    }
    };
    let issuers = written.issuers().into_iter();
    issuers
        .filter(|issuer| issuer.get("jwks_url").is_none() && issuer.get("preset").is_none())
        .map(|issuer| place(issuer.pointer))
        .collect()
}
