//! The policy and the key seeds that `build.rs` checked and embedded.

use postern::{Policy, cache::KeySeeds, policy::PolicyErrors};

const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.json"));
const SHADOW: &str = include_str!(concat!(env!("OUT_DIR"), "/shadow-policy.json"));
const SEEDS: &str = include_str!(concat!(env!("OUT_DIR"), "/key-seeds.json"));

/// The variable that must be `true` where a build with a development overlay runs. No deployment sets it, and Lambda@Edge
/// takes none, so that such a build serves nothing should it ever be deployed.
const DEVELOPMENT: &str = "POSTERN_DEVELOPMENT";

/// Whether `policy` is a development build's where none is to run; `variable` gives the text of the platform's variable of
/// a name.
#[must_use]
pub fn is_misplaced(policy: &Policy, variable: impl Fn(&str) -> Option<String>) -> bool {
    policy.is_development() && variable(DEVELOPMENT).as_deref() != Some("true")
}

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
    fn a_development_build_runs_only_where_the_variable_says_true() {
        let example = include_str!("../../postern.toml");
        let overlay = "[origin.vouchers]\nurl = \"http://127.0.0.1:1\"\n";
        let deployed = postern::policy::from_toml(example, None).unwrap();
        let stamped = postern::policy::from_toml(example, Some(overlay)).unwrap();
        for said in [None, Some(""), Some("1"), Some("TRUE")] {
            assert!(super::is_misplaced(&stamped, |_| said.map(str::to_owned)), "{said:?}");
            assert!(!super::is_misplaced(&deployed, |_| said.map(str::to_owned)), "{said:?}");
        }
        let says_true = |name: &str| (name == "POSTERN_DEVELOPMENT").then(|| "true".to_owned());
        assert!(!super::is_misplaced(&stamped, says_true));
    }

    #[test]
    fn what_is_embedded_loads() {
        assert!(super::embedded().is_ok() && super::shadow().is_ok());
        assert!(postern::cache::KeySeeds::parse(super::SEEDS.as_bytes()).is_ok());
    }
}
