//! Where the parts of the running stack are, as `cargo xtask` wrote it down.

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::OnceLock};

use serde::Deserialize;
use serde_json::Value;

use crate::{client::Call, platform::Platform};

/// The variable that names the description.
const VARIABLE: &str = "POSTERN_STACK";

/// The issuer section of external companies.
pub const PARTNERS: &str = "partners";
/// The issuer section of signed-in users.
pub const USERS: &str = "users";

/// The running stack.
#[derive(Clone, Debug, Deserialize)]
pub struct Stack {
    /// The edge that this run is about: the Worker under `wrangler dev`, or the local CloudFront.
    pub edge: String,
    /// The same Worker under plain workerd, which hands it request targets as they came.
    pub plain_workerd: String,
    /// The local CloudFront.
    pub cloudfront: CloudFrontPart,
    /// The functions, without a relay between.
    pub lambda: String,
    /// Where the edge finds each origin: through the relays.
    pub origins: BTreeMap<String, String>,
    /// What steers the stack.
    pub control: String,
    /// The issuer of companies' tokens.
    pub partners: IssuerPart,
    /// The issuer of users' tokens.
    pub users: IssuerPart,
    /// The user pool.
    pub pool: PoolPart,
    /// The `aud` of access tokens.
    pub resource: String,
    /// The origin that the policy's CORS section names.
    pub page: String,
    /// An origin that no policy names.
    pub stranger_page: String,
    /// Assertion keys by origin, each a JWK Set.
    pub keys: BTreeMap<String, Value>,
    /// Node.
    pub node: PathBuf,
    /// Its packages.
    pub node_modules: PathBuf,
    /// A browser, where one is installed.
    pub chromium: Option<PathBuf>,
    /// Every part's log.
    pub logs: PathBuf,
}

/// The local CloudFront and what belongs to it.
#[derive(Clone, Debug, Deserialize)]
pub struct CloudFrontPart {
    /// Where viewers go.
    pub front: String,
    /// What steers it.
    pub control: String,
    /// Function URLs that want AWS's signature.
    pub function_urls: String,
}

/// An issuer.
#[derive(Clone, Debug, Deserialize)]
pub struct IssuerPart {
    /// Its `iss`.
    pub issuer: String,
    /// Its key set.
    pub jwks: String,
    /// The users' client.
    pub client_id: Option<String>,
}

/// The user pool.
#[derive(Clone, Debug, Deserialize)]
pub struct PoolPart {
    /// Its API.
    pub url: String,
    /// Its `iss`.
    pub issuer: String,
    /// The users' client.
    pub client_id: String,
    /// Every user's password.
    pub password: String,
    /// The users' `sub`s by their names.
    pub users: BTreeMap<String, String>,
}

impl Stack {
    /// Whether this process was started for a stack.
    pub fn is_described() -> bool {
        env::var_os(VARIABLE).is_some()
    }

    /// The stack that this process was started for.
    ///
    /// # Panics
    /// When there is none, with the command that starts one.
    pub fn running() -> &'static Self {
        static STACK: OnceLock<Stack> = OnceLock::new();
        STACK.get_or_init(|| {
            let Some(path) = env::var_os(VARIABLE) else {
                panic!("there is no stack to test against ({VARIABLE} is not set): run `cargo xtask test`");
            };
            let path = PathBuf::from(path);
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("`{}`: {error}: run `cargo xtask test`", path.display()));
            let mut stack: Self =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
            if Platform::current().is_cloudfront() {
                stack.edge.clone_from(&stack.cloudfront.front);
            }
            stack
        })
    }

    /// A request to the edge.
    pub fn call(&self, method: &str, target: impl AsRef<[u8]>) -> Call {
        Call::new(&self.edge, method, target)
    }

    /// A GET to the edge.
    pub fn get(&self, target: impl AsRef<[u8]>) -> Call {
        self.call("GET", target)
    }

    /// A POST to the edge, with an empty order.
    pub fn post(&self, target: impl AsRef<[u8]>) -> Call {
        self.call("POST", target).header("content-type", "application/json").body("{}")
    }

    /// A request to an origin that goes round the edge.
    pub fn direct(&self, origin: &str, method: &str, target: impl AsRef<[u8]>) -> Call {
        Call::new(&format!("{}/lambda-url/{origin}", self.lambda), method, target)
    }

    /// The edge in all ways in which it runs, by name: the Worker under both runtimes, or CloudFront.
    pub fn edges(&self) -> Vec<(&'static str, &str)> {
        match Platform::current() {
            Platform::Worker => vec![("wrangler dev", &self.edge), ("plain workerd", &self.plain_workerd)],
            Platform::CloudFront => vec![("CloudFront", &self.edge)],
        }
    }
}
