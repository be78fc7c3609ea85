//! The policy and the key seeds that `build.rs` checked and embedded.

use std::sync::OnceLock;

use postern::{Authorizer, Policy, cache::KeySeeds, policy::PolicyErrors};

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

/// What was embedded, read.
#[derive(Debug)]
pub struct Prepared {
    /// Decides.
    pub authorizer: Authorizer,
    /// By a policy that is only tried, where the build had one.
    pub shadow: Option<Authorizer>,
    /// The issuers' keys as they were when they were sealed; none where the build had none.
    pub seeds: KeySeeds,
}

static PREPARED: OnceLock<Result<Prepared, PolicyErrors>> = OnceLock::new();

/// Reads what is embedded, which checks it again; whether all of it can be used. A Worker's build runs this and keeps
/// what the memory then holds, so that no isolate has to.
pub fn prepare() -> bool {
    PREPARED.get_or_init(read).is_ok()
}

/// What [`prepare`] has read; `None` in a module in which it never ran.
#[must_use]
pub fn prepared() -> Option<&'static Prepared> {
    PREPARED.get()?.as_ref().ok()
}

fn read() -> Result<Prepared, PolicyErrors> {
    let shadow = if SHADOW.is_empty() { None } else { Some(Authorizer::new(Policy::from_json(SHADOW)?)) };
    // Seeds spare a wait. Ones that cannot be read, which the build has ruled out, cost no more than that wait.
    let seeds = KeySeeds::parse(SEEDS.as_bytes()).unwrap_or_default();
    Ok(Prepared { authorizer: Authorizer::new(Policy::from_json(EMBEDDED)?), shadow, seeds })
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
    fn what_is_embedded_is_there_once_it_was_read() {
        assert!(super::prepared().is_none());
        assert!(super::prepare());
        let prepared = super::prepared().unwrap();
        assert_eq!(prepared.authorizer.policy().to_json(), super::EMBEDDED);
        assert_eq!(prepared.shadow.is_some(), !super::SHADOW.is_empty());
        assert!(postern::cache::KeySeeds::parse(super::SEEDS.as_bytes()).is_ok());
    }
}
