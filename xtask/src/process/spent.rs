//! Accounts for what the commands of a thread take: wall time and processor time, compilers apart from everything else.
//!
//! The processor time of a child and of all that it has waited for is in `/proc` until the child is reaped. Systems
//! without `/proc` have wall times only.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Compilers, linters and documentation: what a second run without changes does not repeat.
    Compile,
    /// Everything else, tests above all.
    Execute,
}

impl Kind {
    /// The kind of a command, by its program and its arguments.
    pub(crate) fn of(command: &Command) -> Self {
        let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
        let arguments: Vec<_> = command.get_args().collect();
        let has = |wanted: &str| arguments.iter().any(|argument| *argument == wanted);
        let compiles = match program.to_str() {
            Some("cargo") => !(has("test") || has("run")) || has("--no-run"),
            Some("cargo-fuzz") => has("build"),
            Some("wasm-pack") => true,
            _ => false,
        };
        if compiles { Self::Compile } else { Self::Execute }
    }
}

/// What the commands of one kind took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Wall time.
    pub(crate) wall: Duration,
    /// Processor time, of all threads and descendants; zero where the system does not tell.
    pub(crate) processor: Duration,
}

impl Account {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { compile: self.compile.plus(other.compile), execute: self.execute.plus(other.execute) }
    }
}

impl Spent {
    fn plus(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, processor: self.processor + other.processor }
    }
}

/// What the commands of a part took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// By compilers.
    pub(crate) compile: Spent,
    /// By everything else.
    pub(crate) execute: Spent,
}

thread_local! {
    static ACCOUNT: Cell<Account> = const { Cell::new(Account {
        compile: Spent { wall: Duration::ZERO, processor: Duration::ZERO },
        execute: Spent { wall: Duration::ZERO, processor: Duration::ZERO },
    }) };
    static COMPILED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Adds a command to this thread's account.
pub(super) fn add(kind: Kind, spent: Spent) {
    let mut account = ACCOUNT.get();
    let entry = if kind == Kind::Compile { &mut account.compile } else { &mut account.execute };
    *entry = entry.plus(spent);
    ACCOUNT.set(account);
}

/// Adds the account of another thread that worked for this one.
pub(crate) fn add_all(account: Account) {
    ACCOUNT.set(ACCOUNT.get().plus(account));
}

/// Notes what a command of this thread has compiled, by what cargo has said.
pub(super) fn note_compiled(said: &str) {
    COMPILED.with_borrow_mut(|compiled| compiled.extend(compiled_crates(said)));
}

/// Returns the account of this thread since the last call, and the crates that [`note_compiled`] has noted.
pub(crate) fn take() -> (Account, Vec<String>) {
    (ACCOUNT.replace(Account::default()), COMPILED.take())
}

/// The words with which cargo begins a line for each crate.
const PROGRESS: [&str; 3] = ["Compiling", "Checking", "Documenting"];
/// And those for each package that it fetches.
const FETCHED: [&str; 3] = ["Downloaded", "Downloading", "Adding"];

/// The crates that cargo says it compiles, checks or documents, with their versions.
pub(crate) fn compiled_crates(said: &str) -> Vec<String> {
    let crates = said.lines().filter_map(|line| {
        let (word, rest) = line.trim_start().split_once(' ')?;
        let mut names = rest.split(' ');
        let (name, version) = (names.next()?, names.next()?);
        (PROGRESS.contains(&word) && version.starts_with('v')).then(|| format!("{name} {version}"))
    });
    crates.collect()
}

/// Text without cargo's line for each crate.
pub(crate) fn without_progress(said: &str) -> String {
    let is_progress = |line: &&str| {
        let word = line.trim_start().split(' ').next().unwrap_or_default();
        line.starts_with(' ') && (PROGRESS.contains(&word) || FETCHED.contains(&word))
    };
    said.lines().filter(|line| !is_progress(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The processor time of a child that has ended and is not reaped yet, with all that it has waited for.
pub(super) fn processor_time(child: u32) -> Option<Duration> {
    from_stat(&fs::read_to_string(format!("/proc/{child}/stat")).ok()?, rustix::param::clock_ticks_per_second())
}

/// proc(5): after the name, which may hold anything, `utime stime cutime cstime` are the 12th to the 15th field.
fn from_stat(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    let ticks: Vec<u64> = fields.map(|field| field.parse().ok()).collect::<Option<_>>()?;
    if ticks.len() < 4 || ticks_per_second == 0 {
        return None;
    }
    Some(Duration::from_millis(ticks.iter().sum::<u64>() * 1000 / ticks_per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_told_from_tests() {
        let kind = |line: &str| {
            let mut words = line.split(' ');
            Kind::of(Command::new(words.next().expect("a program")).args(words))
        };
        for line in
            ["cargo clippy --workspace", "cargo test --no-run", "/x/wasm-pack build", "cargo-fuzz build", "cargo doc"]
        {
            assert_eq!(kind(line), Kind::Compile, "{line}");
        }
        for line in ["cargo test --workspace", "cargo run -p x", "node --test", "/x/cargo-deny check", "npm ci"] {
            assert_eq!(kind(line), Kind::Execute, "{line}");
        }
    }

    #[test]
    fn processor_time_includes_what_a_process_has_waited_for() {
        let stat = "7 (a) b) Z 1 5 5 0 -1 4 0 0 0 0 100 20 300 80 20 0 1 0";
        assert_eq!(from_stat(stat, 100), Some(Duration::from_secs(5)));
        assert_eq!(from_stat("7 (a) Z 1", 100), None);
    }

    #[test]
    fn an_account_is_empty_once_it_is_taken() {
        let spent = Spent { wall: Duration::from_secs(2), processor: Duration::from_secs(1) };
        add(Kind::Compile, spent);
        add(Kind::Execute, spent);
        add(Kind::Execute, spent);
        note_compiled("   Compiling serde v1.0.0\n");
        let (account, compiled) = take();
        assert_eq!((account.compile, account.execute), (spent, spent.plus(spent)));
        assert_eq!(compiled, ["serde v1.0.0"]);
        assert_eq!(take(), (Account::default(), Vec::new()));
    }

    #[test]
    fn what_cargo_compiles_is_read_and_left_out_of_what_is_shown() {
        let said = "   Compiling serde v1.0.0\n    Checking postern v0.2.0 (/x)\nwarning: Checking nothing\n";
        assert_eq!(compiled_crates(said), ["serde v1.0.0", "postern v0.2.0"]);
        assert_eq!(without_progress(said), "warning: Checking nothing\n");
    }
}
