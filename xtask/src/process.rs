//! Child processes of the local stack: each in a process group of its own, its output prefixed and kept in a log file,
//! and none left behind, whatever ends this program.
//!
//! A *guard*, this program started once more, holds the other end of a pipe. When the pipe closes without a word, because
//! this program was killed, the guard ends what was left running. That needs neither `unsafe` nor a feature that only
//! Linux has.

mod end;
mod lines;
mod output;

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail};

pub(crate) use lines::lines;
pub(crate) use output::tail;
use output::{Output, show};

const POLL: Duration = Duration::from_millis(100);
/// The hidden subcommand that is the guard.
pub(crate) const GUARD: &str = "guard";

/// Set once the user asks to stop. A second Ctrl-C ends the program at once; the guard then cleans up.
fn stop_flag() -> Result<&'static Arc<AtomicBool>> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(flag) = FLAG.get() {
        return Ok(flag);
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // Order matters: the shutdown looks at the flag as it was before this signal.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .context("cannot handle signals")?;
    }
    Ok(FLAG.get_or_init(|| flag))
}

/// Fails once the user has asked to stop.
pub(crate) fn check_interrupted() -> Result<()> {
    if stop_flag()?.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(())
}

/// Runs a command to its end in the foreground, its output where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = finish(command)?;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(())
}

/// Runs a command to its end with its output in `log`; a failure shows the log's last lines.
pub(crate) fn run_quietly(command: &mut Command, log: &Path) -> Result<()> {
    let file = output::create(log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = finish(command)?;
    if !status.success() {
        bail!("`{}` failed ({status}), log `{}`:\n{}", show(command), log.display(), tail(log));
    }
    Ok(())
}

fn finish(command: &mut Command) -> Result<ExitStatus> {
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", show(command)))?;
    loop {
        if let Some(status) = child.try_wait()? {
            check_interrupted()?;
            return Ok(status);
        }
        if let Err(interrupted) = check_interrupted() {
            // The terminal has told its whole group; a signal sent to this program alone has not reached the child.
            end::child(&mut child);
            return Err(interrupted);
        }
        thread::sleep(POLL);
    }
}

/// The running parts of a stack. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Supervisor {
    guard: Guard,
    parts: Vec<Part>,
    logs: PathBuf,
    print: bool,
}

#[derive(Debug)]
struct Part {
    name: String,
    child: Child,
    output: Output,
}

impl Supervisor {
    /// Logs go to the folder `logs`, and with `print` to the terminal too.
    pub(crate) fn new(logs: &Path, print: bool) -> Result<Self> {
        stop_flag()?;
        Ok(Self { guard: Guard::start()?, parts: Vec::new(), logs: logs.to_path_buf(), print })
    }

    /// Starts a part; `name` prefixes its lines and names its log.
    pub(crate) fn start(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let log = self.logs.join(format!("{name}.log"));
        let file = output::create(&log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", show(command)))?;
        self.guard.watch(child.id())?;
        let output = Output::follow(name, self.parts.len(), self.print, &mut child, &file)?;
        self.parts.push(Part { name: name.to_owned(), child, output });
        Ok(())
    }

    /// The process of a part that runs.
    pub(crate) fn process(&self, name: &str) -> Option<u32> {
        self.parts.iter().find(|part| part.name == name).map(|part| part.child.id())
    }

    /// Waits until `answers` says yes; a part that ends meanwhile, or the end of `patience`, is a failure that names
    /// the log.
    pub(crate) fn wait_for(&mut self, name: &str, patience: Duration, mut answers: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !answers() {
            self.check()?;
            if start.elapsed() > patience {
                bail!("`{name}` did not answer within {} s; {}", patience.as_secs(), self.last_words(name));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Fails if the user has asked to stop or a part has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        check_interrupted()?;
        for part in &mut self.parts {
            if let Some(status) = part.child.try_wait()? {
                let name = part.name.clone();
                bail!("`{name}` has ended ({status}); {}", self.last_words(&name));
            }
        }
        Ok(())
    }

    fn last_words(&self, name: &str) -> String {
        let log = self.logs.join(format!("{name}.log"));
        format!("its log is `{}`:\n{}", log.display(), tail(&log))
    }

    /// Ends every part and what it has started.
    pub(crate) fn stop(&mut self) {
        for part in self.parts.iter_mut() {
            part.output.silence();
        }
        let mut children: Vec<&mut Child> = self.parts.iter_mut().map(|part| &mut part.child).collect();
        end::groups(&mut children);
        for part in &self.parts {
            self.guard.forget(part.child.id());
        }
        self.parts.clear();
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The running guard and the pipe to it.
#[derive(Debug)]
struct Guard {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    fn start() -> Result<Self> {
        let program = env::current_exe().context("cannot name this program")?;
        let mut child = Command::new(program)
            .arg(GUARD)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // A group of its own: Ctrl-C in the terminal must not reach it.
            .process_group(0)
            .spawn()
            .context("cannot start the guard process")?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    fn watch(&mut self, group: u32) -> Result<()> {
        self.say('+', group).context("the guard process has ended")
    }

    fn forget(&mut self, group: u32) {
        // A guard that is gone has nothing to forget.
        let _ = self.say('-', group);
    }

    fn say(&mut self, sign: char, group: u32) -> std::io::Result<()> {
        self.pipe.as_mut().map_or(Ok(()), |pipe| writeln!(pipe, "{sign}{group}"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.child.wait();
    }
}

/// The guard: reads `+GROUP` and `-GROUP` until its input closes, then ends the groups that are left.
pub(crate) fn guard(input: impl std::io::Read + Debug) {
    let mut groups: Vec<u32> = Vec::new();
    for line in BufReader::new(input).lines().map_while(Result::ok) {
        let Some((sign, Ok(group))) = line.split_at_checked(1).map(|(sign, rest)| (sign, rest.parse::<u32>())) else {
            continue;
        };
        match sign {
            "+" => groups.push(group),
            _ => groups.retain(|known| *known != group),
        }
    }
    end::orphans(&groups);
}
