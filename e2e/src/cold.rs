//! A cold isolate: the bundle that the stack serves, under a workerd of the test's own, that knows no key and no
//! permissions yet; if need be with other secrets than the stack's.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    net::TcpStream,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use postern::UnixTime;

use crate::{client::Call, cloudfront::CloudFront, platform::Platform, port, random, stack::Stack, wait};

/// A workerd starts in well under a second; this leaves room for a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);

/// The field by which a test sets the clock of an edge that has one of its own.
const CLOCK: &str = "postern-test-clock";
/// A module before the edge's own, which it leaves as it is: `Date.now` stands still at what the test has set.
const CLOCK_MODULE: &str = r#"import edge from "./MAIN";
let time = Date.now();
Date.now = () => time;
export default {
  fetch(request, env, context) {
    const set = request.headers.get("postern-test-clock");
    if (set === null) return edge.fetch(request, env, context);
    time = Number(set);
    return new Response(null, { status: 204 });
  }
};"#;

/// An edge that has served nothing yet. Dropping it ends it.
///
/// At CloudFront it is the stack's own, of which all containers were ended.
#[derive(Debug)]
pub struct ColdEdge {
    child: Option<Child>,
    address: String,
    /// A configuration of its own, removed with it.
    config: Option<PathBuf>,
    /// What it writes down, removed with it too.
    log: PathBuf,
    /// Octets of the log that were there before.
    written: usize,
}

impl ColdEdge {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not listen in time.
    pub fn start(stack: &Stack) -> Self {
        match Platform::current() {
            Platform::Worker => Self::serve(stack, &stack.logs.with_file_name("workerd.capnp"), None),
            Platform::CloudFront => Self::without_containers(),
        }
    }

    /// The stack's CloudFront without a container.
    fn without_containers() -> Self {
        let stack = Stack::running();
        CloudFront::new(stack).end_containers();
        let log = stack.logs.join(format!("{}.log", Platform::CloudFront.log()));
        let written = fs::metadata(&log).map_or(0, |log| usize::try_from(log.len()).unwrap_or(usize::MAX));
        let address = stack.cloudfront.front.trim_start_matches("http://").to_owned();
        Self { child: None, address, config: None, log, written }
    }

    /// Starts one with the stack's configuration after `change`.
    ///
    /// # Panics
    /// When it does not listen in time.
    pub fn start_with(stack: &Stack, change: impl FnOnce(&str) -> String) -> Self {
        let own = stack.logs.with_file_name("workerd.capnp");
        let text = fs::read_to_string(&own).unwrap_or_else(|error| panic!("`{}`: {error}", own.display()));
        // Beside the stack's, since the bundle is named relative to it, and like it nobody else's to read: it has keys.
        let config = stack.logs.with_file_name(random::word("workerd") + ".capnp");
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&config);
        file.and_then(|mut file| file.write_all(change(&text).as_bytes()))
            .unwrap_or_else(|error| panic!("`{}`: {error}", config.display()));
        Self::serve(stack, &config, Some(config.clone()))
    }

    fn serve(stack: &Stack, config: &Path, own: Option<PathBuf>) -> Self {
        let address = format!("127.0.0.1:{}", port::free());
        let log = stack.logs.join(random::word("cold") + ".log");
        let file = File::create(&log).unwrap_or_else(|error| panic!("`{}`: {error}", log.display()));
        let copy = file.try_clone().unwrap_or_else(|error| panic!("`{}`: {error}", log.display()));
        let child = Command::new(program(stack))
            .arg("serve")
            .arg(config)
            .arg(format!("--socket-addr=http={address}"))
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy)
            .spawn()
            .unwrap_or_else(|error| panic!("workerd does not start: {error}"));
        let cold = Self { child: Some(child), address, config: own, log, written: 0 };
        wait::until("a cold edge listens", PATIENCE, || TcpStream::connect(&cold.address).is_ok());
        cold
    }

    /// Sets the clock of an edge that was started [with one](with_clock).
    ///
    /// # Panics
    /// When it has none.
    #[track_caller]
    pub fn set_clock(&self, now: UnixTime) {
        self.get("/health").header(CLOCK, &now.as_millis().to_string()).send().expect(204);
    }

    /// What it has written down so far.
    pub fn log(&self) -> String {
        let octets = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(octets.get(self.written..).unwrap_or_default()).into_owned()
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A GET to it.
    pub fn get(&self, target: &str) -> Call {
        self.call("GET", target)
    }

    /// A request to it.
    pub fn call(&self, method: &str, target: &str) -> Call {
        Call::new(&self.url(), method, target)
    }
}

/// The configuration of an edge whose clock stands still at what the test sets, and which is otherwise the same.
#[track_caller]
pub fn with_clock(config: &str) -> String {
    let modules = "modules = [\n    (name = \"";
    let (_, rest) = config.split_once(modules).unwrap_or_else(|| panic!("no modules: {config}"));
    let main = rest.split('"').next().unwrap_or_default();
    let clock = quoted(&CLOCK_MODULE.replace("MAIN", main));
    config.replacen(modules, &format!("modules = [\n    (name = \"clock.js\", esModule = {clock}),\n    (name = \""), 1)
}

/// Text as Cap'n Proto's text form has it: with C's escapes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// The program itself and not the script in front of it, which would outlive a `kill`.
fn program(stack: &Stack) -> String {
    let output = Command::new(&stack.node)
        .args(["--print", "require('workerd').default"])
        .current_dir(stack.node_modules.join("workerd"))
        .env("NODE_PATH", &stack.node_modules)
        .output()
        .unwrap_or_else(|error| panic!("node does not run: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Drop for ColdEdge {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        let _ = child.kill();
        let _ = child.wait();
        if thread::panicking() {
            eprintln!("the cold edge's log:\n{}", self.log());
        }
        let _ = fs::remove_file(&self.log);
        if let Some(config) = &self.config {
            let _ = fs::remove_file(config);
        }
    }
}
