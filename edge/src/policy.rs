//! The policy and the key seeds that a Worker's build has read into the module's memory.
//!
//! The module itself is the same for every policy. Its build calls [`room`], writes the configuration there, calls
//! [`prepare`], and keeps the memory as the module's data: `xtask/src/snapshot.rs`.

use std::sync::{Mutex, OnceLock, PoisonError};

use postern::{Authorizer, Policy, cache::KeySeeds};

use crate::config::{Config, ConfigError};

/// The variable that must be `true` where a build with a development overlay runs. No deployment sets it, and Lambda@Edge
/// takes none, so that such a build serves nothing should it ever be deployed.
const DEVELOPMENT: &str = "POSTERN_DEVELOPMENT";

/// Whether `policy` is a development build's where none is to run; `variable` gives the text of the platform's variable of
/// a name.
#[must_use]
pub fn is_misplaced(policy: &Policy, variable: impl Fn(&str) -> Option<String>) -> bool {
    policy.is_development() && variable(DEVELOPMENT).as_deref() != Some("true")
}

/// The variable that says which platform runs the Worker, and what it says at Cloudflare. The `wrangler.toml` that is
/// deployed sets it.
const PLATFORM: &str = "POSTERN_PLATFORM";
const CLOUDFLARE: &str = "cloudflare";

/// Whether Cloudflare runs the Worker. Then `CF-Connecting-IP` is the address that a request came from; in `wrangler dev`,
/// which reads the same file, and in plain workerd it is whatever the caller says.
#[must_use]
pub fn is_at_cloudflare(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable(PLATFORM).as_deref() == Some(CLOUDFLARE) && variable(DEVELOPMENT).is_none()
}

/// A configuration, read.
#[derive(Debug)]
pub struct Prepared {
    /// Decides.
    pub authorizer: Authorizer,
    /// By a policy that is only tried, where the build had one.
    pub shadow: Option<Authorizer>,
    /// The issuers' keys as they were when they were sealed; none where the build had none.
    pub seeds: KeySeeds,
}

static ROOM: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static PREPARED: OnceLock<Result<Prepared, ConfigError>> = OnceLock::new();

/// Makes room for a configuration of `length` octets and returns its address. For a build, which writes into the
/// module's memory from outside.
pub fn room(length: usize) -> usize {
    let mut room = ROOM.lock().unwrap_or_else(PoisonError::into_inner);
    *room = vec![0; length];
    room.as_mut_ptr().expose_provenance()
}

/// Reads what was written to [`room`]: the text that `postern_embed::Embedded::to_config` writes. Checks it again, and
/// returns whether it can be used. Only the first call reads.
pub fn prepare() -> bool {
    let mut octets = std::mem::take(&mut *ROOM.lock().unwrap_or_else(PoisonError::into_inner));
    let is_usable = PREPARED.get_or_init(|| read(&octets)).is_ok();
    // The memory is kept as data. A text that nobody reads again would only make the module larger.
    octets.fill(0);
    std::hint::black_box(&octets);
    is_usable
}

/// What [`prepare`] has read; `None` in a module in which it never ran.
#[must_use]
pub fn prepared() -> Option<&'static Prepared> {
    PREPARED.get()?.as_ref().ok()
}

fn read(octets: &[u8]) -> Result<Prepared, ConfigError> {
    let text = std::str::from_utf8(octets).map_err(|_| ConfigError::Shape("config.json"))?;
    let Config { policy, shadow, seeds } = Config::parse(text)?;
    Ok(Prepared {
        authorizer: Authorizer::new(policy),
        shadow: shadow.map(|tried| Authorizer::new(tried).only_tried()),
        seeds,
    })
}

#[cfg(test)]
mod tests {
    use postern::Purpose;

    fn example() -> postern::Policy {
        postern::policy::from_toml(include_str!("../../postern.toml"), None).unwrap()
    }

    #[test]
    fn only_cloudflare_vouches_for_an_address() {
        for (platform, development, expected) in [
            (Some("cloudflare"), None, true),
            (Some("cloudflare"), Some("true"), false),
            (Some("workerd"), None, false),
            (None, None, false),
        ] {
            let variable =
                |name: &str| if name == "POSTERN_PLATFORM" { platform } else { development }.map(str::to_owned);
            assert_eq!(super::is_at_cloudflare(variable), expected, "{platform:?} {development:?}");
        }
    }

    #[test]
    fn a_development_build_runs_only_where_the_variable_says_true() {
        let overlay = "[origin.vouchers]\nurl = \"http://127.0.0.1:1\"\n";
        let deployed = example();
        let stamped = postern::policy::from_toml(include_str!("../../postern.toml"), Some(overlay)).unwrap();
        for said in [None, Some(""), Some("1"), Some("TRUE")] {
            assert!(super::is_misplaced(&stamped, |_| said.map(str::to_owned)), "{said:?}");
            assert!(!super::is_misplaced(&deployed, |_| said.map(str::to_owned)), "{said:?}");
        }
        let says_true = |name: &str| (name == "POSTERN_DEVELOPMENT").then(|| "true".to_owned());
        assert!(!super::is_misplaced(&stamped, says_true));
    }

    #[test]
    fn a_configuration_is_usable_once_it_was_read() {
        let policy = example();
        let seeds = "{}";
        let config = serde_json::json!({ "policy": policy.to_json(), "shadow": policy.to_json(), "seeds": seeds });
        let prepared = super::read(config.to_string().as_bytes()).unwrap();
        assert_eq!(prepared.authorizer.policy().to_json(), policy.to_json());
        assert_eq!(prepared.authorizer.purpose(), Purpose::Enforce);
        assert_eq!(prepared.shadow.map(|shadow| shadow.purpose()), Some(Purpose::Try));
        for unusable in [&b""[..], b"{}", b"\xff"] {
            assert!(super::read(unusable).is_err(), "{unusable:?}");
        }
    }

    #[test]
    fn nothing_is_prepared_where_no_configuration_was_written() {
        assert!(super::prepared().is_none());
        assert_ne!(super::room(16), 0);
        assert!(!super::prepare());
        assert!(super::prepared().is_none());
    }
}
