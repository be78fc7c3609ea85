//! A clock that is earlier than the engine's release decides nothing.

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "early_clocks",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "while the clock is before the release of this version, every request is answered with 503 `unconfigured`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[issuer.users]\nurl = \"https://issuer.example\"\n",
        pointers: &["issuer.users"],
        unconcerned: "[[route]]\nname = \"health\"\npublic = true\n",
    },
};

/// Where expired tokens would be valid again. Public routes are answered with 503 too, which harms nobody more.
fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| Place {
        pointer,
        old: "by a clock that lies in the past, tokens that have expired since are accepted".to_owned(),
        new: "such a clock is answered with 503 `unconfigured`, on public routes too".to_owned(),
        help: "nothing where clocks are synchronised; `--now` of the command is exempt".to_owned(),
    };
    written.issuers().into_iter().map(|issuer| place(issuer.pointer)).collect()
}
