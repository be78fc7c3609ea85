//! Many records out of a file.
//!
//! The file is read and checked whole before anything is written, and every fault in it is told with its line. Each
//! record is then one conditional write of its own: an interrupted run has written some records whole and the others not
//! at all, and the next run skips what is there already. So nothing has to be remembered beside the file.
//!
//! Nor can it be told who wrote what is there and differs: an older run, or an administrator who has since taken a role
//! away. So it is told and left as it is, unless the caller says that the file is right.

use std::{
    collections::BTreeMap,
    fs, io,
    io::{IsTerminal as _, Read as _},
    path::Path,
};

use anyhow::Context as _;
use postern::PermissionsRecord;
use serde_json::{Value, json, value::RawValue};

use super::{
    records::are_equal,
    service::{Service, Written},
};
use crate::{
    exit::Outcome,
    output::{self, Format, counted, shown},
};

/// Largest file, in octets: some hundred thousand records, which a run of minutes writes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Most faults that are told; whoever has more has one mistake in every line.
const MAX_FAULTS: usize = 20;
/// Records between two lines of progress where there is no terminal to write over.
const LINE_EVERY: usize = 100;

/// A record and the line it begins in.
struct Entry {
    line: usize,
    user: String,
    record: Value,
}

/// What came of the records.
#[derive(Default)]
struct Tally {
    written: usize,
    unchanged: usize,
    /// Lines whose user has another record already.
    differing: Vec<usize>,
    failed: Vec<(usize, String)>,
}

/// `postern permissions import`.
pub(super) fn run(
    service: &Service,
    file: &Path,
    (replace, dry_run): (bool, bool),
    format: Format,
) -> anyhow::Result<Outcome> {
    let name = file.display().to_string();
    let entries = match entries(&read(file)?) {
        Ok(entries) => entries,
        Err(faults) => {
            for (line, fault) in faults.iter().take(MAX_FAULTS) {
                output::complain(&format!("{name}:{line}: {fault}\n"));
            }
            anyhow::bail!("`{name}` has {}; nothing was written", counted(faults.len(), "fault"));
        }
    };
    let mut tally = Tally::default();
    for (index, entry) in entries.iter().enumerate() {
        let outcome = write(service, entry, replace, dry_run).with_context(|| {
            format!(
                "{name}:{}: stopped here, {} written; run this again to go on, what is written is skipped",
                entry.line, tally.written
            )
        })?;
        match outcome {
            Done::Written => tally.written += 1,
            Done::Unchanged => tally.unchanged += 1,
            Done::Differs => {
                output::complain(&format!(
                    "{name}:{}: `{}` has another record already, which is left as it is; `--replace` writes over it\n",
                    entry.line,
                    shown(&entry.user)
                ));
                tally.differing.push(entry.line);
            }
            Done::Failed(why) => {
                output::complain(&format!("{name}:{}: {why}\n", entry.line));
                tally.failed.push((entry.line, why));
            }
        }
        progress(index + 1, entries.len(), &tally);
    }
    let (differing, failed) = (tally.differing.len(), tally.failed.len());
    match format {
        Format::Json => {
            let failed: Vec<Value> =
                tally.failed.iter().map(|(line, why)| json!({"line": line, "reason": why})).collect();
            output::print_json(&json!({
                "records": entries.len(), "written": tally.written, "unchanged": tally.unchanged,
                "differing": tally.differing, "failed": failed, "dry_run": dry_run,
            }))?;
        }
        Format::Text => {
            let verb = if dry_run { "would be written" } else { "written" };
            output::print(&format!(
                "{}: {} {verb}, {} unchanged, {differing} differing, {failed} failed\n",
                counted(entries.len(), "record"),
                tally.written,
                tally.unchanged
            ))?;
        }
    }
    Ok(if failed == 0 && differing == 0 { Outcome::Done } else { Outcome::No })
}

enum Done {
    Written,
    Unchanged,
    /// There is another record, and nobody said that it may be replaced.
    Differs,
    Failed(String),
}

fn write(service: &Service, entry: &Entry, replace: bool, dry_run: bool) -> anyhow::Result<Done> {
    let stored = service.get(&entry.user)?;
    match &stored {
        Some(stored) if are_equal(&stored.json, &entry.record) => return Ok(Done::Unchanged),
        Some(_) if !replace => return Ok(Done::Differs),
        _ if dry_run => return Ok(Done::Written),
        _ => {}
    }
    // Whoever was faster has not been read, so `--replace` is not said of what they wrote.
    match service.put(&entry.user, &entry.record, stored.as_ref())? {
        Written::Refused(why) => Ok(Done::Failed(why)),
        written => {
            Ok(written.record(&entry.user)?.map_or_else(|unwritten| Done::Failed(unwritten.why), |_| Done::Written))
        }
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_string(&mut text)
    } else {
        let file = fs::File::open(file).with_context(|| format!("cannot read `{name}`"))?;
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)
    };
    let size = read.with_context(|| format!("cannot read `{name}`"))?;
    anyhow::ensure!(size as u64 <= MAX_FILE_BYTES, "`{name}` is larger than {MAX_FILE_BYTES} octets; split it");
    Ok(text)
}

