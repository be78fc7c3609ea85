//! The cases, one file for each theme. What is expected stands beside each request, written by hand from README.md,
//! SECURITY.md and the RFCs; `matrix` alone asks the naive model.

mod attacks;
mod bodies;
mod claims;
mod cors;
mod credentials;
mod forwarding;
mod headers;
mod keys;
mod matrix;
mod methods;
mod permissions;
mod precedence;
mod providers;
mod rests;
mod roles;
mod rules;
mod sections;
mod spellings;
mod targets;
mod tokens;

use std::collections::BTreeMap;

use crate::{case::Corpus, make::worlds};

/// The whole corpus, made anew.
#[must_use]
pub fn corpus() -> Corpus {
    let worlds = worlds::all();
    let themes = [
        ("attacks", attacks::cases()),
        ("bodies", bodies::cases()),
        ("claims", claims::cases()),
        ("cors", cors::cases()),
        ("credentials", credentials::cases()),
        ("forwarding", forwarding::cases()),
        ("headers", headers::cases()),
        ("keys", keys::cases()),
        ("matrix", matrix::cases(&worlds)),
        ("methods", methods::cases()),
        ("permissions", permissions::cases()),
        ("precedence", precedence::cases()),
        ("providers", providers::cases()),
        ("rests_and_shadows", rests::cases()),
        ("roles_and_companies", roles::cases()),
        ("rules", rules::cases()),
        ("sections", sections::cases()),
        ("spellings", spellings::cases()),
        ("targets", targets::cases()),
        ("tokens", tokens::cases()),
    ];
    let themes = themes.into_iter().map(|(name, theme)| (name.to_owned(), theme.cases)).collect::<BTreeMap<_, _>>();
    Corpus { worlds, themes }
}
