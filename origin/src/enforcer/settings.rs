//! An [`Enforcer`] from a function's environment: the policy in its package, its keys in variables.

use std::{
    fs,
    path::{Path, PathBuf},
};

use postern::{Policy, assertion::AssertionKeys, cache::KeySeeds, decision_log::SubjectKey, policy::from_toml};

use super::Enforcer;
use crate::{
    clock::system_time,
    config::{ConfigError, Environment},
    token::keys::Clock,
};

/// The policy's file: checked JSON when it ends in `.json`, else TOML. Without it, `postern.toml` of the function's
/// package.
pub const POLICY: &str = "POSTERN_POLICY";

/// A development overlay's file. It stamps the policy, which then decides only where [`DEVELOPMENT`] is `true`.
pub const OVERLAY: &str = "POSTERN_OVERLAY";

/// Must be `true` where a policy with a development overlay is to decide. No deployment sets it.
pub const DEVELOPMENT: &str = "POSTERN_DEVELOPMENT";

/// The file of issuers' keys that `postern keys seal` wrote; may be left out.
pub const KEY_SEEDS: &str = "POSTERN_KEY_SEEDS";

/// Where Lambda unpacks a function.
const TASK_ROOT: &str = "LAMBDA_TASK_ROOT";
/// The policy's name in a package.
const DEFAULT_POLICY: &str = "postern.toml";

impl Enforcer {
    /// An enforcer of the policy that `environment` names, with the keys that the policy names as variables.
    ///
    /// Of the policy's secrets it wants that of the permissions service, where some issuer's records come from one, and
    /// that of the decision log, where the policy names one; the other origins' are an edge's.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the mend.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Self::configured(policy_of(environment)?, environment, system_time)
    }

    /// The same with a policy and a clock of one's own.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the mend.
    pub fn configured(policy: Policy, environment: &Environment, clock: Clock) -> Result<Self, ConfigError> {
        let keys = assertion_keys(&policy, environment)?;
        let subject_key = subject_key(&policy, environment)?;
        let seeds = seeds(environment)?;
        let enforcer = Self::with_clock(policy, keys, clock).map_err(|error| ConfigError::Invalid {
            variable: "SSL_CERT_FILE".to_owned(),
            problem: error.to_string(),
            mend: "let the function read the platform's trusted certificates",
        })?;
        enforcer.seed(&seeds);
        Ok(match subject_key {
            Some(key) => enforcer.with_subject_key(key),
            None => enforcer,
        })
    }
}

/// The policy that `environment` names, checked. One with an overlay only where development is meant.
///
/// # Errors
/// [`ConfigError`] names the variable and the mend.
pub fn policy_of(environment: &Environment) -> Result<Policy, ConfigError> {
    const MEND: &str = "put the policy into the package as `postern.toml`, or set it to the path of one";
    let path = environment.optional(POLICY).map_or_else(|| default_path(environment), PathBuf::from);
    let text = read(&path, POLICY, MEND)?;
    let overlay = match environment.optional(OVERLAY) {
        Some(path) => Some(read(Path::new(&path), OVERLAY, "set it to the overlay's path, or leave it out")?),
        None => None,
    };
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let policy = match (is_json, &overlay) {
        (true, None) => Policy::from_json(&text),
        (true, Some(_)) => {
            return Err(invalid(OVERLAY, "an overlay is for a policy in TOML", "name the TOML, or none"));
        }
        (false, overlay) => from_toml(&text, overlay.as_deref()),
    }
    .map_err(|errors| invalid(POLICY, &errors.to_string(), "mend the policy: `postern check` shows where"))?;
    if policy.is_development() && environment.optional(DEVELOPMENT).as_deref() != Some("true") {
        return Err(invalid(OVERLAY, "a policy with a development overlay serves nothing here", "deploy without it"));
    }
    Ok(policy)
}

/// In the package that Lambda unpacked, or beside the executable.
fn default_path(environment: &Environment) -> PathBuf {
    let root = environment.optional(TASK_ROOT).map(PathBuf::from);
    let beside = || std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
    root.or_else(beside).unwrap_or_default().join(DEFAULT_POLICY)
}

/// The keys for the permissions service, in the variable that the policy names.
pub(crate) fn assertion_keys(policy: &Policy, environment: &Environment) -> Result<Option<AssertionKeys>, ConfigError> {
    const MEND: &str = "set it to the JWK set that the permissions service trusts, as `postern assertion-key` makes it";
    let Some(service) = policy.permissions() else { return Ok(None) };
    if service.wants_signature() {
        let problem = "`auth_type` asks for signed requests, which this function does not make";
        return Err(invalid(POLICY, problem, "give the permissions service a URL that takes the assertion alone"));
    }
    // A policy whose permissions service has no key does not build.
    let Some(name) = service.key() else { return Ok(None) };
    let text = environment.required(name, MEND)?;
    let keys = AssertionKeys::from_json(&text).map_err(|error| invalid(name, &error.to_string(), MEND))?;
    Ok(Some(keys))
}

