//! What every command writes with: two formats, colours on a terminal alone, and no foreign text as it came.
//!
//! Colours follow `--color`, then `NO_COLOR` and `CLICOLOR_FORCE`, then whether the stream is a terminal: `anstream`
//! takes them out where they do not belong.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde_json::Value;

/// How a command says what it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON document on standard output.
    Json,
}

/// What is right.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What wants a look.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();

/// `text` in `style`.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes `text` to standard output; that nobody reads on is no error (`postern routes | head`).
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    closed_is_fine(anstream::stdout().write_all(text.as_bytes()))
}

/// Writes `text` to standard error.
pub(crate) fn complain(text: &str) {
    // There is nobody left to tell.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Writes one JSON document to standard output.
pub(crate) fn print_json(value: &Value) -> anyhow::Result<()> {
    // Written out first: the formatter takes a closed pipe for a fault of its own.
    print(&format!("{value:#}\n"))
}

fn closed_is_fine(outcome: io::Result<()>) -> anyhow::Result<()> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        _ => Ok(()),
    }
}

/// Foreign text on one line and without control characters, which could drive a terminal.
pub(crate) fn shown(text: &str) -> String {
    text.chars().flat_map(|c| if is_harmless(c) { vec![c] } else { c.escape_default().collect() }).collect()
}

fn is_harmless(c: char) -> bool {
    // Marks that turn the direction of writing would let a name pass for another.
    !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Rows under headings, each column as wide as its widest cell.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let headings = headings.map(str::to_owned);
    let widths: Vec<usize> = (0..N)
        .map(|column| rows.iter().chain([&headings]).map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut text = styled(HEADING, line(&headings)) + "\n";
    for row in rows {
        text += &line(row);
        text.push('\n');
    }
    text
}

/// `1 key`, `2 keys`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_escaped() {
        assert_eq!(shown("Zoë 1111"), "Zoë 1111");
        assert_eq!(shown("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
    }
}
