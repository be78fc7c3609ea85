//! The policy and the key seeds that `build.rs` checked and embedded.

use postern::{Policy, cache::KeySeeds, policy::PolicyErrors};

const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.json"));
const SHADOW: &str = include_str!(concat!(env!("OUT_DIR"), "/shadow-policy.json"));
const SEEDS: &str = include_str!(concat!(env!("OUT_DIR"), "/key-seeds.json"));

/// Loads the embedded policy, which checks it again.
///
/// # Errors
/// [`PolicyErrors`], if build and crate do not belong together.
pub fn embedded() -> Result<Policy, PolicyErrors> {
    Policy::from_json(EMBEDDED)
}

/// Loads the policy that is only tried, where the build had one.
///
/// # Errors
/// [`PolicyErrors`], if build and crate do not belong together.
pub fn shadow() -> Result<Option<Policy>, PolicyErrors> {
    if SHADOW.is_empty() { Ok(None) } else { Policy::from_json(SHADOW).map(Some) }
}

/// The issuers' keys as they were when they were sealed; none where the build had none.
#[must_use]
pub fn seeds() -> KeySeeds {
    // Seeds spare a wait. Ones that cannot be read, which the build has ruled out, cost no more than that wait.
    KeySeeds::parse(SEEDS.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_embedded_loads() {
        assert!(super::embedded().is_ok() && super::shadow().is_ok());
        assert!(postern::cache::KeySeeds::parse(super::SEEDS.as_bytes()).is_ok());
    }
}
