//! What a part says: each line into its log file, and to the terminal behind the part's name.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write, stdout};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, thread};

use anyhow::{Context, Result};

/// ANSI foreground colours that can be read on light and on dark.
const COLOURS: [u8; 6] = [36, 35, 33, 32, 34, 31];
const NAME_WIDTH: usize = 9;
const TAIL_LINES: usize = 25;

/// The threads that read a part's output end with it; this switches the terminal off.
#[derive(Debug)]
pub(super) struct Output {
    print: Arc<AtomicBool>,
}

impl Output {
    pub(super) fn follow(name: &str, index: usize, print: bool, child: &mut Child, log: &File) -> Result<Self> {
        let print = Arc::new(AtomicBool::new(print));
        let coloured = stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        let colour = if coloured { COLOURS.get(index % COLOURS.len()).copied() } else { None };
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let (name, mut log, print) = (name.to_owned(), log.try_clone()?, Arc::clone(&print));
            thread::spawn(move || {
                copy(stream, &mut log, |line| {
                    if print.load(Ordering::Relaxed) {
                        // A closed terminal is no reason to stop the part.
                        let _ = writeln!(stdout().lock(), "{}", prefixed(&name, colour, line));
                    }
                })
            });
        }
        Ok(Self { print })
    }

    /// From now on lines go to the log only.
    pub(super) fn silence(&self) {
        self.print.store(false, Ordering::Relaxed);
    }
}

fn copy(stream: impl Read, log: &mut impl Write, mut show: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(length) if length > 0) {
        let _ = log.write_all(&bytes);
        show(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
}

fn prefixed(name: &str, colour: Option<u8>, line: &str) -> String {
    colour.map_or_else(
        || format!("{name:>NAME_WIDTH$} | {line}"),
        |colour| format!("\u{1b}[{colour}m{name:>NAME_WIDTH$} |\u{1b}[0m {line}"),
    )
}

/// Creates a log file and the folder it is in.
pub(super) fn create(log: &Path) -> Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    }
    File::create(log).with_context(|| format!("cannot write `{}`", log.display()))
}

/// The last lines of a log, indented.
pub(crate) fn tail(log: &Path) -> String {
    let content = fs::read(log).unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = content.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.iter().skip(from).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// A command as one would type it: its program's name and its arguments, without its environment, which holds keys.
pub(super) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    command.get_args().fold(name, |line, argument| format!("{line} {}", argument.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_carries_its_parts_name() {
        assert_eq!(prefixed("edge", None, "ready"), "     edge | ready");
        assert_eq!(prefixed("edge", Some(36), "ready"), "\u{1b}[36m     edge |\u{1b}[0m ready");
    }

    #[test]
    fn every_line_reaches_the_log_and_the_terminal() {
        let (mut log, mut shown) = (Vec::new(), Vec::new());
        copy(&b"one\r\n\xfftwo\nno newline"[..], &mut log, |line| shown.push(line.to_owned()));
        assert_eq!(log, b"one\r\n\xfftwo\nno newline");
        assert_eq!(shown, ["one", "\u{fffd}two", "no newline"]);
    }

    #[test]
    fn a_command_is_shown_without_its_environment() {
        let mut command = Command::new("/somewhere/wrangler");
        command.arg("dev").env("POSTERN_KEY_VOUCHERS", "secret");
        assert_eq!(show(&command), "wrangler dev");
    }
}
