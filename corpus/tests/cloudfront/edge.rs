//! One local CloudFront with one function, whose clock the test sets and whose every request goes to one server of the
//! test's.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use postern_e2e::{Call, port, wait};
use serde_json::{Value, json};

use crate::edges::Edge;

const PATIENCE: Duration = Duration::from_secs(20);
/// Time for the front to end its containers, frozen ones among them.
const END: Duration = Duration::from_secs(5);
/// The programs of this folder.
const FRONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cloudfront/front.mjs");
const PRELOAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cloudfront/preload.cjs");

/// A running front. Dropping it ends it with its containers.
#[derive(Debug)]
pub(crate) struct Front {
    child: Child,
    address: String,
    log: PathBuf,
    clock: PathBuf,
}

impl Front {
    /// Starts the function in `folder`; everything that it asks, and what is permitted, goes to `outside`.
    pub(crate) fn start(description: &Value, folder: &Path, outside: &str) -> Result<Self> {
        let port = port::free();
        let beside = |ending: &str| folder.with_extension(ending);
        let (log, clock, config) = (beside("log"), beside("clock"), beside("json"));
        fs::write(&clock, "0")?;
        let text = json!({
            "local": description["local"], "package": folder, "port": port, "outside": outside, "preload": PRELOAD,
            "clock": clock,
        });
        fs::write(&config, text.to_string())?;
        let output = File::create(&log)?;
        let child = Command::new(description["node"].as_str().context("no `node`")?)
            .arg(FRONT)
            .arg(&config)
            // Ends when it closes, whatever has ended this program.
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("the front does not start")?;
        let front = Self { child, address: format!("127.0.0.1:{port}"), log, clock };
        wait::until("the front listens", PATIENCE, || TcpStream::connect(&front.address).is_ok());
        Ok(front)
    }
}

impl Edge for Front {
    fn call(&self, name: &str, method: &str, target: &str) -> Call {
        // The one names the event, the other goes on to the origin.
        let call = Call::new(&format!("http://{}", self.address), method, target);
        call.header("stand-in-request-id", name).header("cf-ray", name)
    }

    fn set_clock(&self, seconds: u64) {
        // In one step: containers read it at any time.
        let next = self.clock.with_extension("next");
        let written = fs::write(&next, (seconds * 1000).to_string()).and_then(|()| fs::rename(&next, &self.clock));
        written.unwrap_or_else(|error| panic!("the clock cannot be set: {error}"));
    }

    fn log(&self) -> String {
        fs::read(&self.log).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let start = Instant::now();
        while start.elapsed() < END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
