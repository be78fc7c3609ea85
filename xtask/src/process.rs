//! Child processes of the local stack: each in a process group of its own, its output prefixed and kept in a log file,
//! and none left behind, whatever ends this program.
//!
//! A *guard*, this program started once more, holds the other end of a pipe. When the pipe closes without a word, because
//! this program was killed, the guard ends what was left running. That needs neither `unsafe` nor a feature that only
//! Linux has.

mod end;
mod lines;
mod output;
pub(crate) mod sink;
pub(crate) mod spent;

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

pub(crate) use lines::lines;
pub(crate) use output::tail;
use output::{Output, show};

const POLL: Duration = Duration::from_millis(20);
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

/// Runs a command to its end, its output where this thread's goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    sink::redirect(command)?;
    let status = finish(command)?;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(())
}

/// Runs a command to its end and returns what it printed; its errors go where this thread's output goes.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    sink::redirect(command)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", show(command)))?;
    let start = Instant::now();
    let mut stdout = child.stdout.take().context("a command has no output")?;
    // Read on a thread of its own: a full pipe would keep the command from ending.
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_length| text)
    });
    let status = ended(command, &mut child, start)?;
    let text = reader.join().map_err(|_panic| anyhow::anyhow!("the output was not read"))??;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(text)
}

/// Runs a command to its end with its output in `log`; a failure shows the log's last lines.
pub(crate) fn run_quietly(command: &mut Command, log: &Path) -> Result<()> {
    let file = output::create(log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = finish(command)?;
    if spent::Kind::of(command) == spent::Kind::Compile {
        spent::note_compiled(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()));
    }
    if !status.success() {
        bail!("`{}` failed ({status}), log `{}`:\n{}", show(command), log.display(), tail(log));
    }
    Ok(())
}

/// Runs a command in a process group of its own for at most `limit`, with its output in `log`. `None`: it took longer
/// and was ended.
pub(crate) fn run_within(command: &mut Command, log: &Path, limit: Duration) -> Result<Option<ExitStatus>> {
    let file = output::create(log)?;
    let mut guard = Guard::start()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{}`", show(command)))?;
    guard.watch(child.id())?;
    let status = wait_within(&mut child, limit)?;
    guard.forget(child.id());
    check_interrupted()?;
    Ok(status)
}

/// Ends the child's group once the time is up or the user has asked to stop.
fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if check_interrupted().is_err() || start.elapsed() > limit {
            end::groups(&mut [child]);
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn finish(command: &mut Command) -> Result<ExitStatus> {
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", show(command)))?;
    ended(command, &mut child, start)
}

/// Waits for the end of a command that began at `start`, and adds it to this thread's account.
fn ended(command: &Command, child: &mut Child, start: Instant) -> Result<ExitStatus> {
    wait_for_end(child)?;
    let spent = spent::Spent {
        wall: start.elapsed(),
        // Before it is reaped: afterwards nobody knows.
        processor: spent::processor_time(child.id()).unwrap_or_default(),
    };
    spent::add(spent::Kind::of(command), spent);
    Ok(child.wait()?)
}

/// Waits until a child has ended, without reaping it. Ends it if the user asks to stop.
fn wait_for_end(child: &mut Child) -> Result<()> {
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process has no usable id")?;
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let ended = waitid(WaitId::Pid(process), options).context("cannot wait for a process")?;
        if let Err(interrupted) = check_interrupted() {
            // The terminal has told its whole group; a signal sent to this program alone has not reached the child.
            end::child(child);
            return Err(interrupted);
        }
        if ended.is_some() {
            return Ok(());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).process_group(0).spawn().expect("sh")
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_what_it_started() {
        let start_time = Instant::now();
        let mut child = start("sleep 60 & sleep 60");
        assert_eq!(wait_within(&mut child, Duration::from_millis(200)).expect("waits"), None);
        assert!(start_time.elapsed() < Duration::from_secs(30));
        assert!(child.try_wait().expect("waits").is_some());
    }

    #[test]
    fn a_command_that_ends_in_time_has_its_own_status() {
        for (script, succeeds) in [("true", true), ("exit 3", false)] {
            let status = wait_within(&mut start(script), Duration::from_secs(60)).expect("waits").expect("in time");
            assert_eq!(status.success(), succeeds, "{script}");
        }
    }
}