fn subject_key(policy: &Policy, environment: &Environment) -> Result<Option<SubjectKey>, ConfigError> {
    const MEND: &str = "set it to 32 or more random characters, or take `subject_key` out of the policy";
    let Some(name) = &policy.log().subject_key else { return Ok(None) };
    let text = environment.required(name, MEND)?;
    SubjectKey::new(&text).map(Some).map_err(|error| invalid(name, &error.to_string(), MEND))
}

fn seeds(environment: &Environment) -> Result<KeySeeds, ConfigError> {
    const MEND: &str = "set it to the file that `postern keys seal` wrote, or leave it out";
    let Some(path) = environment.optional(KEY_SEEDS) else { return Ok(KeySeeds::default()) };
    let text = read(Path::new(&path), KEY_SEEDS, MEND)?;
    KeySeeds::parse(text.as_bytes()).map_err(|_| invalid(KEY_SEEDS, "these are no key seeds", MEND))
}

fn read(path: &Path, variable: &str, mend: &'static str) -> Result<String, ConfigError> {
    // The kind alone: a path may be somebody's business, and is in the variable.
    fs::read_to_string(path).map_err(|error| invalid(variable, &error.kind().to_string(), mend))
}

fn invalid(variable: &str, problem: &str, mend: &'static str) -> ConfigError {
    ConfigError::Invalid { variable: variable.to_owned(), problem: problem.to_owned(), mend }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../postern.toml");
    const KEYS: &str = r#"{"keys":[{"kty":"oct","kid":"1","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}"#;
    const LOOPBACK: &str = "[origin.vouchers]\nurl = \"http://127.0.0.1:1\"\n";

    /// A folder of files, and an environment that names them.
    struct Package(PathBuf);

    impl Package {
        fn of(files: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("postern-enforcer-{}", uuid::Uuid::new_v4()));
            fs::create_dir_all(&folder).unwrap();
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
            Self(folder)
        }

        fn enforcer(&self, variables: &[(&str, &str)]) -> Result<Enforcer, ConfigError> {
            let path = |name: &str| self.0.join(name).display().to_string();
            let mut set = vec![(TASK_ROOT.to_owned(), self.0.display().to_string())];
            for (variable, value) in variables {
                let is_file = [POLICY, OVERLAY, KEY_SEEDS].contains(variable);
                set.push(((*variable).to_owned(), if is_file { path(value) } else { (*value).to_owned() }));
            }
            let look_up = move |name: &str| set.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            Enforcer::from_environment(&Environment::from_fn(look_up))
        }
    }

    impl Drop for Package {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const KEY: (&str, &str) = ("POSTERN_KEY_PERMISSIONS", KEYS);

    #[test]
    fn the_policy_of_the_package_decides_in_either_form() {
        let checked = from_toml(EXAMPLE, None).unwrap();
        let package = Package::of(&[("postern.toml", EXAMPLE), ("policy.json", checked.to_json())]);
        for variables in [&[KEY][..], &[KEY, (POLICY, "postern.toml")], &[KEY, (POLICY, "policy.json")]] {
            assert_eq!(package.enforcer(variables).unwrap().policy().version(), checked.version());
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_variable_and_never_shown() {
        let package = Package::of(&[
            ("postern.toml", EXAMPLE),
            ("policy.json", "{}"),
            ("overlay.toml", LOOPBACK),
            ("seeds.json", "[]"),
        ]);
        for (variables, variable) in [
            (&[][..], "POSTERN_KEY_PERMISSIONS"),
            (&[("POSTERN_KEY_PERMISSIONS", "hunter2")], "POSTERN_KEY_PERMISSIONS"),
            (&[KEY, (POLICY, "policy.json")], POLICY),
            (&[KEY, (POLICY, "absent.toml")], POLICY),
            (&[KEY, (OVERLAY, "absent.toml")], OVERLAY),
            (&[KEY, (POLICY, "policy.json"), (OVERLAY, "overlay.toml")], OVERLAY),
            (&[KEY, (KEY_SEEDS, "seeds.json")], KEY_SEEDS),
        ] {
            let error = package.enforcer(variables).unwrap_err().to_string();
            assert!(error.contains(&format!("`{variable}`")), "{variable}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_policy_with_an_overlay_decides_only_where_development_is_meant() {
        let package = Package::of(&[("postern.toml", EXAMPLE), ("overlay.toml", LOOPBACK)]);
        let overlay = (OVERLAY, "overlay.toml");
        for said in ["", "1", "TRUE"] {
            let error = package.enforcer(&[KEY, overlay, (DEVELOPMENT, said)]).unwrap_err().to_string();
            assert!(error.contains(OVERLAY), "{error}");
        }
        assert!(package.enforcer(&[KEY, overlay, (DEVELOPMENT, "true")]).unwrap().policy().is_development());
    }

    #[test]
    fn the_log_hashes_subjects_with_the_secret_that_the_policy_names() {
        let policy = format!("{EXAMPLE}\n[log]\nsubject_key = \"POSTERN_SUBJECTS\"\n");
        let package = Package::of(&[("postern.toml", policy.as_str())]);
        for (secret, does) in [("", false), ("short", false), ("0123456789abcdef0123456789abcdef", true)] {
            let built = package.enforcer(&[KEY, ("POSTERN_SUBJECTS", secret)]);
            assert_eq!(built.is_ok(), does, "{secret}");
        }
    }
}
