//! An isolate that has served nothing, before a Cache API that others have filled: a new isolate in a data centre.
//!
//! Plain workerd has no cache of its own; `wrangler dev` has one, kept in a folder.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{client::Call, port, random, stack::Stack, wait};

/// `wrangler dev` listens after a second or two; this leaves room for a machine under load.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that the caches of several isolates are kept in; removed with this.
#[derive(Debug)]
pub struct DataCentre(PathBuf);

/// The isolate. Dropping it ends it, and leaves the cache.
#[derive(Debug)]
pub struct CachingEdge {
    child: Child,
    address: String,
}

impl DataCentre {
    /// One whose cache is empty.
    pub fn new(stack: &Stack) -> Self {
        Self(stack.logs.with_file_name(random::word("cache")))
    }

    /// A new isolate in it.
    ///
    /// # Panics
    /// When it does not serve in time.
    pub fn isolate(&self, stack: &Stack) -> CachingEdge {
        CachingEdge::start(stack, &self.0)
    }
}

impl CachingEdge {
    /// As `cargo xtask` starts the stack's own, with the same bundle and secrets.
    fn start(stack: &Stack, cache: &Path) -> Self {
        let beside = |name: &str| stack.logs.with_file_name(name);
        let port = port::free();
        let log = File::create(stack.logs.join(random::word("caching-edge") + ".log"));
        let log = log.unwrap_or_else(|error| panic!("no log can be written: {error}"));
        let child = Command::new(&stack.node)
            .arg(stack.node_modules.join("wrangler/bin/wrangler.js"))
            .arg("dev")
            .arg(script(&beside("bundle")))
            .arg("--config")
            .arg(beside("wrangler.json"))
            .args(["--no-bundle", "--ip", "127.0.0.1", "--port", &port.to_string()])
            .args(["--inspector-port", &port::free().to_string(), "--show-interactive-dev-session=false"])
            .arg("--persist-to")
            .arg(cache)
            .arg("--env-file")
            .arg(beside("worker.env"))
            .env("WRANGLER_SEND_METRICS", "false")
            // Beside the cache, and not in the user's home or among the stack's own.
            .env("WRANGLER_LOG_PATH", cache.join("log"))
            .env("WRANGLER_REGISTRY_PATH", cache.join("registry"))
            .env("XDG_CONFIG_HOME", cache.join("config"))
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("node does not run: {error}"));
        let edge = Self { child, address: format!("127.0.0.1:{port}") };
        // The public route needs no keys, so the isolate still knows none.
        wait::until("an isolate serves", PATIENCE, || {
            TcpStream::connect(&edge.address).is_ok() && edge.get("/health").try_send().is_ok_and(|a| a.status() == 200)
        });
        edge
    }

    /// A GET to it.
    pub fn get(&self, target: &str) -> Call {
        Call::new(&format!("http://{}", self.address), "GET", target)
    }
}

/// The bundle's one script.
fn script(bundle: &Path) -> PathBuf {
    let files = fs::read_dir(bundle).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut scripts = files.filter(|path| path.extension().is_some_and(|extension| extension == "js"));
    scripts.next().unwrap_or_else(|| panic!("no script in `{}`", bundle.display()))
}

impl Drop for CachingEdge {
    fn drop(&mut self) {
        // Asked, not killed: killed it would leave its workerd behind.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Drop for DataCentre {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
