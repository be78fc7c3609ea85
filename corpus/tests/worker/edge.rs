//! One workerd with one Worker, whose clock the test sets and whose every request goes to one server of the test's.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    net::TcpStream,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use postern_e2e::{Call, cold::quoted, port, wait};
use serde_json::Value;

use crate::edges::Edge;

const PATIENCE: Duration = Duration::from_secs(20);
/// The module with the handlers, and the field by which the clock before it is set.
const ENTRY: &str = "cloudflare/worker.mjs";
const CLOCK: &str = "postern-test-clock";

/// A running edge. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Workerd {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Workerd {
    /// Starts the Worker in `folder` with these secrets; everything that it asks goes to `outside`, as to a proxy.
    pub(crate) fn start(
        description: &Value,
        folder: &Path,
        secrets: &[(String, String)],
        outside: &str,
        rewrites: bool,
    ) -> Result<Self> {
        let address = format!("127.0.0.1:{}", port::free());
        let config = folder.join(format!("corpus-{rewrites}.capnp"));
        // It has keys, if only of this run: nobody else's to read.
        let _ = fs::remove_file(&config);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&config)?;
        file.write_all(configuration(description, folder, secrets, (outside, &address), rewrites)?.as_bytes())?;
        let log = folder.join(format!("workerd-{rewrites}.log"));
        let output = File::create(&log)?;
        let child = Command::new(program(description)?)
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("workerd does not start")?;
        let edge = Self { child, address, log };
        wait::until("the edge listens", PATIENCE, || TcpStream::connect(&edge.address).is_ok());
        Ok(edge)
    }
}

impl Edge for Workerd {
    fn call(&self, name: &str, method: &str, target: &str) -> Call {
        Call::new(&format!("http://{}", self.address), method, target).header("cf-ray", name)
    }

    fn set_clock(&self, seconds: u64) {
        self.call("clock", "GET", "/").header(CLOCK, &(seconds * 1000).to_string()).send().expect(204);
    }

    fn log(&self) -> String {
        fs::read(&self.log).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(
    description: &Value,
    folder: &Path,
    secrets: &[(String, String)],
    (outside, address): (&str, &str),
    rewrites: bool,
) -> Result<String> {
    let rewriting = if rewrites { "request = new Request(new URL(request.url).href, request);" } else { "" };
    let clock = format!(
        "import edge from \"./{ENTRY}\";\nlet time = Date.now();\nDate.now = () => time;\nexport default {{\n  \
         fetch(request, env, context) {{\n    const set = request.headers.get(\"{CLOCK}\");\n    \
         if (set === null) {{\n      {rewriting}\n      return edge.fetch(request, env, context);\n    }}\n    time = Number(set);\n    \
         return new Response(null, {{ status: 204 }});\n  }}\n}};"
    );
    let mut modules = vec![format!("(name = \"clock.js\", esModule = {})", quoted(&clock))];
    let mut files = Vec::new();
    collect(folder, Path::new(""), &mut files)?;
    files.sort();
    for file in files {
        let kind = if file.ends_with(".wasm") { "wasm" } else { "esModule" };
        modules.push(format!("(name = {}, {kind} = embed {})", quoted(&file), quoted(&file)));
    }
    let bindings: Vec<String> =
        secrets.iter().map(|(name, value)| format!("(name = {}, text = {})", quoted(name), quoted(value))).collect();
    let flags: Vec<String> =
        description["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(quoted).collect();
    Ok(format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "postern", worker = .postern),
    (name = "outside", external = (address = "{outside}", http = (style = proxy))),
  ],
  sockets = [(name = "http", address = "{address}", http = (), service = "postern")],
);

const postern :Workerd.Worker = (
  modules = [
    {modules},
  ],
  bindings = [{bindings}],
  globalOutbound = "outside",
  compatibilityDate = {date},
  compatibilityFlags = [{flags}],
);
"#,
        modules = modules.join(",\n    "),
        bindings = bindings.join(", "),
        date = quoted(description["date"].as_str().context("no date")?),
        flags = flags.join(", "),
    ))
}

/// The Worker's modules below `folder`, by their paths.
fn collect(folder: &Path, inner: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder.join(inner))? {
        let path = inner.join(entry?.file_name());
        if folder.join(&path).is_dir() {
            collect(folder, &path, files)?;
        } else if path.extension().is_some_and(|kind| ["js", "mjs", "wasm"].iter().any(|own| kind == *own)) {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// The program itself and not the script in front of it, which would outlive a `kill`.
fn program(description: &Value) -> Result<String> {
    let path = |name: &str| description[name].as_str().map(PathBuf::from).with_context(|| format!("no `{name}`"));
    let packages = path("node_modules")?;
    let output = Command::new(path("node")?)
        .args(["--print", "require('workerd').default"])
        .current_dir(packages.join("workerd"))
        .env("NODE_PATH", &packages)
        .output()
        .context("node does not run")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
