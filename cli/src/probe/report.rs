//! What was found out, for people and for programs.

use std::collections::BTreeMap;

use postern_probe::{Carrier, Doubt, Outcome, Report, Tried, setting};
use serde_json::{Value, json};

use crate::output::{BAD, DIM, Format, GOOD, WARNING, counted, print_json, shown, styled, table};

/// Prints it.
pub(super) fn print(report: &Report, (origin, url, mark): (&str, &str, &str), format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => print_json(&as_json(report, (origin, url, mark))),
        Format::Text => crate::output::print(&as_text(report, origin)),
    }
}

fn framework(report: &Report) -> Option<&str> {
    report.echo.as_ref()?.framework.as_deref()
}

fn as_json(report: &Report, (origin, url, mark): (&str, &str, &str)) -> Value {
    let results: Vec<Value> = report.tried.iter().map(|tried| result(tried, framework(report))).collect();
    json!({
        "origin": origin,
        "url": url,
        "mark": mark,
        "echo": report.echo.is_some(),
        "framework": framework(report),
        "findings": report.findings().count(),
        "results": results,
    })
}

fn result(tried: &Tried, framework: Option<&str>) -> Value {
    let mut result = json!({
        "disguise": tried.disguise.name,
        "in": tried.disguise.carrier.name(),
        "aim": tried.disguise.aim.name(),
        "path": tried.path,
        "method": tried.request.as_ref().map(|request| request.method),
        "target": tried.request.as_ref().map(|request| &request.target),
        "outcome": name(&tried.outcome),
    });
    let mut say = |member: &str, value: Value| result[member] = value;
    match &tried.outcome {
        Outcome::AsSent => {}
        Outcome::Refused(status) => say("status", json!(status)),
        Outcome::Redirected(status, location) => {
            say("status", json!(status));
            say("location", json!(location));
        }
        Outcome::Changed(member) => {
            say("changed", json!(member.aim.name()));
            say("read", json!(member.read));
            say("setting", json!(setting(tried, framework)));
        }
        Outcome::CannotTell(doubt) => say("reason", json!(doubt.reason())),
    }
    result
}

const fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::AsSent => "as_sent",
        Outcome::Refused(_) => "refused",
        Outcome::Redirected(..) => "redirected",
        Outcome::Changed(_) => "changed",
        Outcome::CannotTell(_) => "cannot_tell",
    }
}

fn as_text(report: &Report, origin: &str) -> String {
    let mut text = match &report.echo {
        Some(echo) => {
            let framework = shown(echo.framework.as_deref().unwrap_or("an unnamed framework"));
            format!("`{origin}` has an echo handler: {framework}\n\n")
        }
        None => format!("`{origin}` has no echo handler; its answers are compared\n\n"),
    };
    let findings: Vec<&Tried> = report.findings().collect();
    if !findings.is_empty() {
        let rows: Vec<[String; 4]> = findings.iter().map(|tried| row(tried)).collect();
        text += &table(["IN", "DISGUISE", "REQUEST", "READ AS"], &rows);
        text += "\n";
        text += &settings(&findings, framework(report));
    }
    text += &doubts(report);
    let count = |wanted: fn(&Outcome) -> bool| report.tried.iter().filter(|tried| wanted(&tried.outcome)).count();
    let (found, unclear) = (findings.len(), count(|outcome| matches!(outcome, Outcome::CannotTell(_))));
    let verdict = if found > 0 {
        styled(BAD, counted(found, "disguise") + if found == 1 { " works" } else { " work" })
    } else if report.is_blind() {
        styled(WARNING, "nothing can be told")
    } else {
        styled(GOOD, "no disguise works")
    };
    let rest = format!(
        "{} tried: {} read as sent, {} refused, {} redirected, {unclear} cannot be told",
        counted(report.tried.len(), "disguise"),
        count(|outcome| matches!(outcome, Outcome::AsSent)),
        count(|outcome| matches!(outcome, Outcome::Refused(_))),
        count(|outcome| matches!(outcome, Outcome::Redirected(..))),
    );
    text + &format!("{verdict}; {rest}\n")
}

fn row(tried: &Tried) -> [String; 4] {
    let request = tried.request.as_ref();
    let mut sent = request.map(|request| format!("{} {}", request.method, request.target)).unwrap_or_default();
    if let (Carrier::Field(_), Some((name, value))) = (tried.disguise.carrier, request.and_then(|r| r.fields.first())) {
        sent += &format!(", {name}: {value}");
    }
    // The query with a thousand pairs.
    if let Some((cut, _)) = sent.char_indices().nth(100) {
        sent.truncate(cut);
        sent.push('…');
    }
    let read = match &tried.outcome {
        Outcome::Changed(member) => format!("{} {}", member.aim.name(), shown(&member.read)),
        _ => String::new(),
    };
    [tried.disguise.carrier.name().to_owned(), tried.disguise.name.to_owned(), shown(&sent), read]
}

/// Each setting once, with the disguises that it fixes.
fn settings(findings: &[&Tried], framework: Option<&str>) -> String {
    let mut by_setting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for tried in findings {
        by_setting.entry(setting(tried, framework)).or_default().push(tried.disguise.name);
    }
    let mut text = String::new();
    for (setting, mut names) in by_setting {
        names.dedup();
        text += &format!("{}: {setting}\n", names.join(", "));
    }
    text + "\n"
}

/// Why some outcomes cannot be told.
fn doubts(report: &Report) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&Tried>> = BTreeMap::new();
    for tried in &report.tried {
        if let Outcome::CannotTell(doubt) = &tried.outcome
            && *doubt != Doubt::NoSuchSpelling
        {
            by_reason.entry(doubt.reason()).or_default().push(tried);
        }
    }
    let mut text = String::new();
    for (reason, tried) in by_reason {
        let mut names: Vec<&str> = tried.iter().map(|tried| tried.disguise.name).collect();
        names.dedup();
        let more = if names.len() > 4 { format!(", and {} more", names.len() - 3) } else { String::new() };
        names.truncate(if more.is_empty() { 4 } else { 3 });
        text += &styled(DIM, format!("cannot tell: {reason} ({}{more})", names.join(", ")));
        text.push('\n');
    }
    if text.is_empty() { text } else { text + "\n" }
}
