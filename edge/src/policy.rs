//! The policy and the key seeds that `build.rs` checked and embedded.

use postern::{Policy, cache::KeySeeds, policy::PolicyErrors};

const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.json"));
const SEEDS: &str = include_str!(concat!(env!("OUT_DIR"), "/key-seeds.json"));

/// Loads the embedded policy, which checks it again.
///
/// # Errors
/// [`PolicyErrors`], if build and crate do not belong together.
pub fn embedded() -> Result<Policy, PolicyErrors> {
    Policy::from_json(EMBEDDED)
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
        assert!(super::embedded().is_ok());
        assert!(postern::cache::KeySeeds::parse(super::SEEDS.as_bytes()).is_ok());
    }
}
