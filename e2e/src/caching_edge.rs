//! An isolate that has served nothing, before a Cache API that others have filled: a new isolate in a data centre.
//!
//! Plain workerd has no cache of its own; the engine of `wrangler dev` has one, kept in a folder.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use serde_json::{Map, Value, json};

use crate::{client::Call, random, stack::Stack};

/// A folder that the caches of several isolates are kept in; removed with this.
#[derive(Debug)]
pub struct DataCentre(std::path::PathBuf);

/// The isolate. Dropping it ends it, and leaves the cache.
#[derive(Debug)]
pub struct CachingEdge {
    child: Child,
    /// Closing it ends the program.
    standard_input: Option<ChildStdin>,
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
    /// When it does not start.
    pub fn isolate(&self, stack: &Stack) -> CachingEdge {
        CachingEdge::start(stack, &self.0)
    }
}

impl CachingEdge {
    fn start(stack: &Stack, cache: &Path) -> Self {
        let mut bindings: Map<String, Value> = stack
            .keys
            .iter()
            .map(|(origin, keys)| {
                (format!("POSTERN_KEY_{}", origin.replace('-', "_").to_uppercase()), json!(keys.to_string()))
            })
            .collect();
        bindings.insert("POSTERN_DEVELOPMENT".into(), json!("true"));
        let configuration = json!({
            "bundle": stack.logs.with_file_name("bundle"),
            "bindings": bindings,
            "cache": cache,
            "date": compatibility_date(),
            "modules": stack.node_modules,
        });
        let mut child = Command::new(&stack.node)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/caching/edge.mjs"))
            .arg(configuration.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("node does not run: {error}"));
        let standard_input = child.stdin.take();
        let mut address = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut address);
        }
        let edge = Self { child, standard_input, address: address.trim().to_owned() };
        assert!(edge.address.starts_with("http://"), "the edge does not listen: `{}`", edge.address);
        edge
    }

    /// A GET to it.
    pub fn get(&self, target: &str) -> Call {
        Call::new(&self.address, "GET", target)
    }
}

/// The Worker's own, as `wrangler.toml` says it.
fn compatibility_date() -> String {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../wrangler.toml")).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix("compatibility_date = ")).unwrap_or_default();
    value.trim_matches('"').to_owned()
}

impl Drop for CachingEdge {
    fn drop(&mut self) {
        drop(self.standard_input.take());
        let _ = self.child.wait();
    }
}

impl Drop for DataCentre {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
