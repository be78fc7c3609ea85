//! The policy that `build.rs` checked and embedded.

use postern::{Policy, policy::PolicyErrors};

const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.json"));

/// Loads the embedded policy, which checks it again.
///
/// # Errors
/// [`PolicyErrors`], if build and crate do not belong together.
pub fn embedded() -> Result<Policy, PolicyErrors> {
    Policy::from_json(EMBEDDED)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_embedded_loads() {
        assert!(super::embedded().is_ok());
    }
}