/// The records of the text, or all that is wrong with it.
fn entries(text: &str) -> Result<Vec<Entry>, Vec<(usize, String)>> {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let pieces = pieces(text).map_err(|fault| vec![fault])?;
    for (line, piece) in pieces {
        match entry(line, piece) {
            Ok(entry) => match lines.insert(entry.user.clone(), line) {
                Some(first) => {
                    faults.push((line, format!("`{}` has a record in line {first} already", shown(&entry.user))))
                }
                None => entries.push(entry),
            },
            Err(fault) => faults.push((line, fault)),
        }
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

/// Each record's text and the line it begins in.
fn pieces(text: &str) -> Result<Vec<(usize, &str)>, (usize, String)> {
    if !text.trim_start().starts_with('[') {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        return Ok(lines.filter(|(_, line)| !line.trim().is_empty()).collect());
    }
    let records: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| (error.line(), error.to_string()))?;
    let mut pieces = Vec::new();
    let (mut line, mut seen) = (1, text);
    for record in records {
        // Each is a part of the text, after the one before it.
        let piece = record.get();
        let before = offset(seen, piece);
        line += seen[..before].matches('\n').count();
        pieces.push((line, piece));
        line += piece.matches('\n').count();
        seen = &seen[before + piece.len()..];
    }
    Ok(pieces)
}

/// Where `part`, which is a slice of `whole`, begins in it.
fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}

fn entry(line: usize, piece: &str) -> Result<Entry, String> {
    let parsed = PermissionsRecord::parse(piece.as_bytes()).map_err(|error| error.to_string())?;
    let mut record: Value = serde_json::from_str(piece).map_err(|error| error.to_string())?;
    let members = record.as_object_mut().ok_or("no JSON object")?;
    // The version counts the writes of one table, and is no part of what a record says.
    members.remove("version");
    if let Some(unknown) = members.keys().find(|name| !["id", "companies", "role"].contains(&name.as_str())) {
        return Err(format!("`{}` is no member of a record", shown(unknown)));
    }
    Ok(Entry { line, user: parsed.id().to_owned(), record })
}

fn progress(done: usize, all: usize, tally: &Tally) {
    let text = format!(
        "{done} of {all}: {} written, {} unchanged, {} differing, {} failed",
        tally.written,
        tally.unchanged,
        tally.differing.len(),
        tally.failed.len()
    );
    if io::stderr().is_terminal() {
        output::complain(&format!("\r{text}{}", if done == all { "\n" } else { "" }));
    } else if done.is_multiple_of(LINE_EVERY) || done == all {
        output::complain(&format!("{text}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String)> {
        entries(text).err().unwrap_or_default()
    }

    #[test]
    fn lines_and_arrays_are_read_alike_with_the_line_of_each() {
        let (one, two) =
            (r#"{"id":"a","companies":["1"],"role":"M","version":3}"#, r#"{"id":"b","companies":{"1":["M"]}}"#);
        for (text, lines) in [
            (format!("{one}\n\n{two}\n"), [1, 3]),
            (format!("{one}\r\n{two}"), [1, 2]),
            (format!("[{one},{two}]"), [1, 1]),
            (format!("\n[\n  {one},\n\n  {two}\n]\n"), [3, 5]),
            (
                serde_json::to_string_pretty(&json!([
                    serde_json::from_str::<Value>(one).unwrap(),
                    serde_json::from_str::<Value>(two).unwrap()
                ]))
                .unwrap(),
                [2, 10],
            ),
        ] {
            let entries = entries(&text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), lines, "{text}");
            assert_eq!(entries.iter().map(|entry| entry.user.as_str()).collect::<Vec<_>>(), ["a", "b"]);
            assert_eq!(entries[0].record.get("version"), None);
        }
        assert!(entries("").unwrap().is_empty() && entries("[]").unwrap().is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_line() {
        let text = "{\"id\":\"a\",\"companies\":[]}\n{\"id\":\"a\",\"companies\":[]}\nx\n{\"id\":\"b\"}\n{\"id\":\"c\",\"companies\":[],\"admin\":true}";
        let faults = faults(text);
        assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5]);
        for (fault, says) in faults.iter().zip(["line 1", "JSON", "`companies`", "`admin`"]) {
            assert!(fault.1.contains(says), "{fault:?}");
        }
        assert_eq!(self::faults("[\n{\"id\":\"a\",\"companies\":[]},\n}").first().map(|fault| fault.0), Some(3));
    }
}
