//! `postern check --since VERSION`: the places of a policy whose decisions a newer version changes.
//!
//! Until 1.0 a new version may decide some requests differently under an unchanged policy. Each such change is registered
//! here, so that an operator learns before the upgrade what it means for this policy.
//!
//! # How to add a change
//! 1. Write `cli/src/since/NAME.rs` with one constant `CHANGE`: see `fractional_dates.rs`. `NAME` is also its `code`.
//! 2. Declare the module below and add `&NAME::CHANGE` to [`CHANGES`].
//! 3. Write the change's line into CHANGELOG.md under "Decisions that change": - `code` (direction): summary. Looser changes
//!    come first. A test compares both lists and prints the missing line.
//! 4. Renew `docs/cli.md`: `POSTERN_RENEW=1 cargo test -p postern-cli`.
//!
//! A change looks at the policy as it is written, because a newer version may refuse to build it: see [`Written`].

mod bound_tokens;
mod caller_token;
mod claim_texts;
mod context_audiences;
mod covered_folders;
mod discovered_places;
mod early_clocks;
mod empty_rests;
mod folders;
mod fractional_dates;
mod large_claims;
mod media_types;
mod method_overrides;
mod null_private_members;
mod outages;
mod path_spellings;
mod private_keys;
mod query_grammar;
mod report;
mod request_fields;
mod reserved_fields;
mod scope_texts;
mod separate_shadows;
mod tenant_names;
mod unnamed_audiences;
mod unread_texts;
mod version;
mod written;

pub(crate) use report::Note;
pub(crate) use version::Version;
pub(crate) use written::{Table, Written};

/// Every change of decisions, in any order.
const CHANGES: &[&Change] = &[
    &bound_tokens::CHANGE,
    &caller_token::CHANGE,
    &claim_texts::CHANGE,
    &context_audiences::CHANGE,
    &covered_folders::CHANGE,
    &discovered_places::CHANGE,
    &early_clocks::CHANGE,
    &empty_rests::CHANGE,
    &fractional_dates::CHANGE,
    &large_claims::CHANGE,
    &media_types::CHANGE,
    &method_overrides::CHANGE,
    &null_private_members::CHANGE,
    &outages::CHANGE,
    &path_spellings::CHANGE,
    &private_keys::CHANGE,
    &query_grammar::CHANGE,
    &request_fields::CHANGE,
    &reserved_fields::CHANGE,
    &scope_texts::CHANGE,
    &separate_shadows::CHANGE,
    &tenant_names::CHANGE,
    &unnamed_audiences::CHANGE,
    &unread_texts::CHANGE,
];

/// One change of decisions.
pub(crate) struct Change {
    /// The change's stable name, in lower case with `_`.
    pub(crate) code: &'static str,
    /// The first version that decides in the new way.
    pub(crate) version: Version,
    pub(crate) direction: Direction,
    /// One sentence for the changelog and for the head of each note, in lower case and without a full stop.
    pub(crate) summary: &'static str,
    /// The places of a policy that the change concerns.
    pub(crate) places: fn(&Written<'_>) -> Vec<Place>,
    /// A policy that the change concerns, and one that it does not; a test asks `places` about both.
    #[cfg(test)]
    pub(crate) example: Example,
}

/// Whether the newer version permits more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code, reason = "a version may have changes in one direction only")]
pub(crate) enum Direction {
    /// Some request that was denied is permitted.
    Looser,
    /// Some request that was permitted is denied, or an origin gets less of it.
    Stricter,
}

/// One place of a policy, and what changes there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The place as a fault names it: `issuer.users.audience`, `route[2].path`. Routes count from 0.
    pub(crate) pointer: String,
    /// What the older version decides here.
    pub(crate) old: String,
    /// What the newer version decides here.
    pub(crate) new: String,
    /// What the policy's author does about it.
    pub(crate) help: String,
}

/// The proof that a change finds what it is about.
#[cfg(test)]
pub(crate) struct Example {
    /// A policy in TOML that the change concerns; it may be incomplete.
    pub(crate) concerned: &'static str,
    /// The places that it names there.
    pub(crate) pointers: &'static [&'static str],
    /// A policy in TOML that it does not concern.
    pub(crate) unconcerned: &'static str,
}

impl Direction {
    /// The direction's name in notes, in JSON and in the changelog.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Stricter => "stricter",
        }
    }
}

impl Change {
    /// The change's line in CHANGELOG.md, before it is wrapped.
    #[cfg(test)]
    fn changelog_line(&self) -> String {
        format!("- `{}` ({}): {}.", self.code, self.direction.name(), self.summary)
    }
}

/// The changes after `since`: by version, looser ones first.
fn changes_after(since: Version) -> Vec<&'static Change> {
    let mut changes: Vec<&Change> = CHANGES.iter().copied().filter(|change| change.version > since).collect();
    changes.sort_by_key(|change| (change.version, change.direction));
    changes
}

/// A note for each place of the policy that a change after `since` concerns.
pub(crate) fn notes(since: Version, written: &Written<'_>) -> Vec<Note> {
    let note = |change: &'static Change| (change.places)(written).into_iter().map(move |place| Note { change, place });
    changes_after(since).into_iter().flat_map(note).collect()
}

#[cfg(test)]
mod tests;
