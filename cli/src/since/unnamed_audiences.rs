//! A token with an `aud` is refused in a section that names no audience.

use postern::policy::Preset;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "unnamed_audiences",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "in a section without `audience`, a token with an `aud` is refused with `audience_mismatch`; only a section \
              with the preset `cognito` builds without `audience`, which may be `\"any\"`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.a]\npreset = \"okta\"\nclients = [\"c\"]\n[issuer.b]\nclients = [\"c\"]\naudience = []\n\
                    [issuer.c]\npreset = \"cognito\"\nclients = [\"c\"]\n",
        pointers: &["issuer.a", "issuer.b", "issuer.c"],
        unconcerned: "[issuer.a]\naudience = [\"https://api.example\"]\n[issuer.b]\naudience = \"any\"\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let names_none = |audience: Option<&serde_json::Value>| {
        audience.is_none_or(|audience| audience.as_array().is_some_and(Vec::is_empty))
    };
    let issuers = written.issuers().into_iter().filter(|issuer| names_none(issuer.get("audience")));
    let place = |issuer: super::written::Table<'_>| {
        let preset = issuer.text("preset").and_then(Preset::from_name);
        let new = match preset {
            Some(Preset::Cognito) => "a token with an `aud` is refused with 401 `audience_mismatch`",
            _ => "the section does not build",
        };
        let sent = match preset {
            Some(preset) => format!("by default {}", preset.default_audience()),
            None => "`postern inspect` shows that of a token".to_owned(),
        };
        Place {
            pointer: issuer.pointer,
            old: "a token for any API of the issuer is accepted, if its client is".to_owned(),
            new: new.to_owned(),
            help: format!(
                "write `audience = [\"…\"]` with the `aud` of this API's tokens ({sent}), or `audience = \"any\"` to keep \
                 accepting tokens for every API of the issuer"
            ),
        }
    };
    issuers.map(place).collect()
}
