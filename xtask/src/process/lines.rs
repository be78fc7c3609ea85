//! A command that is read while it runs.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use anyhow::{Context, Result, bail};

use super::output::show;
use super::{POLL, check_interrupted, end};

/// Runs a command to its end and gives `take` each line of its standard output as it comes; its errors go where ours go.
pub(crate) fn lines(command: &mut Command, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", show(command)))?;
    let (sender, receiver) = channel();
    let stdout = child.stdout.take();
    thread::spawn(move || {
        for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()).map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut read = || loop {
        check_interrupted()?;
        match receiver.recv_timeout(POLL) {
            Ok(line) => take(&line)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    };
    if let Err(error) = read() {
        end::child(&mut child);
        return Err(error);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn every_line_is_given_and_a_failure_is_told() {
        let mut seen = Vec::new();
        let taken = lines(&mut shell("echo one; echo two; exit 3"), |line| {
            seen.push(line.to_owned());
            Ok(())
        });
        assert_eq!(seen, ["one", "two"]);
        assert!(taken.expect_err("a failure").to_string().contains("exit status: 3"));
    }

    #[test]
    fn a_line_that_is_not_taken_ends_the_command() {
        let start = Instant::now();
        let taken = lines(&mut shell("echo bad; exec sleep 30"), |line| bail!("`{line}`"));
        assert_eq!(taken.expect_err("not taken").to_string(), "`bad`");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
