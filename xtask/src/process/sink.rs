//! Where a thread's output goes: to the terminal, or into a file while parts run side by side.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::output;

thread_local! {
    static SINK: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// Does `work` with this thread's output in the file `log`.
pub(crate) fn captured<T>(log: &Path, work: impl FnOnce() -> T) -> Result<T> {
    let file = output::create(log)?;
    SINK.set(Some(file));
    let outcome = work();
    SINK.take();
    Ok(outcome)
}

/// Points a command's output at this thread's file, if it has one. Such a command has no input.
pub(super) fn redirect(command: &mut Command) -> Result<()> {
    SINK.with_borrow(|sink| {
        if let Some(file) = sink {
            command.stdin(std::process::Stdio::null()).stdout(file.try_clone()?).stderr(file.try_clone()?);
        }
        Ok(())
    })
}

/// Prints a line to this thread's file, or else to the terminal. For `say!`.
pub(crate) fn print(line: &str) {
    SINK.with_borrow_mut(|sink| match sink {
        // A full disk shows in the part itself; its messages are not worth a panic.
        Some(file) => drop(writeln!(file, "{line}")),
        None => println!("{line}"),
    });
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn lines_and_output_of_commands_go_to_the_file_in_order() {
        let log = env::temp_dir().join(format!("postern-sink-{}.log", std::process::id()));
        let outcome = captured(&log, || {
            say!("before {}", 1);
            super::super::run(Command::new("echo").arg("between")).expect("echo");
            say!("after");
            7
        });
        let text = fs::read_to_string(&log).expect("the file");
        let _ = fs::remove_file(&log);
        assert_eq!((outcome.expect("a writable folder"), text.as_str()), (7, "before 1\nbetween\nafter\n"));
    }
}
