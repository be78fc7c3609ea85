//! Known vulnerabilities of dependencies, from RustSec's advisory database.
//!
//! The database is a Git repository that not every network reaches. `advisories.toml` therefore records the state of the
//! database that was checked last. A record older than [`MAX_AGE_DAYS`] is a warning at the end of each test run that cannot
//! fetch a newer state.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use time::{Date, Month, OffsetDateTime};

use crate::paths::Paths;
use crate::process::{output_of, run};
use crate::report::Report;
use crate::setup::cargo_deny;

/// Records the state of the database that was checked last.
const RECORD: &str = "advisories.toml";
const UPSTREAM: &str = "https://github.com/RustSec/advisory-db";
/// The command that checks and records a newer state.
const AGAIN: &str = "cargo xtask advisories";
/// New advisories are published every week. After three months a check says little about today.
const MAX_AGE_DAYS: i64 = 90;

/// The last state that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// The day of the commit, `YYYY-MM-DD`.
    date: String,
    /// The commit's hash.
    commit: String,
}

/// Checks the dependencies against the newest database where it can be fetched. Elsewhere warns if the last check is old.
pub(crate) fn check(paths: &Paths, report: &Report) -> Result<()> {
    report.part("ignored advisories have reasons", "deny.toml", || {
        let text = fs::read_to_string(paths.root.join("deny.toml")).context("cannot read `deny.toml`")?;
        check_ignored(&text)
    })?;
    if !paths.tools.join("bin/cargo-deny").exists() {
        report.skip("advisories", "cargo-deny is not installed");
        return Ok(());
    }
    let config = paths.root.join("deny.toml");
    let fetched = deny(paths, &config).args(["fetch", "db"]).output().is_ok_and(|output| output.status.success());
    if fetched {
        return report.part("advisories", ".tools/bin/cargo-deny check advisories", || {
            run(deny(paths, &config).args(["--log-level", "error", "check", "--disable-fetch", "advisories"]))
        });
    }
    let record = read(&paths.root)?;
    let Record { date, commit } = &record;
    report.skip("advisories", &format!("the database cannot be fetched; last checked: {commit} of {date}"));
    let age = record.age(OffsetDateTime::now_utc().date())?;
    if age > MAX_AGE_DAYS {
        report.warn(format!(
            "the advisory database was last checked in its state of {date}, {age} days ago; run `{AGAIN}` with a network, or \
             `{AGAIN} --database PATH` with a copy of {UPSTREAM}"
        ));
    }
    Ok(())
}

/// Checks the dependencies against a copy of the database, or against the upstream one, and records its state.
pub(crate) fn update(paths: &Paths, database: Option<&Path>) -> Result<()> {
    cargo_deny(paths)?;
    let source = match database {
        None => UPSTREAM.to_owned(),
        Some(path) => {
            let path = path.canonicalize().with_context(|| format!("cannot read `{}`", path.display()))?;
            format!("file://{}", path.display())
        }
    };
    let folder = paths.profile("advisories")?;
    let copy = folder.join("state");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| format!("cannot remove `{}`", copy.display()))?;
    }
    run(Command::new("git").args(["clone", "--quiet", "--no-checkout", &source]).arg(&copy))?;
    let own = fs::read_to_string(paths.root.join("deny.toml")).context("cannot read `deny.toml`")?;
    let config = folder.join("deny.toml");
    fs::write(&config, with_own_folder(&own, &folder.join("databases"))?)?;
    // cargo-deny accepts no file URL; Git can redirect the upstream URL to one.
    let instead = format!("url.file://{}.insteadOf", copy.display());
    let instead = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", &instead), ("GIT_CONFIG_VALUE_0", UPSTREAM)];
    run(deny(paths, &config).args(["--log-level", "error", "check", "advisories"]).envs(instead))?;
    let said = output_of(Command::new("git").args(["log", "-1", "--format=%cs %H"]).current_dir(&copy))?;
    let (date, commit) = said.trim().split_once(' ').context("git names no commit")?;
    let text = format!(
        "# The state of {UPSTREAM} that the dependencies were last checked against.\n# `{AGAIN}` writes it.\n\
         date = \"{date}\"\ncommit = \"{commit}\"\n"
    );
    fs::write(paths.root.join(RECORD), text).with_context(|| format!("cannot write `{RECORD}`"))?;
    println!("checked against {commit} of {date}");
    Ok(())
}

