//! `postern check`: the faults of a policy, warnings about it, and notes on what a newer version decides differently.
//!
//! Each is shown at its place in the file, as compilers do.

use std::{ops::Range, path::Path};

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use clap::Args;
use postern::{
    Policy,
    policy::{LineColumn, PolicyError, PolicyErrors},
};
use serde_json::{Value, json};

use crate::{
    allow::{self, Accepted},
    cloudfront::{self, CloudFrontArgs, Compared},
    exit::Outcome,
    lint::{self, Warning},
    output::{self, Format, counted},
    policy_args::{PolicyArgs, Sources},
    since::{self, Note, Version, Written},
};

/// What is checked, and how strictly.
#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Treat warnings as errors: exit code 1.
    #[arg(long)]
    deny_warnings: bool,
    /// Print a note for each place of this policy whose decisions have changed since this version of Postern.
    #[arg(long, value_name = "VERSION", value_parser = Version::parse)]
    since: Option<Version>,
    #[command(flatten)]
    cloudfront: CloudFrontArgs,
}

/// One thing to say about one place of a file.
struct Diagnostic<'a> {
    level: Level<'static>,
    path: &'a Path,
    text: &'a str,
    span: Option<Range<usize>>,
    pointer: &'a str,
    code: &'static str,
    message: String,
    mend: String,
    /// What it is about, if it is about an upgrade.
    upgrade: Option<&'a Note>,
    /// The text at the place may be shown.
    shows_source: bool,
}

/// Checks the policy.
pub(crate) fn run(args: &CheckArgs, format: Format) -> anyhow::Result<Outcome> {
    let sources = args.policy.read()?;
    let checked = sources.policy();
    let upgrade = args.since.map(|since| Upgrade::new(since, &sources, checked.as_ref().ok()));
    let policy = match checked {
        Ok(policy) => policy,
        Err(errors) => return refuse(&sources, &errors, upgrade.as_ref(), format),
    };
    let written = sources.document().unwrap_or_default();
    let (warnings, accepted) = allow::sort(lint::warnings(&policy), &Written::new(&written, Some(&policy)));
    let places = lint::places(warnings.iter().map(|warning| warning.pointer.as_str()), sources.text());
    let diagnostics: Vec<Diagnostic<'_>> =
        warnings.iter().zip(places).map(|(warning, span)| warned(&sources, warning, span)).collect();
    let compared = cloudfront::compare(&args.cloudfront, &policy)?;
    match format {
        Format::Json => {
            let mut document = document(&sources, &[], &diagnostics, upgrade.as_ref(), Some(&policy));
            document["accepted"] = accepted.iter().map(accepted_json).collect();
            if let Some(compared) = &compared {
                document["cloudfront"] = compared.to_json();
            }
            output::print_json(&document)?;
        }
        Format::Text => {
            complain(&diagnostics);
            complain(&upgrade.iter().flat_map(|upgrade| upgrade.diagnostics(&sources)).collect::<Vec<_>>());
            let since = upgrade.as_ref().map(Upgrade::summary).unwrap_or_default();
            output::print(&passed(sources.path(), &policy, [diagnostics.len(), accepted.len()], &since))?;
            if let Some(compared) = &compared {
                compared.complain();
                output::print(&compared.summary())?;
            }
        }
    }
    let (errors, warnings) = compared.as_ref().map(Compared::counts).unwrap_or_default();
    let is_denied = args.deny_warnings && (!diagnostics.is_empty() || warnings > 0);
    Ok(if errors > 0 || is_denied { Outcome::No } else { Outcome::Done })
}

/// Prints every fault of a policy: for every command that takes one.
pub(crate) fn refused(sources: &Sources, errors: &PolicyErrors, format: Format) -> anyhow::Result<Outcome> {
    refuse(sources, errors, None, format)
}

fn refuse(
    sources: &Sources,
    errors: &PolicyErrors,
    upgrade: Option<&Upgrade>,
    format: Format,
) -> anyhow::Result<Outcome> {
    let faults: Vec<Diagnostic<'_>> = errors.0.iter().map(|error| fault(sources, error)).collect();
    match format {
        Format::Json => output::print_json(&document(sources, &faults, &[], upgrade, None))?,
        Format::Text => {
            complain(&faults);
            complain(&upgrade.iter().flat_map(|upgrade| upgrade.diagnostics(sources)).collect::<Vec<_>>());
            let since = upgrade.map(Upgrade::summary).unwrap_or_default();
            output::complain(&format!("{}: {}{since}\n", sources.path().display(), counted(faults.len(), "fault")));
        }
    }
    Ok(Outcome::No)
}

/// The notes on an upgrade, each with its place in the file.
struct Upgrade {
    since: Version,
    notes: Vec<(Note, Option<Range<usize>>)>,
    /// A policy with faults may hold a secret, which no excerpt may show.
    shows_source: bool,
}

impl Upgrade {
    /// A file that is not TOML has no places and so no notes; the fault tells its reader.
    fn new(since: Version, sources: &Sources, policy: Option<&Policy>) -> Self {
        let document = sources.document().unwrap_or_default();
        let notes = since::notes(since, &Written::new(&document, policy));
        let places = lint::places(notes.iter().map(|note| note.place.pointer.as_str()), sources.text());
        Self { since, notes: notes.into_iter().zip(places).collect(), shows_source: policy.is_some() }
    }

