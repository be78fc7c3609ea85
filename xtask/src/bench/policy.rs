//! The one policy that is measured, `bench/policy.toml`, with an origin of each kind; and where it is, on the loopback
//! interface.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::paths::Paths;
use crate::ports::url;

/// What the origin verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verifies {
    /// The caller's token: the edge decides and sets the route's name.
    Token,
    /// The edge's assertion, signed anew for each request.
    Assertion,
}

/// The policy's text.
pub(super) fn text(paths: &Paths, verifies: Verifies) -> Result<String> {
    let path = paths.bench().join("policy.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    with(&text, verifies)
}

fn with(text: &str, verifies: Verifies) -> Result<String> {
    let key = "key = \"POSTERN_KEY_ORDERS\"";
    ensure!(text.matches(key).count() == 1, "the bench's policy has no `{key}`, or more than one");
    Ok(match verifies {
        Verifies::Token => text.replace(key, "verifies = \"token\""),
        Verifies::Assertion => text.to_owned(),
    })
}

/// The overlay that points the policy at the machine itself.
pub(super) fn overlay(issuer: u16, origin: u16) -> String {
    let (issuer, origin) = (url(issuer), url(origin));
    format!(
        "# Written by `cargo xtask bench`.\n[issuer.users]\nurl = \"{issuer}\"\njwks_url = \"{issuer}/jwks\"\n\n\
         [origin.orders]\nurl = \"{origin}\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_policies_hold() {
        let file = include_str!("../../../bench/policy.toml");
        for verifies in [Verifies::Token, Verifies::Assertion] {
            let text = with(file, verifies).expect("a policy");
            let path = std::env::temp_dir().join(format!("postern-bench-{verifies:?}-{}.toml", std::process::id()));
            let other = path.with_extension("overlay.toml");
            fs::write(&path, &text).and_then(|()| fs::write(&other, overlay(1, 2))).expect("files");
            let inputs = postern_embed::Inputs { policy: path, overlay: Some(other), ..Default::default() };
            let embedded = postern_embed::embed(&inputs, postern_embed::Host::Workers).expect("a policy that holds");
            assert_eq!(embedded.policy_json().contains("POSTERN_KEY_ORDERS"), verifies == Verifies::Assertion);
            for file in inputs.files() {
                fs::remove_file(file).expect("the file");
            }
        }
    }
}