/// `deny.toml` with a folder of its own for the database, fetched by Git's own command.
fn with_own_folder(config: &str, folder: &Path) -> Result<String> {
    let head = "[advisories]\n";
    ensure!(config.contains(head), "`deny.toml` has no [advisories]");
    // A text in JSON is one in TOML too.
    let folder = serde_json::Value::from(folder.display().to_string());
    Ok(config.replacen(head, &format!("{head}db-path = {folder}\ngit-fetch-with-cli = true\n"), 1))
}

fn deny(paths: &Paths, config: &Path) -> Command {
    let mut command = Command::new(paths.tools.join("bin/cargo-deny"));
    command.current_dir(&paths.root).arg("--config").arg(config);
    command
}

fn read(root: &Path) -> Result<Record> {
    let text =
        fs::read_to_string(root.join(RECORD)).with_context(|| format!("cannot read `{RECORD}`; run `{AGAIN}`"))?;
    toml::from_str(&text).with_context(|| format!("`{RECORD}` is malformed; run `{AGAIN}`"))
}

impl Record {
    /// Days from the record's date to `today`.
    fn age(&self, today: Date) -> Result<i64> {
        let mut numbers = self.date.split('-').map(str::parse::<u16>);
        let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            bail!("`{RECORD}`: `{}` is not a date; run `{AGAIN}`", self.date);
        };
        let date = Month::try_from(u8::try_from(month)?)
            .and_then(|month| Date::from_calendar_date(year.into(), month, u8::try_from(day).unwrap_or_default()))
            .with_context(|| format!("`{RECORD}`: `{}` is not a date; run `{AGAIN}`", self.date))?;
        Ok((today - date).whole_days())
    }
}

/// Each advisory that `deny.toml` ignores is named by its id, with the reason.
fn check_ignored(config: &str) -> Result<()> {
    let config: toml::Table = config.parse().context("`deny.toml` is not TOML")?;
    let ignored = config.get("advisories").and_then(|advisories| advisories.get("ignore"));
    for entry in ignored.and_then(toml::Value::as_array).into_iter().flatten() {
        let text = |member: &str| entry.get(member).and_then(toml::Value::as_str).unwrap_or_default().trim();
        ensure!(
            text("id").starts_with("RUSTSEC-") && !text("reason").is_empty(),
            "`deny.toml` ignores `{entry:?}`; write `{{ id = \"RUSTSEC-…\", reason = \"…\" }}`"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advisory_is_ignored_only_by_id_and_with_a_reason() {
        let ignoring = |entry: &str| check_ignored(&format!("[advisories]\nignore = [{entry}]\n"));
        assert!(check_ignored("[advisories]\n").is_ok());
        assert!(
            ignoring("{ id = \"RUSTSEC-2026-0001\", reason = \"not reachable: no build of ours uses it\" }").is_ok()
        );
        for entry in [
            "\"RUSTSEC-2026-0001\"",
            "{ id = \"RUSTSEC-2026-0001\" }",
            "{ id = \"RUSTSEC-2026-0001\", reason = \" \" }",
            "{ crate = \"yanked@1.0.0\", reason = \"why\" }",
        ] {
            assert!(ignoring(entry).unwrap_err().to_string().contains("reason"), "{entry}");
        }
    }

    #[test]
    fn the_age_of_a_record_is_counted_in_days() {
        let age = |date: &str| {
            let record = Record { date: date.to_owned(), commit: String::new() };
            record.age(Date::from_calendar_date(2026, Month::March, 1).expect("a date"))
        };
        assert_eq!(age("2026-02-28").expect("a date"), 1);
        assert_eq!(age("2025-12-01").expect("a date"), MAX_AGE_DAYS);
        for text in ["", "2026-02", "2026-02-30", "2026-13-01", "2026-02-01-01", "yesterday"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_record_that_is_committed_is_one() {
        let record = read(&Paths::find().expect("the repository").root).expect("a record");
        assert!(record.age(OffsetDateTime::now_utc().date()).is_ok());
        assert!(record.commit.len() == 40 && record.commit.bytes().all(|octet| octet.is_ascii_hexdigit()));
    }

    #[test]
    fn the_folder_of_the_database_is_added_and_the_rest_is_kept() {
        let text = with_own_folder("[advisories]\nyanked = \"warn\"\n", Path::new("/y")).expect("TOML");
        let config: toml::Table = text.parse().expect("TOML");
        assert_eq!(config["advisories"]["db-path"].as_str(), Some("/y"));
        assert_eq!(config["advisories"]["yanked"].as_str(), Some("warn"));
        assert!(with_own_folder("[bans]\n", Path::new("/y")).is_err());
    }
}