    fn diagnostics<'a>(&'a self, sources: &'a Sources) -> impl Iterator<Item = Diagnostic<'a>> {
        self.notes.iter().map(|(note, span)| Diagnostic {
            level: Level::NOTE,
            path: sources.path(),
            text: sources.text(),
            span: span.clone(),
            pointer: &note.place.pointer,
            code: note.change.code,
            message: note.message(),
            mend: note.place.help.clone(),
            upgrade: Some(note),
            shows_source: self.shows_source,
        })
    }

    /// The end of the last line.
    fn summary(&self) -> String {
        format!(", {} since {}", counted(self.notes.len(), "note"), self.since)
    }
}

fn fault<'a>(sources: &'a Sources, error: &'a PolicyError) -> Diagnostic<'a> {
    let (path, text) = sources.holding(error.is_in_overlay());
    Diagnostic {
        level: Level::ERROR,
        path,
        text,
        span: error.span.clone(),
        pointer: &error.pointer,
        code: error.fault.code(),
        message: error.fault.to_string(),
        mend: error.fault.mend(),
        upgrade: None,
        shows_source: error.fault.shows_source(),
    }
}

fn warned<'a>(sources: &'a Sources, warning: &'a Warning, span: Option<Range<usize>>) -> Diagnostic<'a> {
    Diagnostic {
        level: Level::WARNING,
        path: sources.path(),
        text: sources.text(),
        span,
        pointer: &warning.pointer,
        code: warning.lint.code(),
        message: warning.message.clone(),
        mend: warning.lint.mend().to_owned(),
        upgrade: None,
        shows_source: true,
    }
}

fn complain(diagnostics: &[Diagnostic<'_>]) {
    let renderer = Renderer::styled();
    for diagnostic in diagnostics {
        output::complain(&format!("{}\n\n", diagnostic.render(&renderer)));
    }
}

fn accepted_json(accepted: &Accepted) -> Value {
    let warning = &accepted.warning;
    json!({ "code": warning.lint.code(), "pointer": warning.pointer, "message": warning.message, "reason": accepted.reason })
}

fn passed(file: &Path, policy: &Policy, [warnings, accepted]: [usize; 2], since: &str) -> String {
    let stamp = if policy.is_development() { ", development" } else { "" };
    let warned = if warnings == 0 { String::new() } else { format!(", {}", counted(warnings, "warning")) };
    let accepted = if accepted == 0 { String::new() } else { format!(" ({accepted} accepted)") };
    format!(
        "{}: builds ({}, {}, {}, version {}{stamp}){warned}{accepted}{since}\n",
        file.display(),
        counted(policy.routes().len(), "route"),
        counted(policy.issuers().len(), "issuer"),
        counted(policy.origins().len(), "origin"),
        policy.version()
    )
}

fn document(
    sources: &Sources,
    faults: &[Diagnostic<'_>],
    warnings: &[Diagnostic<'_>],
    upgrade: Option<&Upgrade>,
    policy: Option<&Policy>,
) -> Value {
    let list = |diagnostics: &[Diagnostic<'_>]| diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>();
    let mut document = json!({
        "file": sources.path().display().to_string(),
        "builds": policy.is_some(),
        "version": policy.map(Policy::version),
        "development": policy.map(Policy::is_development),
        "faults": list(faults),
        "warnings": list(warnings),
    });
    if let Some(upgrade) = upgrade {
        document["since"] = upgrade.since.number().into();
        document["notes"] = upgrade.diagnostics(sources).map(|note| note.to_json()).collect();
    }
    document
}

impl Diagnostic<'_> {
    fn render(&self, renderer: &Renderer) -> String {
        let path = self.path.display().to_string();
        let title = self.level.clone().primary_title(&self.message).id(self.code);
        let decisions = self.upgrade.iter().flat_map(|note| note.decisions());
        let below = decisions.map(|decision| Level::NOTE.message(decision)).chain([Level::HELP.message(&self.mend)]);
        let Some(span) = self.first_line() else {
            return renderer.render(&[title.element(Origin::path(path)).elements(below)]);
        };
        let group = if self.shows_source {
            let annotation = AnnotationKind::Primary.span(span).label(self.pointer);
            title.element(Snippet::source(self.text).path(path).annotation(annotation)).elements(below)
        } else {
            let at = LineColumn::of(self.text, span.start);
            title.element(Origin::path(path).line(at.line).char_column(at.column)).elements(below)
        };
        renderer.render(&[group])
    }

    /// The span as far as its first line goes: a table is pointed at, not painted.
    fn first_line(&self) -> Option<Range<usize>> {
        let span = self.span.clone()?;
        let text = self.text.get(span.clone())?;
        let line = text.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        Some(span.start..span.start.saturating_add(line.len()))
    }

    fn to_json(&self) -> Value {
        let at = |offset| LineColumn::of(self.text, offset);
        let (start, end) = (self.span.as_ref().map(|span| at(span.start)), self.span.as_ref().map(|span| at(span.end)));
        let mut members = json!({
            "file": self.path.display().to_string(),
            "pointer": self.pointer,
            "line": start.map(|at| at.line),
            "column": start.map(|at| at.column),
            "end_line": end.map(|at| at.line),
            "end_column": end.map(|at| at.column),
            "code": self.code,
            "message": self.message,
            "mend": self.mend,
        });
        if let (Value::Object(members), Some(Value::Object(more))) =
            (&mut members, self.upgrade.map(|note| note.to_json()))
        {
            members.extend(more);
        }
        members
    }
}
